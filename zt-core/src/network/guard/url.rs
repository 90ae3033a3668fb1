//! The narrow reading of a URL. Two readers of one URL that disagree about its host are a way around a guard, so only what
//! every reader understands alike is taken: lowercase scheme, a host of letters, digits, hyphens and dots, a port in
//! decimal, then path and query of visible ASCII (RFC 3986 §3, without user information, IPv6 and percent signs in hosts).

use std::net::IpAddr;

use super::{Refusal, Scheme};

/// Where a URL goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target<'a> {
    pub(super) scheme: Scheme,
    pub(super) host: &'a str,
    pub(super) port: u16,
}

impl<'a> Target<'a> {
    pub(super) fn read(url: &'a str) -> Result<Self, Refusal> {
        if url.len() > MOST_BYTES {
            return Err(Refusal::NotAUrl("it is too long"));
        }
        let visible = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
        if !url.bytes().all(visible) {
            return Err(Refusal::NotAUrl(
                "it holds a space, a backslash or something that is not ASCII",
            ));
        }
        if url.contains('#') {
            return Err(Refusal::Fragment);
        }
        let (scheme, rest) = scheme(url)?;
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(Refusal::UserInfo);
        }
        if authority.contains(['[', ']']) {
            return Err(Refusal::Address(authority.to_owned()));
        }
        let (host, port) = match authority.split_once(':') {
            None => (authority, scheme.default_port()),
            Some((host, port)) => (host, read_port(port)?),
        };
        if !is_host(host) {
            return Err(Refusal::NotAUrl("its host is not a name in lowercase"));
        }
        Ok(Self { scheme, host, port })
    }

    /// An address in place of a name, in any spelling that some reader takes for one: a last label of digits or of `0x…` is
    /// a number to the URL standard of browsers ("ends in a number").
    pub(super) fn is_address(&self) -> bool {
        let last = self.host.rsplit('.').next().unwrap_or_default();
        let number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
        number || self.host.parse::<IpAddr>().is_ok()
    }
}

fn scheme(url: &str) -> Result<(Scheme, &str), Refusal> {
    let known = [Scheme::Https, Scheme::Http];
    let found = known.into_iter().find_map(|scheme| {
        let rest = url.strip_prefix(scheme.as_str())?.strip_prefix("://")?;
        Some((scheme, rest))
    });
    found.ok_or(Refusal::NotAUrl("it does not begin with `https://`"))
}

/// Decimal, without sign and leading zeros, as every reader prints it.
fn read_port(text: &str) -> Result<u16, Refusal> {
    let port = text.parse::<u16>().ok();
    port.filter(|port| *port > 0 && port.to_string() == text)
        .ok_or(Refusal::NotAUrl("its port is not a number from 1 to 65535"))
}

/// A name of labels of letters, digits and hyphens (RFC 1123 §2.1), in lowercase, without a final dot.
pub(super) fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= 253 && host.split('.').all(label)
}

/// Longer than any URL that Azure's services document.
const MOST_BYTES: usize = 8192;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_in_one_way_or_not_at_all() {
        let read = Target::read("https://kv.vault.azure.net:8443/secrets/x?api-version=7").unwrap();
        assert_eq!(
            (read.scheme, read.host, read.port),
            (Scheme::Https, "kv.vault.azure.net", 8443)
        );
        assert_eq!(Target::read("http://localhost/x").unwrap().port, 80);
        assert_eq!(Target::read("https://a.b?x").unwrap().host, "a.b");
        for wrong in [
            "",
            "https:/a.b",
            "https:///a.b",
            "HTTPS://a.b/",
            "https://A.b/",
            "https://a.b./",
            "https://a..b/",
            "https://-a.b/",
            "https://a_b.c/",
            "https://a.b\\@evil/",
            "https://a.b\t/",
            " https://a.b/",
            "https://a%2eb/",
            "https://a.b:0443/",
            "https://a.b:0/",
            "https://a.b:65536/",
            "https://a.b:/",
            "https://a.b:+1/",
            "https://ä.b/",
            "https://a.b/ä",
            "ftp://a.b/",
            "file:///etc/passwd",
            "//a.b/",
            "a.b",
        ] {
            assert!(
                matches!(Target::read(wrong), Err(Refusal::NotAUrl(_))),
                "{wrong}"
            );
        }
        assert_eq!(
            Target::read("https://u:p@a.b/").err(),
            Some(Refusal::UserInfo)
        );
        assert_eq!(
            Target::read("https://a.b@c.d/").err(),
            Some(Refusal::UserInfo)
        );
        assert_eq!(
            Target::read("https://a.b/#x").err(),
            Some(Refusal::Fragment)
        );
        assert!(matches!(
            Target::read("https://[::1]/").err(),
            Some(Refusal::Address(_))
        ));
    }

    #[test]
    fn every_spelling_of_an_address_is_one() {
        for address in [
            "10.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.1",
            "1.2.3.0x4",
            "017700000001",
        ] {
            let url = format!("https://{address}/");
            assert!(Target::read(&url).unwrap().is_address(), "{address}");
        }
        for name in ["localhost", "a.b", "1.example", "x0.y1"] {
            let url = format!("https://{name}/");
            assert!(!Target::read(&url).unwrap().is_address(), "{name}");
        }
    }

    #[cfg(feature = "azure")]
    proptest::proptest! {
        #[test]
        fn what_is_read_is_what_the_client_reads(text in "https?://[a-z0-9.:@/?#%\\[\\]\\\\A-Z-]{0,30}") {
            if let Ok(target) = Target::read(&text) {
                let theirs = ::url::Url::parse(&text);
                if let Ok(theirs) = theirs {
                    if !target.is_address() {
                        proptest::prop_assert_eq!(theirs.host_str(), Some(target.host));
                    }
                    proptest::prop_assert_eq!(theirs.port_or_known_default(), Some(target.port));
                    proptest::prop_assert_eq!(theirs.scheme(), target.scheme.as_str());
                }
            }
        }
    }
}
