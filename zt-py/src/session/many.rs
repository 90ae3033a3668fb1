//! What a session answers about many resources, and about the rows of a frame.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};
use zt_core::Result;

use super::Session;
use crate::data;
use crate::executor::{self, Work};
use crate::permit;
use crate::reading;
use crate::rows;

#[cfg(feature = "arrow")]
use {crate::answers::Answers, crate::arrow, arrow_array::BooleanArray, std::sync::Arc};

/// What was asked about many resources.
enum Asked {
    Texts(Vec<Option<String>>),
    #[cfg(feature = "arrow")]
    Column(arrow_array::ArrayRef),
}

/// The answers to them.
enum Answered {
    #[cfg_attr(
        feature = "arrow",
        expect(dead_code, reason = "what there is without Arrow")
    )]
    List(Vec<Option<bool>>),
    #[cfg(feature = "arrow")]
    Column {
        answers: BooleanArray,
        was_list: bool,
    },
}

impl Asked {
    fn read(resources: &Bound<'_, PyAny>) -> PyResult<Self> {
        if resources.is_instance_of::<PyString>() || resources.is_instance_of::<PyBytes>() {
            let message = "resources must be several, not one str: `check` is for one";
            return Err(PyTypeError::new_err(message));
        }
        #[cfg(feature = "arrow")]
        if let Some(offer) = arrow::offer(&rows::one_column(resources)?)? {
            let column = arrow::read_column(resources.py(), offer)?;
            return Ok(Self::Column(column));
        }
        // A column of NumPy or pandas knows missing cells; a list of Python has none.
        let (cells, may_miss) = if resources.hasattr("tolist")? {
            (resources.call_method0("tolist")?, true)
        } else {
            (resources.clone(), false)
        };
        let expected = "expected several resources, as a list of str or a column of Arrow";
        let cells = cells
            .try_iter()
            .map_err(|_| PyTypeError::new_err(expected))?;
        let mut texts = Vec::new();
        for (row, cell) in cells.enumerate() {
            let cell = cell?;
            data::hear(cell.py(), row)?;
            texts.push(match cell.extract::<String>() {
                Ok(text) => Some(text),
                Err(_) if may_miss && data::is_missing(&cell) => None,
                Err(_) => {
                    let message = format!("resource {} is not a str", row.saturating_add(1));
                    return Err(PyTypeError::new_err(message));
                }
            });
        }
        Ok(Self::Texts(texts))
    }

    #[cfg(feature = "arrow")]
    fn answer(self, session: &zt_core::Session, action: &str) -> Result<Answered> {
        let (column, was_list) = match self {
            Self::Texts(texts) => {
                let texts: arrow_array::LargeStringArray = texts.into_iter().collect();
                (Arc::new(texts) as arrow_array::ArrayRef, true)
            }
            Self::Column(column) => (column, false),
        };
        let answers = session.check_array(action, &column)?;
        Ok(Answered::Column { answers, was_list })
    }

    #[cfg(not(feature = "arrow"))]
    fn answer(self, session: &zt_core::Session, action: &str) -> Result<Answered> {
        let Self::Texts(texts) = self;
        let asked: Vec<&str> = texts.iter().flatten().map(String::as_str).collect();
        let mut decisions = session.check_many(action, &asked)?.into_iter();
        let answer = |text: &Option<String>| {
            let decision = text.as_ref().and_then(|_| decisions.next())?;
            Some(decision.is_allowed())
        };
        Ok(Answered::List(texts.iter().map(answer).collect()))
    }
}

impl Answered {
    /// In the form of what was asked.
    fn like<'py>(self, asked: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = asked.py();
        match self {
            Self::List(answers) => {
                let answers = answers.into_pyobject(py)?;
                rows::frames(py)?.call_method1("answers_like", (asked, answers))
            }
            #[cfg(feature = "arrow")]
            Self::Column { answers, was_list } => {
                let answers = Bound::new(py, Answers::new(answers))?.into_any();
                let answers = match was_list {
                    true => answers.call_method0("to_list")?,
                    false => answers,
                };
                rows::frames(py)?.call_method1("answers_like", (asked, answers))
            }
        }
    }
}

