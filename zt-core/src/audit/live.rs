//! The log of one process: its chain, its worker, its queue.

mod plan;
mod records;

use std::fmt;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::checkpointer::Checkpointer;
use super::counted::{Counted, NotCounted};
use super::disk::Disk;
use super::folder::writer_name;
use super::queue::{Queue, Refused};
use super::recover::{Torn, survey};
use super::ship::Shipping;
use super::status::Status;
use super::worker::{Message, Shared, Worker};
use super::writer::Writer;
use super::{AuditError, AuditOptions, Durability, Health, Kind, Record, Tally};
use crate::clock::{Clock, Timestamp};
use crate::durable::create_folder;
use plan::plan;
use records::{opened, recovered};

/// How long dropping a log waits for its last records.
const DROP_PATIENCE: Duration = Duration::from_secs(1);

/// An open log: one chain of its own in the folder. Safe to share between threads, never async.
///
/// Every append that returns `Ok` is in the chain, also when a segment fails afterwards. After a write or sync error
/// the segment is given up and each append tries a new one; while that fails, each append is an error.
/// [`close`](Self::close) it: dropping flushes too, but cannot say that it failed.
pub(super) struct LiveLog {
    name: String,
    deadline: Duration,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
    shipping: Shipping,
    ending: Mutex<Ending>,
}

/// How far the end of the log has come.
#[derive(Debug)]
enum Ending {
    No,
    /// The writing thread was asked, and has not answered in time.
    Asked(Answer),
    Over,
}

type Answer = Receiver<Result<(), AuditError>>;

impl LiveLog {
    /// As [`AuditLog::open`](super::AuditLog::open).
    pub(super) fn open_on(
        options: &AuditOptions,
        clock: Arc<dyn Clock>,
        disk: Arc<dyn Disk>,
    ) -> Result<Self, AuditError> {
        options.check()?;
        let folder = options.folder.clone();
        create_folder(&folder)
            .map_err(|error| AuditError::unavailable("create the audit folder", &folder, error))?;
        let found = survey(&folder)?;
        let name = writer_name(clock.now())?;
        let status = Arc::new(Status::default());
        let checkpointer = options.signer.as_ref().map(|signer| {
            let (signer, disk) = (Arc::clone(signer), Arc::clone(&disk));
            Checkpointer::start(signer, options, &name, disk, Arc::clone(&status))
        });
        let checkpointer = checkpointer.transpose()?;
        let mut writer = Writer::new(
            folder.clone(),
            name.clone(),
            options.segment_bytes,
            Arc::clone(&clock),
            Arc::clone(&disk),
            Arc::clone(&status),
        );
        let is_signed = checkpointer.is_some();
        let opened = opened(clock.now(), &name, &found.links, is_signed)?;
        writer.push(|text| text.extend_from_slice(opened.as_bytes()), None);
        for torn in &found.torn {
            let record = recovered(clock.now(), torn).fields(None);
            writer.push(|text| text.extend_from_slice(record.as_bytes()), None);
        }
        let retiring = plan(options, checkpointer.as_ref(), clock.now(), &status);
        for record in retiring.records(clock.now()) {
            let record = record?;
            writer.push(|text| text.extend_from_slice(record.as_bytes()), None);
        }
        writer.sync()?;
        found.torn.iter().try_for_each(Torn::cut)?;
        found.remove_unpublished();
        if let Some(checkpointer) = &checkpointer {
            let (folder, status) = (folder.clone(), Arc::clone(&status));
            checkpointer.when_endorsed(writer.size(), move |is_over| {
                if let Err(error) = retiring.remove(&folder, &*disk, is_over) {
                    *status.last_error() = Some(error);
                }
            });
        }
        let shared = Arc::new(Shared {
            queue: Queue::new(options.queue_records, options.queue_bytes),
            counted: Counted::new(options.counted_keys),
            status,
            checkpointer,
        });
        let shipping = Shipping::start(options, &name, &shared, &clock)?;
        let worker = Worker::new(writer, Arc::clone(&shared), clock, options.heartbeat);
        let thread = spawn(worker, &folder)?;
        Ok(Self {
            name,
            deadline: options.deadline,
            shared,
            thread: Mutex::new(Some(thread)),
            shipping,
            ending: Mutex::new(Ending::No),
        })
    }

