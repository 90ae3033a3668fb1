//! What the doctor says.

use std::fmt;

use serde::Serialize;

/// Why a path is broken, or that it is not. The words are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The path works.
    Ok,
    /// No row of Network_Rules names the host.
    NoRow,
    /// The name has no address.
    NoSuchName,
    /// Nobody answered in time.
    Timeout,
    /// The private zone is not linked, or has no record: the public address answers.
    MissingZoneLink,
    /// The record is in a zone that nobody asks.
    WrongZone,
    /// The name resolves outside of the row's ranges.
    PublicAnswer,
    /// The way out is a proxy, and zt uses none.
    Proxy,
    /// A firewall on the way, or that of the service.
    Firewall,
    /// The private endpoint is not approved, or not reachable.
    EndpointPending,
    /// Another private endpoint than the row's.
    WrongEndpoint,
    /// Something else than the host answers the handshake.
    Tls,
    /// The row requires the vault's word, and it says nothing.
    Unproven,
}

impl Cause {
    /// The stable word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NoRow => "no_row",
            Self::NoSuchName => "no_such_name",
            Self::Timeout => "timeout",
            Self::MissingZoneLink => "missing_zone_link",
            Self::WrongZone => "wrong_zone",
            Self::PublicAnswer => "public_answer",
            Self::Proxy => "proxy",
            Self::Firewall => "firewall",
            Self::EndpointPending => "endpoint_pending",
            Self::WrongEndpoint => "wrong_endpoint",
            Self::Tls => "tls",
            Self::Unproven => "unproven",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Cause {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

/// What is wrong with the path to one host, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Diagnosis {
    /// The row's id; `null` where no row names the host.
    pub rule: Option<String>,
    /// The host.
    pub host: String,
    /// The cause.
    pub cause: Cause,
    /// What was seen.
    pub evidence: String,
    /// What to do; `null` where nothing is broken.
    pub fix: Option<String>,
    /// How the path was proven, where it works.
    pub proof: Option<&'static str>,
    /// What is not broken and may surprise.
    pub note: Option<String>,
}

impl Diagnosis {
    /// Whether the path works.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.cause == Cause::Ok
    }
}
