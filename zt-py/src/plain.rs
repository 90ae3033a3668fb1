//! What the core can serialize, as plain Python: dict, list, str, int, float, bool, None; and moments.

use pyo3::IntoPyObjectExt as _;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use serde_json::Value;
use zt_core::{Code, Error};

use crate::error::Failure;

/// A value as plain Python objects.
pub(crate) fn of<'py>(
    py: Python<'py>,
    value: &(impl serde::Serialize + ?Sized),
) -> PyResult<Bound<'py, PyAny>> {
    let value = serde_json::to_value(value).map_err(|why| {
        let message = "a value cannot be told in Python's terms";
        Failure::new(Error::new(Code::Internal, message).with_source(why))
    })?;
    build(py, &value)
}

fn build<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::Null => Ok(py.None().into_bound(py)),
        Value::Bool(value) => value.into_bound_py_any(py),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => value.into_bound_py_any(py),
            (None, Some(value)) => value.into_bound_py_any(py),
            (None, None) => number.as_f64().into_bound_py_any(py),
        },
        Value::String(text) => text.into_bound_py_any(py),
        Value::Array(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(build(py, item)?)?;
            }
            Ok(list.into_any())
        }
        Value::Object(fields) => {
            let dict = PyDict::new(py);
            for (name, value) in fields {
                dict.set_item(name, build(py, value)?)?;
            }
            Ok(dict.into_any())
        }
    }
}

/// A list of values as `zt.Records`, under a caption for notebooks.
pub(crate) fn records<'py>(
    py: Python<'py>,
    caption: &str,
    values: &(impl serde::Serialize + ?Sized),
) -> PyResult<Bound<'py, PyAny>> {
    let class = py.import("zt._records")?.getattr("Records")?;
    class.call1((of(py, values)?, caption))
}

/// A moment as a datetime in UTC: 1970 and so many milliseconds, since floats are not exact.
pub(crate) fn moment(py: Python<'_>, millis: i64) -> PyResult<Py<PyAny>> {
    let datetime = py.import("datetime")?;
    let utc = datetime.getattr("timezone")?.getattr("utc")?;
    let epoch = datetime
        .getattr("datetime")?
        .call1((1970, 1, 1, 0, 0, 0, 0, utc))?;
    let since = PyDict::new(py);
    since.set_item("milliseconds", millis)?;
    let since = datetime.getattr("timedelta")?.call((), Some(&since))?;
    Ok(epoch.add(since)?.unbind())
}
