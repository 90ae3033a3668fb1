//! What a session seals and opens.

use pyo3::prelude::*;

use super::Session;
use crate::aio;
use crate::executor;
use crate::reading;
use crate::seal::{self, Opener, Sealer};

#[pymethods]
impl Session {
    /// A sealer for a row of Output_Storage; its row of Encryption_Rules says which columns are sealed, under which key.
    ///
    /// Raises Denied unless this caller may `data.seal` the output, NotFound when the vault has no such key.
    fn sealer(&self, py: Python<'_>, output: &str) -> PyResult<Sealer> {
        executor::answer(py, seal::sealer(self.core.get()?.clone(), output)).map(Sealer::new)
    }

    /// `sealer` for asyncio: an awaitable.
    fn sealer_async<'py>(&self, py: Python<'py>, output: &str) -> PyResult<Bound<'py, PyAny>> {
        aio::soon(
            py,
            seal::sealer(self.core.get()?.clone(), output),
            |py, sealer| Ok(Py::new(py, Sealer::new(sealer))?.into_any()),
        )
    }

    /// An opener for rows of this output that are sealed under the data keys of `sealed`, a frame or a mapping.
    ///
    /// Raises Denied unless this caller may `data.open` the output, Integrity when a key was changed or is another. That
    /// the keys were released stands in the audit log before this returns.
    fn opener(&self, py: Python<'_>, output: &str, sealed: &Bound<'_, PyAny>) -> PyResult<Opener> {
        executor::answer(py, seal::opener(self.core.get()?.clone(), output, sealed)?)
            .map(Opener::new)
    }

    /// `opener` for asyncio: an awaitable. The rows are read on a thread of their own.
    fn opener_async<'py>(
        slf: &Bound<'py, Self>,
        output: &str,
        sealed: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let asked = (output, sealed).into_pyobject(slf.py())?;
        reading::aside(&slf.getattr("opener")?, &asked, None)
    }

    /// An opener for a sealed file of this output: `sealed` is its path, its bytes or a binary file object, of which the
    /// beginning is read.
    ///
    /// Raises Denied, also where the caller may see only some columns or rows, since a file is opened whole; Integrity for
    /// what is no sealed file; else as `opener`.
    fn file_opener(
        &self,
        py: Python<'_>,
        output: &str,
        sealed: &Bound<'_, PyAny>,
    ) -> PyResult<Opener> {
        executor::answer(
            py,
            seal::file_opener(self.core.get()?.clone(), output, sealed)?,
        )
        .map(Opener::new)
    }

    /// `file_opener` for asyncio: an awaitable. The file is read on a thread of its own.
    fn file_opener_async<'py>(
        slf: &Bound<'py, Self>,
        output: &str,
        sealed: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let asked = (output, sealed).into_pyobject(slf.py())?;
        reading::aside(&slf.getattr("file_opener")?, &asked, None)
    }
}
