//! What the tables declare and nothing uses. A row of Access_Policies that is off uses nothing.

use std::collections::BTreeSet;

use super::row::{Row, actions, principals, resources};
use super::{Finding, Lint};
use crate::metadata::{SecretKind, Snapshot};
use crate::policy::{Action, Effect, PrincipalPattern, Resource, ResourcePattern};

pub(super) fn unused(snapshot: &Snapshot, rows: &[Row<'_>]) -> Vec<Finding> {
    let mut findings = unread_secrets(snapshot, rows);
    findings.extend(roles_without_policies(snapshot, rows));
    findings.extend(rules_without_outputs(snapshot));
    findings.extend(unreached_destinations(snapshot));
    findings
}

fn unread_secrets(snapshot: &Snapshot, rows: &[Row<'_>]) -> Vec<Finding> {
    let reading = rows.iter().map(|row| row.policy).filter(|policy| {
        let mut patterns = actions(policy).iter();
        policy.effect == Effect::Allow && patterns.any(|one| one.matches(Action::SecretGet))
    });
    let mut exact: BTreeSet<Resource> = BTreeSet::new();
    let mut patterns: Vec<&ResourcePattern> = Vec::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for pattern in reading.flat_map(resources) {
        match pattern.exact() {
            Some(resource) => drop(exact.insert(resource)),
            None if seen.insert(pattern.as_str()) => patterns.push(pattern),
            None => {}
        }
    }
    let is_read = |resource: &Resource| {
        exact.contains(resource) || patterns.iter().any(|pattern| pattern.matches(resource))
    };
    let secrets = snapshot.tables().secret_references.iter();
    let values = secrets.filter(|row| row.kind == SecretKind::Secret);
    let unread = values.filter(|row| {
        let resource = format!("secret:{}", row.id).parse();
        resource.is_ok_and(|resource| !is_read(&resource))
    });
    unread
        .map(|row| {
            Finding::new(Lint::Unused, "Secret_References", &[row.id.as_str()]).because(
                "nobody may read it",
                "allow `secret.get`, or remove the row",
            )
        })
        .collect()
}

fn roles_without_policies(snapshot: &Snapshot, rows: &[Row<'_>]) -> Vec<Finding> {
    let patterns = rows.iter().flat_map(|row| principals(row.policy));
    let named: BTreeSet<_> = patterns
        .filter_map(|pattern| match pattern {
            PrincipalPattern::Role(role) => Some(role),
            PrincipalPattern::Any | PrincipalPattern::One(_) => None,
        })
        .collect();
    let bindings = snapshot.tables().role_bindings.iter();
    bindings
        .filter(|row| !named.contains(&row.role))
        .map(|row| {
            let key = format!("{}/{}", row.role, row.principal);
            Finding::new(Lint::Unused, "Role_Bindings", &[&key]).because(
                "no policy that is on names this role",
                "write one, or remove the row",
            )
        })
        .collect()
}

fn rules_without_outputs(snapshot: &Snapshot) -> Vec<Finding> {
    let tables = snapshot.tables();
    let used: BTreeSet<&String> = tables
        .output_storage
        .iter()
        .filter_map(|row| row.encryption.as_ref())
        .collect();
    let rules = tables.encryption_rules.iter();
    rules
        .filter(|row| !used.contains(&row.id))
        .map(|row| {
            Finding::new(Lint::Unused, "Encryption_Rules", &[&row.id]).because(
                "no row of Output_Storage names it, so it seals nothing",
                "name it, or remove the row",
            )
        })
        .collect()
}

fn unreached_destinations(snapshot: &Snapshot) -> Vec<Finding> {
    let tables = snapshot.tables();
    let stages = tables.stages.iter();
    let needed: BTreeSet<&String> = stages.flat_map(|row| &row.hosts).collect();
    let runtimes = tables.integration_runtimes.iter();
    let reached: BTreeSet<&String> = runtimes.flat_map(|row| &row.reaches).collect();
    let rules = tables.network_rules.iter();
    rules
        .filter(|row| needed.contains(&row.host) && !reached.contains(&row.id))
        .map(|row| {
            Finding::new(Lint::Unused, "Network_Rules", &[&row.id]).because(
                format!(
                    "a stage needs `{}`, and no integration runtime reaches it",
                    row.host
                ),
                "add it to `reaches` of one",
            )
        })
        .collect()
}
