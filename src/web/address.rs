//! Addresses: where a request comes from, and where a return leads.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;

use crate::config::Config;

/// The client's address. `X-Forwarded-For` counts only behind a proxy that the operator trusts: of its list, the last
/// address that is none of those proxies, because everything before that anybody may have written.
pub fn client_address(request: &HttpRequest, config: &Config) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip().to_canonical();
    Some(behind_proxies(peer, request.headers(), config))
}

/// Who sent `X-Forwarded-For` though the operator trusts nobody there to say for whom they ask.
pub fn untrusted_proxy(request: &HttpRequest, config: &Config) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip().to_canonical();
    let trusted = config.trusted_proxies.iter().any(|network| network.contains(&peer));
    (!trusted && request.headers().contains_key("X-Forwarded-For")).then_some(peer)
}

/// What is counted as one address: an IPv6 customer owns a whole /64.
pub fn network(address: Option<IpAddr>) -> String {
    match address {
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Some(IpAddr::V4(address)) => address.to_string(),
        None => "unknown".into(),
    }
}

fn behind_proxies(peer: IpAddr, headers: &HeaderMap, config: &Config) -> IpAddr {
    let trusted = |address: &IpAddr| config.trusted_proxies.iter().any(|network| network.contains(address));
    if !trusted(&peer) {
        return peer;
    }
    let list: Vec<&str> =
        headers.get_all("X-Forwarded-For").filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(',')).collect();
    let mut client = peer;
    for text in list.into_iter().rev() {
        let Ok(address) = text.trim().parse::<IpAddr>() else { break };
        client = address.to_canonical();
        if !trusted(&client) {
            break;
        }
    }
    client
}

/// A path of our own to return to; anything that a browser would take for another site is refused.
pub fn local_path(text: &str) -> Option<&str> {
    let mut bytes = text.bytes();
    let local = bytes.next() == Some(b'/') && !matches!(bytes.next(), Some(b'/' | b'\\'));
    let plain = text.len() <= 2000 && !text.chars().any(|c| c.is_control() || c == '\\');
    (local && plain).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_paths_are_returned_to() {
        for good in ["/", "/applications/7?tab=2", "/a//b"] {
            assert_eq!(local_path(good), Some(good));
        }
        for bad in ["", "//evil.example", "/\\evil.example", "https://evil.example", "x", "/\t/evil", "/a\\b", "/\n"] {
            assert_eq!(local_path(bad), None, "{bad:?}");
        }
    }
}
