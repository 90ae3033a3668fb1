//! A decision as plain fields: what lists, diffs and replays print and serialize.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Serialize, Serializer};

use super::view::Seen;
use super::{AttributeSet, Columns, Context, Decision, DecisionKind, Obligations, Rows, StepUp};

/// How a request is decided, by which rows, and what may be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Ruling {
    /// `allow`, `explicit_deny` or `default_deny`.
    #[serde(rename = "decision", serialize_with = "kind")]
    pub kind: DecisionKind,
    /// The rows that decide.
    pub policies: Vec<String>,
    /// The columns that may be seen; none of them after a deny.
    #[serde(serialize_with = "columns")]
    pub columns: Columns,
    /// The masked columns, and how.
    pub masks: BTreeMap<String, &'static str>,
    /// Which rows may be seen: `true` for all, `false` for none, else a tree of tests.
    pub rows: Rows,
    /// Whether single cells are hidden in some of these rows; left out of JSON where none are.
    #[serde(
        skip_serializing_if = "Seen::is_whole",
        rename = "hides_cells",
        serialize_with = "hides"
    )]
    seen: Seen,
    /// What must be done beside that; left out of JSON where there is nothing.
    #[serde(skip_serializing_if = "Obligations::is_empty")]
    pub obligations: Obligations,
    /// How a refused caller must sign in to be allowed, where nothing else is missing; left out of JSON elsewhere.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub step_up: BTreeSet<StepUp>,
}

impl Ruling {
    /// The fields of a decision.
    #[must_use]
    pub fn of(decision: &Decision) -> Self {
        let masks = decision.masks().iter();
        let seen = masks.filter(|(column, _)| decision.columns().contains(column));
        Self {
            kind: decision.kind(),
            policies: decision.policies().map(ToString::to_string).collect(),
            columns: decision.columns().clone(),
            masks: seen
                .map(|(column, mask)| (column.to_owned(), mask.as_str()))
                .collect(),
            rows: decision.row_filter().clone(),
            seen: decision.seen().clone(),
            obligations: decision.obligations().clone(),
            step_up: decision.step_up().clone(),
        }
    }

    /// Whether the request may proceed.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self.kind, DecisionKind::Allow)
    }

    /// Whether an allow comes with something that whoever enforces it must do: show some columns, masked ones, or a limited
    /// number of rows, or seal.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.is_allowed()
            && (self.columns != Columns::All
                || !self.seen.is_everything()
                || !self.masks.is_empty()
                || self.obligations.max_rows.is_some()
                || !self.obligations.encrypt.is_empty())
    }

    /// Whether both let the caller do and see the same, whichever rows say so. Two denies are the same.
    #[must_use]
    pub fn grants_the_same(&self, other: &Self) -> bool {
        match (self.is_allowed(), other.is_allowed()) {
            (false, false) => true,
            (true, true) => {
                visible(&self.columns) == visible(&other.columns)
                    && self.masks == other.masks
                    && self.seen == other.seen
                    && self.obligations == other.obligations
            }
            (true, false) | (false, true) => false,
        }
    }
}

/// Which columns are named, and whether those are the visible ones: the order of columns counts for nothing here.
fn visible(columns: &Columns) -> (bool, BTreeSet<String>) {
    let folded = |name: &String| crate::text::fold(name);
    match columns {
        Columns::All => (false, BTreeSet::new()),
        Columns::Only(only) => (true, only.iter().map(folded).collect()),
        Columns::AllBut(hidden) => (false, hidden.iter().map(folded).collect()),
    }
}

/// `null` for all columns, else an object with one field, as in a run plan.
fn columns<S: Serializer>(columns: &Columns, to: S) -> Result<S::Ok, S::Error> {
    match columns {
        Columns::All => to.serialize_none(),
        Columns::Only(only) => to.collect_map([("only", only)]),
        Columns::AllBut(hidden) => to.collect_map([("all_but", hidden)]),
    }
}

fn hides<S: Serializer>(seen: &Seen, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_bool(!seen.is_whole())
}

fn kind<S: Serializer>(kind: &DecisionKind, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(kind.as_str())
}

/// The stated facts as an object, numbers as text.
pub(super) fn facts<S: Serializer>(context: &Context, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(context.facts(&AttributeSet::default()))
}

impl fmt::Display for Ruling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if !self.policies.is_empty() {
            write!(f, " by {}", self.policies.join(", "))?;
        }
        for step_up in &self.step_up {
            write!(f, ", until signed in with {step_up}")?;
        }
        if !self.is_allowed() {
            return Ok(());
        }
        if !self.rows.is_all() {
            write!(f, ", rows where {}", self.rows)?;
        }
        if !self.obligations.is_empty() {
            write!(f, ", {}", self.obligations)?;
        }
        match &self.columns {
            Columns::All => {}
            Columns::Only(only) => write!(f, ", columns {}", only.join(", "))?,
            Columns::AllBut(hidden) => {
                let hidden: Vec<&str> = hidden.iter().map(String::as_str).collect();
                write!(f, ", all columns but {}", hidden.join(", "))?;
            }
        }
        for (at, (column, mask)) in self.masks.iter().enumerate() {
            write!(
                f,
                "{} {column} ({mask})",
                if at == 0 { ", masked" } else { "," }
            )?;
        }
        Ok(())
    }
}
