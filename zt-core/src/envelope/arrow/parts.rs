//! The same work on many parts, side by side where that pays.

use std::num::NonZero;
use std::ops::Range;
use std::thread;

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
pub(super) fn each<T: Sync, R: Send>(
    all: &[T],
    cells: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = threads.min(all.len()).min(cells / LEAST);
    if threads < 2 {
        return all.iter().map(work).collect();
    }
    let work = &work;
    thread::scope(|scope| {
        let parts = all.chunks(all.len().div_ceil(threads));
        let started: Vec<_> = parts
            .map(|part| scope.spawn(move || part.iter().map(work).collect::<Vec<R>>()))
            .collect();
        let done = started.into_iter().flat_map(|thread| {
            // A panic goes on where it would have without threads.
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        done.collect()
    })
}
