//! Rows in memory, by column: what masks are applied to, what is sealed, what metrics are computed from.
//!
//! In: columns of one length, or CSV. Out: the same. Names of columns ignore case, as in policies, so no two columns of a
//! batch may differ in case alone: a right on one would be a right on both. A batch never prints its cells.

#[cfg(feature = "arrow")]
mod arrow;
mod cells;
mod csv;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::Range;

#[cfg(feature = "arrow")]
pub use arrow::bare_type;
#[cfg(feature = "arrow")]
pub(crate) use arrow::{field, retaining};
pub use cells::{Cells, Column};

use crate::error::{Code, Error};
use crate::text::{is_hidden, shown};

/// Rows of data, by column. Every column has the same number of rows; its `Debug` shows names and types alone.
///
/// ```
/// # use zt_core::batch::Batch;
/// let loans = Batch::from_csv("id,car_value\n70000,53459\n70001,\n".as_bytes())?;
/// assert_eq!((loans.rows(), loans.names().count()), (2, 2));
/// let values = loans.require("car_value")?.numbers()?;
/// assert_eq!(*values, [Some(53459.0), None]);
/// # Ok::<(), zt_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Default)]
pub struct Batch {
    columns: Vec<Column>,
    rows: usize,
}

/// The rows and columns do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotABatch {
    /// Columns differ in length.
    #[error(
        "column `{}` has {is} rows, the columns before it have {needs}",
        shown(column)
    )]
    #[non_exhaustive]
    Length {
        /// The column.
        column: String,
        /// Its rows.
        is: usize,
        /// The rows of the others.
        needs: usize,
    },
    /// Two columns have one name, where case does not count.
    #[error(
        "two columns are called `{}`; case does not tell them apart",
        shown(column)
    )]
    #[non_exhaustive]
    Repeated {
        /// The name.
        column: String,
    },
    /// A column has no name.
    #[error("column {number} has no name")]
    #[non_exhaustive]
    Unnamed {
        /// Which one, from 1.
        number: usize,
    },
    /// A name that looks like another one and is not: what a policy hides under that one would be shown under this.
    #[error(
        "the name of column {number}, `{}`, has a blank at its edge or an invisible character",
        shown(column)
    )]
    #[non_exhaustive]
    Spelling {
        /// Which one, from 1.
        number: usize,
        /// The name.
        column: String,
    },
    /// No column is called so.
    #[error("no column is called `{}`{}", shown(column), nearest(near.as_deref()))]
    #[non_exhaustive]
    Missing {
        /// The name.
        column: String,
        /// The nearest name that a column has.
        near: Option<String>,
    },
    /// A cell is not a number. It may hold somebody's data, so the message does not repeat it.
    #[error("row {row} of column `{}` is not a number", shown(column))]
    #[non_exhaustive]
    NotANumber {
        /// The column.
        column: String,
        /// The row, from 1.
        row: usize,
    },
    /// The text is not CSV.
    #[error("not CSV: {what}")]
    #[non_exhaustive]
    NotCsv {
        /// What is wrong and where; never a cell.
        what: String,
    },
}

fn nearest(near: Option<&str>) -> String {
    near.map(|near| format!("; did you mean `{}`?", shown(near)))
        .unwrap_or_default()
}

/// Whether a name of a column begins and ends with something to be seen, and hides nothing in between.
pub(crate) fn is_plain(name: &str) -> bool {
    name.trim() == name && !name.chars().any(is_hidden)
}

impl From<NotABatch> for Error {
    fn from(why: NotABatch) -> Self {
        Self::new(Code::InvalidArgument, why.to_string())
    }
}

impl Batch {
    /// A batch of these columns.
    ///
    /// # Errors
    /// Columns of different length, without a name, with a blank at its edge or an invisible character in it, or of the same
    /// name where case does not count.
    pub fn new(columns: Vec<Column>) -> Result<Self, NotABatch> {
        let rows = columns.first().map_or(0, Column::len);
        let mut batch = Self {
            columns: Vec::with_capacity(columns.len()),
            rows,
        };
        // A set, so that many columns of a stranger's header cost time by their number and not by its square.
        let mut known = HashSet::with_capacity(columns.len());
        for column in columns {
            let is_repeated = !known.insert(column.name().to_lowercase());
            batch.push(column, is_repeated)?;
        }
        Ok(batch)
    }

