//! Ways in for `fuzz/`: whom a request says it is from, and which file it asks for.

use std::{net::IpAddr, path::PathBuf};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;

use super::{client::Proxies, files};

/// Whom a request from this peer is from, which has these lines in the header that proxies say it in.
pub fn client(peer: IpAddr, trusted: IpNet, header: HeaderName, lines: &[HeaderValue]) -> IpAddr {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(&header, line.clone());
    }
    Proxies::new(vec![trusted], header).client(peer, &headers)
}

/// The path below the folder that a target names, if it may be looked for.
pub fn file(target: &str) -> Option<PathBuf> {
    files::plain(target)
}
