//! The bridge to asyncio: work of the core as something to `await`.
//!
//! Work that needs no wait becomes an awaitable that is ready (no task switch, no loop); other work becomes a future of
//! the running loop, answered by `call_soon_threadsafe`. Cancelling that future drops the work.

use std::sync::Mutex;

use pyo3::exceptions::{PyRuntimeError, PyStopIteration};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use tokio::task::AbortHandle;
use zt_core::Result;
use zt_core::session::Soon;

use crate::error::Failure;
use crate::executor::{self, Started, Work};

/// Makes a Python value of a result.
pub(crate) trait Convert<T>:
    FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static
{
}

impl<T, F: FnOnce(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + 'static> Convert<T> for F {}

static GET_RUNNING_LOOP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Does the work here if it needs no wait; else as [`later`].
pub(crate) fn soon<T: Send + 'static>(
    py: Python<'_>,
    work: Work<T>,
    convert: impl Convert<T>,
) -> PyResult<Bound<'_, PyAny>> {
    match executor::start(py, work)? {
        Started::Later(work) => later(py, work, convert),
        Started::Ready(result) => ready(py, result, convert),
    }
}

/// What of a check waits for the disk, on the executor; the rest is here.
pub(crate) fn checked<T: Send + 'static>(
    py: Python<'_>,
    begun: Result<Soon<T>>,
    convert: impl Convert<T>,
) -> PyResult<Bound<'_, PyAny>> {
    match begun {
        Ok(Soon::Waits(rest)) => later(py, executor::aside(move || rest.finish()), convert),
        Ok(Soon::Ready(answer)) => ready(py, Ok(answer), convert),
        Err(error) => ready(py, Err(error), convert),
    }
}

fn ready<T>(
    py: Python<'_>,
    result: Result<T>,
    convert: impl Convert<T>,
) -> PyResult<Bound<'_, PyAny>> {
    let outcome = Mutex::new(Some(outcome(py, result, convert)));
    Ok(Bound::new(py, Ready { outcome })?.into_any())
}

/// Does the work on the executor, for a future of the running loop.
pub(crate) fn later<T: Send + 'static>(
    py: Python<'_>,
    work: Work<T>,
    convert: impl Convert<T>,
) -> PyResult<Bound<'_, PyAny>> {
    Waiter::new(py)?.wait(py, work, convert)
}

/// A future of the running loop that somebody waits for.
#[derive(Debug)]
pub(crate) struct Waiter {
    event_loop: Py<PyAny>,
    future: Py<PyAny>,
}

impl Waiter {
    /// # Errors
    /// `RuntimeError` where no loop runs.
    pub(crate) fn new(py: Python<'_>) -> PyResult<Self> {
        let get_running_loop = GET_RUNNING_LOOP.import(py, "asyncio", "get_running_loop")?;
        let event_loop = get_running_loop.call0()?;
        let future = event_loop.call_method0("create_future")?;
        Ok(Self {
            event_loop: event_loop.unbind(),
            future: future.unbind(),
        })
    }

    pub(crate) fn clone_ref(&self, py: Python<'_>) -> Self {
        Self {
            event_loop: self.event_loop.clone_ref(py),
            future: self.future.clone_ref(py),
        }
    }

    /// Does the work for this future. What is done before its end drops it.
    pub(crate) fn wait<T: Send + 'static>(
        self,
        py: Python<'_>,
        work: Work<T>,
        convert: impl Convert<T>,
    ) -> PyResult<Bound<'_, PyAny>> {
        let future = self.future.bind(py).clone();
        let task = executor::spawn(work)?;
        let abort = task.abort_handle();
        executor::spawn(async move {
            // A panic of the work must not leave the awaiter waiting.
            let result = match task.await {
                Ok(result) => result,
                Err(_) => Err(executor::vanished()),
            };
            // Without an interpreter nobody waits.
            Python::try_attach(|py| {
                let outcome = Mutex::new(Some(outcome(py, result, convert)));
                let future = self.future.clone_ref(py);
                self.soon(py, Settle { future, outcome });
            });
        })?;
        future.call_method1("add_done_callback", (Abandon(abort),))?;
        Ok(future)
    }

    /// Calls a function with this word on the loop's own thread, before the end; its exception is what the awaiter gets.
    pub(crate) fn tell(&self, py: Python<'_>, function: Py<PyAny>, word: Py<PyAny>) {
        let future = self.future.clone_ref(py);
        self.soon(
            py,
            Told {
                future,
                function,
                word,
            },
        );
    }

    fn soon<'py>(&self, py: Python<'py>, callback: impl IntoPyObject<'py>) {
        // The loop may be closed; then nobody waits either.
        let arguments = (callback,);
        drop(
            self.event_loop
                .call_method1(py, "call_soon_threadsafe", arguments),
        );
    }
}

fn outcome<T>(py: Python<'_>, result: Result<T>, convert: impl Convert<T>) -> PyResult<Py<PyAny>> {
    convert(py, result.map_err(Failure::new)?)
}

/// An awaitable whose answer is there.
#[pyclass(frozen, module = "zt._zt", name = "_Ready")]
#[derive(Debug)]
struct Ready {
    outcome: Mutex<Option<PyResult<Py<PyAny>>>>,
}

#[pymethods]
impl Ready {
    const fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    const fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self) -> PyResult<Py<PyAny>> {
        Err(match take(&self.outcome) {
            Some(Ok(value)) => PyStopIteration::new_err((value,)),
            Some(Err(error)) => error,
            None => PyRuntimeError::new_err("this was awaited already"),
        })
    }
}

/// Runs on the loop's own thread: hands the outcome to the future, if somebody still waits for it.
#[pyclass(frozen, module = "zt._zt", name = "_Settle")]
#[derive(Debug)]
struct Settle {
    future: Py<PyAny>,
    outcome: Mutex<Option<PyResult<Py<PyAny>>>>,
}

#[pymethods]
impl Settle {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        let future = self.future.bind(py);
        if future.call_method0("done")?.is_truthy()? {
            return Ok(());
        }
        match take(&self.outcome) {
            Some(Ok(value)) => future.call_method1("set_result", (value,))?,
            Some(Err(error)) => future.call_method1("set_exception", (error,))?,
            None => return Ok(()),
        };
        Ok(())
    }
}

/// Runs on the loop's own thread: calls the function, unless nobody waits any more.
#[pyclass(frozen, module = "zt._zt", name = "_Told")]
#[derive(Debug)]
struct Told {
    future: Py<PyAny>,
    function: Py<PyAny>,
    word: Py<PyAny>,
}

#[pymethods]
impl Told {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        let future = self.future.bind(py);
        if future.call_method0("done")?.is_truthy()? {
            return Ok(());
        }
        if let Err(raised) = self.function.call1(py, (&self.word,)) {
            future.call_method1("set_exception", (raised,))?;
        }
        Ok(())
    }
}

/// Runs when the future is done: drops the work if it is not, as after a cancellation.
#[pyclass(frozen, module = "zt._zt", name = "_Abandon")]
#[derive(Debug)]
struct Abandon(AbortHandle);

#[pymethods]
impl Abandon {
    fn __call__(&self, _future: &Bound<'_, PyAny>) {
        self.0.abort();
    }
}

fn take(outcome: &Mutex<Option<PyResult<Py<PyAny>>>>) -> Option<PyResult<Py<PyAny>>> {
    outcome
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .take()
}
