//! `ML_Models`: the models that policies and alerts speak of.

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
    /// The reference data for drift.
    pub reference: Option<String>,
    /// The SHA-256 of the reference data, 64 hexadecimal digits.
    pub sha256: Option<String>,
}

impl Row for MlModel {
    const TABLE: &'static str = "ML_Models";
    const KEY: &'static [&'static str] = &["name"];
    const COLUMNS: &'static [&'static str] = &["name", "kind", "notebook", "reference", "sha256"];

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
            reference: cells.optional_text("reference"),
            sha256,
            name: name?,
        })
    }
}
