//! `zt.Secret`: a value that no implicit route of Python leads to. `reveal()` is the one way.

use pyo3::basic::CompareOp;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use zt_core::secrets;

use crate::error::Failure;
use crate::fork::Homed;
use crate::html;
use crate::revealed::Revealed;

/// One version of one secret, which nothing prints, converts, compares, copies or serializes.
///
/// `str`, `repr` and every format give its name; each conversion is a TypeError that says what to do instead:
///
/// >>> key = job.secret("bureau-api-key")
/// >>> f"{key}".startswith("[secret bureau-api-key@")
/// True
/// >>> key.path_proof
/// 'local'
/// >>> with key.reveal() as view:           # a read-only memoryview; wiped at the end of the block
/// ...     view.nbytes > 0
/// True
/// >>> bytes(key)
/// Traceback (most recent call last):
/// ...
/// TypeError: a secret is not converted: `with secret.reveal() as view:` gives its bytes
///
/// `==` is a TypeError too, for a False that everybody overlooks is worse: reveal both sides and use
/// `hmac.compare_digest`. A copy (`copy.copy`, `copy.deepcopy`) is the same object. In a forked child it names itself and
/// reveals nothing.
#[pyclass(frozen, module = "zt")]
#[derive(Debug)]
pub(crate) struct Secret(Homed<secrets::Secret>);

const CONVERTED: &str =
    "a secret is not converted: `with secret.reveal() as view:` gives its bytes";
const COMPARED: &str =
    "a secret is neither compared nor hashed: reveal both sides and use `hmac.compare_digest`";
const PICKLED: &str = "a secret does not leave its process: pass its name and ask for it there with `session.secret(name)`";

impl Secret {
    pub(crate) fn new(secret: secrets::Secret) -> Self {
        Self(Homed::new(secret))
    }

    /// The bytes, in the process that was given them.
    pub(crate) fn bytes(&self) -> Result<&[u8], Failure> {
        Ok(self.0.get()?.reveal())
    }

    /// What may be printed: `[secret bureau-api-key@…]`.
    pub(crate) fn label(&self) -> String {
        format!("[secret {}@{}]", self.name(), self.version())
    }
}

/// A secret on its way to an awaiter.
pub(crate) fn released(py: Python<'_>, secret: secrets::Secret) -> PyResult<Py<PyAny>> {
    Ok(Py::new(py, Secret::new(secret))?.into_any())
}

fn refused<T>(why: &'static str) -> PyResult<T> {
    Err(PyTypeError::new_err(why))
}

#[pymethods]
#[expect(clippy::unused_self, reason = "Python calls these with the object")]
impl Secret {
    /// Its name in the vault.
    #[getter]
    fn name(&self) -> String {
        self.0
            .names()
            .map(|secret| secret.name().to_string())
            .unwrap_or_default()
    }

    /// Which version it is; never "the current one".
    #[getter]
    fn version(&self) -> String {
        self.0
            .names()
            .map(|secret| secret.version().to_string())
            .unwrap_or_default()
    }

    /// For how many seconds it had outlived its TTL when it was handed out, as may be while the vault cannot answer and its
    /// row allows it (`max_stale_s`); None when it had not.
    #[getter]
    fn stale_for_s(&self) -> Option<f64> {
        let secret = self.0.names()?;
        secret.stale_for().map(|stale| stale.as_secs_f64())
    }

    /// How the vault proved that no detour is possible, in the words of the audit log.
    #[getter]
    fn path_proof(&self) -> &str {
        self.0
            .names()
            .map(secrets::Secret::path_proof)
            .unwrap_or_default()
    }

    /// The bytes, for the length of a `with` block: a read-only memoryview, overwritten with zeros when the block ends,
    /// so that one that is kept reads zeros. Copies made inside (`bytes(view)`) are yours, and nobody wipes them.
    const fn reveal(slf: Py<Self>) -> Revealed {
        Revealed::new(slf)
    }

    fn __repr__(&self) -> String {
        self.label()
    }

    fn __str__(&self) -> String {
        self.label()
    }

    /// Every format spec gives the label whole: a cut or padded one would be taken for the value.
    fn __format__(&self, _spec: &Bound<'_, PyAny>) -> String {
        self.label()
    }

    fn _repr_html_(&self) -> String {
        html::escape(&self.label())
    }

    /// True: there is a secret. Says nothing of its value, which may be empty.
    const fn __bool__(&self) -> bool {
        true
    }

    const fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    const fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    fn __richcmp__(&self, _other: &Bound<'_, PyAny>, _by: CompareOp) -> PyResult<bool> {
        refused(COMPARED)
    }

    fn __hash__(&self) -> PyResult<u64> {
        refused(COMPARED)
    }

    fn __reduce__(&self) -> PyResult<()> {
        refused(PICKLED)
    }

    fn __reduce_ex__(&self, _protocol: &Bound<'_, PyAny>) -> PyResult<()> {
        refused(PICKLED)
    }

    fn __getstate__(&self) -> PyResult<()> {
        refused(PICKLED)
    }

    fn __bytes__(&self) -> PyResult<Py<PyAny>> {
        refused(CONVERTED)
    }

    fn __iter__(&self) -> PyResult<Py<PyAny>> {
        refused(CONVERTED)
    }

    fn __len__(&self) -> PyResult<usize> {
        refused(CONVERTED)
    }

    fn __contains__(&self, _item: &Bound<'_, PyAny>) -> PyResult<bool> {
        refused(CONVERTED)
    }

    fn __getitem__(&self, _at: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        refused(CONVERTED)
    }

    fn __int__(&self) -> PyResult<Py<PyAny>> {
        refused(CONVERTED)
    }

    fn __float__(&self) -> PyResult<f64> {
        refused(CONVERTED)
    }

    fn __index__(&self) -> PyResult<Py<PyAny>> {
        refused(CONVERTED)
    }

    fn __add__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        refused(CONVERTED)
    }

    fn __radd__(&self, _other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        refused(CONVERTED)
    }
}
