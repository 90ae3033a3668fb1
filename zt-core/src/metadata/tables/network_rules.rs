//! `Network_Rules`: every destination needs a row; no row means no connection.

use std::fmt;
use std::str::FromStr;

use ipnet::IpNet;

use super::words::words;
use crate::metadata::reader::{Row, RowReader};
use crate::metadata::{Cell, Column};
use crate::network::private_link::{self, Service};

/// One destination.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NetworkRule {
    /// The row's id.
    pub id: String,
    /// The host, lowercase.
    pub host: String,
    /// How the path must be.
    pub mode: NetworkMode,
    /// The private DNS zone.
    pub zone: Option<String>,
    /// The sub-resource of the private endpoint.
    pub group_id: Option<String>,
    /// The ranges that every address of the host must be in.
    pub cidrs: Vec<IpNet>,
    /// The private endpoint's name.
    pub private_endpoint: Option<String>,
    /// What counts as proof of the path.
    pub private_link: PrivateLink,
    /// The ports; empty means 443.
    pub ports: Vec<PortRange>,
    /// The integration runtime that alone reaches the host.
    pub runtime: Option<String>,
}

/// How a destination may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetworkMode {
    /// Through a private endpoint only.
    PrivateOnly,
    /// Any path whose addresses are in the row's ranges.
    AllowCidr,
    /// From serverless compute through a network connectivity configuration.
    Ncc,
}

/// Whether a vault's word on the path counts: `x-ms-keyvault-network-info` in each of its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PrivateLink {
    /// It is not read.
    Off,
    /// It is read and recorded.
    Record,
    /// Without it no answer is taken, and no token is sent.
    Require,
}

/// Ports from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PortRange {
    /// The first port.
    pub first: u16,
    /// The last port.
    pub last: u16,
}

/// The text is not a port or a range of ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a port from 1 to 65535, or a range such as 11000-11999")]
#[non_exhaustive]
pub struct NotPorts;

impl PortRange {
    /// Port 443 alone.
    pub const HTTPS: Self = Self {
        first: 443,
        last: 443,
    };
}

impl FromStr for PortRange {
    type Err = NotPorts;

    fn from_str(text: &str) -> Result<Self, NotPorts> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let port = |text: &str| text.parse().ok().filter(|port| *port > 0).ok_or(NotPorts);
        let (first, last) = (port(first)?, port(last)?);
        if first > last {
            return Err(NotPorts);
        }
        Ok(Self { first, last })
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            return write!(f, "{}", self.first);
        }
        write!(f, "{}-{}", self.first, self.last)
    }
}

words!(NetworkMode {
    PrivateOnly = "private_only",
    AllowCidr = "allow_cidr",
    Ncc = "ncc",
});

words!(PrivateLink {
    Off = "off",
    Record = "record",
    Require = "require",
});

impl Row for NetworkRule {
    const TABLE: &'static str = "Network_Rules";
    const KEY: &'static [&'static str] = &["id"];
    const COLUMNS: &'static [Column] = &[
        Column::text("id"),
        Column::text("host"),
        Column::text("mode"),
        Column::text("zone"),
        Column::text("group_id"),
        Column::texts("cidrs"),
        Column::text("private_endpoint"),
        Column::text("private_link"),
        Column::mixed("ports"),
        Column::text("runtime"),
    ];

    fn read(cells: &mut RowReader<'_>) -> Option<Self> {
        let id = cells.required_text("id");
        let host = cells
            .required_text("host")
            .and_then(|host| check_host(cells, "host", host));
        let mode = cells.required_one_of("mode", NetworkMode::WORDS);
        let zone = cells
            .optional_text("zone")
            .and_then(|zone| check_zone(cells, host.as_deref(), zone));
        let group_id = cells
            .optional_text("group_id")
            .and_then(|group_id| check_group_id(cells, host.as_deref(), group_id));
        let private_link = read_private_link(cells, host.as_deref(), mode);
        let cidrs: Vec<IpNet> = cells.parse_list("cidrs").unwrap_or_default();
        if cells.cell("cidrs").is_none() && mode != Some(NetworkMode::Ncc) {
            cells.problem(
                "cidrs",
                "",
                "name the ranges that the host's addresses must be in",
            );
        }
        Some(Self {
            id: id?,
            host: host?,
            mode: mode?,
            zone,
            group_id,
            cidrs,
            private_endpoint: cells.optional_text("private_endpoint"),
            // A wrong word is reported; a row that were left out beside it would be missed by every row that names it.
            private_link: private_link.unwrap_or(PrivateLink::Record),
            ports: read_ports(cells),
            runtime: cells.optional_text("runtime"),
        })
    }
}

