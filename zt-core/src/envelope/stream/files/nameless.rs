//! A file that has no name until it is whole: a process that is killed leaves nothing of it.
//!
//! Source: open(2), `O_TMPFILE`; linkat(2), which names it through `/proc`.

use std::fs::File;
use std::io;
use std::path::Path;

#[cfg(target_os = "linux")]
use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, openat};

/// A file in the goal's folder that has no name, as open(2) makes it with `O_TMPFILE`; `None` where there is no such thing, or
/// where it could be given no name later. An empty one is given the name `probe` first, and removed: whether that works is
/// known before anything is written, and a file that once had a name and lost it gets no other.
#[cfg(target_os = "linux")]
pub(super) fn nameless(goal: &Path, probe: &Path) -> Option<File> {
    name(&unnamed(goal)?, probe).ok()?;
    std::fs::remove_file(probe).ok()?;
    unnamed(goal)
}

#[cfg(target_os = "linux")]
fn unnamed(goal: &Path) -> Option<File> {
    let folder = goal
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    openat(CWD, folder, flags, Mode::RUSR | Mode::WUSR)
        .ok()
        .map(File::from)
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
pub(super) const fn nameless(_: &Path, _: &Path) -> Option<File> {
    None
}

#[cfg(not(target_os = "linux"))]
pub(super) fn name(_: &File, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_place_that_takes_no_name_is_known_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let goal = folder.path().join("report");
        // The name of the probe is refused, as that of the file would be at its end.
        assert!(nameless(&goal, &folder.path().join("no/such")).is_none());
        let taken = folder.path().join("taken");
        fs::write(&taken, "another's").unwrap();
        assert!(nameless(&goal, &taken).is_none());
        assert_eq!(fs::read(&taken).unwrap(), b"another's");
        let names = || fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(names(), 1);
        let Some(file) = nameless(&goal, &folder.path().join("probe")) else {
            println!("skipped: this file system has no files without a name");
            return;
        };
        assert_eq!(names(), 1, "the probe is gone");
        name(&file, &goal).unwrap();
        assert!(goal.is_file());
    }
}
