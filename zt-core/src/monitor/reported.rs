//! Values that a service measured itself: latency, denied decisions, or a metric that it computed over its own rows.

use std::time::Duration;

use super::{Evaluated, Extent, Measurement, Metric, NoData, NotAMetric, evaluate};
use crate::error::{Code, Error};
use crate::metadata::AlertRule;
use crate::text::shown;

/// Values over one window, as a service reports them.
///
/// ```
/// # use std::time::Duration;
/// # use zt_core::monitor::Metrics;
/// let window = Metrics::new(5000)
///     .with("accuracy", 0.9146)
///     .with_column("null_rate", "salary_range", 0.2188)
///     .over(Duration::from_secs(3600));
/// assert_eq!(window.rows(), 5000);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use = "nothing is reported until it is logged"]
pub struct Metrics {
    rows: u64,
    lasting: Option<Duration>,
    classes: Option<(u64, u64)>,
    values: Vec<Value>,
}

#[derive(Debug, Clone, PartialEq)]
struct Value {
    metric: String,
    column: Option<String>,
    value: f64,
}

/// The values cannot be what they are called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum NotMetrics {
    #[error("`{}` is not a metric: {why}{}", shown(name), nearest(*why))]
    Name { name: String, why: NotAMetric },
    #[error("the value of `{metric}` is not {expected}")]
    Range {
        metric: Metric,
        expected: &'static str,
    },
    #[error("`{metric}` is of one column, and none is named")]
    NoColumn { metric: Metric },
    #[error("`{metric}` is not of one column, and `{}` is named", shown(column))]
    Column { metric: Metric, column: String },
    #[error("{positive} and {negative} rows of each class are more than the {rows} of the window")]
    Classes {
        positive: u64,
        negative: u64,
        rows: u64,
    },
    #[error("`{metric}` is reported twice")]
    Repeated { metric: Metric },
}

fn nearest(why: NotAMetric) -> String {
    why.nearest()
        .map(|near| format!("; did you mean `{near}`?"))
        .unwrap_or_default()
}

impl From<NotMetrics> for Error {
    fn from(why: NotMetrics) -> Self {
        Self::new(Code::InvalidArgument, why.to_string())
    }
}

impl Metrics {
    /// No value yet, over a window of this many rows, calls or decisions.
    pub const fn new(rows: u64) -> Self {
        Self {
            rows,
            lasting: None,
            classes: None,
            values: Vec::new(),
        }
    }

    /// Adds a value under the name that Alert_Rules use. NaN says that there was none.
    pub fn with(mut self, metric: impl Into<String>, value: f64) -> Self {
        self.values.push(Value {
            metric: metric.into(),
            column: None,
            value,
        });
        self
    }

    /// Adds a value of one column.
    pub fn with_column(
        mut self,
        metric: impl Into<String>,
        column: impl Into<String>,
        value: f64,
    ) -> Self {
        self.values.push(Value {
            metric: metric.into(),
            column: Some(column.into()),
            value,
        });
        self
    }

    /// Says how many of the rows have the label 1 and the label 0: these count for `roc_auc`, and a rule on it with a
    /// confidence needs them.
    pub const fn with_classes(mut self, positive: u64, negative: u64) -> Self {
        self.classes = Some((positive, negative));
        self
    }

    /// Says how long the window lasted: a rule with `window_s` looks at windows of exactly that length.
    pub const fn over(mut self, duration: Duration) -> Self {
        self.lasting = Some(duration);
        self
    }

