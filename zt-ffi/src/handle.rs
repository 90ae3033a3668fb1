//! Secrets that are read again and again.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::sync::Arc;

use zt_core::secrets::Secret;
use zt_core::session::SecretHandle;

use crate::boundary::{Failure, give, given, guard_or, text};
use crate::error::zt_error;
use crate::executor::Executor;
use crate::guard::guard;
use crate::secret::{Place, zt_secret};
use crate::session::zt_session;
use crate::status::zt_status;

/// A secret that is read again and again, by a session under its claims. Every read is decided and audited as zt_secret_get
/// is; the handle saves looking up the name.
pub struct zt_secret_handle {
    handle: SecretHandle,
    executor: Arc<Executor>,
}

impl zt_secret_handle {
    fn read(&self) -> Result<Secret, Failure> {
        Ok(self.executor.wait(self.handle.get())?)
    }
}

impl std::fmt::Debug for zt_secret_handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.handle.fmt(f)
    }
}

/// A handle for a secret that is read often. Nothing is asked yet, neither policy nor vault.
///
/// `reference`: the row's id. `handle`: new; free it with zt_secret_handle_free.
/// Answers: OK, INVALID_ARGUMENT.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_session_secret_handle(
    session: Option<&zt_session>,
    reference: *const c_char,
    handle: Option<&mut MaybeUninit<*mut zt_secret_handle>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let session = given(session, "session")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let reference = unsafe { text(reference, "reference") }?;
        let place = given(handle, "handle")?;
        let made = zt_secret_handle {
            handle: session.session().secret_handle(reference),
            executor: Arc::clone(session.executor()),
        };
        give(place, made);
        Ok(())
    })
}

/// The secret, as zt_secret_get gives it.
///
/// `secret`: new; free it with zt_secret_free as soon as the value is used.
/// Answers: as zt_secret_get.
/// Threads: any, also at once. Blocks: as zt_secret_get. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_secret_handle_get(
    handle: Option<&zt_secret_handle>,
    secret: Option<&mut MaybeUninit<*mut zt_secret>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let handle = given(handle, "handle")?;
        let place = given(secret, "secret")?;
        give(place, zt_secret::new(handle.read()?));
        Ok(())
    })
}

/// The secret, copied into the program's own buffer, as zt_secret_read does it.
///
/// `buffer`: room for `capacity` bytes; NULL when `capacity` is 0. `length`: how many bytes the secret has; written also
/// when the answer is BUFFER_TOO_SMALL, and then nothing else is.
/// Answers: as zt_secret_get, and BUFFER_TOO_SMALL.
/// Threads: any, also at once. Blocks: as zt_secret_get. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_secret_handle_read(
    handle: Option<&zt_secret_handle>,
    buffer: *mut u8,
    capacity: usize,
    length: Option<&mut MaybeUninit<usize>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let handle = given(handle, "handle")?;
        let place = Place::new(buffer, capacity, length)?;
        // SAFETY: the C caller promises `capacity` writable bytes at `buffer`.
        unsafe { place.fill(&handle.read()?) }
    })
}

/// Frees it. NULL is allowed. Secrets that came from it stay, and its session is not needed for it.
///
/// Threads: any, once, after the last use. Blocks: never, unless it is the last handle of a freed runtime. @since 1
#[unsafe(no_mangle)]
pub extern "C" fn zt_secret_handle_free(handle: Option<Box<zt_secret_handle>>) {
    guard_or((), || drop(handle));
}
