//! Brings the records of a folder to its sinks: a thread for each sink, which follows this process's log and the logs that
//! dead writers left.
//!
//! In: an open log and the sinks of its options. Out: nothing that a caller waits for, except where a record must be in a
//! sink before the answer. Never: a wait of the log for a sink, a record that is passed over, memory that grows with what is
//! not delivered yet.

mod aside;
mod pause;
mod shipper;
mod state;
#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
mod trouble;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use super::options::SinkOptions;
use super::status::Status;
use super::worker;
use super::{AuditError, AuditOptions, Kind, Outcome, Record};
use crate::clock::Clock;
use shipper::{Own, Shipper};
pub use state::SinkHealth;
use state::SinkState;

/// The sinks of one open log.
pub(super) struct Shipping {
    sinks: Vec<Arc<SinkState>>,
    status: Arc<Status>,
    remote_deadline: Duration,
    has_limit: bool,
}

impl Shipping {
    /// Starts a thread for each sink.
    pub(super) fn start(
        options: &AuditOptions,
        writer: &str,
        shared: &Arc<worker::Shared>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, AuditError> {
        let mut shipping = Self {
            sinks: Vec::with_capacity(options.sinks.len()),
            status: Arc::clone(&shared.status),
            remote_deadline: options.remote_deadline,
            has_limit: options.most_lag.is_some(),
        };
        for sink in &options.sinks {
            let state = Arc::new(SinkState::new(
                sink,
                options.most_lag,
                clock,
                &shared.status,
            ));
            let own = Own::new(options.folder(), writer, shared);
            let shipper = Shipper::new(sink, own, Arc::clone(clock), Arc::clone(&state))?;
            spawn(sink, shipper, Arc::clone(&state)).map_err(|error| {
                AuditError::unavailable("start a thread for a sink of", options.folder(), error)
            })?;
            shipping.sinks.push(state);
        }
        Ok(shipping)
    }

    /// Refuses what has an effect while a sink is further behind than the options allow. What was denied or refused anyway is
    /// recorded still.
    pub(super) fn refuse_effect(&self, record: &Record) -> Result<(), AuditError> {
        if !self.has_limit || !has_effect(record) {
            return Ok(());
        }
        match self.sinks.iter().find(|sink| sink.is_behind()) {
            Some(sink) => Err(AuditError::Behind {
                sink: sink.name().to_owned(),
                behind: sink.lag(),
            }),
            None => Ok(()),
        }
    }

    /// Whether an effect would be refused now.
    pub(super) fn refuses(&self) -> bool {
        self.has_limit && self.sinks.iter().any(|sink| sink.is_behind())
    }

    /// Refuses at once what could not be acknowledged.
    pub(super) fn refuse_remote(&self) -> Result<(), AuditError> {
        if self.sinks.iter().any(|sink| sink.is_remote()) {
            return Ok(());
        }
        Err(AuditError::Unacknowledged {
            sink: "remote".to_owned(),
            reason: "no sink of this log acknowledges records".to_owned(),
        })
    }

    /// The newest record that is on the disk.
    pub(super) fn on_disk(&self) -> u64 {
        self.status.records.load(Ordering::Acquire)
    }

    /// Returns once every remote sink keeps all that came to the disk after this record.
    pub(super) fn wait_for_remote(&self, after: u64) -> Result<(), AuditError> {
        let seq = self.on_disk();
        let until = Instant::now() + self.remote_deadline;
        let remote = || self.sinks.iter().filter(|sink| sink.is_remote());
        remote().for_each(|sink| sink.wake());
        for sink in remote() {
            let left = until.saturating_duration_since(Instant::now());
            sink.wait_for(after, seq, left)
                .map_err(|reason| AuditError::Unacknowledged {
                    sink: sink.name().to_owned(),
                    reason,
                })?;
        }
        Ok(())
    }

    /// Lets every sink deliver what it lacks for so long, and ends them.
    pub(super) fn close(&self, timeout: Duration) -> Result<(), AuditError> {
        let until = Instant::now() + timeout;
        self.sinks.iter().for_each(|sink| sink.stop());
        let mut missing = Vec::new();
        for sink in &self.sinks {
            let left = until.saturating_duration_since(Instant::now());
            if let Err(records) = sink.wait_for_end(left) {
                missing.push(format!("`{}` lacks {records}", sink.name()));
            }
        }
        // One that is still in a call ends after it.
        self.end();
        if missing.is_empty() {
            return Ok(());
        }
        Err(AuditError::Undelivered {
            what: missing.join(", "),
        })
    }

    /// Ends every sink after the call that it is in.
    fn end(&self) {
        self.sinks.iter().for_each(|sink| sink.end());
    }

    pub(super) fn health(&self) -> Vec<SinkHealth> {
        self.sinks.iter().map(|sink| sink.health()).collect()
    }
}

/// Whether it stands for something that is then done.
fn has_effect(record: &Record) -> bool {
    match (record.kind(), record.outcome()) {
        (Kind::Decision, Outcome::Allow) | (Kind::Release | Kind::Effect, Outcome::Ok) => true,
        (
            Kind::Decision
            | Kind::Release
            | Kind::Effect
            | Kind::Authentication
            | Kind::Admin
            | Kind::Counted,
            _,
        ) => false,
    }
}

fn spawn(sink: &SinkOptions, shipper: Shipper, state: Arc<SinkState>) -> std::io::Result<()> {
    // Deliveries wait inside of the executor, so that what they started goes on between two of them.
    let executor = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let work = move || {
        let _on_exit = OnExit(Arc::clone(&state));
        // Dropped before anybody is told that it is over: what the sink holds open is closed by then.
        let (executor, mut shipper) = (executor, shipper);
        loop {
            let ran = catch_unwind(AssertUnwindSafe(|| executor.block_on(shipper.run())));
            match ran {
                Ok(()) => return,
                Err(_) => shipper.panicked(),
            }
        }
    };
    thread::Builder::new()
        .name(format!("zt-sink-{}", sink.name))
        .spawn(work)
        .map(drop)
}

/// Whoever waits for the thread's end is told, however it ends.
struct OnExit(Arc<SinkState>);

impl Drop for OnExit {
    fn drop(&mut self) {
        self.0.ended();
    }
}

impl Drop for Shipping {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for Shipping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.health()).finish()
    }
}
