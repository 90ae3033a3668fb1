//! A file that has no name until it is whole: a process that is killed leaves nothing of it.
//!
//! Source: open(2), `O_TMPFILE`; linkat(2), which names it through `/proc`.

use std::fs::File;
use std::io;
use std::path::Path;

#[cfg(target_os = "linux")]
use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, openat};

/// A file in the goal's folder that has no name, as open(2) makes it with `O_TMPFILE`; `None` where there is no such thing.
#[cfg(target_os = "linux")]
pub(super) fn nameless(goal: &Path) -> Option<File> {
    let folder = goal
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    let file = openat(CWD, folder, flags, Mode::RUSR | Mode::WUSR).ok()?;
    // It gets its name through there.
    let file = File::from(file);
    std::fs::symlink_metadata(handle(&file))
        .is_ok()
        .then_some(file)
}

#[cfg(target_os = "linux")]
fn handle(file: &File) -> String {
    format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(file))
}

/// Gives a file without a name its first one; fails where that is taken.
#[cfg(target_os = "linux")]
pub(super) fn name(file: &File, path: &Path) -> io::Result<()> {
    linkat(CWD, handle(file), CWD, path, AtFlags::SYMLINK_FOLLOW).map_err(io::Error::from)
}

#[cfg(not(target_os = "linux"))]
pub(super) const fn nameless(_: &Path) -> Option<File> {
    None
}

#[cfg(not(target_os = "linux"))]
pub(super) fn name(_: &File, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
