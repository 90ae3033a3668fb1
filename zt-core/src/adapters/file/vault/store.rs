//! The file under a vault: read whole, replaced whole, one writer at a time.
//!
//! A write goes to a new file beside the old one, is synced, and takes its name; then the folder is synced. Whoever reads
//! finds the old bytes or the new ones. Writers of all processes and threads take turns on `<name>.lock`, which stays.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::secrets::VaultError;

use super::key::owner_only;

/// A thousand values of the greatest length, with their old versions, are far below.
const MAX_FILE_BYTES: u64 = 1 << 30;

pub(super) struct Store {
    path: PathBuf,
}

/// The right to write, until it is dropped.
pub(super) struct Turn {
    _file: File,
}

impl Store {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The path as messages show it.
    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    pub(super) fn missing(&self) -> VaultError {
        VaultError::NoVault {
            at: self.name().into(),
        }
    }

    /// The whole file; `None` if there is none.
    pub(super) fn read(&self) -> Result<Option<Vec<u8>>, VaultError> {
        let io = |error| VaultError::io(&format!("read vault file `{}`", self.name()), error);
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io(error)),
        };
        let mut bytes = Vec::new();
        let mut limited = file.take(MAX_FILE_BYTES + 1);
        let read = limited.read_to_end(&mut bytes).map_err(io)?;
        if u64::try_from(read).unwrap_or(u64::MAX) > MAX_FILE_BYTES {
            return Err(self.too_long());
        }
        Ok(Some(bytes))
    }

    /// Waits until no other process or thread writes.
    pub(super) fn lock(&self) -> Result<Turn, VaultError> {
        let path = self.beside(".lock");
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            make_folder(folder).map_err(|error| failed("make the folder", folder, error))?;
        }
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        owner_only(&mut options);
        let file = options.open(&path).and_then(|file| {
            file.lock()?;
            Ok(file)
        });
        match file {
            Ok(file) => Ok(Turn { _file: file }),
            Err(error) => Err(failed("lock", &path, error)),
        }
    }

    /// Puts `bytes` in the place of the file. Only with the [`Turn`].
    pub(super) fn replace(&self, bytes: &[u8]) -> Result<(), VaultError> {
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_FILE_BYTES {
            return Err(self.too_long());
        }
        let new = self.beside(".new");
        let done = self.replace_by(&new, bytes);
        if done.is_err() {
            // Best effort: the next writer removes it as well.
            drop(fs::remove_file(&new));
        }
        done
    }

    fn replace_by(&self, new: &Path, bytes: &[u8]) -> Result<(), VaultError> {
        // What a killed writer left; nobody else writes it while we have the turn.
        match fs::remove_file(new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("remove", new, error));
            }
            Ok(()) | Err(_) => {}
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        owner_only(&mut options);
        options
            .open(new)
            .and_then(|mut file| {
                file.write_all(bytes)?;
                file.sync_all()
            })
            .map_err(|error| failed("write", new, error))?;
        fs::rename(new, &self.path).map_err(|error| failed("replace", &self.path, error))?;
        self.sync_folder()
    }

    /// Without it, a power cut could bring the old name back. Windows keeps names by itself.
    fn sync_folder(&self) -> Result<(), VaultError> {
        #[cfg(unix)]
        {
            let folder = match self.path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                Some(_) | None => Path::new("."),
            };
            File::open(folder)
                .and_then(|folder| folder.sync_all())
                .map_err(|error| failed("sync", folder, error))?;
        }
        Ok(())
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = OsString::from(self.path.as_os_str());
        name.push(suffix);
        PathBuf::from(name)
    }

    fn too_long(&self) -> VaultError {
        VaultError::integrity(&self.name(), "it is longer than a vault file may be, 1 GiB")
    }
}

fn failed(verb: &str, path: &Path, error: io::Error) -> VaultError {
    VaultError::io(&format!("{verb} `{}`", path.display()), error)
}

/// Makes the folder for its owner alone; one that exists stays as it is.
fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
