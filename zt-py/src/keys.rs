//! What `Runtime.key_health()` tells: the issuer's keys, each set a dict.

use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use zt_core::identity::KeyHealth;

/// Each set of keys as a dict.
pub(crate) fn told<'py>(py: Python<'py>, health: &[KeyHealth]) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for set in health {
        let row = PyDict::new(py);
        row.set_item("tenant", set.tenant.to_string())?;
        row.set_item("version", set.version.as_str())?;
        row.set_item("state", set.state.as_str())?;
        row.set_item("keys", set.keys)?;
        row.set_item("age_s", set.age.map(|age| age.as_secs_f64()))?;
        let next = (set.next_refresh < Duration::MAX).then_some(set.next_refresh.as_secs_f64());
        row.set_item("next_refresh_s", next)?;
        row.set_item("failures", set.failures)?;
        row.set_item("error", set.error.as_deref())?;
        list.append(row)?;
    }
    Ok(list)
}
