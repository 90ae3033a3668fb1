//! The slot of one secret: its state, and the one fetch that may be under way.
//!
//! Readers take the state from an `ArcSwap` and never wait. Whoever changes it holds the slot's lock for a few
//! instructions, never over a wait; so no change is lost and a fetch that was overtaken by a "forget" is not kept.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Clock;

use super::boarding::{Boarding, Outcome, Purpose, Start, Ticket};
use super::request::Terms;
use super::spread::Spread;
use super::state::{Event, Now, Serving, State};
use super::sweep::Reported;
use super::sync::{Arc, ArcSwap, Mutex, MutexGuard, PoisonError};
use super::verdict::Verdict;
use super::{FetchError, Secret, SecretVersion, Timing, VaultError, VaultUrl};

/// Explicit refreshes of one slot are at least so far apart.
const FORCED_PAUSE: Duration = Duration::from_secs(1);

/// A state that many readers look at, and at most one fetch under way.
#[derive(Debug)]
pub(in crate::secrets) struct Slot {
    state: ArcSwap<State>,
    flights: Mutex<Flights>,
    spread: Spread,
    hits: AtomicU64,
    /// The second of the last read, on the tick.
    read_at: AtomicU64,
}

#[derive(Debug, Default)]
struct Flights {
    started: u64,
    current: Option<Current>,
    forced_at: Option<Duration>,
    /// Somebody said that there is news while the vault could not be asked for it.
    is_wanted: bool,
    reported: Reported,
}

#[derive(Debug)]
struct Current {
    ticket: Ticket,
    receiver: watch::Receiver<Outcome>,
    purpose: Purpose,
}

impl Slot {
    pub(in crate::secrets) fn new(spread: Spread) -> Self {
        Self {
            state: ArcSwap::from_pointee(State::Absent),
            flights: Mutex::default(),
            spread,
            hits: AtomicU64::new(0),
            read_at: AtomicU64::new(0),
        }
    }

    /// The value, if it may be served to a reader with these terms. Never waits, allocates nothing.
    pub(in crate::secrets) fn peek(
        &self,
        terms: &Terms,
        tick: Duration,
        clock: &dyn Clock,
    ) -> Option<Serving> {
        let serving = self.state.load().serve(terms, tick, clock)?;
        // Statistics order nothing: relaxed.
        self.hits.fetch_add(1, Ordering::Relaxed);
        self.is_read(tick);
        Some(serving)
    }

    /// Joins the fetch under way or becomes the one who starts it.
    pub(in crate::secrets) fn board(
        &self,
        terms: &Terms,
        clock: &dyn Clock,
        timing: &Timing,
    ) -> Boarding {
        let mut flights = self.lock();
        let now = Now::read(clock);
        self.is_read(now.tick);
        self.apply(&Event::Looked { is_idle: false }, now, timing);
        if let Some(serving) = self.peek(terms, now.tick, clock) {
            let beside = (serving.is_due && flights.current.is_none())
                .then(|| flights.start(Purpose::Refresh));
            return Boarding::Served(serving.secret, beside);
        }
        if let Some(error) = self.state.load().refusal(now) {
            return Boarding::Refused(error);
        }
        match flights.awaited() {
            Some(waiter) => Boarding::Wait(waiter),
            None => Boarding::Start(flights.start(Purpose::Miss)),
        }
    }

    /// A fetch that nobody waits for, if one is due and none is under way. Does not wait for the lock either.
    pub(in crate::secrets) fn ahead(&self, clock: &dyn Clock) -> Option<Start> {
        let mut flights = self.flights.try_lock().ok()?;
        let is_due = match &**self.state.load() {
            State::Held(held) => held.is_due(clock.elapsed()),
            State::Absent | State::Negative { .. } | State::Forbidden(_) | State::Dead(_) => false,
        };
        (is_due && flights.current.is_none()).then(|| flights.start(Purpose::Refresh))
    }

    /// A fetch because a reader asks for one, whatever is held: at most one in a second. A "no" is forgotten for it.
    pub(in crate::secrets) fn force(
        &self,
        terms: &Terms,
        clock: &dyn Clock,
        timing: &Timing,
    ) -> Boarding {
        let mut flights = self.lock();
        let now = Now::read(clock);
        self.is_read(now.tick);
        if let State::Forbidden(error) = &**self.state.load() {
            return Boarding::Refused(FetchError::new(error.clone(), None));
        }
        if let Some(waiter) = flights.awaited() {
            return Boarding::Wait(waiter);
        }
        if flights.is_early(now.tick) {
            drop(flights);
            return self.board(terms, clock, timing);
        }
        self.unbelieve(now, timing);
        Boarding::Start(flights.force(now.tick))
    }

