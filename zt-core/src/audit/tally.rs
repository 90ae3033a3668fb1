//! A counter for one record that repeats: counting takes a few atomic steps and builds nothing.
//!
//! In: the record, once, then moments. Out: with the log's other counted records, how often and when first and last. What
//! was counted is written; once the log is closed nothing is counted any more, and the caller learns it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use super::Record;
use super::record::Count;
use crate::clock::Timestamp;
use crate::process;

/// Set while the log is closed. In one word with the count, so that no repeat slips in between.
const CLOSED: u64 = 1 << 63;

/// A record that may repeat, known to one log: see [`AuditLog::tally`](super::AuditLog::tally). Cheap to clone.
#[derive(Clone)]
pub struct Tally(Arc<Inner>);

struct Inner {
    /// Whose log writes it.
    process: u64,
    record: Record,
    made: i64,
    count: AtomicU64,
    first: AtomicI64,
    last: AtomicI64,
}

impl Tally {
    pub(super) fn new(record: Record) -> Self {
        Self(Arc::new(Inner {
            process: process::generation(),
            made: record.at().as_millis(),
            record,
            count: AtomicU64::new(0),
            first: AtomicI64::new(i64::MAX),
            last: AtomicI64::new(i64::MIN),
        }))
    }

    /// False in a forked child: the parent's log writes it, and would never see what is counted here.
    pub(super) fn is_of_this_process(&self) -> bool {
        self.0.process == process::generation()
    }

    /// Counts one; whether it will be written.
    pub(super) fn add(&self, at: Timestamp) -> bool {
        let (first, last, at) = (&self.0.first, &self.0.last, at.as_millis());
        // Most repeats change neither, and a look is cheaper than a change.
        if at < first.load(Ordering::Relaxed) {
            first.fetch_min(at, Ordering::Relaxed);
        }
        if at > last.load(Ordering::Relaxed) {
            last.fetch_max(at, Ordering::Relaxed);
        }
        let one_more = |count: u64| (count & CLOSED == 0).then_some(count.saturating_add(1));
        self.0
            .count
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more)
            .is_ok()
    }

    /// The record as if it had been built at this moment.
    pub(super) fn record(&self, at: Timestamp) -> Record {
        self.0.record.clone().moved(at)
    }

    /// What was counted since the last time.
    pub(super) fn take(&self) -> Option<(Record, Count)> {
        let count = self.0.count.fetch_and(CLOSED, Ordering::AcqRel) & !CLOSED;
        if count == 0 {
            return None;
        }
        let first = self.0.first.swap(i64::MAX, Ordering::Relaxed);
        let last = self.0.last.swap(i64::MIN, Ordering::Relaxed);
        // A repeat that is being counted just now may have taken its moment along.
        let (first, last) = match (first, last) {
            (i64::MAX, i64::MIN) => (self.0.made, self.0.made),
            (i64::MAX, last) => (last, last),
            (first, i64::MIN) => (first, first),
            both => both,
        };
        let (first, last) = (Timestamp::from_millis(first), Timestamp::from_millis(last));
        let record = self.record(first);
        Some((record, Count { count, first, last }))
    }

    pub(super) fn close(&self) {
        self.0.count.fetch_or(CLOSED, Ordering::AcqRel);
    }

    pub(super) fn reopen(&self) {
        self.0.count.fetch_and(!CLOSED, Ordering::AcqRel);
    }

    /// Whether nobody else holds it: then nothing more will be counted.
    pub(super) fn is_abandoned(&mut self) -> bool {
        Arc::get_mut(&mut self.0).is_some()
    }
}

impl fmt::Debug for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tally").field(&self.0.record).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::audit::{Kind, Outcome};

    fn tally() -> Tally {
        let at = Timestamp::from_millis(5);
        Tally::new(Record::new(
            Kind::Decision,
            at,
            "a.b",
            "c:d",
            Outcome::Allow,
        ))
    }

    #[test]
    fn what_is_counted_while_it_is_taken_and_closed_is_taken_or_refused() {
        let tally = tally();
        let counting = |tally: Tally| {
            move || {
                (0..10_000_i64)
                    .filter(|at| tally.add(Timestamp::from_millis(*at)))
                    .count() as u64
            }
        };
        let threads: Vec<_> = (0..4)
            .map(|_| thread::spawn(counting(tally.clone())))
            .collect();
        let mut taken = 0;
        for _ in 0..100 {
            taken += tally.take().map_or(0, |(_, count)| count.count);
        }
        tally.close();
        taken += tally.take().map_or(0, |(_, count)| count.count);
        let added: u64 = threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum();
        assert_eq!(taken, added);
        assert!(!tally.add(Timestamp::from_millis(1)) && tally.take().is_none());
        tally.reopen();
        assert!(tally.add(Timestamp::from_millis(1)) && tally.take().is_some());
    }

    #[test]
    fn first_and_last_are_the_moments_of_the_repeats() {
        let tally = tally();
        for at in [30, 10, 20] {
            assert!(tally.add(Timestamp::from_millis(at)));
        }
        let (record, count) = tally.take().unwrap();
        assert_eq!(
            (count.count, count.first.as_millis(), count.last.as_millis()),
            (3, 10, 30)
        );
        assert_eq!(record.at().as_millis(), 10);
        assert!(tally.take().is_none());
    }
}