    /// The name of this log's writer, as in its file names.
    pub(super) fn writer(&self) -> &str {
        &self.name
    }

    /// Appends a record; how long it waits is for `durability` to say.
    ///
    /// While the log fails, every durability waits like [`Durability::Durable`], so that the caller learns whether
    /// its record could be kept.
    ///
    /// # Errors
    ///
    /// [`AuditError::Unavailable`] if it could not be written, [`AuditError::Timeout`] after the deadline,
    /// [`AuditError::Closed`], [`AuditError::Invalid`] for [`Kind::Counted`]. On an error the caller must refuse what
    /// it was about to do; after a timeout the record may still be written.
    pub(super) fn append(&self, record: Record, durability: Durability) -> Result<(), AuditError> {
        if record.kind() == Kind::Counted {
            let what = "`counted` records are written by the audit log alone".to_owned();
            return Err(AuditError::Invalid { what });
        }
        self.shipping.refuse_effect(&record)?;
        if durability == Durability::Remote {
            self.shipping.refuse_remote()?;
            let before = self.shipping.on_disk();
            self.append_durable(record)?;
            return self.shipping.wait_for_remote(before);
        }
        if self.shared.status.is_failed.load(Ordering::Acquire) {
            return self.append_durable(record);
        }
        match durability {
            Durability::Remote | Durability::Durable => self.append_durable(record),
            Durability::Ordered => self.append_ordered(record),
            Durability::Counted => match self.shared.counted.add(record) {
                Ok(()) => Ok(()),
                Err(NotCounted::Full(record)) => self.append_ordered(*record),
                Err(NotCounted::Closed) => Err(AuditError::Closed),
            },
        }
    }

    /// As [`AuditLog::takes_at_once`](super::AuditLog::takes_at_once).
    pub(super) fn takes_at_once(&self) -> bool {
        !self.shared.status.is_failed.load(Ordering::Acquire) && self.shared.queue.has_room()
    }

    /// A counter for a record that may repeat: [`count`](Self::count) is then as good as an append of it as
    /// [`Durability::Counted`], and builds nothing. Nothing is counted yet. `None` when there is no room for another: append
    /// the record instead.
    ///
    /// # Errors
    ///
    /// [`AuditError::Closed`].
    pub(super) fn tally(&self, record: Record) -> Result<Option<Tally>, AuditError> {
        match self.shared.counted.tally(record) {
            Ok(tally) => Ok(Some(tally)),
            Err(NotCounted::Full(_)) => Ok(None),
            Err(NotCounted::Closed) => Err(AuditError::Closed),
        }
    }

    /// Counts one repeat of a [`tally`](Self::tally) of this log.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append).
    pub(super) fn count(&self, tally: &Tally, at: Timestamp) -> Result<(), AuditError> {
        let is_failed = self.shared.status.is_failed.load(Ordering::Acquire);
        if self.shipping.refuses() {
            self.shipping.refuse_effect(&tally.record(at))?;
        }
        if is_failed || !tally.is_of_this_process() {
            return self.append_durable(tally.record(at));
        }
        if tally.add(at) {
            Ok(())
        } else {
            Err(AuditError::Closed)
        }
    }

    /// Returns once everything appended before is on the disk, counted records included. May wait twice the deadline.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append).
    pub(super) fn flush(&self) -> Result<(), AuditError> {
        let (reply, answer) = sync_channel(1);
        self.send(Message::Flush(reply), 0)?;
        wait(&answer, self.deadline, "reach the disk")
    }

    /// Writes everything and a closing record, and ends the log. Afterwards each append is [`AuditError::Closed`].
    ///
    /// # Errors
    ///
    /// [`AuditError::Unavailable`] if it could not be written: the log is then still open and can be closed again.
    /// [`AuditError::Timeout`] if that takes longer than `timeout`, [`AuditError::Closed`] if it was closed before.
    pub(super) fn close(&self, timeout: Duration) -> Result<(), AuditError> {
        let until = Instant::now() + timeout;
        let mut ending = self.ending.lock().unwrap_or_else(PoisonError::into_inner);
        self.end(&mut ending, true, until)?;
        drop(ending);
        let delivered = self.shipping.close(left(until));
        self.settle(until);
        delivered
    }

