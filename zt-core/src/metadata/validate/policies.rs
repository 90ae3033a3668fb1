//! Access_Policies and Policy_Activations: what they name exists, and nobody approves for themselves.

use std::collections::BTreeMap;

use super::{At, Check};
use crate::id::PrincipalKind;
use crate::metadata::{AccessPolicy, PolicyActivation, Problem, Tables};
use crate::policy::{PolicyKind, PrincipalPattern};

pub(super) fn policies(tables: &Tables, check: &mut Check<'_>) {
    for row in &tables.access_policies {
        let at = |column| At {
            table: "Access_Policies",
            key: row.id.as_str(),
            column,
        };
        for principal in &row.principals {
            match principal {
                PrincipalPattern::Any => {}
                PrincipalPattern::One(id) => check.principal(at("principal"), id.as_str()),
                PrincipalPattern::Role(role) => check.refers(
                    at("principal"),
                    role.as_str(),
                    "Role_Bindings",
                    &check.known.roles,
                ),
            }
        }
        for pattern in &row.resources {
            // Most rows name tables, which the metadata does not list.
            let is_ours = pattern.kind().is_some_and(|kind| !kind.ignores_case());
            if is_ours && let Some(resource) = pattern.exact() {
                check.resource(at("resource"), &resource);
            }
        }
        if let Some(rule) = &row.obligations.encrypt {
            let known = check.known;
            check.refers(
                at("obligations"),
                rule,
                "Encryption_Rules",
                &known.encryption,
            );
        }
    }
}

pub(super) fn activations(tables: &Tables, check: &mut Check<'_>) {
    let rows = tables.access_policies.iter();
    let policies: BTreeMap<&str, &AccessPolicy> = rows.map(|row| (row.id.as_str(), row)).collect();
    for row in &tables.policy_activations {
        let at = |column| At {
            table: "Policy_Activations",
            key: &row.key,
            column,
        };
        check.principal(at("principal"), row.principal.as_str());
        let known = check.known;
        check.refers(
            at("policy"),
            row.policy.as_str(),
            "Access_Policies",
            &known.policies,
        );
        if let Some(policy) = policies.get(row.policy.as_str()) {
            kind(policy, row, &at, check);
        }
        approver(row, &at, check);
    }
}

/// A standing policy needs no activation, and one that is activated needs somebody's word.
fn kind<'a>(
    policy: &AccessPolicy,
    row: &PolicyActivation,
    at: &impl Fn(&'static str) -> At<'a>,
    check: &mut Check<'_>,
) {
    match policy.kind {
        PolicyKind::Standing => {
            let reason = "is a standing policy: give it kind \"jit\" or \"break_glass\"";
            check.problem(at("policy"), Problem::new(reason).text(row.policy.as_str()));
        }
        PolicyKind::JustInTime if row.approver.is_none() => {
            let reason = "missing: somebody else approves an activation of kind \"jit\"";
            check.problem(at("approver"), Problem::new(reason));
        }
        PolicyKind::JustInTime | PolicyKind::BreakGlass => {}
    }
}

/// Four eyes: a person who approves is not the one who gets the right.
fn approver<'a>(
    row: &PolicyActivation,
    at: &impl Fn(&'static str) -> At<'a>,
    check: &mut Check<'_>,
) {
    let Some(approver) = &row.approver else {
        return;
    };
    check.principal(at("approver"), approver.as_str());
    if approver.kind() == PrincipalKind::Group {
        let reason = "a group approves nothing: name a user or a service principal";
        check.problem(at("approver"), Problem::new(reason).text(approver.as_str()));
    }
    if *approver == row.principal {
        let reason = "nobody approves an activation for themselves";
        check.problem(at("approver"), Problem::new(reason).text(approver.as_str()));
    }
}
