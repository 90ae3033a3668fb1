//! The way of one call through the gate of its vault: a place, then the right to call, then how it ended.

use std::sync::Arc;

use tokio::sync::SemaphorePermit;
use tokio::time::{Duration, Instant, sleep, timeout};

use super::counters::count;
use super::flight::{BREATH, Crew, closed};
use super::gate::{Admission, Pass};
use super::table::Gatekeeper;
use super::verdict::is_worth_repeating;
use super::{Attempt, FetchError, Secrets, VaultError, VaultUrl};

impl Secrets {
    /// Another question to one of these vaults than for a secret, through the same gate: as often, as long and with the same
    /// ids as a miss.
    pub(crate) async fn through_gate<T, F>(
        &self,
        vault: &VaultUrl,
        ask: impl Fn(Attempt) -> F,
    ) -> Result<T, FetchError>
    where
        F: Future<Output = Result<T, VaultError>>,
    {
        let crew = &self.crew;
        let keeper = self.table().gates.get(vault).map(Arc::clone);
        let until = Instant::now() + crew.timing.miss_deadline;
        let left = || until.saturating_duration_since(Instant::now());
        for again in (0..crew.timing.attempts.max(1)).rev() {
            let passing = match &keeper {
                Some(keeper) => {
                    let entered = crew.enter(keeper, until).await;
                    Some(entered.map_err(|error| FetchError::new(error, None))?)
                }
                None => None,
            };
            if crew.is_closed() {
                return Err(closed());
            }
            let deadline = crew.timing.attempt_deadline.min(left());
            let attempt = Attempt::new(crew.next_attempt(), deadline);
            count(&crew.counters.fetches);
            let answer = timeout(deadline, ask(attempt)).await;
            let answer = answer.unwrap_or_else(|_| Err(too_slow(deadline)));
            if let Some((_room, passing)) = passing {
                passing.ended(answer.as_ref().err());
            }
            match answer {
                Ok(answer) => return Ok(answer),
                Err(error) if again > 0 && is_worth_repeating(&error) && left() > BREATH => {
                    sleep(BREATH).await;
                }
                Err(error) => {
                    count(&crew.counters.failures);
                    return Err(FetchError::new(error, Some(attempt.id)));
                }
            }
        }
        Err(FetchError::new(too_slow(crew.timing.miss_deadline), None))
    }
}

/// Nothing came in time.
pub(super) fn too_slow(deadline: Duration) -> VaultError {
    let ms = deadline.as_millis();
    VaultError::unavailable(&format!("no answer within {ms} ms"), None)
}

impl Crew {
    /// A place first, the right to call after it: a gate that closes while many wait for a place turns them all away.
    pub(super) async fn enter<'a>(
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
pub(super) struct Passing {
    keeper: Arc<Gatekeeper>,
    crew: Arc<Crew>,
    pass: Option<Pass>,
}

impl Passing {
    pub(super) fn ended(mut self, error: Option<&VaultError>) {
        if let Some(pass) = self.pass.take() {
            let now = self.crew.clock.elapsed();
            if self.keeper.gate().ended(pass, error, now) {
                count(&self.crew.counters.closings);
                tracing::warn!(target: "zt::secrets", "a vault is not called for a while");
            }
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
