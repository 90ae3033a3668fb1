//! A column in parts, which are worked on side by side where that pays.

use std::ops::Range;

use crate::envelope::workers;

/// So many rows of a column are one part.
const PART: usize = 32_768;
/// Fewer cells than these are not worth a thread.
const LEAST: usize = 16_384;

/// The rows of a column in parts; one part without rows if there are none.
pub(super) fn of(rows: usize) -> impl Iterator<Item = Range<usize>> {
    let parts = rows.div_ceil(PART).max(1);
    (0..parts).map(move |part| part * PART..((part + 1) * PART).min(rows))
}

/// Does the same to each, in order.
pub(super) fn each<T: Send, R: Send>(
    all: Vec<T>,
    cells: usize,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    workers::each(all, cells / LEAST, work)
}
