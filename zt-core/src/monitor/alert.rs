//! What comes out: the state of every rule that was looked at, and an alert for each that fired.

use std::fmt;

use serde::{Serialize, Serializer};

use super::{Metric, RuleState, Window};
use crate::clock::Timestamp;
use crate::metadata::{AlertRule, Fires};
use crate::text::shown;

/// A rule that fired, ready for a sink. It holds numbers about rows, never a row.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Alert {
    /// When it fired.
    #[serde(serialize_with = "as_text")]
    pub at: Timestamp,
    /// The row of Alert_Rules.
    pub rule: String,
    /// The model watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The job watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<u32>,
    /// The metric.
    pub metric: Metric,
    /// The column, for metrics of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The value.
    pub value: f64,
    /// Its bound towards the threshold, where the rule has a confidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound: Option<f64>,
    /// The rule's confidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// Which side of the threshold fires.
    #[serde(serialize_with = "as_side")]
    pub fires: Fires,
    /// The threshold.
    pub threshold: f64,
    /// The rows that counted.
    pub rows: u64,
    /// Which window of the batch it was, from 0; none for reported values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<u64>,
    /// Azure Monitor's severity: 0 is critical, 4 is verbose.
    pub severity: u32,
    /// Azure Monitor's action group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action_group: Option<String>,
    /// The version of the snapshot that the rule stands in.
    pub snapshot: u64,
}

impl Alert {
    /// `None` unless the rule fired.
    fn of(rule: &AlertRule, evaluated: &Evaluated, at: Timestamp, snapshot: u64) -> Option<Self> {
        let RuleState::Fired { value, bound, rows } = evaluated.state else {
            return None;
        };
        Some(Self {
            at,
            rule: rule.id.clone(),
            model: rule.model.clone(),
            pipeline: rule.pipeline,
            metric: rule.metric.clone(),
            column: rule.column.clone(),
            value,
            bound,
            confidence: rule.confidence,
            fires: rule.fires,
            threshold: rule.threshold,
            rows,
            window: evaluated.window.map(|window| window.index),
            severity: rule.severity,
            action_group: rule.action_group.clone(),
            snapshot,
        })
    }
}

/// The state of one rule in one window.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Evaluated {
    /// The row of Alert_Rules.
    pub rule: String,
    /// Its metric.
    pub metric: Metric,
    /// The column, for metrics of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The rows looked at; none for reported values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// What the rule says.
    #[serde(flatten)]
    pub state: RuleState,
}

impl Evaluated {
    pub(super) fn new(rule: &AlertRule, window: Option<Window>, state: RuleState) -> Self {
        Self {
            rule: rule.id.clone(),
            metric: rule.metric.clone(),
            column: rule.column.clone(),
            window,
            state,
        }
    }
}

/// `AL-01 accuracy, window 1: fired 0.9146`.
impl fmt::Display for Evaluated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", shown(&self.rule), self.metric)?;
        if let Some(column) = &self.column {
            write!(f, " of {}", shown(column))?;
        }
        if let Some(window) = self.window {
            write!(f, ", window {}", window.index)?;
        }
        write!(f, ": {}", self.state)
    }
}

/// The states of all rules of a model or a job on what was reported, and the alerts. Prints one line for each state.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Evaluation {
    /// When it was made.
    #[serde(serialize_with = "as_text")]
    pub at: Timestamp,
    /// The version of the snapshot that the rules stand in.
    pub snapshot: u64,
    states: Vec<Evaluated>,
    alerts: Vec<Alert>,
}

impl Evaluation {
    pub(crate) fn new(
        at: Timestamp,
        snapshot: u64,
        evaluated: Vec<(&AlertRule, Evaluated)>,
    ) -> Self {
        let alerts = evaluated
            .iter()
            .filter_map(|(rule, evaluated)| Alert::of(rule, evaluated, at, snapshot));
        Self {
            at,
            snapshot,
            alerts: alerts.collect(),
            states: evaluated.into_iter().map(|(_, state)| state).collect(),
        }
    }

    /// Every rule in every window, in the order of the rules. Empty when no rule watches what was reported.
    #[must_use]
    pub fn states(&self) -> &[Evaluated] {
        &self.states
    }

    /// The rules that fired.
    #[must_use]
    pub fn alerts(&self) -> &[Alert] {
        &self.alerts
    }
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.states.is_empty() {
            return f.write_str("no rule watches this");
        }
        for (at, state) in self.states.iter().enumerate() {
            let line = if at == 0 { "" } else { "\n" };
            write!(f, "{line}{state}")?;
        }
        Ok(())
    }
}

fn as_text<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands fields by reference"
)]
fn as_side<S: Serializer>(fires: &Fires, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(fires.as_str())
}
