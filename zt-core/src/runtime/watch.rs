//! Looks at the tables from time to time, takes a change, and confirms what did not change.
//!
//! In: how often. Out: reloads on the path of [`Runtime::reload`]. It holds no runtime alive and ends within a second of the
//! last handle or of `close`, or of a look that waits. Bad tables, a source that never answers and one that panics are
//! recorded once a minute, not at every look, and never confirm what is in force.

use std::panic::{AssertUnwindSafe, catch_unwind};
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
/// A source that takes longer is given up for this look, so that it holds neither the lock of reloads nor the runtime.
const PATIENCE: Duration = Duration::from_secs(60);

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
            watch.turn(&executor, &runtime);
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

    /// One turn of the thread, which a panic of the source must not end: without it nobody would see a change again.
    fn turn(&mut self, executor: &tokio::runtime::Runtime, runtime: &Runtime) {
        let look = || executor.block_on(self.look_when_due(runtime));
        if catch_unwind(AssertUnwindSafe(look)).is_err() {
            let error = Error::new(Code::Internal, "the look at the tables panicked");
            self.refuse(runtime, None, &error);
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
        match tokio::time::timeout(PATIENCE, runtime.look()).await {
            Ok(Looked {
                fingerprint,
                outcome: Err(error),
            }) => self.refuse(runtime, fingerprint, &error),
            Ok(Looked {
                outcome: Ok(()), ..
            }) => {}
            Err(_) => {
                let patience = PATIENCE.as_secs();
                let message = format!("the tables could not be read within {patience} s");
                self.refuse(runtime, None, &Error::new(Code::MetadataStale, message));
            }
        }
    }

    /// Records a refusal, unless the same one was recorded a short time ago: also where a good look came between, so that
    /// a source that comes and goes does not flood the log.
    fn refuse(&mut self, runtime: &Runtime, fingerprint: Option<Fingerprint>, error: &Error) {
        let now = runtime.0.clock.elapsed();
        let is_known = self.refused.as_ref().is_some_and(|known| {
            known.fingerprint == fingerprint
                && known.message == error.message()
                && now.saturating_sub(known.at) < AGAIN
        });
        // Nobody waits for an answer here; a log that cannot be written refuses the next decision by itself.
        if !is_known && runtime.record_refused(error).is_ok() {
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
