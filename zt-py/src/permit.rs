//! `zt.Permit`: an allow that carries its obligations.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::columns::Columns;
use crate::decision::{Decision, masks, obligations_dict};
use crate::error::Failure;
use crate::executor;
use crate::fork::Homed;
use crate::row_filter::{RowFilter, Selection};
use crate::rows::Rows;

/// Proof that an action was allowed, with what the caller may see. It tells what was decided then; what is shown under it is
/// decided anew.
#[pyclass(frozen, module = "zt")]
#[derive(Debug)]
pub(crate) struct Permit {
    decision: Decision,
    core: zt_core::Permit,
    asks: Homed<zt_core::Session>,
}

impl Permit {
    /// `asks` is the session that required it.
    pub(crate) fn new(core: zt_core::Permit, asks: zt_core::Session) -> Self {
        Self {
            decision: Decision::made_here(core.decision().clone()),
            core,
            asks: Homed::new(asks),
        }
    }
}

/// What a permit shows of these rows. Other Python threads run meanwhile, and Ctrl-C ends the wait. The permit may be old, and
/// to read the rows may take long: it is renewed after that.
pub(crate) fn shown(
    py: Python<'_>,
    permit: zt_core::Permit,
    asks: zt_core::Session,
    data: &Bound<'_, PyAny>,
) -> PyResult<Rows> {
    let rows = Rows::read(data)?;
    let show = move || rows.shown(&asks.renew(permit)?);
    executor::wait(py, executor::aside(show))
}

#[pymethods]
impl Permit {
    /// The columns that may be seen.
    #[getter]
    fn columns(&self) -> PyResult<Columns> {
        Ok(Columns::new(self.decision.core()?.columns().clone()))
    }

    /// The visible columns whose cells are masked: a dict of lowercase names to `last_4`, `redact` or `null`.
    #[getter]
    fn masks(&self) -> PyResult<BTreeMap<String, &'static str>> {
        Ok(masks(self.decision.core()?))
    }

    /// What must be done beside that: a dict of `max_rows`, `encrypt` and `audit`. `apply` does it or refuses.
    #[getter]
    fn obligations<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        obligations_dict(py, self.decision.core()?.obligations())
    }

    /// What the caller may see of these rows: the visible columns, masked where the policy says so.
    ///
    /// `data` is a mapping of column names to sequences, or a frame; the answer is of the same kind, as `Session.view` has it.
    /// When they are read it is decided once more, as `Session.view` does: a permit that was held for long shows what is allowed
    /// now. Raises Denied where that is nothing, Unauthenticated after the token's end.
    ///
    /// >>> scores = {"id": [70000], "y_pred_proba": [0.99], "y_pred": [1], "scored_at": ["2019-03-31"]}
    /// >>> elin.require("table.read", "table:gold.loan_scores").apply(scores)
    /// {'id': [70000], 'y_pred': [1], 'scored_at': ['2019-03-31']}
    fn apply<'py>(&self, py: Python<'py>, data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let asks = self.asks.get()?.clone();
        shown(py, self.core.clone(), asks, data)?.like(data)
    }

    /// Which rows might be seen when the permit was given. `apply`, `Session.view` and `select` decide anew; this stays.
    #[getter]
    fn row_filter(&self) -> RowFilter {
        RowFilter::new(self.core.row_filter().clone())
    }

    /// The parts of a query that shows what the caller may see of a table with these columns, for an engine that holds the rows:
    /// `SELECT {", ".join(columns)} FROM … WHERE {filter}`. `dialect` is `spark`, `tsql` or `datafusion`. A limit on the number
    /// of rows (`obligations`) is not in it.
    ///
    /// It is decided once more, as `apply` does. Raises Invalid where the dialect cannot say exactly which rows or cells may be
    /// seen; never a weaker query.
    ///
    /// >>> elin.require("table.read", "table:gold.loan_scores").select("tsql", ["id", "y_pred", "y_pred_proba"]).columns
    /// ['[id]', '[y_pred]']
    fn select(
        &self,
        py: Python<'_>,
        dialect: &str,
        columns: &Bound<'_, PyAny>,
    ) -> PyResult<Selection> {
        let columns: Vec<String> = columns.extract()?;
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let (asks, permit) = (self.asks.get()?, self.core.clone());
        let permit = py.detach(|| asks.renew(permit)).map_err(Failure::new)?;
        Ok(Selection::of(&permit, dialect, &columns)?)
    }

    /// The decision behind it.
    #[getter]
    fn decision(&self) -> Decision {
        self.decision.clone()
    }

    fn __repr__(&self) -> PyResult<String> {
        Ok(format!("Permit({:?})", self.decision.core()?))
    }
}
