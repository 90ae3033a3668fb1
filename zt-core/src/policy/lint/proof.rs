//! Denies and restrictions that ask for a proof: who has one keeps it in the pocket, so the test holds nobody apart.

use super::row::Row;
use super::{Finding, Lint};
use crate::policy::Effect;

/// A row that stands for whoever proves nothing, with a test that reads as if it did not.
pub(super) fn never_false(row: &Row<'_>) -> Option<Finding> {
    let does = match row.policy.effect {
        Effect::Allow => return None,
        Effect::Deny => "denies",
        Effect::Restrict => "restricts",
    };
    if !row.policy.when.asks_for_proof() {
        return None;
    }
    let reason = format!(
        "`context.proven` is never false here: it is unknown to who presents no grant, and an unknown disarms nothing, so \
         the row {does} them too"
    );
    let fix = "remove the test; a deny of `not context.proven` is for who proves nothing";
    Some(Finding::policy(Lint::NeverFalse, &[row.policy]).because(reason, fix))
}
