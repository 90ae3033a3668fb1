//! What `Secret.reveal()` gives: the bytes for the length of a `with` block.
//!
//! The block sees a read-only memoryview over a bytearray of ours. At its end the bytearray is overwritten in place, which
//! Python allows while views are held, because the size stays. All of it is safe code.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PySlice};

use crate::secret::Secret;

/// The bytes of a secret for the length of a `with` block.
///
/// >>> with job.secret("bureau-api-key").reveal() as view:
/// ...     view.readonly
/// True
/// >>> bytes(view).strip(bytes(1))          # wiped
/// b''
#[pyclass(frozen, module = "zt")]
#[derive(Debug)]
pub(crate) struct Revealed {
    secret: Py<Secret>,
    copy: Mutex<Option<Py<PyByteArray>>>,
}

impl Revealed {
    pub(crate) const fn new(secret: Py<Secret>) -> Self {
        Self {
            secret,
            copy: Mutex::new(None),
        }
    }

    fn copy(&self) -> MutexGuard<'_, Option<Py<PyByteArray>>> {
        self.copy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wipe(&self, py: Python<'_>) -> PyResult<()> {
        let Some(copy) = self.copy().take() else {
            return Ok(());
        };
        let copy = copy.bind(py);
        let zeros = PyBytes::new_with(py, copy.len(), |_| Ok(()))?;
        copy.set_item(PySlice::full(py), zeros)
    }
}

#[pymethods]
impl Revealed {
    fn __enter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let bytes = self.secret.get().bytes()?;
        if self.copy().is_some() {
            let message = "this reveal is entered already: call `secret.reveal()` again";
            return Err(PyRuntimeError::new_err(message));
        }
        let copy = PyByteArray::new(py, bytes);
        // Python may run other code while it allocates, so no lock is held then; a copy that came in between is wiped.
        self.wipe(py)?;
        *self.copy() = Some(copy.clone().unbind());
        PyMemoryView::from(&copy)?.call_method0("toreadonly")
    }

    #[pyo3(signature = (*_raised))]
    fn __exit__(&self, py: Python<'_>, _raised: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.wipe(py)?;
        Ok(false)
    }

    fn __repr__(&self) -> String {
        self.secret.get().label()
    }

    #[expect(clippy::unused_self, reason = "Python calls it with the object")]
    fn __bytes__(&self) -> PyResult<Py<PyAny>> {
        let message =
            "a revealed secret is read in a `with` block: `with secret.reveal() as view:`";
        Err(PyTypeError::new_err(message))
    }
}

impl Drop for Revealed {
    fn drop(&mut self) {
        // A block that was entered by hand and never left. An error here has nobody to be told.
        if self.copy().is_some() {
            Python::try_attach(|py| drop(self.wipe(py)));
        }
    }
}
