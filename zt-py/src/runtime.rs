//! `zt.Runtime`: one per process; everything starts here.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PySet, PyTuple};
use zt_core::runtime::RuntimeBuilder;
use zt_core::{Code, Error};

use crate::aio;
use crate::config::Given;
use crate::error::Failure;
use crate::executor::{self, Work};
use crate::fork::Homed;
use crate::html;
use crate::session::Session;
use crate::snapshot::Snapshot;

/// How long a `with` block waits for the audit log at its end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Every runtime that is open and was handed out. It keeps them, so that each is closed at the end of the process.
static OPEN: PyOnceLock<Py<PySet>> = PyOnceLock::new();

/// The zero-trust runtime of this process. Safe across threads; made by `zt.open`.
///
/// >>> rt.snapshot.version
/// 1
///
/// Close it, or use it as a context manager: a failed flush of the audit log is an error that only `close` can tell.
#[pyclass(frozen, module = "zt")]
#[derive(Debug)]
pub(crate) struct Runtime {
    core: Homed<zt_core::Runtime>,
    is_closed: Arc<AtomicBool>,
}

impl Runtime {
    fn new(core: zt_core::Runtime) -> Self {
        Self {
            core: Homed::new(core),
            is_closed: Arc::default(),
        }
    }

    fn authenticate_work(&self, token: &str) -> Result<Work<zt_core::Session>, Failure> {
        let (core, token) = (self.core.get()?.clone(), token.to_owned());
        Ok(Box::pin(async move { core.authenticate(&token).await }))
    }

    fn reload_work(&self) -> Result<Work<Snapshot>, Failure> {
        let core = self.core.get()?.clone();
        Ok(Box::pin(
            async move { core.reload().await.map(Snapshot::new) },
        ))
    }

    /// Closing what is closed is no error; closing again what failed to close is another try.
    fn close_work(&self, timeout: Duration) -> Result<Work<()>, Failure> {
        let (core, is_closed) = (self.core.get()?.clone(), Arc::clone(&self.is_closed));
        Ok(Box::pin(async move {
            if !is_closed.load(Ordering::Acquire) {
                core.close(timeout).await?;
                is_closed.store(true, Ordering::Release);
            }
            Ok(())
        }))
    }

    fn close_now(slf: &Bound<'_, Self>, timeout: Duration) -> PyResult<()> {
        executor::wait(slf.py(), slf.get().close_work(timeout)?)?;
        forget(slf)
    }

    fn close_later<'py>(slf: &Bound<'py, Self>, timeout: Duration) -> PyResult<Bound<'py, PyAny>> {
        let (work, runtime) = (slf.get().close_work(timeout)?, slf.clone().unbind());
        let work = Box::pin(async move { work.await.map(|()| runtime) });
        aio::later(slf.py(), work, |py, runtime| {
            forget(runtime.bind(py))?;
            Ok(py.None())
        })
    }

    fn rows(&self) -> Vec<(&'static str, String)> {
        let Some(core) = self.core.names() else {
            return Vec::new();
        };
        let snapshot = core.snapshot();
        let hash: String = snapshot.hash().to_string().chars().take(12).collect();
        vec![
            ("folder", core.config().folder().display().to_string()),
            ("tables", snapshot.source().to_owned()),
            ("snapshot", format!("{} ({hash}…)", snapshot.version())),
            ("audit log", core.audit_folder().display().to_string()),
        ]
    }
}

#[pymethods]
impl Runtime {
    /// Verifies a caller's Entra access token, with or without the prefix `Bearer `. The session ends with the token.
    ///
    /// Raises Unauthenticated: its text holds the exact reason, for the log of this process; a remote caller may see
    /// `public_message` alone.
    fn authenticate(&self, py: Python<'_>, token: &str) -> PyResult<Session> {
        executor::answer(py, self.authenticate_work(token)?).map(Session::new)
    }

