//! Where bytes go. A file of the disk is written beside its place, for its owner alone, and moved there when it is whole.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use zt_core::{Code, Error, Result};

use super::{Raised, failed, path};
use crate::error::Failure;

/// A file that is not there yet, or an object with `write`.
#[derive(Debug)]
pub(crate) enum Target {
    File(Draft),
    Object(Py<PyAny>),
}

impl Target {
    /// The place that is given as target; nothing is written yet.
    pub(crate) fn place(given: &Bound<'_, PyAny>) -> PyResult<Option<PathBuf>> {
        match given.hasattr("write")? {
            true => Ok(None),
            false => path(given).map(Some),
        }
    }

    /// # Errors
    /// `Invalid` for a place that is taken, unless it is to be replaced, and for one that cannot be written.
    pub(crate) fn of(
        given: &Bound<'_, PyAny>,
        place: Option<&Path>,
        replaces: bool,
    ) -> PyResult<Self> {
        let Some(goal) = place else {
            return Ok(Self::Object(given.clone().unbind()));
        };
        let draft = given.py().detach(|| Draft::new(goal, replaces));
        Ok(Self::File(draft.map_err(Failure::new)?))
    }

    pub(crate) const fn writer<'a>(&'a mut self, raised: &'a Raised) -> Writer<'a> {
        let target = self;
        Writer { target, raised }
    }

    /// Moves the whole file to its place. A target that is dropped instead leaves nothing.
    pub(crate) fn keep(self) -> Result<()> {
        match self {
            Self::File(draft) => draft.keep(),
            Self::Object(_) => Ok(()),
        }
    }
}

/// Writes for the core.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    target: &'a mut Target,
    raised: &'a Raised,
}

impl Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.raised.heed()?;
        match self.target {
            Target::File(draft) => draft.file.write(bytes),
            Target::Object(object) => Python::attach(|py| put(object.bind(py), bytes))
                .map_err(|raised| self.raised.keep(raised)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.target {
            Target::File(draft) => draft.file.flush(),
            Target::Object(object) => Python::attach(|py| flush(object.bind(py)))
                .map_err(|raised| self.raised.keep(raised)),
        }
    }
}

fn put(object: &Bound<'_, PyAny>, bytes: &[u8]) -> PyResult<usize> {
    let written = object.call_method1("write", (PyBytes::new(object.py(), bytes),))?;
    // Raw files tell how much they took; others may tell nothing, and took all.
    let written: Option<usize> = written.extract()?;
    let written = written.unwrap_or(bytes.len());
    if written > bytes.len() {
        let message = "`write` of the target says that it wrote more than it was given";
        return Err(PyValueError::new_err(message));
    }
    Ok(written)
}

fn flush(object: &Bound<'_, PyAny>) -> PyResult<()> {
    if object.hasattr("flush")? {
        object.call_method0("flush")?;
    }
    Ok(())
}

/// A file that never will be there unless it is kept.
#[derive(Debug)]
pub(crate) struct Draft {
    file: BufWriter<File>,
    path: PathBuf,
    goal: PathBuf,
    is_kept: bool,
}

/// Drafts of one process have different names.
static NEXT: AtomicU64 = AtomicU64::new(0);

impl Draft {
    fn new(goal: &Path, replaces: bool) -> Result<Self> {
        let Some(name) = goal.file_name() else {
            let message = format!("`{}` is no place for a file", goal.display());
            return Err(Error::new(Code::InvalidArgument, message));
        };
        if !replaces && fs::symlink_metadata(goal).is_ok() {
            let message = format!("`{}` exists already", goal.display());
            return Err(Error::new(Code::InvalidArgument, message)
                .with_help("name another place, or replace it with `replace=True`"));
        }
        let mut own = OsString::from(".");
        own.push(name);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        own.push(format!(".{}.{next}.part", std::process::id()));
        let path = goal.with_file_name(own);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options
            .open(&path)
            .map_err(|why| failed("write", goal, why))?;
        Ok(Self {
            file: BufWriter::new(file),
            path,
            goal: goal.to_owned(),
            is_kept: false,
        })
    }

    fn keep(mut self) -> Result<()> {
        let written = self
            .file
            .flush()
            .and_then(|()| self.file.get_ref().sync_all())
            .and_then(|()| fs::rename(&self.path, &self.goal));
        written.map_err(|why| failed("write", &self.goal, why))?;
        self.is_kept = true;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_kept {
            // Nothing more can be done about a file that does not go.
            fs::remove_file(&self.path).ok();
        }
    }
}
