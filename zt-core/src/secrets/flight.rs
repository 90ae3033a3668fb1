//! One fetch on its way: which vaults it asks, through which gates, and until when.
//!
//! In: a slot that asked for it. Out: the outcome, in the slot first and then with those who wait. It runs as a task of its
//! own, so that no reader who gives up cancels it. It waits for a place at the gate, never for a pause that a vault asked for.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::watch;
use tokio::time::sleep;

use crate::clock::Clock;
use crate::port::Spawn;

use super::boarding::{Outcome, Purpose, Start, Ticket};
use super::counters::{Counters, count};
use super::course::{BREATH, Course};
use super::passage::too_slow;
use super::patience::Telling;
use super::request::Terms;
use super::state::Now;
use super::state::State;
use super::table::{Declared, Table};
use super::verdict::{is_own, is_worth_another, is_worth_repeating};
use super::{AttemptId, FetchError, Secret, SecretId, SecretVault, Timing, VaultError};

/// What every fetch of a process needs.
#[derive(Debug)]
pub(super) struct Crew {
    pub(super) vault: Arc<dyn SecretVault>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) timing: Timing,
    pub(super) counters: Arc<Counters>,
    /// The upper half of attempt ids: drawn at random.
    pub(super) origin: u64,
    pub(super) attempts: AtomicU64,
    /// No call leaves any more, and nothing lands.
    pub(super) is_closed: AtomicBool,
}

/// A value, and when it was asked for.
struct Answer {
    secret: Secret,
    asked: Now,
}

/// A fetch under way. However it ends, even by a panic of the adapter or the end of its runtime, the slot is freed first
/// and the waiters wake after that.
pub(super) struct Flight {
    crew: Arc<Crew>,
    table: Arc<Table>,
    declared: Arc<Declared>,
    terms: Terms,
    ticket: Ticket,
    purpose: Purpose,
    telling: Telling<Outcome>,
    landed: bool,
}

impl Flight {
    pub(super) fn new(
        crew: Arc<Crew>,
        table: Arc<Table>,
        declared: Arc<Declared>,
        terms: Terms,
        start: Start,
        timer: &dyn Spawn,
    ) -> Self {
        let (slot, ticket) = (Arc::clone(&declared.slot), start.ticket);
        let deadline = match start.purpose {
            Purpose::Miss => crew.timing.miss_deadline,
            Purpose::Refresh => crew.timing.refresh_deadline,
        };
        let own = Arc::clone(&crew);
        // The slot learns of it first: it is free for another fetch, and what is stale bridges this one.
        let late = move || {
            let (now, outcome) = (
                Now::read(&*own.clock),
                Err(FetchError::new(too_slow(deadline), None)),
            );
            slot.land(ticket, &outcome, terms, now, now, &own.timing);
            Some(outcome)
        };
        Self {
            crew,
            table,
            declared,
            terms,
            ticket,
            purpose: start.purpose,
            telling: Telling::new(start.sender, timer, deadline, late),
            landed: false,
        }
    }

    pub(super) async fn fly(self) {
        if self.telling.is_over() {
            // Its executor stood still: nobody waits any more.
            return;
        }
        let outcome = self.ask().await;
        self.land(outcome);
    }

    async fn ask(&self) -> Result<Answer, FetchError> {
        let sources = self.sources();
        let mut course = Course::new(self.purpose, &self.crew.timing);
        let mut first: Option<FetchError> = None;
        let mut asked: Option<&SecretId> = None;
        for (place, source) in sources.iter().enumerate() {
            let source = match (&first, asked) {
                (Some(failed), Some(asked)) if is_own(&failed.error) => asked,
                (Some(_) | None, _) => source,
            };
            let is_other = asked.is_none_or(|asked| asked != source);
            if let Some(failed) = &first {
                let goes_on = if is_other {
                    is_worth_another(&failed.error)
                } else {
                    is_worth_repeating(&failed.error)
                };
                if !goes_on || course.is_over() {
                    break;
                }
                if is_other {
                    count(&self.crew.counters.failovers);
                } else {
                    sleep(BREATH).await;
                }
            }
            // The rules may have changed since the last call.
            if let Some(refused) = self.declared.slot.forbidden() {
                return Err(FetchError::new(refused, None));
            }
            if self.crew.is_closed() {
                return Err(closed());
            }
            asked = Some(source);
            course.turn(sources.get(place + 1).is_some_and(|next| next != source));
            match self.call(source, &mut course).await {
                Ok(answer) => return Ok(answer),
                // What the second vault says is not what the first one would have said: its "none" ends nothing. What one
                // vault says last is its word.
                Err(failed) => first = Some(first.filter(|_| is_other).unwrap_or(failed)),
            }
        }
        Err(first.unwrap_or_else(lost))
    }

