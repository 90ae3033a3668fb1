//! Attributes that are declared for nothing, or that nothing can state.

use std::collections::BTreeMap;

use super::row::Row;
use super::{Finding, Lint};
use crate::metadata::{Cell, Snapshot, Tables};
use crate::policy::condition::{Claim, Fuel, is_impossible};
use crate::policy::{Attribute, Condition, Effect, Namespace, Provenance};

/// Rows, each with whether it can apply at all.
type Judged<'r, 'a> = [(&'r Row<'a>, bool)];

pub(super) fn unreached(
    snapshot: &Snapshot,
    rows: &Judged<'_, '_>,
    fuel: &mut Fuel,
) -> Vec<Finding> {
    let mut testing: BTreeMap<String, Vec<(&Row<'_>, bool)>> = BTreeMap::new();
    for (row, is_dead) in rows {
        let rows = row
            .policy
            .row_condition
            .iter()
            .flat_map(Condition::attributes);
        let names = row.whole.attributes().into_iter().chain(rows);
        let names = names.map(ToString::to_string);
        for name in names.collect::<std::collections::BTreeSet<_>>() {
            testing.entry(name).or_default().push((row, *is_dead));
        }
    }
    let declared = snapshot.tables().attributes.iter();
    let findings = declared.filter_map(|attribute| {
        let rows = testing.get(&attribute.to_string());
        let rows = rows.map_or(&[][..], Vec::as_slice);
        untested(attribute, rows).or_else(|| unstated(snapshot.tables(), attribute, rows, fuel))
    });
    findings.collect()
}

fn finding(lint: Lint, attribute: &Attribute) -> Finding {
    let key = format!("{}/{}", attribute.namespace.as_str(), attribute.name);
    Finding::new(lint, "Attributes", &[&key])
}

fn untested(attribute: &Attribute, rows: &Judged<'_, '_>) -> Option<Finding> {
    let reason = if rows.is_empty() {
        "no condition tests it"
    } else if rows.iter().all(|(_, is_dead)| *is_dead) {
        "only rows that can never apply test it"
    } else {
        return None;
    };
    let finding = finding(Lint::Unused, attribute);
    Some(finding.because(reason, "test it, or remove the row"))
}

/// Why no session knows an attribute, and what to do: what a process claims counts in `context.` alone, and a store speaks
/// of principals and resources. What a token says is not in the tables.
fn never_stated(tables: &Tables, attribute: &Attribute) -> Option<(&'static str, &'static str)> {
    let says = |(name, _): (&str, &Cell)| name == attribute.name;
    let (mut principals, mut resources) = (tables.principals.iter(), tables.resources.iter());
    match (attribute.provenance, attribute.namespace) {
        (Provenance::Request, Namespace::Context)
        | (Provenance::Token | Provenance::Runtime, _)
        | (_, Namespace::Time | Namespace::Row) => None,
        (Provenance::Request, Namespace::Principal | Namespace::Resource | Namespace::Action) => {
            Some((
                "no session can state it: what a process claims counts in `context.` alone",
                "declare it in `context`, or with provenance `token` or `store`",
            ))
        }
        (Provenance::Store, Namespace::Principal) => {
            let is_said = principals.any(|row| row.attributes.iter().any(says));
            (!is_said).then_some((
                "no session knows it: no row of Principals says it",
                "say it in `attributes` of Principals, or remove the row",
            ))
        }
        (Provenance::Store, Namespace::Resource) => {
            let is_said = resources.any(|row| row.attributes.iter().any(says));
            (!is_said).then_some((
                "no session knows it: no row of Resources says it",
                "say it in `attributes` of Resources, or remove the row",
            ))
        }
        (Provenance::Store, Namespace::Action | Namespace::Context) => Some((
            "no session knows it: a store speaks of principals and resources alone",
            "declare it in one of these namespaces, or with another provenance",
        )),
    }
}

fn unstated(
    tables: &Tables,
    attribute: &Attribute,
    rows: &Judged<'_, '_>,
    fuel: &mut Fuel,
) -> Option<Finding> {
    let (reason, fix) = never_stated(tables, attribute)?;
    let mut finding = finding(Lint::Unreachable, attribute);
    let mut reason = reason.to_owned();
    let effects = rows.iter().filter_map(|(row, is_dead)| {
        let what = effect_of_missing(attribute, row, fuel).filter(|_| !is_dead)?;
        finding.rows.push(row.policy.id.to_string());
        Some(format!("{} {what}", row.policy.id))
    });
    let effects: Vec<String> = effects.collect();
    if attribute.is_always_known() {
        reason.push_str("; it always has its default");
    } else if !effects.is_empty() {
        reason = format!("{reason}; {}", effects.join(", "));
    }
    Some(finding.because(reason, fix))
}

/// What becomes of a row when the attribute is never known.
fn effect_of_missing(
    attribute: &Attribute,
    row: &Row<'_>,
    fuel: &mut Fuel,
) -> Option<&'static str> {
    let known = Condition::of_known(attribute);
    let missing = Claim::is_true(&known).not();
    let [scope, applies] = row.applies();
    match row.policy.effect {
        Effect::Allow => {
            let never = is_impossible(&[scope, applies, missing], fuel);
            never.then_some("can then never allow")
        }
        Effect::Deny | Effect::Restrict => {
            let always = is_impossible(&[scope, applies.not(), missing], fuel);
            always.then_some("then always applies")
        }
    }
}
