//! `zt.RowFilter` and `zt.Selection`: which rows may be seen, for engines that hold them.

use pyo3::prelude::*;
use zt_core::policy::{self, Dialect};
use zt_core::{Code, Error};

use crate::error::Failure;
use crate::plain;

/// Which rows of a table a permit shows: all, none, or those that pass a condition on their cells. `str()` is the condition.
///
/// >>> rows = maya.require("table.read", "table:gold.loan_scores").row_filter
/// >>> rows.is_all, str(rows), rows.to_sql("spark")
/// (True, 'all rows', '1 = 1')
#[pyclass(frozen, module = "zt")]
#[derive(Debug)]
pub(crate) struct RowFilter(policy::Rows);

impl RowFilter {
    pub(crate) const fn new(rows: policy::Rows) -> Self {
        Self(rows)
    }
}

#[pymethods]
impl RowFilter {
    /// Whether every row may be seen.
    #[getter]
    const fn is_all(&self) -> bool {
        self.0.is_all()
    }

    /// The search condition, in brackets where that matters: what stands behind `WHERE`. `dialect` is `spark`, `tsql` or
    /// `datafusion`. Never put `NOT` before it.
    ///
    /// Raises Invalid where the dialect cannot say it exactly; never a weaker filter.
    #[pyo3(signature = (dialect = "spark"))]
    fn to_sql(&self, dialect: &str) -> Result<String, Failure> {
        let text = self.0.to_sql(named(dialect)?);
        text.map_err(|why| Failure::new(inexact(&why)))
    }

    /// A tree of dicts, in the words of the book's page "Row filters"; True for all rows, False for none.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        plain::of(py, &self.0)
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("RowFilter({})", self.0)
    }
}

/// The parts of a query that shows what a permit shows: `SELECT {columns} FROM … WHERE {filter}`.
///
/// >>> permit = jonas.require("table.read", "table:gold.loan_scores")
/// >>> selection = permit.select("spark", ["id", "salary_range", "y_pred_proba"])
/// >>> selection.columns[0], len(selection.columns), selection.filter
/// ('`id`', 2, '1 = 1')
#[pyclass(frozen, module = "zt")]
#[derive(Debug)]
pub(crate) struct Selection(policy::Selection);

impl Selection {
    /// # Errors
    /// `Invalid` for an unknown dialect, and where it cannot say exactly what may be seen.
    pub(crate) fn of(
        permit: &zt_core::Permit,
        dialect: &str,
        columns: &[&str],
    ) -> Result<Self, Failure> {
        let selection = permit.select(named(dialect)?, columns);
        let selection = selection.map_err(|why| Failure::new(inexact(&why)))?;
        Ok(Self(selection))
    }
}

#[pymethods]
impl Selection {
    /// The visible columns, each as an expression with its name; masked ones show their mask.
    #[getter]
    fn columns(&self) -> Vec<String> {
        self.0.columns.clone()
    }

    /// The search condition.
    #[getter]
    fn filter(&self) -> String {
        self.0.filter.clone()
    }

    fn __repr__(&self) -> String {
        format!(
            "Selection(SELECT {} FROM … WHERE {})",
            self.0.columns.join(", "),
            self.0.filter
        )
    }
}

fn named(dialect: &str) -> Result<Dialect, Failure> {
    Dialect::named(dialect).ok_or_else(|| {
        let error = Error::new(Code::InvalidArgument, "`dialect` is no dialect of SQL");
        let words: Vec<&str> = Dialect::WORDS.iter().map(|(word, _)| *word).collect();
        Failure::new(error.with_help(format!("one of {}", words.join(", "))))
    })
}

fn inexact(why: &policy::NotInDialect) -> Error {
    Error::new(Code::InvalidArgument, why.to_string())
        .with_help("filter in memory with `Permit.apply`, or change the row of Access_Policies")
}
