//! Whom a request is from: the peer, or who it says, if the peer is a proxy that we trust.

use std::net::IpAddr;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, StatusCode, header, request},
};
use ipnet::IpNet;

use super::exchange::Exchange;

/// Where most proxies say it.
pub(super) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address a request is from, as an extractor.
///
/// It is the connection's peer, unless that is one of [`HttpOptions::trust_proxies`](super::HttpOptions::trust_proxies):
/// then the rightmost address in [the header](super::HttpOptions::proxy_header) they say it in that is not one of them.
/// What stands further left, or in another header, is the client's own word and never believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl<S: Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut request::Parts, _: &S) -> Result<Self, StatusCode> {
        let exchange = parts.extensions.get::<Exchange>().ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
        Ok(Self(exchange.client()))
    }
}

/// The networks whose word is believed, and where it stands.
pub(super) struct Proxies {
    networks: Vec<IpNet>,
    header: HeaderName,
}

impl Proxies {
    pub(super) fn new(networks: Vec<IpNet>, header: HeaderName) -> Self {
        Self { networks, header }
    }

    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// Whom a request from this peer is from.
    pub(super) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.trusts(peer) {
            return peer;
        }
        let hops = hops(headers, &self.header, if self.header == header::FORWARDED { for_of } else { plain });
        let mut client = peer;
        for hop in hops.into_iter().rev() {
            // What is no address hides whom it is from; the proxy that told so is the last one known.
            let Some(address) = hop else { break };
            client = address;
            if !self.trusts(address) {
                break;
            }
        }
        client
    }
}

/// The hops of all headers of this name, in order.
fn hops(headers: &HeaderMap, name: &HeaderName, read: fn(&str) -> Option<IpAddr>) -> Vec<Option<IpAddr>> {
    let lines = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("?"));
    lines.flat_map(|line| line.split(',')).map(read).collect()
}

/// `for=` of one element of `Forwarded`.
fn for_of(element: &str) -> Option<IpAddr> {
    let pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    let mut named = pairs.filter(|(name, _)| name.eq_ignore_ascii_case("for"));
    plain(named.next()?.1)
}

/// An address, with or without quotes, brackets, port.
fn plain(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse().ok().map(|socket: std::net::SocketAddr| socket.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client(peer: &str, name: HeaderName, lines: &[&'static str]) -> String {
        let networks = ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().expect("a network"));
        let lines = lines.iter().map(|line| (name.clone(), line.parse().expect("a header")));
        let headers: HeaderMap = lines.fold(HeaderMap::new(), |mut headers, (name, line)| {
            headers.append(name, line);
            headers
        });
        Proxies::new(networks.into(), name).client(peer.parse().expect("an address"), &headers).to_string()
    }

    #[test]
    fn w1_the_address_is_the_rightmost_that_no_proxy_of_ours_has() {
        for (peer, lines, expected) in [
            ("203.0.113.9", &["1.1.1.1"][..], "203.0.113.9"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["1.1.1.1, 198.51.100.7, 10.9.9.9"], "198.51.100.7"),
            ("10.0.0.1", &["1.1.1.1", "198.51.100.7:443"], "198.51.100.7"),
            ("10.0.0.1", &["1.1.1.1, spoofed, 10.2.2.2"], "10.2.2.2"),
            ("10.0.0.1", &["1.1.1.1, "], "10.0.0.1"),
            ("fd00::1", &["[2001:db8::7]:443"], "2001:db8::7"),
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ] {
            assert_eq!(client(peer, X_FORWARDED_FOR, lines), expected, "{lines:?}");
        }
        for (line, expected) in [
            ("for=1.1.1.1, for=198.51.100.7;proto=https;by=10.0.0.1", "198.51.100.7"),
            ("For=\"[2001:db8::7]:47011\"", "2001:db8::7"),
            ("for=1.1.1.1, for=_hidden", "10.0.0.1"),
            ("proto=https", "10.0.0.1"),
        ] {
            assert_eq!(client("10.0.0.1", header::FORWARDED, &[line]), expected, "{line}");
        }
    }

    #[test]
    fn w1_no_header_but_the_one_that_proxies_write_is_believed() {
        let mut headers = HeaderMap::new();
        headers.insert(header::FORWARDED, HeaderValue::from_static("for=1.1.1.1"));
        headers.insert("x-real-ip", HeaderValue::from_static("2.2.2.2"));
        headers.insert(X_FORWARDED_FOR, HeaderValue::from_static("198.51.100.7"));
        for (name, expected) in
            [("x-forwarded-for", "198.51.100.7"), ("forwarded", "1.1.1.1"), ("x-real-ip", "2.2.2.2"), ("x", "10.0.0.1")]
        {
            let proxies = Proxies::new(vec!["10.0.0.0/8".parse().expect("a network")], HeaderName::from_static(name));
            assert_eq!(proxies.client([10, 0, 0, 1].into(), &headers).to_string(), expected, "{name}");
        }
    }
}
