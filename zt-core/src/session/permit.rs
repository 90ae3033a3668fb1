//! A permit: an allow that carries its obligations, so that nobody forgets them.

use crate::policy::{Columns, Decision};

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

    /// The decision behind it.
    pub const fn decision(&self) -> &Decision {
        &self.decision
    }
}
