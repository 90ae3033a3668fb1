//! The ids that exist, for checking what refers to them.

use std::collections::BTreeSet;

use crate::metadata::tables::Places;
use crate::metadata::{SecretKind, Tables};

/// The ids that rows may refer to.
pub(super) struct Known<'a> {
    pub(super) tables: BTreeSet<&'a str>,
    pub(super) none: BTreeSet<&'a str>,
    pub(super) principals: BTreeSet<&'a str>,
    pub(super) roles: BTreeSet<&'a str>,
    pub(super) policies: BTreeSet<&'a str>,
    pub(super) secrets: BTreeSet<&'a str>,
    pub(super) values: BTreeSet<&'a str>,
    pub(super) jobs: BTreeSet<u32>,
    pub(super) stages: BTreeSet<(u32, u32)>,
    pub(super) models: BTreeSet<&'a str>,
    pub(super) outputs: BTreeSet<&'a str>,
    pub(super) clusters: BTreeSet<&'a str>,
    pub(super) encryption: BTreeSet<&'a str>,
    pub(super) rules: BTreeSet<&'a str>,
    pub(super) hosts: BTreeSet<&'a str>,
    pub(super) runtimes: BTreeSet<&'a str>,
}

impl<'a> Known<'a> {
    /// Keys count even where the rest of their row is wrong: that is one problem and not one for each reference.
    pub(super) fn of(tables: &'a Tables, places: &'a Places) -> Self {
        let keys = |table: &'static str| {
            let of_table = places.keys().filter(move |(name, _)| *name == table);
            of_table.map(|(_, key)| key.as_str())
        };
        let stage = |key: &str| {
            let (job, stage) = key.split_once('/')?;
            Some((job.parse().ok()?, stage.parse().ok()?))
        };
        let role = |key: &'a str| key.split_once('/').map(|(role, _)| role);
        Self {
            tables: Tables::NAMES.iter().copied().collect(),
            none: BTreeSet::new(),
            principals: keys("Principals").collect(),
            policies: keys("Access_Policies").collect(),
            roles: keys("Role_Bindings").filter_map(role).collect(),
            secrets: keys("Secret_References").collect(),
            values: secrets_of_kind(tables, SecretKind::Secret),
            jobs: keys("Jobs").filter_map(|key| key.parse().ok()).collect(),
            stages: keys("Stages").filter_map(stage).collect(),
            models: keys("ML_Models").collect(),
            outputs: keys("Output_Storage").collect(),
            clusters: keys("Cluster_Profiles").collect(),
            encryption: keys("Encryption_Rules").collect(),
            rules: keys("Network_Rules").collect(),
            hosts: tables
                .network_rules
                .iter()
                .map(|row| row.host.as_str())
                .collect(),
            runtimes: keys("Integration_Runtimes").collect(),
        }
    }
}

fn secrets_of_kind(tables: &Tables, kind: SecretKind) -> BTreeSet<&str> {
    let rows = tables
        .secret_references
        .iter()
        .filter(|row| row.kind == kind);
    rows.map(|row| row.id.as_str()).collect()
}
