//! Compiles the contracts of the shop.

fn main() -> Result<(), tegami_codegen::Error> {
    tegami_codegen::compile("proto")
}