impl Session {
    fn many_work(&self, action: &str, resources: &Bound<'_, PyAny>) -> PyResult<Work<Answered>> {
        let (session, action) = (self.core()?.clone(), action.to_owned());
        let asked = Asked::read(resources)?;
        Ok(executor::aside(move || asked.answer(&session, &action)))
    }

    /// The right to see it: the policy is asked before anything is read.
    fn permit_work(&self, resource: &str, action: &str) -> PyResult<Work<zt_core::Permit>> {
        let session = self.core()?.clone();
        let (resource, action) = (resource.to_owned(), action.to_owned());
        Ok(executor::aside(move || session.require(&action, &resource)))
    }
}

#[pymethods]
impl Session {
    /// Whether the caller may do this to each of many resources: all on one snapshot and at one moment, each different resource
    /// once.
    ///
    /// `resources` is a list of str, or a column of Arrow (pyarrow, polars, pandas, dictionary encoded or not; a table of one
    /// column too). The answer is a list of bool for a list, and a boolean column of the same library for a column,
    /// `zt.Answers` where zt does not know it; null stays null. Other Python threads run meanwhile.
    ///
    /// One record in the audit log stands for all, on disk before the answer; it is what Rust calls `check_array`. Where each
    /// answer must have its rows and its `why`, call `check` for each. Raises Invalid for the first that is no
    /// resource or that the action does not take, with its row; else as `check`.
    ///
    /// >>> maya.check_many("table.read", ["table:gold.loan_scores", "table:raw.loan_applications"])
    /// [True, False]
    fn check_many<'py>(
        &self,
        py: Python<'py>,
        action: &str,
        resources: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let answered = executor::wait(py, self.many_work(action, resources)?)?;
        answered.like(resources)
    }

    /// `check_many` for asyncio: an awaitable. The resources are read on a thread of their own.
    fn check_many_async<'py>(
        slf: &Bound<'py, Self>,
        action: &str,
        resources: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let asked = (action, resources).into_pyobject(slf.py())?;
        reading::aside(&slf.getattr("check_many")?, &asked, None)
    }

    /// What the caller may see of these rows: `require` and `Permit.apply` in one. Hidden columns are left out, masked ones
    /// masked, hidden rows left out.
    ///
    /// `data` is a frame of pandas, polars or pyarrow, whatever else has `__arrow_c_stream__`, or a mapping of column names to
    /// sequences; the answer is of the same kind, `zt.Table` where zt does not know it. Rows of
    /// pandas are numbered anew, unless their index is a visible column. A deny reads nothing; what is allowed is decided once
    /// more when the rows are read, and shown as it is allowed then. Raises Denied, also for more rows than the policy shows at
    /// once.
    ///
    /// >>> scores = {"id": [70000], "y_pred_proba": [0.99], "y_pred": [1]}
    /// >>> elin.view(scores, "table:gold.loan_scores")
    /// {'id': [70000], 'y_pred': [1]}
    #[pyo3(signature = (data, resource, *, action = "table.read"))]
    fn view<'py>(
        &self,
        py: Python<'py>,
        data: &Bound<'py, PyAny>,
        resource: &str,
        action: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let session = self.core()?.clone();
        let permit = executor::wait(py, self.permit_work(resource, action)?)?;
        permit::shown(py, permit, session, data)?.like(data)
    }

    /// `view` for asyncio: an awaitable. The rows are read on a thread of their own, which ends between two batches when nobody
    /// awaits it any more; the interpreter waits for it at its end.
    #[pyo3(signature = (data, resource, *, action = "table.read"))]
    fn view_async<'py>(
        slf: &Bound<'py, Self>,
        data: &Bound<'py, PyAny>,
        resource: &str,
        action: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let asked = (data, resource).into_pyobject(slf.py())?;
        let options = PyDict::new(slf.py());
        options.set_item("action", action)?;
        reading::aside(&slf.getattr("view")?, &asked, Some(&options))
    }
}
