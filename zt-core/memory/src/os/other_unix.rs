//! Unix systems other than Linux: memory can be locked; children inherit it, so zeros replace it there.

use std::ffi::{c_int, c_void};
use std::io;
use std::ptr::NonNull;

use super::unix::done;

/// Replaces what the child inherited.
pub(super) const FILL: c_int = libc::MAP_FIXED;

pub(super) fn map_secret(_at: NonNull<c_void>, _len: usize) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// No advice that all of them know.
pub(super) const fn keep_out_of_dumps(_at: NonNull<c_void>, _len: usize) {}

/// The child does it itself, see [`FILL`].
pub(super) const fn keep_out_of_children(_at: NonNull<c_void>, _len: usize) -> io::Result<()> {
    Ok(())
}

pub(super) fn zero_in_children(_at: NonNull<c_void>, _len: usize) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn forbid_core_dumps() -> io::Result<()> {
    let none = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `none` outlives the call.
    let answer = unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const none) };
    done("setrlimit", answer)
}
