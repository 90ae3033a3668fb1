//! The ids that exist, for checking what refers to them.

use rustc_hash::FxHashSet;

use crate::metadata::tables::Places;
use crate::metadata::{SecretKind, Tables};

/// The ids that rows may refer to.
pub(super) struct Known<'a> {
    pub(super) tables: FxHashSet<&'a str>,
    pub(super) none: FxHashSet<&'a str>,
    pub(super) principals: FxHashSet<&'a str>,
    pub(super) roles: FxHashSet<&'a str>,
    pub(super) policies: FxHashSet<&'a str>,
    pub(super) secrets: FxHashSet<&'a str>,
    pub(super) values: FxHashSet<&'a str>,
    pub(super) jobs: FxHashSet<u32>,
    pub(super) stages: FxHashSet<(u32, u32)>,
    pub(super) models: FxHashSet<&'a str>,
    pub(super) outputs: FxHashSet<&'a str>,
    pub(super) clusters: FxHashSet<&'a str>,
    pub(super) encryption: FxHashSet<&'a str>,
    pub(super) rules: FxHashSet<&'a str>,
    pub(super) hosts: FxHashSet<&'a str>,
    pub(super) runtimes: FxHashSet<&'a str>,
}

impl<'a> Known<'a> {
    /// Keys count even where the rest of their row is wrong: that is one problem and not one for each reference.
    pub(super) fn of(tables: &'a Tables, places: &'a Places) -> Self {
        let keys = |table: &'static str| places.keys(table);
        let stage = |key: &str| {
            let (job, stage) = key.split_once('/')?;
            Some((job.parse().ok()?, stage.parse().ok()?))
        };
        let role = |key: &'a str| key.split_once('/').map(|(role, _)| role);
        Self {
            tables: Tables::NAMES.iter().copied().collect(),
            none: FxHashSet::default(),
            principals: keys("Principals").collect(),
            // Many rows, and only activations refer to them.
            policies: keys("Access_Policies")
                .filter(|_| !tables.policy_activations.is_empty())
                .collect(),
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

fn secrets_of_kind(tables: &Tables, kind: SecretKind) -> FxHashSet<&str> {
    let rows = tables
        .secret_references
        .iter()
        .filter(|row| row.kind == kind);
    rows.map(|row| row.id.as_str()).collect()
}
