//! Errors of the core become exceptions of `zt._errors`, with everything a program or a person can act on.

use std::error::Error as _;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyModule};
use zt_core::{Error, ErrorKind};

use crate::decision::Decision;
use crate::plain;

static ERRORS: PyOnceLock<Py<PyModule>> = PyOnceLock::new();

/// An error of the core on its way to an exception.
#[derive(Debug)]
pub(crate) struct Failure(Box<Error>);

impl Failure {
    #[cold]
    pub(crate) fn new(error: Error) -> Self {
        Self(Box::new(error))
    }
}

impl From<Error> for Failure {
    #[cold]
    fn from(error: Error) -> Self {
        Self::new(error)
    }
}

impl From<Failure> for PyErr {
    #[cold]
    fn from(failure: Failure) -> Self {
        Python::attach(|py| exception(py, &failure.0).map_or_else(|error| error, Self::from_value))
    }
}

const fn class(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Denied => "Denied",
        ErrorKind::Unauthenticated => "Unauthenticated",
        ErrorKind::NotFound => "NotFound",
        ErrorKind::Unavailable { .. } => "Unavailable",
        ErrorKind::Invalid => "Invalid",
        ErrorKind::Integrity => "Integrity",
        ErrorKind::Config => "ConfigError",
        ErrorKind::Cancelled => "Cancelled",
        ErrorKind::Internal => "InternalError",
    }
}

fn exception<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let module = ERRORS.get_or_try_init(py, || py.import("zt._errors").map(Bound::unbind))?;
    let facts = PyDict::new(py);
    facts.set_item("code", error.code().as_str())?;
    facts.set_item("help", error.help())?;
    facts.set_item("public_message", error.public_message())?;
    facts.set_item("http_status", error.http_status())?;
    facts.set_item("is_transient", error.is_transient())?;
    facts.set_item("retry_after_s", error.retry_after_s())?;
    if let Some(challenge) = error.challenge() {
        facts.set_item("challenge", challenge.to_string())?;
        facts.set_item("claims", challenge.claims_request())?;
    }
    if let ErrorKind::Unavailable { retry_in } = error.kind() {
        facts.set_item("retry_in", retry_in.map(|wait| wait.as_secs_f64()))?;
    }
    if let Some(decision) = error.decision() {
        facts.set_item("decision", Decision::made_here(decision.clone()))?;
    }
    if error.kind() == ErrorKind::Invalid {
        let problems = error.report().map_or(&[][..], |report| report.problems());
        facts.set_item("problems", plain::of(py, problems)?)?;
    }
    let class = module.bind(py).getattr(class(error.kind()))?;
    let raised = class.call((error.message(),), Some(&facts))?;
    let mut cause = error.source();
    while let Some(source) = cause {
        raised.call_method1("add_note", (format!("because {source}"),))?;
        cause = source.source();
    }
    Ok(raised)
}
