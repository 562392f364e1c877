//! Compiles the contracts that the cases use.

fn main() -> Result<(), tegami_codegen::Error> {
    tegami_codegen::compile("../../proto")
}
