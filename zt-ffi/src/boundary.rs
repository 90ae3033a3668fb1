//! The border between C and Rust: what comes in is checked here, what goes out is handed over here.
//!
//! In: C strings, handles, places for results. Out: Rust's own types, or the [`Failure`] that `guard` turns into a status.

use std::ffi::{CStr, CString, c_char};
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice;
use std::sync::Arc;

use zt_core::{Code, Error};

use crate::status::{
    ZT_STATUS_BUFFER_TOO_SMALL, ZT_STATUS_CALLBACK_FAILED, ZT_STATUS_PANIC, ZT_STATUS_PENDING,
    zt_status,
};

/// Why a function could not do what it was asked.
pub(crate) enum Failure {
    /// The core said so, or an argument is unusable.
    Core(Error),
    /// The same, told as often as somebody asks.
    Told(Arc<Error>),
    /// An operation has not ended.
    Pending,
    /// The value needs a larger buffer.
    BufferTooSmall { needed: usize },
    /// A callback of the program gave up, or answered what it must not.
    Callback { name: &'static str, answer: i64 },
    /// A defect, stopped here.
    Panic,
}

impl Failure {
    pub(crate) fn status(&self) -> zt_status {
        match self {
            Self::Core(error) => error.code().number(),
            Self::Told(error) => error.code().number(),
            Self::Pending => ZT_STATUS_PENDING,
            Self::BufferTooSmall { .. } => ZT_STATUS_BUFFER_TOO_SMALL,
            Self::Callback { .. } => ZT_STATUS_CALLBACK_FAILED,
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

/// The same, or `None` for NULL.
///
/// # Safety
/// As [`text`].
pub(crate) unsafe fn text_or_null<'a>(
    text: *const c_char,
    name: &str,
) -> Result<Option<&'a str>, Failure> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller of this function promises it.
    unsafe { self::text(text, name) }.map(Some)
}

/// Bytes of the program; NULL is allowed for none.
///
/// # Safety
/// There are `length` bytes at `bytes` that nobody changes or frees during `'a`.
pub(crate) unsafe fn bytes<'a>(
    bytes: *const u8,
    length: usize,
    name: &str,
) -> Result<&'a [u8], Failure> {
    if length == 0 {
        return Ok(&[]);
    }
    if bytes.is_null() {
        return Err(null(name).into());
    }
    if isize::try_from(length).is_err() {
        let message = format!("`{name}` cannot have {length} bytes: no memory has");
        return Err(Error::new(Code::InvalidArgument, message).into());
    }
    // SAFETY: not NULL, and no longer than an object can be; the caller of this function promises the rest.
    Ok(unsafe { slice::from_raw_parts(bytes, length) })
}

/// An array of the program; NULL is allowed for none.
///
/// # Safety
/// There are `count` members at `list` that nobody changes or frees during `'a`.
pub(crate) unsafe fn list<'a, T>(
    list: *const T,
    count: usize,
    name: &str,
) -> Result<&'a [T], Failure> {
    if count == 0 {
        return Ok(&[]);
    }
    fits(list, count, name)?;
    // SAFETY: not NULL, aligned, and no longer than an object can be; the caller of this function promises the rest.
    Ok(unsafe { slice::from_raw_parts(list, count) })
}

/// As many C strings.
///
/// # Safety
/// `list` points to `count` pointers, each as [`text`] wants it during `'a`; it may be NULL when `count` is 0.
pub(crate) unsafe fn texts<'a>(
    list: *const *const c_char,
    count: usize,
    name: &str,
) -> Result<Vec<&'a str>, Failure> {
    // SAFETY: the caller of this function promises `count` pointers.
    let list = unsafe { self::list(list, count, name) }?;
    list.iter()
        .map(|item| {
            // SAFETY: the caller of this function promises it of each.
            unsafe { text(*item, name) }
        })
        .collect()
}

/// Places of the program for as many results.
pub(crate) struct Many<'a, T>(&'a mut [MaybeUninit<T>]);

impl<T> Many<'_, T> {
    /// # Safety
    /// There are `count` writable places at `places` that nobody else uses during the lifetime.
    pub(crate) unsafe fn new(places: *mut T, count: usize, name: &str) -> Result<Self, Failure> {
        if count == 0 {
            return Ok(Self(&mut []));
        }
        fits(places, count, name)?;
        // SAFETY: not NULL, and no longer than an object can be; the caller of this function promises the rest.
        let places = unsafe { slice::from_raw_parts_mut(places.cast(), count) };
        Ok(Self(places))
    }

    pub(crate) fn write(self, values: impl Iterator<Item = T>) {
        for (place, value) in self.0.iter_mut().zip(values) {
            place.write(value);
        }
    }
}

/// Whether memory can hold so many of them there.
fn fits<T>(list: *const T, count: usize, name: &str) -> Result<(), Failure> {
    if list.is_null() {
        return Err(null(name).into());
    }
    if !list.is_aligned() {
        let message = format!("`{name}` is not aligned as an array is");
        return Err(Error::new(Code::InvalidArgument, message).into());
    }
    let bytes = count.checked_mul(size_of::<T>().max(1));
    if bytes.is_none_or(|bytes| isize::try_from(bytes).is_err()) {
        let message = format!("`{name}` cannot have {count} members: no memory has");
        return Err(Error::new(Code::InvalidArgument, message).into());
    }
    Ok(())
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
    fn bytes_must_be_there_and_not_more_than_memory_holds() {
        let one = [7];
        // SAFETY: one byte is there; of more none is read.
        let of = |place, length| unsafe { bytes(place, length, "csv") };
        assert!(of(std::ptr::null(), 0).is_ok_and(<[u8]>::is_empty));
        assert!(of(one.as_ptr(), 1).is_ok_and(|bytes| bytes == one));
        assert!(of(std::ptr::null(), 1).is_err());
        assert!(of(one.as_ptr(), usize::MAX).is_err());
    }

    #[test]
    fn arrays_must_be_there_and_not_longer_than_memory() {
        let one = [c"a".as_ptr()];
        // SAFETY: one string is there; of more none is read.
        let of = |list, count| unsafe { texts(list, count, "resources") };
        assert!(of(std::ptr::null(), 0).is_ok_and(|texts| texts.is_empty()));
        assert!(of(one.as_ptr(), 1).is_ok_and(|texts| texts == ["a"]));
        assert!(of(std::ptr::null(), 1).is_err());
        assert!(of(one.as_ptr(), usize::MAX).is_err());
        assert!(of(one.as_ptr(), usize::MAX / 8).is_err());
        let odd = one.as_ptr().wrapping_byte_add(1);
        assert!(of(odd, 1).is_err());
    }

    #[test]
    fn text_with_a_nul_inside_is_not_cut_short() {
        assert_eq!(c_string("a\0b").as_c_str(), c"a\u{fffd}b");
    }
}
