//! What a request says: which file it asks for, by which route it goes, and whom it is from.

use std::{
    fs,
    net::IpAddr,
    path::{Component, Path},
    process,
    sync::LazyLock,
};

use tegami::{
    http::{
        Files,
        axum::{
            Router,
            body::{Body, to_bytes},
            extract::Path as Part,
            http::{HeaderName, HeaderValue, Request, StatusCode, Uri},
            routing::get,
        },
    },
    testing::doors::http::{client, file},
};
use tokio::runtime::{Builder, Runtime};
use tower_service::Service;

use super::text;

/// What nobody may be shown.
const SECRET: &str = "s3cr3t-c4n4ry";

/// A router with a folder of files; beside the folder, and within it where nobody may look, there are secrets.
struct Server {
    runtime: Runtime,
    router: Router,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let home = std::env::temp_dir().join(format!("tegami-fuzz-files-{}", process::id()));
    let root = home.join("root");
    fs::create_dir_all(root.join("sub")).expect("the folder is writable");
    for (name, told) in [("root/a.txt", "file"), ("root/sub/b.txt", "file"), ("root/.env", SECRET), ("secret", SECRET)]
    {
        fs::write(home.join(name), told).expect("the folder is writable");
    }
    let link = |target: &str, name: &str| match std::os::unix::fs::symlink(target, root.join(name)) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => panic!("{error}"),
        _ => {}
    };
    link("../secret", "link");
    link("..", "up");
    let router = Router::new()
        .nest_service("/static", Files::below(root))
        .route("/orders/{id}", get(async |Part(_): Part<String>| "order"))
        .route("/orders/{id}/lines/{*rest}", get(async |Part(_): Part<(String, String)>| "line"));
    Server { runtime: Builder::new_current_thread().build().expect("there is a runtime"), router }
});

/// The target of a request.
pub fn path(data: &[u8]) {
    let target = text(data);
    if let Some(path) = file(&target) {
        let root = Path::new("/srv/public");
        assert!(path.components().all(|part| matches!(part, Component::Normal(_))), "{path:?}");
        assert!(root.join(&path).starts_with(root) && !path.as_os_str().is_empty(), "{path:?}");
        let names: Vec<_> = path.iter().map(|name| name.to_string_lossy()).collect();
        assert!(names.iter().all(|name| !name.starts_with('.') && !name.contains(['\\', ':', '/'])), "{path:?}");
        assert!(!path.to_string_lossy().contains(char::is_control), "{path:?}");
    }
    for start in ["", "/static/", "/orders/"] {
        if let Ok(uri) = format!("{start}{target}").parse() {
            answered(uri);
        }
    }
}

fn answered(uri: Uri) {
    let server = &*SERVER;
    let (told, request) = (uri.to_string(), Request::get(uri).body(Body::empty()).expect("the target is one"));
    let answer = server.runtime.block_on(server.router.clone().call(request)).expect("routers answer");
    let status = answer.status();
    assert!(
        matches!(
            status,
            StatusCode::OK | StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST | StatusCode::METHOD_NOT_ALLOWED
        ),
        "{told}: {status}"
    );
    let body = server.runtime.block_on(to_bytes(answer.into_body(), 64 * 1024)).expect("it ends");
    assert!(!body.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()), "{told} shows a secret");
}

/// What stands in the header that proxies write, a line a header.
pub fn forwarded(data: &[u8]) {
    const PROXY: &str = "10.0.0.1";
    const STRANGER: &str = "192.0.2.1";
    const CLIENT: &str = "203.0.113.7";
    let address = |text: &str| text.parse::<IpAddr>().expect("an address");
    let trusted = "10.0.0.0/8".parse().expect("a network");
    let lines: Vec<_> =
        data.split(|byte| *byte == b'\n').filter_map(|line| HeaderValue::from_bytes(line).ok()).collect();
    for (name, added) in [("x-forwarded-for", CLIENT.to_owned()), ("forwarded", format!("for={CLIENT}"))] {
        let name = HeaderName::from_static(name);
        let from = |peer: &str, lines: &[HeaderValue]| client(address(peer), trusted, name.clone(), lines);
        assert_eq!(from(STRANGER, &lines), address(STRANGER), "who is no proxy is believed nothing");
        let told = from(PROXY, &lines);
        assert_eq!(told, told.to_canonical());
        assert_eq!(told, from(PROXY, &lines), "the same each time");
        let behind = [&lines[..], &[HeaderValue::from_str(&added).expect("a header")]].concat();
        assert_eq!(from(PROXY, &behind), address(CLIENT), "what the proxy adds counts, whatever stands before it");
    }
}
