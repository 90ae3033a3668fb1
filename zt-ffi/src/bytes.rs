//! Bytes that the caller owns: files in memory, sealed or plain.

use zt_core::envelope::PlainBytes;

use crate::boundary::guard_or;

/// Bytes, such as those of a file. Owned by the program; wiped when they are freed.
pub struct zt_bytes(PlainBytes);

impl zt_bytes {
    pub(crate) fn new(bytes: impl Into<PlainBytes>) -> Self {
        Self(bytes.into())
    }
}

impl std::fmt::Debug for zt_bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "zt_bytes({} bytes)", self.0.len())
    }
}

/// The bytes, which may hold NULs and do not end with one. Borrowed from `bytes`; never read when zt_bytes_len is 0. NULL for
/// NULL.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_bytes_data(bytes: Option<&zt_bytes>) -> *const u8 {
    bytes.map_or(std::ptr::null(), |bytes| bytes.0.as_ptr())
}

/// How many they are; 0 for NULL.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_bytes_len(bytes: Option<&zt_bytes>) -> usize {
    bytes.map_or(0, |bytes| bytes.0.len())
}

/// Wipes and frees them. NULL is allowed.
///
/// Threads: any, once, after the last use. Blocks: never. @since 1
#[unsafe(no_mangle)]
pub extern "C" fn zt_bytes_free(bytes: Option<Box<zt_bytes>>) {
    guard_or((), || drop(bytes));
}
