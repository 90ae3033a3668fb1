//! The answer: what was decided, by which rows, of which snapshot.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::outcome::Outcome;
use super::view::Seen;
use super::{Masks, Obligations, Request, Rows, StepUp, Would};
use crate::id::PolicyId;
use crate::metadata::{AccessPolicy, Snapshot};

/// How a request was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "callers match on it; a fourth outcome must stop their build"
)]
pub enum DecisionKind {
    /// A row grants it and none refuses it.
    Allow,
    /// A row refuses it.
    ExplicitDeny,
    /// No row grants it.
    DefaultDeny,
}

impl DecisionKind {
    /// As the audit log writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::ExplicitDeny => "explicit_deny",
            Self::DefaultDeny => "default_deny",
        }
    }
}

impl fmt::Display for DecisionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The name of one decision: printed to the caller, found again in the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DecisionId {
    process: u32,
    number: u64,
}

impl DecisionId {
    /// The `number`th decision of a process that drew `process` at random.
    #[must_use]
    pub const fn new(process: u32, number: u64) -> Self {
        Self { process, number }
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}-{}", self.process, self.number)
    }
}

/// The columns that an allow lets the caller see. Their names ignore case, as the engines' do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(
    clippy::exhaustive_enums,
    reason = "an enforcement point must handle every form"
)]
pub enum Columns {
    /// Every column.
    #[default]
    All,
    /// These, in the order of the rows that allow them.
    Only(Vec<String>),
    /// Every column but these.
    AllBut(BTreeSet<String>),
}

impl Columns {
    /// Whether the column may be seen.
    #[must_use]
    pub fn contains(&self, column: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(only) => only.iter().any(|known| is_same_column(known, column)),
            Self::AllBut(hidden) => !hidden.iter().any(|known| is_same_column(known, column)),
        }
    }

    /// Those of `columns` that may be seen: in the order in which rows name them, else in the given order; spelled as given.
    #[must_use]
    pub fn visible<'a>(&self, columns: &[&'a str]) -> Vec<&'a str> {
        let given = |name: &String| {
            columns
                .iter()
                .copied()
                .find(|column| is_same_column(name, column))
        };
        match self {
            Self::Only(only) => only.iter().filter_map(given).collect(),
            Self::All | Self::AllBut(_) => columns
                .iter()
                .copied()
                .filter(|column| self.contains(column))
                .collect(),
        }
    }
}

/// Whether two spellings name one column.
pub(super) fn is_same_column(one: &str, other: &str) -> bool {
    one == other || crate::text::fold(one) == crate::text::fold(other)
}

/// Whether a request may proceed, and which rows say so.
///
/// ```compile_fail
/// # #![deny(unused_must_use)]
/// # fn decide() -> zt_core::policy::Decision { loop {} }
/// decide(); // a decision that nobody reads protects nothing
/// ```
#[derive(Clone)]
#[must_use = "a decision that nobody reads protects nothing"]
pub struct Decision(Arc<Inner>);

struct Inner {
    id: DecisionId,
    outcome: Outcome,
    request: Request,
    snapshot: Arc<Snapshot>,
}

impl Decision {
    pub(super) fn new(
        id: DecisionId,
        outcome: Outcome,
        request: Request,
        snapshot: Arc<Snapshot>,
    ) -> Self {
        Self(Arc::new(Inner {
            id,
            outcome,
            request,
            snapshot,
        }))
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> DecisionId {
        self.0.id
    }

    /// How it was decided.
    #[must_use]
    pub fn kind(&self) -> DecisionKind {
        self.0.outcome.kind
    }

    /// Whether the request may proceed.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.0.outcome.kind == DecisionKind::Allow
    }

    /// The rows that decided, in order of the table; none for a default deny.
    #[must_use]
    pub fn policies(&self) -> impl ExactSizeIterator<Item = &PolicyId> {
        self.0
            .outcome
            .rows
            .iter()
            .map(|row| self.0.snapshot.policy_id(*row))
    }

    /// Tells decisions by other rows of one snapshot apart, nearly always.
    pub(crate) fn rows_mark(&self) -> u64 {
        let outcome = &self.0.outcome;
        mark(outcome.rows.iter().chain(&outcome.restricts).copied())
    }

