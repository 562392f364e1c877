//! Compiles the contracts of the examples and tests, as any user's `build.rs` does; and makes pages of the guides.

use std::{env, error::Error, fs, io, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    tegami_codegen::compile("proto")?;
    println!("cargo::rerun-if-changed=docs");
    Ok(pages(Path::new("docs"), &Path::new(&env::var("OUT_DIR")?).join("docs"))?)
}

/// Guides link each other as files, as they are in a clone. As pages of the documentation they stand in folders.
fn pages(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let place = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            pages(&path, &place)?;
        } else if path.extension().is_some_and(|ending| ending == "md") {
            let up = if path.ends_with("README.md") { "" } else { "../" };
            fs::write(place, page(&fs::read_to_string(&path)?, up))?;
        }
    }
    Ok(())
}

fn page(guide: &str, up: &str) -> String {
    let mut parts = guide.split("](");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |page, part| match part.split_once(')') {
        Some((link, rest)) => format!("{page}]({}){rest}", lead(link, up)),
        None => format!("{page}]({part}"),
    })
}

fn lead(link: &str, up: &str) -> String {
    let (file, heading) = link.find('#').map_or((link, ""), |at| link.split_at(at));
    match file.strip_suffix(".md") {
        Some(guide) if !link.contains("://") => {
            format!("{up}{}/index.html{heading}", guide.strip_suffix("/README").unwrap_or(guide))
        }
        _ => link.to_owned(),
    }
}
