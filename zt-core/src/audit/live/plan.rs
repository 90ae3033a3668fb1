//! What retention removes when a log opens.

use super::super::AuditOptions;
use super::super::checkpointer::Checkpointer;
use super::super::retire::Plan;
use super::super::status::Status;
use super::super::verify::known::Keys;
use crate::clock::Timestamp;

/// What retention removes. What cannot be retired now stays: that is no reason to refuse everything.
pub(super) fn plan(
    options: &AuditOptions,
    checkpointer: Option<&Checkpointer>,
    now: Timestamp,
    status: &Status,
) -> Plan {
    // Without a signature nobody could tell a removal by rule from one by somebody else.
    let (Some(age), Some(checkpointer)) = (options.retention, checkpointer) else {
        return Plan::default();
    };
    let keys = || {
        let now = checkpointer.audit_key()?;
        Ok(Keys {
            now,
            former: options.former_keys.clone(),
        })
    };
    match Plan::make(&options.folder, now, age, &options.cursors(), &keys) {
        Ok(plan) => {
            if let Some(blocked) = plan.blocked() {
                *status.last_error() = Some(blocked);
            }
            plan
        }
        Err(error) => {
            *status.last_error() = Some(error.to_string());
            Plan::default()
        }
    }
}
