//! The loop of the writing thread: takes what is queued, decides when to write, when to sync and when to end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use super::checkpointer::Checkpointer;
use super::counted::Counted;
use super::queue::Queue;
use super::record::Count;
use super::status::Status;
use super::writer::{Reply, Writer, answer};
use super::{AuditError, Kind, Outcome, Record};
use crate::clock::{Clock, civil};

/// How long an ordered record may stay off the disk, counted from when it was taken; with [`GATHERING`] 50 ms.
const ORDERED: Duration = Duration::from_millis(48);
/// How long records that nobody waits for gather before they are taken.
const GATHERING: Duration = Duration::from_millis(2);
/// How many ordered records may.
const ORDERED_RECORDS: usize = 4096;
/// How many bytes of records are written at once: while they wait they fit the nearer caches of a processor.
const AT_ONCE: usize = 1 << 17;
/// For how many records memory is kept while none come.
const KEPT: usize = 512;
/// How often counted records are written.
const COUNTED: Duration = Duration::from_secs(1);
/// How often a log that grows is checkpointed.
const CHECKPOINT: Duration = Duration::from_secs(10);
/// And after how many records.
const CHECKPOINT_RECORDS: u64 = 10_000;

/// What callers and the writing thread share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) queue: Queue<Message>,
    pub(super) counted: Counted,
    pub(super) status: Arc<Status>,
    /// None in a log that signs nothing.
    pub(super) checkpointer: Option<Checkpointer>,
}

/// What callers ask of the thread.
#[derive(Debug)]
pub(super) enum Message {
    /// Write it; with a reply, answer when it is on the disk.
    Append(Record, Option<Reply>),
    /// Answer when everything before is on the disk.
    Flush(Reply),
    /// Write everything, and a closing record if asked, and end.
    End { reply: Reply, is_close: bool },
}

impl Message {
    /// Whether somebody waits for the answer.
    pub(super) const fn is_urgent(&self) -> bool {
        match self {
            Self::Append(_, reply) => reply.is_some(),
            Self::Flush(_) | Self::End { .. } => true,
        }
    }
}

/// The state of the thread.
#[derive(Debug)]
pub(super) struct Worker {
    writer: Writer,
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    /// When the oldest record that is not on the disk was taken.
    oldest: Option<Duration>,
    counted_at: Duration,
    flushes: Vec<Reply>,
    end: Option<(Reply, bool)>,
    must_sync: bool,
    /// After how long without a record one says that the log is alive.
    heartbeat: Duration,
    /// When the newest record was taken.
    pushed_at: Duration,
    /// When the newest checkpoint was asked for, and of how many records.
    offered: (Duration, u64),
    /// What was taken; empty between two rounds, which it spares their memory.
    batch: VecDeque<Message>,
    moments: civil::Writer,
}

impl Worker {
    pub(super) fn new(
        writer: Writer,
        shared: Arc<Shared>,
        clock: Arc<dyn Clock>,
        heartbeat: Duration,
    ) -> Self {
        Self {
            counted_at: clock.elapsed(),
            pushed_at: clock.elapsed(),
            offered: (clock.elapsed(), 0),
            batch: VecDeque::new(),
            moments: civil::Writer::default(),
            heartbeat,
            writer,
            shared,
            clock,
            oldest: None,
            flushes: Vec::new(),
            end: None,
            must_sync: false,
        }
    }

    /// Runs until the log ends.
    pub(super) fn run(mut self) {
        // Whatever ends this thread, callers must not wait for it.
        let _on_exit = OnExit(Arc::clone(&self.shared));
        self.checkpoint();
        loop {
            let is_idle = self.take(self.patience(), GATHERING);
            self.count(is_idle);
            self.beat(is_idle);
            if let Some((reply, is_close)) = self.end.take() {
                if self.finish(reply, is_close) {
                    return;
                }
                continue;
            }
            self.settle(is_idle);
            if self.is_checkpoint_due() {
                self.checkpoint();
            }
        }
    }

    /// Also what was asked for and failed is asked for again.
    fn is_checkpoint_due(&self) -> bool {
        let (at, of) = self.offered;
        let size = self.writer.size();
        let is_open = size > self.shared.status.signed.load(Ordering::Acquire);
        let is_late = self.clock.elapsed().saturating_sub(at) >= CHECKPOINT;
        size.saturating_sub(of) >= CHECKPOINT_RECORDS || (is_late && is_open)
    }

    fn checkpoint(&mut self) {
        if let Some(checkpointer) = &self.shared.checkpointer {
            self.offered = (self.clock.elapsed(), self.writer.size());
            checkpointer.offer(self.writer.tree_head());
        }
    }

    /// Says that the log is alive, when nothing else has said so for long.
    fn beat(&mut self, is_idle: bool) {
        let silence = self.clock.elapsed().saturating_sub(self.pushed_at);
        if is_idle && silence >= self.heartbeat && self.writer.error().is_none() {
            let resource = format!("audit:{}", self.writer.name());
            let now = self.clock.now();
            let record = Record::new(Kind::Admin, now, "audit.alive", resource, Outcome::Ok);
            self.push(self.clock.elapsed(), &record, None, None);
        }
    }

