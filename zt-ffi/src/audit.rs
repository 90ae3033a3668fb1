//! The audit log, read by those who may.

use std::mem::MaybeUninit;

use crate::boundary::{give, given};
use crate::error::zt_error;
use crate::guard::guard;
use crate::session::zt_session;
use crate::status::zt_status;
use crate::text::zt_text;

/// The newest `count` records of the audit log, oldest first: a JSON array of objects.
///
/// The caller of `session` needs `audit.read` on `audit:log`. Everything recorded before the call is on disk and in the
/// answer.
///
/// `records`: a new text; free it with zt_text_free.
/// Answers: OK, DENIED, AUDIT_INTEGRITY, AUDIT_UNAVAILABLE, TOKEN_EXPIRED, INVALID_ARGUMENT.
/// Threads: any, also at once. Blocks: on the disk. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_audit_tail(
    session: Option<&zt_session>,
    count: usize,
    records: Option<&mut MaybeUninit<*mut zt_text>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let session = given(session, "session")?;
        let records = given(records, "records")?;
        let entries = session.session().audit_tail(count)?;
        give(records, zt_text::json(&entries)?);
        Ok(())
    })
}
