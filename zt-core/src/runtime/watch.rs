//! Looks at the tables from time to time, takes a change, and confirms what did not change.
//!
//! In: how often. Out: reloads on the path of [`Runtime::reload`]. It holds no runtime alive and ends within a second of the
//! last handle or of `close`. Bad tables are recorded once, not at every look, and never confirm what is in force.

use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Runtime;
use crate::error::{Code, Error, Result};
use crate::metadata::{Fingerprint, Looked};

/// How often the thread asks whether it is time, or over.
const TICK: Duration = Duration::from_secs(1);
/// A refusal that lasts is recorded again after this.
const AGAIN: Duration = Duration::from_secs(60);

/// Starts the thread that looks every `every`. It needs no joining.
pub(super) fn start(runtime: &Runtime, every: Duration) -> Result<JoinHandle<()>> {
    let no_thread = |why: std::io::Error| {
        Error::new(Code::Internal, "the operating system gives no thread").with_source(why)
    };
    let executor = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(no_thread)?;
    let mut watch = Watch::new(every, runtime.0.clock.elapsed());
    let shared = std::sync::Arc::downgrade(&runtime.0);
    let look = move || {
        loop {
            thread::sleep(TICK.min(every));
            let Some(runtime) = shared.upgrade().map(Runtime) else {
                return;
            };
            if runtime.0.is_closed.load(Ordering::Acquire) {
                return;
            }
            executor.block_on(watch.look_when_due(&runtime));
        }
    };
    let thread = thread::Builder::new().name("zt-watch".to_owned());
    thread.spawn(look).map_err(no_thread)
}

/// What the watch remembers between two looks.
#[derive(Debug)]
struct Watch {
    every: Duration,
    due: Duration,
    refused: Option<Refused>,
}

/// What was recorded last, and when.
#[derive(Debug)]
struct Refused {
    fingerprint: Option<Fingerprint>,
    message: String,
    at: Duration,
}

impl Watch {
    fn new(every: Duration, now: Duration) -> Self {
        Self {
            every,
            due: now.saturating_add(every),
            refused: None,
        }
    }

    async fn look_when_due(&mut self, runtime: &Runtime) {
        let now = runtime.0.clock.elapsed();
        if now >= self.due {
            self.due = now.saturating_add(self.every);
            self.look(runtime).await;
        }
    }

    async fn look(&mut self, runtime: &Runtime) {
        let Looked {
            fingerprint,
            outcome,
        } = runtime.look().await;
        let Err(error) = outcome else {
            self.refused = None;
            return;
        };
        let now = runtime.0.clock.elapsed();
        let is_known = self.refused.as_ref().is_some_and(|known| {
            known.fingerprint == fingerprint
                && known.message == error.message()
                && now.saturating_sub(known.at) < AGAIN
        });
        // Nobody waits for an answer here; a log that cannot be written refuses the next decision by itself.
        if !is_known && runtime.record_refused(&error).is_ok() {
            self.refused = Some(Refused {
                fingerprint,
                message: error.message().to_owned(),
                at: now,
            });
        }
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests;
