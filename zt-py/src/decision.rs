//! `zt.Decision`: the answer, with the rows that gave it. Its truth value is "allowed".

use std::collections::BTreeMap;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use zt_core::policy::{self, DecisionKind};
use zt_core::{Code, Error};

use crate::columns::Columns;
use crate::error::Failure;
use crate::html;
use crate::plain;

/// Whether a request may proceed, and which rows of Access_Policies say so.
///
/// >>> decision = maya.check("table.read", "table:raw.loan_applications")
/// >>> bool(decision), decision.kind, decision.policies
/// (False, 'explicit_deny', ('AP-02',))
/// >>> decision.why
/// 'raw applications hold salary and debt figures'
///
/// >>> refused = maya.check("secret.get", "secret:adb-token")
/// >>> refused.draft.splitlines()[2:4]
/// ['principal = "user:maya"', 'action = "secret.get"']
///
/// A deny can be pickled, so that `zt.Denied` survives a process pool; an allow cannot: it holds here and now.
#[pyclass(frozen, module = "zt")]
#[derive(Debug, Clone)]
pub(crate) struct Decision(Made);

#[derive(Debug, Clone)]
enum Made {
    /// By this process: it can be explained.
    Here(policy::Decision),
    /// By another process; always a deny.
    Elsewhere(Box<Told>),
}

/// What a pickle tells of a deny.
#[derive(Debug, Clone, Default)]
struct Told {
    id: String,
    kind: String,
    policies: Vec<String>,
    why: Option<String>,
    caller: Option<String>,
    action: String,
    resource: String,
    snapshot: u64,
}

/// What `__reduce__` hands to [`restore`], in this order.
type Fields = (
    String,
    String,
    Vec<String>,
    Option<String>,
    Option<String>,
    String,
    String,
    u64,
);

impl Decision {
    pub(crate) const fn made_here(decision: policy::Decision) -> Self {
        Self(Made::Here(decision))
    }

    /// The decision itself, where this process made it.
    pub(crate) fn core(&self) -> Result<&policy::Decision, Failure> {
        match &self.0 {
            Made::Here(decision) => Ok(decision),
            Made::Elsewhere(told) => {
                let message = format!("decision {} was made by another process", told.id);
                let help = "explain it there; the audit log has its near misses";
                Err(Failure::new(
                    Error::new(Code::InvalidArgument, message).with_help(help),
                ))
            }
        }
    }

    fn told(&self) -> Told {
        let decision = match &self.0 {
            Made::Here(decision) => decision,
            Made::Elsewhere(told) => return (**told).clone(),
        };
        let request = decision.request();
        Told {
            id: decision.id().to_string(),
            kind: decision.kind().as_str().to_owned(),
            policies: decision.policies().map(ToString::to_string).collect(),
            why: decision.why().map(str::to_owned),
            caller: request.caller.as_ref().map(ToString::to_string),
            action: request.action.to_string(),
            resource: request.resource.to_string(),
            snapshot: decision.snapshot().version(),
        }
    }
}

/// Columns and the words of their masks.
pub(crate) fn masks(decision: &policy::Decision) -> BTreeMap<String, &'static str> {
    let masks = decision.masks().iter();
    masks
        .map(|(column, mask)| (column.to_owned(), mask.as_str()))
        .collect()
}

/// The fields of obligations.
pub(crate) fn obligations_dict<'py>(
    py: Python<'py>,
    obligations: &policy::Obligations,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("max_rows", obligations.max_rows)?;
    let rules: Vec<&String> = obligations.encrypt.iter().collect();
    dict.set_item("encrypt", rules)?;
    dict.set_item("audit", obligations.audit.as_str())?;
    Ok(dict)
}

#[pymethods]
impl Decision {
    /// Whether the request may proceed; the same as the truth value.
    #[getter]
    fn is_allowed(&self) -> bool {
        match &self.0 {
            Made::Here(decision) => decision.is_allowed(),
            Made::Elsewhere(_) => false,
        }
    }

    fn __bool__(&self) -> bool {
        self.is_allowed()
    }

    /// `allow`, `explicit_deny` or `default_deny`.
    #[getter]
    fn kind(&self) -> String {
        match &self.0 {
            Made::Here(decision) => decision.kind().as_str().to_owned(),
            Made::Elsewhere(told) => told.kind.clone(),
        }
    }

