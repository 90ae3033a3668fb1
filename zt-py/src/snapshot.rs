//! `zt.Snapshot`: which version of the metadata tables is in force.

use std::sync::Arc;

use pyo3::prelude::*;
use zt_core::metadata;

/// One version of all metadata tables. Never changes; a change of the tables makes another snapshot.
///
/// >>> rt.snapshot.version
/// 1
/// >>> len(rt.snapshot.hash)
/// 64
#[pyclass(frozen, module = "zt")]
#[derive(Debug)]
pub(crate) struct Snapshot(Arc<metadata::Snapshot>);

impl Snapshot {
    pub(crate) const fn new(snapshot: Arc<metadata::Snapshot>) -> Self {
        Self(snapshot)
    }
}

#[pymethods]
impl Snapshot {
    /// Counts up with every change that was taken.
    #[getter]
    fn version(&self) -> u64 {
        self.0.version()
    }

    /// The SHA-256 of the content: the same rows give the same hash, whatever file or comment they come from.
    #[getter]
    fn hash(&self) -> String {
        self.0.hash().to_string()
    }

    /// Where the tables come from.
    #[getter]
    fn source(&self) -> &str {
        self.0.source()
    }

    fn __repr__(&self) -> String {
        let hash: String = self.hash().chars().take(12).collect();
        format!("Snapshot({}, {hash}…)", self.0.version())
    }
}
