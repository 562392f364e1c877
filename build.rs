//! Compiles the contracts of the examples and tests, as any user's `build.rs` does.

fn main() -> Result<(), tegami_codegen::Error> {
    tegami_codegen::compile("proto")
}
