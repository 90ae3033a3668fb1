//! What a job needs, before it runs.

use std::mem::MaybeUninit;

use crate::boundary::{give, given};
use crate::error::zt_error;
use crate::guard::guard;
use crate::session::zt_session;
use crate::status::zt_status;
use crate::text::zt_text;

/// Everything that a job needs, or every reason why it may not run: its stages in order, and for each who runs it, rights,
/// names of secrets, hosts with their network rules, integration runtime, cluster. A JSON object; docs/src/plan.md has its
/// fields. Never a value of a secret.
///
/// The caller needs `job.plan` on the job. `is_runnable`: whether nothing is missing; may be NULL. `plan`: a new text; free
/// it with zt_text_free.
/// Answers: OK (also when something is missing), DENIED, NOT_FOUND, TOKEN_EXPIRED, AUDIT_UNAVAILABLE, METADATA_STALE,
/// INVALID_ARGUMENT.
/// Threads: any, also at once. Blocks: on the disk for the first of identical denies. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_plan(
    session: Option<&zt_session>,
    job: u32,
    is_runnable: Option<&mut MaybeUninit<bool>>,
    plan: Option<&mut MaybeUninit<*mut zt_text>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let session = given(session, "session")?;
        let place = given(plan, "plan")?;
        let planned = session.session().plan(job)?;
        let text = zt_text::json(&planned)?;
        if let Some(is_runnable) = is_runnable {
            is_runnable.write(planned.is_runnable());
        }
        give(place, text);
        Ok(())
    })
}
