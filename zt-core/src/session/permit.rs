//! A permit: an allow that carries its obligations, so that nobody forgets them.

use crate::batch::Batch;
use crate::error::Result;
use crate::policy::{self, Columns, Decision, Masks};

/// Proof that an action was allowed, with what the caller may see.
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
    /// None today; a mask that cannot be applied would be one.
    pub fn apply(&self, batch: &Batch) -> Result<Batch> {
        Ok(policy::show(self.columns(), self.masks(), batch)?)
    }

    /// The decision behind it.
    pub const fn decision(&self) -> &Decision {
        &self.decision
    }
}
