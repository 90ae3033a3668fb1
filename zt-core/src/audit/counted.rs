//! Collapses equal records: a flood of the same deny becomes one line per second, and says how many it stands for.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::record::{Count, Repeat};
use super::{Record, Tally};

/// What is counted and not yet written; bounded by the number of its keys.
#[derive(Debug)]
pub(super) struct Counted {
    most: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    repeats: HashMap<Repeat, Count>,
    tallies: Vec<Tally>,
    is_closed: bool,
}

/// Why a record was not counted.
#[derive(Debug)]
pub(super) enum NotCounted {
    /// There is no room for another key.
    Full(Box<Record>),
    /// Nobody would write it any more.
    Closed,
}

impl Counted {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            state: Mutex::default(),
        }
    }

    /// Counts the record. A repeat costs a look and no allocation.
    pub(super) fn add(&self, record: Record) -> Result<(), NotCounted> {
        let at = record.at();
        let key = Repeat(record);
        let mut state = self.lock();
        if state.is_closed {
            return Err(NotCounted::Closed);
        }
        if let Some(count) = state.repeats.get_mut(&key) {
            count.count = count.count.saturating_add(1);
            count.first = count.first.min(at);
            count.last = count.last.max(at);
            return Ok(());
        }
        if state.repeats.len() >= self.most {
            return Err(NotCounted::Full(Box::new(key.0)));
        }
        let once = Count {
            count: 1,
            first: at,
            last: at,
        };
        state.repeats.insert(key, once);
        Ok(())
    }

    /// Counts for this record from now on.
    pub(super) fn tally(&self, record: Record) -> Result<Tally, NotCounted> {
        let mut state = self.lock();
        if state.is_closed {
            return Err(NotCounted::Closed);
        }
        if state.tallies.len() >= self.most {
            return Err(NotCounted::Full(Box::new(record)));
        }
        let tally = Tally::new(record);
        state.tallies.push(tally.clone());
        Ok(tally)
    }

    /// Everything counted so far, oldest first; counting starts anew.
    pub(super) fn take(&self) -> Vec<(Record, Count)> {
        let mut state = self.lock();
        let repeats = std::mem::take(&mut state.repeats);
        let repeats = repeats.into_iter().map(|(key, count)| (key.0, count));
        let mut all: Vec<_> = repeats.collect();
        state.tallies.retain_mut(|tally| {
            // Asked first: what nobody holds has counted its last.
            let is_held = !tally.is_abandoned();
            all.extend(tally.take());
            is_held
        });
        drop(state);
        all.sort_by_cached_key(|(record, count)| (count.first, record.fields(None)));
        all
    }

    /// The same, and nothing is counted from now on.
    pub(super) fn close(&self) -> Vec<(Record, Count)> {
        let mut state = self.lock();
        state.is_closed = true;
        state.tallies.iter().for_each(Tally::close);
        drop(state);
        self.take()
    }

    /// Counts again.
    pub(super) fn reopen(&self) {
        let mut state = self.lock();
        state.is_closed = false;
        state.tallies.iter().for_each(Tally::reopen);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
