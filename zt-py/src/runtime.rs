//! `zt.Runtime`: one per process; everything starts here.

mod upkeep;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PySet, PyTuple};
use zeroize::Zeroizing;
use zt_core::runtime::RuntimeBuilder;
use zt_core::{Code, Error};

use crate::aio;
use crate::config::Given;
use crate::credential::PyCredential;
use crate::error::Failure;
use crate::executor::{self, Work};
use crate::fork::Homed;
use crate::html;
use crate::keys;
use crate::session::Session;
use crate::sign_in;
use crate::snapshot::Snapshot;
use crate::token::AccessToken;

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

    fn workload_work(&self) -> Result<Work<zt_core::Session>, Failure> {
        let core = self.core.get()?.clone();
        Ok(Box::pin(async move { core.workload().await }))
    }

    fn on_behalf_of_work(
        &self,
        session: &Session,
        token: &str,
        scope: &str,
    ) -> Result<Work<zt_core::identity::AccessToken>, Failure> {
        let (core, session) = (self.core.get()?.clone(), session.core()?.clone());
        let token = Zeroizing::new(token.to_owned());
        let scope = scope.to_owned();
        Ok(Box::pin(async move {
            core.on_behalf_of(&session, &token, &scope).await
        }))
    }

    fn purge_keys_work(&self) -> Result<Work<()>, Failure> {
        let core = self.core.get()?.clone();
        Ok(executor::aside(move || core.purge_keys()))
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

    /// A session of the process itself: a managed identity, a service principal of the environment, the object that
    /// `zt.open(credential=...)` was given; in development also who ran `az login`. Its token is verified as anyone's is, so
    /// the identity needs an app role of this application.
    ///
    /// Asking again is cheap, and due when the session has ended. Raises ConfigError (ZT-7002) with every credential that was
    /// tried, Unavailable when the issuer cannot be reached; else as `authenticate`.
    fn workload(&self, py: Python<'_>) -> PyResult<Session> {
        executor::answer(py, self.workload_work()?).map(Session::new)
    }

    /// `workload` for asyncio: an awaitable.
    fn workload_async<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        aio::later(py, self.workload_work()?, |py, session| {
            Ok(Py::new(py, Session::new(session))?.into_any())
        })
    }

    /// Signs the person in front of this process in: they type a short code in a browser on any device. Waits until they have
    /// done so, or the code runs out after some minutes; Ctrl-C ends the wait.
    ///
    /// A terminal and a notebook show the code by themselves. `prompt` is a function that is called with a `zt.SignIn`
    /// instead; what it raises ends the sign-in. Raises Unauthenticated (ZT-2006) when the person declines or is too late, and
    /// without a prompt where nobody is: a service, a job, a notebook that a scheduler runs.
    #[pyo3(signature = (prompt = None))]
    fn sign_in(&self, py: Python<'_>, prompt: Option<Py<PyAny>>) -> PyResult<Session> {
        sign_in::now(py, self.core.get()?.clone(), prompt)
    }

    /// `sign_in` for asyncio: an awaitable. The prompt is called on the loop's thread.
    #[pyo3(signature = (prompt = None))]
    fn sign_in_async<'py>(
        &self,
        py: Python<'py>,
        prompt: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        sign_in::later(py, self.core.get()?.clone(), prompt)
    }

    /// A token for `scope`, a service behind this one, that names the caller of `session` and has their rights there.
    /// `token` is the one that the session was made with; it is verified again, and must be of the same caller. The exchange
    /// stands in the audit log before this returns.
    ///
    /// Raises Unauthenticated for another caller's token, and with ZT-2005 when Entra asks the person to sign in again:
    /// `challenge` is what to answer them. Raises ConfigError (ZT-7002) when this application cannot prove itself.
    fn on_behalf_of(
        &self,
        py: Python<'_>,
        session: &Session,
        token: &str,
        scope: &str,
    ) -> PyResult<AccessToken> {
        let work = self.on_behalf_of_work(session, token, scope)?;
        executor::wait(py, work).map(AccessToken::new)
    }

    /// `on_behalf_of` for asyncio: an awaitable.
    fn on_behalf_of_async<'py>(
        &self,
        py: Python<'py>,
        session: &Session,
        token: &str,
        scope: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let work = self.on_behalf_of_work(session, token, scope)?;
        aio::later(py, work, |py, token| {
            Ok(Py::new(py, AccessToken::new(token))?.into_any())
        })
    }

    /// Nothing where tokens can be verified and the tables are young enough to decide by: what a readiness probe asks. Never
    /// waits.
    ///
    /// Raises Unavailable with what is missing: the issuer's keys (ZT-4003) or the tables (ZT-4004).
    ///
    /// >>> rt.ready()
    fn ready(&self) -> Result<(), Failure> {
        Ok(self.core.get()?.ready()?)
    }

    /// How the issuer's keys are, a dict for each tenant and format of tokens: `tenant`, `version`, `state` (`empty`, `fresh`,
    /// `stale`, `expired`, `pinned`), `keys`, `age_s`, `next_refresh_s`, `failures` and `error`. Never waits.
    ///
    /// >>> sorted({keys["state"] for keys in rt.key_health()})
    /// ['pinned']
    fn key_health<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        keys::told(py, &self.core.get()?.key_health())
    }

    /// Drops every key that Entra does not list now, at once instead of after ten minutes, and forgets who was verified with
    /// it: after an incident at the issuer. Nothing happens where keys are pinned.
    ///
    /// Raises Unavailable when the audit log cannot be written; nothing is dropped then.
    fn purge_keys(&self, py: Python<'_>) -> PyResult<()> {
        executor::wait(py, self.purge_keys_work()?)
    }

    /// `purge_keys` for asyncio: an awaitable.
    fn purge_keys_async<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        aio::later(py, self.purge_keys_work()?, |py, ()| Ok(py.None()))
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
#[pyo3(signature = (folder, *, credential = None, **config))]
pub(crate) fn open(
    py: Python<'_>,
    folder: PathBuf,
    credential: Option<&Bound<'_, PyAny>>,
    config: Option<&Bound<'_, PyDict>>,
) -> PyResult<Runtime> {
    executor::wait(py, open_work(folder, credential, config)?)
}

/// `open` for asyncio: an awaitable; see `zt.open_async`.
#[pyfunction]
#[pyo3(signature = (folder, *, credential = None, **config))]
pub(crate) fn open_async<'py>(
    py: Python<'py>,
    folder: PathBuf,
    credential: Option<&Bound<'py, PyAny>>,
    config: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    aio::later(py, open_work(folder, credential, config)?, |py, runtime| {
        Ok(Py::new(py, runtime)?.into_any())
    })
}

fn open_work(
    folder: PathBuf,
    credential: Option<&Bound<'_, PyAny>>,
    config: Option<&Bound<'_, PyDict>>,
) -> PyResult<Work<Runtime>> {
    let given = Given::new(folder, config)?;
    let credential = credential.map(PyCredential::new).transpose()?;
    Ok(Box::pin(async move {
        let mut builder = RuntimeBuilder::new(given.load()?);
        if let Some(credential) = credential {
            builder = builder.with_credential(Arc::new(credential));
        }
        Ok(Runtime::new(builder.open().await?))
    }))
}

/// A timeout as Python gives it.
pub(crate) fn seconds(timeout: f64) -> Result<Duration, Failure> {
    Duration::try_from_secs_f64(timeout).map_err(|_| {
        let message = format!("timeout `{timeout}` is not a number of seconds, 0 or more");
        Failure::new(Error::new(Code::InvalidArgument, message))
    })
}
