//! Maps protected memory: what each operating system can do, behind one type.

#[cfg(all(target_os = "linux", not(miri)))]
mod linux;
#[cfg(all(unix, not(target_os = "linux"), not(miri)))]
#[path = "os/other_unix.rs"]
mod linux;
#[cfg(any(not(unix), miri))]
mod none;
#[cfg(test)]
#[cfg(all(unix, not(miri)))]
mod tests;
#[cfg(all(unix, not(miri)))]
mod unix;

#[cfg(any(not(unix), miri))]
use none as system;
#[cfg(all(unix, not(miri)))]
use unix as system;

use std::io;

#[cfg(all(unix, not(miri)))]
pub(crate) use system::fill_with_zeros;
pub(crate) use system::{Mapping, page_size};

/// Keeps this process out of core dumps and out of reach for other processes of the same account, secrets on the heap and
/// copies that readers made included.
///
/// On Linux this is `PR_SET_DUMPABLE`, prctl(2), with all its effects: debuggers and profilers cannot attach any more, and
/// the files of `/proc/PID` belong to root. It lasts until the process starts another program, and forked children
/// inherit it. Other Unix systems get a limit of 0 bytes for core files, which stops no debugger.
///
/// # Errors
/// What the operating system says; `Unsupported` off Unix.
pub fn forbid_core_dumps() -> io::Result<()> {
    system::forbid_core_dumps()
}
