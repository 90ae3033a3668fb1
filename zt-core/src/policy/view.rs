//! What an allow shows of rows: which rows and which of their cells, masked where they must be, and no more rows at once
//! than it may.
//!
//! In: the rows of Access_Policies that apply, and the facts. Out: a [`View`], which says for whole rows, and for single
//! columns where allows differ, which cells are shown and which are shown clear. A cell is shown exactly when some allow
//! shows its row and its column and no deny hides it: one allow of a column for some rows and another of other columns
//! for all rows are never taken for an allow of everything. Never: a part for the whole.

#[cfg(feature = "arrow")]
mod arrow;
mod choose;
mod select;

use self::choose::Chosen;
pub use select::Selection;

use std::collections::HashMap;

use super::mask::Mask;
use super::outcome::Placed;
use super::row_filter::{granted, spared};
use super::{Columns, Decision, Facts, Masks, NotFiltered, Rows, show};
use crate::batch::{Batch, Cells, Column, NotABatch};
use crate::error::{Code, Error};
use crate::metadata::AccessPolicy;
use crate::text::fold;

/// Which cells of one column are shown, where that is not the same for all rows that are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CellRule {
    /// The column in lowercase; none for every column that no rule names.
    column: Option<String>,
    /// The rows in which its cells are shown.
    shown: Rows,
    /// The rows in which some allow shows them without a mask.
    clear: Rows,
    /// The masks of allows elsewhere, the strictest first: of those whose rows it is in, the first holds.
    masks: Vec<(Mask, Rows)>,
    /// What restrictions mask them with everywhere, at least.
    restricted: Option<Mask>,
}

/// Which rows and cells a decision shows, beside its columns and masks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(super) rows: Rows,
    cells: Vec<CellRule>,
    /// Columns that some row names and that no rule is about.
    alike: Vec<String>,
}

impl Seen {
    /// What these rows show together. Where none of them is about single rows, that is everything.
    pub(super) fn of(
        allows: &[Placed<'_>],
        denies: &[Placed<'_>],
        restricts: &[Placed<'_>],
        facts: &Facts<'_>,
    ) -> Self {
        let about_rows = |(_, row): &Placed<'_>| row.row_condition.is_some();
        let all = allows.iter().chain(denies).chain(restricts);
        if !all.into_iter().any(about_rows) {
            return Self::default();
        }
        let grants = allows.iter().map(|(_, row)| Grant {
            row,
            rows: row
                .row_condition
                .as_ref()
                .map_or(Rows::All, |rows| granted(rows, facts)),
        });
        let hides = denies.iter().filter_map(|(_, row)| {
            let rows = spared(row.row_condition.as_ref()?, facts);
            Some(Hide { row, rows })
        });
        let parts = Parts {
            grants: grants.collect(),
            hides: hides.collect(),
            restricts,
        };
        let limits = restricts
            .iter()
            .filter_map(|(_, row)| row.row_condition.as_ref());
        let limits = limits.map(|rows| granted(rows, facts));
        let limits = limits.fold(Rows::All, Rows::and);
        let whole = parts.hides.iter().filter(|hide| hide.row.columns.is_none());
        let limits = whole.fold(limits, |rows, hide| rows.and(hide.rows.clone()));
        let (cells, alike) = parts.cells();
        Self {
            rows: parts.any_grant().and(limits),
            cells,
            alike,
        }
    }
}

/// An allow and the rows that it shows.
struct Grant<'a> {
    row: &'a AccessPolicy,
    rows: Rows,
}

/// A deny of rows and the rows that escape it.
struct Hide<'a> {
    row: &'a AccessPolicy,
    rows: Rows,
}

struct Parts<'a> {
    grants: Vec<Grant<'a>>,
    hides: Vec<Hide<'a>>,
    restricts: &'a [Placed<'a>],
}

