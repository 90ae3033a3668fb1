//! `zt.Session` and `zt.Permit`: what one verified caller may do.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use zt_core::policy;
use zt_core::{Code, Error};

use crate::aio;
use crate::columns::Columns;
use crate::data;
use crate::decision::{Decision, masks};
use crate::error::Failure;
use crate::executor::{self, Work};
use crate::fork::Homed;
use crate::plain;
use crate::secret::Secret;

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

    /// The session that asks, saying who proposed the change where `author` is given.
    fn asking(&self, author: Option<&str>) -> Result<zt_core::Session, Failure> {
        let session = self.core.get()?;
        let Some(author) = author else {
            return Ok(session.clone());
        };
        let author = author.parse().map_err(|why: zt_core::id::NotAPrincipal| {
            Error::new(Code::InvalidArgument, format!("author `{author}`: {why}"))
        })?;
        Ok(session.claiming_author(author))
    }

    fn audit_tail_work(&self, count: usize) -> Result<Work<Vec<zt_core::audit::Entry>>, Failure> {
        let session = self.core.get()?.clone();
        Ok(executor::aside(move || session.audit_tail(count)))
    }

    fn secret_work(&self, reference: &str) -> Result<Work<zt_core::secrets::Secret>, Failure> {
        let session = self.core.get()?.clone();
        let reference = reference.to_owned();
        Ok(Box::pin(async move { session.secret(&reference).await }))
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

    /// `check` for asyncio: an awaitable. The disk is waited for off the loop's thread.
    #[pyo3(signature = (action, resource, *, author = None))]
    fn check_async<'py>(
        &self,
        py: Python<'py>,
        action: String,
        resource: String,
        author: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let session = self.asking(author)?;
        let work = executor::aside(move || session.check(&action, &resource));
        aio::later(py, work, |py, decision| {
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
        Ok(Permit::new(permit))
    }

    /// `require` for asyncio: an awaitable.
    #[pyo3(signature = (action, resource, *, author = None))]
    fn require_async<'py>(
        &self,
        py: Python<'py>,
        action: String,
        resource: String,
        author: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let session = self.asking(author)?;
        let work = executor::aside(move || session.require(&action, &resource));
        aio::later(py, work, |py, permit| {
            Ok(Py::new(py, Permit::new(permit))?.into_any())
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
        let work = self.secret_work(reference)?;
        aio::soon(py, work, |py, secret| {
            Ok(Py::new(py, Secret::new(secret))?.into_any())
        })
    }

    /// The newest `count` records of the audit log, oldest first, each a dict.
    ///
    /// Raises Denied unless this caller may `audit.read` `audit:log`.
    #[pyo3(signature = (count = 20))]
    fn audit_tail<'py>(&self, py: Python<'py>, count: usize) -> PyResult<Bound<'py, PyAny>> {
        let entries = executor::wait(py, self.audit_tail_work(count)?)?;
        plain::of(py, &entries)
    }

    /// `audit_tail` for asyncio: an awaitable.
    #[pyo3(signature = (count = 20))]
    fn audit_tail_async<'py>(&self, py: Python<'py>, count: usize) -> PyResult<Bound<'py, PyAny>> {
        aio::later(py, self.audit_tail_work(count)?, |py, entries| {
            plain::of(py, &entries).map(Bound::unbind)
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

/// Proof that an action was allowed, with what the caller may see.
#[pyclass(frozen, module = "zt")]
#[derive(Debug)]
pub(crate) struct Permit(Decision, zt_core::Permit);

impl Permit {
    fn new(core: zt_core::Permit) -> Self {
        Self(Decision::made_here(core.decision().clone()), core)
    }
}

#[pymethods]
impl Permit {
    /// The columns that may be seen.
    #[getter]
    fn columns(&self) -> PyResult<Columns> {
        Ok(Columns::new(self.0.core()?.columns().clone()))
    }

    /// The visible columns whose cells are masked: a dict of lowercase names to `last_4`, `redact` or `null`.
    #[getter]
    fn masks(&self) -> PyResult<BTreeMap<String, &'static str>> {
        Ok(masks(self.0.core()?))
    }

    /// What the caller may see of these rows: the visible columns, masked where the policy says so.
    ///
    /// `data` is a mapping of column names to sequences, or a DataFrame; the answer is a dict of lists.
    ///
    /// >>> scores = {"id": [70000], "y_pred_proba": [0.99], "y_pred": [1], "scored_at": ["2019-03-31"]}
    /// >>> elin.require("table.read", "table:gold.loan_scores").apply(scores)
    /// {'id': [70000], 'y_pred': [1], 'scored_at': ['2019-03-31']}
    fn apply<'py>(
        &self,
        py: Python<'py>,
        data: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let batch = data::batch(data)?;
        let seen = py.detach(|| self.1.apply(&batch)).map_err(Failure::new)?;
        data::dict(py, seen)
    }

    /// The decision behind it.
    #[getter]
    fn decision(&self) -> Decision {
        self.0.clone()
    }

    fn __repr__(&self) -> PyResult<String> {
        Ok(format!("Permit({:?})", self.0.core()?))
    }
}
