//! A verified caller's session.

use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;
use std::sync::Arc;

use zt_core::{Code, Error, Session};

use crate::boundary::{c_string, give, given, guard_or, text};
use crate::error::zt_error;
use crate::executor::Executor;
use crate::guard::guard;
use crate::runtime::zt_runtime;
use crate::status::zt_status;

/// What one authenticated caller may do. Ends when the caller's token does.
pub struct zt_session {
    session: Session,
    name: CString,
    executor: Arc<Executor>,
}

impl zt_session {
    pub(crate) fn new(session: Session, executor: &Arc<Executor>) -> Self {
        Self {
            name: c_string(&session.name()),
            session,
            executor: Arc::clone(executor),
        }
    }

    pub(crate) const fn session(&self) -> &Session {
        &self.session
    }

    pub(crate) const fn executor(&self) -> &Arc<Executor> {
        &self.executor
    }
}

impl std::fmt::Debug for zt_session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.session.fmt(f)
    }
}

/// Verifies a caller's Entra access token.
///
/// `token`: the token, with or without `Bearer ` before it. `session`: a new handle; free it with zt_session_free.
/// Answers: OK, INVALID_TOKEN, TOKEN_EXPIRED, TOKEN_NOT_YET_VALID, MISSING_CREDENTIALS, KEYS_UNAVAILABLE,
/// AUDIT_UNAVAILABLE, INVALID_ARGUMENT. The error's message tells the exact reason and is for the log of this process; a
/// remote caller may see zt_error_public_message alone.
/// Threads: any, also at once. Blocks: on the disk, and on the network while the issuer's keys are not known.
/// @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_authenticate(
    runtime: Option<&zt_runtime>,
    token: *const c_char,
    session: Option<&mut MaybeUninit<*mut zt_session>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let runtime = given(runtime, "runtime")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let token = unsafe { text(token, "token") }?;
        let place = given(session, "session")?;
        let executor = runtime.executor();
        let session = executor.wait(runtime.runtime().authenticate(token))?;
        give(place, zt_session::new(session, executor));
        Ok(())
    })
}

/// A session of the process itself: a managed identity, a service principal of the environment (AZURE_TENANT_ID,
/// AZURE_CLIENT_ID and a secret or a federated token file), in development also who ran `az login`. Its token is verified as
/// anyone's is, so the identity needs an app role of this application. Asking again is cheap, and due when the session has
/// ended.
///
/// `session`: a new handle; free it with zt_session_free.
/// Answers: OK, NO_OWN_IDENTITY (the message lists what was tried), IDENTITY_UNAVAILABLE, and those of zt_authenticate.
/// Threads: any, also at once. Blocks: on the network, at most about a minute, and on the disk. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_runtime_workload(
    runtime: Option<&zt_runtime>,
    session: Option<&mut MaybeUninit<*mut zt_session>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let runtime = given(runtime, "runtime")?;
        let place = given(session, "session")?;
        let executor = runtime.executor();
        let session = executor.wait(runtime.runtime().workload())?;
        give(place, zt_session::new(session, executor));
        Ok(())
    })
}

/// The same caller, claiming to work on a stage of a job. Claimed, not proven: a guard rail, recorded as asserted.
///
/// `claiming`: a new handle beside `session`, which stays as it is; free both with zt_session_free.
/// Answers: OK, INVALID_ARGUMENT.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_session_claiming(
    session: Option<&zt_session>,
    job: u32,
    stage: u32,
    claiming: Option<&mut MaybeUninit<*mut zt_session>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let session = given(session, "session")?;
        let place = given(claiming, "claiming")?;
        let claiming = session.session.claiming(job, stage);
        give(place, zt_session::new(claiming, &session.executor));
        Ok(())
    })
}

/// The same caller, saying who proposed the change that is to be approved: "user:jonas". Claimed, as job and stage are.
///
/// `claiming`: a new handle beside `session`, which stays as it is; free both with zt_session_free.
/// Answers: OK, INVALID_ARGUMENT.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_session_claiming_author(
    session: Option<&zt_session>,
    author: *const c_char,
    claiming: Option<&mut MaybeUninit<*mut zt_session>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let session = given(session, "session")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let author = unsafe { text(author, "author") }?;
        let place = given(claiming, "claiming")?;
        let author = author.parse().map_err(|why: zt_core::id::NotAPrincipal| {
            Error::new(Code::InvalidArgument, format!("`author`: {why}"))
        })?;
        let claiming = session.session.claiming_author(author);
        give(place, zt_session::new(claiming, &session.executor));
        Ok(())
    })
}

/// The same caller, stating a further fact that a row of Attributes declares, `context.NAME`. Claimed, as job and stage are.
///
/// `name`: without `context.`. `value`: as people write it, read by the attribute's type; the members of a set are separated
/// by commas. `claiming`: a new handle beside `session`, which stays as it is; free both with zt_session_free.
/// Answers: OK, INVALID_ARGUMENT (also for an attribute that the tables do not declare; the value is never repeated).
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_session_claiming_fact(
    session: Option<&zt_session>,
    name: *const c_char,
    value: *const c_char,
    claiming: Option<&mut MaybeUninit<*mut zt_session>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let session = given(session, "session")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let name = unsafe { text(name, "name") }?;
        // SAFETY: as above.
        let value = unsafe { text(value, "value") }?;
        let place = given(claiming, "claiming")?;
        let claiming = session.session.claiming_text(name, value)?;
        give(place, zt_session::new(claiming, &session.executor));
        Ok(())
    })
}

/// The caller's readable id when the session was made, such as "user:maya", or "oid:..." when no row of Principals names
/// the caller. Borrowed from `session`; "" for NULL.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_session_name(session: Option<&zt_session>) -> *const c_char {
    session.map_or(c"".as_ptr(), |session| session.name.as_ptr())
}

/// Frees it. NULL is allowed. Decisions, secrets and claiming sessions that came from it stay.
///
/// Threads: any, once, after the last use. Blocks: never, unless it is the last handle of a freed runtime. @since 1
#[unsafe(no_mangle)]
pub extern "C" fn zt_session_free(session: Option<Box<zt_session>>) {
    guard_or((), || drop(session));
}
