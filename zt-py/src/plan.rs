//! `zt.Plan`: what a job needs, before it runs.

use pyo3::prelude::*;
use zt_core::plan::RunPlan;

use crate::html;
use crate::plain;

/// Everything that a job needs, or every reason why it may not run. Its truth value is "runnable".
///
/// >>> plan = jonas.plan(201)
/// >>> bool(plan), plan.missing
/// (True, [])
/// >>> [stage["runtime"]["name"] for stage in plan.stages]
/// ['ir-onprem', 'ir-managed-vnet', 'ir-managed-vnet']
#[pyclass(frozen, module = "zt")]
#[derive(Debug)]
pub(crate) struct Plan(RunPlan);

impl Plan {
    pub(crate) const fn new(core: RunPlan) -> Self {
        Self(core)
    }
}

#[pymethods]
impl Plan {
    /// Whether nothing is missing; the same as the truth value.
    #[getter]
    fn is_runnable(&self) -> bool {
        self.0.is_runnable()
    }

    fn __bool__(&self) -> bool {
        self.0.is_runnable()
    }

    /// Every reason why the job may not run, one sentence each.
    #[getter]
    fn missing(&self) -> Vec<String> {
        self.0.missing.iter().map(ToString::to_string).collect()
    }

    /// The stages in the order in which they run, each a dict.
    #[getter]
    fn stages<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        plain::of(py, &self.0.stages)
    }

    /// All of it as a dict, in the words of the JSON form.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        plain::of(py, &self.0)
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        let state = if self.0.is_runnable() {
            "runnable"
        } else {
            "not runnable"
        };
        format!("Plan({}, {state})", self.0.job)
    }

    fn _repr_html_(&self, py: Python<'_>) -> PyResult<String> {
        let told = plain::of(py, &self.0)?;
        told.set_item("missing", self.missing())?;
        html::page(py, "plan", &told)
    }
}
