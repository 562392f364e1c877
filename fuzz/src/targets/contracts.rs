//! Contract files: whatever is written in one, the build is told of it, or gets the same code each time.

use std::{env, fs, path::PathBuf, process, sync::LazyLock};

/// A folder of this process, in memory where there is such a place.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = PathBuf::from("/dev/shm");
    let home = if memory.is_dir() { memory } else { env::temp_dir() };
    home.join(format!("tegami-fuzz-{}", process::id()))
});

/// A protobuf file, or a JSON Schema one if it begins as JSON does.
pub fn compiled(data: &[u8]) {
    let name = if data.trim_ascii_start().starts_with(b"{") { "file.schema.json" } else { "file.proto" };
    let folder = FOLDER.join("shop/orders/v1");
    fs::create_dir_all(&folder).expect("the folder is writable");
    fs::write(folder.join(name), data).expect("the folder is writable");
    let first = tegami_codegen::compile_to_strings(&FOLDER);
    let again = tegami_codegen::compile_to_strings(&FOLDER);
    fs::remove_dir_all(&*FOLDER).expect("the folder is writable");
    match (first, again) {
        (Ok(first), Ok(again)) => assert_eq!(first, again),
        // The file is the developer's own: what is told of it may stand as it does there.
        (Err(first), Err(again)) => assert!(!first.to_string().is_empty() && first.to_string() == again.to_string()),
        _ => panic!("compiled once only"),
    }
}
