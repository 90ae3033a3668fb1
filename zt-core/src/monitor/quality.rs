//! How good predictions are, and how complete a column is.
//!
//! In: cells of one window. Out: a [`Measurement`]. Rows without a label, because labels arrive later, or without a
//! prediction or score do not count; how many did count is told. The order of the rows does not matter.
//!
//! Accuracy and ROC as in Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27 (2006), 861-874.
//! The area by ranks, ties at half, is the statistic of Mann and Whitney: Hanley and McNeil, "The meaning and use of the
//! area under a receiver operating characteristic (ROC) curve", Radiology 143 (1982), 29-36.

use super::{Measurement, NoData, count, float};
use crate::batch::Column;

/// Accuracy: the share of rows whose prediction equals the label.
///
/// ```
/// let found = zt_core::monitor::accuracy(&[Some(1.0), Some(0.0), Some(1.0)], &[Some(1.0), Some(1.0), None])?;
/// assert_eq!((found.value, found.rows), (0.5, 2));
/// # Ok::<(), zt_core::monitor::NoData>(())
/// ```
///
/// # Errors
/// No row has both.
pub fn accuracy(
    predictions: &[Option<f64>],
    labels: &[Option<f64>],
) -> Result<Measurement, NoData> {
    let (mut rows, mut equal) = (0, 0);
    for (prediction, label) in pairs(predictions, labels) {
        rows += 1;
        #[expect(clippy::float_cmp, reason = "classes are equal or they are not")]
        let hit = prediction == label;
        equal += u64::from(hit);
    }
    if rows == 0 {
        return Err(nothing(labels.len()));
    }
    Ok(Measurement::new(float(equal) / float(rows), rows))
}

/// ROC AUC: the chance that a row of label 1 scores above one of label 0, ties at half. A label over 0.5 counts as 1.
///
/// ```
/// let scores = [Some(0.9), Some(0.4), Some(0.4), Some(0.1)];
/// let found = zt_core::monitor::roc_auc(&scores, &[Some(1.0), Some(1.0), Some(0.0), Some(0.0)])?;
/// assert_eq!(found.value, 0.875);
/// # Ok::<(), zt_core::monitor::NoData>(())
/// ```
///
/// # Errors
/// No row has both, or all rows have one label.
pub fn roc_auc(scores: &[Option<f64>], labels: &[Option<f64>]) -> Result<Measurement, NoData> {
    let mut rows: Vec<(f64, bool)> = pairs(scores, labels)
        .map(|(score, label)| (score, label > 0.5))
        .collect();
    if rows.is_empty() {
        return Err(nothing(labels.len()));
    }
    rows.sort_unstable_by(|(one, _), (other, _)| one.total_cmp(other));
    // Whole numbers throughout: twice the rank of a tie is whole, so the sum is exact and needs no order.
    let (mut twice_ranks, mut positive, mut before) = (0_u128, 0_u64, 0_u64);
    #[expect(clippy::float_cmp, reason = "a tie is exact equality")]
    for tie in rows.chunk_by(|(one, _), (other, _)| one == other) {
        let size = count(tie.len());
        let hits = count(tie.iter().filter(|(_, label)| *label).count());
        // Ranks from 1: the mean of before + 1 and before + size, twice.
        twice_ranks += u128::from(hits) * u128::from(2 * before + size + 1);
        positive += hits;
        before += size;
    }
    let negative = before - positive;
    if positive == 0 || negative == 0 {
        return Err(NoData::OneClass);
    }
    let least = u128::from(positive) * (u128::from(positive) + 1);
    let twice_wins = twice_ranks - least;
    let twice_pairs = 2 * u128::from(positive) * u128::from(negative);
    #[expect(
        clippy::cast_precision_loss,
        reason = "a ratio, as near as binary64 is"
    )]
    let area = twice_wins as f64 / twice_pairs as f64;
    Ok(Measurement::new(area, before).with_classes(positive, negative))
}

/// Null rate: the share of missing cells. NaN in a column of numbers counts as missing.
///
/// # Errors
/// There are no cells.
pub fn null_rate(column: &Column) -> Result<Measurement, NoData> {
    missing_share(&column.missing())
}

/// The share of what is missing.
pub(super) fn missing_share(missing: &[bool]) -> Result<Measurement, NoData> {
    let rows = count(missing.len());
    if rows == 0 {
        return Err(NoData::EmptyWindow);
    }
    let nulls = count(missing.iter().filter(|missing| **missing).count());
    Ok(Measurement::new(float(nulls) / float(rows), rows))
}

fn pairs<'a>(
    one: &'a [Option<f64>],
    other: &'a [Option<f64>],
) -> impl Iterator<Item = (f64, f64)> + 'a {
    one.iter()
        .zip(other)
        .filter_map(|(one, other)| (*one).zip(*other))
        .filter(|(one, other)| !one.is_nan() && !other.is_nan())
}

const fn nothing(rows: usize) -> NoData {
    if rows == 0 {
        NoData::EmptyWindow
    } else {
        NoData::AllNull
    }
}

#[cfg(test)]
mod tests;
