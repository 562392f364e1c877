//! Compiles the contracts of each service: what it publishes, and of what it handles the fields that it reads.

fn main() -> Result<(), tegami_codegen::Error> {
    tegami_codegen::configure().set("orders").compile("orders/proto")?;
    tegami_codegen::configure().set("billing").compile("billing/proto")?;
    tegami_codegen::configure().set("shipping").compile("shipping/proto")
}
