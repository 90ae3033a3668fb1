//! What an alert rule looks at: metrics that are computed from rows, and values that a service reports under any name.
//!
//! In: the text of the table, `name` or `name/method`. Out: a [`Metric`]. A metric whose name is computed here has exactly
//! the methods that are computed here, so that one word never means two numbers.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// A metric of Alert_Rules.
///
/// ```
/// use zt_core::monitor::Metric;
/// assert_eq!("psi/reference-deciles".parse(), Ok(Metric::Psi));
/// assert!("latency_p95_ms".parse::<Metric>().is_ok_and(|metric| !metric.is_computed()));
/// let why = "psi/other".parse::<Metric>().unwrap_err();
/// assert_eq!(why.nearest(), Some("psi/reference-deciles"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Metric {
    /// `accuracy`: the share of rows whose prediction equals the label.
    Accuracy,
    /// `roc_auc`: the area under the ROC curve of the score.
    RocAuc,
    /// `psi/reference-deciles`: the population stability index of a column against the reference data.
    Psi,
    /// `null_rate`: the share of missing cells of a column.
    NullRate,
    /// Any other name: a value that a service reports.
    #[non_exhaustive]
    Reported(Arc<str>),
}

/// The longest name, in bytes: it must fit into an audit record uncut.
const MOST_BYTES: usize = 128;

/// The text is not a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAMetric {
    /// Not `name` or `name/method`.
    #[error(
        "expected `name` or `name/method` in lowercase letters, digits and `_`, at most 128 bytes"
    )]
    Malformed,
    /// The name is one that is computed, the method is not.
    #[error("no such method of this metric is computed")]
    #[non_exhaustive]
    Method {
        /// The method that is.
        valid: &'static str,
    },
    /// One letter off a metric that is computed: as a reported value it would stay silent for ever.
    #[error("one letter off a metric that is computed")]
    #[non_exhaustive]
    Misspelt {
        /// That metric.
        valid: &'static str,
    },
}

impl NotAMetric {
    /// The metric that was most likely meant.
    #[must_use]
    pub const fn nearest(&self) -> Option<&'static str> {
        match self {
            Self::Malformed => None,
            Self::Method { valid } | Self::Misspelt { valid } => Some(valid),
        }
    }
}

impl Metric {
    /// The metrics that zt computes from rows, as they are written.
    pub const COMPUTED: &'static [&'static str] =
        &["accuracy", "roc_auc", "psi/reference-deciles", "null_rate"];

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Accuracy => "accuracy",
            Self::RocAuc => "roc_auc",
            Self::Psi => "psi/reference-deciles",
            Self::NullRate => "null_rate",
            Self::Reported(name) => name,
        }
    }

    /// Whether zt computes it from rows; every metric can be reported.
    #[must_use]
    pub const fn is_computed(&self) -> bool {
        match self {
            Self::Accuracy | Self::RocAuc | Self::Psi | Self::NullRate => true,
            Self::Reported(_) => false,
        }
    }

    /// Whether it is a metric of one column.
    #[must_use]
    pub const fn needs_column(&self) -> bool {
        match self {
            Self::Psi | Self::NullRate => true,
            Self::Accuracy | Self::RocAuc | Self::Reported(_) => false,
        }
    }

    /// Whether its confidence bound is known. Each such metric is a share from 0 to 1.
    #[must_use]
    pub const fn has_interval(&self) -> bool {
        match self {
            Self::Accuracy | Self::RocAuc | Self::NullRate => true,
            Self::Psi | Self::Reported(_) => false,
        }
    }

    /// What its values are, where `value` is none of them. NaN passes: it is no data, not a wrong value.
    #[must_use]
    pub fn out_of_range(&self, value: f64) -> Option<&'static str> {
        let (range, is) = match self {
            Self::Accuracy | Self::RocAuc | Self::NullRate => (0.0..=1.0, "a share from 0 to 1"),
            Self::Psi => (0.0..=f64::INFINITY, "0 or more"),
            Self::Reported(_) => return None,
        };
        (!value.is_nan() && !range.contains(&value)).then_some(is)
    }
}

impl FromStr for Metric {
    type Err = NotAMetric;

    fn from_str(text: &str) -> Result<Self, NotAMetric> {
        let computed = [Self::Accuracy, Self::RocAuc, Self::Psi, Self::NullRate];
        if let Some(metric) = computed.into_iter().find(|metric| metric.as_str() == text) {
            return Ok(metric);
        }
        let (name, method) = match text.split_once('/') {
            Some((name, method)) => (name, Some(method)),
            None => (text, None),
        };
        let is_word = |word: &str, more: &str| {
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || more.contains(c);
            !word.is_empty() && word.chars().all(fits)
        };
        if text.len() > MOST_BYTES
            || !is_word(name, "_")
            || !method.is_none_or(|method| is_word(method, "_-"))
        {
            return Err(NotAMetric::Malformed);
        }
        for &valid in Self::COMPUTED {
            if valid.split('/').next() == Some(name) {
                return Err(NotAMetric::Method { valid });
            }
            if strsim::damerau_levenshtein(valid, text) == 1 {
                return Err(NotAMetric::Misspelt { valid });
            }
        }
        Ok(Self::Reported(Arc::from(text)))
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Metric, NotAMetric> {
        text.parse()
    }

    #[test]
    fn every_computed_metric_reads_back() {
        for &text in Metric::COMPUTED {
            let metric = read(text).unwrap();
            assert!(metric.is_computed());
            assert_eq!(metric.to_string(), text);
        }
    }

    #[test]
    fn any_other_word_is_a_reported_value() {
        for text in [
            "latency_p95_ms",
            "denied_decisions",
            "drift/ks",
            "js/base-2",
        ] {
            assert_eq!(read(text), Ok(Metric::Reported(Arc::from(text))));
        }
    }

    #[test]
    fn a_computed_name_has_its_own_methods_alone() {
        for (text, near) in [
            ("psi", "psi/reference-deciles"),
            ("psi/evidently", "psi/reference-deciles"),
            ("accuracy/balanced", "accuracy"),
            ("roc_auc/macro", "roc_auc"),
        ] {
            let why = read(text).unwrap_err();
            assert_eq!(why, NotAMetric::Method { valid: near }, "{text}");
        }
    }

    #[test]
    fn a_slip_of_one_letter_does_not_make_a_silent_rule() {
        for (text, near) in [
            ("acuracy", "accuracy"),
            ("accuarcy", "accuracy"),
            ("rocauc", "roc_auc"),
            ("null_rates", "null_rate"),
        ] {
            assert_eq!(read(text).unwrap_err().nearest(), Some(near), "{text}");
        }
    }

    #[test]
    fn what_is_no_word_is_refused() {
        let long = "a".repeat(129);
        for text in [
            "", "/", "a/", "/a", "Accuracy", "a b", "a/b/c", "a-b", "é", &long,
        ] {
            assert_eq!(read(text), Err(NotAMetric::Malformed), "{text}");
        }
    }
}
