//! Where things are: the workspace, what xtask itself writes, and whether the machine is one of CI.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Whether the run decides about a change: what a developer's machine may lack must be there.
pub(crate) fn is_ci() -> bool {
    env::var_os("CI").is_some_and(|value| value == "true")
}

/// The folders that steps work in.
pub(crate) struct Place {
    root: PathBuf,
    target: PathBuf,
}

impl Place {
    /// The workspace that this program belongs to, and the target folder that it was built in.
    pub(crate) fn find() -> io::Result<Self> {
        let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let program = env::current_exe()?;
        let up = |path: &Path| path.ancestors().nth(2).map(Path::to_owned);
        match (up(crate_folder), up(&program)) {
            (Some(root), Some(target)) => Ok(Self { root, target }),
            _ => Err(io::Error::other("run me as `cargo xtask`")),
        }
    }

    /// The workspace's root.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A path below the root.
    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// Whether the path exists below the root.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.at(path).exists()
    }

    /// Cargo's target folder.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// What xtask writes.
    pub(crate) fn own(&self) -> PathBuf {
        self.target.join("xtask")
    }

    /// The temporary folder that all tests get, so that what they leave behind can be searched.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.own().join("tmp")
    }

    /// The Python environment.
    pub(crate) fn venv(&self) -> PathBuf {
        self.target.join("xtask-venv")
    }

    /// An empty folder.
    pub(crate) fn empty(folder: &Path) -> io::Result<()> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)
    }
}
