//! How the ways to the vaults are: what the tables declare, and what was seen last. No connection is made for it.
//!
//! In: the rows of Secret_References and Network_Rules, and what the clients saw. Out: one value for each vault's host.

use std::collections::BTreeSet;
use std::time::Instant;

use serde::Serialize;

use crate::metadata::{NetworkRule, Snapshot};
use crate::network::LiveGuard;
use crate::network::seen::{LookUp, Path};
use crate::secrets::VaultUrl;

/// The way to one vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HostStatus {
    /// The vault's host.
    pub host: String,
    /// `key_vault`, or `local` where the local vault answers for it and nothing is dialled.
    pub store: &'static str,
    /// What the rows of Network_Rules declare; empty where no row names it, which then is not dialled.
    pub declared: Vec<DeclaredPath>,
    /// What name resolution said last; null before, and of simulators, which are not looked up.
    pub resolved: Option<Resolved>,
    /// How the path of the last answer was proven; null before.
    pub path: Option<LastPath>,
}

/// A row of Network_Rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DeclaredPath {
    /// The row.
    pub rule: String,
    /// `private_only`, `allow_cidr` or `ncc`.
    pub mode: &'static str,
    /// `off`, `record` or `require`: whether the vault's own word counts.
    pub private_link: &'static str,
    /// The ranges that every address must be in.
    pub cidrs: Vec<String>,
    /// The private endpoint.
    pub private_endpoint: Option<String>,
}

/// What name resolution said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Resolved {
    /// The addresses.
    pub addresses: Vec<String>,
    /// Why none of them was dialled, if so.
    pub error: Option<String>,
    /// How many seconds ago.
    pub age_s: u64,
}

/// The path of the last answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LastPath {
    /// `private_link`, `address`, `public`, `unproven`, or `refused` where the answer was not taken.
    pub proof: &'static str,
    /// Who answered.
    pub peer: String,
    /// The private endpoint that the vault named.
    pub private_endpoint: Option<String>,
    /// Why it was refused.
    pub error: Option<String>,
    /// How many seconds ago.
    pub age_s: u64,
}

/// The ways to all vaults of the tables, by host.
pub(super) fn hosts(snapshot: &Snapshot, guard: &LiveGuard, is_key_vault: bool) -> Vec<HostStatus> {
    let tables = snapshot.tables();
    let rows = tables.secret_references.iter();
    let vaults = rows.flat_map(|row| std::iter::once(&row.vault).chain(&row.fallback_vault));
    let hosts: BTreeSet<&str> = vaults.map(VaultUrl::host).collect();
    let now = Instant::now();
    let hosts = hosts.into_iter().map(|host| {
        let seen = guard.seen().of(host);
        let rules = tables.network_rules.iter().filter(|rule| rule.host == host);
        HostStatus {
            host: host.to_owned(),
            store: if is_key_vault { "key_vault" } else { "local" },
            declared: rules.map(declared).collect(),
            resolved: seen.look_up.map(|look_up| resolved(look_up, now)),
            path: seen.path.map(|path| last(path, now)),
        }
    });
    hosts.collect()
}

fn declared(rule: &NetworkRule) -> DeclaredPath {
    DeclaredPath {
        rule: rule.id.clone(),
        mode: rule.mode.as_str(),
        private_link: rule.private_link.as_str(),
        cidrs: rule.cidrs.iter().map(ToString::to_string).collect(),
        private_endpoint: rule.private_endpoint.clone(),
    }
}

fn resolved(look_up: LookUp, now: Instant) -> Resolved {
    Resolved {
        addresses: look_up.addresses.iter().map(ToString::to_string).collect(),
        error: look_up.error,
        age_s: age(look_up.at, now),
    }
}

fn last(path: Path, now: Instant) -> LastPath {
    let (peer, age_s) = (path.peer.to_string(), age(path.at, now));
    match path.proof {
        Ok(proof) => LastPath {
            proof: proof.kind.as_str(),
            peer,
            private_endpoint: proof.private_endpoint,
            error: None,
            age_s,
        },
        Err(why) => LastPath {
            proof: "refused",
            peer,
            private_endpoint: None,
            error: Some(why),
            age_s,
        },
    }
}

fn age(at: Instant, now: Instant) -> u64 {
    now.saturating_duration_since(at).as_secs()
}
