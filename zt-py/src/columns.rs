//! `zt.Columns`: what an allow lets the caller see.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyString;
use zt_core::policy;

/// The columns that may be seen.
///
/// >>> columns = elin.check("table.read", "table:gold.loan_scores").columns
/// >>> "y_pred" in columns, "y_pred_proba" in columns
/// (True, False)
/// >>> columns.visible(["id", "y_pred_proba", "y_pred"])
/// ['id', 'y_pred']
#[pyclass(frozen, module = "zt")]
#[derive(Debug)]
pub(crate) struct Columns(policy::Columns);

impl Columns {
    pub(crate) const fn new(columns: policy::Columns) -> Self {
        Self(columns)
    }
}

#[pymethods]
impl Columns {
    /// Whether every column may be seen.
    #[getter]
    fn is_all(&self) -> bool {
        self.0 == policy::Columns::All
    }

    /// The columns that may be seen, in the order of the rows that allow them; None where the rows name none.
    #[getter]
    fn only(&self) -> Option<Vec<String>> {
        match &self.0 {
            policy::Columns::Only(only) => Some(only.clone()),
            policy::Columns::All | policy::Columns::AllBut(_) => None,
        }
    }

    /// The columns that are hidden from the rest; None where the rows hide none by name.
    #[getter]
    fn all_but(&self) -> Option<Vec<String>> {
        match &self.0 {
            policy::Columns::AllBut(hidden) => Some(hidden.iter().cloned().collect()),
            policy::Columns::All | policy::Columns::Only(_) => None,
        }
    }

    /// Those of `names` that may be seen, in the order of the rows where they name them, else in the given order.
    fn visible(&self, names: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
        if names.is_instance_of::<PyString>() {
            return Err(PyTypeError::new_err("names must be several, not one str"));
        }
        let names = names.try_iter()?.map(|name| name?.extract());
        let names: Vec<String> = names.collect::<PyResult<_>>()?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let visible = self.0.visible(&names).into_iter();
        Ok(visible.map(str::to_owned).collect())
    }

    fn __contains__(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    pub(crate) fn __repr__(&self) -> String {
        match &self.0 {
            policy::Columns::All => "all columns".to_owned(),
            policy::Columns::Only(only) => format!("only {}", only.join(", ")),
            policy::Columns::AllBut(hidden) => {
                let hidden: Vec<&str> = hidden.iter().map(String::as_str).collect();
                format!("all columns but {}", hidden.join(", "))
            }
        }
    }
}
