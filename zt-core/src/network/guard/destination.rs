//! One row of the allow-list, and the way to a host that rows have opened.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;

use super::Refusal;
use super::address::why_not_public;
use super::url::Target;
use crate::metadata::{NetworkMode, NetworkRule, PortRange, PrivateLink};
use crate::network::private_link::testifies;

/// How a host is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// Over TLS.
    Https,
    /// In the clear: the metadata and identity endpoints of the machine alone.
    Http,
}

impl Scheme {
    /// As a URL begins.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
        }
    }

    pub(super) const fn default_port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http => 80,
        }
    }
}

/// One host that may be reached, and where it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    rule: String,
    host: String,
    scheme: Scheme,
    ports: Vec<PortRange>,
    addresses: Addresses,
    /// Through a private endpoint only.
    is_private: bool,
    private_link: PrivateLink,
    private_endpoint: Option<String>,
    built_in: bool,
}

/// Where a host must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Addresses {
    /// At global unicast addresses.
    Public,
    /// Inside these ranges; an empty list is nowhere.
    Within(Vec<IpNet>),
    /// Anywhere: the path is proven by the server's own testimony (mode `ncc`).
    Any,
}

impl Destination {
    /// A host on the public internet, over TLS at port 443. `rule` names the row in refusals; `host` is in lowercase.
    #[must_use]
    pub fn public(rule: &str, host: &str) -> Self {
        Self::new(rule, host, Addresses::Public)
    }

    /// A host all of whose addresses are inside these ranges, over TLS at port 443.
    #[must_use]
    pub fn within(rule: &str, host: &str, ranges: Vec<IpNet>) -> Self {
        Self::new(rule, host, Addresses::Within(ranges))
    }

    fn new(rule: &str, host: &str, addresses: Addresses) -> Self {
        Self {
            rule: rule.to_owned(),
            host: host.to_owned(),
            scheme: Scheme::Https,
            ports: vec![PortRange::HTTPS],
            addresses,
            is_private: false,
            private_link: PrivateLink::Off,
            private_endpoint: None,
            built_in: false,
        }
        .demanding(PrivateLink::Record, None)
    }

    #[cfg(test)]
    pub(super) fn anywhere(rule: &str, host: &str) -> Self {
        Self::new(rule, host, Addresses::Any)
    }

    /// What the vault must say of the path, and the name of the private endpoint where one is expected. Of a host that
    /// does not testify nothing is read: its word would prove nothing.
    #[must_use]
    pub fn demanding(mut self, demand: PrivateLink, endpoint: Option<&str>) -> Self {
        if testifies(&self.host) {
            self.private_link = demand;
            self.private_endpoint = endpoint.map(str::to_owned);
        }
        self
    }

    pub(super) const fn privately(mut self) -> Self {
        self.is_private = true;
        self
    }

    /// At these ports instead of 443.
    #[must_use]
    pub fn at_ports(mut self, ports: Vec<PortRange>) -> Self {
        self.ports = ports;
        self
    }

    pub(super) fn over(mut self, scheme: Scheme, port: PortRange) -> Self {
        self.scheme = scheme;
        self.at_ports(vec![port])
    }

