//! The port to reference data, and what is kept of it: the deciles of the columns that rules compare.
//!
//! In: a row of ML_Models. Out: a batch from the adapter, read once for each version of the snapshot; the rows themselves
//! are dropped as soon as the deciles are known.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zt_memory::fork::Local;

use super::drift::Deciles;
use crate::batch::{Batch, NotABatch};
use crate::error::{Code, Error, Result};
use crate::metadata::MlModel;
use crate::port::BoxFuture;
use crate::text::shown;

/// Where reference data come from.
///
/// Called from many threads at once. The future may be dropped at any point.
pub trait ReferenceSource: fmt::Debug + Send + Sync {
    /// Loads the reference data of a model. Where its row has a `sha256`, bytes of another digest are refused before they
    /// are parsed.
    fn load<'a>(&'a self, model: &'a MlModel) -> BoxFuture<'a, Result<Batch, ReferenceError>>;
}

/// Reference data cannot be used. No message repeats a cell.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// There are none.
    #[error("the reference data `{}` do not exist", shown(name))]
    #[non_exhaustive]
    NotFound {
        /// What the row names.
        name: String,
    },
    /// They may not be used: outside the folder, not a regular file, too long, not readable.
    #[error("the reference data `{}` are refused: {why}", shown(name))]
    #[non_exhaustive]
    Refused {
        /// What the row names.
        name: String,
        /// Why.
        why: String,
    },
    /// Their SHA-256 is not that of the row.
    #[error(
        "the reference data `{}` are not those of ML_Models: their SHA-256 is {is}",
        shown(name)
    )]
    #[non_exhaustive]
    Changed {
        /// What the row names.
        name: String,
        /// The digest of what is there, in hexadecimal.
        is: String,
    },
    /// They are not a batch, or lack a column, or a cell is no number.
    #[error("the reference data `{}` are malformed: {why}", shown(name))]
    #[non_exhaustive]
    Malformed {
        /// What the row names.
        name: String,
        /// What is wrong and where.
        why: NotABatch,
    },
}

impl ReferenceError {
    /// There are no such data.
    #[must_use]
    pub fn not_found(name: impl Into<String>) -> Self {
        Self::NotFound { name: name.into() }
    }

    /// They may not be used because of this.
    #[must_use]
    pub fn refused(name: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Refused {
            name: name.into(),
            why: why.into(),
        }
    }

    /// Their digest is this one, and not the row's.
    #[must_use]
    pub fn changed(name: impl Into<String>, is: impl Into<String>) -> Self {
        Self::Changed {
            name: name.into(),
            is: is.into(),
        }
    }

    /// They are not what rules can look at.
    #[must_use]
    pub fn malformed(name: impl Into<String>, why: NotABatch) -> Self {
        Self::Malformed {
            name: name.into(),
            why,
        }
    }
}

impl From<ReferenceError> for Error {
    fn from(error: ReferenceError) -> Self {
        let (code, help) = match &error {
            ReferenceError::NotFound { .. } => (
                Code::NotFound,
                "the column `reference` of ML_Models is a path from the folder of `zt.toml`",
            ),
            ReferenceError::Refused { .. } => (
                Code::InvalidMetadata,
                "reference data are a regular CSV file inside the folder of `zt.toml`, at most 256 MiB",
            ),
            ReferenceError::Changed { .. } => (
                Code::InvalidMetadata,
                "restore the file, or change `sha256` together with the thresholds that were set on the old one",
            ),
            ReferenceError::Malformed { .. } => (
                Code::InvalidMetadata,
                "correct the file, or the column that the rule names",
            ),
        };
        Self::new(code, error.to_string())
            .with_help(help)
            .with_source(error)
    }
}

/// The deciles of some columns of a model's reference data.
#[derive(Debug, Default)]
pub(crate) struct Reference {
    columns: BTreeMap<String, Option<Deciles>>,
}

impl Reference {
    pub(super) fn prepare(batch: &Batch, columns: &[&str]) -> Result<Self, NotABatch> {
        let deciles = |name: &&str| {
            let numbers = batch.require(name)?.numbers()?;
            Ok(((*name).to_owned(), Deciles::of(&numbers)))
        };
        let columns: Result<_, _> = columns.iter().map(deciles).collect();
        Ok(Self { columns: columns? })
    }

    /// The deciles of a column; `None` if the reference has no value there.
    pub(super) fn of(&self, column: &str) -> Option<&Deciles> {
        self.columns.get(column).and_then(Option::as_ref)
    }
}

/// By model, with the version of the snapshot.
type Kept = BTreeMap<String, (u64, Arc<Reference>)>;

/// The references of all models, read once for each version of the snapshot.
#[derive(Debug)]
pub(crate) struct References {
    source: Arc<dyn ReferenceSource>,
    /// Of this process: a forked child reads anew, and waits for no thread of its parent.
    kept: Local<Mutex<Kept>>,
}

impl References {
    pub(crate) fn new(source: Arc<dyn ReferenceSource>) -> Self {
        Self {
            source,
            kept: Local::new(),
        }
    }

    /// The prepared reference of a model. The columns are those of the model's rules in this version of the snapshot.
    pub(crate) async fn of(
        &self,
        model: &MlModel,
        columns: &[&str],
        version: u64,
    ) -> Result<Arc<Reference>> {
        if columns.is_empty() {
            return Ok(Arc::default());
        }
        if let Some(kept) = self.kept(&model.name, version) {
            return Ok(kept);
        }
        let batch = self.source.load(model).await?;
        let reference = Reference::prepare(&batch, columns).map_err(|why| {
            let name = model.reference.as_deref().unwrap_or(&model.name);
            ReferenceError::malformed(name, why)
        })?;
        let reference = Arc::new(reference);
        let mut kept = self.lock();
        // A slower reader of an older version must not take the place of the newer one.
        let newer = kept.get(&model.name).is_some_and(|(of, _)| *of > version);
        if !newer {
            let entry = (version, Arc::clone(&reference));
            kept.insert(model.name.clone(), entry);
        }
        Ok(reference)
    }

    fn kept(&self, model: &str, version: u64) -> Option<Arc<Reference>> {
        let kept = self.lock();
        let (of, reference) = kept.get(model)?;
        (*of == version).then(|| Arc::clone(reference))
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        let kept = self.kept.get_or_init(Mutex::default);
        kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
