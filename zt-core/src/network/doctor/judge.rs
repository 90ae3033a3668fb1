//! From what was seen to the one cause: names first, then addresses, then what the connection says.

use std::net::IpAddr;

use super::WRONG_VAULT_ZONE;
use super::diagnosis::{Cause, Diagnosis};
use super::observed::{Lookup, Observed, Reached};
use crate::metadata::{NetworkMode, NetworkRule, PrivateLink};
use crate::network::private_link::{Service, name_of};
use crate::network::{HttpError, PathKind, PathProof, is_public};

/// Names the cause for a host, by its row of Network_Rules.
#[must_use]
pub fn diagnose(host: &str, rule: Option<&NetworkRule>, seen: &Observed) -> Diagnosis {
    let found = match rule {
        None => Found::broken(
            Cause::NoRow,
            "no row of Network_Rules names it",
            "add a row, or do not connect",
        ),
        Some(rule) => {
            let case = Case { host, rule, seen };
            case.by_name()
                .or_else(|| case.by_address())
                .unwrap_or_else(|| case.by_connection())
        }
    };
    Diagnosis {
        rule: rule.map(|rule| rule.id.clone()),
        host: host.to_owned(),
        cause: found.cause,
        evidence: found.evidence,
        fix: found.fix,
        proof: found.proof.map(PathKind::as_str),
        note: note(found.cause, seen),
    }
}

/// A proxy breaks nothing that zt does, but other tools of the same process go another way than the one that was proven.
fn note(cause: Cause, seen: &Observed) -> Option<String> {
    let told = cause == Cause::Proxy || cause == Cause::NoRow || seen.proxies.is_empty();
    (!told).then(|| {
        let names = seen.proxies.join(", ");
        format!("{names} is set: zt uses no proxy, and tools that do take another path")
    })
}

struct Found {
    cause: Cause,
    evidence: String,
    fix: Option<String>,
    proof: Option<PathKind>,
}

impl Found {
    fn broken(cause: Cause, evidence: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            cause,
            evidence: evidence.into(),
            fix: Some(fix.into()),
            proof: None,
        }
    }

    fn ok(proof: PathKind, evidence: impl Into<String>) -> Self {
        Self {
            cause: Cause::Ok,
            evidence: evidence.into(),
            fix: None,
            proof: Some(proof),
        }
    }
}

struct Case<'a> {
    host: &'a str,
    rule: &'a NetworkRule,
    seen: &'a Observed,
}

