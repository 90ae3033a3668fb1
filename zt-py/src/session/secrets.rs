//! The half of `zt.Session` that reads secrets.

use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use zt_core::secrets::{self, SecretVersion, Warmed};
use zt_core::{Code, Error};

use super::Session;
use crate::aio;
use crate::error::Failure;
use crate::executor::{self, Work};
use crate::handle::SecretHandle;
use crate::runtime::seconds;
use crate::secret::{self, Secret};

/// What was asked for, and what came of it.
type Ahead = (Vec<String>, Warmed);

impl Session {
    fn secret_work(&self, reference: &str) -> Result<Work<secrets::Secret>, Failure> {
        let session = self.core()?.clone();
        let reference = reference.to_owned();
        Ok(Box::pin(async move { session.secret(&reference).await }))
    }

    fn expose_work(
        &self,
        reference: &str,
        exposed_to: &str,
    ) -> Result<Work<secrets::Secret>, Failure> {
        let session = self.core()?.clone();
        let (reference, to) = (reference.to_owned(), exposed_to.to_owned());
        Ok(Box::pin(async move {
            session.secret_to_expose(&reference, &to).await
        }))
    }

    fn version_work(
        &self,
        reference: &str,
        version: &str,
    ) -> Result<Work<secrets::Secret>, Failure> {
        let session = self.core()?.clone();
        let version: SecretVersion = version.parse().map_err(|_| {
            let message = "version is no version of a secret";
            Error::new(Code::InvalidArgument, message).with_help("32 hexadecimal digits")
        })?;
        let reference = reference.to_owned();
        Ok(Box::pin(async move {
            session.secret_version(&reference, version).await
        }))
    }

    fn refresh_work(&self, reference: &str) -> Result<Work<secrets::Secret>, Failure> {
        let session = self.core()?.clone();
        let reference = reference.to_owned();
        Ok(Box::pin(
            async move { session.refresh_secret(&reference).await },
        ))
    }

    fn warm_work(&self, references: Vec<String>, budget: Duration) -> Result<Work<Ahead>, Failure> {
        let session = self.core()?.clone();
        Ok(Box::pin(async move {
            let asked: Vec<&str> = references.iter().map(String::as_str).collect();
            let warmed = session.warm(&asked, budget).await?;
            Ok((references, warmed))
        }))
    }
}

#[pymethods]
impl Session {
    /// `secret`, with a record on disk that its value goes on as plain text; `zt.databricks` and whoever else must hand on a
    /// str.
    #[pyo3(signature = (reference, exposed_to))]
    fn _secret_to_expose(
        &self,
        py: Python<'_>,
        reference: &str,
        exposed_to: &str,
    ) -> PyResult<Secret> {
        executor::answer(py, self.expose_work(reference, exposed_to)?).map(Secret::new)
    }

    /// The secret of a row of Secret_References. Policy is checked and the read audited each time, cached or not.
    ///
    /// Raises Denied, NotFound when the vault has no such secret, Unavailable when the vault or the audit log is down.
    /// Releases the interpreter while it waits; Ctrl-C ends the wait.
    fn secret(&self, py: Python<'_>, reference: &str) -> PyResult<Secret> {
        let work = self.secret_work(reference)?;
        executor::answer(py, work).map(Secret::new)
    }

    /// `secret` for asyncio: an awaitable, ready at once when the value is cached.
    ///
    /// The decision is made and recorded by the call itself, on the loop's thread: a deny, and the first release of a
    /// cached version, wait there for the disk of the audit log, mostly under a millisecond, at most its deadline (2 s).
    fn secret_async<'py>(&self, py: Python<'py>, reference: &str) -> PyResult<Bound<'py, PyAny>> {
        aio::soon(py, self.secret_work(reference)?, secret::released)
    }

    /// A handle for a secret that is read often. Nothing is asked yet, neither policy nor vault.
    ///
    /// >>> key = job.secret_handle("bureau-api-key")
    /// >>> key.get().name
    /// 'bureau-api-key'
    fn secret_handle(&self, reference: &str) -> Result<SecretHandle, Failure> {
        Ok(SecretHandle::new(self.core()?.secret_handle(reference)))
    }

    /// One version of the secret of a row, whichever is the current one: under the same right and with the same record.
    /// `version` is what `Secret.version` tells.
    ///
    /// Raises Invalid for what is no version and for a row that is pinned to another one; else as `secret`.
    ///
    /// >>> now = job.secret("bureau-api-key")
    /// >>> job.secret_version("bureau-api-key", now.version).version == now.version
    /// True
    fn secret_version(&self, py: Python<'_>, reference: &str, version: &str) -> PyResult<Secret> {
        executor::answer(py, self.version_work(reference, version)?).map(Secret::new)
    }

    /// `secret_version` for asyncio: an awaitable.
    fn secret_version_async<'py>(
        &self,
        py: Python<'py>,
        reference: &str,
        version: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        aio::soon(py, self.version_work(reference, version)?, secret::released)
    }

    /// The secret, asked of the vault now; at most once a second, else what is cached.
    ///
    /// Raises as `secret`; the vault's error also where a value is held, which other readers are still served.
    ///
    /// >>> job.refresh_secret("bureau-api-key").stale_for_s is None
    /// True
    fn refresh_secret(&self, py: Python<'_>, reference: &str) -> PyResult<Secret> {
        executor::answer(py, self.refresh_work(reference)?).map(Secret::new)
    }

    /// `refresh_secret` for asyncio: an awaitable.
    fn refresh_secret_async<'py>(
        &self,
        py: Python<'py>,
        reference: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        aio::soon(py, self.refresh_work(reference)?, secret::released)
    }

    /// Fetches secrets before they are read, all at once, and waits at most `timeout_s` seconds: what a job needs, while it
    /// starts. Nothing is handed out, and only what this session may read is fetched; what is not back in time goes on.
    ///
    /// Answers a dict: `ready`, how many are there now, and `failed`, the error of each of the others by its reference.
    /// Raises as `check`.
    ///
    /// >>> warmed = job.warm(["bureau-api-key", "adb-token"])
    /// >>> warmed["ready"], {name: error.code for name, error in warmed["failed"].items()}
    /// (1, {'adb-token': 'ZT-1001'})
    #[pyo3(signature = (references, timeout_s = 10.0))]
    fn warm(&self, py: Python<'_>, references: Vec<String>, timeout_s: f64) -> PyResult<Py<PyAny>> {
        let ahead = executor::answer(py, self.warm_work(references, seconds(timeout_s)?)?)?;
        warmed(py, ahead)
    }

    /// `warm` for asyncio: an awaitable.
    #[pyo3(signature = (references, timeout_s = 10.0))]
    fn warm_async<'py>(
        &self,
        py: Python<'py>,
        references: Vec<String>,
        timeout_s: f64,
    ) -> PyResult<Bound<'py, PyAny>> {
        let work = self.warm_work(references, seconds(timeout_s)?)?;
        aio::soon(py, work, warmed)
    }
}

fn warmed(py: Python<'_>, (references, warmed): Ahead) -> PyResult<Py<PyAny>> {
    let failed = PyDict::new(py);
    for (place, error) in warmed.failed {
        if let Some(reference) = references.get(place) {
            failed.set_item(reference, PyErr::from(Failure::new(error)).into_value(py))?;
        }
    }
    let told = PyDict::new(py);
    told.set_item("ready", warmed.ready)?;
    told.set_item("failed", failed)?;
    Ok(told.into_any().unbind())
}
