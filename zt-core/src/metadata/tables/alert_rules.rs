//! `Alert_Rules`: when a model or a pipeline needs a person. Direction is written out, never guessed.

use crate::metadata::Column;
use crate::metadata::Problem;
use crate::metadata::reader::{Row, RowReader};
use crate::monitor::{Metric, NotAMetric};

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
    pub metric: Metric,
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
    /// The confidence that the threshold is really crossed, from 0.5 to less than 1.
    pub confidence: Option<f64>,
    /// Azure Monitor's severity: 0 is critical, 4 is verbose.
    pub severity: u32,
    /// Azure Monitor's action group.
    pub action_group: Option<String>,
}

/// The longest id, in bytes: it must fit into an audit record uncut.
const MOST_ID_BYTES: usize = 128;

/// Which side of a threshold fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fires {
    /// A value under the threshold.
    Below,
    /// A value over the threshold.
    Above,
}

impl Fires {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Below => "below",
            Self::Above => "above",
        }
    }
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
        let (id, metric) = (cells.required_text("id"), read_metric(cells));
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
        has_a_name_of_its_own(&rule, cells);
        watches_one(&rule, cells);
        has_one_window(&rule, cells);
        suits_its_metric(&rule, cells);
        Some(rule)
    }
}

/// The audit log keeps the state of a rule under its id, beside details of its own; a longer one would be cut.
fn has_a_name_of_its_own(rule: &AlertRule, cells: &mut RowReader<'_>) {
    if ["rows", "rules", "uti"].contains(&rule.id.as_str()) {
        let reason = "is a word of the audit log: call the rule something else";
        cells.problem("id", &rule.id, reason);
    }
    if rule.id.len() > MOST_ID_BYTES {
        let reason = format!("has more than {MOST_ID_BYTES} bytes");
        cells.problem("id", &rule.id, reason);
    }
}

fn watches_one(rule: &AlertRule, cells: &mut RowReader<'_>) {
    if rule.model.is_some() == rule.pipeline.is_some() {
        let reason = "name a model or a pipeline, one of the two";
        cells.problem("model", &rule.id, reason);
    }
}

fn has_one_window(rule: &AlertRule, cells: &mut RowReader<'_>) {
    if rule.window_rows.is_some() == rule.window_s.is_some() {
        let reason = "give window_rows or window_s, one of the two";
        cells.problem("window_rows", &rule.id, reason);
    }
    for (column, size) in [
        ("window_rows", rule.window_rows),
        ("window_s", rule.window_s),
    ] {
        if size == Some(0) {
            cells.problem(column, "0", "must be at least 1");
        }
    }
    if let (Some(least), Some(window)) = (rule.min_rows, rule.window_rows)
        && least > window
    {
        let reason = format!("no window of {window} rows has so many");
        cells.problem("min_rows", &least.to_string(), reason);
    }
}

fn suits_its_metric(rule: &AlertRule, cells: &mut RowReader<'_>) {
    let metric = &rule.metric;
    match &rule.column {
        None if metric.needs_column() => {
            let reason = format!("`{metric}` is of one column: name it");
            cells.problem("column", &rule.id, reason);
        }
        Some(column) if metric.is_computed() && !metric.needs_column() => {
            let reason = format!("`{metric}` is not of one column");
            cells.problem("column", column, reason);
        }
        Some(_) | None => {}
    }
    if metric.is_computed() && rule.model.is_none() && rule.pipeline.is_some() {
        let reason = "is computed from the rows of a model: name a model, not a pipeline";
        cells.problem("metric", metric.as_str(), reason);
    }
    if let Some(confidence) = rule.confidence
        && !metric.has_interval()
    {
        let reason = format!("the confidence of `{metric}` is not known: leave it out");
        cells.problem("confidence", &confidence.to_string(), reason);
    }
    if let Some(expected) = metric.out_of_range(rule.threshold) {
        let reason = format!("`{metric}` is {expected}");
        cells.problem("threshold", &rule.threshold.to_string(), reason);
    }
}

fn read_metric(cells: &mut RowReader<'_>) -> Option<Metric> {
    let text = cells.required_text("metric")?;
    match text.parse() {
        Ok(metric) => Some(metric),
        Err(why) => {
            let why: NotAMetric = why;
            let mut problem = Problem::new(why.to_string()).text(&text);
            problem.nearest = why.nearest().map(str::to_owned);
            cells.push("metric", problem);
            None
        }
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
    if !(0.5..1.0).contains(&confidence) {
        cells.problem(
            "confidence",
            &confidence.to_string(),
            "must be from 0.5 to less than 1",
        );
    }
    Some(confidence)
}
