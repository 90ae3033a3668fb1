//! `zt.Session`: what one verified caller may do.

mod grants;
mod many;
mod rights;
mod sealing;
mod secrets;

use std::borrow::Cow;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyInt, PyString};
use zt_core::policy;
use zt_core::{Code, Error};

use crate::aio;
use crate::decision::Decision;
use crate::error::Failure;
use crate::executor::{self, Work};
use crate::fork::Homed;
use crate::permit::Permit;
use crate::plain;
use crate::plan::Plan;
use crate::reading;
use crate::report::{self, Evaluation};

/// What one authenticated caller may do. Safe across threads; ends when the caller's token does.
///
/// Every call decides anew on the snapshot in force and stands in the audit log before it answers.
///
/// >>> maya.name
/// 'user:maya'
/// >>> if maya.check("model.infer", "model:car_loan_scorer"):
/// ...     print("score")
/// score
#[pyclass(frozen, module = "zt")]
#[derive(Debug)]
pub(crate) struct Session {
    core: Homed<zt_core::Session>,
}

impl Session {
    pub(crate) fn new(core: zt_core::Session) -> Self {
        Self {
            core: Homed::new(core),
        }
    }

    /// The core's own.
    ///
    /// # Errors
    /// `Config` in a forked child.
    pub(crate) fn core(&self) -> Result<&zt_core::Session, Failure> {
        self.core.get()
    }

    /// The session that asks, saying who proposed the change where `author` is given.
    fn asking(&self, author: Option<&str>) -> Result<Cow<'_, zt_core::Session>, Failure> {
        let session = self.core.get()?;
        let Some(author) = author else {
            return Ok(Cow::Borrowed(session));
        };
        let author = author.parse().map_err(|why: zt_core::id::NotAPrincipal| {
            Error::new(Code::InvalidArgument, format!("author `{author}`: {why}"))
        })?;
        Ok(Cow::Owned(session.claiming_author(author)))
    }

    fn audit_tail_work(&self, count: usize) -> Result<Work<Vec<zt_core::audit::Entry>>, Failure> {
        let session = self.core.get()?.clone();
        Ok(executor::aside(move || session.audit_tail(count)))
    }
}

#[pymethods]
impl Session {
    /// The caller's readable id, or `oid:…` when no row of Principals names it.
    #[getter]
    fn name(&self) -> Result<String, Failure> {
        Ok(self.core.get()?.name())
    }

    /// The same caller, claiming to work on a stage of a job. Claimed, not proven: a guard rail, recorded as asserted.
    ///
    /// >>> bool(job.claiming(job=201, stage=1).check("secret.get", "secret:bureau-api-key"))
    /// False
    fn claiming(&self, job: u32, stage: u32) -> Result<Self, Failure> {
        Ok(Self {
            core: Homed::new(self.core.get()?.claiming(job, stage)),
        })
    }

    /// The same caller, stating a further fact that a row of Attributes declares: `context.NAME`. Claimed, as job and stage.
    ///
    /// `value` is a bool, int or str, read by the attribute's type; the members of a set are separated by commas. Raises
    /// Invalid for an attribute that the tables do not declare and for a value of another type.
    fn claiming_fact(&self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<Self> {
        let core = self.core.get()?;
        let text = if value.is_instance_of::<PyBool>() {
            value.str()?.to_string().to_lowercase()
        } else if value.is_instance_of::<PyInt>() || value.is_instance_of::<PyString>() {
            value.str()?.to_string()
        } else {
            return Err(PyTypeError::new_err("value must be a bool, int or str"));
        };
        let stating = core.claiming_text(name, &text).map_err(Failure::new)?;
        Ok(Self {
            core: Homed::new(stating),
        })
    }

    /// Whether the caller may do this now. `author` is who proposed a change that is to be approved.
    ///
    /// A deny is a decision, not an error. Raises Invalid for an unknown action or a malformed resource,
    /// Unauthenticated after the token's end, Unavailable when the audit log cannot be written. May wait for the disk of
    /// the audit log, at most its deadline (2 s), most of all before the first of several equal denies.
    #[pyo3(signature = (action, resource, *, author = None))]
    fn check(
        &self,
        py: Python<'_>,
        action: &str,
        resource: &str,
        author: Option<&str>,
    ) -> Result<Decision, Failure> {
        let session = self.asking(author)?;
        let decision = py.detach(|| session.check(action, resource))?;
        Ok(Decision::made_here(decision))
    }

    /// `check` for asyncio: an awaitable, ready at once where no record has to be on the disk first. The disk is waited for off
    /// the loop's thread.
    #[pyo3(signature = (action, resource, *, author = None))]
    fn check_async<'py>(
        &self,
        py: Python<'py>,
        action: &str,
        resource: &str,
        author: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let session = self.asking(author)?;
        let begun = py.detach(|| session.check_soon(action, resource));
        aio::checked(py, begun, |py, decision| {
            Ok(Py::new(py, Decision::made_here(decision))?.into_any())
        })
    }

