//! Smells of the tables: rows that are well formed and do nothing, too much, or not what their author meant.
//!
//! In: a snapshot. Out: [`Finding`]s, each with its rows, the reason and what to do. Nothing here decides anything. Patterns
//! are compared as sets, so that no solver is needed; a condition covers another only when it is empty or the same, so that
//! a finding is never wrong and some are missed.

mod cover;
mod unused;

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use self::cover::{covers, holders};
use super::{Action, ActionPattern, Effect, Mode, PrincipalPattern, ResourceKind, ResourcePattern};
use crate::metadata::{AccessPolicy, Snapshot};

/// What kind of smell it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Lint {
    /// Another row says all of it already.
    Redundant,
    /// An allow that can never allow, because a deny covers it.
    Shadowed,
    /// An allow and a deny of exactly the same.
    Contradictory,
    /// An allow for every caller, or of everything.
    OverBroad,
    /// A row that speaks of nothing that exists.
    Dead,
    /// A row that ends within two weeks of the load of the tables.
    Expiring,
    /// Something declared that nothing uses.
    Unused,
    /// One table named at two depths, which are two resources.
    MixedDepth,
}

impl Lint {
    /// As tools write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Redundant => "redundant",
            Self::Shadowed => "shadowed",
            Self::Contradictory => "contradictory",
            Self::OverBroad => "over_broad",
            Self::Dead => "dead",
            Self::Expiring => "expiring",
            Self::Unused => "unused",
            Self::MixedDepth => "mixed_depth",
        }
    }
}

/// One smell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What kind it is.
    pub lint: Lint,
    /// The table.
    pub table: &'static str,
    /// The rows, the one to change first.
    pub rows: Vec<String>,
    /// What is the matter.
    pub reason: String,
    /// What to do.
    pub fix: String,
}

impl Finding {
    fn new(lint: Lint, table: &'static str, rows: &[&str]) -> Self {
        Self {
            lint,
            table,
            rows: rows.iter().map(|row| (*row).to_owned()).collect(),
            reason: String::new(),
            fix: String::new(),
        }
    }

    fn policy(lint: Lint, rows: &[&AccessPolicy]) -> Self {
        let rows: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        Self::new(lint, "Access_Policies", &rows)
    }

    fn because(mut self, reason: impl Into<String>, fix: impl Into<String>) -> Self {
        self.reason = reason.into();
        self.fix = fix.into();
        self
    }
}

/// `shadowed Access_Policies AP-03: AP-02 denies all of it; remove one of the two`.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = self.rows.first().map_or("", String::as_str);
        let (lint, table) = (self.lint.as_str(), self.table);
        let row = crate::text::shown(row);
        let (reason, fix) = (
            crate::text::shown(&self.reason),
            crate::text::shown(&self.fix),
        );
        write!(f, "{lint} {table} {row}: {reason}; {fix}")
    }
}

/// Every smell of a snapshot, in order of the tables and rows.
#[must_use]
pub fn lint(snapshot: &Snapshot) -> Vec<Finding> {
    let policies = &snapshot.tables().access_policies;
    let mut findings = Vec::new();
    let live = policies
        .iter()
        .enumerate()
        .filter(|(_, row)| row.mode != Mode::Off);
    for (at, row) in live {
        findings.extend(covered(snapshot, at, row));
        findings.extend(over_broad(row));
        findings.extend(ending(snapshot, row).or_else(|| dead(snapshot, row)));
    }
    findings.extend(unused::unused(snapshot));
    findings.extend(mixed_depth(policies));
    findings
}

/// The first other row that makes this one pointless.
fn covered(snapshot: &Snapshot, at: usize, row: &AccessPolicy) -> Option<Finding> {
    let others = snapshot.tables().access_policies.iter().enumerate();
    others
        .filter(|(other, _)| *other != at)
        .find_map(|(other, cover)| {
            if !covers(snapshot, cover, row) {
                return None;
            }
            let is_mutual = covers(snapshot, row, cover);
            let id = &cover.id;
            match (row.effect, cover.effect) {
                (Effect::Allow, Effect::Deny) if is_mutual => {
                    let finding = Finding::policy(Lint::Contradictory, &[row, cover]);
                    let reason = format!("{id} denies exactly what it allows");
                    Some(finding.because(reason, "remove one of the two: the deny wins"))
                }
                (Effect::Allow, Effect::Deny) => {
                    let finding = Finding::policy(Lint::Shadowed, &[row, cover]);
                    let reason = format!("it can never allow: {id} denies all of it");
                    Some(finding.because(reason, "remove it, or narrow the deny"))
                }
                (Effect::Deny, Effect::Allow) | (Effect::Restrict, _) | (_, Effect::Restrict) => {
                    None
                }
                // Of two rows that say the same, the later one is one too many.
                (Effect::Allow, Effect::Allow) | (Effect::Deny, Effect::Deny) => {
                    if is_mutual && at < other {
                        return None;
                    }
                    let finding = Finding::policy(Lint::Redundant, &[row, cover]);
                    let reason = format!("{id} says all of it already");
                    Some(finding.because(reason, "remove it, or narrow the wider row"))
                }
            }
        })
}