    /// The same for the rows in shadow mode that apply.
    pub(crate) fn shadows_mark(&self) -> u64 {
        mark(super::oracle::shadows(&self.0.snapshot, &self.0.request).into_iter())
    }

    /// The rows themselves.
    pub(super) fn rows(&self) -> impl Iterator<Item = &AccessPolicy> {
        self.0
            .outcome
            .rows
            .iter()
            .filter_map(|row| self.0.snapshot.policy(*row))
    }

    /// The reason in words that its rows give (`why`), if they give one. Safe to show the caller.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        self.0
            .outcome
            .rows
            .iter()
            .find_map(|row| self.0.snapshot.policy(*row)?.why.as_deref())
    }

    /// Whom to ask about the rows that decided (`owner`), if they say so. Safe to show the caller.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        self.rows().find_map(|row| row.owner.as_deref())
    }

    /// The columns that may be seen; none of them after a deny.
    #[must_use]
    pub fn columns(&self) -> &Columns {
        &self.0.outcome.columns
    }

    /// Which rows may be seen; none of them after a deny. An allow may show no row. Where allows differ in their columns and
    /// rows, single cells are hidden too: [`Permit::apply`](crate::Permit::apply) and
    /// [`Permit::select`](crate::Permit::select) know which.
    #[must_use]
    pub fn row_filter(&self) -> &Rows {
        &self.0.outcome.seen.rows
    }

    /// Whether no row and no single cell of the visible columns is hidden.
    pub(crate) fn shows_every_row_whole(&self) -> bool {
        self.0.outcome.seen.is_everything()
    }

    /// Rows and cells.
    pub(super) fn seen(&self) -> &Seen {
        &self.0.outcome.seen
    }

    /// The visible columns whose cells are masked.
    #[must_use]
    pub fn masks(&self) -> &Masks {
        &self.0.outcome.masks
    }

    /// The rows of the restrictions.
    pub(super) fn restricting_rows(&self) -> impl Iterator<Item = &AccessPolicy> {
        let rows = self.0.outcome.restricts.iter();
        rows.filter_map(|row| self.0.snapshot.policy(*row))
    }

    /// The restrictions that an allow is under, in order of the table.
    #[must_use]
    pub fn restrictions(&self) -> impl ExactSizeIterator<Item = &PolicyId> {
        let rows = self.0.outcome.restricts.iter();
        rows.map(|row| self.0.snapshot.policy_id(*row))
    }

    /// What must be done with an allow beside that.
    #[must_use]
    pub fn obligations(&self) -> &Obligations {
        &self.0.outcome.obligations
    }

    /// How the caller must sign in to be allowed, where nothing else is missing: every one of these. Empty otherwise.
    #[must_use]
    pub fn step_up(&self) -> &BTreeSet<StepUp> {
        &self.0.outcome.step_up
    }

    /// What it would have been, had the rows in shadow mode been enforced; none when no such row applies. Computed when asked.
    #[must_use]
    pub fn would(&self) -> Option<Would> {
        super::oracle::would(&self.0.snapshot, &self.0.request)
    }

    /// What was asked.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.0.request
    }

    /// The snapshot that decided.
    #[must_use]
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.0.snapshot
    }
}

fn mark(rows: impl Iterator<Item = usize>) -> u64 {
    rows.fold(0, |mark: u64, row| {
        let row = u64::try_from(row).unwrap_or(u64::MAX);
        mark.rotate_left(7) ^ row.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    })
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.outcome.kind.as_str())?;
        for (at, policy) in self.policies().enumerate() {
            write!(f, "{}{policy}", if at == 0 { " by " } else { ", " })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decision({self}, {})", self.0.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_column_is_hidden_in_every_spelling() {
        let columns = Columns::AllBut(["ΑΣ".to_owned(), "Pan".to_owned()].into());
        for column in ["ασ", "ας", "ΑΣ", "PAN", "pan"] {
            assert!(!columns.contains(column), "{column}");
        }
        assert!(columns.contains("name"));
    }
}
