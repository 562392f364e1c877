//! Compiles the contracts of the examples, and links libFuzzer, which `scripts/fuzz` has built.

use std::{env, path::Path};

fn main() -> Result<(), tegami_build::Error> {
    tegami_build::compile("../proto")?;
    println!("cargo::rerun-if-env-changed=LIBFUZZER");
    // Without it, this can be checked, and not linked.
    if let Some(folder) = env::var_os("LIBFUZZER") {
        println!("cargo::rustc-link-search=native={}", Path::new(&folder).display());
        println!("cargo::rustc-link-lib=static=fuzzer");
        println!("cargo::rustc-link-lib=stdc++");
    }
    Ok(())
}
