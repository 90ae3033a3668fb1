//! Files on their way into a seal and out of it: paths, and binary file objects of Python.
//!
//! In: what Python gives as source and target. Out: a reader and a writer for the core, which run without the interpreter's
//! lock, take it where an object of Python is read or written, and hear Ctrl-C between two parts.

mod source;
mod target;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use zt_core::envelope::FileHeader;
use zt_core::{Code, Error, Result};

use crate::error::Failure;

pub(crate) use source::Source;
pub(crate) use target::Target;

/// What Python raised while the core read or wrote, which learns only that it failed.
#[derive(Debug, Default)]
pub(crate) struct Raised(Mutex<Option<PyErr>>);

impl Raised {
    fn keep(&self, raised: PyErr) -> io::Error {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(raised);
        io::Error::other("Python raised an exception")
    }

    /// Ends the work after Ctrl-C. Other threads than the main one hear none.
    fn heed(&self) -> io::Result<()> {
        Python::attach(|py| py.check_signals().map_err(|raised| self.keep(raised)))
    }

    /// The end of the work: what Python raised, or the result of the core.
    pub(crate) fn or<T>(&self, result: Result<T>) -> PyResult<T> {
        let mut raised = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match raised.take() {
            Some(raised) => Err(raised),
            None => Ok(result.map_err(Failure::new)?),
        }
    }
}

/// The name that a seal is bound to: the given one, or that of the plain file.
pub(crate) fn name(given: Option<String>, plain: Option<&Path>) -> Result<String, Failure> {
    if let Some(given) = given {
        return Ok(given);
    }
    let name = plain.and_then(|path| path.file_name()?.to_str());
    name.map(str::to_owned).ok_or_else(|| {
        let message = "the plain file has no name in UTF-8 that the seal could be bound to";
        let error = Error::new(Code::InvalidArgument, message);
        Failure::new(error.with_help("give one with `name=`"))
    })
}

/// The same source, read through what shows how far it is, if it is to be shown.
pub(crate) fn watched(
    source: Source,
    given: &Bound<'_, PyAny>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Source> {
    let Some(progress) = progress else {
        return Ok(source);
    };
    let watched = given.py().import("zt._progress")?;
    let watched = watched.call_method1("watched", (given, progress))?;
    if watched.is_none() {
        return Ok(source);
    }
    Source::of(&watched)
}

/// The header of a sealed file: bytes, a path, or a file object, which stands where it stood afterwards.
pub(crate) fn header(sealed: &Bound<'_, PyAny>) -> PyResult<FileHeader> {
    if !sealed.hasattr("read")?
        && let Ok(bytes) = bytes("sealed", sealed)
    {
        return Ok(FileHeader::read(&*bytes).map_err(|why| Failure::new(why.into()))?);
    }
    let source = Source::of(sealed).map_err(|raised| {
        if !raised.is_instance_of::<PyTypeError>(sealed.py()) {
            return raised;
        }
        PyTypeError::new_err(
            "`sealed` must be the path of a sealed file, or its bytes, or a binary file object",
        )
    });
    let (mut source, raised) = (source?, Raised::default());
    let before = match source.path() {
        Some(_) => None,
        None => Some(sealed.call_method0("tell")?),
    };
    let py = sealed.py();
    let header = py.detach(|| FileHeader::read(source.reader(&raised)));
    if let Some(before) = before {
        sealed.call_method1("seek", (before,))?;
    }
    raised.or(header.map_err(Error::from))
}

/// The bytes of Python: those of `bytes` where they lie, a copy of any other buffer, which Python may change meanwhile.
pub(crate) fn bytes(what: &str, given: &Bound<'_, PyAny>) -> PyResult<PyBackedBytes> {
    if let Ok(bytes) = given.extract() {
        return Ok(bytes);
    }
    // As `bytes(given)` reads a buffer; of an int that would make so many zeros.
    let memoryview = given.py().import("builtins")?.getattr("memoryview")?;
    let view = memoryview.call1((given,)).map_err(|_| {
        PyTypeError::new_err(format!("`{what}` must be bytes, or have a buffer of them"))
    })?;
    let bytes = view.call_method0("tobytes")?;
    bytes.extract().map_err(Into::into)
}

fn path(given: &Bound<'_, PyAny>) -> PyResult<PathBuf> {
    given.extract().map_err(|raised: PyErr| {
        // A path of Python is asked by code of Python, which may be interrupted.
        if !raised.is_instance_of::<PyTypeError>(given.py()) {
            return raised;
        }
        PyTypeError::new_err("expected a path, as str or os.PathLike, or a binary file object")
    })
}

fn failed(doing: &str, path: &Path, why: io::Error) -> Error {
    let code = match (doing, why.kind()) {
        ("read", io::ErrorKind::NotFound) => Code::NotFound,
        (_, _) => Code::InvalidArgument,
    };
    let message = format!("cannot {doing} `{}`", path.display());
    Error::new(code, message).with_source(why)
}
