//! Rows in every form that Python has for them, and an answer in the form of what came.
//!
//! In: a mapping of columns to sequences, or a frame of any library that knows Arrow. Out: a dict of lists for a mapping, a
//! frame of the same library for pyarrow, polars and pandas, [`Table`] for others. What computes needs no interpreter.

#[cfg(feature = "arrow")]
mod pandas;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyModule};
use zt_core::batch::Batch;
use zt_core::envelope::{Opener, Sealer};
use zt_core::{Code, Error, Result, Session};

#[cfg(feature = "arrow")]
use {crate::arrow, crate::table::Table, arrow_array::RecordBatch, zt_core::envelope::Store};

use crate::data;

static FRAMES: PyOnceLock<Py<PyModule>> = PyOnceLock::new();

/// Rows on their way in or out.
#[derive(Debug)]
pub(crate) enum Rows {
    Cells(Batch),
    #[cfg(feature = "arrow")]
    Arrow(RecordBatch),
}

/// How sealed columns are stored, as Python says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    Text,
    Bytes,
}

impl Stored {
    /// # Errors
    /// `Invalid` for another word.
    pub(crate) fn read(word: &str) -> Result<Self> {
        match word {
            "text" => Ok(Self::Text),
            "bytes" => Ok(Self::Bytes),
            _ => {
                let error = Error::new(Code::InvalidArgument, "`store` is no way to store cells");
                Err(error.with_help("it is \"text\" or \"bytes\""))
            }
        }
    }
}

impl Rows {
    /// The rows that Python hands in.
    pub(crate) fn read(data: &Bound<'_, PyAny>) -> PyResult<Self> {
        #[cfg(feature = "arrow")]
        if !data.is_instance_of::<PyDict>() {
            match arrow::offer(&readable(data)?) {
                Ok(Some(offer)) => return Ok(Self::Arrow(arrow::read(data.py(), offer)?)),
                Ok(None) => {}
                Err(raised) => refused(data, raised)?,
            }
        }
        data::batch(data).map(Self::Cells)
    }

    /// The same rows sealed.
    ///
    /// # Errors
    /// As those of the core; `Invalid` too for lists that are to be bytes.
    pub(crate) fn seal(&self, sealer: &Sealer, store: Stored) -> Result<Self> {
        match self {
            Self::Cells(_) if store == Stored::Bytes => {
                let message = "rows of lists are sealed as text";
                let error = Error::new(Code::InvalidArgument, message);
                Err(error.with_help("seal a frame of Arrow, or leave out `store`"))
            }
            Self::Cells(batch) => sealer.seal(batch).map(Self::Cells),
            #[cfg(feature = "arrow")]
            Self::Arrow(batch) => {
                let store = match store {
                    Stored::Text => Store::Text,
                    Stored::Bytes => Store::Bytes,
                };
                let sealed = sealer.seal_arrow(batch, store)?;
                Ok(Self::Arrow(pandas::described(batch, sealed)))
            }
        }
    }

    /// The same rows opened, as far as the opener shows them.
    pub(crate) fn unseal(&self, opener: &Opener) -> Result<Self> {
        match self {
            Self::Cells(batch) => opener.unseal(batch).map(Self::Cells),
            #[cfg(feature = "arrow")]
            Self::Arrow(batch) => {
                let plain = opener.unseal_arrow(batch)?;
                Ok(Self::Arrow(pandas::described(batch, plain)))
            }
        }
    }

    /// What a permit shows of them.
    ///
    /// # Errors
    /// As those of the core: `Denied` for obligations that are not met.
    pub(crate) fn shown(&self, permit: &zt_core::Permit) -> Result<Self> {
        match self {
            Self::Cells(batch) => permit.apply(batch).map(Self::Cells),
            #[cfg(feature = "arrow")]
            Self::Arrow(batch) => {
                let shown = permit.apply_arrow(batch)?;
                Ok(Self::Arrow(pandas::shown(batch, shown)))
            }
        }
    }

    /// An opener for these rows.
    pub(crate) async fn opener(&self, session: &Session, output: &str) -> Result<Opener> {
        match self {
            Self::Cells(batch) => session.opener(output, batch).await,
            #[cfg(feature = "arrow")]
            Self::Arrow(batch) => session.arrow_opener(output, batch).await,
        }
    }

    /// These rows in the form of what was handed in.
    pub(crate) fn like<'py>(self, asked: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = asked.py();
        let answer = match self {
            Self::Cells(batch) => data::dict(py, batch)?.into_any(),
            #[cfg(feature = "arrow")]
            Self::Arrow(batch) => Bound::new(py, Table::new(batch))?.into_any(),
        };
        if asked.is_instance_of::<PyDict>() {
            return Ok(answer);
        }
        frames(py)?.call_method1("like", (asked, answer))
    }
}

/// What knows other libraries' frames.
pub(crate) fn frames(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    let module = FRAMES.get_or_try_init(py, || py.import("zt._frames").map(Bound::unbind))?;
    Ok(module.bind(py))
}

/// The same in a form that Arrow can read.
#[cfg(feature = "arrow")]
pub(crate) fn readable<'py>(data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    frames(data.py())?.call_method1("readable", (data,))
}

/// A column, or a table of one, in a form that Arrow can read.
#[cfg(feature = "arrow")]
pub(crate) fn one_column<'py>(asked: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    frames(asked.py())?.call_method1("one_column", (asked,))
}

/// Passes for a frame that can be read by its `items()`; else raises what its library said, or what that means.
#[cfg(feature = "arrow")]
fn refused(data: &Bound<'_, PyAny>, raised: PyErr) -> PyResult<()> {
    let py = data.py();
    if !raised.is_instance_of::<pyo3::exceptions::PyException>(py) {
        return Err(raised);
    }
    frames(py)?.call_method1("refused", (data, raised.into_value(py)))?;
    Ok(())
}