impl Parts<'_> {
    fn any_grant(&self) -> Rows {
        let rows = self.grants.iter().map(|grant| grant.rows.clone());
        rows.fold(Rows::None, Rows::or)
    }

    /// A rule for each column that is not shown alike in every row, and one for the columns that no row names; and the
    /// named columns that need none.
    fn cells(&self) -> (Vec<CellRule>, Vec<String>) {
        let mut named: Vec<String> = Vec::new();
        let rows = self.grants.iter().map(|grant| grant.row);
        let rows = rows.chain(self.hides.iter().map(|hide| hide.row));
        let rows = rows.chain(self.restricts.iter().map(|(_, row)| *row));
        for row in rows {
            let masked = row.masks.iter().map(|(column, _)| column.to_owned());
            let columns = row.columns.iter().flatten();
            named.extend(columns.map(|column| fold(column)).chain(masked));
        }
        named.sort();
        named.dedup();
        let (mut rules, mut alike) = (Vec::new(), Vec::new());
        for column in named {
            match self.rule(Some(column.clone())) {
                Some(rule) => rules.push(rule),
                None => alike.push(column),
            }
        }
        rules.extend(self.rule(None));
        (rules, alike)
    }

    fn rule(&self, column: Option<String>) -> Option<CellRule> {
        let names = |row: &AccessPolicy| match (&row.columns, &column) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(columns), Some(column)) => columns.iter().any(|own| fold(own) == *column),
        };
        let mask = |row: &AccessPolicy| row.masks.of(column.as_deref()?);
        let showing = || self.grants.iter().filter(|grant| names(grant.row));
        let any = |rows: &mut dyn Iterator<Item = Rows>| rows.fold(Rows::None, Rows::or);
        let granted = any(&mut showing().map(|grant| grant.rows.clone()));
        let hides = self
            .hides
            .iter()
            .filter(|hide| hide.row.columns.is_some() && names(hide.row));
        let hides: Vec<Rows> = hides.map(|hide| hide.rows.clone()).collect();
        let is_hidden_somewhere = !hides.is_empty();
        let shown = hides.into_iter().fold(granted.clone(), Rows::and);
        let restricted = self.restricts.iter().filter_map(|(_, row)| mask(row)).max();
        let mut clear = showing().filter(|grant| mask(grant.row).is_none());
        let clear = any(&mut clear.by_ref().map(|grant| grant.rows.clone()));
        let masks = MASKS.iter().filter_map(|one| {
            let mut masking = showing().filter(|grant| mask(grant.row) == Some(*one));
            let rows = any(&mut masking.by_ref().map(|grant| grant.rows.clone()));
            (rows != Rows::None).then_some((*one, rows))
        });
        let masks: Vec<(Mask, Rows)> = masks.collect();
        // Where every row that is shown has the column and nothing masks it, the columns of the decision say it all.
        let is_in_all_rows = granted == self.any_grant() && !is_hidden_somewhere;
        let is_masked = restricted.is_some() || !masks.is_empty();
        (!is_in_all_rows || is_masked).then_some(CellRule {
            column,
            shown,
            clear,
            masks,
            restricted,
        })
    }
}

/// Every mask, the strictest first.
const MASKS: [Mask; 3] = [Mask::Null, Mask::Redact, Mask::Last4];

/// What may be seen under one decision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) columns: Columns,
    pub(crate) masks: Masks,
    /// At most so many rows at once.
    pub(crate) max_rows: Option<u32>,
    pub(crate) seen: Seen,
}

