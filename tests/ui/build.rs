//! Compiles the contracts that the cases use: one version of each, for of two the compiler tells the whole path.

fn main() -> Result<(), tegami_codegen::Error> {
    tegami_codegen::compile("proto")
}
