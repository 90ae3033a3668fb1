//! What a probe saw.

use std::net::IpAddr;

use crate::network::{HttpError, PathProof};

/// What was observed of one host.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Observed {
    /// The public name, which is the one that is dialled.
    pub public_name: Lookup,
    /// The name in the private zone, where the zone is known.
    pub private_name: Option<Lookup>,
    /// Of a vault: the name in the zone [`WRONG_VAULT_ZONE`](super::WRONG_VAULT_ZONE).
    pub wrong_name: Option<Lookup>,
    /// The proxy variables that are set, by name.
    pub proxies: Vec<String>,
    /// What came of a request without a token.
    pub reached: Reached,
}

impl Observed {
    /// Of a host of which nothing but its addresses was looked at.
    #[must_use]
    pub const fn new(public_name: Lookup) -> Self {
        Self {
            public_name,
            private_name: None,
            wrong_name: None,
            proxies: Vec::new(),
            reached: Reached::NotTried,
        }
    }
}

/// An answer of name resolution.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lookup {
    /// These addresses, at least one.
    Found(Vec<IpAddr>),
    /// No such name, or nobody who knows.
    NoSuchName,
    /// No answer in time.
    TimedOut,
    /// Nobody was asked: a simulator stands in for the host.
    Simulated,
}

impl Lookup {
    /// The addresses; none where there was no answer.
    #[must_use]
    pub fn addresses(&self) -> &[IpAddr] {
        match self {
            Self::Found(addresses) => addresses,
            Self::NoSuchName | Self::TimedOut | Self::Simulated => &[],
        }
    }
}

/// What came of the request.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Reached {
    /// None was sent: the addresses are not where the row says.
    NotTried,
    /// A connection and nothing more: the row's ports speak no HTTPS.
    Connected,
    /// An answer.
    Answered {
        /// The status.
        status: u16,
        /// The service's own word for a refusal, such as `ForbiddenByFirewall`.
        code: Option<String>,
        /// How its path was proven.
        path: Option<PathProof>,
    },
    /// No answer.
    Failed(HttpError),
}