/// Why a batch is not shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotShown {
    /// The batch is malformed.
    #[error(transparent)]
    Batch(#[from] NotABatch),
    /// It lacks a column that the policy looks at.
    #[error(transparent)]
    Filter(#[from] NotFiltered),
    /// It has more rows than may be shown at once.
    #[error("{rows} rows, and at most {most} may be shown at once")]
    Crowd {
        /// How many there are.
        rows: usize,
        /// How many there may be.
        most: u32,
    },
}

impl From<NotShown> for Error {
    fn from(why: NotShown) -> Self {
        match why {
            NotShown::Batch(why) => why.into(),
            NotShown::Filter(why) => why.into(),
            NotShown::Crowd { .. } => {
                Self::new(Code::ObligationUnmet, why.to_string()).with_help("ask for fewer rows")
            }
        }
    }
}

impl View {
    /// What a decision shows; nothing after a deny.
    pub(crate) fn of(decision: &Decision) -> Self {
        Self {
            columns: decision.columns().clone(),
            masks: decision.masks().clone(),
            max_rows: decision.obligations().max_rows,
            seen: decision.seen().clone(),
        }
    }

    /// Whether nothing is hidden, masked or counted: every column of every row is shown clear.
    pub(crate) fn is_everything(&self) -> bool {
        self.columns == Columns::All
            && self.masks.is_empty()
            && self.max_rows.is_none()
            && self.seen.is_everything()
    }

    /// Whether the column is shown, or looked at to find what is.
    pub(crate) fn needs(&self, column: &str) -> bool {
        let reads = |rows: &Rows| match rows {
            Rows::All | Rows::None => false,
            Rows::Only(filter) => filter.columns().iter().any(|own| fold(own) == fold(column)),
        };
        let rules = self.seen.cells.iter();
        self.columns.contains(column)
            || reads(&self.seen.rows)
            || rules.into_iter().any(|rule| {
                let mut masks = rule.masks.iter();
                reads(&rule.shown) || reads(&rule.clear) || masks.any(|(_, rows)| reads(rows))
            })
    }

    /// The visible part of these rows.
    pub(crate) fn apply(&self, batch: &Batch) -> Result<Batch, NotShown> {
        let filtered;
        let batch = if self.seen.rows.is_all() {
            batch
        } else {
            let keep = self.seen.rows.matches(batch)?;
            filtered = batch.filter(&keep);
            &filtered
        };
        if let Some(most) = self.max_rows
            && u64::try_from(batch.rows()).is_ok_and(|rows| rows > u64::from(most))
        {
            let rows = batch.rows();
            return Err(NotShown::Crowd { rows, most });
        }
        let shown = show(&self.columns, &self.masks, batch)?;
        if self.seen.cells.is_empty() {
            return Ok(shown);
        }
        let mut cells = HashMap::new();
        for name in shown.names() {
            if let Some(rule) = self.seen.rule_of(name) {
                // The cells as they were: a rule knows its own masks.
                let column = batch.require(name)?;
                cells.insert(name.to_owned(), rule.cells_of(column, batch)?);
            }
        }
        Ok(shown.map_cells(|name, _| cells.get(name).cloned()))
    }
}

impl CellRule {
    /// The cells of a column that are shown, masked where they are not shown clear.
    fn cells_of(&self, column: &Column, batch: &Batch) -> Result<Cells, NotShown> {
        let (shown, clear) = (self.shown.matches(batch)?, self.clear.matches(batch)?);
        // The last of them stands for rows that an allow shows clear.
        let mut masked = Vec::with_capacity(self.masks.len() + 1);
        for (mask, rows) in &self.masks {
            let mask = self.restricted.map_or(*mask, |least| least.max(*mask));
            masked.push((mask.apply(column.cells()), rows.matches(batch)?));
        }
        let restricted = self.restricted.map(|mask| mask.apply(column.cells()));
        let last = masked.len();
        let is = |list: &[bool], row: usize| list.get(row).copied().unwrap_or(false);
        let cells = masked.iter().map(|(cells, _)| cells).chain(&restricted);
        let cells: Vec<&Cells> = cells.collect();
        Ok(column.cells().choose(&cells, |row| {
            if !is(&shown, row) {
                return Chosen::Nothing;
            }
            if is(&clear, row) {
                return match restricted {
                    Some(_) => Chosen::Masked(last),
                    None => Chosen::Clear,
                };
            }
            let first = masked.iter().position(|(_, rows)| is(rows, row));
            first.map_or(Chosen::Nothing, Chosen::Masked)
        }))
    }
}

impl Seen {
    /// After a deny.
    pub(super) fn nothing() -> Self {
        Self {
            rows: Rows::None,
            ..Self::default()
        }
    }

    /// Whether every cell of every row is shown alike.
    pub(super) fn is_everything(&self) -> bool {
        self.rows.is_all() && self.cells.is_empty()
    }

    /// Whether the rows that are seen are seen whole.
    pub(super) fn is_whole(&self) -> bool {
        self.cells.is_empty()
    }

    /// The rule for a column, if one is needed.
    fn rule_of(&self, column: &str) -> Option<&CellRule> {
        let name = fold(column);
        let own = self
            .cells
            .iter()
            .find(|rule| rule.column.as_ref() == Some(&name));
        own.or_else(|| {
            let is_named = self.alike.contains(&name);
            let others = self.cells.iter().find(|rule| rule.column.is_none());
            others.filter(|_| !is_named)
        })
    }
}

#[cfg(test)]
mod tests;
