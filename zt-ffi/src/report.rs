//! Reporting how well a model does.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use crate::batch::zt_batch;
use crate::boundary::{give, given, text};
use crate::error::zt_error;
use crate::guard::guard;
use crate::session::zt_session;
use crate::status::zt_status;
use crate::text::zt_text;

/// Computes from these rows the metrics that the model's rows of Alert_Rules ask for, and delivers the alerts that fire.
/// The caller needs `metric.report` on the model.
///
/// `model`: its name, such as "car_loan_scorer". `evaluation`: the state of each rule, a JSON object; a new text, free it
/// with zt_text_free. docs/src/monitoring.md has its fields.
/// Answers: OK (also when alerts fire), DENIED, NOT_FOUND, ALERTS_UNAVAILABLE (the alert stands in the audit log),
/// TOKEN_EXPIRED, AUDIT_UNAVAILABLE, METADATA_STALE, INVALID_ARGUMENT, INVALID_METADATA (reference data that cannot be used).
/// Threads: any, also at once. Blocks: on the disk. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_log_batch(
    session: Option<&zt_session>,
    model: *const c_char,
    batch: Option<&zt_batch>,
    evaluation: Option<&mut MaybeUninit<*mut zt_text>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let session = given(session, "session")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let model = unsafe { text(model, "model") }?;
        let batch = given(batch, "batch")?.batch();
        let place = given(evaluation, "evaluation")?;
        let reporting = session.session().log_batch(model, batch);
        let evaluated = session.executor().complete(reporting)?;
        give(place, zt_text::json(&evaluated)?);
        Ok(())
    })
}
