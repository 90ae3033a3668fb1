//! `zt.Answers`: a column of answers, yes or no or missing.

use arrow_array::{Array as _, BooleanArray};
use pyo3::exceptions::{PyIndexError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::arrow;

/// A column of booleans, null where nothing was asked: the answer to columns of a library that zt does not know.
///
/// Whatever reads Arrow takes it: `pyarrow.array(answers)`, `polars.Series(answers)`. It has a length, items and `to_list()`.
/// Safe across threads.
///
/// >>> import pyarrow
/// >>> class Column:                                       # of a library that zt does not know
/// ...     def __arrow_c_array__(self, requested_schema=None):
/// ...         return pyarrow.array(["table:gold.loan_scores", None]).__arrow_c_array__()
/// >>> answers = maya.check_many("table.read", Column())
/// >>> answers, answers.to_list()
/// (Answers(2 rows, 1 allowed), [True, None])
#[pyclass(frozen, module = "zt")]
#[derive(Debug)]
pub(crate) struct Answers(BooleanArray);

impl Answers {
    pub(crate) const fn new(array: BooleanArray) -> Self {
        Self(array)
    }

    fn cell(&self, at: usize) -> Option<bool> {
        self.0.is_valid(at).then(|| self.0.value(at))
    }
}

#[pymethods]
impl Answers {
    /// How many rows are allowed.
    #[getter]
    fn num_allowed(&self) -> usize {
        self.0.true_count()
    }

    /// A list of bool, with None for what is missing.
    fn to_list(&self) -> Vec<Option<bool>> {
        self.0.iter().collect()
    }

    /// The column as two capsules of Arrow's C data interface, as often as it is asked. `requested_schema` is a wish, which is
    /// not granted.
    #[pyo3(signature = (requested_schema = None))]
    #[expect(
        unused_variables,
        reason = "the interface passes it, and lets producers ignore it"
    )]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        arrow::column_capsules(py, &self.0)
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// Many answers are neither yes nor no.
    #[expect(clippy::unused_self, reason = "Python passes it")]
    fn __bool__(&self) -> PyResult<bool> {
        let message = "many answers are neither yes nor no: ask `num_allowed == len(answers)`, or `num_allowed > 0`";
        Err(PyTypeError::new_err(message))
    }

    fn __getitem__(&self, at: isize) -> PyResult<Option<bool>> {
        let length = self.0.len();
        let from_end = at.checked_add_unsigned(length).unwrap_or(-1);
        let place = usize::try_from(if at < 0 { from_end } else { at });
        let place = place.ok().filter(|place| *place < length);
        let place = place.ok_or_else(|| PyIndexError::new_err("there is no such row"))?;
        Ok(self.cell(place))
    }

    fn __repr__(&self) -> String {
        format!(
            "Answers({} rows, {} allowed)",
            self.0.len(),
            self.0.true_count()
        )
    }
}
