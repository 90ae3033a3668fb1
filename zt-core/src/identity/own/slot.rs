//! What is kept for one scope: a token, a failure, a request under way. Pure: time comes in, what to do goes out.

use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Timestamp;
use crate::identity::{AccessToken, CredentialError};

/// What a request under way will say: nothing yet, or its outcome.
pub(super) type Outcome = Option<Result<AccessToken, CredentialError>>;

/// Both times: tokens end by the wall clock, everything else is measured on the tick.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub(super) wall: Timestamp,
    pub(super) tick: Duration,
}

/// What a caller does next.
#[derive(Debug)]
pub(super) enum Boarding {
    /// Takes this token.
    Serve(AccessToken),
    /// Takes this failure of a moment ago.
    Refuse(CredentialError),
    /// Waits for the request under way.
    Wait(watch::Receiver<Outcome>),
}

/// What the state asks for.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing has to be started.
    Go(Boarding),
    /// A request must be started, and waited for only if there is no token to take.
    Start { kept: Option<AccessToken> },
}

#[derive(Debug, Default)]
pub(super) struct Slot {
    held: Option<Held>,
    failed: Option<Failed>,
    pub(super) flight: Option<Flight>,
}

#[derive(Debug)]
struct Held {
    token: AccessToken,
    refresh_at: Duration,
}

#[derive(Debug)]
struct Failed {
    error: CredentialError,
    until: Duration,
}

/// A request under way.
#[derive(Debug)]
pub(super) struct Flight {
    number: u64,
    started_at: Duration,
    outcome: watch::Receiver<Outcome>,
}

impl Flight {
    pub(super) const fn new(
        number: u64,
        started_at: Duration,
        outcome: watch::Receiver<Outcome>,
    ) -> Self {
        Self {
            number,
            started_at,
            outcome,
        }
    }

    /// What to wait for; `None` if its task is gone with its runtime, or stands still on one that nobody drives.
    fn outcome(&self, tick: Duration) -> Option<watch::Receiver<Outcome>> {
        let alive = self.outcome.has_changed().is_ok();
        let recent = tick.saturating_sub(self.started_at) < super::MOST_WAIT + super::GRACE;
        (alive && recent).then(|| self.outcome.clone())
    }
}

impl Slot {
    pub(super) fn step(&self, now: Now) -> Step {
        let under_way = self
            .flight
            .as_ref()
            .and_then(|flight| flight.outcome(now.tick));
        let failed = self
            .failed
            .as_ref()
            .filter(|failed| now.tick < failed.until);
        let held = self.held.as_ref();
        let held = held.filter(|held| now.wall.after(MARGIN) < held.token.expires_at());
        match (held, under_way, failed) {
            (Some(held), None, None) if now.tick >= held.refresh_at => Step::Start {
                kept: Some(held.token.clone()),
            },
            (Some(held), ..) => Step::Go(Boarding::Serve(held.token.clone())),
            (None, Some(outcome), _) => Step::Go(Boarding::Wait(outcome)),
            (None, None, Some(failed)) => Step::Go(Boarding::Refuse(failed.again_in(now.tick))),
            (None, None, None) => Step::Start { kept: None },
        }
    }

    pub(super) fn settle(
        &mut self,
        number: u64,
        said: &Result<AccessToken, CredentialError>,
        now: Now,
    ) {
        if self.flight.as_ref().map(|flight| flight.number) != Some(number) {
            return;
        }
        self.flight = None;
        match said {
            Ok(token) => {
                let life = token
                    .expires_at()
                    .as_millis()
                    .saturating_sub(now.wall.as_millis());
                let life = Duration::from_millis(u64::try_from(life).unwrap_or(0));
                self.failed = None;
                self.held = Some(Held {
                    token: token.clone(),
                    refresh_at: now.tick + (life / 2).max(SOONEST_REFRESH),
                });
            }
            Err(error) => {
                let wait = asked_to_wait(error).unwrap_or(REMEMBER_FAILURE);
                self.failed = Some(Failed {
                    error: error.clone(),
                    until: now.tick + wait.clamp(SHORTEST_WAIT, LONGEST_WAIT),
                });
            }
        }
    }

    /// How long what is kept is good for; a request under way is never the first to go.
    pub(super) fn worth(&self) -> (bool, Option<Timestamp>) {
        let ends = self.held.as_ref().map(|held| held.token.expires_at());
        (self.flight.is_some(), ends)
    }
}

impl Failed {
    /// The failure, with the time that is left of it.
    fn again_in(&self, tick: Duration) -> CredentialError {
        let mut error = self.error.clone();
        if let CredentialError::Unavailable { retry_in, .. } = &mut error {
            *retry_in = Some(self.until.saturating_sub(tick));
        }
        error
    }
}

const fn asked_to_wait(error: &CredentialError) -> Option<Duration> {
    match error {
        CredentialError::Unavailable { retry_in, .. } => *retry_in,
        CredentialError::NotSetUp { .. }
        | CredentialError::Refused { .. }
        | CredentialError::ClaimsRequired { .. } => None,
    }
}

/// A token is not served in its last seconds: the request that it goes into takes a while, and clocks differ.
const MARGIN: Duration = Duration::from_secs(30);

/// A token of a short life is not asked for again at once.
const SOONEST_REFRESH: Duration = Duration::from_secs(30);

const REMEMBER_FAILURE: Duration = Duration::from_secs(10);
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(300);
