//! The audit log, read by those who may, and verified by whoever has its files.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use zt_core::audit::{self, PublicKey, VerifyOptions};
use zt_core::{Code, Error};

use crate::boundary::{Failure, give, given, text, text_or_null};
use crate::error::zt_error;
use crate::guard::guard;
use crate::runtime::zt_runtime;
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

/// The same for who runs the process: nobody is asked for a right, so it must not answer a remote caller. Near misses are left
/// out.
///
/// `records`: a new text; free it with zt_text_free.
/// Answers: OK, AUDIT_UNAVAILABLE, CLOSED, INVALID_ARGUMENT.
/// Threads: any, also at once. Blocks: on the disk. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_runtime_audit_tail(
    runtime: Option<&zt_runtime>,
    count: usize,
    records: Option<&mut MaybeUninit<*mut zt_text>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let runtime = given(runtime, "runtime")?;
        let records = given(records, "records")?;
        let entries = runtime.runtime().audit_tail(count)?;
        give(records, zt_text::json(&entries)?);
        Ok(())
    })
}

/// Whether every log of an audit folder is what was written and signed. Needs no runtime and no right but to read the files,
/// changes nothing, and may run while the log is being written.
///
/// `folder`: a path, such as ".zt/audit". `key`: an audit key to trust, PEM, as `zt audit key` prints it; then every log that has
/// ended must be signed under it. NULL holds the folder against itself alone. `is_intact`: whether there is no finding; may
/// be NULL. `report`: a JSON object, as `zt audit verify --json` prints it: `intact`, `writers`, `segments`, `records`,
/// `unsigned`, `heads`, `recoveries`, `notes`, and `findings`, each with `file`, `line`, `seq`, `byte_offset`, `what` and
/// `message`; docs/src/audit-log.md has the kinds. A new text; free it with zt_text_free.
/// Answers: OK (also when it is not intact), AUDIT_UNAVAILABLE when the folder or a file cannot be read, INVALID_ARGUMENT.
/// Threads: any, also at once. Blocks: on the disk, for all of the log. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_audit_verify(
    folder: *const c_char,
    key: *const c_char,
    is_intact: Option<&mut MaybeUninit<bool>>,
    report: Option<&mut MaybeUninit<*mut zt_text>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let folder = unsafe { text(folder, "folder") }?;
        // SAFETY: the C caller promises NULL or a NUL-terminated string that stays for the call.
        let key = unsafe { text_or_null(key, "key") }?;
        let report = given(report, "report")?;
        let options = match key {
            Some(pem) => VerifyOptions::new().with_key(trusted(pem)?),
            None => VerifyOptions::new(),
        };
        let found = audit::verify_with(folder, &options).map_err(Error::from)?;
        give(report, zt_text::json(&found)?);
        if let Some(is_intact) = is_intact {
            is_intact.write(found.is_intact());
        }
        Ok(())
    })
}

fn trusted(pem: &str) -> Result<PublicKey, Failure> {
    PublicKey::from_pem(pem).ok_or_else(|| {
        let message = "`key` holds no P-256 public key in PEM";
        let error = Error::new(Code::InvalidArgument, message);
        error
            .with_help("`zt audit key` prints the key of a configuration")
            .into()
    })
}