    /// How long to wait for a next message. Each wait that runs out is a tick, so that a clock that stands still in a
    /// test delays nothing.
    fn patience(&self) -> Duration {
        match self.oldest {
            Some(oldest) if self.writer.error().is_none() => {
                ORDERED.saturating_sub(self.clock.elapsed().saturating_sub(oldest))
            }
            Some(_) | None => COUNTED,
        }
    }

    /// Takes what is queued; whether that was nothing.
    fn take(&mut self, patience: Duration, gathering: Duration) -> bool {
        let mut batch = std::mem::take(&mut self.batch);
        self.shared.queue.take(patience, gathering, &mut batch);
        let is_idle = batch.is_empty();
        let now = self.clock.elapsed();
        for message in batch.drain(..) {
            match message {
                Message::Append(record, reply) => self.push(now, &record, None, reply),
                Message::Flush(reply) => self.flushes.push(reply),
                Message::End { reply, is_close } => self.end = Some((reply, is_close)),
            }
        }
        if is_idle {
            batch.shrink_to(KEPT);
        }
        self.batch = batch;
        is_idle
    }

    fn push(&mut self, now: Duration, record: &Record, count: Option<Count>, reply: Option<Reply>) {
        self.must_sync |= reply.is_some();
        self.pushed_at = now;
        self.oldest.get_or_insert(now);
        let moments = &mut self.moments;
        self.writer
            .push(|text| record.push_fields(count, moments, text), reply);
        if self.writer.unwritten() >= AT_ONCE && self.writer.error().is_none() {
            // A failure was told to who waits, and what was accepted is kept.
            let _written = self.writer.write();
        }
    }

    /// Writes what was counted, when it is time.
    fn count(&mut self, is_idle: bool) {
        let now = self.clock.elapsed();
        let is_due = is_idle || now.saturating_sub(self.counted_at) >= COUNTED;
        // While nothing can be written, counting on costs less than holding one record for each second.
        let is_due = is_due && self.writer.error().is_none();
        if is_due || !self.flushes.is_empty() {
            self.counted_at = now;
            for (record, count) in self.shared.counted.take() {
                self.push(now, &record, Some(count), None);
            }
        }
    }

    fn settle(&mut self, is_idle: bool) {
        if self.writer.unsynced() == 0 && self.flushes.is_empty() {
            self.oldest = None;
            return;
        }
        let age = |oldest| self.clock.elapsed().saturating_sub(oldest);
        let must_sync = self.must_sync
            || is_idle
            || !self.flushes.is_empty()
            || self.writer.unsynced() >= ORDERED_RECORDS
            || self.oldest.is_some_and(|oldest| age(oldest) >= ORDERED);
        if must_sync {
            let result = self.writer.sync();
            self.synced(&result);
        } else if self.writer.write().is_err() {
            // The status and every waiter were told; what was accepted is kept for the next segment.
            self.must_sync = false;
        }
    }

    fn synced(&mut self, result: &Result<(), AuditError>) {
        self.must_sync = false;
        if self.writer.unsynced() == 0 {
            self.oldest = None;
        }
        for flush in self.flushes.drain(..) {
            answer(Some(flush), result.clone());
        }
    }

    /// Ends the log; returns whether it did. A log that cannot be closed stays open.
    fn finish(&mut self, reply: Reply, is_close: bool) -> bool {
        self.shared.queue.close();
        let _is_idle = self.take(Duration::ZERO, Duration::ZERO);
        let now = self.clock.elapsed();
        for (record, count) in self.shared.counted.close() {
            self.push(now, &record, Some(count), None);
        }
        if is_close {
            let record = Record::new(
                Kind::Admin,
                self.clock.now(),
                "audit.close",
                format!("audit:{}", self.writer.name()),
                Outcome::Ok,
            );
            // With a reply it is dropped on failure, as it must be: the log then goes on. Nobody listens to this one,
            // because the caller may be answered only after the queue is open again.
            let (unheard, _) = sync_channel(1);
            // Not written before the sync: a failure that drops it must be the one that is told.
            let moments = &mut self.moments;
            self.writer.push(
                |text| record.push_fields(None, moments, text),
                Some(unheard),
            );
        }
        let ended = self.writer.sync();
        self.synced(&ended);
        let is_over = ended.is_ok() || !is_close;
        if is_over {
            self.checkpoint();
        } else {
            self.shared.counted.reopen();
            self.shared.queue.reopen();
        }
        answer(Some(reply), ended);
        is_over
    }
}

/// Closes the queue when the thread ends, by a panic too, and lets go of who waits in it.
struct OnExit(Arc<Shared>);

impl Drop for OnExit {
    fn drop(&mut self) {
        self.0.queue.close();
        drop(self.0.counted.close());
        let mut rest = VecDeque::new();
        self.0.queue.take(Duration::ZERO, Duration::ZERO, &mut rest);
    }
}