    /// `authenticate` for asyncio: an awaitable. The signature is verified off the loop's thread.
    fn authenticate_async<'py>(&self, py: Python<'py>, token: &str) -> PyResult<Bound<'py, PyAny>> {
        aio::later(py, self.authenticate_work(token)?, |py, session| {
            Ok(Py::new(py, Session::new(session))?.into_any())
        })
    }

    /// The snapshot of the metadata tables in force.
    #[getter]
    fn snapshot(&self) -> Result<Snapshot, Failure> {
        Ok(Snapshot::new(self.core.get()?.snapshot()))
    }

    /// Reads the tables and the pinned keys again and takes them when both are good; sessions decide by the new
    /// snapshot at once.
    ///
    /// Raises Invalid with every problem of the tables (`problems`), ConfigError for unusable keys, Unavailable for
    /// unreadable ones or when the audit log cannot be written; the last good snapshot and keys stay in force.
    fn reload(&self, py: Python<'_>) -> PyResult<Snapshot> {
        executor::wait(py, self.reload_work()?)
    }

    /// `reload` for asyncio: an awaitable.
    fn reload_async<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        aio::later(py, self.reload_work()?, |py, snapshot| {
            Ok(Py::new(py, snapshot)?.into_any())
        })
    }

    /// Writes and syncs the audit log, and ends. Later calls raise Cancelled (ZT-8002); a second close does nothing.
    ///
    /// Raises Unavailable when the log could not be written within `timeout` seconds.
    #[pyo3(signature = (timeout = 5.0))]
    fn close(slf: &Bound<'_, Self>, timeout: f64) -> PyResult<()> {
        Self::close_now(slf, seconds(timeout)?)
    }

    /// `close` for asyncio: an awaitable.
    #[pyo3(signature = (timeout = 5.0))]
    fn close_async<'py>(slf: &Bound<'py, Self>, timeout: f64) -> PyResult<Bound<'py, PyAny>> {
        Self::close_later(slf, seconds(timeout)?)
    }

    const fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_raised))]
    fn __exit__(slf: &Bound<'_, Self>, _raised: &Bound<'_, PyTuple>) -> PyResult<()> {
        Self::close_now(slf, PATIENCE)
    }

    fn __aenter__(slf: Py<Self>, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        aio::soon(py, Box::pin(async move { Ok(slf) }), |_, slf| {
            Ok(slf.into_any())
        })
    }

    #[pyo3(signature = (*_raised))]
    fn __aexit__<'py>(
        slf: &Bound<'py, Self>,
        _raised: &Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Self::close_later(slf, PATIENCE)
    }

    fn __repr__(&self) -> String {
        let rows = self.rows().into_iter();
        let rows: Vec<String> = rows
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        format!("Runtime({})", rows.join(", "))
    }

    fn _repr_html_(&self) -> String {
        html::table("zt runtime", &self.rows())
    }
}

/// The set of the open runtimes; `zt/__init__.py` adds to it, a close takes away.
#[pyfunction]
#[pyo3(name = "_open_runtimes")]
pub(crate) fn open_runtimes(py: Python<'_>) -> PyResult<Bound<'_, PySet>> {
    let set = OPEN.get_or_try_init(py, || PySet::empty(py).map(Bound::unbind))?;
    Ok(set.bind(py).clone())
}

fn forget(runtime: &Bound<'_, Runtime>) -> PyResult<()> {
    open_runtimes(runtime.py())?.discard(runtime).map(drop)
}

/// Opens the folder that holds `zt.toml`; see `zt.open`.
#[pyfunction]
#[pyo3(signature = (folder, **config))]
pub(crate) fn open(
    py: Python<'_>,
    folder: PathBuf,
    config: Option<&Bound<'_, PyDict>>,
) -> PyResult<Runtime> {
    executor::wait(py, open_work(folder, config)?)
}

/// `open` for asyncio: an awaitable; see `zt.open_async`.
#[pyfunction]
#[pyo3(signature = (folder, **config))]
pub(crate) fn open_async<'py>(
    py: Python<'py>,
    folder: PathBuf,
    config: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    aio::later(py, open_work(folder, config)?, |py, runtime| {
        Ok(Py::new(py, runtime)?.into_any())
    })
}

fn open_work(folder: PathBuf, config: Option<&Bound<'_, PyDict>>) -> PyResult<Work<Runtime>> {
    let given = Given::new(folder, config)?;
    Ok(Box::pin(async move {
        let runtime = RuntimeBuilder::new(given.load()?).open().await?;
        Ok(Runtime::new(runtime))
    }))
}

fn seconds(timeout: f64) -> Result<Duration, Failure> {
    Duration::try_from_secs_f64(timeout).map_err(|_| {
        let message = format!("timeout `{timeout}` is not a number of seconds, 0 or more");
        Failure::new(Error::new(Code::InvalidArgument, message))
    })
}
