//! Why the guard says no.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::url::Target;
use super::{Destination, Scheme};
use crate::network::HttpError;

/// Which rule refused a connection, and what would allow it. No text holds a path or a query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Not a URL that every reader understands alike.
    #[error("not a URL that zt sends to: {0}; write `https://host/path`")]
    NotAUrl(&'static str),
    /// `https://user:password@host/`.
    #[error("a URL with a user in front of its host is refused; remove what stands before `@`")]
    UserInfo,
    /// `…#fragment`, which is never sent.
    #[error("a URL with a fragment is refused; remove what stands behind `#`")]
    Fragment,
    /// An address where a name must be.
    #[error("`{0}` is an address; name the host, and give it a row of Network_Rules")]
    Address(String),
    /// No row.
    #[error("no row of Network_Rules names `{0}`; add one, or do not connect")]
    UnknownHost(String),
    /// The host has rows, and none for this scheme.
    #[error("`{host}` may not be reached over {}; use {}", .scheme.as_str(), .allowed.as_str())]
    Scheme {
        /// The host.
        host: String,
        /// What was asked for.
        scheme: Scheme,
        /// What a row allows.
        allowed: Scheme,
    },
    /// The host has rows, and none for this port.
    #[error("{rule} does not open port {port} of `{host}`; add the port to the row")]
    Port {
        /// The host.
        host: String,
        /// What was asked for.
        port: u16,
        /// The first row of the host.
        rule: String,
    },
    /// DNS gave no address: there is nothing to admit.
    #[error("`{host}` has no address")]
    NoAddress {
        /// The host.
        host: String,
    },
    /// A public host at an address that is not public: a DNS answer from inside, or a private endpoint that no row expects.
    #[error(
        "`{host}` is expected at public addresses and resolves to {address}, {what}; a row of Network_Rules with this address in `cidrs` would allow it"
    )]
    NotPublic {
        /// The host.
        host: String,
        /// The first address that is not allowed.
        address: IpAddr,
        /// What kind of address it is.
        what: &'static str,
    },
    /// An address outside the row's ranges.
    #[error(
        "`{host}` resolves to {address}, outside the ranges of {rule}; let private DNS answer, or add the range to `cidrs`"
    )]
    OutsideRanges {
        /// The host.
        host: String,
        /// The first address that is not allowed.
        address: IpAddr,
        /// The row.
        rule: String,
    },
    /// The answer came from an address that was not admitted.
    #[error("`{host}` answered from {peer}, which was not admitted")]
    Peer {
        /// The host.
        host: String,
        /// Who answered.
        peer: SocketAddr,
    },
    /// The vault says nothing of the path, or nothing that can be read.
    #[error(
        "{rule} requires that `{host}` testifies to Private Link, and its answer does not; look at what stands between, or set `private_link` to `record`"
    )]
    NoTestimony {
        /// The host.
        host: String,
        /// The row.
        rule: String,
    },
    /// The vault says that we came over the internet.
    #[error(
        "{rule} requires Private Link, and `{host}` says that the request came over its public endpoint; approve the private endpoint and let private DNS answer"
    )]
    PublicPath {
        /// The host.
        host: String,
        /// The row.
        rule: String,
    },
    /// The vault names another private endpoint than the row.
    #[error(
        "{rule} names the private endpoint `{expected}`, and `{host}` was reached through `{named}`; correct the row, or the record in the private zone"
    )]
    OtherEndpoint {
        /// The host.
        host: String,
        /// The row.
        rule: String,
        /// The row's endpoint.
        expected: String,
        /// The one that the vault names.
        named: String,
    },
    /// `IDENTITY_ENDPOINT` names something that is not this machine.
    #[error(
        "IDENTITY_ENDPOINT names `{0}`, which is not `localhost`, a loopback or a link-local address; App Service sets it, nobody else should"
    )]
    NotThisMachine(String),
}

impl Refusal {
    /// The host that may not be reached; `None` if the URL has none that can be named.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::NotAUrl(_) | Self::UserInfo | Self::Fragment => None,
            Self::Address(host)
            | Self::UnknownHost(host)
            | Self::NotThisMachine(host)
            | Self::Scheme { host, .. }
            | Self::Port { host, .. }
            | Self::NoAddress { host }
            | Self::NotPublic { host, .. }
            | Self::OutsideRanges { host, .. }
            | Self::NoTestimony { host, .. }
            | Self::PublicPath { host, .. }
            | Self::OtherEndpoint { host, .. }
            | Self::Peer { host, .. } => Some(host),
        }
    }
}

impl From<Refusal> for HttpError {
    fn from(refusal: Refusal) -> Self {
        let reason = refusal.to_string();
        match refusal.host() {
            Some(host) => Self::Refused {
                host: host.to_owned(),
                reason,
            },
            None => Self::Malformed { reason },
        }
    }
}

/// Why no row of a host covers the target.
pub(super) fn of_port(target: &Target<'_>, rows: &[Arc<Destination>]) -> Refusal {
    let host = target.host.to_owned();
    let allowed = rows.iter().map(|row| row.scheme());
    let other = allowed.clone().find(|scheme| *scheme != target.scheme);
    match other {
        Some(allowed_scheme) if !allowed.clone().any(|scheme| scheme == target.scheme) => {
            Refusal::Scheme {
                host,
                scheme: target.scheme,
                allowed: allowed_scheme,
            }
        }
        Some(_) | None => Refusal::Port {
            host,
            port: target.port,
            rule: rows
                .first()
                .map(|row| row.rule().to_owned())
                .unwrap_or_default(),
        },
    }
}
