//! Rows of data to the state of every rule: which columns a rule needs, and its windows.
//!
//! In: a model's row and rules, a batch, the prepared reference. Out: the state of each rule in each of its windows. All
//! columns are read before anything is evaluated, so that a batch is taken whole or refused whole.

use std::borrow::Cow;
use std::ops::Range;

use super::reference::Reference;
use super::window::windows;
use super::{Evaluated, Extent, Measurement, Metric, NoData, drift, evaluate, quality};
use crate::batch::{Batch, Column};
use crate::error::{Code, Error};
use crate::metadata::{AlertRule, MlModel};
use crate::text::shown;

/// The columns that rules compare with the reference data.
pub(crate) fn drift_columns<'a>(rules: &[&'a AlertRule]) -> Vec<&'a str> {
    let of_drift = rules.iter().filter(|rule| rule.metric == Metric::Psi);
    of_drift.filter_map(|rule| rule.column.as_deref()).collect()
}

/// The state of every rule whose metric is computed, in each window of its `window_rows`.
///
/// # Errors
/// `Invalid` for a column that the batch lacks, with the nearest name, and for a cell that is no number, with its row.
pub(crate) fn evaluate_batch<'a>(
    model: &MlModel,
    rules: &[&'a AlertRule],
    batch: &Batch,
    reference: &Reference,
) -> Result<Vec<(&'a AlertRule, Evaluated)>, Error> {
    let mut inputs = Vec::with_capacity(rules.len());
    for rule in rules {
        if let Some(input) = Input::of(rule, model, batch, reference)? {
            inputs.push((*rule, input));
        }
    }
    if let Some((rule, count)) = inputs.iter().find_map(|(rule, _)| too_many(rule, batch)) {
        return Err(flood(rule, count));
    }
    let mut evaluated = Vec::new();
    for (rule, input) in inputs {
        for (window, range) in windows(batch.rows(), rule.window_rows) {
            let state = evaluate(rule, Extent::of(window.rows), &input.measure(range));
            evaluated.push((rule, Evaluated::new(rule, Some(window), state)));
        }
    }
    Ok(evaluated)
}

type Numbers<'a> = Cow<'a, [Option<f64>]>;

/// The columns that a metric is computed from.
enum Input<'a> {
    Accuracy {
        predictions: Numbers<'a>,
        labels: Numbers<'a>,
    },
    RocAuc {
        scores: Numbers<'a>,
        labels: Numbers<'a>,
    },
    Psi {
        values: Numbers<'a>,
        reference: Option<&'a drift::Deciles>,
    },
    NullRate {
        missing: Vec<bool>,
    },
}

impl<'a> Input<'a> {
    /// `None` for a metric that only a report can give.
    fn of(
        rule: &AlertRule,
        model: &MlModel,
        batch: &'a Batch,
        reference: &'a Reference,
    ) -> Result<Option<Self>, Error> {
        let named = |name: Option<&str>, what: &str| -> Result<&'a Column, Error> {
            let name = name.ok_or_else(|| unnamed(rule, what))?;
            batch.require(name).map_err(|why| missing(rule, why.into()))
        };
        let numbers = |name: Option<&str>, what: &str| -> Result<Numbers<'a>, Error> {
            Ok(named(name, what)?.numbers()?)
        };
        Ok(Some(match &rule.metric {
            Metric::Accuracy => Self::Accuracy {
                predictions: numbers(model.prediction.as_deref(), "prediction")?,
                labels: numbers(model.label.as_deref(), "label")?,
            },
            Metric::RocAuc => {
                let column = named(model.label.as_deref(), "label")?;
                let labels = column.numbers()?;
                binary(column, &labels)?;
                Self::RocAuc {
                    scores: numbers(model.score.as_deref(), "score")?,
                    labels,
                }
            }
            Metric::Psi => Self::Psi {
                values: numbers(rule.column.as_deref(), "column")?,
                reference: rule.column.as_deref().and_then(|name| reference.of(name)),
            },
            Metric::NullRate => Self::NullRate {
                missing: named(rule.column.as_deref(), "column")?.missing(),
            },
            Metric::Reported(_) => return Ok(None),
        }))
    }

    fn measure(&self, rows: Range<usize>) -> Result<Measurement, NoData> {
        match self {
            Self::Accuracy {
                predictions,
                labels,
            } => quality::accuracy(cut(predictions, &rows), cut(labels, &rows)),
            Self::RocAuc { scores, labels } => {
                quality::roc_auc(cut(scores, &rows), cut(labels, &rows))
            }
            Self::Psi { values, reference } => match reference {
                Some(deciles) => deciles.psi(cut(values, &rows)),
                None => Err(NoData::NoReference),
            },
            Self::NullRate { missing } => {
                quality::missing_share(missing.get(rows).unwrap_or_default())
            }
        }
    }
}

fn cut<'n>(numbers: &'n Numbers<'_>, rows: &Range<usize>) -> &'n [Option<f64>] {
    numbers.get(rows.clone()).unwrap_or_default()
}

/// A ranking knows two classes. The message names the row and not the cell, which may be somebody's data.
fn binary(column: &Column, labels: &[Option<f64>]) -> Result<(), Error> {
    #[expect(clippy::float_cmp, reason = "a label is 0 or 1 or it is not")]
    let is_class = |label: f64| label == 0.0 || label == 1.0;
    let other = labels
        .iter()
        .position(|label| label.is_some_and(|label| !is_class(label)));
    let Some(row) = other else {
        return Ok(());
    };
    let name = shown(column.name());
    let message = format!("row {} of column `{name}` is neither 0 nor 1", row + 1);
    Err(Error::new(Code::InvalidArgument, message).with_help(
        "`roc_auc` compares two classes: write 1 for the positive one and 0 for the other",
    ))
}

/// So many windows of one rule may be reported at once; each makes a record in the audit log.
const MOST_WINDOWS: usize = 1000;

/// The rule and its windows, if there are more than that.
fn too_many<'a>(rule: &'a AlertRule, batch: &Batch) -> Option<(&'a AlertRule, usize)> {
    let size = usize::try_from(rule.window_rows?).ok()?.max(1);
    let count = batch.rows().div_ceil(size);
    (count > MOST_WINDOWS).then_some((rule, count))
}

fn flood(rule: &AlertRule, count: usize) -> Error {
    let name = shown(&rule.id);
    let message =
        format!("the rows are {count} windows of rule `{name}`, more than {MOST_WINDOWS}");
    Error::new(Code::InvalidArgument, message)
        .with_help("report fewer rows at once, or give the rule larger windows")
}

fn missing(rule: &AlertRule, why: Error) -> Error {
    why.with_help(format!("rule `{}` needs it", shown(&rule.id)))
}

/// The tables are checked for it when they are loaded.
fn unnamed(rule: &AlertRule, what: &str) -> Error {
    let message = format!("rule `{}` has no {what} to look at", shown(&rule.id));
    Error::new(Code::InvalidMetadata, message)
}

#[cfg(test)]
mod tests;
