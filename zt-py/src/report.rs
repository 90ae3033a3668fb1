//! `zt.Evaluation`: the state of every alert rule that was looked at.

use std::time::Duration;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use zt_core::monitor::{self, Metrics};

use crate::data;
use crate::executor::Work;
use crate::html;
use crate::plain;

/// The state of every alert rule that was looked at, and the alerts that fired.
///
/// >>> found = job.log_metrics("car_loan_scorer", {"accuracy": 0.91}, rows=5000)
/// >>> [alert["rule"] for alert in found.alerts]
/// ['AL-01']
#[pyclass(frozen, module = "zt")]
#[derive(Debug)]
pub(crate) struct Evaluation(monitor::Evaluation);

impl Evaluation {
    pub(crate) const fn new(core: monitor::Evaluation) -> Self {
        Self(core)
    }
}

#[pymethods]
impl Evaluation {
    /// The alerts that fired and were delivered: `zt.Records`, each a dict.
    #[getter]
    fn alerts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        plain::records(py, "alerts", self.0.alerts())
    }

    /// All of it as a dict, in the words of the JSON form.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        plain::of(py, &self.0)
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("Evaluation({} fired)", self.0.alerts().len())
    }

    fn _repr_html_(&self, py: Python<'_>) -> PyResult<String> {
        html::page(py, "evaluation", &plain::of(py, &self.0)?)
    }

    /// Each rule's value beside its threshold, for a notebook. Needs matplotlib (`pip install matplotlib`); answers its
    /// figure.
    fn plot<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let told = plain::of(py, &self.0)?;
        py.import("zt.plot")?.call_method1("evaluation", (told,))
    }
}

/// An evaluation on its way to an awaiter.
pub(crate) fn evaluated(py: Python<'_>, core: monitor::Evaluation) -> PyResult<Py<PyAny>> {
    Ok(Py::new(py, Evaluation::new(core))?.into_any())
}

/// The values that Python reports. A metric of one column is named by a pair.
pub(crate) fn metrics(
    named: &Bound<'_, PyAny>,
    rows: u64,
    over_s: Option<f64>,
    classes: Option<(u64, u64)>,
) -> PyResult<Metrics> {
    let mut metrics = Metrics::new(rows);
    if !named.hasattr("items")? {
        let expected = "metrics must be a mapping of names to numbers";
        return Err(PyTypeError::new_err(expected));
    }
    for item in named.call_method0("items")?.try_iter()? {
        let (name, value): (Bound<'_, PyAny>, f64) = item?.extract()?;
        metrics = if let Ok(metric) = name.extract::<String>() {
            metrics.with(&metric, value)
        } else if let Ok((metric, column)) = name.extract::<(String, String)>() {
            metrics.with_column(&metric, &column, value)
        } else {
            let expected = "a metric is named by a str, or by a pair of metric and column";
            return Err(PyTypeError::new_err(expected));
        };
    }
    if let Some((positive, negative)) = classes {
        metrics = metrics.with_classes(positive, negative);
    }
    let Some(seconds) = over_s else {
        return Ok(metrics);
    };
    let over = Duration::try_from_secs_f64(seconds)
        .map_err(|_| PyValueError::new_err("over_s must be a number of seconds, 0 or more"))?;
    Ok(metrics.over(over))
}

/// Reported values on their way to the rules.
pub(crate) fn reporting(
    session: zt_core::Session,
    target: &str,
    metrics: Metrics,
) -> Work<monitor::Evaluation> {
    let target = target.to_owned();
    Box::pin(async move { session.log_metrics(&target, &metrics).await })
}

/// Rows on their way to the rules.
pub(crate) fn scoring(
    session: zt_core::Session,
    model: &str,
    data: &Bound<'_, PyAny>,
) -> PyResult<Work<monitor::Evaluation>> {
    let (model, batch) = (model.to_owned(), data::batch(data)?);
    Ok(Box::pin(
        async move { session.log_batch(&model, &batch).await },
    ))
}
