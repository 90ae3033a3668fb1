//! What an allow shows of rows: its columns, masked where they must be, and no more rows at once than it may.
//!
//! In: a decision. Out: the visible part of a batch, or why nothing of it may be shown. Never: a part for the whole.

use super::{Columns, Decision, Masks, show};
use crate::batch::{Batch, NotABatch};
use crate::error::{Code, Error};

/// What may be seen under one decision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) columns: Columns,
    pub(crate) masks: Masks,
    /// At most so many rows at once.
    pub(crate) max_rows: Option<u32>,
}

/// Why a batch is not shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotShown {
    /// The batch is malformed.
    #[error(transparent)]
    Batch(#[from] NotABatch),
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
        }
    }

    /// The visible part of these rows.
    pub(crate) fn apply(&self, batch: &Batch) -> Result<Batch, NotShown> {
        let shown = show(&self.columns, &self.masks, batch)?;
        match self.max_rows {
            Some(most) if u64::try_from(shown.rows()).is_ok_and(|rows| rows > u64::from(most)) => {
                let rows = shown.rows();
                Err(NotShown::Crowd { rows, most })
            }
            Some(_) | None => Ok(shown),
        }
    }
}
