//! `zt.Table`: rows of Arrow for callers whose library zt does not know.

use arrow_array::RecordBatch;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::arrow;

/// Rows of Arrow, sealed or opened: the answer to frames of a library that zt does not know.
///
/// Whatever reads Arrow takes it: `pyarrow.table(rows)`, `polars.DataFrame(rows)`, `duckdb.sql("from rows")`. Its text has
/// the names of its columns, never a cell. Safe across threads.
///
/// >>> import pyarrow
/// >>> class Frame:                                        # of a library that zt does not know
/// ...     def __arrow_c_stream__(self, requested_schema=None):
/// ...         return pyarrow.table({"id": [1], "y_pred": [0]}).__arrow_c_stream__()
/// >>> seen = elin.view(Frame(), "table:gold.loan_scores")
/// >>> seen, pyarrow.table(seen)["id"].to_pylist()
/// (Table(1 rows: id, y_pred), [1])
#[pyclass(frozen, module = "zt")]
#[derive(Debug)]
pub(crate) struct Table(RecordBatch);

impl Table {
    pub(crate) const fn new(batch: RecordBatch) -> Self {
        Self(batch)
    }

    fn names(&self) -> Vec<&str> {
        let fields = self.0.schema_ref().fields().iter();
        fields.map(|field| field.name().as_str()).collect()
    }
}

#[pymethods]
impl Table {
    /// The names of its columns, in their order.
    #[getter]
    fn column_names(&self) -> Vec<&str> {
        self.names()
    }

    /// How many rows it has.
    #[getter]
    fn num_rows(&self) -> usize {
        self.0.num_rows()
    }

    /// The rows as a capsule of Arrow's C stream interface, as often as it is asked. `requested_schema` is a wish, which is
    /// not granted.
    #[pyo3(signature = (requested_schema = None))]
    #[expect(
        unused_variables,
        reason = "the interface passes it, and lets producers ignore it"
    )]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        arrow::capsule(py, self.0.clone())
    }

    fn __len__(&self) -> usize {
        self.0.num_rows()
    }

    fn __repr__(&self) -> String {
        let (rows, names) = (self.0.num_rows(), self.names().join(", "));
        format!("Table({rows} rows: {names})")
    }
}
