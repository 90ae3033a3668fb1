//! The models that the service serves: one for each row of ML_Models with reference data, fitted at the start.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use zt_core::batch::Batch;
use zt_core::metadata::Snapshot;
use zt_examples::model::LoanModel;

use crate::service::Failed;

/// By the name that policies and callers use.
#[derive(Debug)]
pub(crate) struct Models(BTreeMap<String, LoanModel>);

impl Models {
    /// Reads the reference data below the folder. Takes a moment for each model.
    ///
    /// # Errors
    /// Data that cannot be read or that the model cannot be fitted to.
    pub(crate) fn fit(snapshot: &Snapshot, folder: &Path) -> Result<Self, Failed> {
        let mut models = BTreeMap::new();
        for row in &snapshot.tables().ml_models {
            let (Some(reference), Some(label)) = (&row.reference, &row.label) else {
                continue;
            };
            let path = folder.join(reference);
            let file = File::open(&path).map_err(|why| format!("`{}`: {why}", path.display()))?;
            let model = LoanModel::fit(&Batch::from_csv(file)?, label)?;
            models.insert(row.name.clone(), model);
        }
        if models.is_empty() {
            return Err("no row of ML_Models has reference data: there is nothing to serve".into());
        }
        Ok(Self(models))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&LoanModel> {
        self.0.get(name)
    }
}
