//! `zt.verify_audit`: whether an audit log is what was written, offline.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use zt_core::Error;
use zt_core::audit;

use crate::error::Failure;
use crate::plain;

/// Verifies every log in an audit folder, such as `.zt/audit`; needs no runtime and no right but to read the files.
///
/// The answer is a dict: `is_intact`, how many `writers`, `segments` and `records`, and `findings`, each with file, line and
/// message, the first bad record of each log. Damage is a finding, not an error; raises Unavailable for a folder that cannot
/// be read.
///
/// >>> found = zt.verify_audit(folder / ".zt" / "audit")
/// >>> found["is_intact"], found["findings"]
/// (True, [])
#[pyfunction]
pub(crate) fn verify_audit(py: Python<'_>, folder: PathBuf) -> PyResult<Bound<'_, PyDict>> {
    let found = py
        .detach(move || audit::verify(folder))
        .map_err(|why| Failure::new(Error::from(why)))?;
    let told = PyDict::new(py);
    told.set_item("is_intact", found.is_intact())?;
    told.set_item("writers", found.writers)?;
    told.set_item("segments", found.segments)?;
    told.set_item("records", found.records)?;
    told.set_item("findings", plain::of(py, &found.findings)?)?;
    told.set_item("notes", plain::of(py, &found.notes)?)?;
    Ok(told)
}
