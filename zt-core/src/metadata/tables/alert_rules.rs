//! `Alert_Rules`: when a model or a pipeline needs a person. Direction is written out, never guessed.

use crate::metadata::Column;
use crate::metadata::reader::{Row, RowReader};

/// One alert rule.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AlertRule {
    /// The row's id.
    pub id: String,
    /// The model watched.
    pub model: Option<String>,
    /// The job watched.
    pub pipeline: Option<u32>,
    /// The metric; its method stands behind a slash: `psi/reference-deciles`.
    pub metric: String,
    /// The column, for metrics of one.
    pub column: Option<String>,
    /// Which side of the threshold fires.
    pub fires: Fires,
    /// The threshold, in the metric's unit.
    pub threshold: f64,
    /// The window in rows.
    pub window_rows: Option<u32>,
    /// The window in seconds.
    pub window_s: Option<u32>,
    /// Fewer rows than this give no answer.
    pub min_rows: Option<u32>,
    /// The confidence that the threshold is really crossed, between 0 and 1.
    pub confidence: Option<f64>,
    /// Azure Monitor's severity: 0 is critical, 4 is verbose.
    pub severity: u32,
    /// Azure Monitor's action group.
    pub action_group: Option<String>,
}

/// Which side of a threshold fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fires {
    /// A value under the threshold.
    Below,
    /// A value over the threshold.
    Above,
}

impl Row for AlertRule {
    const TABLE: &'static str = "Alert_Rules";
    const KEY: &'static [&'static str] = &["id"];
    const COLUMNS: &'static [Column] = &[
        Column::text("id"),
        Column::text("model"),
        Column::number("pipeline"),
        Column::text("metric"),
        Column::text("column"),
        Column::text("fires"),
        Column::float("threshold"),
        Column::number("window_rows"),
        Column::number("window_s"),
        Column::number("min_rows"),
        Column::float("confidence"),
        Column::number("severity"),
        Column::text("action_group"),
    ];

    fn read(cells: &mut RowReader<'_>) -> Option<Self> {
        let (id, metric) = (cells.required_text("id"), cells.required_text("metric"));
        let fires =
            cells.required_one_of("fires", &[("below", Fires::Below), ("above", Fires::Above)]);
        let threshold = cells.float("threshold");
        if cells.cell("threshold").is_none() {
            cells.problem("threshold", "", "missing");
        }
        let severity = cells
            .required_number("severity")
            .filter(|severity| in_range(cells, *severity));
        let rule = Self {
            model: cells.optional_text("model"),
            pipeline: cells.number("pipeline"),
            column: cells.optional_text("column"),
            window_rows: cells.number("window_rows"),
            window_s: cells.number("window_s"),
            min_rows: cells.number("min_rows"),
            confidence: read_confidence(cells),
            action_group: cells.optional_text("action_group"),
            id: id?,
            metric: metric?,
            fires: fires?,
            threshold: threshold?,
            severity: severity?,
        };
        if rule.model.is_some() == rule.pipeline.is_some() {
            cells.problem(
                "model",
                &rule.id,
                "name a model or a pipeline, one of the two",
            );
        }
        if rule.window_rows.is_some() == rule.window_s.is_some() {
            cells.problem(
                "window_rows",
                &rule.id,
                "give window_rows or window_s, one of the two",
            );
        }
        Some(rule)
    }
}

fn in_range(cells: &mut RowReader<'_>, severity: u32) -> bool {
    let fits = severity <= 4;
    if !fits {
        cells.problem(
            "severity",
            &severity.to_string(),
            "from 0, critical, to 4, verbose",
        );
    }
    fits
}

fn read_confidence(cells: &mut RowReader<'_>) -> Option<f64> {
    let confidence = cells.float("confidence")?;
    if !(0.0..1.0).contains(&confidence) {
        cells.problem(
            "confidence",
            &confidence.to_string(),
            "must be from 0 to less than 1",
        );
    }
    Some(confidence)
}
