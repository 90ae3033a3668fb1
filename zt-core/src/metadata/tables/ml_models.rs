//! `ML_Models`: the models that policies and alerts speak of.

use std::path::{Component, Path};

use crate::metadata::Column;
use crate::metadata::reader::{Row, RowReader};

/// One model.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MlModel {
    /// Its name.
    pub name: String,
    /// What it computes: `binary_classification`.
    pub kind: Option<String>,
    /// The notebook that scores with it.
    pub notebook: Option<String>,
    /// The column of the true outcome, `repaid`.
    pub label: Option<String>,
    /// The column of the predicted class, `y_pred`.
    pub prediction: Option<String>,
    /// The column of the predicted probability of the positive class, `y_pred_proba`.
    pub score: Option<String>,
    /// The reference data for drift, a CSV file: a path inside the folder of `zt.toml`.
    pub reference: Option<String>,
    /// The SHA-256 of the reference data, 64 hexadecimal digits.
    pub sha256: Option<String>,
}

impl Row for MlModel {
    const TABLE: &'static str = "ML_Models";
    const KEY: &'static [&'static str] = &["name"];
    const COLUMNS: &'static [Column] = &[
        Column::text("name"),
        Column::text("kind"),
        Column::text("notebook"),
        Column::text("label"),
        Column::text("prediction"),
        Column::text("score"),
        Column::text("reference"),
        Column::text("sha256"),
    ];

    fn read(cells: &mut RowReader<'_>) -> Option<Self> {
        let name = cells.required_text("name");
        let sha256 = cells.optional_text("sha256");
        if let Some(digest) = &sha256
            && (digest.len() != 64 || !digest.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            cells.problem("sha256", digest, "expected 64 hexadecimal digits");
        }
        Some(Self {
            kind: cells.optional_text("kind"),
            notebook: cells.optional_text("notebook"),
            label: cells.optional_text("label"),
            prediction: cells.optional_text("prediction"),
            score: cells.optional_text("score"),
            reference: read_reference(cells),
            sha256,
            name: name?,
        })
    }
}

/// A path that leads out of the folder would let a row read, and quote in an error, a file that is none of its business.
fn read_reference(cells: &mut RowReader<'_>) -> Option<String> {
    let path = cells.optional_text("reference")?;
    let stays = Path::new(&path)
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !stays || path.trim().is_empty() {
        let reason = "expected a path inside the folder of `zt.toml`";
        cells.problem("reference", &path, reason);
    }
    Some(path)
}
