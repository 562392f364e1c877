//! Compiles the contract of the event that is measured.

fn main() -> Result<(), tegami_codegen::Error> {
    tegami_codegen::compile("proto")
}