    /// A fetch because there is news, if the vault may be asked now; else the next [`again`](Self::again) makes it. Readers
    /// wait for it like for one of their own, and a "no" is forgotten for it.
    pub(in crate::secrets) fn nudge(&self, clock: &dyn Clock, timing: &Timing) -> Option<Start> {
        let mut flights = self.lock();
        if matches!(&**self.state.load(), State::Forbidden(_)) {
            return None;
        }
        let now = Now::read(clock);
        // A fetch under way may have asked before the news.
        flights.is_wanted = true;
        let start = flights.wanted(now.tick);
        if start.is_some() {
            // Not before: each event would let the next reader ask.
            self.unbelieve(now, timing);
        }
        start
    }

    /// The fetch that a [`nudge`](Self::nudge) had to put off.
    pub(in crate::secrets) fn again(&self, clock: &dyn Clock) -> Option<Start> {
        self.lock().wanted(clock.elapsed())
    }

    /// Takes the outcome of a fetch into the state, unless that fetch was overtaken. A value is as old as the question to
    /// which it is the answer.
    pub(in crate::secrets) fn land(
        &self,
        ticket: Ticket,
        outcome: &Result<Secret, FetchError>,
        terms: Terms,
        asked: Now,
        now: Now,
        timing: &Timing,
    ) {
        let mut flights = self.lock();
        if !flights.end(ticket) {
            // Its value would be from before. Its "no" may be news: nobody is served until the vault was asked again.
            let verdict = |failed: &FetchError| Verdict::of(&failed.error, now.wall, timing);
            if matches!(outcome.as_ref().map_err(verdict), Err(Verdict::No(_))) {
                self.apply(&Event::Forgotten, now, timing);
            }
            return;
        }
        if outcome.is_err() {
            return self.apply(&Event::Landed(outcome, terms), now, timing);
        }
        self.apply(&Event::Landed(outcome, terms), asked, timing);
        let slept = now.slept_since(asked);
        if !slept.is_zero() {
            self.apply(&Event::Slept(slept), now, timing);
        }
    }

    /// Ends a fetch that has no outcome, so that the next reader starts another.
    pub(in crate::secrets) fn abandon(&self, ticket: Ticket) {
        let _was_current = self.lock().end(ticket);
    }

    /// Wipes what is known. A fetch under way still answers those who wait for it, and nobody else.
    pub(in crate::secrets) fn forget(&self, now: Now, timing: &Timing) {
        let mut flights = self.lock();
        flights.leave();
        self.apply(&Event::Forgotten, now, timing);
    }

    /// A fetch under way answers those who wait for it, and is not taken in: it may ask what is not asked any more.
    pub(in crate::secrets) fn divert(&self) {
        self.lock().leave();
    }

    /// What is held is not kept for longer than these terms say.
    pub(in crate::secrets) fn redeclare(&self, terms: Terms, now: Now, timing: &Timing) {
        let _flights = self.lock();
        self.apply(&Event::Redeclared(terms), now, timing);
    }

    /// The vault that gave what is held.
    pub(in crate::secrets) fn origin(&self) -> Option<VaultUrl> {
        self.look(|state, _| state.held().map(|held| held.secret.vault().clone()))
    }

    /// The word of the rules, if they refuse its vault.
    pub(in crate::secrets) fn forbidden(&self) -> Option<VaultError> {
        match &**self.state.load() {
            State::Forbidden(error) => Some(error.clone()),
            State::Absent | State::Held(_) | State::Negative { .. } | State::Dead(_) => None,
        }
    }

    /// A new slot of a vault that is refused already.
    pub(in crate::secrets) fn refuse(&self, refused: &VaultError) {
        let _flights = self.lock();
        self.state
            .store(Arc::new(State::Forbidden(refused.clone())));
    }

    /// Whether the rules of the network let its vault be reached.
    pub(in crate::secrets) fn rule(&self, refused: Option<&VaultError>, now: Now, timing: &Timing) {
        let mut flights = self.lock();
        if refused.is_some() {
            flights.leave();
        }
        self.apply(&Event::Ruled(refused), now, timing);
    }

