//! The bounded queue between callers and the writer: takes in order, hands over in batches, can be closed and reopened.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bounded by number and by weight; an item heavier than the whole queue is still taken when the queue is empty.
#[derive(Debug)]
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
    drained: Condvar,
    most: usize,
    heaviest: usize,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    weight: usize,
    is_closed: bool,
}

/// Why the queue did not take an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// It stayed full until the deadline.
    Full,
    /// It takes nothing any more.
    Closed,
}

impl<T> Queue<T> {
    pub(super) const fn new(most: usize, heaviest: usize) -> Self {
        Self {
            state: Mutex::new(State {
                items: VecDeque::new(),
                weight: 0,
                is_closed: false,
            }),
            filled: Condvar::new(),
            drained: Condvar::new(),
            most,
            heaviest,
        }
    }

    /// Adds an item, waiting up to `deadline` for room.
    pub(super) fn push(&self, item: T, weight: usize, deadline: Duration) -> Result<(), Refused> {
        let full = |state: &mut State<T>| {
            let is_full = state.items.len() >= self.most
                || (!state.items.is_empty() && state.weight + weight > self.heaviest);
            is_full && !state.is_closed
        };
        let (mut state, waited) = self
            .drained
            .wait_timeout_while(self.lock(), deadline, full)
            .unwrap_or_else(PoisonError::into_inner);
        if state.is_closed {
            return Err(Refused::Closed);
        }
        if waited.timed_out() {
            return Err(Refused::Full);
        }
        state.items.push_back(item);
        state.weight += weight;
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// Takes everything, waiting up to `patience` for a first item; empty if none came.
    pub(super) fn take(&self, patience: Duration) -> VecDeque<T> {
        let (mut state, _) = self
            .filled
            .wait_timeout_while(self.lock(), patience, |state| state.items.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        state.weight = 0;
        let items = std::mem::take(&mut state.items);
        drop(state);
        self.drained.notify_all();
        items
    }

    /// From now on nothing is taken; what is inside stays for [`take`](Self::take).
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.drained.notify_all();
    }

    /// Takes items again.
    pub(super) fn reopen(&self) {
        self.lock().is_closed = false;
    }

    pub(super) fn len(&self) -> usize {
        self.lock().items.len()
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_refuses_at_the_deadline_and_a_closed_one_at_once() {
        let queue = Queue::new(2, 100);
        queue.push(1, 10, Duration::ZERO).unwrap();
        assert_eq!(queue.push(2, 95, Duration::ZERO), Err(Refused::Full));
        queue.push(2, 10, Duration::ZERO).unwrap();
        assert_eq!(queue.push(3, 10, Duration::ZERO), Err(Refused::Full));
        assert_eq!(queue.take(Duration::ZERO), [1, 2]);
        queue.push(3, 1000, Duration::ZERO).unwrap();
        queue.close();
        assert_eq!(queue.push(4, 1, Duration::MAX), Err(Refused::Closed));
        assert_eq!(queue.take(Duration::MAX), [3]);
    }
}
