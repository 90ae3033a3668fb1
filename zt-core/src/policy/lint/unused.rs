//! What the tables declare and nothing uses.

use super::{Finding, Lint};
use crate::metadata::{SecretKind, Snapshot};
use crate::policy::{Action, Effect, PrincipalPattern, Resource};

pub(super) fn unused(snapshot: &Snapshot) -> Vec<Finding> {
    let mut findings = unread_secrets(snapshot);
    findings.extend(roles_without_policies(snapshot));
    findings.extend(rules_without_outputs(snapshot));
    findings.extend(unreached_destinations(snapshot));
    findings
}

fn unread_secrets(snapshot: &Snapshot) -> Vec<Finding> {
    let tables = snapshot.tables();
    let is_read = |resource: &Resource| {
        tables.access_policies.iter().any(|row| {
            row.effect == Effect::Allow
                && row.speaks_of_action(Action::SecretGet)
                && row.speaks_of_resource(resource)
        })
    };
    let secrets = tables.secret_references.iter();
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

fn roles_without_policies(snapshot: &Snapshot) -> Vec<Finding> {
    let tables = snapshot.tables();
    let is_named = |role| {
        let named = PrincipalPattern::Role(role);
        tables
            .access_policies
            .iter()
            .any(|row| row.principals.contains(&named))
    };
    let bindings = tables.role_bindings.iter();
    bindings
        .filter(|row| !is_named(row.role.clone()))
        .map(|row| {
            let key = format!("{}/{}", row.role, row.principal);
            Finding::new(Lint::Unused, "Role_Bindings", &[&key])
                .because("no policy names this role", "write one, or remove the row")
        })
        .collect()
}

fn rules_without_outputs(snapshot: &Snapshot) -> Vec<Finding> {
    let tables = snapshot.tables();
    let is_used = |id: &String| {
        let mut outputs = tables.output_storage.iter();
        outputs.any(|row| row.encryption.as_ref() == Some(id))
    };
    let rules = tables.encryption_rules.iter();
    rules
        .filter(|row| !is_used(&row.id))
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
    let needed: Vec<&String> = stages.flat_map(|row| &row.hosts).collect();
    let is_reached = |id: &String| {
        let mut runtimes = tables.integration_runtimes.iter();
        runtimes.any(|row| row.reaches.contains(id))
    };
    let rules = tables.network_rules.iter();
    rules
        .filter(|row| needed.contains(&&row.host) && !is_reached(&row.id))
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
