//! Files below a folder, and every way out of it that was ever tried.

use std::{fs, path::PathBuf};

use tegami::{
    Error,
    http::{Files, axum::Router},
};

use crate::{
    client::{Client, ask, get},
    serve,
};

const INPUTS: usize = 353;

/// A folder with a file, a folder, a dot file, and links out; beside it a secret.
fn folder() -> PathBuf {
    let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("http-files");
    let _ = fs::remove_dir_all(&home);
    let root = home.join("root");
    fs::create_dir_all(root.join("sub/.git")).expect("the folder is writable");
    fs::create_dir_all(home.join("root-not")).expect("the folder is writable");
    let files = [
        "root/a.txt",
        "root/sub/b.txt",
        "root/a b.txt",
        "root/.env",
        "root/sub/.git/config",
        "secret",
        "root-not/secret",
    ];
    for name in files {
        fs::write(home.join(name), if name.contains(".txt") { name } else { "SECRET" })
            .expect("the folder is writable");
    }
    for (target, name) in [("../secret", "link"), ("..", "up"), ("/etc", "etc"), ("a.txt", "inside"), ("link", "twice")]
    {
        std::os::unix::fs::symlink(target, root.join(name)).expect("the folder is writable");
    }
    root
}

/// Paths that lead out, into what is hidden, or nowhere.
fn ways_out() -> Vec<String> {
    let dots = [
        "..",
        "%2e%2e",
        "%2E%2E",
        ".%2e",
        "%2e.",
        "%252e%252e",
        "%c0%ae%c0%ae",
        "..%00",
        "..%20",
        "....",
        "%uff0e%uff0e",
        "..;",
    ];
    let slashes = ["/", "%2f", "%2F", "%5c", "\\", "%252f", "%c0%af", "//", "/./"];
    let ends = ["secret", "root-not/secret", "root/a.txt"];
    let climbs = dots.iter().flat_map(|dot| {
        slashes.iter().flat_map(move |slash| {
            ends.into_iter().map(move |end| format!("/static/{dot}{slash}{end}").replace(' ', ""))
        })
    });
    let plain = [
        "/static/",
        "/static",
        "/static/.",
        "/static/..",
        "/static/.env",
        "/static/%2eenv",
        "/static/sub",
        "/static/sub/",
        "/static/sub/.git/config",
        "/static/sub/%2egit/config",
        "/static/link",
        "/static/twice",
        "/static/up/secret",
        "/static/etc/passwd",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/a.txt%00",
        "/static/a.txt%00.png",
        "/static/a.txt/",
        "/static/a.txt/..",
        "/static/sub/../a.txt",
        "/static/./a.txt",
        "/static/%",
        "/static/%2",
        "/static/%zz",
        "/static/c:/windows",
        "/static/a.txt::$DATA",
        "/static/%ff",
        "/static/nothing",
    ];
    climbs.chain(plain.map(str::to_owned)).collect()
}

#[tokio::test]
async fn w3_only_files_below_the_root_are_served() -> Result<(), Error> {
    let router = Router::new().nest_service("/static", Files::below(folder()));
    let service = serve(router, |http| http).await?;
    for (path, text) in [
        ("a.txt", "root/a.txt"),
        ("sub/b.txt", "root/sub/b.txt"),
        ("a%20b.txt", "root/a b.txt"),
        ("inside", "root/a.txt"),
    ] {
        let answer = ask(&service, get(&format!("/static/{path}"))).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, text), "{path}");
    }
    let part = ask(&service, "GET /static/a.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=5-5\r\n\r\n").await;
    assert_eq!((part.status, part.text().as_str()), (206, "a"));
    let ways = ways_out();
    assert_eq!(ways.len(), INPUTS);
    for path in ways {
        let mut client = Client::connect(&service).await;
        let answer = client.ask(get(&path)).await;
        assert!(matches!(answer.status, 400 | 404), "{path}: {}", answer.status);
        assert!(!answer.text().contains("SECRET") && !answer.text().contains("root:"), "{path}");
    }
    Ok(())
}
