//! Compiles this crate's own contracts, like any user's.

fn main() -> Result<(), tegami_codegen::Error> {
    tegami_codegen::compile("proto")
}