impl Case<'_> {
    fn is_private(&self) -> bool {
        self.rule.mode == NetworkMode::PrivateOnly
    }

    /// The zone in which the record should be.
    fn zone(&self) -> &str {
        let own = self.rule.zone.as_deref();
        own.or_else(|| Service::of(self.host).map(|service| service.zone))
            .unwrap_or("the private zone")
    }

    fn is_inside(&self, address: &IpAddr) -> bool {
        let plain = address.to_canonical();
        self.rule.mode == NetworkMode::Ncc
            || self.rule.cidrs.iter().any(|range| range.contains(&plain))
    }

    fn by_name(&self) -> Option<Found> {
        match &self.seen.public_name {
            Lookup::NoSuchName if self.is_private() => Some(self.wrong_zone().unwrap_or_else(|| {
                Found::broken(
                    Cause::NoSuchName,
                    "the name has no address",
                    format!(
                        "correct the host; or add its record to `{}`: a zone that is linked and lacks it hides the public one",
                        self.zone()
                    ),
                )
            })),
            Lookup::NoSuchName => Some(Found::broken(
                Cause::NoSuchName,
                "the name has no address",
                "correct the host, or the DNS server that this machine asks",
            )),
            Lookup::TimedOut => Some(Found::broken(
                Cause::Timeout,
                "no DNS server answered in time",
                "look at the DNS server that this machine asks, and at port 53 on the way to it",
            )),
            Lookup::Found(_) | Lookup::Simulated => None,
        }
    }

    fn by_address(&self) -> Option<Found> {
        let addresses = self.seen.public_name.addresses();
        let outside = addresses.iter().find(|address| !self.is_inside(address))?;
        if !self.is_private() {
            return Some(Found::broken(
                Cause::PublicAnswer,
                format!("it resolves to {outside}, outside of `cidrs`"),
                "add the range to `cidrs` if the address is right, else correct the DNS answer",
            ));
        }
        if let Some(found) = self.wrong_zone() {
            return Some(found);
        }
        let private = self.seen.private_name.as_ref().map(Lookup::addresses);
        let private = private.unwrap_or_default();
        if let Some(known) = private.iter().find(|address| self.is_inside(address)) {
            return Some(Found::broken(
                Cause::PublicAnswer,
                format!(
                    "it resolves to {outside}, and its name in `{}` to {known}",
                    self.zone()
                ),
                "let the public name lead there too: an entry of a hosts file or a forwarder for the private name alone is not enough",
            ));
        }
        if addresses.iter().all(|address| is_public(*address)) {
            return Some(Found::broken(
                Cause::MissingZoneLink,
                format!("it resolves to {outside}, a public address"),
                format!(
                    "link `{}` to this network, with a record for the private endpoint; with a DNS server of your own, forward to Azure's",
                    self.zone()
                ),
            ));
        }
        Some(Found::broken(
            Cause::PublicAnswer,
            format!("it resolves to {outside}, outside of `cidrs`"),
            format!(
                "correct the record in `{}` to the private endpoint's address, or `cidrs` to its subnet",
                self.zone()
            ),
        ))
    }

    fn wrong_zone(&self) -> Option<Found> {
        let found = self.seen.wrong_name.as_ref()?.addresses().first()?;
        Some(Found::broken(
            Cause::WrongZone,
            format!("its record stands in `{WRONG_VAULT_ZONE}` ({found}), a zone that nobody asks"),
            format!("move the record to `{}` and link that zone", self.zone()),
        ))
    }

    fn by_connection(&self) -> Found {
        match &self.seen.reached {
            Reached::NotTried => Found::broken(
                Cause::Timeout,
                "no connection was tried",
                "run the command again",
            ),
            Reached::Connected => Found::ok(self.by_rows_ranges(), "the port answers"),
            Reached::Answered { status, code, path } => {
                self.by_answer(*status, code.as_deref(), path.as_ref())
            }
            Reached::Failed(error) => self.by_failure(error),
        }
    }

    /// What the guard can say without the server's help.
    fn by_rows_ranges(&self) -> PathKind {
        let by_range = !matches!(self.rule.mode, NetworkMode::Ncc);
        match self.seen.public_name {
            Lookup::Simulated => PathKind::Unproven,
            Lookup::Found(_) | Lookup::NoSuchName | Lookup::TimedOut if by_range => {
                PathKind::Address
            }
            Lookup::Found(_) | Lookup::NoSuchName | Lookup::TimedOut => PathKind::Unproven,
        }
    }

    fn by_answer(&self, status: u16, code: Option<&str>, path: Option<&PathProof>) -> Found {
        let proof = path.map_or_else(|| self.by_rows_ranges(), |path| path.kind);
        let must_be_private = self.rule.mode != NetworkMode::AllowCidr
            || self.rule.private_link == PrivateLink::Require;
        let named = path.and_then(|path| path.private_endpoint.as_deref());
        match code {
            Some("ForbiddenByFirewall") => return self.refused_by("ForbiddenByFirewall"),
            Some("ForbiddenByConnection") if must_be_private => return self.not_by_link(),
            Some("ForbiddenByConnection") => return self.refused_by("ForbiddenByConnection"),
            Some(_) | None => {}
        }
        if let (Some(id), Some(own)) = (named, self.rule.private_endpoint.as_deref())
            && proof != PathKind::PrivateLink
        {
            let name = name_of(id).unwrap_or(id);
            return Found::broken(
                Cause::WrongEndpoint,
                format!("the vault was reached through the private endpoint `{name}`"),
                format!(
                    "let `{}` lead to `{own}`, or name `{name}` in the row",
                    self.zone()
                ),
            );
        }
        if proof == PathKind::Public && must_be_private {
            return Found::broken(
                Cause::EndpointPending,
                "the vault says that the request came over its public endpoint",
                self.approve(),
            );
        }
        if self.rule.private_link == PrivateLink::Require && proof != PathKind::PrivateLink {
            return Found::broken(
                Cause::Unproven,
                format!("it answers {status} and says nothing of the path"),
                "look at what stands between here and the vault, or set `private_link` to `record`",
            );
        }
        let through = named
            .and_then(name_of)
            .map(|name| format!(" through `{name}`"));
        Found::ok(
            proof,
            format!("it answers {status}{}", through.unwrap_or_default()),
        )
    }

    fn refused_by(&self, code: &str) -> Found {
        Found::broken(
            Cause::Firewall,
            format!("the vault answers {code}"),
            match self.rule.mode {
                NetworkMode::AllowCidr => {
                    "allow this network's address in the firewall of the vault"
                }
                NetworkMode::PrivateOnly | NetworkMode::Ncc => {
                    "come through the private endpoint, or allow this network in the firewall of the vault"
                }
            },
        )
    }

    fn not_by_link(&self) -> Found {
        Found::broken(
            Cause::MissingZoneLink,
            "the vault answers ForbiddenByConnection: the request came over its public endpoint",
            match self.rule.mode {
                NetworkMode::Ncc => self.approve(),
                NetworkMode::PrivateOnly | NetworkMode::AllowCidr => format!(
                    "link `{}` to this network and let the public name lead there, not the private name alone",
                    self.zone()
                ),
            },
        )
    }

    fn approve(&self) -> String {
        let endpoint = self.rule.private_endpoint.as_deref();
        let endpoint = endpoint.map_or_else(
            || "the private endpoint".to_owned(),
            |name| format!("the private endpoint `{name}`"),
        );
        match self.rule.mode {
            NetworkMode::Ncc => format!(
                "approve {endpoint} of the network connectivity configuration: its rule must be ESTABLISHED, and expires after 14 days without approval"
            ),
            NetworkMode::PrivateOnly | NetworkMode::AllowCidr => format!(
                "approve {endpoint}, and let the network security groups pass this port to it"
            ),
        }
    }

    fn by_failure(&self, error: &HttpError) -> Found {
        let said = error.to_string();
        match error {
            HttpError::Tls { .. } => Found::broken(
                Cause::Tls,
                said,
                "somebody else answers: take the host out of TLS inspection, or correct the record that leads here",
            ),
            // The guard compares the peer before it reads: a long answer came from the right place.
            HttpError::TooLong { .. } => Found::ok(self.by_rows_ranges(), "it answers"),
            HttpError::Resolve { .. } => Found::broken(
                Cause::NoSuchName,
                said,
                "the name resolved a moment ago: look at the DNS servers that this machine asks",
            ),
            HttpError::Refused { .. } | HttpError::Malformed { .. } => Found::broken(
                Cause::PublicAnswer,
                said,
                "the name resolves to different addresses at a time: correct what DNS answers",
            ),
            HttpError::Connect { .. } | HttpError::Timeout { .. } | HttpError::Broken { .. } => {
                self.no_answer(error, said)
            }
        }
    }

    fn no_answer(&self, error: &HttpError, said: String) -> Found {
        if self.is_private() {
            return Found::broken(Cause::EndpointPending, said, self.approve());
        }
        if !self.seen.proxies.is_empty() {
            return Found::broken(
                Cause::Proxy,
                format!("{said}, and {} is set", self.seen.proxies.join(", ")),
                "zt uses no proxy: open the direct way to this host, through a private endpoint or the firewall",
            );
        }
        match error {
            HttpError::Timeout { .. } => Found::broken(
                Cause::Timeout,
                said,
                "look at routes and firewalls between here and the host, which drop what they do not pass",
            ),
            HttpError::Refused { .. }
            | HttpError::Resolve { .. }
            | HttpError::Connect { .. }
            | HttpError::Tls { .. }
            | HttpError::TooLong { .. }
            | HttpError::Broken { .. }
            | HttpError::Malformed { .. } => Found::broken(
                Cause::Firewall,
                said,
                "look at the firewall between here and the host, and whether it listens at this port",
            ),
        }
    }
}
