//! Windows: a batch cut into stretches of rows, in row order.

use std::ops::Range;

use serde::Serialize;

use super::count;

/// A stretch of the rows of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[non_exhaustive]
pub struct Window {
    /// Its first row, from 0.
    pub first_row: u64,
    /// How many rows it has.
    pub rows: u64,
    /// Which window of its rule it is, from 0.
    pub index: u64,
}

/// The windows of `size` rows of a batch of `rows`; the last one may be shorter. Without a size, and for no rows, one of all.
pub(super) fn windows(
    rows: usize,
    size: Option<u32>,
) -> impl Iterator<Item = (Window, Range<usize>)> {
    let size = size.and_then(|size| usize::try_from(size).ok());
    let size = size.unwrap_or(rows).max(1);
    let starts = (0..rows.max(1)).step_by(size);
    (0..).zip(starts).map(move |(index, start)| {
        let range = start..rows.min(start.saturating_add(size));
        let window = Window {
            first_row: count(start),
            rows: count(range.len()),
            index,
        };
        (window, range)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first row of each window and the one behind its last.
    fn cut(rows: usize, size: Option<u32>) -> Vec<(usize, usize)> {
        let windows = windows(rows, size);
        windows.map(|(_, range)| (range.start, range.end)).collect()
    }

    #[test]
    fn the_last_window_may_be_shorter() {
        assert_eq!(cut(10, Some(5)), [(0, 5), (5, 10)]);
        assert_eq!(cut(11, Some(5)), [(0, 5), (5, 10), (10, 11)]);
        assert_eq!(cut(3, Some(5)), [(0, 3)]);
        assert_eq!(cut(2, Some(1)), [(0, 1), (1, 2)]);
        let last = windows(11, Some(5)).last().unwrap().0;
        assert_eq!((last.index, last.first_row, last.rows), (2, 10, 1));
    }

    #[test]
    fn no_rows_are_one_empty_window_and_no_size_is_all() {
        assert_eq!(cut(0, Some(5)), [(0, 0)]);
        assert_eq!(cut(0, None), [(0, 0)]);
        assert_eq!(cut(7, None), [(0, 7)]);
    }
}
