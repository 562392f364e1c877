//! Compiles the contracts of the tests.

fn main() -> Result<(), tegami_codegen::Error> {
    tegami_codegen::compile("proto")
}
