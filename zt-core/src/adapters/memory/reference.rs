//! Reference data in memory.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::batch::Batch;
use crate::metadata::MlModel;
use crate::monitor::{ReferenceError, ReferenceSource};
use crate::port::BoxFuture;

/// A [`ReferenceSource`] of batches by the model's name. It has no bytes, so a row's `sha256` is refused, not passed over.
#[derive(Debug, Default)]
pub struct MemoryReference {
    batches: BTreeMap<String, Batch>,
    loads: AtomicU64,
}

impl MemoryReference {
    /// No reference yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the reference of a model.
    #[must_use]
    pub fn with(mut self, model: impl Into<String>, batch: Batch) -> Self {
        self.batches.insert(model.into(), batch);
        self
    }

    /// How often a reference was asked for.
    #[must_use]
    pub fn loads(&self) -> u64 {
        self.loads.load(Ordering::Relaxed)
    }
}

impl ReferenceSource for MemoryReference {
    fn load<'a>(&'a self, model: &'a MlModel) -> BoxFuture<'a, Result<Batch, ReferenceError>> {
        Box::pin(async move {
            self.loads.fetch_add(1, Ordering::Relaxed);
            if model.sha256.is_some() {
                let why = "a batch in memory has no digest to compare";
                return Err(ReferenceError::refused(&model.name, why));
            }
            let batch = self.batches.get(&model.name).cloned();
            batch.ok_or_else(|| ReferenceError::not_found(&model.name))
        })
    }
}
