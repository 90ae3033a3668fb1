//! What the log asks of a disk, small enough that a test can fail each step.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use zt_memory::fork::Unshared;

use crate::durable::sync_folder;

/// A disk with an audit folder.
pub(super) trait Disk: fmt::Debug + Send + Sync {
    /// Creates or empties a file that its owner alone can read, and locks it for as long as it stays open.
    fn create(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>>;

    /// Opens a file that was created here before and cuts it to `length`; what follows is written behind that.
    fn reopen(&self, path: &Path, length: u64) -> io::Result<Box<dyn SegmentFile>>;

    /// Gives a synced file its final name and syncs the folder.
    fn publish(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// What the file of this name holds; nothing if there is none.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// How much that is.
    fn length(&self, path: &Path) -> io::Result<u64>;

    /// Removes a file; nothing if there is none.
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// An open, locked file. After an error it is never written or synced again: the kernel may have dropped the dirty
/// pages, and a second fsync that succeeds would prove nothing.
pub(super) trait SegmentFile: fmt::Debug + Send {
    /// Appends all bytes.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Returns once everything written is on the disk.
    fn sync(&mut self) -> io::Result<()>;
}

/// The operating system's files.
#[derive(Debug)]
pub(super) struct OsDisk;

impl Disk for OsDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        let file = owner_only().create(true).truncate(true).open(path)?;
        Ok(Box::new(Locked::new(file)?))
    }

    fn reopen(&self, path: &Path, length: u64) -> io::Result<Box<dyn SegmentFile>> {
        let mut file = owner_only().open(path)?;
        file.set_len(length)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Box::new(file))
    }

    fn publish(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        to.parent().map_or(Ok(()), sync_folder)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        or_none(fs::read(path))
    }

    fn length(&self, path: &Path) -> io::Result<u64> {
        or_none(fs::metadata(path).map(|metadata| metadata.len()))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        or_none(fs::remove_file(path))
    }
}

fn or_none<T: Default>(read: io::Result<T>) -> io::Result<T> {
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
        read => read,
    }
}

/// A file that is locked for as long as this process keeps it open: a child that is forked meanwhile does not hold the lock
/// when this process is gone.
#[derive(Debug)]
pub(super) struct Locked {
    // Dropped before the file is closed.
    _unshared: Unshared,
    file: File,
}

impl Locked {
    /// Locks it, or says that somebody else does.
    pub(super) fn new(file: File) -> Result<Self, TryLockError> {
        let unshared = Unshared::of(&file);
        file.try_lock()?;
        Ok(Self {
            _unshared: unshared,
            file,
        })
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // By name: a child that is forked at this very moment may have a copy of the file.
        let _closing_does_it_too = self.file.unlock();
    }
}

impl SegmentFile for Locked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        SegmentFile::write(&mut self.file, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        SegmentFile::sync(&mut self.file)
    }
}

impl SegmentFile for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()?;
        // What is written to a file without a name is on the disk, and nobody will ever read it.
        if is_removed(self)? {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "somebody removed the file",
            ));
        }
        Ok(())
    }
}

#[cfg(unix)]
fn is_removed(file: &File) -> io::Result<bool> {
    Ok(std::os::unix::fs::MetadataExt::nlink(&file.metadata()?) == 0)
}

/// Elsewhere an open file cannot be removed.
#[cfg(not(unix))]
const fn is_removed(_: &File) -> io::Result<bool> {
    Ok(false)
}

/// Options for a file to write, mode 0600 when it is created.
pub(super) fn owner_only() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Whether somebody holds the file.
pub(super) fn is_locked(path: &Path) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    let locked = file.try_lock_shared();
    if locked.is_ok() {
        // By name: a child that is forked at this very moment may have a copy of the file.
        let _closing_does_it_too = file.unlock();
    }
    matches!(locked, Err(TryLockError::WouldBlock))
}
