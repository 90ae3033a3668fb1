//! Whether a rule fires on a measurement.
//!
//! In: a row of Alert_Rules, the window that was looked at, a [`Measurement`] or the reason why there is none. Out: a
//! [`RuleState`]. A value exactly at the threshold does not fire. What cannot be compared is [`RuleState::NoData`], never
//! fine and never fired.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::confidence::{Side, hanley_mcneil, wilson};
use super::{Measurement, Metric, NoData};
use crate::metadata::{AlertRule, Fires};

/// What a rule says about one window.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[non_exhaustive]
#[must_use = "a rule that nobody looks at alerts nobody"]
pub enum RuleState {
    /// The threshold is not crossed, or not with the rule's confidence.
    #[non_exhaustive]
    Ok {
        /// The value.
        value: f64,
        /// Its bound towards the threshold, where the rule has a confidence.
        #[serde(skip_serializing_if = "Option::is_none")]
        bound: Option<f64>,
        /// The rows that counted.
        rows: u64,
    },
    /// The threshold is crossed, by the bound too where the rule has a confidence.
    #[non_exhaustive]
    Fired {
        /// The value.
        value: f64,
        /// Its bound towards the threshold, where the rule has a confidence.
        #[serde(skip_serializing_if = "Option::is_none")]
        bound: Option<f64>,
        /// The rows that counted.
        rows: u64,
    },
    /// There is no answer.
    #[non_exhaustive]
    NoData {
        /// Why.
        reason: NoData,
    },
}

impl RuleState {
    /// Whether the rule fired.
    #[must_use]
    pub const fn is_fired(&self) -> bool {
        match self {
            Self::Fired { .. } => true,
            Self::Ok { .. } | Self::NoData { .. } => false,
        }
    }

    /// The value, if there is one.
    #[must_use]
    pub const fn value(&self) -> Option<f64> {
        match self {
            Self::Ok { value, .. } | Self::Fired { value, .. } => Some(*value),
            Self::NoData { .. } => None,
        }
    }

    /// Why there is no answer, if there is none.
    #[must_use]
    pub const fn no_data(&self) -> Option<&NoData> {
        match self {
            Self::Ok { .. } | Self::Fired { .. } => None,
            Self::NoData { reason } => Some(reason),
        }
    }
}

/// `fired 0.9146`, `ok 0.941`, `no_data: not reported`.
impl fmt::Display for RuleState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok { value, .. } => write!(f, "ok {value}"),
            Self::Fired { value, .. } => write!(f, "fired {value}"),
            Self::NoData { reason } => write!(f, "no_data: {reason}"),
        }
    }
}

/// How large the window is that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Extent {
    /// Its rows, those that do not count included.
    pub rows: u64,
    /// How long it lasted, where that is known.
    pub lasting: Option<Duration>,
}

impl Extent {
    /// A window of this many rows.
    #[must_use]
    pub const fn of(rows: u64) -> Self {
        Self {
            rows,
            lasting: None,
        }
    }

    /// The same that lasted so long.
    #[must_use]
    pub const fn lasting(mut self, duration: Duration) -> Self {
        self.lasting = Some(duration);
        self
    }
}

/// What the rule says about a measurement over a window.
///
/// With a `confidence` the rule fires only when the one-sided bound of the value at that confidence is beyond the threshold
/// too: Wilson's score bound for `accuracy` and `null_rate`, Hanley and McNeil's standard error for `roc_auc`.
pub fn evaluate(
    rule: &AlertRule,
    window: Extent,
    measured: &Result<Measurement, NoData>,
) -> RuleState {
    match compare(rule, window, measured) {
        Ok(state) => state,
        Err(reason) => RuleState::NoData { reason },
    }
}

fn compare(
    rule: &AlertRule,
    window: Extent,
    measured: &Result<Measurement, NoData>,
) -> Result<RuleState, NoData> {
    is_the_rules(rule, window)?;
    let measurement = measured.clone()?;
    if window.rows == 0 || measurement.rows == 0 {
        return Err(NoData::EmptyWindow);
    }
    if let Some(needs) = rule.min_rows
        && measurement.rows < u64::from(needs)
    {
        let rows = measurement.rows;
        return Err(NoData::FewRows { rows, needs });
    }
    let (value, rows) = (measurement.value, measurement.rows);
    if !value.is_finite() {
        return Err(NoData::NotFinite);
    }
    let bound = bound(rule, measurement)?;
    let is_beyond = |value: f64| match rule.fires {
        Fires::Below => value < rule.threshold,
        Fires::Above => value > rule.threshold,
    };
    Ok(if is_beyond(value) && bound.is_none_or(is_beyond) {
        RuleState::Fired { value, bound, rows }
    } else {
        RuleState::Ok { value, bound, rows }
    })
}

/// A rule of rows takes windows of at most that many; how few it takes, `min_rows` says. A rule of seconds takes its own.
fn is_the_rules(rule: &AlertRule, window: Extent) -> Result<(), NoData> {
    let other = |needs: String, is: String| Err(NoData::OtherWindow { needs, is });
    if let Some(rows) = rule.window_rows
        && window.rows > u64::from(rows)
    {
        return other(format!("{rows} rows"), format!("{} rows", window.rows));
    }
    if let Some(seconds) = rule.window_s {
        let needs = format!("{seconds} s");
        match window.lasting {
            None => return other(needs, "no duration".to_owned()),
            Some(lasting) if lasting != Duration::from_secs(u64::from(seconds)) => {
                return other(needs, format!("{} s", lasting.as_secs_f64()));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// The bound towards the threshold: what fires below must be below even at its highest.
fn bound(rule: &AlertRule, measurement: Measurement) -> Result<Option<f64>, NoData> {
    let Some(confidence) = rule.confidence else {
        return Ok(None);
    };
    let side = match rule.fires {
        Fires::Below => Side::Upper,
        Fires::Above => Side::Lower,
    };
    let (value, rows) = (measurement.value, measurement.rows);
    let bound = match &rule.metric {
        Metric::Accuracy | Metric::NullRate => wilson(value, rows, confidence, side),
        Metric::RocAuc => {
            let classes = measurement.classes.ok_or(NoData::NoClasses)?;
            if classes.positive == 0 || classes.negative == 0 {
                return Err(NoData::OneClass);
            }
            hanley_mcneil(value, classes, confidence, side)
        }
        // The table refuses a confidence for these: nobody knows their interval.
        Metric::Psi | Metric::Reported(_) => return Ok(None),
    };
    Ok(Some(bound))
}

#[cfg(test)]
mod tests;