    /// Wipes what time has ended.
    pub(in crate::secrets) fn age(&self, now: Now, timing: &Timing, slept: Duration) {
        let _flights = self.lock();
        if !slept.is_zero() {
            self.apply(&Event::Slept(slept), now, timing);
        }
        let is_idle = self.is_idle(now.tick);
        self.apply(&Event::Looked { is_idle }, now, timing);
    }

    /// Whether it has a value, a "no", or a fetch under way.
    pub(in crate::secrets) fn is_known(&self) -> bool {
        let is_loading = self.lock().current.is_some();
        let state = self.state.load();
        is_loading || matches!(&**state, State::Held(_) | State::Negative { .. })
    }

    /// Whether nobody read it for two lifetimes, to the second.
    pub(in crate::secrets) fn is_idle(&self, tick: Duration) -> bool {
        let read_at = self.read_at.load(Ordering::Relaxed).saturating_add(1);
        let unread = tick.saturating_sub(Duration::from_secs(read_at));
        let state = self.state.load();
        let held = state.held();
        held.is_none_or(|held| unread > held.lifetime.saturating_mul(2))
    }

    /// A look at the state, and whether a fetch is under way.
    pub(in crate::secrets) fn look<T>(&self, look: impl FnOnce(&State, bool) -> T) -> T {
        let is_loading = self.lock().current.is_some();
        look(&self.state.load(), is_loading)
    }

    /// Whether this is nearer to the end of a version than what was reported of it.
    pub(in crate::secrets) fn reports(&self, nearness: (SecretVersion, usize)) -> bool {
        let mut flights = self.lock();
        let (version, level) = nearness;
        let is_news = flights
            .reported
            .is_none_or(|(known, before)| known != version || level < before);
        if is_news {
            flights.reported = Some(nearness);
        }
        is_news
    }

    pub(in crate::secrets) fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }

    /// Written once a second at most: readers of many threads do not fight for the line.
    fn is_read(&self, tick: Duration) {
        if self.read_at.load(Ordering::Relaxed) != tick.as_secs() {
            self.read_at.store(tick.as_secs(), Ordering::Relaxed);
        }
    }

    /// Forgets a "no". Only with the lock held.
    fn unbelieve(&self, now: Now, timing: &Timing) {
        if matches!(&**self.state.load(), State::Negative { .. }) {
            self.apply(&Event::Forgotten, now, timing);
        }
    }

    /// Only with the lock held: two changes at once would lose one of them.
    fn apply(&self, event: &Event<'_>, now: Now, timing: &Timing) {
        let next = self.state.load().next(event, now, timing, self.spread);
        if let Some(next) = next {
            self.state.store(Arc::new(next));
        }
    }

    /// A panic while the lock was held leaves nothing half done: every change is one store.
    fn lock(&self) -> MutexGuard<'_, Flights> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flights {
    fn start(&mut self, purpose: Purpose) -> Start {
        let (sender, receiver) = watch::channel(None);
        self.started = self.started.wrapping_add(1);
        let ticket = Ticket::new(self.started);
        self.current = Some(Current {
            ticket,
            receiver: receiver.clone(),
            purpose,
        });
        Start {
            ticket,
            sender,
            receiver,
            purpose,
        }
    }

    /// What a reader may wait for. A refresh may take longer than a reader waits: it is overtaken.
    fn awaited(&self) -> Option<watch::Receiver<Outcome>> {
        let current = self.current.as_ref()?;
        (current.purpose == Purpose::Miss).then(|| current.receiver.clone())
    }

    fn is_early(&self, tick: Duration) -> bool {
        self.forced_at
            .is_some_and(|at| tick.saturating_sub(at) < FORCED_PAUSE)
    }

    fn force(&mut self, tick: Duration) -> Start {
        self.forced_at = Some(tick);
        self.is_wanted = false;
        self.start(Purpose::Miss)
    }

    /// The fetch that is wanted, once none is under way and the last one that was asked for is a second old.
    fn wanted(&mut self, tick: Duration) -> Option<Start> {
        let may_start = self.is_wanted && self.current.is_none() && !self.is_early(tick);
        may_start.then(|| self.force(tick))
    }

    /// The fetch under way has no say any more.
    fn leave(&mut self) {
        self.current = None;
        self.is_wanted = false;
    }

    /// Whether the fetch was the current one.
    fn end(&mut self, ticket: Ticket) -> bool {
        let ended = self.current.take_if(|current| current.ticket == ticket);
        ended.is_some()
    }
}
