//! Where a request comes from: a network address that its limits count against. Pure; never logged.
use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use axum::http::{HeaderMap, HeaderName};

/// What proxies add the address to that they took the request from, each behind those before it.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Whom a limit is for: an IPv4 address, or the first half of an IPv6 address, of which everybody has the second to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Origin(IpAddr);

impl From<IpAddr> for Origin {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            v4 => v4,
        })
    }
}

/// The last address on the way of a request that is not a trusted proxy's: `peer`, who is connected to us, or, where that is one, what it and
/// the trusted ones before it wrote into X-Forwarded-For. What others wrote there is not believed.
pub fn of(peer: IpAddr, headers: &HeaderMap, proxies: &[Network]) -> Origin {
    let trusted = |address: IpAddr| proxies.iter().any(|network| network.contains(address));
    let mut nearest = peer;
    let hops = headers.get_all(FORWARDED_FOR);
    // Several lines are one list.
    let hops: Vec<&str> = hops
        .iter()
        .flat_map(|line| line.to_str().unwrap_or("?").split(','))
        .collect();
    let mut hops = hops.into_iter().rev().map(address);
    while trusted(nearest) {
        match hops.next().flatten() {
            Some(hop) => nearest = hop,
            // It took the request from nobody, or from one whom it does not name.
            None => break,
        }
    }
    nearest.into()
}

/// An address as proxies write it: some add the port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let socket = || text.parse::<SocketAddr>().map(|socket| socket.ip());
    text.parse()
        .or_else(|_| socket())
        .ok()
        .map(|address: IpAddr| address.to_canonical())
}

/// An address, or all that begin like it: `10.1.2.3`, `10.0.0.0/8`, `fd00::/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// Leading bits that an address has in common with it.
    bits: u32,
}

impl Network {
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(other)) => {
                (ours.to_bits() ^ other.to_bits())
                    .checked_shr(32 - self.bits)
                    .unwrap_or(0)
                    == 0
            }
            (IpAddr::V6(ours), IpAddr::V6(other)) => {
                (ours.to_bits() ^ other.to_bits())
                    .checked_shr(128 - self.bits)
                    .unwrap_or(0)
                    == 0
            }
            _ => false,
        }
    }
}

/// What is neither an address nor a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANetwork;

impl fmt::Display for NotANetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("neither an address nor a network like 10.0.0.0/8 or fd00::/8")
    }
}

impl std::error::Error for NotANetwork {}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NotANetwork)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            // Digits alone: a sign would parse too.
            Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => bits.parse().map_err(|_| NotANetwork)?,
            Some(_) => return Err(NotANetwork),
            None => most,
        };
        let network = Self { address, bits };
        // An address of ours among the bits that do not count is a slip: 10.1.2.3/8 would trust all of 10.
        let is_plain = match address {
            IpAddr::V4(v4) => v4.to_bits().checked_shl(bits).unwrap_or(0) == 0,
            IpAddr::V6(v6) => v6.to_bits().checked_shl(bits).unwrap_or(0) == 0,
        };
        (bits <= most && is_plain && address.to_canonical() == address)
            .then_some(network)
            .ok_or(NotANetwork)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_origin_is_an_ipv4_address_or_half_an_ipv6_address() {
        let of = |text: &str| Origin::from(ip(text));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::2"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
    }

    #[test]
    fn a_network_has_the_addresses_that_begin_like_it() {
        let has = |network: &str, address: &str| network.parse::<Network>().unwrap().contains(ip(address));
        assert!(has("10.0.0.0/8", "10.255.0.1") && !has("10.0.0.0/8", "11.0.0.1"));
        assert!(has("192.0.2.7", "192.0.2.7") && !has("192.0.2.7", "192.0.2.6"));
        assert!(has("192.0.2.7/32", "::ffff:192.0.2.7"));
        assert!(has("0.0.0.0/0", "203.0.113.9") && !has("0.0.0.0/0", "::1"));
        assert!(has("fd00::/8", "fdff::1") && !has("fd00::/8", "fe00::1"));
        assert!(has("::/0", "2001:db8::1") && !has("::/0", "192.0.2.1"));
        assert!(has("::1", "::1") && !has("::1", "::2"));
        for bad in [
            "",
            "x",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/-1",
            "::/129",
            "/8",
            "10.0.0/8",
            "10.0.0.0/8/8",
            " ::1",
            "10.1.2.3/8",
            "fd00::1/8",
            "10.0.0.0/99999999999",
            "::ffff:10.0.0.1",
            "example.org",
            "[::1]",
        ] {
            assert_eq!(bad.parse::<Network>(), Err(NotANetwork), "{bad}");
        }
    }

    #[test]
    fn what_a_trusted_proxy_wrote_is_believed_and_nothing_else() {
        let proxies: Vec<Network> = ["10.0.0.0/8", "fd00::/8"].map(|text| text.parse().unwrap()).to_vec();
        let cases: [(&str, &[&str], &str); 16] = [
            // Not by way of a proxy: whatever the header says.
            ("192.0.2.1", &[], "192.0.2.1"),
            ("192.0.2.1", &["203.0.113.9"], "192.0.2.1"),
            ("192.0.2.1", &["203.0.113.9, 10.0.0.1"], "192.0.2.1"),
            // By one proxy, by two, by two headers.
            ("10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["203.0.113.9, 10.0.0.2"], "203.0.113.9"),
            ("10.0.0.1", &["203.0.113.9", "10.0.0.2"], "203.0.113.9"),
            ("fd00::1", &["2001:db8::5"], "2001:db8::5"),
            ("::ffff:10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            // The client's own lines stand before what the proxy added.
            ("10.0.0.1", &["198.51.100.1", "203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["10.9.9.9, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["198.51.100.1,203.0.113.9:4711 "], "203.0.113.9"),
            ("10.0.0.1", &["[2001:db8::5]:4711"], "2001:db8::5"),
            // The proxy itself, or a client that it does not name.
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.9, unknown"], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.9, unknown, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &[""], "10.0.0.1"),
        ];
        for (peer, lines, expected) in cases {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
            }
            assert_eq!(
                of(ip(peer), &headers, &proxies),
                Origin::from(ip(expected)),
                "{peer} {lines:?}"
            );
        }
        // Bytes that are no text are no address either.
        let mut headers = HeaderMap::new();
        headers.append(FORWARDED_FOR, HeaderValue::from_static("203.0.113.9"));
        headers.append(FORWARDED_FOR, HeaderValue::from_bytes(b"\xff").unwrap());
        assert_eq!(of(ip("10.0.0.1"), &headers, &proxies), Origin::from(ip("10.0.0.1")));
    }
}