    /// Whom to ask, one after the other, while nobody answers.
    fn sources(&self) -> Vec<SecretId> {
        let mut sources: Vec<SecretId> = self.declared.request.sources().collect();
        if self.purpose == Purpose::Refresh || self.holds_fresh() {
            // What is held is served on: the second vault, which may lag behind, must not replace it.
            sources.truncate(1);
        }
        if let ([only], Purpose::Miss) = (&sources[..], self.purpose) {
            let again = usize::try_from(self.crew.timing.attempts)
                .unwrap_or(1)
                .saturating_sub(1);
            sources.extend(std::iter::repeat_n(only.clone(), again));
        }
        sources
    }

    fn holds_fresh(&self) -> bool {
        let tick = self.crew.clock.elapsed();
        self.declared.slot.look(|state, _| match state {
            State::Held(held) => !held.is_stale(tick),
            State::Absent | State::Negative { .. } | State::Forbidden(_) | State::Dead(_) => false,
        })
    }

    /// One call to one vault.
    async fn call(&self, id: &SecretId, course: &mut Course) -> Result<Answer, FetchError> {
        let gate = self.table.gates.get(id.vault());
        let vault = &*self.crew.vault;
        let fetch = |attempt| async move { vault.fetch(id, &attempt).await };
        let called = self.crew.call(gate, course, fetch).await?;
        let wall = self.crew.clock.now();
        let answer = called.answer.and_then(|fetched| {
            if self.crew.timing.must_be_locked && !fetched.value.is_protected() {
                // No other call would find more room.
                let what = "lock memory for its value, as `vault.memory` demands";
                return Err(VaultError::io(what, io::ErrorKind::OutOfMemory.into()));
            }
            let is_first = id.vault() == self.declared.request.key().id().vault();
            let fetched = if is_first {
                fetched
            } else {
                fetched.with_detail("vault", id.vault().as_str())
            };
            let secret = Secret::admit(id, fetched, wall)?;
            let asked = called.asked;
            Ok(Answer { secret, asked })
        });
        answer.map_err(|error| {
            let attempt = called.attempt;
            tracing::debug!(target: "zt::secrets", %attempt, vault = %id.vault(), %error, "a call to a vault gave nothing");
            FetchError::new(error, Some(attempt))
        })
    }

    fn land(mut self, answer: Result<Answer, FetchError>) {
        let now = Now::read(&*self.crew.clock);
        let (outcome, asked) = match answer {
            Ok(_) if self.crew.is_closed() => (Err(closed()), now),
            Ok(answer) => (Ok(answer.secret), answer.asked),
            Err(failed) => (Err(failed), now),
        };
        if outcome.is_err() {
            count(&self.crew.counters.failures);
        } else if self.purpose == Purpose::Refresh {
            count(&self.crew.counters.refreshes);
        }
        let (slot, timing) = (&self.declared.slot, &self.crew.timing);
        slot.land(self.ticket, &outcome, self.terms, asked, now, timing);
        self.landed = true;
        self.telling.tell(Some(outcome));
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if !self.landed {
            count(&self.crew.counters.failures);
            self.declared.slot.abandon(self.ticket);
        }
    }
}

impl Crew {
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    pub(super) fn next_attempt(&self) -> AttemptId {
        let number = self.attempts.fetch_add(1, Ordering::Relaxed);
        // A forked child inherits the count; its ids differ by its process.
        let origin = self.origin ^ u64::from(std::process::id()).rotate_left(32);
        AttemptId::from_u128(u128::from(origin) << 64 | u128::from(number))
    }
}

/// Waits for a fetch that somebody started.
pub(super) async fn landing(mut waiter: watch::Receiver<Outcome>) -> Result<Secret, FetchError> {
    let outcome = waiter.wait_for(Option::is_some).await.map_err(|_| lost())?;
    match &*outcome {
        Some(Ok(secret)) => Ok(secret.share()),
        Some(Err(error)) => Err(error.clone()),
        None => Err(lost()),
    }
}

pub(super) fn closed() -> FetchError {
    let error = VaultError::unavailable("the runtime was closed meanwhile", None);
    FetchError::new(error, None)
}

fn lost() -> FetchError {
    let error = VaultError::unavailable("the fetch ended without an answer", None);
    FetchError::new(error, None)
}
