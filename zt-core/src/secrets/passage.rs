//! The way of one call through the gate of its vault: a place, then the right to call, then how it ended.

use std::sync::Arc;

use tokio::sync::SemaphorePermit;
use tokio::time::{Duration, Instant, sleep, timeout};

use super::boarding::Purpose;
use super::counters::count;
use super::course::{BREATH, Course};
use super::flight::{Crew, closed};
use super::gate::{Admission, Pass};
use super::state::Now;
use super::table::Gatekeeper;
use super::verdict::{is_silence, is_worth_repeating};
use super::{Attempt, AttemptId, FetchError, Secrets, VaultError, VaultUrl};

impl Secrets {
    /// Another question to one of these vaults than for a secret, through the same gate: as often, as long and with the same
    /// ids as a miss.
    pub(crate) async fn through_gate<T, F>(
        &self,
        vault: &VaultUrl,
        ask: impl Fn(Attempt) -> F + Sync,
    ) -> Result<T, FetchError>
    where
        F: Future<Output = Result<T, VaultError>>,
    {
        let crew = &self.crew;
        let keeper = self.table().gates.get(vault).map(Arc::clone);
        let mut course = Course::new(Purpose::Miss, &crew.timing);
        for again in (0..crew.timing.attempts.max(1)).rev() {
            let called = crew.call(keeper.as_ref(), &mut course, &ask).await?;
            match called.answer {
                Ok(answer) => return Ok(answer),
                Err(error) if again > 0 && is_worth_repeating(&error) && !course.is_over() => {
                    sleep(BREATH).await;
                }
                Err(error) => {
                    count(&crew.counters.failures);
                    return Err(FetchError::new(error, Some(called.attempt)));
                }
            }
        }
        Err(FetchError::new(too_slow(crew.timing.miss_deadline), None))
    }
}

/// What one call gave.
pub(super) struct Called<T> {
    pub(super) answer: Result<T, VaultError>,
    pub(super) attempt: AttemptId,
    pub(super) asked: Now,
}

/// Nothing came in time.
pub(crate) fn too_slow(deadline: Duration) -> VaultError {
    let ms = deadline.as_millis();
    VaultError::unavailable(&format!("no answer within {ms} ms"), None)
}

impl Crew {
    /// One call, as soon as the gate lets it through. An error of this function is one without a call.
    pub(super) async fn call<T, F>(
        self: &Arc<Self>,
        keeper: Option<&Arc<Gatekeeper>>,
        course: &mut Course,
        ask: impl FnOnce(Attempt) -> F,
    ) -> Result<Called<T>, FetchError>
    where
        F: Future<Output = Result<T, VaultError>>,
    {
        let entered = match keeper {
            Some(keeper) => {
                let since = Instant::now();
                let entered = self.enter(keeper, course.boarding_ends()).await;
                course.queued(since);
                Some(entered.map_err(|error| FetchError::new(error, None))?)
            }
            None => None,
        };
        if self.is_closed() {
            return Err(closed());
        }
        let (deadline, begun) = (course.deadline(), Instant::now());
        let attempt = Attempt::new(self.next_attempt(), deadline);
        count(&self.counters.fetches);
        let asked = Now::read(&*self.clock);
        let answer = timeout(deadline, ask(attempt)).await;
        let answer = answer.unwrap_or_else(|_| Err(too_slow(deadline)));
        if let Some((_room, passing)) = entered {
            let error = answer.as_ref().err();
            if error.is_some_and(is_silence) && course.was_cut(deadline, begun.elapsed()) {
                passing.unheard();
            } else {
                passing.ended(error);
            }
        }
        Ok(Called {
            answer,
            attempt: attempt.id,
            asked,
        })
    }

    /// A place first, the right to call after it: a gate that closes while many wait for a place turns them all away.
    async fn enter<'a>(
        self: &Arc<Self>,
        keeper: &'a Arc<Gatekeeper>,
        until: Instant,
    ) -> Result<(SemaphorePermit<'a>, Passing), VaultError> {
        if let Some(closed) = keeper.gate().refusal(self.clock.elapsed()) {
            count(&self.counters.turned_away);
            return Err(closed);
        }
        let left = until.saturating_duration_since(Instant::now());
        let Ok(Ok(room)) = timeout(left, keeper.room.acquire()).await else {
            count(&self.counters.turned_away);
            let busy = "too many calls to it are under way";
            return Err(VaultError::unavailable(busy, None));
        };
        Ok((room, self.pass(keeper, until).await?))
    }

    /// Through the gate, as soon as the bucket has a call left.
    async fn pass(
        self: &Arc<Self>,
        keeper: &Arc<Gatekeeper>,
        until: Instant,
    ) -> Result<Passing, VaultError> {
        loop {
            let admission = keeper.gate().ask(self.clock.elapsed());
            let wait = match admission {
                Admission::Go(pass) => {
                    return Ok(Passing {
                        keeper: Arc::clone(keeper),
                        crew: Arc::clone(self),
                        pass: Some(pass),
                    });
                }
                Admission::Closed(error) => {
                    count(&self.counters.turned_away);
                    return Err(error);
                }
                Admission::Wait(wait) => wait,
            };
            if Instant::now() + wait >= until {
                count(&self.counters.turned_away);
                let busy = "this process has used up its calls to it for the moment";
                return Err(VaultError::unavailable(busy, Some(wait)));
            }
            sleep(wait).await;
        }
    }
}

/// A call that the gate let through. One that is dropped, by a panic or the end of its runtime, counts as unanswered.
struct Passing {
    keeper: Arc<Gatekeeper>,
    crew: Arc<Crew>,
    pass: Option<Pass>,
}

impl Passing {
    fn ended(mut self, error: Option<&VaultError>) {
        if let Some(pass) = self.pass.take() {
            let now = self.crew.clock.elapsed();
            if self.keeper.gate().ended(pass, error, now) {
                count(&self.crew.counters.closings);
                tracing::warn!(target: "zt::secrets", "a vault is not called for a while");
            }
        }
    }

    /// It says nothing of the vault.
    fn unheard(mut self) {
        if let Some(pass) = self.pass.take() {
            let now = self.crew.clock.elapsed();
            self.keeper.gate().unheard(pass, now);
        }
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        if let Some(pass) = self.pass.take() {
            self.keeper.gate().lost(pass, self.crew.clock.elapsed());
        }
    }
}
