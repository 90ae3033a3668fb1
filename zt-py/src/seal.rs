//! `zt.Sealer` and `zt.Opener`: columns encrypted before they leave, and opened again.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use zt_core::envelope;

use crate::data;
use crate::error::Failure;
use crate::executor::Work;
use crate::files;
use crate::fork::Homed;

/// Seals rows of one output under one data key. Safe across threads.
#[pyclass(frozen, module = "zt")]
#[derive(Debug)]
pub(crate) struct Sealer {
    core: Homed<envelope::Sealer>,
}

impl Sealer {
    pub(crate) fn new(core: envelope::Sealer) -> Self {
        Self {
            core: Homed::new(core),
        }
    }
}

#[pymethods]
impl Sealer {
    /// The rows with the rule's columns sealed, as a dict of lists, with one column more: `_zt_key` holds the wrapped data
    /// key, so that rows may be split, reordered and appended, and still open.
    ///
    /// `data` is a mapping of column names to sequences, or a DataFrame. Raises Invalid unless every column of the rule is
    /// there: one that was renamed would stay plain.
    fn seal<'py>(&self, py: Python<'py>, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
        let (sealer, batch) = (self.core.get()?, data::batch(data)?);
        let sealed = py.detach(|| sealer.seal(&batch)).map_err(Failure::new)?;
        data::dict(py, sealed)
    }

    /// Some bytes, sealed as a file of this name, under which alone they open: `model.onnx`.
    fn seal_bytes<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        data: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (sealer, data) = (self.core.get()?, files::bytes("data", data)?);
        let sealed = py.detach(|| sealer.seal_bytes(name, &data));
        Ok(PyBytes::new(py, &sealed.map_err(Failure::new)?))
    }

    /// Seals the file at `source` into one at `target`, of any length, and returns how many bytes it had. It opens under
    /// `name` alone, which is the source's own unless told.
    ///
    /// The sealed file is there when it is whole, with mode 0600, or not at all. Raises Invalid when there is one already,
    /// unless `replace`.
    #[pyo3(signature = (source, target, *, name = None, replace = false))]
    fn seal_file(
        &self,
        py: Python<'_>,
        source: PathBuf,
        target: PathBuf,
        name: Option<&str>,
        replace: bool,
    ) -> PyResult<u64> {
        let sealer = self.core.get()?;
        let sealed = py.detach(|| sealer.seal_file(name, source, target, replace));
        Ok(sealed.map_err(Failure::new)?)
    }

    fn __repr__(&self) -> String {
        match self.core.names() {
            Some(core) => format!("{core:?}"),
            None => "Sealer()".to_owned(),
        }
    }
}

/// Unseals rows of one output, with the data keys of the rows that it was made for. Safe across threads.
#[pyclass(frozen, module = "zt")]
#[derive(Debug)]
pub(crate) struct Opener {
    core: Homed<envelope::Opener>,
}

impl Opener {
    pub(crate) fn new(core: envelope::Opener) -> Self {
        Self {
            core: Homed::new(core),
        }
    }
}

#[pymethods]
impl Opener {
    /// The rows as they were before they were sealed, as a dict of lists, without `_zt_key`.
    ///
    /// Raises Integrity for a cell that was changed, moved or cut; the message names row and column, never the value.
    fn unseal<'py>(
        &self,
        py: Python<'py>,
        sealed: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let (opener, batch) = (self.core.get()?, data::batch(sealed)?);
        let plain = py.detach(|| opener.unseal(&batch)).map_err(Failure::new)?;
        data::dict(py, plain)
    }

    /// The bytes that were sealed as a file of this name. The answer is Python's own and stays in its memory.
    ///
    /// Raises Integrity unless all of it is as it was sealed.
    fn unseal_bytes<'py>(
        &self,
        py: Python<'py>,
        name: &str,
        sealed: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (opener, sealed) = (self.core.get()?, files::bytes("sealed", sealed)?);
        let plain = py.detach(|| opener.unseal_bytes(name, &sealed));
        Ok(PyBytes::new(py, &plain.map_err(Failure::new)?))
    }

    /// Unseals the file at `source` into one at `target`, and returns how many bytes it has. It must have been sealed as
    /// `name`, which is the target's own unless told.
    ///
    /// The plain file is there when all of it is verified, with mode 0600, or not at all. Raises Integrity for one that was
    /// changed, cut or renamed, Invalid when the target is there already, unless `replace`.
    #[pyo3(signature = (source, target, *, name = None, replace = false))]
    fn unseal_file(
        &self,
        py: Python<'_>,
        source: PathBuf,
        target: PathBuf,
        name: Option<&str>,
        replace: bool,
    ) -> PyResult<u64> {
        let opener = self.core.get()?;
        let plain = py.detach(|| opener.unseal_file(name, source, target, replace));
        Ok(plain.map_err(Failure::new)?)
    }

    fn __repr__(&self) -> String {
        match self.core.names() {
            Some(core) => format!("{core:?}"),
            None => "Opener()".to_owned(),
        }
    }
}

/// A sealer on its way.
pub(crate) fn sealer(session: zt_core::Session, output: &str) -> Work<envelope::Sealer> {
    let output = output.to_owned();
    Box::pin(async move { session.sealer(&output).await })
}

/// An opener on its way.
pub(crate) fn opener(
    session: zt_core::Session,
    output: &str,
    sealed: &Bound<'_, PyAny>,
) -> PyResult<Work<envelope::Opener>> {
    let (output, sealed) = (output.to_owned(), data::batch(sealed)?);
    Ok(Box::pin(
        async move { session.opener(&output, &sealed).await },
    ))
}