    /// Nothing is removed any more by a log that has ended.
    fn settle(&self, until: Instant) {
        if let Some(checkpointer) = &self.shared.checkpointer {
            checkpointer.settle(left(until));
        }
    }

    /// How the log is doing; never waits for the disk.
    pub(super) fn health(&self) -> Health {
        let status = &self.shared.status;
        Health {
            is_writable: !status.is_failed.load(Ordering::Acquire),
            last_error: status.last_error().clone(),
            records: status.records.load(Ordering::Acquire),
            syncs: status.syncs.load(Ordering::Acquire),
            queued: self.shared.queue.len(),
            signed: status.signed.load(Ordering::Acquire),
            checkpoint_error: status.checkpoint_error().clone(),
            sinks: self.shipping.health(),
        }
    }

    #[cfg(test)]
    #[cfg(feature = "testing")]
    pub(super) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    fn append_durable(&self, record: Record) -> Result<(), AuditError> {
        let (reply, answer) = sync_channel(1);
        let weight = record.weight();
        let message = Message::Append(record, Some(reply));
        self.send(message, weight)?;
        wait(&answer, self.deadline, "bring the record to the disk")
    }

    fn append_ordered(&self, record: Record) -> Result<(), AuditError> {
        let weight = record.weight();
        self.send(Message::Append(record, None), weight)
    }

    fn send(&self, message: Message, weight: usize) -> Result<(), AuditError> {
        let is_urgent = message.is_urgent();
        let sent = (self.shared.queue).push(message, weight, is_urgent, self.deadline);
        sent.map_err(|refused| match refused {
            Refused::Closed => AuditError::Closed,
            Refused::Full => AuditError::Timeout {
                what: "take the record",
            },
        })
    }

    /// Ends the writing; an end that came too late for an earlier call is waited for.
    fn end(&self, ending: &mut Ending, is_close: bool, until: Instant) -> Result<(), AuditError> {
        let answer = match std::mem::replace(ending, Ending::No) {
            Ending::No => self.ask_to_end(is_close, left(until))?,
            Ending::Asked(answer) => answer,
            Ending::Over => {
                *ending = Ending::Over;
                return Err(AuditError::Closed);
            }
        };
        let ended = wait(&answer, left(until), "close");
        if let Err(AuditError::Timeout { .. }) = ended {
            *ending = Ending::Asked(answer);
        }
        ended?;
        *ending = Ending::Over;
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // It has answered and only has to return; a panic of it was answered as an error.
            drop(thread.join());
        }
        if let Some(checkpointer) = &self.shared.checkpointer {
            // Every record is safe already; that the last note is not signed in time stands in the health.
            checkpointer.end(left(until));
        }
        Ok(())
    }

    fn ask_to_end(&self, is_close: bool, patience: Duration) -> Result<Answer, AuditError> {
        let (reply, answer) = sync_channel(1);
        let message = Message::End { reply, is_close };
        let sent = self.shared.queue.push(message, 0, true, patience);
        sent.map_err(|refused| match refused {
            Refused::Closed => AuditError::Closed,
            Refused::Full => AuditError::Timeout { what: "close" },
        })?;
        Ok(answer)
    }
}

fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

impl Drop for LiveLog {
    fn drop(&mut self) {
        // Nobody is left to tell; `close` is the way to know.
        let until = Instant::now() + DROP_PATIENCE;
        let mut ending = std::mem::replace(
            self.ending
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner),
            Ending::Over,
        );
        drop(self.end(&mut ending, false, until));
        self.settle(until);
    }
}

impl fmt::Debug for LiveLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveLog")
            .field("writer", &self.name)
            .field("health", &self.health())
            .finish_non_exhaustive()
    }
}

fn wait(
    answer: &Receiver<Result<(), AuditError>>,
    deadline: Duration,
    what: &'static str,
) -> Result<(), AuditError> {
    match answer.recv_timeout(deadline) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => Err(AuditError::Timeout { what }),
        Err(RecvTimeoutError::Disconnected) => Err(AuditError::Closed),
    }
}

fn spawn(worker: Worker, folder: &Path) -> Result<JoinHandle<()>, AuditError> {
    thread::Builder::new()
        .name("zt-audit".to_owned())
        .spawn(move || worker.run())
        .map_err(|error| AuditError::unavailable("start a thread for", folder, error))
}
