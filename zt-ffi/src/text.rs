//! Long answers: text that the caller owns.

use std::ffi::{CString, c_char};

use serde::Serialize;
use zt_core::{Code, Error};

use crate::boundary::{Failure, c_string, guard_or};

/// A long answer, such as JSON. Owned by the program.
pub struct zt_text(CString);

impl zt_text {
    pub(crate) fn json(value: &impl Serialize) -> Result<Self, Failure> {
        let json = serde_json::to_string(value).map_err(|why| {
            Error::new(Code::Internal, "an answer cannot be written as JSON").with_source(why)
        })?;
        Ok(Self(c_string(&json)))
    }

    pub(crate) fn plain(text: &str) -> Self {
        Self(c_string(text))
    }

    /// Text that must not lose a character on its way.
    pub(crate) fn whole(text: String) -> Result<Self, Failure> {
        CString::new(text).map(Self).map_err(|_| {
            let message = "a cell holds a NUL, which text in C cannot";
            Error::new(Code::InvalidArgument, message).into()
        })
    }
}

impl std::fmt::Debug for zt_text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "zt_text({} bytes)", self.0.count_bytes())
    }
}

/// Its characters, UTF-8, with a NUL at the end. Borrowed from `text`; "" for NULL.
///
/// Threads: any. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_text_data(text: Option<&zt_text>) -> *const c_char {
    text.map_or(c"".as_ptr(), |text| text.0.as_ptr())
}

/// Its length in bytes, without the NUL; 0 for NULL.
///
/// Threads: any. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_text_len(text: Option<&zt_text>) -> usize {
    text.map_or(0, |text| text.0.count_bytes())
}

/// Frees it. NULL is allowed.
///
/// Threads: any, once, after the last use. Blocks: never. @since 1
#[unsafe(no_mangle)]
pub extern "C" fn zt_text_free(text: Option<Box<zt_text>>) {
    guard_or((), || drop(text));
}
