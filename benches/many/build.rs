//! Makes contracts up and compiles them: a thousand events in packages of twenty, all with the fields of an order.

use std::{
    env, fs,
    io::{Error, Result},
    path::Path,
};

/// How many packages there are, each with a topic of its own.
const PACKAGES: usize = 50;
/// How many events each has.
const EVENTS: usize = 20;

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let out = env::var("OUT_DIR").map_err(Error::other)?;
    let (proto, mut kinds) = (Path::new(&out).join("proto"), String::from("kinds! {\n"));
    for package in 0..PACKAGES {
        let folder = proto.join(format!("many/p{package:02}/v1"));
        fs::create_dir_all(&folder)?;
        write(&folder.join("facts.proto"), &contract(package))?;
        (0..EVENTS).for_each(|event| kinds += &format!("    p{package:02}::v1::Fact{event:02},\n"));
    }
    write(&Path::new(&out).join("kinds.rs"), &(kinds + "}\n"))?;
    // Without builders, as the guide says of many contracts.
    tegami_codegen::configure().builders(false).compile(proto).map_err(Error::other)
}

/// Leaves a file alone that is as it should be: what is written anew is built anew.
fn write(path: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|found| found == text) { Ok(()) } else { fs::write(path, text) }
}

fn contract(package: usize) -> String {
    let head = format!("syntax = \"proto3\";\npackage many.p{package:02}.v1;\nimport \"tegami/v1/options.proto\";\n");
    let event = |event: usize| {
        format!(
            "\n// Something that has happened.\nmessage Fact{event:02} {{\n  option (tegami.v1.event) = {{}};\n\n  \
             string order_id = 1 [(tegami.v1.field) = {{ key: true }}];\n  \
             string currency = 2 [(tegami.v1.field) = {{ attribute: true }}];\n  \
             int32 amount_minor = 3;\n  uint32 items = 4;\n}}\n"
        )
    };
    (0..EVENTS).map(event).fold(head, |text, event| text + &event)
}