fn over_broad(row: &AccessPolicy) -> Option<Finding> {
    if row.effect != Effect::Allow {
        return None;
    }
    let is_open = |resource: &ResourcePattern| {
        resource.kind() == Some(ResourceKind::Secret) && resource.exact().is_none()
    };
    let speaks_of = if row.principals.contains(&PrincipalPattern::Any) {
        "every verified caller"
    } else if row.actions.contains(&ActionPattern::Any) {
        "every action"
    } else if row.resources.iter().any(|one| one.kind().is_none())
        && row.actions != [ActionPattern::One(Action::PolicyExplain)]
    {
        "every resource"
    } else if row.speaks_of_action(Action::SecretGet) && row.resources.iter().any(is_open) {
        "secrets that do not exist yet"
    } else {
        return None;
    };
    let finding = Finding::policy(Lint::OverBroad, &[row]);
    Some(finding.because(format!("it allows {speaks_of}"), "name what is needed"))
}

/// How long before its end a row is worth a word.
const SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// A row whose time is over, or nearly.
fn ending(snapshot: &Snapshot, row: &AccessPolicy) -> Option<Finding> {
    let (end, now) = (row.valid_to?, snapshot.loaded_at());
    if end <= now {
        let finding = Finding::policy(Lint::Dead, &[row]);
        return Some(finding.because(format!("it ended at {end}"), "renew it, or remove the row"));
    }
    let finding = Finding::policy(Lint::Expiring, &[row]);
    (end <= now.after(SOON)).then(|| {
        finding.because(
            format!("it ends at {end}"),
            "renew it in time, if it is still needed",
        )
    })
}

/// A pattern of a kind whose members the tables declare, that matches none of them; a role that nobody holds.
fn dead(snapshot: &Snapshot, row: &AccessPolicy) -> Option<Finding> {
    let finding = Finding::policy(Lint::Dead, &[row]);
    let is_held = |principal: &PrincipalPattern| {
        *principal == PrincipalPattern::Any || !holders(snapshot, principal).is_empty()
    };
    if !row.principals.iter().any(is_held) {
        let names: Vec<String> = row.principals.iter().map(ToString::to_string).collect();
        let reason = format!("nobody is {}", names.join(" or "));
        return Some(finding.because(reason, "bind it in Role_Bindings, or remove the row"));
    }
    if row
        .resources
        .iter()
        .any(|resource| is_alive(snapshot, resource))
    {
        return None;
    }
    let names: Vec<String> = row.resources.iter().map(ToString::to_string).collect();
    let kind = row.resources.first()?.kind()?;
    let reason = format!("no {kind} of the tables is {}", names.join(" or "));
    Some(finding.because(reason, "correct the pattern, or remove the row"))
}

/// Whether a pattern matches something that the tables declare, or may match what they do not.
fn is_alive(snapshot: &Snapshot, pattern: &ResourcePattern) -> bool {
    let tables = snapshot.tables();
    let Some(kind) = pattern.kind() else {
        return true;
    };
    let names: Vec<String> = match kind {
        ResourceKind::Secret => list(&tables.secret_references, |row| row.id.to_string()),
        ResourceKind::Model => list(&tables.ml_models, |row| row.name.clone()),
        ResourceKind::Output => list(&tables.output_storage, |row| row.name.clone()),
        ResourceKind::Job => list(&tables.jobs, |row| row.job_id.to_string()),
        ResourceKind::Catalog
        | ResourceKind::Schema
        | ResourceKind::Table
        | ResourceKind::View
        | ResourceKind::Volume
        | ResourceKind::Function
        | ResourceKind::Metadata
        | ResourceKind::Audit => return true,
    };
    names.iter().any(|name| {
        let resource = format!("{kind}:{name}").parse();
        resource.is_ok_and(|resource| pattern.matches(&resource))
    })
}

fn list<T>(rows: &[T], name: impl Fn(&T) -> String) -> Vec<String> {
    rows.iter().map(name).collect()
}

/// `table:gold.x` and `table:main.gold.x`: requests in one depth miss rows in the other.
fn mixed_depth(policies: &[AccessPolicy]) -> Vec<Finding> {
    let path = |pattern: &ResourcePattern| {
        let separates_by_dots = |kind: &ResourceKind| kind.has_columns() && kind.separator() == '.';
        let kind = pattern.kind().filter(separates_by_dots)?;
        let text = pattern.as_str();
        Some((kind, text.split_once(':')?.1.to_owned()))
    };
    // A subtree of all depths misses none.
    let is_subtree = |path: &str| path == "**";
    let named = || {
        let rows = policies.iter();
        rows.flat_map(|row| row.resources.iter().map(move |pattern| (row, pattern)))
    };
    let mut findings = Vec::new();
    for (row, short) in named() {
        let longer = named().find(|(_, long)| {
            let (Some((kind, short)), Some((other, long))) = (path(short), path(long)) else {
                return false;
            };
            kind == other && long.ends_with(&format!(".{short}")) && !is_subtree(&short)
        });
        if let Some((other, long)) = longer {
            let finding = Finding::policy(Lint::MixedDepth, &[row, other]);
            let reason = format!("{short} and {long} are two resources");
            findings.push(finding.because(reason, "write all names in one depth"));
        }
    }
    findings
}

#[cfg(test)]
mod tests;
