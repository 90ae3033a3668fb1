//! The log as callers hold it: append, flush, close; in whichever process they are.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::Serialize;
use zt_memory::fork::Local;

use super::disk::{Disk, OsDisk};
use super::live::LiveLog;
use super::{AuditError, AuditOptions, Record, SinkHealth, Tally};
use crate::clock::{Clock, Timestamp};

/// How safe a record must be before the caller goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// On the disk and acknowledged by every remote sink before [`AuditLog::append`] returns, for a disk that may not outlive
    /// the process. An error where no sink acknowledges records.
    Remote,
    /// On the disk before [`AuditLog::append`] returns; callers at the same time share one sync.
    Durable,
    /// Accepted, in order, on the disk within 50 ms. A crash of the process loses at most what is still queued.
    Ordered,
    /// Equal repeats are collapsed into one record with their number, written each second, at flush and at close.
    Counted,
}

/// An open log: one chain of its own in the folder. Safe to share between threads, never async.
///
/// Every append that returns `Ok` is in the chain, also when a segment fails afterwards. After a write or sync error
/// the segment is given up and each append tries a new one; while that fails, each append is an error.
/// A forked child opens a log of its own in the same folder at its first append: a chain has one writer.
/// [`close`](Self::close) it: dropping flushes too, but cannot say that it failed.
pub struct AuditLog {
    options: AuditOptions,
    clock: Arc<dyn Clock>,
    disk: Arc<dyn Disk>,
    /// The chain of this process; none in a child before its first append.
    own: Local<OnceLock<LiveLog>>,
}

/// How the log is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Health {
    /// Whether records can be written, as far as the last attempt tells.
    pub is_writable: bool,
    /// The newest failure, kept after recovery.
    pub last_error: Option<String>,
    /// Records on the disk.
    pub records: u64,
    /// Syncs so far.
    pub syncs: u64,
    /// Records waiting to be written.
    pub queued: usize,
    /// Records under a signed checkpoint; 0 in a log that signs none.
    pub signed: u64,
    /// Why the newest checkpoint is not signed, kept or endorsed by the audit key, or that somebody else changed those before it.
    /// No record is lost by it.
    pub checkpoint_error: Option<String>,
    /// The sinks.
    pub sinks: Vec<SinkHealth>,
}

impl AuditLog {
    /// Starts a new log in the folder: recovers the torn ends of killed writers, links the newest other logs, and
    /// returns once all of that is on the disk. Blocks for as long as reading up to 16 unfinished segments takes.
    ///
    /// # Errors
    ///
    /// [`AuditError::Unavailable`] if the folder cannot be written, [`AuditError::Tampered`] if an unfinished log is
    /// damaged elsewhere than at its end, [`AuditError::Invalid`] for senseless options.
    pub fn open(options: AuditOptions, clock: Arc<dyn Clock>) -> Result<Self, AuditError> {
        Self::open_on(options, clock, Arc::new(OsDisk))
    }

    pub(super) fn open_on(
        options: AuditOptions,
        clock: Arc<dyn Clock>,
        disk: Arc<dyn Disk>,
    ) -> Result<Self, AuditError> {
        let log = Self {
            options,
            clock,
            disk,
            own: Local::new(),
        };
        let _ours = log.here()?;
        Ok(log)
    }

    /// The log of this process, opened if it is a child that has none yet.
    fn here(&self) -> Result<&LiveLog, AuditError> {
        let place = self.own.get_or_init(OnceLock::new);
        if let Some(live) = place.get() {
            return Ok(live);
        }
        let (clock, disk) = (Arc::clone(&self.clock), Arc::clone(&self.disk));
        let live = LiveLog::open_on(&self.options, clock, disk)?;
        // Two threads may open one each; the second ends its own, which has records of opening and closing alone.
        Ok(place.get_or_init(|| live))
    }

