//! From where a request comes, also through a proxy.

use crate::http::server::ServerLimits;
use std::net::IpAddr;
use warp::http::{HeaderMap, HeaderName, HeaderValue};

/// Set by the server itself; what a client sends under this name is overwritten.
pub(in crate::http) const CLIENT_IP: HeaderName = HeaderName::from_static("x-client-ip");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Proxies that are looked through.
const HOPS_MAX: usize = 16;

/// Writes down whose request this is. A proxy that is trusted says for whom it speaks.
pub(in crate::http) fn mark_client(headers: &mut HeaderMap, peer: IpAddr, limits: &ServerLimits) {
    let ip = find_client(headers, peer.to_canonical(), limits);
    match HeaderValue::from_str(&ip.to_string()) {
        Ok(value) => headers.insert(CLIENT_IP, value),
        Err(_) => headers.remove(CLIENT_IP),
    };
}

/// Whose request this is.
pub(in crate::http) fn client_ip(headers: &HeaderMap) -> Option<IpAddr> {
    headers.get(CLIENT_IP)?.to_str().ok()?.parse().ok()
}

/// The last address that nobody who is trusted speaks for. What stands before it anybody can have written.
fn find_client(headers: &HeaderMap, peer: IpAddr, limits: &ServerLimits) -> IpAddr {
    let lines: Vec<&str> = headers.get_all(FORWARDED_FOR).iter().filter_map(|line| line.to_str().ok()).collect();
    let named = lines.iter().rev().flat_map(|line| line.rsplit(',')).take(HOPS_MAX);
    let mut client = peer;
    for name in named {
        if !limits.trusts(client) {
            break;
        }
        match name.trim().parse::<IpAddr>() {
            Ok(ip) => client = ip.to_canonical(),
            Err(_) => break,
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let limits = ServerLimits { trusted_proxies: vec![ip("10.0.0.1")], ..ServerLimits::default() };
        let mut headers = HeaderMap::new();
        headers.insert(CLIENT_IP, HeaderValue::from_static("6.6.6.6"));
        for line in forwarded {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(line).expect("a value"));
        }
        mark_client(&mut headers, ip(peer), &limits);
        client_ip(&headers).expect("an address").to_string()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn only_a_trusted_proxy_speaks_for_others() {
        assert_eq!(client("203.0.113.9", &["198.51.100.7"]), "203.0.113.9");
        assert_eq!(client("127.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(client("10.0.0.1", &["1.2.3.4, 198.51.100.7"]), "198.51.100.7", "the client wrote the first");
        assert_eq!(client("127.0.0.1", &["198.51.100.7, 10.0.0.1"]), "198.51.100.7");
        assert_eq!(client("127.0.0.1", &["198.51.100.7", "10.0.0.1"]), "198.51.100.7", "in several lines");
        assert_eq!(client("127.0.0.1", &["garbage"]), "127.0.0.1");
        assert_eq!(client("127.0.0.1", &[]), "127.0.0.1");
    }
}
