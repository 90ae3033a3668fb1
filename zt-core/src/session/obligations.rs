//! Does what an allow asks for before anything is seen, or refuses.
//!
//! In: a decision and rows in plain. Out: what may be seen of them. Never: fewer rows than the policy shows, without saying so.

use crate::batch::Batch;
use crate::envelope;
use crate::error::{Code, Error, Result};
use crate::metadata::EncryptionRule;
use crate::policy::{Decision, NotShown, View};
#[cfg(feature = "arrow")]
use {crate::text::fold, arrow_array::RecordBatch};

/// The visible part of these rows, if the obligations of the decision are met.
pub(super) fn apply(decision: &Decision, batch: &Batch) -> Result<Batch> {
    let shown = View::of(decision).apply(batch).map_err(|why| {
        let under = under(decision);
        match why {
            NotShown::Batch(why) => Error::from(why),
            NotShown::Filter(why) => Error::from(why),
            NotShown::Crowd { .. } => unmet(decision, &format!("{why} ({under})"), "ask for fewer"),
        }
    })?;
    refuse_plain(decision, &shown)?;
    Ok(shown)
}

/// The same for a batch of Arrow.
#[cfg(feature = "arrow")]
pub(super) fn apply_arrow(decision: &Decision, batch: &RecordBatch) -> Result<RecordBatch> {
    let shown = View::of(decision).apply_arrow(batch).map_err(|why| {
        if why.code() != Code::ObligationUnmet {
            return why;
        }
        let message = format!("{} ({})", why.message(), under(decision));
        unmet(decision, &message, "ask for fewer")
    })?;
    refuse_where(decision, |rule, column| {
        let fields = shown.schema_ref().fields().iter().zip(shown.columns());
        let mut found = fields.filter(|(field, _)| fold(field.name()) == fold(column));
        found.any(|(_, array)| {
            !array.is_empty() && !envelope::is_sealed_under(rule.id.as_str(), batch, array)
        })
    })?;
    Ok(shown)
}

/// Data that must be sealed is refused while a column of its rule stands in plain.
fn refuse_plain(decision: &Decision, batch: &Batch) -> Result<()> {
    refuse_where(decision, |_, column| {
        let found = batch.columns().iter().find(|own| own.is_called(column));
        found.is_some_and(|found| !found.is_empty() && !envelope::is_sealed(found.cells()))
    })
}

fn refuse_where(
    decision: &Decision,
    is_plain: impl Fn(&EncryptionRule, &str) -> bool,
) -> Result<()> {
    for rule in rules(decision) {
        for column in &rule.columns {
            let is_masked = decision.masks().of(column).is_some();
            if !is_masked && is_plain(rule, column) {
                let message = format!(
                    "`{column}` stands in plain, and {} demands that rule `{}` seals it",
                    under(decision),
                    rule.id
                );
                return Err(unmet(
                    decision,
                    &message,
                    "seal it with `Session::sealer` first; sealed bytes count beside the keys of their rows, `_zt_key`",
                ));
            }
        }
    }
    Ok(())
}

/// The rules of Encryption_Rules under which data must be sealed. A rule that is not there was refused when tables loaded.
pub(super) fn rules(decision: &Decision) -> impl Iterator<Item = &EncryptionRule> {
    let rules = decision.snapshot().tables().encryption_rules.iter();
    rules.filter(|rule| decision.obligations().encrypt.contains(&rule.id))
}

fn under(decision: &Decision) -> String {
    let rows: Vec<String> = decision.restrictions().map(ToString::to_string).collect();
    rows.join(", ")
}

/// An allow whose obligations are not met.
pub(super) fn unmet(decision: &Decision, message: &str, help: &str) -> Error {
    Error::new(Code::ObligationUnmet, message)
        .with_help(help)
        .with_decision(decision.clone())
}
