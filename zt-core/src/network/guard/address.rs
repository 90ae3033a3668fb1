//! Which addresses are public: global unicast, by the special-purpose registries of IANA (RFC 6890 and its successors).
//! Whatever those registries do not call globally reachable is refused, and so is Azure's own channel to the host of a
//! virtual machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is public.
pub(crate) fn is_public(address: IpAddr) -> bool {
    why_not_public(address).is_none()
}

/// What keeps an address from being public; `None` for a public one.
pub(super) fn why_not_public(address: IpAddr) -> Option<&'static str> {
    match address.to_canonical() {
        IpAddr::V4(v4) => why_not_v4(v4),
        IpAddr::V6(v6) => why_not_v6(v6),
    }
}

fn why_not_v4(address: Ipv4Addr) -> Option<&'static str> {
    let [a, b, c, _] = address.octets();
    let what = match (a, b, c) {
        (0, ..) => "which means \"this host\"",
        (127, ..) => "a loopback address",
        (10, ..) | (172, 16..=31, _) | (192, 168, _) => "a private address",
        (100, 64..=127, _) => "an address behind a carrier's NAT",
        (169, 254, _) => "a link-local address",
        (192, 0, 0) => "an address for protocols",
        (192, 0, 2) | (198, 51, 100) | (203, 0, 113) => "an address for documentation",
        (192, 88, 99) => "a relay of 6to4",
        (198, 18..=19, _) => "an address for benchmarks",
        (224..=239, ..) => "a multicast address",
        (240..=255, ..) => "a reserved address",
        // Microsoft Learn, "What is IP address 168.63.129.16?": the host's agent, from inside every virtual machine.
        (168, 63, 129) if address == Ipv4Addr::new(168, 63, 129, 16) => "Azure's host agent",
        _ => return None,
    };
    Some(what)
}

fn why_not_v6(address: Ipv6Addr) -> Option<&'static str> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let embedded = || {
        let [[w, x], [y, z]] = [g.to_be_bytes(), h.to_be_bytes()];
        Ipv4Addr::new(w, x, y, z)
    };
    let what = match (a, b) {
        // RFC 6052: an IPv4 address behind a NAT64 is as public as that address.
        (0x64, 0xff9b) if [c, d, e, f] == [0; 4] => return why_not_v4(embedded()),
        (0, 0) if address.is_loopback() => "a loopback address",
        (0, 0) => "which is unspecified or an old form of an IPv4 address",
        (0xfc00..=0xfdff, _) => "a unique local address",
        (0xfe80..=0xfebf, _) => "a link-local address",
        (0xff00..=0xffff, _) => "a multicast address",
        (0x2001, 0xdb8) | (0x3fff, 0..=0x0fff) => "an address for documentation",
        (0x2001, 0..=0x1ff) => "an address for protocols",
        (0x2002, _) => "an address of 6to4",
        (0x2000..=0x3fff, _) => return None,
        _ => "a reserved address",
    };
    Some(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(text: &str) -> bool {
        why_not_public(text.parse().unwrap()).is_none()
    }

    #[test]
    fn global_unicast_is_public() {
        for address in [
            "20.190.160.1",
            "8.8.8.8",
            "172.15.255.255",
            "172.32.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "168.63.129.15",
            "192.0.1.1",
            "223.255.255.255",
            "2603:1030::1",
            "2001:4860:4860::8888",
            "64:ff9b::808:808",
            "::ffff:8.8.8.8",
        ] {
            assert!(public(address), "{address}");
        }
    }

    #[test]
    fn nothing_else_is_public() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.4",
            "127.0.0.1",
            "127.255.255.255",
            "100.64.0.1",
            "169.254.169.254",
            "168.63.129.16",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::10.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::808:808",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:a00:1::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!public(address), "{address}");
        }
    }
}
