//! `zt.Permit`: an allow that carries its obligations.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::columns::Columns;
use crate::decision::{Decision, masks, obligations_dict};
use crate::executor;
use crate::row_filter::{RowFilter, Selection};
use crate::rows::Rows;

/// Proof that an action was allowed, with what the caller may see.
#[pyclass(frozen, module = "zt")]
#[derive(Debug)]
pub(crate) struct Permit(Decision, zt_core::Permit);

impl Permit {
    pub(crate) fn new(core: zt_core::Permit) -> Self {
        Self(Decision::made_here(core.decision().clone()), core)
    }
}

/// What a permit shows of these rows. Other Python threads run meanwhile, and Ctrl-C ends the wait. To read them may take long:
/// a session that asks renews the permit after it.
pub(crate) fn shown(
    py: Python<'_>,
    permit: zt_core::Permit,
    asks: Option<zt_core::Session>,
    data: &Bound<'_, PyAny>,
) -> PyResult<Rows> {
    let rows = Rows::read(data)?;
    let show = move || match asks {
        Some(session) => rows.shown(&session.renew(permit)?),
        None => rows.shown(&permit),
    };
    executor::wait(py, executor::aside(show))
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

    /// What must be done beside that: a dict of `max_rows`, `encrypt` and `audit`. `apply` does it or refuses.
    #[getter]
    fn obligations<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        obligations_dict(py, self.0.core()?.obligations())
    }

    /// What the caller may see of these rows: the visible columns, masked where the policy says so.
    ///
    /// `data` is a mapping of column names to sequences, or a frame; the answer is of the same kind, as `Session.view` has it.
    ///
    /// >>> scores = {"id": [70000], "y_pred_proba": [0.99], "y_pred": [1], "scored_at": ["2019-03-31"]}
    /// >>> elin.require("table.read", "table:gold.loan_scores").apply(scores)
    /// {'id': [70000], 'y_pred': [1], 'scored_at': ['2019-03-31']}
    fn apply<'py>(&self, py: Python<'py>, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        shown(py, self.1.clone(), None, data)?.like(data)
    }

    /// Which rows may be seen: `apply`, `Session.view` and `select` show no others.
    #[getter]
    fn row_filter(&self) -> RowFilter {
        RowFilter::new(self.1.row_filter().clone())
    }

    /// The parts of a query that shows what the caller may see of a table with these columns, for an engine that holds the rows:
    /// `SELECT {", ".join(columns)} FROM … WHERE {filter}`. `dialect` is `spark`, `tsql` or `datafusion`. A limit on the number
    /// of rows (`obligations`) is not in it.
    ///
    /// Raises Invalid where the dialect cannot say exactly which rows or cells may be seen; never a weaker query.
    ///
    /// >>> elin.require("table.read", "table:gold.loan_scores").select("tsql", ["id", "y_pred", "y_pred_proba"]).columns
    /// ['[id]', '[y_pred]']
    fn select(&self, dialect: &str, columns: &Bound<'_, PyAny>) -> PyResult<Selection> {
        let columns: Vec<String> = columns.extract()?;
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        Ok(Selection::of(&self.1, dialect, &columns)?)
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
