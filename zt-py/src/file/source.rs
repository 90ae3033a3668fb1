//! Where bytes come from.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use super::{Raised, failed, path};
use crate::error::Failure;

/// A file of the disk, or an object with `read`.
#[derive(Debug)]
pub(crate) enum Source {
    File { file: File, path: PathBuf },
    Object(Py<PyAny>),
}

impl Source {
    /// # Errors
    /// `NotFound` for a file that is not there, `Invalid` for one that cannot be opened.
    pub(crate) fn of(given: &Bound<'_, PyAny>) -> PyResult<Self> {
        if given.hasattr("read")? {
            return Ok(Self::Object(given.clone().unbind()));
        }
        let path = path(given)?;
        let opened = given.py().detach(|| File::open(&path));
        match opened {
            Ok(file) => Ok(Self::File { file, path }),
            Err(why) => Err(Failure::new(failed("read", &path, why)).into()),
        }
    }

    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::File { path, .. } => Some(path),
            Self::Object(_) => None,
        }
    }

    pub(crate) const fn reader<'a>(&'a mut self, raised: &'a Raised) -> Reader<'a> {
        let source = self;
        Reader { source, raised }
    }
}

/// Reads for the core.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    source: &'a mut Source,
    raised: &'a Raised,
}

impl Read for Reader<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.raised.heed()?;
        match self.source {
            // A signal interrupts the wait for a pipe; then the core asks again, and Ctrl-C is heard.
            Source::File { file, .. } => file.read(to),
            Source::Object(object) => Python::attach(|py| fill(object.bind(py), to))
                .map_err(|raised| self.raised.keep(raised)),
        }
    }
}

fn fill(object: &Bound<'_, PyAny>, to: &mut [u8]) -> PyResult<usize> {
    let bytes = object.call_method1("read", (to.len(),))?;
    let bytes: PyBackedBytes = bytes.extract().map_err(|_| {
        PyTypeError::new_err("`read` of the source gives no bytes: open it in binary mode")
    })?;
    let Some(room) = to.get_mut(..bytes.len()) else {
        let message = "`read` of the source gives more bytes than it is asked for";
        return Err(PyValueError::new_err(message));
    };
    room.copy_from_slice(&bytes);
    Ok(bytes.len())
}