    #[cfg(test)]
    #[cfg(feature = "testing")]
    pub(super) fn insides(&self) -> (String, Arc<super::worker::Shared>) {
        let live = self.here().unwrap();
        (live.writer().to_owned(), live.shared())
    }

    fn opened(&self) -> Option<&LiveLog> {
        self.own.get().and_then(OnceLock::get)
    }

    /// The name of this log's writer, as in its file names; empty in a child that has written nothing yet.
    #[must_use]
    pub fn writer(&self) -> &str {
        self.opened().map_or("", LiveLog::writer)
    }

    /// Appends a record; how long it waits is for `durability` to say.
    ///
    /// While the log fails, every durability waits like [`Durability::Durable`], so that the caller learns whether
    /// its record could be kept.
    ///
    /// # Errors
    ///
    /// [`AuditError::Unavailable`] if it could not be written, [`AuditError::Timeout`] after the deadline,
    /// [`AuditError::Closed`], [`AuditError::Invalid`] for [`Kind::Counted`](super::Kind::Counted),
    /// [`AuditError::Unacknowledged`] for [`Durability::Remote`] alone, [`AuditError::Behind`] for what has an effect while
    /// a sink is too far behind. On an error the caller must refuse what it was about to do; after a timeout or without an
    /// acknowledgement the record may still be written.
    pub fn append(&self, record: Record, durability: Durability) -> Result<(), AuditError> {
        self.here()?.append(record, durability)
    }

    /// Whether [`Durability::Ordered`] and [`Durability::Counted`] take a record now without a wait: the log is open in this
    /// process, does not fail, and its queue has room.
    pub(crate) fn takes_at_once(&self) -> bool {
        self.opened().is_some_and(LiveLog::takes_at_once)
    }

    /// A counter for a record that may repeat: [`count`](Self::count) is then as good as an append of it as
    /// [`Durability::Counted`], and builds nothing. Nothing is counted yet. `None` when there is no room for another: append
    /// the record instead.
    ///
    /// # Errors
    ///
    /// [`AuditError::Closed`].
    pub fn tally(&self, record: Record) -> Result<Option<Tally>, AuditError> {
        self.here()?.tally(record)
    }

    /// Counts one repeat of a [`tally`](Self::tally) of this log.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append).
    pub fn count(&self, tally: &Tally, at: Timestamp) -> Result<(), AuditError> {
        self.here()?.count(tally, at)
    }

    /// Returns once everything appended before is on the disk, counted records included. May wait twice the deadline.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append).
    pub fn flush(&self) -> Result<(), AuditError> {
        self.here()?.flush()
    }

    /// Writes everything and a closing record, lets the sinks have the rest, and ends the log. Afterwards each append is
    /// [`AuditError::Closed`]. What retention was removing is waited for as long as `timeout` allows, and stopped then: the next
    /// log that is opened in the folder goes on.
    ///
    /// # Errors
    ///
    /// [`AuditError::Unavailable`] if it could not be written: the log is then still open and can be closed again.
    /// [`AuditError::Timeout`] if that takes longer than `timeout`, [`AuditError::Closed`] if it was closed before.
    /// [`AuditError::Undelivered`] if the log is closed and a sink lacks records of it.
    pub fn close(&self, timeout: Duration) -> Result<(), AuditError> {
        self.here()?.close(timeout)
    }

    /// How the log is doing; never waits for the disk.
    #[must_use]
    pub fn health(&self) -> Health {
        self.opened().map_or_else(Health::unopened, LiveLog::health)
    }
}

impl Health {
    /// A child that has written nothing yet: nothing is known to be wrong.
    const fn unopened() -> Self {
        Self {
            is_writable: true,
            last_error: None,
            records: 0,
            syncs: 0,
            queued: 0,
            signed: 0,
            checkpoint_error: None,
            sinks: Vec::new(),
        }
    }
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLog")
            .field("writer", &self.writer())
            .field("health", &self.health())
            .finish_non_exhaustive()
    }
}
