//! The border between C and Rust: what comes in is checked here, what goes out is handed over here.
//!
//! In: C strings, handles, places for results. Out: Rust's own types, or the [`Failure`] that `guard` turns into a status.

use std::ffi::{CStr, CString, c_char};
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use zt_core::{Code, Error};

use crate::status::{ZT_STATUS_BUFFER_TOO_SMALL, ZT_STATUS_PANIC, zt_status};

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
    pub(crate) fn status(&self) -> zt_status {
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
