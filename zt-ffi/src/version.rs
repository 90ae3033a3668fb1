//! Which ABI and which release this is.

use std::ffi::{CStr, c_char};

/// The version of the ABI: the same number in the library's file name. Within it functions and statuses are only added.
pub const ZT_ABI_VERSION: u32 = 1;

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => c"",
    };

/// The ABI version of the loaded library. Compare it with ZT_ABI_VERSION before anything else when the library was not
/// found by the linker but loaded by hand.
///
/// Threads: any. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_abi_version() -> u32 {
    ZT_ABI_VERSION
}

/// The release of the loaded library, such as "0.1.0". Static: never freed.
///
/// Threads: any. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_version() -> *const c_char {
    VERSION.as_ptr()
}
