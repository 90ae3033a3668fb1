//! `zt.AccessToken`: a token for a service behind this one.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use zt_core::identity;

/// A token for a service behind this one, in the shape that Azure's SDKs know: `token`, and `expires_on` in seconds since 1970.
///
/// It prints when it ends and nothing else, and is neither pickled nor copied.
///
/// >>> rt.on_behalf_of(maya, token, "https://graph.microsoft.com/.default")     # the development issuer exchanges nothing
/// Traceback (most recent call last):
/// ...
/// zt._errors.ConfigError: [ZT-7002] ...
#[pyclass(frozen, module = "zt")]
#[derive(Debug)]
pub(crate) struct AccessToken(identity::AccessToken);

impl AccessToken {
    pub(crate) const fn new(core: identity::AccessToken) -> Self {
        Self(core)
    }
}

#[pymethods]
impl AccessToken {
    /// The token. Whoever holds it is who it names: it belongs into a header `Authorization` and nowhere else.
    #[getter]
    fn token(&self) -> &str {
        self.0.reveal()
    }

    /// When it ends, in whole seconds since 1970.
    #[getter]
    const fn expires_on(&self) -> i64 {
        self.0.expires_at().as_secs()
    }

    fn __repr__(&self) -> String {
        format!("AccessToken(expires_on={})", self.expires_on())
    }

    #[expect(clippy::unused_self, reason = "Python calls it with the object")]
    fn __reduce__(&self) -> PyResult<Py<PyAny>> {
        let message =
            "an access token is not pickled or copied: ask for another one where it is needed";
        Err(PyTypeError::new_err(message))
    }
}
