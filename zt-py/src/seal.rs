//! `zt.Sealer` and `zt.Opener`: columns encrypted before they leave, and opened again.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use zt_core::envelope;

use crate::data;
use crate::error::Failure;
use crate::executor::Work;
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