    pub(super) const fn built_in(mut self) -> Self {
        self.built_in = true;
        self
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn rule(&self) -> &str {
        &self.rule
    }

    pub(super) const fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub(super) const fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    pub(super) const fn is_private(&self) -> bool {
        self.is_private || matches!(self.addresses, Addresses::Any)
    }

    pub(super) const fn private_link(&self) -> PrivateLink {
        self.private_link
    }

    pub(super) fn private_endpoint(&self) -> Option<&str> {
        self.private_endpoint.as_deref()
    }

    pub(super) const fn is_built_in(&self) -> bool {
        self.built_in
    }

    pub(super) fn covers(&self, scheme: Scheme, port: u16) -> bool {
        let mut ports = self.ports.iter();
        self.scheme == scheme && ports.any(|range| (range.first..=range.last).contains(&port))
    }

    /// An IPv4 address in the clothes of IPv6 (`::ffff:10.0.0.4`) is judged as what it is.
    pub(super) fn check(&self, address: IpAddr) -> Result<(), Refusal> {
        let plain = address.to_canonical();
        let host = self.host.clone();
        match &self.addresses {
            Addresses::Any => Ok(()),
            Addresses::Within(ranges) => {
                let inside = ranges.iter().any(|range| range.contains(&plain));
                let rule = || self.rule.clone();
                inside.then_some(()).ok_or_else(|| Refusal::OutsideRanges {
                    host,
                    address,
                    rule: rule(),
                })
            }
            Addresses::Public => match why_not_public(plain) {
                None => Ok(()),
                Some(what) => Err(Refusal::NotPublic {
                    host,
                    address,
                    what,
                }),
            },
        }
    }
}

impl From<&NetworkRule> for Destination {
    fn from(rule: &NetworkRule) -> Self {
        let addresses = match rule.mode {
            NetworkMode::PrivateOnly | NetworkMode::AllowCidr => {
                Addresses::Within(rule.cidrs.clone())
            }
            NetworkMode::Ncc => Addresses::Any,
        };
        let name = format!("row `{}` of Network_Rules", rule.id);
        let mut row = Self::new(&name, &rule.host, addresses)
            .demanding(rule.private_link, rule.private_endpoint.as_deref());
        if rule.mode == NetworkMode::PrivateOnly {
            row = row.privately();
        }
        if rule.ports.is_empty() {
            return row;
        }
        row.at_ports(rule.ports.clone())
    }
}

/// The way to a host that one row or more have opened. Rows are permissions: an address is admitted if one of them has it.
/// Two are equal when they admit the same by the same rows, and lead to the same simulator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    host: String,
    scheme: Scheme,
    port: u16,
    rows: Vec<Arc<Destination>>,
    dialled: Option<SocketAddr>,
}

impl Route {
    pub(super) fn new(
        target: &Target<'_>,
        rows: Vec<Arc<Destination>>,
        dialled: Option<SocketAddr>,
    ) -> Self {
        Self {
            host: target.host.to_owned(),
            scheme: target.scheme,
            port: target.port,
            rows,
            dialled,
        }
    }

    pub(super) fn rows(&self) -> &[Arc<Destination>] {
        &self.rows
    }

    /// The host.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The scheme.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Scheme, host and port as a URL begins, the port always written: a URL that the guard reads as this route.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("{}://{}:{}", self.scheme.as_str(), self.host, self.port)
    }

    /// The address that stands in place of a name, for the metadata and identity endpoints of the machine.
    #[must_use]
    pub fn literal(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Where a simulator is, instead of what DNS says ([`Guard::dialling`](super::Guard::dialling)).
    #[must_use]
    pub const fn dialled(&self) -> Option<SocketAddr> {
        self.dialled
    }

    /// Whether the host may be dialled at these addresses: all that DNS gave. One that no row allows refuses them all; a
    /// part of an answer is not picked, because whoever can add an address to it can do worse.
    ///
    /// # Errors
    /// [`Refusal`] for the first address that no row allows, or for none at all.
    pub fn admit(&self, addresses: &[IpAddr]) -> Result<(), Refusal> {
        if addresses.is_empty() {
            let host = self.host.clone();
            return Err(Refusal::NoAddress { host });
        }
        addresses
            .iter()
            .try_for_each(|address| self.check(*address))
    }

    fn check(&self, address: IpAddr) -> Result<(), Refusal> {
        let mut refused = None;
        for row in &self.rows {
            match row.check(address) {
                Ok(()) => return Ok(()),
                Err(refusal) => refused = refused.or(Some(refusal)),
            }
        }
        Err(refused.unwrap_or_else(|| Refusal::UnknownHost(self.host.clone())))
    }

    /// Whether an answer from this address is from where the route leads: an admitted address at the route's port, or the
    /// simulator's.
    #[must_use]
    pub fn is_peer(&self, peer: SocketAddr) -> bool {
        match self.dialled {
            Some(dialled) => peer == dialled,
            None => peer.port() == self.port && self.check(peer.ip()).is_ok(),
        }
    }
}