    /// The rows of the window.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    fn extent(&self) -> Extent {
        let extent = Extent::of(self.rows);
        match self.lasting {
            Some(lasting) => extent.lasting(lasting),
            None => extent,
        }
    }

    fn classes_fit(&self) -> Result<(), NotMetrics> {
        let rows = self.rows;
        match self.classes {
            Some((positive, negative))
                if positive.checked_add(negative).is_none_or(|sum| sum > rows) =>
            {
                Err(NotMetrics::Classes {
                    positive,
                    negative,
                    rows,
                })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn measurement(&self, metric: &Metric, value: f64) -> Measurement {
        match (metric, self.classes) {
            (Metric::RocAuc, Some((positive, negative))) => {
                let rows = positive.saturating_add(negative);
                Measurement::new(value, rows).with_classes(positive, negative)
            }
            (
                Metric::RocAuc
                | Metric::Accuracy
                | Metric::Psi
                | Metric::NullRate
                | Metric::Reported(_),
                _,
            ) => Measurement::new(value, self.rows),
        }
    }

    /// Every value under its metric.
    fn read(&self) -> Result<Vec<(Metric, &Value)>, NotMetrics> {
        self.classes_fit()?;
        let mut known: Vec<(Metric, &Value)> = Vec::with_capacity(self.values.len());
        for value in &self.values {
            let metric: Metric = value.metric.parse().map_err(|why| NotMetrics::Name {
                name: value.metric.clone(),
                why,
            })?;
            match (&value.column, metric.needs_column()) {
                (None, true) => return Err(NotMetrics::NoColumn { metric }),
                (Some(column), false) if metric.is_computed() => {
                    let column = column.clone();
                    return Err(NotMetrics::Column { metric, column });
                }
                (Some(_) | None, _) => {}
            }
            if let Some(expected) = metric.out_of_range(value.value) {
                return Err(NotMetrics::Range { metric, expected });
            }
            let is_same = |(other, of): &(Metric, &Value)| {
                *other == metric && is_same_column(of.column.as_deref(), value.column.as_deref())
            };
            if known.iter().any(is_same) {
                return Err(NotMetrics::Repeated { metric });
            }
            known.push((metric, value));
        }
        Ok(known)
    }
}

/// Case does not count in names of columns.
fn is_same_column(one: Option<&str>, other: Option<&str>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.to_lowercase() == other.to_lowercase(),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// The state of every rule on what was reported.
///
/// # Errors
/// `Invalid` for a value that is not what it is called.
pub(crate) fn evaluate_metrics<'a>(
    rules: &[&'a AlertRule],
    metrics: &Metrics,
) -> Result<Vec<(&'a AlertRule, Evaluated)>, Error> {
    let known = metrics.read()?;
    let state = |rule: &AlertRule| {
        let value = known.iter().find(|(metric, value)| {
            *metric == rule.metric
                && is_same_column(value.column.as_deref(), rule.column.as_deref())
        });
        let measured = value.ok_or(NoData::NotReported);
        let measured = measured.map(|(metric, value)| metrics.measurement(metric, value.value));
        evaluate(rule, metrics.extent(), &measured)
    };
    let evaluated = rules
        .iter()
        .map(|rule| (*rule, Evaluated::new(rule, None, state(rule))));
    Ok(evaluated.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(metrics: &Metrics) -> String {
        metrics.read().unwrap_err().to_string()
    }

    #[test]
    fn what_is_called_wrong_is_refused_with_the_nearest_name() {
        assert_eq!(
            refusal(&Metrics::new(1).with("acuracy", 0.9)),
            "`acuracy` is not a metric: one letter off a metric that is computed; did you mean `accuracy`?"
        );
        assert_eq!(
            refusal(&Metrics::new(1).with("psi", 0.9)),
            "`psi` is not a metric: no such method of this metric is computed; did you mean `psi/reference-deciles`?"
        );
    }

    #[test]
    fn a_percentage_is_not_a_share() {
        assert_eq!(
            refusal(&Metrics::new(1).with("accuracy", 94.0)),
            "the value of `accuracy` is not a share from 0 to 1"
        );
        assert!(Metrics::new(1).with("accuracy", f64::NAN).read().is_ok());
        assert!(Metrics::new(1).with("latency_ms", -1.0).read().is_ok());
    }

    #[test]
    fn a_column_stands_where_the_metric_has_one() {
        let without = Metrics::new(1).with("null_rate", 0.1);
        assert_eq!(
            refusal(&without),
            "`null_rate` is of one column, and none is named"
        );
        let with = Metrics::new(1).with_column("roc_auc", "score", 0.9);
        assert_eq!(
            refusal(&with),
            "`roc_auc` is not of one column, and `score` is named"
        );
    }

    #[test]
    fn one_value_is_reported_once() {
        let metrics = Metrics::new(1)
            .with_column("null_rate", "a", 0.1)
            .with_column("null_rate", "A", 0.2);
        assert_eq!(refusal(&metrics), "`null_rate` is reported twice");
        let metrics = Metrics::new(1)
            .with_column("null_rate", "a", 0.1)
            .with_column("null_rate", "b", 0.2);
        assert!(metrics.read().is_ok());
    }
}
