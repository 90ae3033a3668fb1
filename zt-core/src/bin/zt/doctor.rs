//! `zt doctor`: what is wrong with the path to a host, and what to do. No token is sent, nothing is released.

use std::collections::BTreeMap;

use anstream::println;
use clap::{Args, Subcommand};
use zt_core::metadata::{NetworkRule, Snapshot};
use zt_core::network::doctor::Diagnosis;
use zt_core::runtime::{self, Config};
use zt_core::text::shown;
use zt_core::{Code, Error, Result};

use crate::{Answer, paint};

#[derive(Debug, Subcommand)]
pub(crate) enum Doctor {
    /// Look at the path of every row of Network_Rules, and at vaults without a row.
    Network(Network),
}

#[derive(Debug, Args)]
pub(crate) struct Network {
    /// This host alone.
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(crate) async fn run(self, config: &Config) -> Result<Answer> {
        match self {
            Self::Network(network) => network.run(config).await,
        }
    }
}

impl Network {
    async fn run(self, config: &Config) -> Result<Answer> {
        let snapshot = runtime::tables(config).await?.current();
        let hosts = match &self.host {
            Some(host) => {
                let rules = snapshot.tables().network_rules.iter();
                let rule = rules.into_iter().find(|rule| rule.host == *host);
                BTreeMap::from([(host.as_str(), rule)])
            }
            None => hosts(&snapshot),
        };
        let found = examine(config, &hosts).await?;
        if self.json {
            println!(
                "{}",
                serde_json::to_string_pretty(&found).unwrap_or_default()
            );
        } else {
            found.iter().for_each(say);
        }
        Ok(if found.iter().all(Diagnosis::is_ok) {
            Answer::Yes
        } else {
            Answer::No
        })
    }
}

/// The hosts of the rows, and the vaults of secrets and keys that may have none.
fn hosts(snapshot: &Snapshot) -> BTreeMap<&str, Option<&NetworkRule>> {
    let tables = snapshot.tables();
    let vaults = tables.secret_references.iter();
    let vaults = vaults.map(|secret| (secret.vault.host(), None));
    let rules = tables.network_rules.iter();
    vaults
        .chain(rules.map(|rule| (rule.host.as_str(), Some(rule))))
        .collect()
}

#[cfg(feature = "azure")]
async fn examine(
    config: &Config,
    hosts: &BTreeMap<&str, Option<&NetworkRule>>,
) -> Result<Vec<Diagnosis>> {
    use zt_core::adapters::azure::NetworkDoctor;

    let mut doctor = NetworkDoctor::new();
    // Only a development file can say so.
    if let Some(at) = config.simulated_azure() {
        doctor = doctor.dialling(at);
    }
    if let Some(file) = config.simulated_azure_ca() {
        let pem = std::fs::read(&file).map_err(|why| {
            let message = format!("cannot read `development.azure_ca` `{}`", file.display());
            Error::new(Code::Config, message).with_source(why)
        })?;
        doctor = doctor.trusting_only(pem);
    }
    let mut found = Vec::with_capacity(hosts.len());
    for (host, rule) in hosts {
        let diagnosis = doctor.examine(host, *rule).await;
        found.push(diagnosis.map_err(|why| Error::new(Code::Config, why.to_string()))?);
    }
    Ok(found)
}

#[cfg(not(feature = "azure"))]
#[expect(clippy::unused_async, reason = "the other build of it waits")]
async fn examine(
    _config: &Config,
    _hosts: &BTreeMap<&str, Option<&NetworkRule>>,
) -> Result<Vec<Diagnosis>> {
    let message = "this build has no network";
    Err(Error::new(Code::Config, message).with_help("build zt with the feature `azure`"))
}

fn say(found: &Diagnosis) {
    let style = if found.is_ok() {
        paint::GOOD
    } else {
        paint::BAD
    };
    let (host, cause, dim) = (shown(&found.host), found.cause, paint::DIM);
    let rule = found.rule.as_deref().map(|rule| shown(rule) + " ");
    let proof = found.proof.map(|proof| format!(" ({proof})"));
    let fix = found.fix.as_deref().map(|fix| format!("; {}", shown(fix)));
    println!(
        "{}{host}: {style}{cause}{style:#}{}: {}{}",
        rule.unwrap_or_default(),
        proof.unwrap_or_default(),
        shown(&found.evidence),
        fix.unwrap_or_default(),
    );
    if let Some(note) = &found.note {
        println!("  {dim}{}{dim:#}", shown(note));
    }
}
