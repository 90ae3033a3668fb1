//! Rows between Python and the core: a mapping of column names to sequences, and back to a dict of lists.
//!
//! In: a dict, or whatever has `items()` as DataFrames of pandas do, `to_pydict()` as tables of pyarrow, or `iter_columns()` as
//! DataFrames of polars; a column is anything iterable, taken by its own `tolist()` where
//! it has one (NumPy, pandas). Every column has one type: bool, int, float, str or bytes; `None` is a missing value. No
//! message repeats a cell.

use pyo3::IntoPyObjectExt as _;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString};
use zt_core::Error;
use zt_core::batch::{Batch, Cells, Column};

use crate::error::Failure;
use crate::reading;

/// The rows that Python hands in.
pub(crate) fn batch(data: &Bound<'_, PyAny>) -> PyResult<Batch> {
    let has = |name: &str| data.hasattr(name).is_ok_and(|has| has);
    let items = if has("items") {
        data.call_method0("items")?
    } else if has("to_pydict") {
        data.call_method0("to_pydict")?.call_method0("items")?
    } else if has("iter_columns") {
        let mut pairs = Vec::new();
        for column in data.call_method0("iter_columns")?.try_iter()? {
            let column = column?;
            pairs.push((column.getattr("name")?, column));
        }
        pairs.into_bound_py_any(data.py())?
    } else {
        let expected =
            "expected a mapping of column names to sequences, a DataFrame or a table of Arrow";
        return Err(PyTypeError::new_err(expected));
    };
    let mut columns = Vec::new();
    for item in items.try_iter()? {
        let (name, cells): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item?.extract()?;
        let name: String = name
            .extract()
            .map_err(|_| PyTypeError::new_err("the name of a column must be a str"))?;
        let cells = cells_of(&name, &cells)?;
        columns.push(Column::new(name, cells));
    }
    Batch::new(columns).map_err(|why| Failure::new(Error::from(why)).into())
}

/// The rows as a dict of lists.
pub(crate) fn dict(py: Python<'_>, batch: Batch) -> PyResult<Bound<'_, PyDict>> {
    let columns = PyDict::new(py);
    for column in batch.into_columns() {
        let name = column.name().to_owned();
        columns.set_item(name, list(py, column.into_cells())?)?;
    }
    Ok(columns)
}

fn list(py: Python<'_>, cells: Cells) -> PyResult<Bound<'_, PyAny>> {
    match cells {
        Cells::Text(cells) => told(py, cells.into_iter()),
        Cells::Number(cells) => told(py, cells.into_iter()),
        Cells::Integer(cells) => told(py, cells.into_iter()),
        Cells::Bool(cells) => told(py, cells.into_iter()),
        Cells::Bytes(cells) => {
            let cells = cells.iter().map(|cell| cell.as_deref());
            told(
                py,
                cells.map(|cell| cell.map(|bytes| PyBytes::new(py, bytes))),
            )
        }
        other => Err(PyValueError::new_err(format!(
            "cells of {} have no form in Python yet",
            other.kind()
        ))),
    }
}

fn told<'py, T: IntoPyObject<'py>>(
    py: Python<'py>,
    cells: impl Iterator<Item = T>,
) -> PyResult<Bound<'py, PyAny>> {
    let list = PyList::empty(py);
    for (row, cell) in cells.enumerate() {
        hear(py, row)?;
        list.append(cell)?;
    }
    Ok(list.into_any())
}

/// The type of a column, as its cells tell one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    Integer,
    Number,
    Text,
    Bytes,
}

fn kind_of(cell: &Bound<'_, PyAny>) -> Option<Kind> {
    // `bool` is a kind of `int` in Python, so it is asked first.
    if cell.is_instance_of::<PyBool>() {
        Some(Kind::Bool)
    } else if cell.is_instance_of::<PyInt>() {
        Some(Kind::Integer)
    } else if cell.is_instance_of::<PyFloat>() {
        Some(Kind::Number)
    } else if cell.is_instance_of::<PyString>() {
        Some(Kind::Text)
    } else if cell.is_instance_of::<PyBytes>() {
        Some(Kind::Bytes)
    } else {
        None
    }
}

