//! The hosts that a stage connects to, and why each.
//!
//! In: a stage's row with the rows that it refers to. Out: the union of its `hosts`, the vaults of its secrets, the host in
//! its output's location, and the vault of the key wherever it seals or opens.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::json::texts;
use crate::id::SecretRef;
use crate::metadata::{
    NetworkMode, NetworkRule, OutputFormat, OutputStorage, PortRange, Snapshot, Stage,
};

/// A host that a stage connects to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Endpoint {
    /// The host.
    pub host: String,
    /// How it is reached; none when no row of Network_Rules is about it.
    pub route: Option<Route>,
    /// Everything of the stage that needs it.
    #[serde(serialize_with = "texts")]
    pub because: Vec<Because>,
}

/// How a host is reached: what its row of Network_Rules says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Route {
    /// The row's id.
    pub rule: String,
    /// How the path must be.
    pub mode: NetworkMode,
    /// The private DNS zone.
    pub zone: Option<String>,
    /// The sub-resource of the private endpoint.
    pub group_id: Option<String>,
    /// The private endpoint's name.
    pub private_endpoint: Option<String>,
    /// The ports; never empty.
    #[serde(serialize_with = "texts")]
    pub ports: Vec<PortRange>,
}

/// Why a stage connects to a host. Prints as `hosts`, `secret bureau-api-key`, `output loan_scores_delta`,
/// `key scores-kek`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Because {
    /// The stage names it among its `hosts`.
    Hosts,
    /// The vault of this secret.
    Secret(SecretRef),
    /// The location of this output.
    Output(String),
    /// The vault of the key under which the stage seals or opens.
    Key(SecretRef),
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hosts => f.write_str("hosts"),
            Self::Secret(secret) => write!(f, "secret {secret}"),
            Self::Output(output) => write!(f, "output {output}"),
            Self::Key(key) => write!(f, "key {key}"),
        }
    }
}

impl Route {
    fn of(rule: &NetworkRule) -> Self {
        let ports = if rule.ports.is_empty() {
            vec![PortRange::HTTPS]
        } else {
            rule.ports.clone()
        };
        Self {
            rule: rule.id.clone(),
            mode: rule.mode,
            zone: rule.zone.clone(),
            group_id: rule.group_id.clone(),
            private_endpoint: rule.private_endpoint.clone(),
            ports,
        }
    }
}

/// The endpoints of a stage that reads `secrets`, writes `output` and seals or opens under `keys`.
pub(super) fn endpoints(
    snapshot: &Snapshot,
    stage: &Stage,
    secrets: &[&SecretRef],
    output: Option<&OutputStorage>,
    keys: &[&SecretRef],
) -> Vec<Endpoint> {
    let mut hosts: BTreeMap<String, Vec<Because>> = BTreeMap::new();
    let mut add = |host: &str, because: Because| {
        let all = hosts.entry(host.to_owned()).or_default();
        if !all.contains(&because) {
            all.push(because);
        }
    };
    let vault = |reference: &SecretRef| Some(snapshot.secret_reference(reference)?.vault.host());
    for host in &stage.hosts {
        add(host, Because::Hosts);
    }
    for secret in secrets {
        if let Some(host) = vault(secret) {
            add(host, Because::Secret((*secret).clone()));
        }
    }
    if let Some(output) = output
        && let Some(host) = host_of(&output.location, output.format)
    {
        add(&host, Because::Output(output.name.clone()));
    }
    for key in keys {
        if let Some(host) = vault(key) {
            add(host, Because::Key((*key).clone()));
        }
    }
    let rules = &snapshot.tables().network_rules;
    let route = |host: &str| rules.iter().find(|rule| rule.host == host).map(Route::of);
    hosts
        .into_iter()
        .map(|(host, because)| Endpoint {
            route: route(&host),
            host,
            because,
        })
        .collect()
}

/// The host of a location, in lowercase: of `abfss://container@host/path`, `https://host/path`, `host/path`, and for
/// Azure SQL of a bare `host`. A path that begins with `/` or `.`, or whose first part has no dot, has none.
fn host_of(location: &str, format: OutputFormat) -> Option<String> {
    let Some((scheme, rest)) = location.split_once("://") else {
        let (first, has_path) = location
            .split_once('/')
            .map_or((location, false), |(first, _)| (first, true));
        let first = name_of(first);
        let is_host = first.contains('.')
            && first
                .chars()
                .all(|c| c.is_alphanumeric() || c == '-' || c == '.')
            && first.split('.').all(|label| !label.is_empty());
        return (is_host && (has_path || format == OutputFormat::AzureSql)).then_some(first);
    };
    // Paths of the machine itself and of Databricks' own file system.
    if ["file", "dbfs"]
        .iter()
        .any(|local| scheme.eq_ignore_ascii_case(local))
    {
        return None;
    }
    let authority = rest
        .split(['/', '?', '#', ';', '\\'])
        .next()
        .unwrap_or(rest);
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let host = name_of(host);
    (!host.is_empty()).then_some(host)
}

/// A host as Network_Rules writes it: without the port, which SQL Server sets off by a comma, and without the dot of the
/// root.
fn name_of(host: &str) -> String {
    let name = match host.rsplit_once([':', ',']) {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    name.strip_suffix('.').unwrap_or(name).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_location_is_found_in_every_form_that_has_one() {
        let lake = "stbrindlewicklake.dfs.core.windows.net";
        for location in [
            "abfss://gold@stbrindlewicklake.dfs.core.windows.net/loan_scores",
            "abfss://gold@STBRINDLEWICKLAKE.dfs.core.windows.net/loan_scores",
            "https://stbrindlewicklake.dfs.core.windows.net",
            "https://stbrindlewicklake.dfs.core.windows.net:443/gold?a=b@c",
            "https://me:pw@stbrindlewicklake.dfs.core.windows.net/gold",
            "jdbc:sqlserver://stbrindlewicklake.dfs.core.windows.net:1433;database=x",
            "stbrindlewicklake.dfs.core.windows.net/gold",
            "stbrindlewicklake.dfs.core.windows.net:1433/gold",
            "stbrindlewicklake.dfs.core.windows.net,1433/gold",
            "stbrindlewicklake.dfs.core.windows.net./gold",
            "abfss://gold@stbrindlewicklake.dfs.core.windows.net.:443/loan_scores",
        ] {
            assert_eq!(
                host_of(location, OutputFormat::Delta).as_deref(),
                Some(lake),
                "{location}"
            );
        }
        assert_eq!(
            host_of("https://10.0.0.1/x", OutputFormat::Csv).as_deref(),
            Some("10.0.0.1"),
            "an address is a host that no row can be about"
        );
        assert_eq!(
            host_of(lake, OutputFormat::AzureSql).as_deref(),
            Some(lake),
            "a server of Azure SQL is never a file"
        );
    }

    #[test]
    fn a_path_has_no_host() {
        for location in [
            "out/scores.csv",
            "./out.d/scores.csv",
            "../scores.csv",
            "/Volumes/gold/scores",
            "/mnt/x.y/z",
            "scores.csv",
            "dbfs:/gold/scores",
            "dbfs://gold/scores",
            "file:///gold/scores",
            "FILE://gold/scores",
            "main.gold.loan_scores",
            "a b.c/d",
            "",
        ] {
            assert_eq!(host_of(location, OutputFormat::Csv), None, "{location}");
        }
    }
}
