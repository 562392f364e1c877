//! Compiles both sides of the contracts in `proto/`, each in a package of its own, as `compiled` needs them.

use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::var("OUT_DIR")?).join("contracts");
    fs::create_dir_all(&folder)?;
    for side in ["old", "new"] {
        let file = format!("proto/{side}.proto");
        println!("cargo::rerun-if-changed={file}");
        let text = fs::read_to_string(&file)?.replace("PACKAGE", &format!("{side}.v1"));
        fs::write(folder.join(format!("{side}.proto")), text)?;
    }
    tegami_codegen::configure().builders(false).compile(&folder)?;
    Ok(())
}
