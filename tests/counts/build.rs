//! Compiles the contracts of the events that are measured.

fn main() -> Result<(), tegami_codegen::Error> {
    tegami_codegen::compile("proto")
}