/// A DNS name of letters, digits and hyphens (RFC 1123 §2.1), lowercase, without a trailing dot; never an address.
pub(super) fn check_host(cells: &mut RowReader<'_>, column: &str, host: String) -> Option<String> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    if host.len() > 253 || is_address || !host.contains('.') || !host.split('.').all(label) {
        cells.problem(
            column,
            &host,
            "expected a host name in lowercase, not an address or a URL",
        );
        return None;
    }
    Some(host)
}

/// A service that is known has one zone. Of any other is known that its zone is the public name's suffix behind
/// `privatelink.` (Microsoft Learn, "Azure Private Endpoint private DNS zone values"), so a zone that shares no suffix with
/// its host can never resolve it.
fn check_zone(cells: &mut RowReader<'_>, host: Option<&str>, zone: String) -> Option<String> {
    if let Some(service) = host.and_then(Service::of) {
        if zone == service.zone {
            return Some(zone);
        }
        let reason = format!("the zone of {} is `{}`", service.name, service.zone);
        cells.problem("zone", &zone, reason);
        return None;
    }
    if !zone.starts_with("privatelink.") {
        cells.problem(
            "zone",
            &zone,
            "a private DNS zone begins with `privatelink.`",
        );
        return None;
    }
    let top = |name: &str| name.rsplit('.').take(2).collect::<Vec<_>>().join(".");
    if host.is_some_and(|host| top(host) != top(&zone)) {
        cells.problem(
            "zone",
            &zone,
            "the zone belongs to another service than the host",
        );
        return None;
    }
    Some(zone)
}

fn check_group_id(
    cells: &mut RowReader<'_>,
    host: Option<&str>,
    group_id: String,
) -> Option<String> {
    match host.and_then(Service::of) {
        Some(service) if !service.takes(&group_id) => {
            let known = service.group_ids.join("`, `");
            let reason = format!("the sub-resources of {} are `{known}`", service.name);
            cells.problem("group_id", &group_id, reason);
            None
        }
        Some(_) | None => Some(group_id),
    }
}

/// Serverless compute has no subnet of ours: there the vault's word is the only proof.
fn read_private_link(
    cells: &mut RowReader<'_>,
    host: Option<&str>,
    mode: Option<NetworkMode>,
) -> Option<PrivateLink> {
    let only_proof = mode == Some(NetworkMode::Ncc) && host.is_some_and(private_link::is_key_vault);
    let Some(_) = cells.cell("private_link") else {
        return Some(if only_proof {
            PrivateLink::Require
        } else {
            PrivateLink::Record
        });
    };
    let said = cells.one_of("private_link", PrivateLink::WORDS)?;
    let nobody = host.is_some_and(|host| !private_link::testifies(host));
    let reason = match said {
        PrivateLink::Require if nobody => {
            "only a Key Vault or a Managed HSM says on which path a request came in"
        }
        PrivateLink::Off if only_proof => {
            "from serverless compute the vault's word is the only proof of the path"
        }
        PrivateLink::Off | PrivateLink::Record | PrivateLink::Require => return Some(said),
    };
    cells.problem("private_link", said.as_str(), reason);
    None
}

fn read_ports(cells: &mut RowReader<'_>) -> Vec<PortRange> {
    let entries = match cells.cell("ports") {
        None => return Vec::new(),
        Some(Cell::List(entries)) => entries.as_slice(),
        Some(single) => std::slice::from_ref(single),
    };
    let mut ports = Vec::with_capacity(entries.len());
    for entry in entries {
        let text = entry.to_string();
        match text.parse() {
            Ok(range) => ports.push(range),
            Err(NotPorts) => cells.problem("ports", &text, NotPorts.to_string()),
        }
    }
    ports
}
