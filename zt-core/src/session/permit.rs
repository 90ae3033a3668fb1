//! A permit: an allow that carries its obligations, so that nobody forgets them.

use super::obligations;
use crate::batch::Batch;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::policy::{
    Columns, Decision, Dialect, Masks, NotInDialect, Obligations, Rows, Selection, View,
};

/// Proof that an action was allowed, with what the caller may see. It says what was decided then: who has held it for long, at the
/// latest until its [`lease`](Self::lease), asks for it anew with [`Session::renew`](super::Session::renew).
#[derive(Debug, Clone)]
#[must_use = "a permit carries obligations: at least the visible columns"]
pub struct Permit {
    decision: Decision,
}

impl Permit {
    pub(super) const fn new(decision: Decision) -> Self {
        Self { decision }
    }

    /// The columns that may be seen.
    #[must_use]
    pub fn columns(&self) -> &Columns {
        self.decision.columns()
    }

    /// The visible columns whose cells are masked.
    #[must_use]
    pub fn masks(&self) -> &Masks {
        self.decision.masks()
    }

    /// What must be done beside that: [`apply`](Self::apply) does it or refuses.
    #[must_use]
    pub fn obligations(&self) -> &Obligations {
        self.decision.obligations()
    }

    /// Until when time alone cannot end it: see [`Decision::lease`].
    #[must_use]
    pub fn lease(&self) -> Option<Timestamp> {
        self.decision.lease()
    }

    /// What the caller may see of these rows: the visible columns, in the order in which rows of Access_Policies name them,
    /// masked where the policy says so. A visible column that the batch does not have is left out.
    ///
    /// ```
    /// # use zt_core::{Permit, Result, batch::Batch};
    /// fn elins_view(permit: &Permit, scores: &Batch) -> Result<String> {
    ///     Ok(permit.apply(scores)?.to_csv()) // id,y_pred,scored_at: three of six columns
    /// }
    /// ```
    ///
    /// # Errors
    /// `Denied` with [`Code::ObligationUnmet`](crate::Code::ObligationUnmet) for more rows than the policy shows at once,
    /// and for data that must be sealed first and is not. Nothing is cut silently.
    pub fn apply(&self, batch: &Batch) -> Result<Batch> {
        obligations::apply(&self.decision, batch)
    }

    /// The same as [`apply`](Self::apply) for a batch of Arrow: columns keep their types, but for masked dictionaries of text,
    /// which become text. Notes of the schema go with a batch that is shown whole; of a part, fields keep those of Arrow's
    /// extension types alone, because libraries note what hidden cells hold.
    ///
    /// # Errors
    /// As [`apply`](Self::apply); `Invalid` too for a column of a type that a row filter cannot read or a mask cannot hide in
    /// part.
    #[cfg(feature = "arrow")]
    pub fn apply_arrow(
        &self,
        batch: &arrow_array::RecordBatch,
    ) -> Result<arrow_array::RecordBatch> {
        obligations::apply_arrow(&self.decision, batch)
    }

    /// The parts of a query that shows what the caller may see of a table with these columns, for an engine that holds the
    /// rows: `SELECT {columns} FROM … WHERE {filter}`. A masked cell is `[redacted]`, or `****` where [`apply`](Self::apply)
    /// would show its end. The limit of [`obligations`](Self::obligations) on the number of rows is not in it.
    ///
    /// ```
    /// # use zt_core::{Permit, policy::{Dialect, NotInDialect}};
    /// fn query(permit: &Permit) -> Result<String, NotInDialect> {
    ///     let selection = permit.select(Dialect::Spark, &["id", "region", "iban"])?;
    ///     let (columns, filter) = (selection.columns.join(", "), selection.filter);
    ///     Ok(format!("SELECT {columns} FROM gold.loan_scores WHERE {filter}"))
    /// }
    /// ```
    ///
    /// # Errors
    /// [`NotInDialect`] where the dialect cannot say exactly which rows or cells may be seen.
    pub fn select(&self, dialect: Dialect, columns: &[&str]) -> Result<Selection, NotInDialect> {
        View::of(&self.decision).select(dialect, columns)
    }

    /// Which rows may be seen: [`apply`](Self::apply) and [`select`](Self::select) show no others.
    #[must_use]
    pub fn row_filter(&self) -> &Rows {
        self.decision.row_filter()
    }

    /// The decision behind it.
    pub const fn decision(&self) -> &Decision {
        &self.decision
    }
}
