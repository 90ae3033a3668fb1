//! The half of `zt.Runtime` for who looks after a live process.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use serde_json::{Value, json};
use zt_core::secrets::Delivery;

use super::Runtime;
use crate::aio;
use crate::error::Failure;
use crate::executor::{self, Work};
use crate::keys;
use crate::plain;

impl Runtime {
    fn invalidate_work(&self, reference: &str) -> Result<Work<()>, Failure> {
        let (core, reference) = (self.core.get()?.clone(), reference.to_owned());
        Ok(executor::aside(move || core.invalidate(&reference)))
    }

    fn event_work(&self, body: &Bound<'_, PyAny>) -> PyResult<Work<Delivery>> {
        let core = self.core.get()?.clone();
        let body = if let Ok(bytes) = body.cast::<PyBytes>() {
            bytes.as_bytes().to_vec()
        } else if let Ok(text) = body.cast::<PyString>() {
            text.to_str()?.as_bytes().to_vec()
        } else {
            return Err(PyTypeError::new_err("body must be bytes or str"));
        };
        Ok(executor::aside(move || core.on_secret_event(&body)))
    }
}

#[pymethods]
impl Runtime {
    /// How this process is: `zt.Status`, a dict in the words of `zt status` with `ready`, `snapshot`, `keys`, `secrets`
    /// (`counts`, `slots`, `gates`), `memory`, `audit`, which shows as one card: what works, and what to do about what does
    /// not. Names, ages, counts and last errors, never a value of a secret. Never waits.
    ///
    /// >>> assert job.secret("bureau-api-key")
    /// >>> status = rt.status()
    /// >>> status["mode"], status["ready"]
    /// ('development', None)
    /// >>> "fresh" in [slot["state"] for slot in status["secrets"]["slots"] if slot["name"] == "bureau-api-key"]
    /// True
    fn status<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let core = self.core.get()?;
        let class = py.import("zt._status")?.getattr("Status")?;
        class.call1((
            plain::of(py, &core.status())?,
            keys::told(py, &core.key_health())?,
        ))
    }

    /// What this process counts, for `/metrics`: the text format of Prometheus, version 0.0.4. `docs/src/operations.md` has every
    /// name. Never waits.
    ///
    /// >>> "zt_ready 1" in rt.metrics_text().splitlines()
    /// True
    fn metrics_text(&self) -> PyResult<String> {
        Ok(self.core.get()?.metrics_text())
    }

    /// Wipes what is cached for a row of Secret_References, also what was said of it: the next reader asks the vault. The
    /// record is on disk before it is done.
    ///
    /// Raises NotFound when no row is called so, Unavailable when the audit log cannot be written.
    ///
    /// >>> rt.invalidate("bureau-api-key")
    fn invalidate(&self, py: Python<'_>, reference: &str) -> PyResult<()> {
        executor::wait(py, self.invalidate_work(reference)?)
    }

    /// `invalidate` for asyncio: an awaitable.
    fn invalidate_async<'py>(
        &self,
        py: Python<'py>,
        reference: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        aio::later(py, self.invalidate_work(reference)?, |py, ()| Ok(py.None()))
    }

    /// Takes in a delivery of Event Grid about secrets (new version, near expiry, expired), the body of the request as bytes
    /// or str: what knows such a secret asks its vault now, once a second at most. An event is a hint and proves nothing: a
    /// forged one costs a call.
    ///
    /// Answers a dict: `taken` has the `secret` and the `change` of each event about a secret of the tables, `ignored` counts
    /// the others, `validation_code` is what a new subscription wants to be answered with as `validationResponse`, or None.
    /// Raises Invalid for what is no delivery.
    ///
    /// >>> told = rt.on_secret_event('[{"eventType": "Microsoft.Storage.BlobCreated", "data": {}}]')
    /// >>> told["taken"], told["ignored"], told["validation_code"]
    /// ([], 1, None)
    fn on_secret_event<'py>(
        &self,
        py: Python<'py>,
        body: &Bound<'_, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let delivery = executor::wait(py, self.event_work(body)?)?;
        plain::of(py, &told(&delivery))
    }

    /// `on_secret_event` for asyncio: an awaitable.
    fn on_secret_event_async<'py>(
        &self,
        py: Python<'py>,
        body: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        aio::later(py, self.event_work(body)?, |py, delivery| {
            plain::of(py, &told(&delivery)).map(Bound::unbind)
        })
    }
}

fn told(delivery: &Delivery) -> Value {
    let taken = delivery.taken.iter();
    let taken: Vec<Value> = taken
        .map(|event| json!({"secret": event.id.to_string(), "change": event.change.as_str()}))
        .collect();
    json!({
        "taken": taken,
        "ignored": delivery.ignored,
        "validation_code": delivery.validation_code,
    })
}
