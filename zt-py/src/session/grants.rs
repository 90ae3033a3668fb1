//! What a session hands to executors, and what it takes.

use std::time::Duration;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use zt_core::id::NotAPrincipal;
use zt_core::session::GrantRequest;
use zt_core::{Code, Error};

use super::Session;
use crate::aio;
use crate::error::Failure;
use crate::executor::{self, Work};
use crate::fork::Homed;
use crate::grant::Grant;

#[pymethods]
impl Session {
    /// A grant of what this session may now, for executors: `rights` are texts as rows of Stages have them, `action resource`,
    /// where the resource may be a pattern. With `subject`, `job` and `stage` it says instead that another principal is in
    /// this stage, and carries no rights. It lasts `ttl_s` seconds, 3600 at most.
    ///
    /// Raises Denied where the policy does not let this session issue it or use one of the rights, Invalid for a right that
    /// stays on the driver. That it was issued stands in the audit log before this returns.
    ///
    /// >>> job.grant(["model.infer model:car_loan_scorer"])      # doctest: +ELLIPSIS
    /// Grant(sp:sp-score-201, job 201, stage 2, model.infer model:car_loan_scorer, until ...)
    #[pyo3(signature = (rights = Vec::new(), *, columns = None, ttl_s = 900.0, subject = None, job = None, stage = None))]
    #[expect(clippy::too_many_arguments, reason = "keywords of Python")]
    fn grant(
        &self,
        py: Python<'_>,
        rights: Vec<String>,
        columns: Option<Vec<String>>,
        ttl_s: f64,
        subject: Option<&str>,
        job: Option<u32>,
        stage: Option<u32>,
    ) -> PyResult<Grant> {
        let request = request(rights, columns, ttl_s, (subject, job, stage))?;
        executor::answer(py, self.granting(request)?)
    }

    /// `grant` for asyncio: an awaitable.
    #[pyo3(signature = (rights = Vec::new(), *, columns = None, ttl_s = 900.0, subject = None, job = None, stage = None))]
    #[expect(clippy::too_many_arguments, reason = "keywords of Python")]
    fn grant_async<'py>(
        &self,
        py: Python<'py>,
        rights: Vec<String>,
        columns: Option<Vec<String>>,
        ttl_s: f64,
        subject: Option<&str>,
        job: Option<u32>,
        stage: Option<u32>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let request = request(rights, columns, ttl_s, (subject, job, stage))?;
        aio::soon(py, self.granting(request)?, |py, grant| {
            Ok(Py::new(py, grant)?.into_any())
        })
    }

    /// The same caller in the job and stage that a grant of another proves, not only claims. Ends with the grant.
    ///
    /// Raises Unauthenticated for a grant that is forged, over, of an issuer that is not trusted, or for another caller.
    fn with_grant(&self, py: Python<'_>, grant: &Grant) -> Result<Self, Failure> {
        let session = self.core.get()?;
        let proven = py.detach(|| session.with_grant(grant.core()))?;
        Ok(Self {
            core: Homed::new(proven),
        })
    }

    /// Brings what executors did under a grant of this session into the audit log: `statements` are texts of
    /// `Executor.statement`. Answers how many statements and acts came in, how many this process had merged before, and how
    /// many executors are `incomplete`: they began, and the account of their whole task is not there; and how many were `retried`:
    /// of tasks that were tried before, whose earlier accounts may be nowhere.
    ///
    /// Raises Integrity for a statement that was changed, cut, is about another grant or tells of what no executor under this
    /// one can have done: it stands in the log as `executor.refused`, and the others are merged. Can be called again.
    #[expect(clippy::needless_pass_by_value, reason = "Python hands over a list")]
    fn merge<'py>(
        &self,
        py: Python<'py>,
        grant: &Grant,
        statements: Vec<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let session = self.core.get()?;
        let merged = py.detach(|| session.merge(grant.core(), &statements));
        let merged = merged.map_err(Failure::new)?;
        let told = pyo3::types::PyDict::new(py);
        told.set_item("statements", merged.statements)?;
        told.set_item("acts", merged.acts)?;
        told.set_item("repeated", merged.repeated)?;
        told.set_item("incomplete", merged.incomplete)?;
        told.set_item("retried", merged.retried)?;
        Ok(told.into_any())
    }

    /// The public key by which others know grants of this process: for `identity.grant_keys`.
    #[getter]
    fn grant_key(&self) -> Result<String, Failure> {
        Ok(self.core.get()?.grant_key()?.to_string())
    }

    #[expect(clippy::unused_self, reason = "Python calls it with the object")]
    fn __reduce__(&self) -> PyResult<Py<PyAny>> {
        let message =
            "a session belongs to one process: pass a grant on instead, `session.grant(…)`";
        Err(PyTypeError::new_err(message))
    }
}

impl Session {
    fn granting(&self, request: GrantRequest) -> Result<Work<Grant>, Failure> {
        let session = self.core.get()?.clone();
        let key = session.grant_key()?;
        Ok(Box::pin(async move {
            let grant = session.grant(&request).await?;
            Ok(Grant::new(grant, Some(key)))
        }))
    }
}

fn request(
    rights: Vec<String>,
    columns: Option<Vec<String>>,
    ttl_s: f64,
    (subject, job, stage): (Option<&str>, Option<u32>, Option<u32>),
) -> Result<GrantRequest, Failure> {
    let invalid = |message: String| Failure::new(Error::new(Code::InvalidArgument, message));
    let lasts = Duration::try_from_secs_f64(ttl_s)
        .map_err(|_| invalid("`ttl_s` is no number of seconds".to_owned()))?;
    let request = match (subject, job) {
        (Some(subject), Some(job)) => {
            let subject = subject
                .parse()
                .map_err(|why: NotAPrincipal| invalid(format!("subject `{subject}`: {why}")))?;
            GrantRequest::for_stage(subject, job, stage)
        }
        (None, None) if stage.is_none() => GrantRequest::for_executors(),
        _ => {
            let message = "`subject` and `job` belong together, and `stage` to them";
            return Err(invalid(message.to_owned()));
        }
    };
    let mut request = request.lasting(lasts);
    for right in rights {
        let (action, resource) = right
            .split_once(' ')
            .ok_or_else(|| invalid(format!("`{right}` is no right: expected `action resource`")))?;
        request = request.with(action, resource);
    }
    Ok(match columns {
        Some(columns) => request.of_columns(columns),
        None => request,
    })
}
