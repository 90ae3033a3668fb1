//! Reads what Python hands in, however long that takes: a lazy reader is somebody's own Python, or waits for somebody's database.
//!
//! Reads hear Ctrl-C and let other Python threads run. What is awaited is read on a thread that Python made and that its end
//! waits for (`zt/_reading.py`), never on the executor's: its few threads are for work that ends. Once nobody waits any more, the
//! read ends before its next batch.

#[cfg(feature = "arrow")]
mod between;

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};
use zt_core::{Code, Error};

#[cfg(feature = "arrow")]
pub(crate) use between::{Between, detached, interrupted};

use crate::error::Failure;

static ASIDE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

thread_local! {
    /// Whether nobody waits any more for what this thread does.
    static GIVEN_UP: RefCell<Option<Arc<AtomicBool>>> = const { RefCell::new(None) };
}

/// An awaitable for the answer of this function, which is called on a thread of its own.
///
/// # Errors
/// `RuntimeError` where no loop runs.
pub(crate) fn aside<'py>(
    function: &Bound<'py, PyAny>,
    arguments: &Bound<'py, PyTuple>,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = function.py();
    let reading = Reading(Arc::default());
    let aside = ASIDE.import(py, "zt._reading", "aside")?;
    aside.call1((Bound::new(py, reading)?, function, arguments, options))
}

/// Lets Ctrl-C and other Python threads through.
///
/// # Errors
/// What a signal raises; `Cancelled` once nobody waits.
pub(crate) fn hear(py: Python<'_>) -> PyResult<()> {
    py.check_signals()?;
    py.detach(|| ());
    if is_given_up() {
        let error = Error::new(Code::Cancelled, "nobody waits for this any more");
        return Err(Failure::new(error).into());
    }
    Ok(())
}

fn is_given_up() -> bool {
    GIVEN_UP.with_borrow(|given_up| {
        let given_up = given_up.as_ref();
        given_up.is_some_and(|given_up| given_up.load(Ordering::Relaxed))
    })
}

/// A call that somebody awaits. `zt/_reading.py` runs it.
#[pyclass(frozen, module = "zt._zt", name = "_Reading")]
#[derive(Debug)]
struct Reading(Arc<AtomicBool>);

#[pymethods]
impl Reading {
    /// Calls the function on this thread, which hears meanwhile when the read is given up.
    #[pyo3(signature = (function, arguments, options = None))]
    fn run<'py>(
        &self,
        function: &Bound<'py, PyAny>,
        arguments: &Bound<'py, PyTuple>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let before = GIVEN_UP.replace(Some(Arc::clone(&self.0)));
        let answer = function.call(arguments, options);
        GIVEN_UP.set(before);
        answer
    }

    /// That nobody waits any more.
    fn give_up(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
