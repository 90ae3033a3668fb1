//! The bounded queue between callers and the writer: takes in order, hands over in batches, can be closed and reopened.
//!
//! What nobody waits for wakes the writer once, and then gathers for a moment: a wake for each item would cost its caller
//! more than the item.

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
    /// Whether somebody waits for what is inside.
    is_urgent: bool,
    taker: Taker,
}

/// What the writer is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taker {
    /// It is not here, or was woken already.
    Awake,
    /// It waits for a first item.
    WaitsForFirst,
    /// It lets items gather, until one is urgent or there are many.
    Gathers,
}

/// This many items are not left to gather any longer.
const MANY: usize = 256;

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
                is_urgent: false,
                taker: Taker::Awake,
            }),
            filled: Condvar::new(),
            drained: Condvar::new(),
            most,
            heaviest,
        }
    }

    /// Adds an item, waiting up to `deadline` for room. An urgent one is taken at once.
    pub(super) fn push(
        &self,
        item: T,
        weight: usize,
        is_urgent: bool,
        deadline: Duration,
    ) -> Result<(), Refused> {
        let full = |state: &mut State<T>| {
            let is_full = state.items.len() >= self.most
                || (!state.items.is_empty() && state.weight + weight > self.heaviest);
            is_full && !state.is_closed
        };
        let mut state = self.lock();
        // Nearly always there is room: then nobody asks what time it is.
        if full(&mut state) {
            let waited;
            (state, waited) = self
                .drained
                .wait_timeout_while(state, deadline, full)
                .unwrap_or_else(PoisonError::into_inner);
            if waited.timed_out() {
                return Err(Refused::Full);
            }
        }
        if state.is_closed {
            return Err(Refused::Closed);
        }
        state.items.push_back(item);
        state.weight += weight;
        state.is_urgent |= is_urgent;
        let must_wake = match state.taker {
            Taker::Awake => false,
            Taker::WaitsForFirst => true,
            Taker::Gathers => !self.gathers(&state),
        };
        if must_wake {
            state.taker = Taker::Awake;
        }
        drop(state);
        if must_wake {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Whether more may come before what is inside is taken.
    fn gathers(&self, state: &State<T>) -> bool {
        let is_much =
            state.items.len() >= MANY.min(self.most / 2) || state.weight >= self.heaviest / 2;
        !state.is_urgent && !is_much && !state.is_closed
    }

    /// Takes everything into `taken`, which is empty and whose memory the queue goes on with. Waits up to `patience` for a first
    /// item, and for `gathering` longer for more while nobody waits for any; leaves it empty if none came. For one thread.
    pub(super) fn take(&self, patience: Duration, gathering: Duration, taken: &mut VecDeque<T>) {
        let mut state = self.lock();
        if state.items.is_empty() && !patience.is_zero() {
            state.taker = Taker::WaitsForFirst;
            (state, _) = self
                .filled
                .wait_timeout_while(state, patience, |state| state.items.is_empty())
                .unwrap_or_else(PoisonError::into_inner);
        }
        if !state.items.is_empty() && !gathering.is_zero() {
            state.taker = Taker::Gathers;
            (state, _) = self
                .filled
                .wait_timeout_while(state, gathering, |state| self.gathers(state))
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.taker = Taker::Awake;
        state.is_urgent = false;
        state.weight = 0;
        std::mem::swap(&mut state.items, taken);
        drop(state);
        self.drained.notify_all();
    }

    /// From now on nothing is taken; what is inside stays for [`take`](Self::take).
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.drained.notify_all();
        self.filled.notify_all();
    }

    /// Takes items again.
    pub(super) fn reopen(&self) {
        self.lock().is_closed = false;
    }

    /// Whether half of it is free.
    pub(super) fn has_room(&self) -> bool {
        let state = self.lock();
        state.items.len() <= self.most / 2 && state.weight <= self.heaviest / 2
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

    fn take<T>(queue: &Queue<T>, patience: Duration, gathering: Duration) -> VecDeque<T> {
        let mut taken = VecDeque::new();
        queue.take(patience, gathering, &mut taken);
        taken
    }

    #[test]
    fn a_full_queue_refuses_at_the_deadline_and_a_closed_one_at_once() {
        let queue = Queue::new(2, 100);
        let push = |item, weight| queue.push(item, weight, false, Duration::ZERO);
        push(1, 10).unwrap();
        assert_eq!(push(2, 95), Err(Refused::Full));
        push(2, 10).unwrap();
        assert_eq!(push(3, 10), Err(Refused::Full));
        assert_eq!(take(&queue, Duration::ZERO, Duration::ZERO), [1, 2]);
        push(3, 1000).unwrap();
        queue.close();
        let late = queue.push(4, 1, false, Duration::MAX);
        assert_eq!(late, Err(Refused::Closed));
        assert_eq!(take(&queue, Duration::MAX, Duration::MAX), [3]);
    }

    #[test]
    fn what_nobody_waits_for_gathers_until_something_is_urgent_or_there_is_much() {
        let taken = |pushes: &[(u32, usize, bool)]| {
            let queue = Queue::new(8, 100);
            std::thread::scope(|scope| {
                let taking = scope.spawn(|| take(&queue, Duration::MAX, Duration::MAX));
                for (item, weight, is_urgent) in pushes {
                    let pushed = queue.push(*item, *weight, *is_urgent, Duration::ZERO);
                    assert_eq!(pushed, Ok(()));
                }
                taking.join().unwrap()
            })
        };
        assert_eq!(taken(&[(1, 1, true)]), [1]);
        assert_eq!(
            taken(&[(1, 1, false), (2, 1, false), (3, 1, true)]),
            [1, 2, 3]
        );
        let four = [(1, 1, false), (2, 1, false), (3, 1, false), (4, 1, false)];
        assert_eq!(taken(&four), [1, 2, 3, 4], "half of what has room");
        assert_eq!(taken(&[(1, 1, false), (2, 60, false)]), [1, 2], "heavy");
    }

    #[test]
    fn what_gathers_is_taken_after_a_moment_by_itself() {
        let queue = Queue::new(100, 100);
        queue.push(1, 1, false, Duration::ZERO).unwrap();
        let moment = Duration::from_millis(1);
        assert_eq!(take(&queue, Duration::MAX, moment), [1]);
        assert!(take(&queue, moment, Duration::MAX).is_empty());
    }
}
