//! From the rows that apply to the outcome: kind, deciding rows, and what may be seen. Shared by the index and the oracle,
//! since it is about rows that were found and not about finding them.

use std::collections::BTreeSet;

use super::decision::is_same_column;
use super::view::Seen;
use super::{Columns, DecisionKind, Facts, Masks, Obligations, StepUp};
use crate::metadata::AccessPolicy;

/// A row and its place in the table.
pub(super) type Placed<'a> = (usize, &'a AccessPolicy);

/// The rows that apply to one request, each list in the order of the table.
#[derive(Debug, Default)]
pub(super) struct Applying<'a> {
    pub(super) denies: Vec<Placed<'a>>,
    pub(super) allows: Vec<Placed<'a>>,
    pub(super) restricts: Vec<Placed<'a>>,
    /// Those of the restrictions whose step-up the caller is not known to have done.
    pub(super) gates: Vec<Placed<'a>>,
}

/// What a request comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) kind: DecisionKind,
    /// The places of the rows that decided.
    pub(super) rows: Vec<usize>,
    /// The places of the restrictions that an allow is under.
    pub(super) restricts: Vec<usize>,
    pub(super) columns: Columns,
    pub(super) masks: Masks,
    /// Which rows, and which cells of columns that are not shown alike in all of them.
    pub(super) seen: Seen,
    pub(super) obligations: Obligations,
    /// How the caller must sign in to be allowed, where that is all that is missing.
    pub(super) step_up: BTreeSet<StepUp>,
}

impl Outcome {
    fn refused(kind: DecisionKind, rows: Vec<usize>) -> Self {
        Self {
            kind,
            rows,
            restricts: Vec::new(),
            columns: Columns::Only(Vec::new()),
            masks: Masks::default(),
            seen: Seen::nothing(),
            obligations: Obligations::default(),
            step_up: BTreeSet::new(),
        }
    }
}

/// The outcome of the applying rows.
pub(super) fn conclude(applying: &Applying<'_>, facts: &Facts<'_>) -> Outcome {
    let Applying {
        denies,
        allows,
        restricts,
        gates,
    } = applying;
    let whole: Vec<usize> = places(denies.iter().filter(|(_, policy)| policy.is_whole()));
    if !whole.is_empty() {
        return Outcome::refused(DecisionKind::ExplicitDeny, whole);
    }
    if allows.is_empty() {
        return Outcome::refused(DecisionKind::DefaultDeny, Vec::new());
    }
    let hiding: Vec<Placed<'_>> = denies
        .iter()
        .copied()
        .filter(|(_, policy)| policy.row_condition.is_none())
        .collect();
    let columns = visible(allows, &hiding);
    if matches!(&columns, Columns::Only(shown) if shown.is_empty()) {
        return Outcome::refused(DecisionKind::ExplicitDeny, places(hiding.iter()));
    }
    if !gates.is_empty() {
        let step_up = gates.iter().filter_map(|(_, row)| row.obligations.step_up);
        return Outcome {
            step_up: step_up.collect(),
            ..Outcome::refused(DecisionKind::ExplicitDeny, places(gates.iter()))
        };
    }
    Outcome {
        kind: DecisionKind::Allow,
        rows: places(allows.iter()),
        restricts: places(restricts.iter()),
        columns,
        masks: masks(allows, restricts),
        seen: Seen::of(allows, denies, restricts, facts),
        obligations: Obligations::of(allows, restricts),
        step_up: BTreeSet::new(),
    }
}

/// The union of what the allows show, less what the denies name.
fn visible(allows: &[Placed<'_>], denies: &[Placed<'_>]) -> Columns {
    let named = |rows: &[Placed<'_>]| -> Vec<String> {
        rows.iter()
            .filter_map(|(_, policy)| policy.columns.clone())
            .flatten()
            .collect()
    };
    let hidden = named(denies);
    if allows.iter().any(|(_, policy)| policy.columns.is_none()) {
        if hidden.is_empty() {
            return Columns::All;
        }
        return Columns::AllBut(hidden.into_iter().collect());
    }
    let mut only: Vec<String> = Vec::new();
    for column in named(allows) {
        let is_in = |list: &[String]| list.iter().any(|known| is_same_column(known, &column));
        if !is_in(&hidden) && !is_in(&only) {
            only.push(column);
        }
    }
    Columns::Only(only)
}

/// A column is masked unless some allow shows it clear; where all of them mask it, the strictest does. What a restriction
/// masks is masked at least so strictly, whatever an allow shows.
fn masks(allows: &[Placed<'_>], restricts: &[Placed<'_>]) -> Masks {
    let shows_clear = |policy: &AccessPolicy, column: &str| {
        let named = |columns: &Vec<String>| columns.iter().any(|own| is_same_column(own, column));
        policy.columns.as_ref().is_none_or(named) && policy.masks.of(column).is_none()
    };
    let mut masks = Masks::default();
    let masked = allows.iter().flat_map(|(_, policy)| policy.masks.iter());
    for (column, mask) in masked {
        if !allows.iter().any(|(_, policy)| shows_clear(policy, column)) {
            masks.cover(column, mask);
        }
    }
    for (column, mask) in restricts.iter().flat_map(|(_, row)| row.masks.iter()) {
        masks.cover(column, mask);
    }
    masks
}

fn places<'a>(rows: impl Iterator<Item = &'a Placed<'a>>) -> Vec<usize> {
    rows.map(|(place, _)| *place).collect()
}
