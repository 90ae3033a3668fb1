//! `zt.Grant` and `zt.Executor`: what a driver may hand to its executors, and what they do with it.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::sync::OnceLock;
use zt_core::audit::Task;
use zt_core::grant::{self, GrantError, GrantKind, GrantPublicKey, NotAGrantKey};
use zt_core::{Code, Error};
use zt_memory::fork::Local;

use crate::error::Failure;
use crate::fork::Homed;
use crate::runtime::Runtime;
use crate::seal::Sealer;

/// What `__reduce__` hands to [`restore_grant`]: text and key.
type Fields = (String, Option<String>);

/// Where a cluster pins whose grants its executors take; what travels with a grant counts only where this is not set.
///
/// Not `identity.grant_keys`: whose keys are named there proves stages to runtimes, and a job whose executors take its grants
/// must not.
const PINNED: &str = "ZT_EXECUTOR_GRANT_KEYS";

/// A signed statement of what executors may, or of the stage that a principal is in. Made by `Session.grant`.
///
/// It pickles: it holds no secret, and whoever has it can do what it says until it expires, an hour at most.
///
/// >>> grant = job.grant(["model.infer model:car_loan_scorer"])
/// >>> grant.require("model.infer", "model:car_loan_scorer")
/// >>> grant.subject, grant.job, grant.rights
/// ('sp:sp-score-201', 201, ['model.infer model:car_loan_scorer'])
#[pyclass(frozen, module = "zt", eq)]
#[derive(Debug)]
pub(crate) struct Grant {
    core: grant::Grant,
    key: Option<GrantPublicKey>,
    /// Verified once in each process. What a clock that was wrong refused is asked again.
    hands: Local<OnceLock<grant::Executor>>,
}

impl PartialEq for Grant {
    fn eq(&self, other: &Self) -> bool {
        self.core == other.core && self.key == other.key
    }
}

impl Grant {
    pub(crate) const fn new(core: grant::Grant, key: Option<GrantPublicKey>) -> Self {
        Self {
            core,
            key,
            hands: Local::new(),
        }
    }

    pub(crate) const fn core(&self) -> &grant::Grant {
        &self.core
    }

    fn open(&self) -> Result<grant::Executor, Error> {
        // An executor has no runtime whose configuration would read it.
        let trusted = match std::env::var_os(PINNED) {
            None => self.key.into_iter().collect(),
            // What is no text names no key: nobody is trusted then.
            Some(texts) => keys(&texts.to_string_lossy())?,
        };
        grant::Executor::open(&self.core, &trusted)
    }

    fn hands(&self) -> Result<&grant::Executor, Failure> {
        let hands = self.hands.get_or_init(OnceLock::new);
        if let Some(known) = hands.get() {
            return Ok(known);
        }
        let opened = self.open()?;
        Ok(hands.get_or_init(|| opened))
    }
}

fn keys(texts: &str) -> Result<Vec<GrantPublicKey>, Error> {
    let texts = texts.split([' ', ',']).filter(|text| !text.is_empty());
    let keys = texts.map(|text| {
        text.parse().map_err(|why: NotAGrantKey| {
            Error::new(Code::Config, format!("{PINNED} {why}"))
                .with_help(format!("set {PINNED} to the public keys of the drivers"))
        })
    });
    keys.collect()
}

#[pymethods]
impl Grant {
    /// Reads a grant that was handed over as text. `key` is its issuer's public key, `Session.grant_key`, for `require` and
    /// `executor`; a session that takes it needs none.
    ///
    /// >>> zt.Grant.parse(job.grant(["model.infer model:car_loan_scorer"]).text).job
    /// 201
    #[classmethod]
    #[pyo3(signature = (text, *, key = None))]
    fn parse(_class: &Bound<'_, PyType>, text: &str, key: Option<&str>) -> Result<Self, Failure> {
        let core = grant::Grant::parse(text).map_err(|why: GrantError| Error::from(why))?;
        let key = key.map(keys).transpose()?;
        let key = key.and_then(|keys| keys.first().copied());
        Ok(Self::new(core, key))
    }

    /// The text, to be handed on. Whoever has it can do what it says.
    #[getter]
    fn text(&self) -> &str {
        self.core.as_str()
    }

    /// The public key of the process that issued it, if it travels with the grant.
    #[getter]
    fn key(&self) -> Option<String> {
        self.key.map(|key| key.to_string())
    }

    /// The decision that allowed its issue, as the audit log names it.
    #[getter]
    fn id(&self) -> &str {
        self.core.id()
    }