fn cells_of(name: &str, cells: &Bound<'_, PyAny>) -> PyResult<Cells> {
    if cells.is_instance_of::<PyString>() || cells.is_instance_of::<PyBytes>() {
        let expected = format!("column `{name}` must be a sequence of cells, not one str");
        return Err(PyTypeError::new_err(expected));
    }
    let cells = if cells.hasattr("tolist")? {
        cells.call_method0("tolist")?
    } else {
        cells.clone()
    };
    let cells = cells.try_iter()?.enumerate().map(|(row, cell)| {
        let cell = cell?;
        hear(cell.py(), row)?;
        Ok(cell)
    });
    let cells: Vec<Bound<'_, PyAny>> = cells.collect::<PyResult<_>>()?;
    let kind = kind(name, &cells)?;
    let wrong = |row: usize| wrong_cell(name, row, "does not fit its column");
    match kind {
        Kind::Bool => each(&cells, wrong).map(Cells::Bool),
        Kind::Integer => each(&cells, wrong).map(Cells::Integer),
        Kind::Number => each(&cells, wrong).map(Cells::Number),
        Kind::Bytes => each(&cells, wrong).map(Cells::Bytes),
        Kind::Text => each(&cells, wrong).map(Cells::Text),
    }
}

/// One type for all cells. A column of whole numbers and others is one of numbers; one without values is text.
fn kind(name: &str, cells: &[Bound<'_, PyAny>]) -> PyResult<Kind> {
    // NaN alone tells that the column holds numbers.
    let (mut found, mut nan) = (None, false);
    for (row, cell) in cells.iter().enumerate() {
        hear(cell.py(), row)?;
        nan |= cell.is_instance_of::<PyFloat>();
        if is_missing(cell) {
            continue;
        }
        let Some(kind) = kind_of(cell) else {
            let reason = "is not a bool, int, float, str, bytes or None";
            return Err(wrong_cell(name, row, reason));
        };
        found = Some(match (found, kind) {
            (None, kind) => kind,
            (Some(before), kind) if before == kind => kind,
            (Some(Kind::Integer | Kind::Number), Kind::Integer | Kind::Number) => Kind::Number,
            (Some(_), _) => {
                return Err(wrong_cell(name, row, "has another type than those before"));
            }
        });
    }
    Ok(match found {
        Some(Kind::Integer) if nan => Kind::Number,
        Some(kind) => kind,
        None if nan => Kind::Number,
        None => Kind::Text,
    })
}

/// `None`, and NaN, which pandas writes for a missing value whatever the column's type.
pub(crate) fn is_missing(cell: &Bound<'_, PyAny>) -> bool {
    cell.is_none()
        || cell.is_instance_of::<PyFloat>() && cell.extract::<f64>().is_ok_and(f64::is_nan)
}

/// Lets Ctrl-C and other Python threads through now and then, while the interpreter is held.
pub(crate) fn hear(py: Python<'_>, row: usize) -> PyResult<()> {
    if row.is_multiple_of(1 << 14) {
        reading::hear(py)?;
    }
    Ok(())
}

fn each<'py, T>(
    cells: &[Bound<'py, PyAny>],
    wrong: impl Fn(usize) -> PyErr,
) -> PyResult<Vec<Option<T>>>
where
    T: for<'a> FromPyObject<'a, 'py>,
{
    let read = |(row, cell): (usize, &Bound<'py, PyAny>)| {
        hear(cell.py(), row)?;
        if is_missing(cell) {
            return Ok(None);
        }
        cell.extract().map(Some).map_err(|_| wrong(row))
    };
    cells.iter().enumerate().map(read).collect()
}

fn wrong_cell(name: &str, row: usize, reason: &str) -> PyErr {
    PyTypeError::new_err(format!("row {} of column `{name}` {reason}", row + 1))
}
