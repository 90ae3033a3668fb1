//! The slot of one secret: its state, and the one fetch that may be under way.
//!
//! Readers take the state from an `ArcSwap` and never wait. Whoever changes it holds the slot's lock for a few
//! instructions, never over a wait; so no change is lost and a fetch that was overtaken by a "forget" is not kept.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::clock::Clock;

use super::state::{Event, Now, State};
use super::{Secret, Timing, VaultError};

/// What a fetch under way will say: nothing yet, or its outcome.
pub(super) type Outcome = Option<Result<Secret, VaultError>>;

/// A state that many readers look at, and at most one fetch under way.
#[derive(Debug)]
pub(super) struct Slot {
    state: ArcSwap<State>,
    flights: Mutex<Flights>,
}

#[derive(Debug, Default)]
struct Flights {
    started: u64,
    current: Option<(u64, watch::Receiver<Outcome>)>,
}

/// What a reader without a value does next.
#[derive(Debug)]
pub(super) enum Boarding {
    /// Another fetch landed in the meantime.
    Served(Secret),
    /// The vault said no a moment ago.
    Refused(VaultError),
    /// Wait for the fetch that is under way.
    Wait(watch::Receiver<Outcome>),
    /// Start this fetch, then wait for it.
    Start(Ticket, watch::Sender<Outcome>, watch::Receiver<Outcome>),
}

/// Which fetch of a slot: the answer of one that was overtaken by a "forget" is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket(u64);

impl Slot {
    pub(super) fn new() -> Self {
        Self {
            state: ArcSwap::from_pointee(State::Absent),
            flights: Mutex::default(),
        }
    }

    /// The value, if it may be served to a reader with this TTL. Never waits, allocates nothing.
    pub(super) fn peek(&self, ttl: Duration, clock: &dyn Clock) -> Option<Secret> {
        let state = self.state.load();
        Some(state.value(ttl, clock)?.share())
    }

    /// Joins the fetch under way or becomes the one who starts it.
    pub(super) fn board(&self, ttl: Duration, clock: &dyn Clock, timing: &Timing) -> Boarding {
        let mut flights = self.lock();
        let now = Now::read(clock);
        self.apply(&Event::Looked, now, timing);
        if let Some(secret) = self.peek(ttl, clock) {
            return Boarding::Served(secret);
        }
        if let Some(error) = self.state.load().refusal(now) {
            return Boarding::Refused(error);
        }
        if let Some((_, receiver)) = &flights.current {
            return Boarding::Wait(receiver.clone());
        }
        let (sender, receiver) = watch::channel(None);
        flights.started = flights.started.wrapping_add(1);
        let ticket = Ticket(flights.started);
        flights.current = Some((ticket.0, receiver.clone()));
        Boarding::Start(ticket, sender, receiver)
    }

    /// Takes the outcome of a fetch into the state, unless that fetch was overtaken.
    pub(super) fn land(
        &self,
        ticket: Ticket,
        outcome: &Result<Secret, VaultError>,
        ttl: Duration,
        now: Now,
        timing: &Timing,
    ) {
        let mut flights = self.lock();
        if flights.current.take_if(|(id, _)| *id == ticket.0).is_some() {
            self.apply(&Event::Landed(outcome, ttl), now, timing);
        }
    }

    /// Ends a fetch that has no outcome, so that the next reader starts another.
    pub(super) fn abandon(&self, ticket: Ticket) {
        let mut flights = self.lock();
        drop(flights.current.take_if(|(id, _)| *id == ticket.0));
    }

    /// Wipes what is known. A fetch under way still answers those who wait for it, and nobody else.
    pub(super) fn forget(&self, now: Now, timing: &Timing) {
        let mut flights = self.lock();
        flights.current = None;
        self.apply(&Event::Forgotten, now, timing);
    }

    /// Wipes what time has ended.
    pub(super) fn age(&self, now: Now, timing: &Timing) {
        let _flights = self.lock();
        self.apply(&Event::Looked, now, timing);
    }

    /// Only with the lock held: two changes at once would lose one of them.
    fn apply(&self, event: &Event<'_>, now: Now, timing: &Timing) {
        let next = self.state.load().next(event, now, timing);
        self.state.store(Arc::new(next));
    }

    /// A panic while the lock was held leaves nothing half done: every change is one store.
    fn lock(&self) -> MutexGuard<'_, Flights> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