    /// The rows that decided, in order of the table; empty for a default deny.
    #[getter]
    fn policies<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.told().policies)
    }

    /// The reason in words that these rows give, if they give one. Safe to show the caller.
    #[getter]
    fn why(&self) -> Option<String> {
        self.told().why
    }

    /// Its name: print it, and find it again in the audit log.
    #[getter]
    fn id(&self) -> String {
        match &self.0 {
            Made::Here(decision) => decision.id().to_string(),
            Made::Elsewhere(told) => told.id.clone(),
        }
    }

    /// The row of Access_Policies that would have allowed this, as TOML to propose; None unless no row decided.
    #[getter]
    fn draft(&self) -> Option<String> {
        match &self.0 {
            Made::Here(decision) => decision.draft(),
            Made::Elsewhere(_) => None,
        }
    }

    /// The visible columns whose cells are masked: a dict of lowercase names to `last_4`, `redact` or `null`.
    #[getter]
    fn masks(&self) -> BTreeMap<String, &'static str> {
        match &self.0 {
            Made::Here(decision) => masks(decision),
            Made::Elsewhere(_) => BTreeMap::new(),
        }
    }

    /// What must be done with an allow beside that: a dict of `max_rows` (int or None), `encrypt` (rows of
    /// Encryption_Rules) and `audit`. `Permit.apply` does it or refuses.
    #[getter]
    fn obligations<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let obligations = match &self.0 {
            Made::Here(decision) => decision.obligations().clone(),
            Made::Elsewhere(_) => policy::Obligations::default(),
        };
        obligations_dict(py, &obligations)
    }

    /// The restrictions that an allow is under, in order of the table.
    #[getter]
    fn restrictions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let rows: Vec<String> = match &self.0 {
            Made::Here(decision) => decision.restrictions().map(ToString::to_string).collect(),
            Made::Elsewhere(_) => Vec::new(),
        };
        PyTuple::new(py, rows)
    }

    /// How the caller must sign in to be allowed, where nothing else is missing: `mfa`, or authentication contexts of
    /// Entra, all of which are needed. Empty otherwise.
    #[getter]
    fn step_up<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let needed: Vec<String> = match &self.0 {
            Made::Here(decision) => decision.step_up().iter().map(ToString::to_string).collect(),
            Made::Elsewhere(_) => Vec::new(),
        };
        PyTuple::new(py, needed)
    }

    /// Until when time alone cannot change the decision on its snapshot, as a datetime in UTC; None where time never
    /// changes it. A new snapshot and the end of the caller's token may change it earlier.
    #[getter]
    fn lease(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let end = match &self.0 {
            Made::Here(decision) => decision.lease(),
            Made::Elsewhere(_) => None,
        };
        end.map(|end| plain::moment(py, end.as_millis()))
            .transpose()
    }

    /// The columns that may be seen. A deny shows none.
    #[getter]
    fn columns(&self) -> Columns {
        Columns::new(match &self.0 {
            Made::Here(decision) if decision.is_allowed() => decision.columns().clone(),
            Made::Here(_) | Made::Elsewhere(_) => policy::Columns::Only(Vec::new()),
        })
    }

    /// The caller's readable id; None when no row of Principals names the caller.
    #[getter]
    fn caller(&self) -> Option<String> {
        self.told().caller
    }

    /// What was asked.
    #[getter]
    fn action(&self) -> String {
        self.told().action
    }

    /// On what.
    #[getter]
    fn resource(&self) -> String {
        self.told().resource
    }

    /// The version of the snapshot that decided.
    #[getter]
    fn snapshot_version(&self) -> u64 {
        self.told().snapshot
    }

    fn __repr__(&self) -> String {
        let told = self.told();
        let by = if told.policies.is_empty() { "" } else { " by " };
        format!(
            "Decision({}{by}{}, {})",
            told.kind,
            told.policies.join(", "),
            told.id
        )
    }

    fn _repr_html_(&self) -> String {
        let told = self.told();
        let mut rows = vec![
            (
                "caller",
                told.caller.unwrap_or_else(|| "unknown".to_owned()),
            ),
            ("action", told.action),
            ("resource", told.resource),
            ("policies", told.policies.join(", ")),
        ];
        rows.extend(told.why.map(|why| ("why", why)));
        if self.is_allowed() {
            rows.push(("columns", self.columns().__repr__()));
        }
        rows.push(("decision", told.id));
        html::table(&told.kind, &rows)
    }

    const fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    const fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Fields)> {
        if self.is_allowed() {
            let message = "an allow cannot be pickled: it holds for this process and moment; check again where it is needed";
            return Err(PyTypeError::new_err(message));
        }
        let restore = py.import("zt._zt")?.getattr("_restore_deny")?;
        let told = self.told();
        let fields = (
            told.id,
            told.kind,
            told.policies,
            told.why,
            told.caller,
            told.action,
            told.resource,
            told.snapshot,
        );
        Ok((restore, fields))
    }
}

/// A deny from a pickle. It never makes an allow.
#[pyfunction]
#[pyo3(name = "_restore_deny", signature = (*fields))]
pub(crate) fn restore(fields: Fields) -> Decision {
    let (id, kind, policies, why, caller, action, resource, snapshot) = fields;
    let kind = match kind.as_str() {
        "explicit_deny" => DecisionKind::ExplicitDeny,
        _ => DecisionKind::DefaultDeny,
    };
    Decision(Made::Elsewhere(Box::new(Told {
        id,
        kind: kind.as_str().to_owned(),
        policies,
        why,
        caller,
        action,
        resource,
        snapshot,
    })))
}
