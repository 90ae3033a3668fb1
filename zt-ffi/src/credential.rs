//! The process's own identity from the program: a callback that gives tokens.
//!
//! In: a scope. Out: a token, or why there is none: the number that the callback answered, never a text of the program, which
//! may hold a token. The callback runs on a thread that may wait.

use std::ffi::{CString, c_char, c_void};
use std::fmt;
use std::mem::MaybeUninit;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::spawn_blocking;
use zeroize::Zeroizing;
use zt_core::clock::Timestamp;
use zt_core::identity::{AccessToken, CredentialError, TokenCredential};
use zt_core::port::BoxFuture;
use zt_core::runtime::RuntimeBuilder;
use zt_core::{Code, Error};

use crate::boundary::{Failure, c_string, give, given, text};
use crate::error::zt_error;
use crate::executor::Executor;
use crate::guard::guard;
use crate::options::{configured, settings, zt_open_options};
use crate::runtime::zt_runtime;
use crate::status::{ZT_STATUS_IDENTITY_UNAVAILABLE, ZT_STATUS_OK, zt_status};

/// Where a zt_token_fn puts its token. Borrowed by it, and zt's to free.
pub struct zt_token(Mutex<Option<AccessToken>>);

/// Gives a token of the process itself for `scope`, such as "https://vault.azure.net/.default": puts it into `token` by
/// zt_token_set and answers ZT_STATUS_OK. ZT_STATUS_IDENTITY_UNAVAILABLE says that the issuer cannot be reached now, every
/// other answer that it refuses. `scope` and `token` end when it returns.
///
/// It runs on threads of zt that may wait, maybe on several at once. zt keeps what it gives and asks again before that ends. It
/// must not throw an exception, longjmp or wait for a call of zt.
pub type zt_token_fn = Option<
    unsafe extern "C-unwind" fn(
        user_data: *mut c_void,
        scope: *const c_char,
        token: Option<&zt_token>,
    ) -> zt_status,
>;

/// Told once that a zt_token_fn runs no more and its `user_data` is not needed: after the last handle of the runtime is freed and
/// the last call has returned, on any thread. It must not throw an exception, longjmp or wait for a call of zt.
pub type zt_release_fn = Option<unsafe extern "C-unwind" fn(user_data: *mut c_void)>;

/// So long a token is at most.
const MOST_BYTES: usize = 64 * 1024;

impl fmt::Debug for zt_token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("zt_token")
    }
}

/// zt_open_with, with an identity of the process that the program gives: for zt_runtime_workload, and for vaults.
///
/// `get_token`, `user_data`: used as long as a handle of the runtime is there, and until a call that is running then returns.
/// `release`: told once of that end with `user_data`, also when this does not answer OK; NULL for a `user_data` that
/// stays.
/// Answers: as zt_open_with.
/// Threads: any. Blocks: on the disk. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_open_with_credential(
    folder: *const c_char,
    options: *const zt_open_options,
    get_token: zt_token_fn,
    user_data: *mut c_void,
    release: zt_release_fn,
    runtime: Option<&mut MaybeUninit<*mut zt_runtime>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    // SAFETY: the C caller promises callbacks that keep to the header.
    let data = unsafe { Data::new(user_data, release) };
    guard(err, || {
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let folder = unsafe { text(folder, "folder") }?;
        // SAFETY: the C caller promises NULL, or options as zt_open_options_init fills them.
        let settings = unsafe { settings(options) }?;
        let credential = data.credential(get_token)?;
        let place = given(runtime, "runtime")?;
        let executor = Arc::new(Executor::new()?);
        let builder = RuntimeBuilder::new(configured(folder, settings)?);
        let builder = builder.with_credential(credential);
        let runtime = executor.complete(builder.open())?;
        give(place, zt_runtime::new(runtime, executor));
        Ok(())
    })
}

