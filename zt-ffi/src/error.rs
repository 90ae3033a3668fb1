//! Error objects: everything that the core says about a failure, as C can read it.

use std::error::Error as _;
use std::ffi::{CStr, CString, c_char};
use std::ptr::null;

use zt_core::policy::Decision;
use zt_core::{Error, ErrorKind};

use crate::boundary::{Failure, c_string, guard_or};
use crate::status::{ZT_STATUS_OK, zt_status};

/// Why a function failed. Holds no secret, no token and no key. Owned by the program.
pub struct zt_error {
    status: zt_status,
    code: CString,
    message: CString,
    help: Option<CString>,
    cause: Option<CString>,
    report: Option<CString>,
    public_message: CString,
    http_status: u16,
    retry_ms: Option<i64>,
    retry_after_s: Option<i64>,
    challenge: Option<CString>,
    is_denied: bool,
    is_transient: bool,
    pub(crate) decision: Option<Decision>,
}

impl zt_error {
    #[cold]
    pub(crate) fn new(failure: Failure, status: zt_status) -> Self {
        match failure {
            Failure::Core(error) => Self::of(&error, status),
            Failure::Told(error) => Self::of(&error, status),
            Failure::Pending => Self {
                help: Some(c_string("zt_operation_wait waits for its end")),
                is_transient: true,
                ..Self::plain(status, "the operation has not ended yet")
            },
            Failure::BufferTooSmall { needed } => Self {
                help: Some(c_string("read again with a buffer of that length")),
                ..Self::plain(
                    status,
                    &format!("the secret has {needed} bytes, the buffer fewer"),
                )
            },
            Failure::Callback { name, answer } => Self {
                help: Some(c_string(
                    "zt_read_fn and zt_write_fn say what a callback answers",
                )),
                ..Self::plain(
                    status,
                    &format!("the program's callback `{name}` gave up: it answered {answer}"),
                )
            },
            Failure::Panic => Self {
                help: Some(c_string(
                    "this is a defect of zt: report it with what the process wrote",
                )),
                ..Self::plain(
                    status,
                    "zt panicked, and the panic was stopped at the border",
                )
            },
        }
    }

    fn of(error: &Error, status: zt_status) -> Self {
        let retry_ms = match error.kind() {
            ErrorKind::Unavailable {
                retry_in: Some(wait),
            } => i64::try_from(wait.as_millis()).ok(),
            ErrorKind::Unavailable { retry_in: None }
            | ErrorKind::Denied
            | ErrorKind::Unauthenticated
            | ErrorKind::NotFound
            | ErrorKind::Invalid
            | ErrorKind::Integrity
            | ErrorKind::Config
            | ErrorKind::Cancelled
            | ErrorKind::Internal => None,
        };
        Self {
            code: c_string(error.code().as_str()),
            help: error.help().map(c_string),
            cause: cause(error),
            report: error.report().map(|report| c_string(&report.to_string())),
            public_message: c_string(&error.public_message()),
            http_status: error.http_status(),
            retry_ms,
            retry_after_s: error
                .retry_after_s()
                .and_then(|wait| i64::try_from(wait).ok()),
            challenge: error
                .challenge()
                .map(|challenge| c_string(&challenge.to_string())),
            is_denied: error.is_denied(),
            is_transient: error.is_transient(),
            decision: error.decision().cloned(),
            ..Self::plain(status, error.message())
        }
    }

    /// One of the border's own.
    fn plain(status: zt_status, message: &str) -> Self {
        Self {
            status,
            code: c_string(&format!("ZT-{status}")),
            message: c_string(message),
            help: None,
            cause: None,
            report: None,
            public_message: c"internal error".to_owned(),
            http_status: 500,
            retry_ms: None,
            retry_after_s: None,
            challenge: None,
            is_denied: false,
            is_transient: false,
            decision: None,
        }
    }
}

/// What lies below, the nearest first.
fn cause(error: &Error) -> Option<CString> {
    let first = error.source()?;
    let chain = std::iter::successors(Some(first), |below| (*below).source());
    let words: Vec<String> = chain.map(ToString::to_string).collect();
    Some(c_string(&words.join(": ")))
}

impl std::fmt::Debug for zt_error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("zt_error")
            .field("code", &self.code)
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

/// The status that the function answered with; 0 for NULL.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_error_status(error: Option<&zt_error>) -> zt_status {
    error.map_or(ZT_STATUS_OK, |error| error.status)
}

/// The status as people write it: "ZT-1001". Borrowed from `error`; "" for NULL.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_error_code(error: Option<&zt_error>) -> *const c_char {
    words(error.map(|error| &*error.code), c"".as_ptr())
}

/// What happened and where: for the log of this process, not for a remote caller. Borrowed from `error`; "" for NULL.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_error_message(error: Option<&zt_error>) -> *const c_char {
    words(error.map(|error| &*error.message), c"".as_ptr())
}

/// What to do about it, or NULL when zt does not know. Borrowed from `error`.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_error_help(error: Option<&zt_error>) -> *const c_char {
    words(error.and_then(|error| error.help.as_deref()), null())
}

/// What lies below, such as the operating system's own words, or NULL. Borrowed from `error`.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_error_cause(error: Option<&zt_error>) -> *const c_char {
    words(error.and_then(|error| error.cause.as_deref()), null())
}

/// Every problem of the metadata tables, one a line, behind an INVALID_METADATA; else NULL. Borrowed from `error`.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_error_report(error: Option<&zt_error>) -> *const c_char {
    words(error.and_then(|error| error.report.as_deref()), null())
}

/// The one text that a remote caller may see: it helps to act and tells an attacker nothing. Borrowed from `error`;
/// "" for NULL.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_error_public_message(error: Option<&zt_error>) -> *const c_char {
    words(error.map(|error| &*error.public_message), c"".as_ptr())
}

/// The HTTP status that a service should answer its remote caller with; 500 for NULL.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_error_http_status(error: Option<&zt_error>) -> i32 {
    error.map_or(500, |error| error.http_status.into())
}

/// The header `WWW-Authenticate` of that answer, or NULL where its status needs none. It says to the caller's client what is
/// missing. Borrowed from `error`.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_error_challenge(error: Option<&zt_error>) -> *const c_char {
    words(error.and_then(|error| error.challenge.as_deref()), null())
}

/// The header `Retry-After` of that answer, in whole seconds, or -1 when it is not known when to try again.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_error_retry_after_s(error: Option<&zt_error>) -> i64 {
    error.and_then(|error| error.retry_after_s).unwrap_or(-1)
}

/// In how many milliseconds to try again, or -1 when that is not known.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_error_retry_ms(error: Option<&zt_error>) -> i64 {
    error.and_then(|error| error.retry_ms).unwrap_or(-1)
}

/// Whether the same call may succeed later without any change; false for NULL.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_error_is_transient(error: Option<&zt_error>) -> bool {
    error.is_some_and(|error| error.is_transient)
}

/// Whether the policy said no; false for NULL.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_error_is_denied(error: Option<&zt_error>) -> bool {
    error.is_some_and(|error| error.is_denied)
}

/// Frees it. NULL is allowed.
///
/// Threads: any, once, after the last use. Blocks: never. @since 1
#[unsafe(no_mangle)]
pub extern "C" fn zt_error_free(error: Option<Box<zt_error>>) {
    guard_or((), || drop(error));
}

fn words(text: Option<&CStr>, fallback: *const c_char) -> *const c_char {
    text.map_or(fallback, CStr::as_ptr)
}
