//! `zt.SecretHandle`: a secret that is read again and again.

use pyo3::prelude::*;
use zt_core::secrets;
use zt_core::session;

use crate::aio;
use crate::error::Failure;
use crate::executor::{self, Work};
use crate::fork::Homed;
use crate::secret::{self, Secret};

/// A secret that is read again and again, by a session under its claims.
///
/// Every read is decided and audited as `Session.secret` is; the handle saves looking up the name. Safe across threads.
///
/// >>> key = job.secret_handle("bureau-api-key")
/// >>> key
/// SecretHandle(bureau-api-key)
/// >>> for _request in range(3):
/// ...     with key.get().reveal() as view:
/// ...         assert view.nbytes > 0
#[pyclass(frozen, module = "zt")]
#[derive(Debug)]
pub(crate) struct SecretHandle(Homed<session::SecretHandle>);

impl SecretHandle {
    pub(crate) fn new(handle: session::SecretHandle) -> Self {
        Self(Homed::new(handle))
    }

    fn work(&self) -> Result<Work<secrets::Secret>, Failure> {
        let handle = self.0.get()?.clone();
        Ok(Box::pin(async move { handle.get().await }))
    }
}

#[pymethods]
impl SecretHandle {
    /// The id of its row of Secret_References.
    #[getter]
    fn reference(&self) -> &str {
        self.0
            .names()
            .map(session::SecretHandle::reference)
            .unwrap_or_default()
    }

    /// The secret, as `Session.secret` gives it; raises as that does.
    fn get(&self, py: Python<'_>) -> PyResult<Secret> {
        executor::answer(py, self.work()?).map(Secret::new)
    }

    /// `get` for asyncio: an awaitable, ready at once when the value is cached; else as `Session.secret_async`.
    fn get_async<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        aio::soon(py, self.work()?, secret::released)
    }

    fn __repr__(&self) -> String {
        format!("SecretHandle({})", self.reference())
    }
}