    /// `stage` or `executors`.
    #[getter]
    fn kind(&self) -> &'static str {
        match self.core.kind() {
            GrantKind::Stage => "stage",
            GrantKind::Executors => "executors",
        }
    }

    /// Who issued it.
    #[getter]
    fn issuer(&self) -> &str {
        self.core.issuer()
    }

    /// Whom it is about.
    #[getter]
    fn subject(&self) -> &str {
        self.core.subject()
    }

    /// The job that its subject is in.
    #[getter]
    fn job(&self) -> u32 {
        self.core.job()
    }

    /// The stage of the job, if it names one.
    #[getter]
    fn stage(&self) -> Option<u32> {
        self.core.stage()
    }

    /// What executors may, each `action resource`.
    #[getter]
    fn rights(&self) -> Vec<String> {
        self.core.rights().iter().map(ToString::to_string).collect()
    }

    /// The columns of tables that executors may use; None for all of them.
    #[getter]
    fn columns(&self) -> Option<Vec<String>> {
        self.core.columns().map(<[String]>::to_vec)
    }

    /// The outputs that executors can seal.
    #[getter]
    fn outputs(&self) -> Vec<String> {
        self.core.outputs().map(str::to_owned).collect()
    }

    /// The columns of an output that are sealed; none for an output that is not of the grant.
    fn sealed_columns(&self, output: &str) -> Vec<String> {
        let columns = self.core.sealed_columns(output);
        columns.unwrap_or_default().to_vec()
    }

    /// When it ends, in whole seconds since 1970.
    #[getter]
    fn expires_on(&self) -> i64 {
        self.core.expires_at().as_secs()
    }

    /// Returns if the grant covers this; raises Denied if not, Unauthenticated when it is forged or over. Needs no tables, no
    /// network and no audit log; `executor` keeps account of what was done.
    fn require(&self, action: &str, resource: &str) -> Result<(), Failure> {
        Ok(self.hands()?.require(action, resource)?)
    }

    /// The hands of one task, with an account of its own. `task` is Spark's stage, partition and attempt, where it is one of
    /// Spark's: the account then says whether other tries came before this one.
    #[pyo3(signature = (*, task = None))]
    fn executor(&self, task: Option<(u32, u32, u32)>) -> Result<Executor, Failure> {
        let core = self.open()?;
        let core = match task {
            None => core,
            Some((stage, partition, attempt)) => core.of_task(Task {
                stage,
                partition,
                attempt,
            }),
        };
        Ok(Executor {
            core: Homed::new(core),
        })
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Fields)> {
        let restore = py.import("zt._zt")?.getattr("_restore_grant")?;
        Ok((restore, (self.text().to_owned(), self.key())))
    }

    fn __hash__(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let mut hasher = DefaultHasher::new();
        self.core.as_str().hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self) -> String {
        format!("{:?}", self.core)
    }
}

/// A grant from a pickle, which is verified when it is used.
#[pyfunction]
#[pyo3(name = "_restore_grant")]
pub(crate) fn restore_grant(text: &str, key: Option<&str>) -> Result<Grant, Failure> {
    let core = grant::Grant::parse(text).map_err(Error::from)?;
    let key = key.map(keys).transpose()?;
    Ok(Grant::new(core, key.and_then(|keys| keys.first().copied())))
}

/// What one task may under a grant, and what it did. Needs no tables, no network, no secret.
///
/// >>> executor = job.grant(["model.infer model:car_loan_scorer"]).executor()
/// >>> executor.require("model.infer", "model:car_loan_scorer")
/// >>> job.merge(executor.grant, [executor.statement()])
/// {'statements': 1, 'acts': 1, 'repeated': 0, 'incomplete': 0, 'retried': 0}
#[pyclass(frozen, module = "zt")]
#[derive(Debug)]
pub(crate) struct Executor {
    core: Homed<grant::Executor>,
}

#[pymethods]
impl Executor {
    /// The grant.
    #[getter]
    fn grant(&self) -> Result<Grant, Failure> {
        Ok(Grant::new(self.core.get()?.grant().clone(), None))
    }

    /// Returns if the grant covers this; raises Denied if not, Unauthenticated after its end.
    fn require(&self, action: &str, resource: &str) -> Result<(), Failure> {
        Ok(self.core.get()?.require(action, resource)?)
    }

    /// Returns if the grant covers these columns of tables; raises Denied with the first that it does not.
    #[expect(clippy::needless_pass_by_value, reason = "Python hands over a list")]
    fn require_columns(&self, columns: Vec<String>) -> Result<(), Failure> {
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        Ok(self.core.get()?.require_columns(&columns)?)
    }

    /// Returns while the grant lasts; raises Unauthenticated after its end. For each batch of a long task.
    fn require_valid(&self) -> Result<(), Failure> {
        Ok(self.core.get()?.require_valid()?)
    }

    /// A sealer with a fresh data key, wrapped by the public key in the grant. What it seals, an executor cannot open.
    fn sealer(&self, output: &str) -> Result<Sealer, Failure> {
        Ok(Sealer::new(self.core.get()?.sealer(output)?))
    }

    /// Notes that so many rows of an output were sealed, after the end of the grant too. Raises Denied for an output that the
    /// grant does not seal.
    fn sealed(&self, output: &str, rows: u64) -> Result<(), Failure> {
        Ok(self.core.get()?.sealed(output, rows)?)
    }

    /// What was done, for `Session.merge` on the driver. Later acts stand in no statement: take it last.
    fn statement(&self) -> Result<String, Failure> {
        Ok(self.core.get()?.statement()?.to_string())
    }

    /// What was done so far. Sent ahead, it tells the driver that a task began, should its `statement` never come.
    fn interim(&self) -> Result<String, Failure> {
        Ok(self.core.get()?.interim()?.to_string())
    }

    #[expect(clippy::unused_self, reason = "Python calls it with the object")]
    fn __reduce__(&self) -> PyResult<Py<PyAny>> {
        let message =
            "an executor belongs to one task: pass the grant on, and call its `executor()` there";
        Err(PyTypeError::new_err(message))
    }

    fn __repr__(&self) -> String {
        match self.core.names() {
            Some(core) => format!("Executor({:?})", core.grant()),
            None => "Executor()".to_owned(),
        }
    }
}

#[pymethods]
impl Runtime {
    #[expect(clippy::unused_self, reason = "Python calls it with the object")]
    fn __reduce__(&self) -> PyResult<Py<PyAny>> {
        let message = "a runtime belongs to one process: open one in the other, or pass a grant to executors, `session.grant(…)`";
        Err(PyTypeError::new_err(message))
    }
}
