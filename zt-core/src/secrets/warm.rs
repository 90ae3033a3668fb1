//! Many secrets before anybody reads them: what a job needs, fetched while it starts.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::error::{Code, Error, Result};

use super::cache::{Boarded, undeclared};
use super::flight::landing;
use super::{SecretRequest, Secrets};

/// A budget beyond it is the same as this.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// What came of it, by the place in what was asked for.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Warmed {
    /// Those whose slot has a value now.
    pub ready: usize,
    /// Those that have none, and why.
    pub failed: Vec<(usize, Error)>,
}

impl Secrets {
    /// Fetches what is not there yet, all at once as far as the gates let, and waits at most `budget`. Nothing is handed
    /// out: who reads is asked for their right then. A fetch that is not back within the budget goes on.
    ///
    /// It needs a tokio runtime with time, or an executor of its own ([`on`](Self::on)).
    pub async fn warm(&self, requests: &[SecretRequest], budget: Duration) -> Warmed {
        let mut warmed = Warmed::default();
        let mut waiting = Vec::new();
        for (place, request) in requests.iter().enumerate() {
            match self.boarded(request) {
                Ok(Boarded::Served(_)) => warmed.ready += 1,
                Ok(Boarded::Wait(waiter)) => waiting.push((place, waiter)),
                Err(error) => warmed.failed.push((place, error)),
            }
        }
        let (done, outcome) = oneshot::channel();
        let wait = async move {
            let until = Instant::now() + budget.min(LONGEST);
            let (mut ready, mut failed) = (0, Vec::new());
            for (place, waiter) in waiting {
                match timeout_at(until, landing(waiter)).await {
                    Ok(Ok(_)) => ready += 1,
                    Ok(Err(error)) => failed.push((place, Error::from(error))),
                    Err(_) => failed.push((place, late(budget))),
                }
            }
            // Whoever asked may have given up.
            let _receiver_is_gone = done.send((ready, failed));
        };
        // Timers of our own executor, where there is one: the caller's runtime may have none.
        match self.timer() {
            Some(spawn) => spawn.spawn(Box::pin(wait)),
            None => wait.await,
        }
        match outcome.await {
            Ok((ready, failed)) => {
                warmed.ready += ready;
                // What could not be fetched may be bridged by what is held.
                for (place, error) in failed {
                    match requests.get(place).and_then(|request| self.peek(request)) {
                        Some(_) => warmed.ready += 1,
                        None => warmed.failed.push((place, error)),
                    }
                }
            }
            Err(_) => {
                let message = "the executor ended while secrets were fetched";
                warmed
                    .failed
                    .push((0, Error::new(Code::Cancelled, message)));
            }
        }
        warmed.failed.sort_by_key(|(place, _)| *place);
        warmed
    }

    fn boarded(&self, request: &SecretRequest) -> Result<Boarded> {
        if let Some(secret) = self.peek(request) {
            return Ok(Boarded::Served(secret));
        }
        let declared = self.table().find(request.key());
        let declared = declared.ok_or_else(|| undeclared(request))?;
        self.board(&declared, request, false)
    }
}

fn late(budget: Duration) -> Error {
    let ms = budget.as_millis();
    Error::new(
        Code::VaultUnavailable,
        format!("not there within {ms} ms; the fetch goes on"),
    )
}
