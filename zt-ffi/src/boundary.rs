//! The border between C and Rust: what comes in is checked here, what goes out is handed over here, panics end here.
//!
//! In: C strings, handles, places for results. Out: a [`zt_status`], and an error object if somebody wants one.

use std::ffi::{CStr, CString, c_char};
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use zt_core::{Code, Error};

use crate::error::zt_error;
use crate::status::{ZT_STATUS_BUFFER_TOO_SMALL, ZT_STATUS_OK, ZT_STATUS_PANIC, zt_status};

#[cfg(panic = "abort")]
compile_error!("a panic must not end the host's process: build zt-ffi with panic = \"unwind\"");

/// Why a function could not do what it was asked.
pub(crate) enum Failure {
    /// The core said so, or an argument is unusable.
    Core(Error),
    /// The value needs a larger buffer.
    BufferTooSmall { needed: usize },
    /// A defect, stopped here.
    Panic,
}

impl Failure {
    fn status(&self) -> zt_status {
        match self {
            Self::Core(error) => error.code().number(),
            Self::BufferTooSmall { .. } => ZT_STATUS_BUFFER_TOO_SMALL,
            Self::Panic => ZT_STATUS_PANIC,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

/// Runs a function's body. The error object is made only for somebody who asked for it.
///
/// A panic leaves the handles usable: the core recovers its locks from poison and keeps its state behind atomic swaps.
/// The panic's text is left to the host's panic hook, for it may quote what an error object must not carry.
pub(crate) fn guard(
    err: Option<&mut MaybeUninit<*mut zt_error>>,
    body: impl FnOnce() -> Result<(), Failure>,
) -> zt_status {
    let is_wanted = err.is_some();
    let describe = |failure: Failure| {
        let status = failure.status();
        (
            status,
            is_wanted.then(|| Box::new(zt_error::new(failure, status))),
        )
    };
    let (status, error) = match catch_unwind(AssertUnwindSafe(|| body().map_err(describe))) {
        Ok(Ok(())) => return ZT_STATUS_OK,
        Ok(Err(described)) => described,
        Err(_) => describe(Failure::Panic),
    };
    if let (Some(err), Some(error)) = (err, error) {
        err.write(Box::into_raw(error));
    }
    status
}

/// Runs a body that has no status to answer with.
pub(crate) fn guard_or<T>(fallback: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(fallback)
}

/// An argument that must not be NULL.
pub(crate) fn given<T>(argument: Option<T>, name: &str) -> Result<T, Failure> {
    argument.ok_or_else(|| null(name).into())
}

/// A C string as text. Its bytes are never quoted: it may be a token.
///
/// # Safety
/// `text` is NULL, or points to bytes that end with a NUL and that nobody changes or frees during `'a`.
pub(crate) unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<&'a str, Failure> {
    if text.is_null() {
        return Err(null(name).into());
    }
    // SAFETY: it is not NULL; the caller of this function promises the rest.
    let bytes = unsafe { CStr::from_ptr(text) };
    bytes.to_str().map_err(|_| {
        Error::new(Code::InvalidArgument, format!("`{name}` is not UTF-8"))
            .with_help("every string is NUL-terminated UTF-8")
            .into()
    })
}

/// Hands a new object over to C, which frees it by its `_free` function.
pub(crate) fn give<T>(place: &mut MaybeUninit<*mut T>, value: T) {
    place.write(Box::into_raw(Box::new(value)));
}

/// Text for C. A NUL inside would cut it short, so it is shown as what it is not.
pub(crate) fn c_string(text: &str) -> CString {
    CString::new(text)
        .or_else(|_| CString::new(text.replace('\0', "\u{fffd}")))
        .unwrap_or_default()
}

#[cold]
fn null(name: &str) -> Error {
    Error::new(Code::InvalidArgument, format!("`{name}` is NULL"))
        .with_help("only arguments that zt.h says may be NULL may be NULL")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{zt_error_free, zt_error_public_message, zt_error_status};

    fn failing(body: impl FnOnce() -> Result<(), Failure>) -> Box<zt_error> {
        let mut place = MaybeUninit::uninit();
        assert_ne!(guard(Some(&mut place), body), ZT_STATUS_OK);
        // SAFETY: `guard` writes the place whenever it answers anything but 0.
        let error = unsafe { place.assume_init() };
        // SAFETY: `give` made it with `Box::into_raw`, and nobody else has it.
        unsafe { Box::from_raw(error) }
    }

    #[test]
    fn a_panic_becomes_a_status_and_a_public_message_without_its_text() {
        let error = failing(|| panic!("zt-needle-panic"));
        assert_eq!(zt_error_status(Some(&error)), ZT_STATUS_PANIC);
        // SAFETY: the text belongs to `error`, which is still there.
        let public = unsafe { CStr::from_ptr(zt_error_public_message(Some(&error))) };
        assert_eq!(public, c"internal error");
        zt_error_free(Some(error));
    }

    #[test]
    fn nobody_is_asked_for_an_error_object_who_does_not_want_one() {
        let denied = || Err(Error::new(Code::Denied, "no").into());
        assert_eq!(guard(None, denied), Code::Denied.number());
        assert_eq!(guard_or(7, || panic!("stopped here")), 7);
    }

    #[test]
    fn a_string_must_be_there_and_be_utf_8() {
        // SAFETY: NULL is allowed.
        assert!(unsafe { text(std::ptr::null(), "token") }.is_err());
        // SAFETY: a literal ends with a NUL and stays.
        assert!(unsafe { text(c"\xff\xfe".as_ptr(), "token") }.is_err());
        // SAFETY: as above.
        assert!(unsafe { text(c"maya".as_ptr(), "token") }.is_ok_and(|text| text == "maya"));
    }

    #[test]
    fn text_with_a_nul_inside_is_not_cut_short() {
        assert_eq!(c_string("a\0b").as_c_str(), c"a\u{fffd}b");
    }
}
