//! Which addresses may be connected to. A connection's URL is written by a person, so without this anybody who may
//! write one could make the server talk to its own network: databases, metadata services, itself.
//!
//! Public addresses are open; everything else is closed unless the operator opened it with `--allow-network`. Two
//! guards, because each sees what the other cannot: [`NetworkPolicy::check_url`] looks at a URL before it is used
//! (reqwest asks no resolver about an address written out), [`CheckedResolver`] stands between a name and the
//! connection, so that the address checked is the address connected to, whatever the name said a moment ago.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// The networks that may be reached besides the public ones.
#[derive(Clone, Debug, Default)]
pub struct NetworkPolicy {
    pub allowed: Vec<IpNet>,
}

/// An address or URL that may not be connected to, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// A whole sentence that says what to do.
    pub sentence: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Refused {}

impl Refused {
    fn new(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into() }
    }

    fn address(ip: IpAddr, what: &str) -> Self {
        Self::new(format!(
            "The address {ip} is {what}, which Tidegate may not reach. If you need it, ask the operator to allow its \
             network (--allow-network)."
        ))
    }
}

impl NetworkPolicy {
    pub fn new(allowed: Vec<IpNet>) -> Self {
        Self { allowed }
    }

    /// Whether this address may be connected to.
    pub fn check(&self, ip: IpAddr) -> Result<(), Refused> {
        if self.allows(ip) {
            return Ok(());
        }
        let what = match ip {
            IpAddr::V4(v4) => special_v4(v4),
            IpAddr::V6(v6) => special_v6(v6),
        };
        match what {
            Some(what) => Err(Refused::address(ip, what)),
            None => Ok(()),
        }
    }

    /// Whether the operator opened it. An address that carries an IPv4 one inside is also judged by what is inside:
    /// `::ffff:10.0.0.1` is open where 10.0.0.1 is, and opening the translator's network opens no closed IPv4 one.
    fn allows(&self, ip: IpAddr) -> bool {
        let listed = |ip: &IpAddr| self.allowed.iter().any(|net| net.contains(ip));
        match ip {
            IpAddr::V4(_) => listed(&ip),
            IpAddr::V6(v6) => match (embedded(v6), nat64(v6)) {
                (Some(v4), _) => listed(&ip) || listed(&IpAddr::V4(v4)),
                (_, Some(v4)) => listed(&ip) && self.check(IpAddr::V4(v4)).is_ok(),
                _ => listed(&ip),
            },
        }
    }

    /// Whether this URL may be asked for: http or https, no name or password inside, a host, and if that is an
    /// address, one that may be reached. (The url crate has already made `127.1` and `0x7f000001` into 127.0.0.1.)
    pub fn check_url(&self, url: &Url) -> Result<(), Refused> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refused::new("Only http:// and https:// addresses can be reached. Correct the address."));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::new(
                "The address contains a user name or password. Remove it and use the sign-in fields.",
            ));
        }
        match url.host() {
            Some(Host::Ipv4(ip)) => self.check(IpAddr::V4(ip)),
            Some(Host::Ipv6(ip)) => self.check(IpAddr::V6(ip)),
            Some(Host::Domain(name)) if !name.is_empty() => Ok(()),
            _ => Err(Refused::new("The address has no host. Correct the address.")),
        }
    }
}

/// Whether a host may be connected to by something that looks its name up itself: each of its addresses must be open. A
/// name that leads nowhere is for the caller to find out.
pub async fn check_host(policy: &NetworkPolicy, lookup: &dyn Lookup, host: &str) -> Result<(), Refused> {
    let found = match host.trim_matches(['[', ']']).parse() {
        Ok(ip) => vec![ip],
        Err(_) => lookup.lookup(host).await.unwrap_or_default(),
    };
    found.into_iter().try_for_each(|ip| policy.check(ip))
}

/// What a closed IPv4 address is; none for a public one. After the special-purpose registry of IANA.
fn special_v4(ip: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, _] = ip.octets();
    Some(match (a, b, c) {
        (0, ..) => "not the address of a host",
        (10, ..) | (172, 16..=31, _) | (192, 168, _) => "in a private network",
        (100, 64..=127, _) => "in a provider's internal network",
        (127, ..) => "this server itself",
        (169, 254, _) => "link-local",
        (192, 0, 0) | (192, 88, 99) => "reserved",
        (192, 0, 2) | (198, 51, 100) | (203, 0, 113) => "for documentation only",
        (198, 18..=19, _) => "for measurements only",
        (224..=239, ..) => "a multicast address",
        (240..=255, ..) => "reserved",
        _ => return None,
    })
}

/// What a closed IPv6 address is; none for a public one. Only the global unicast range is open at all.
fn special_v6(ip: Ipv6Addr) -> Option<&'static str> {
    let s = ip.segments();
    if ip.is_unspecified() {
        return Some("not the address of a host");
    }
    if ip.is_loopback() {
        return Some("this server itself");
    }
    if embedded(ip).is_some() || nat64(ip).is_some() {
        return Some("an IPv4 address in disguise");
    }
    Some(match (s[0], s[1]) {
        (0xff00..=0xffff, _) => "a multicast address",
        (0xfe80..=0xfebf, _) => "link-local",
        (0xfc00..=0xfdff, _) | (0xfec0..=0xfeff, _) => "in a private network",
        (0x2001, 0) | (0x2002, _) => "a tunnel to an IPv4 address",
        (0x2001, 0x0db8) | (0x3fff, 0..=0x0fff) => "for documentation only",
        (0x2001, 0..=0x01ff) => "reserved",
        (0x2000..=0x3fff, _) => return None,
        _ => "reserved",
    })
}

