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

    /// Takes the copy of this block; false if another thread was faster.
    fn keep(&self, copy: &Bound<'_, PyByteArray>) -> bool {
        let mut held = self.copy();
        let is_first = held.is_none();
        if is_first {
            *held = Some(copy.clone().unbind());
        }
        is_first
    }

    fn wipe(&self, py: Python<'_>) -> PyResult<()> {
        // Apart, so that the lock is not held while Python runs.
        let copy = self.copy().take();
        copy.map_or(Ok(()), |copy| overwrite(copy.bind(py)))
    }
}

fn overwrite(copy: &Bound<'_, PyByteArray>) -> PyResult<()> {
    let py = copy.py();
    let zeros = PyBytes::new_with(py, copy.len(), |_| Ok(()))?;
    copy.set_item(PySlice::full(py), zeros)
}

#[pymethods]
impl Revealed {
    fn __enter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let bytes = self.secret.get().bytes()?;
        let is_entered = || {
            let message = "this reveal is entered already: call `secret.reveal()` again";
            Err(PyRuntimeError::new_err(message))
        };
        if self.copy().is_some() {
            return is_entered();
        }
        // Python may run other code while it allocates, and other threads: no lock is held then.
        let copy = PyByteArray::new(py, bytes);
        let view = PyMemoryView::from(&copy).and_then(|view| view.call_method0("toreadonly"));
        let kept = view.is_ok() && self.keep(&copy);
        if !kept {
            overwrite(&copy)?;
        }
        match view {
            Ok(_) if !kept => is_entered(),
            view => view,
        }
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