    /// A permit for this; raises Denied, with the decision, when the policy says no. Else as `check`.
    ///
    /// >>> "y_pred_proba" in elin.require("table.read", "table:gold.loan_scores").columns
    /// False
    #[pyo3(signature = (action, resource, *, author = None))]
    fn require(
        &self,
        py: Python<'_>,
        action: &str,
        resource: &str,
        author: Option<&str>,
    ) -> Result<Permit, Failure> {
        let session = self.asking(author)?;
        let permit = py.detach(|| session.require(action, resource))?;
        Ok(Permit::new(permit, session.into_owned()))
    }

    /// `require` for asyncio: an awaitable, as `check_async`.
    #[pyo3(signature = (action, resource, *, author = None))]
    fn require_async<'py>(
        &self,
        py: Python<'py>,
        action: &str,
        resource: &str,
        author: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let session = self.asking(author)?.into_owned();
        let begun = py.detach(|| session.require_soon(action, resource));
        aio::checked(py, begun, |py, permit| {
            Ok(Py::new(py, Permit::new(permit, session))?.into_any())
        })
    }

    /// A decision in full, with its near misses, of this caller or another.
    ///
    /// Raises Denied unless this caller may `policy.explain` the decision's resource: near misses tell an attacker what
    /// to claim.
    ///
    /// >>> decision = maya.check("secret.get", "secret:adb-token")
    /// >>> print(priya.explain(decision))       # doctest: +ELLIPSIS
    /// user:maya secret.get secret:adb-token: default_deny
    ///   caller holds: ...
    fn explain<'py>(&self, py: Python<'py>, decision: &Decision) -> PyResult<Bound<'py, PyAny>> {
        let (session, decision) = (self.core.get()?, decision.core()?);
        let explanation = py
            .detach(|| session.explain(decision))
            .map_err(Failure::new)?;
        explained(py, &explanation)
    }

    /// `explain` for asyncio: an awaitable.
    fn explain_async<'py>(
        &self,
        py: Python<'py>,
        decision: &Decision,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (session, decision) = (self.core.get()?.clone(), decision.core()?.clone());
        let work = executor::aside(move || session.explain(&decision));
        aio::later(py, work, |py, explanation| {
            explained(py, &explanation).map(Bound::unbind)
        })
    }

    /// What a job needs, or every reason why it may not run: stages in order, and for each who runs it, rights, names of
    /// secrets, hosts, integration runtime, cluster. Its truth value is "runnable".
    ///
    /// Raises Denied unless this caller may `job.plan` the job, NotFound for a job that no row names. May wait for the disk
    /// as `check` does.
    ///
    /// >>> jonas.plan(202).missing
    /// ['job has no stages']
    fn plan(&self, py: Python<'_>, job: u32) -> Result<Plan, Failure> {
        let session = self.core.get()?;
        Ok(py.detach(|| session.plan(job)).map(Plan::new)?)
    }

    /// `plan` for asyncio: an awaitable.
    fn plan_async<'py>(&self, py: Python<'py>, job: u32) -> PyResult<Bound<'py, PyAny>> {
        let session = self.core.get()?.clone();
        let work = executor::aside(move || session.plan(job));
        aio::later(py, work, |py, plan| {
            Ok(Py::new(py, Plan::new(plan))?.into_any())
        })
    }

    /// Reports values that were measured elsewhere; Alert_Rules say which are too bad. The answer has the state of each rule.
    ///
    /// `target` is a model, or a resource such as `job:201`; `metrics` a mapping of names to numbers, where a metric of one
    /// column is named by a pair, `("null_rate", "salary_range")`; `rows` how many rows they were measured on; `over_s` how
    /// many seconds the window is long, for rules with a window in seconds; `classes` how many of the rows have the label 1
    /// and the label 0, for rules on `roc_auc` with a confidence.
    ///
    /// Raises Denied unless this caller may `metric.report` the target, Unavailable when an alert cannot be delivered.
    #[pyo3(signature = (target, metrics, *, rows, over_s = None, classes = None))]
    fn log_metrics(
        &self,
        py: Python<'_>,
        target: &str,
        metrics: &Bound<'_, PyAny>,
        rows: u64,
        over_s: Option<f64>,
        classes: Option<(u64, u64)>,
    ) -> PyResult<Evaluation> {
        let metrics = report::metrics(metrics, rows, over_s, classes)?;
        executor::answer(
            py,
            report::reporting(self.core.get()?.clone(), target, metrics),
        )
        .map(Evaluation::new)
    }

    /// `log_metrics` for asyncio: an awaitable.
    #[pyo3(signature = (target, metrics, *, rows, over_s = None, classes = None))]
    fn log_metrics_async<'py>(
        &self,
        py: Python<'py>,
        target: &str,
        metrics: &Bound<'py, PyAny>,
        rows: u64,
        over_s: Option<f64>,
        classes: Option<(u64, u64)>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let metrics = report::metrics(metrics, rows, over_s, classes)?;
        aio::soon(
            py,
            report::reporting(self.core.get()?.clone(), target, metrics),
            report::evaluated,
        )
    }

    /// Computes from these rows the metrics that the model's Alert_Rules ask for, and delivers the alerts that fire.
    ///
    /// `data` is a mapping of column names to sequences, or a DataFrame; else as `log_metrics`.
    fn log_batch(
        &self,
        py: Python<'_>,
        model: &str,
        data: &Bound<'_, PyAny>,
    ) -> PyResult<Evaluation> {
        executor::answer(py, report::scoring(self.core.get()?.clone(), model, data)?)
            .map(Evaluation::new)
    }

    /// `log_batch` for asyncio: an awaitable. The rows are read on a thread of their own.
    fn log_batch_async<'py>(
        slf: &Bound<'py, Self>,
        model: &str,
        data: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let asked = (model, data).into_pyobject(slf.py())?;
        reading::aside(&slf.getattr("log_batch")?, &asked, None)
    }

    /// The newest `count` records of the audit log, oldest first: `zt.Records`, a list of dicts that shows as a table and has
    /// `to_pandas()`, `to_arrow()` and `to_polars()`.
    ///
    /// Raises Denied unless this caller may `audit.read` `audit:log`.
    ///
    /// >>> tail = priya.audit_tail(3)
    /// >>> len(tail), tail.column_names[:3]
    /// (3, ['at', 'caller', 'kind'])
    #[pyo3(signature = (count = 20))]
    fn audit_tail<'py>(&self, py: Python<'py>, count: usize) -> PyResult<Bound<'py, PyAny>> {
        let entries = executor::wait(py, self.audit_tail_work(count)?)?;
        plain::records(py, "audit log", &entries)
    }

    /// `audit_tail` for asyncio: an awaitable.
    #[pyo3(signature = (count = 20))]
    fn audit_tail_async<'py>(&self, py: Python<'py>, count: usize) -> PyResult<Bound<'py, PyAny>> {
        aio::later(py, self.audit_tail_work(count)?, |py, entries| {
            plain::records(py, "audit log", &entries).map(Bound::unbind)
        })
    }

    fn __repr__(&self) -> String {
        let Some(core) = self.core.names() else {
            return "Session()".to_owned();
        };
        match (core.context().job(), core.context().stage()) {
            (Some(job), Some(stage)) => {
                format!("Session({}, job {job}, stage {stage})", core.name())
            }
            _ => format!("Session({})", core.name()),
        }
    }
}

fn explained<'py>(
    py: Python<'py>,
    explanation: &policy::Explanation,
) -> PyResult<Bound<'py, PyAny>> {
    let fields = plain::of(py, explanation)?;
    let class = py.import("zt._explanation")?.getattr("Explanation")?;
    class.call1((fields, explanation.to_string()))
}