    /// The same with one more column at the end.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_column(mut self, column: Column) -> Result<Self, NotABatch> {
        if self.columns.is_empty() {
            self.rows = column.len();
        }
        let is_repeated = self.column(column.name()).is_some();
        self.push(column, is_repeated)?;
        Ok(self)
    }

    fn push(&mut self, column: Column, is_repeated: bool) -> Result<(), NotABatch> {
        if column.name().trim().is_empty() {
            let number = self.columns.len() + 1;
            return Err(NotABatch::Unnamed { number });
        }
        if !is_plain(column.name()) {
            return Err(NotABatch::Spelling {
                number: self.columns.len() + 1,
                column: column.name().to_owned(),
            });
        }
        if column.len() != self.rows {
            return Err(NotABatch::Length {
                column: column.name().to_owned(),
                is: column.len(),
                needs: self.rows,
            });
        }
        if is_repeated {
            return Err(NotABatch::Repeated {
                column: column.name().to_owned(),
            });
        }
        self.columns.push(column);
        Ok(())
    }

    /// The number of rows.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// The columns, in order.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The columns, taken out.
    #[must_use]
    pub fn into_columns(self) -> Vec<Column> {
        self.columns
    }

    /// The names of the columns, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.columns.iter().map(Column::name)
    }

    /// The column of this name, where case does not count.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.is_called(name))
    }

    /// The same for a column that must be there.
    ///
    /// # Errors
    /// [`NotABatch::Missing`] with the nearest name.
    pub fn require(&self, name: &str) -> Result<&Column, NotABatch> {
        self.column(name).ok_or_else(|| NotABatch::Missing {
            column: name.to_owned(),
            near: crate::text::nearest(name, &self.names().collect::<Vec<_>>()),
        })
    }

    /// The columns of these names, in this order.
    ///
    /// # Errors
    /// [`NotABatch::Missing`], or [`NotABatch::Repeated`] for a name given twice.
    pub fn select(&self, names: &[&str]) -> Result<Self, NotABatch> {
        let known = self.columns.iter();
        let known: HashMap<String, &Column> = known
            .map(|column| (column.name().to_lowercase(), column))
            .collect();
        let columns: Result<_, _> = names
            .iter()
            .map(|name| match known.get(&name.to_lowercase()) {
                Some(column) => Ok((*column).clone()),
                None => self.require(name).cloned(),
            })
            .collect();
        let mut batch = Self::new(columns?)?;
        batch.rows = self.rows;
        Ok(batch)
    }

    /// The same with other cells in the columns for which `cells` has some. Cells that are not as many hide the column.
    pub(crate) fn map_cells(self, cells: impl Fn(&str, &Cells) -> Option<Cells>) -> Self {
        let map = |column: Column| match cells(column.name(), column.cells()) {
            Some(cells) if cells.len() == column.len() => Column::new(column.name(), cells),
            Some(_) => Column::new(column.name(), column.cells().all_null()),
            None => column,
        };
        Self {
            columns: self.columns.into_iter().map(map).collect(),
            rows: self.rows,
        }
    }

    /// The rows for which `keep` says so, in their order; rows that it does not know are left out.
    #[must_use]
    pub(crate) fn filter(&self, keep: &[bool]) -> Self {
        Self {
            rows: keep.iter().take(self.rows).filter(|keep| **keep).count(),
            columns: self
                .columns
                .iter()
                .map(|column| column.filter(keep))
                .collect(),
        }
    }

    /// These rows of it, from 0; what lies beyond the end is left out.
    #[must_use]
    pub fn slice(&self, rows: Range<usize>) -> Self {
        let end = rows.end.min(self.rows);
        let rows = rows.start.min(end)..end;
        Self {
            rows: rows.len(),
            columns: self
                .columns
                .iter()
                .map(|column| column.slice(rows.clone()))
                .collect(),
        }
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("rows", &self.rows)
            .field("columns", &self.columns)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(name: &str, cells: &[f64]) -> Column {
        Column::new(
            name,
            Cells::Number(cells.iter().copied().map(Some).collect()),
        )
    }

    #[test]
    fn columns_of_different_length_are_refused() {
        let why = Batch::new(vec![numbers("a", &[1.0, 2.0]), numbers("b", &[1.0])]).unwrap_err();
        assert_eq!(
            why.to_string(),
            "column `b` has 1 rows, the columns before it have 2"
        );
    }

    #[test]
    fn case_does_not_tell_columns_apart() {
        let why = Batch::new(vec![numbers("a", &[1.0]), numbers("A", &[2.0])]).unwrap_err();
        assert!(matches!(why, NotABatch::Repeated { .. }));
        let batch = Batch::new(vec![numbers("Score", &[1.0])]).unwrap();
        assert!(batch.column("sCORE").is_some());
    }

    #[test]
    fn a_name_that_only_looks_like_another_is_refused() {
        for name in ["a ", "\u{a0}a", "a\n", "a\u{200b}b", "\u{202e}a"] {
            let why = Batch::new(vec![numbers("x", &[1.0]), numbers(name, &[1.0])]).unwrap_err();
            assert!(
                matches!(why, NotABatch::Spelling { number: 2, .. }),
                "{why}"
            );
        }
        assert!(Batch::new(vec![numbers("Größe in m²", &[1.0])]).is_ok());
    }

    #[test]
    fn a_missing_column_names_the_nearest() {
        let batch = Batch::new(vec![numbers("car_value", &[1.0])]).unwrap();
        let why = batch.require("car_valu").unwrap_err();
        assert_eq!(
            why.to_string(),
            "no column is called `car_valu`; did you mean `car_value`?"
        );
    }

    #[test]
    fn a_slice_ends_where_the_rows_end() {
        let batch = Batch::new(vec![numbers("a", &[1.0, 2.0, 3.0])]).unwrap();
        assert_eq!(batch.slice(1..9).rows(), 2);
        assert_eq!(batch.slice(5..9).rows(), 0);
        assert_eq!(
            *batch.slice(1..2).columns()[0].numbers().unwrap(),
            [Some(2.0)]
        );
    }

    #[test]
    fn a_selection_of_no_columns_keeps_its_rows() {
        let batch = Batch::new(vec![numbers("a", &[1.0, 2.0])]).unwrap();
        assert_eq!(batch.select(&[]).unwrap().rows(), 2);
    }

    #[test]
    fn debug_shows_no_cell() {
        let cells = Cells::Text(vec![Some("zt-needle-cell".to_owned())]);
        let batch = Batch::new(vec![Column::new("name", cells)]).unwrap();
        assert_eq!(
            format!("{batch:?}"),
            "Batch { rows: 1, columns: [name: text] }"
        );
    }
}