/// The IPv4 address inside a mapped (`::ffff:0:0/96`), translated (`::ffff:0:0:0/96`) or compatible (`::/96`) one.
fn embedded(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    if ip.is_unspecified() || ip.is_loopback() {
        return None;
    }
    match ip.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => Some(v4(high, low)),
        _ => None,
    }
}

/// The IPv4 address that a NAT64 translator would connect to (`64:ff9b::/96`, `64:ff9b:1::/48` with its last 32 bits).
fn nat64(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    match ip.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x64, 0xff9b, 1, _, _, _, high, low] => Some(v4(high, low)),
        _ => None,
    }
}

fn v4(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))
}

/// How names become addresses. A trait so that a test can play the name server and nothing leaves the machine.
pub trait Lookup: Send + Sync {
    fn lookup(&self, host: &str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;
}

/// The system's own way: hosts file, then name servers.
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, host: &str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
        let host = host.to_owned();
        Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.map(|a| a.ip()).collect()) })
    }
}

/// A name that leads nowhere.
#[derive(Debug)]
pub struct NameUnknown;

impl fmt::Display for NameUnknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name could not be resolved")
    }
}

impl std::error::Error for NameUnknown {}

/// For reqwest: looks a name up and lets through only what the policy lets through. Fails with [`Refused`] when
/// nothing is left, with [`NameUnknown`] when there was nothing.
pub struct CheckedResolver {
    policy: NetworkPolicy,
    lookup: Arc<dyn Lookup>,
}

impl CheckedResolver {
    pub fn new(policy: NetworkPolicy, lookup: Arc<dyn Lookup>) -> Self {
        Self { policy, lookup }
    }
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.lookup.lookup(name.as_str());
        let policy = self.policy.clone();
        Box::pin(async move {
            let found = found.await.map_err(|_| NameUnknown)?;
            let mut open = Vec::with_capacity(found.len());
            let mut refused = None;
            for ip in found {
                match policy.check(ip) {
                    // port 0: reqwest puts the URL's own in its place
                    Ok(()) => open.push(SocketAddr::new(ip, 0)),
                    Err(why) => refused = refused.or(Some(why)),
                }
            }
            match (open.is_empty(), refused) {
                (false, _) => Ok(Box::new(open.into_iter()) as Addrs),
                (true, Some(why)) => Err(why.into()),
                (true, None) => Err(NameUnknown.into()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(policy: &NetworkPolicy, ip: &str) -> bool {
        policy.check(ip.parse().unwrap()).is_ok()
    }

    #[test]
    fn public_addresses_are_open_up_to_the_borders_of_closed_ones() {
        let policy = NetworkPolicy::default();
        for ip in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "3ffe::1",
        ] {
            assert!(open(&policy, ip), "{ip} is public");
        }
    }

    #[test]
    fn everything_else_is_closed() {
        let policy = NetworkPolicy::default();
        for ip in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.0",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::8.8.8.8",
            "::ffff:10.0.0.1",
            "::ffff:8.8.8.8",
            "::ffff:0:8.8.8.8",
            "64:ff9b::10.0.0.1",
            "64:ff9b::8.8.8.8",
            "64:ff9b:1::10.0.0.1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!open(&policy, ip), "{ip} must be closed");
        }
    }

    #[test]
    fn what_the_operator_opened_is_open_and_no_more() {
        let policy = NetworkPolicy::new(vec!["10.1.0.0/16".parse().unwrap(), "64:ff9b::/96".parse().unwrap()]);
        for ip in ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::8.8.8.8", "64:ff9b::10.1.2.3"] {
            assert!(open(&policy, ip), "{ip} was opened");
        }
        for ip in ["10.2.0.1", "::ffff:10.2.0.1", "64:ff9b::10.2.0.1", "64:ff9b::127.0.0.1", "127.0.0.1", "::1"] {
            assert!(!open(&policy, ip), "{ip} was not opened");
        }
    }

    #[test]
    fn odd_spellings_of_an_address_are_seen_through() {
        let policy = NetworkPolicy::default();
        for url in [
            "http://127.1/",
            "http://0x7f000001/",
            "http://2130706433/",
            "http://0177.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:10.0.0.1]/",
            "http://0.0.0.0/",
            "http://169.254.169.254/latest",
            "http://127.0.0.1./",
            "http://user@example.org/",
            "http://user:p@example.org/",
            "http://example.org@127.0.0.1/",
            "file:///etc/passwd",
            "gopher://example.org/",
            "ftp://example.org/",
            "http://１２７.0.0.1/",
        ] {
            assert!(policy.check_url(&Url::parse(url).unwrap()).is_err(), "{url} must be refused");
        }
        assert!(policy.check_url(&Url::parse("https://example.org/a?b=c").unwrap()).is_ok());
    }
}