/// Puts a token where a zt_token_fn was told to. It is copied; the program's own is the program's to wipe.
///
/// `token`: what the callback was given. `bearer`: without `Bearer `. `expires_ms`: when it ends, in milliseconds since
/// 1970-01-01T00:00:00Z.
/// Answers: OK, INVALID_ARGUMENT for what no token is.
/// Threads: any, during the callback. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_token_set(
    token: Option<&zt_token>,
    bearer: *const c_char,
    expires_ms: i64,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let place = given(token, "token")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let bearer = unsafe { text(bearer, "bearer") }?;
        let is_plausible = (1..=MOST_BYTES).contains(&bearer.len())
            && bearer.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_plausible {
            return Err(invalid(
                "`bearer` is empty, too long, or has characters that no token has",
            ));
        }
        if expires_ms <= 0 {
            return Err(invalid("`expires_ms` is no moment after 1970"));
        }
        let bearer = Zeroizing::new(bearer.to_owned());
        let given = AccessToken::new(bearer, Timestamp::from_millis(expires_ms));
        *place.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(given);
        Ok(())
    })
}

fn invalid(message: &str) -> Failure {
    Error::new(Code::InvalidArgument, message).into()
}

struct Callback {
    call: unsafe extern "C-unwind" fn(*mut c_void, *const c_char, Option<&zt_token>) -> zt_status,
    data: Data,
}

/// The program's own, released once.
pub(crate) struct Data {
    user_data: *mut c_void,
    release: zt_release_fn,
}

impl Data {
    /// # Safety
    /// `release` keeps to [`zt_release_fn`] with this `user_data`, which stays until it is told.
    pub(crate) const unsafe fn new(user_data: *mut c_void, release: zt_release_fn) -> Self {
        Self { user_data, release }
    }

    /// What asks the callback, which was promised to keep to [`zt_token_fn`] with this `user_data`.
    pub(crate) fn credential(
        self,
        get_token: zt_token_fn,
    ) -> Result<Arc<dyn TokenCredential>, Failure> {
        let call = given(get_token, "get_token")?;
        Ok(Arc::new(Credential(Arc::new(Callback {
            call,
            data: self,
        }))))
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: whoever gave the callback promised that it keeps to the header; nobody uses `user_data` any more.
            unsafe { release(self.user_data) };
        }
    }
}

// SAFETY: the header says that the callbacks run on other threads; the program gave `user_data` for that.
unsafe impl Send for Data {}
// SAFETY: as above, also on many at once.
unsafe impl Sync for Data {}

impl Callback {
    fn ask(&self, scope: &CString) -> Result<AccessToken, CredentialError> {
        let token = zt_token(Mutex::new(None));
        // SAFETY: whoever gave the callback promised that it keeps to the header; scope and token stay for the call.
        let answer = unsafe { (self.call)(self.data.user_data, scope.as_ptr(), Some(&token)) };
        let given = token.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        match (answer, given) {
            (ZT_STATUS_OK, Some(token)) => Ok(token),
            (ZT_STATUS_OK, None) => Err(refused("the callback answered OK and set no token")),
            (ZT_STATUS_IDENTITY_UNAVAILABLE, _) => Err(unavailable("the callback said so")),
            (other, _) => Err(refused(&format!("the callback answered {other}"))),
        }
    }
}

fn refused(reason: &str) -> CredentialError {
    CredentialError::Refused {
        credential: NAME.to_owned(),
        reason: reason.to_owned(),
    }
}

fn unavailable(reason: &str) -> CredentialError {
    CredentialError::Unavailable {
        credential: NAME.to_owned(),
        reason: reason.to_owned(),
        retry_in: None,
    }
}

const NAME: &str = "the program's callback";

struct Credential(Arc<Callback>);

impl TokenCredential for Credential {
    fn get_token<'a>(
        &'a self,
        scope: &'a str,
    ) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        Box::pin(async move {
            let (callback, scope) = (Arc::clone(&self.0), c_string(scope));
            let asked = spawn_blocking(move || callback.ask(&scope)).await;
            asked.unwrap_or_else(|_| Err(unavailable("its thread has gone")))
        })
    }

    fn name(&self) -> &str {
        NAME
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)
    }
}
