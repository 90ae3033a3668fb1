//! `Feature_Engineering`: how a model's columns are prepared, in order.

use crate::metadata::Column;
use crate::metadata::reader::{Row, RowReader};

/// One step on one column.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FeatureStep {
    /// The model.
    pub model: String,
    /// The column.
    pub column: String,
    /// What is done: `one_hot`, `scale_standard`.
    pub step: String,
}

impl Row for FeatureStep {
    const TABLE: &'static str = "Feature_Engineering";
    const KEY: &'static [&'static str] = &["model", "column", "step"];
    const COLUMNS: &'static [Column] = &[
        Column::text("model"),
        Column::text("column"),
        Column::text("step"),
    ];

    fn read(cells: &mut RowReader<'_>) -> Option<Self> {
        let model = cells.required_text("model");
        let (column, step) = (cells.required_text("column"), cells.required_text("step"));
        Some(Self {
            model: model?,
            column: column?,
            step: step?,
        })
    }
}
