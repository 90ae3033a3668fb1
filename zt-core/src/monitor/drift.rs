//! How far a column has moved from the reference data: the population stability index over deciles of the reference.
//!
//! In: a column of the reference, then the same column of a window. Out: a [`Measurement`]; 0 for the same shares, and
//! never negative. Missing cells are dropped on both sides; infinite ones fall into the outer bins.
//!
//! PSI = Σ (q − p) ln(q ÷ p) over ten bins, p and q the shares of reference and window (Siddiqi, "Credit Risk Scorecards",
//! Wiley 2006), a share of 0 replaced by 0.0001. The bins' edges are the quantiles of type 7 at i ÷ 10 (Hyndman and Fan,
//! "Sample quantiles in statistical packages", The American Statistician 50 (1996), 361-365), equal ones merged, the outer
//! ones open; a value on an edge belongs to the bin above.

use super::{Measurement, NoData, count, float};

/// What stands for a share of 0, whose logarithm there is not.
const LEAST_SHARE: f64 = 1e-4;

/// Ten bins, or fewer where values repeat.
const BINS: usize = 10;

/// A reference column as bins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Deciles {
    /// The edges between bins, rising.
    edges: Vec<f64>,
    /// The share of the reference in each bin.
    shares: Vec<f64>,
}

impl Deciles {
    /// The bins of a reference column; `None` if it has no value.
    pub(super) fn of(reference: &[Option<f64>]) -> Option<Self> {
        let mut values: Vec<f64> = present(reference).collect();
        if values.is_empty() {
            return None;
        }
        values.sort_unstable_by(f64::total_cmp);
        let mut edges: Vec<f64> = (1..BINS)
            .filter_map(|tenth| quantile(&values, tenth))
            .collect();
        #[expect(clippy::float_cmp, reason = "only equal edges make an empty bin")]
        edges.dedup_by(|one, other| one == other);
        let shares = shares(&edges, values.into_iter()).0;
        Some(Self { edges, shares })
    }

    /// The population stability index of a window.
    pub(super) fn psi(&self, window: &[Option<f64>]) -> Result<Measurement, NoData> {
        let (shares, rows) = shares(&self.edges, present(window));
        match (window.is_empty(), rows) {
            (true, _) => Err(NoData::EmptyWindow),
            (false, 0) => Err(NoData::AllNull),
            (false, _) => {
                let both = self.shares.iter().zip(&shares);
                let psi = both.map(|(p, q)| (q - p) * (q / p).ln()).sum();
                Ok(Measurement::new(psi, rows))
            }
        }
    }
}

/// PSI over the deciles of the reference, `psi/reference-deciles`: 0 for the same shares, never negative.
///
/// ```
/// let before: Vec<_> = (0..100).map(|value| Some(f64::from(value))).collect();
/// let after: Vec<_> = (50..150).map(|value| Some(f64::from(value))).collect();
/// assert_eq!(zt_core::monitor::psi(&before, &before)?.value, 0.0);
/// assert!(zt_core::monitor::psi(&before, &after)?.value > 0.2);
/// # Ok::<(), zt_core::monitor::NoData>(())
/// ```
///
/// # Errors
/// The reference or the window has no value.
pub fn psi(reference: &[Option<f64>], window: &[Option<f64>]) -> Result<Measurement, NoData> {
    Deciles::of(reference)
        .ok_or(NoData::NoReference)?
        .psi(window)
}

fn present(cells: &[Option<f64>]) -> impl Iterator<Item = f64> {
    cells
        .iter()
        .copied()
        .flatten()
        .filter(|value| !value.is_nan())
}

/// The quantile of type 7 at `tenth` ÷ 10 of values in order: rank (n − 1) × tenth ÷ 10, from 0, in whole numbers, so that
/// no rounding moves an edge off a value. `None` between the two infinities, where there is no middle.
fn quantile(values: &[f64], tenth: usize) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    let tenths = last.checked_mul(tenth)?;
    let (rank, rest) = (tenths / BINS, tenths % BINS);
    let low = *values.get(rank)?;
    let high = values.get(rank + 1).copied().unwrap_or(low);
    #[expect(clippy::float_cmp, reason = "between equal values there is nothing")]
    if rest == 0 || low == high {
        return Some(low);
    }
    let tenths_above = float(count(rest));
    let between = low + (high - low) * tenths_above / 10.0;
    if between.is_finite() {
        return Some(between);
    }
    // The difference of two huge values is no number, their weighted mean is.
    let mean = low / 10.0 * (10.0 - tenths_above) + high / 10.0 * tenths_above;
    (!mean.is_nan()).then_some(mean)
}

/// The share of values in each bin, never 0, and how many values there are.
fn shares(edges: &[f64], values: impl Iterator<Item = f64>) -> (Vec<f64>, u64) {
    let mut counts = vec![0_u64; edges.len() + 1];
    let mut rows = 0;
    for value in values {
        rows += 1;
        let bin = edges.partition_point(|edge| *edge <= value);
        if let Some(count) = counts.get_mut(bin) {
            *count += 1;
        }
    }
    let share = |count: u64| match count {
        0 => LEAST_SHARE,
        count => float(count) / float(rows),
    };
    (counts.into_iter().map(share).collect(), rows)
}

#[cfg(test)]
mod tests;
