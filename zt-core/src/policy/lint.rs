//! Smells of the tables: rows that are well formed and do nothing, too much, or not what their author meant.
//!
//! In: a snapshot. Out: [`Finding`]s, each with its rows, the reason and what to do. Nothing here decides anything. Patterns
//! are compared as sets, and conditions by what follows from them for all facts (`condition/implies.rs`), so that no solver
//! is needed. A finding is never wrong, and some are missed.

mod broad;
mod candidates;
mod cover;
mod dead;
mod depth;
mod proof;
mod reach;
mod row;
mod sealed;
mod unused;
mod world;

use std::fmt;

use serde::Serialize;

use self::candidates::Candidates;
use self::cover::{are_opposites, covers};
use self::row::Row;
use self::world::World;
use super::condition::Fuel;
use super::{Effect, Mode};
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
    /// A row that speaks of nothing that exists, or whose condition never lets it apply.
    Dead,
    /// A test of a condition that can never be true where the row's patterns match.
    NeverTrue,
    /// A test of a deny or a restriction that keeps nobody out of it.
    NeverFalse,
    /// An attribute that nothing can state.
    Unreachable,
    /// A row that ends within two weeks of the load of the tables.
    Expiring,
    /// Something declared that nothing uses.
    Unused,
    /// One table named at two depths, which are two resources.
    MixedDepth,
    /// Rows that are chosen by a column which is sealed where they are stored.
    SealedRows,
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
            Self::NeverTrue => "never_true",
            Self::NeverFalse => "never_false",
            Self::Unreachable => "unreachable",
            Self::Expiring => "expiring",
            Self::Unused => "unused",
            Self::MixedDepth => "mixed_depth",
            Self::SealedRows => "sealed_rows",
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

/// The most alternatives that are tried for all rows alone, and as many to compare them: a bound for tables that somebody
/// else wrote.
const MOST_ALTERNATIVES: u64 = 1_000_000;

/// Every smell of a snapshot, in order of the tables and rows. A row that is off smells of nothing.
///
/// No finding is wrong; some are missed, where conditions have very many alternatives, or where more than 128 rows with
/// different conditions speak of the same principal and the same pattern of resources.
#[must_use]
pub fn lint(snapshot: &Snapshot) -> Vec<Finding> {
    let fuel = &mut Fuel::new(MOST_ALTERNATIVES);
    let comparing = &mut Fuel::new(MOST_ALTERNATIVES);
    let world = World::of(snapshot);
    let policies = snapshot.tables().access_policies.iter();
    let live = policies.filter(|row| row.mode != Mode::Off);
    let rows: Vec<Row<'_>> = live.map(|policy| Row::new(policy, fuel)).collect();
    let candidates = Candidates::of(&rows);
    let mut findings = Vec::new();
    let mut judged = Vec::with_capacity(rows.len());
    for (at, row) in rows.iter().enumerate() {
        let end = dead::ending(row, snapshot.loaded_at(), fuel);
        let is_over = end.as_ref().is_some_and(|end| end.lint == Lint::Dead);
        let dead = dead::dead(&world, row, fuel);
        let is_dead = is_over || dead.is_some();
        judged.push((row, is_dead));
        if !is_dead {
            let others = candidates.covering(&world, row);
            let others = others.iter().filter(|other| **other != at);
            let others = others.filter_map(|other| Some((*other, rows.get(*other)?)));
            findings.extend(covered(&world, (at, row), others, comparing));
            findings.extend(broad::over_broad(row));
            findings.extend(dead::never_true(row, fuel));
            findings.extend(proof::never_false(row));
        }
        // A row without an effect is named once: what it ended at says more than what else is the matter.
        findings.extend(if is_over { end } else { dead.or(end) });
    }
    findings.extend(unused::unused(snapshot, &rows));
    findings.extend(reach::unreached(snapshot, &judged, fuel));
    findings.extend(depth::mixed_depth(&rows));
    findings.extend(sealed::sealed_rows(snapshot, &rows));
    findings
}

/// The first other row that makes this one pointless.
fn covered<'r, 'a: 'r>(
    world: &World<'_>,
    (at, row): (usize, &Row<'a>),
    mut others: impl Iterator<Item = (usize, &'r Row<'a>)>,
    fuel: &mut Fuel,
) -> Option<Finding> {
    others.find_map(|(other, cover)| {
        let effects = (row.policy.effect, cover.policy.effect);
        if !covers(world, cover, row, fuel) {
            return None;
        }
        let id = &cover.policy.id;
        let rows = &[row.policy, cover.policy];
        match effects {
            (Effect::Allow, Effect::Deny) if are_opposites(world, cover, row, fuel) => {
                let reason = format!("{id} denies exactly what it allows");
                let fix = "remove one of the two: the deny wins";
                Some(Finding::policy(Lint::Contradictory, rows).because(reason, fix))
            }
            (Effect::Allow, Effect::Deny) => {
                let reason = format!("it can never allow: {id} denies all of it");
                let fix = "remove it, or narrow the deny";
                Some(Finding::policy(Lint::Shadowed, rows).because(reason, fix))
            }
            (Effect::Deny, Effect::Allow) | (Effect::Restrict, _) | (_, Effect::Restrict) => None,
            (Effect::Allow, Effect::Allow) | (Effect::Deny, Effect::Deny) => {
                // Of two rows that say the same, the later one is one too many.
                if at < other && covers(world, row, cover, fuel) {
                    return None;
                }
                let reason = format!("{id} says all of it already");
                let fix = "remove it, or narrow the wider row";
                Some(Finding::policy(Lint::Redundant, rows).because(reason, fix))
            }
        }
    })
}

#[cfg(test)]
mod tests;
