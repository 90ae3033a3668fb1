//! What a vault says about the way by which a request came to it.
//!
//! Key Vault writes it into every answer, also into the challenge that comes before any token:
//! `conn_type=PrivateLink;private_endpoint=/subscriptions/…/privateEndpoints/pe-1;addr=10.10.1.5;act_addr_fam=InterNetwork;`
//! on the private path, `conn_type=Ipv4;addr=72.68.182.20;act_addr_fam=InterNetwork;` on the public one. Seen in recorded
//! answers of the service; no page of the vendor promises it. So it is read strictly: what is not of this form says nothing.

use std::net::IpAddr;

/// The header's name.
pub const TESTIMONY: &str = "x-ms-keyvault-network-info";

/// What a vault says of a path, read whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Testimony {
    private_endpoint: Option<String>,
    address: Option<IpAddr>,
}

impl Testimony {
    /// Reads the header's value. `None` for what is too long, holds a name twice, lacks `conn_type`, names an address that
    /// is none, or contradicts itself: a private link without its endpoint, an endpoint without a private link.
    #[must_use]
    pub fn read(header: &str) -> Option<Self> {
        let visible = header.bytes().all(|byte| byte.is_ascii_graphic());
        if header.len() > MOST_BYTES || !visible {
            return None;
        }
        let (mut kind, mut endpoint, mut address) = (None, None, None);
        let mut seen: Vec<&str> = Vec::new();
        let fields = header.strip_suffix(';').unwrap_or(header).split(';');
        for field in fields {
            let (name, value) = field.split_once('=')?;
            if !is_name(name) || value.is_empty() || seen.contains(&name) {
                return None;
            }
            seen.push(name);
            if seen.len() > MOST_FIELDS {
                return None;
            }
            match name {
                "conn_type" => kind = Some(value).filter(|kind| is_word(kind)),
                "private_endpoint" => endpoint = Some(value),
                "addr" => address = Some(value.parse().ok()?),
                _ => {}
            }
        }
        let private_endpoint = match (kind? == PRIVATE_LINK, endpoint) {
            (true, Some(id)) => Some(id)
                .filter(|id| name_of(id).is_some())?
                .to_owned()
                .into(),
            (false, None) => None,
            (true, None) | (false, Some(_)) => return None,
        };
        Some(Self {
            private_endpoint,
            address,
        })
    }

    /// The resource id of the private endpoint that we came through; `None` on every other path.
    #[must_use]
    pub fn private_endpoint(&self) -> Option<&str> {
        self.private_endpoint.as_deref()
    }

    /// Whether we came through a private endpoint.
    #[must_use]
    pub const fn is_private_link(&self) -> bool {
        self.private_endpoint.is_some()
    }

    /// Whether we came through the private endpoint of this name. Names of Azure ignore case.
    #[must_use]
    pub fn is_through(&self, endpoint: &str) -> bool {
        let own = self.private_endpoint().and_then(name_of);
        own.is_some_and(|own| own.eq_ignore_ascii_case(endpoint))
    }

    /// The address from which the vault sees us.
    #[must_use]
    pub const fn address(&self) -> Option<IpAddr> {
        self.address
    }
}

/// The endpoint's name: what stands behind the last `/privateEndpoints/` of a resource id (Microsoft Learn, "Azure
/// resource identifiers": `/subscriptions/{id}/resourceGroups/{group}/providers/{namespace}/{type}/{name}`).
pub(crate) fn name_of(id: &str) -> Option<&str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._()".contains(&byte);
    let mut segments = id.strip_prefix('/')?.split('/');
    let is_id = segments
        .clone()
        .all(|segment| !segment.is_empty() && segment.bytes().all(plain));
    let begins = segments.next()?.eq_ignore_ascii_case("subscriptions");
    let (name, kind) = (segments.next_back()?, segments.next_back()?);
    let found = is_id && begins && kind.eq_ignore_ascii_case("privateEndpoints");
    found.then_some(name)
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    (1..=32).contains(&name.len()) && name.bytes().all(plain)
}

