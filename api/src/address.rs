//! From where a request comes.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use ipnet::IpNet;

/// The client's address: that of the connection; behind proxies that are trusted, what the last of
/// them saw. What stands further left in `X-Forwarded-For` anybody may have written.
pub(crate) fn of(parts: &Parts, trusted: &[IpNet]) -> Option<IpAddr> {
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip().to_canonical();
    if !is_trusted(&peer) {
        return Some(peer);
    }
    // From the right: the first hop that is nobody's we know, or that can't be read, ends it.
    let mut client = peer;
    let values = parts.headers.get_all("x-forwarded-for").iter().rev();
    for hop in values.flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b',')) {
        let address = std::str::from_utf8(hop).ok().and_then(|text| text.trim().parse::<IpAddr>().ok());
        let Some(address) = address else { break };
        client = address.to_canonical();
        if !is_trusted(&client) {
            break;
        }
    }
    Some(client)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn seen(peer: &str, forwarded: &[&str]) -> String {
        let mut request = Request::builder();
        for value in forwarded {
            request = request.header("x-forwarded-for", *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        parts.extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
        of(&parts, &["10.0.0.0/8".parse().unwrap(), "127.0.0.1/32".parse().unwrap()]).unwrap().to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(seen("203.0.113.9", &["198.51.100.1"]), "203.0.113.9");
        assert_eq!(seen("127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(seen("127.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(seen("10.1.2.3", &["6.6.6.6, 198.51.100.1, 10.9.9.9"]), "198.51.100.1");
        assert_eq!(seen("10.1.2.3", &["6.6.6.6", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(seen("10.1.2.3", &["6.6.6.6, x, 198.51.100.1"]), "198.51.100.1", "written by the client");
        assert_eq!(seen("10.1.2.3", &["6.6.6.6, x, 10.9.9.9"]), "10.9.9.9");
        assert_eq!(seen("10.1.2.3", &["é", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(seen("10.1.2.3", &["6.6.6.6, x"]), "10.1.2.3");
        assert_eq!(seen("10.1.2.3", &["10.7.7.7, 10.9.9.9"]), "10.7.7.7");
        assert_eq!(seen("::ffff:127.0.0.1", &["2001:db8::1"]), "2001:db8::1");
    }
}