fn is_word(word: &str) -> bool {
    word.len() <= 32 && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The one kind of connection that goes through a private endpoint.
const PRIVATE_LINK: &str = "PrivateLink";

/// A resource id has some 250 bytes.
const MOST_BYTES: usize = 1024;

const MOST_FIELDS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg-net/providers/Microsoft.Network/privateEndpoints/pe-kv";

    #[test]
    fn the_private_path_names_its_endpoint() {
        let text = format!(
            "conn_type=PrivateLink;private_endpoint={ID};addr=10.10.1.5;act_addr_fam=InterNetworkV6;"
        );
        for text in [text.as_str(), text.trim_end_matches(';')] {
            let said = Testimony::read(text).unwrap();
            assert!(said.is_private_link());
            assert_eq!(said.private_endpoint(), Some(ID));
            assert_eq!(said.address(), "10.10.1.5".parse().ok());
            assert!(said.is_through("PE-KV") && said.is_through("pe-kv"));
            for other in ["", "kv", "pe-kv2", "rg-net", "privateEndpoints/pe-kv"] {
                assert!(!said.is_through(other), "{other}");
            }
        }
    }

    #[test]
    fn the_public_path_names_none() {
        for text in [
            "conn_type=Ipv4;addr=72.68.182.20;act_addr_fam=InterNetwork;",
            "conn_type=Ipv6;addr=2603:1030::1",
            "conn_type=Ipv4",
            "addr=1.2.3.4;conn_type=Ipv4;new_field=something",
        ] {
            let said = Testimony::read(text).unwrap();
            assert!(
                !said.is_private_link() && !said.is_through("pe-kv"),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_not_of_the_form_says_nothing() {
        let cases = [
            String::new(),
            ";".to_owned(),
            "PrivateLink".to_owned(),
            "conn_type".to_owned(),
            "conn_type=".to_owned(),
            "conn_type=Private Link".to_owned(),
            "conn_type=Ipv4;;".to_owned(),
            "conn_type=Ipv4;conn_type=PrivateLink".to_owned(),
            "addr=10.1.1.1".to_owned(),
            "conn_type=Ipv4;addr=10.1.1".to_owned(),
            "conn_type=Ipv4;Addr=10.1.1.1".to_owned(),
            "conn_type=PrivateLink".to_owned(),
            "conn_type=PrivateLink;addr=10.1.1.1".to_owned(),
            format!("conn_type=Ipv4;private_endpoint={ID}"),
            format!("conn_type=privatelink;private_endpoint={ID}"),
            format!("conn_type=PrivateLink;private_endpoint={ID}/"),
            format!("conn_type=PrivateLink;private_endpoint={ID}/more"),
            format!("conn_type=PrivateLink;private_endpoint={ID};private_endpoint={ID}"),
            format!("conn_type=PrivateLink;private_endpoint=x{ID}"),
            "conn_type=PrivateLink;private_endpoint=pe-kv".to_owned(),
            "conn_type=PrivateLink;private_endpoint=/privateEndpoints/pe-kv".to_owned(),
            "conn_type=PrivateLink;private_endpoint=/subscriptions/privateEndpoints".to_owned(),
            "conn_type=PrivateLink;private_endpoint=/subscriptions//privateEndpoints/a".to_owned(),
            format!("conn_type=PrivateLink;private_endpoint={ID};x=ä"),
            format!("conn_type=PrivateLink;private_endpoint={ID}\r\nx: y"),
            format!("conn_type=Ipv4;pad={}", "x".repeat(1024)),
            format!(
                "conn_type=Ipv4{}",
                (b'a'..=b'p').fold(String::new(), |all, name| all
                    + ";"
                    + &char::from(name).to_string()
                    + "=1")
            ),
        ];
        for text in cases {
            assert_eq!(Testimony::read(&text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_a_private_link_has_a_name(text in "\\PC{0,80}|((conn_type|private_endpoint|addr|x)=(PrivateLink|Ipv4|10.0.0.1|/subscriptions/s/privateEndpoints/p|/|)[;=]?){0,6}") {
            if let Some(said) = Testimony::read(&text) {
                let said_so = text.split(';').any(|field| field == "conn_type=PrivateLink");
                prop_assert_eq!(said.is_private_link(), said_so);
                if let Some(id) = said.private_endpoint() {
                    prop_assert!(said.is_through(name_of(id).unwrap()));
                }
            }
        }

        #[test]
        fn every_endpoint_is_known_by_its_own_name_alone(name in "[A-Za-z0-9][A-Za-z0-9._-]{0,40}", other in "[A-Za-z0-9][A-Za-z0-9._-]{0,40}") {
            let text = format!("conn_type=PrivateLink;private_endpoint=/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/privateEndpoints/{name};");
            let said = Testimony::read(&text).unwrap();
            prop_assert!(said.is_through(&name.to_uppercase()));
            prop_assert_eq!(said.is_through(&other), name.eq_ignore_ascii_case(&other));
        }
    }
}
