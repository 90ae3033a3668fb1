//! One sink's work: read on from the cursor, deliver, move the cursor.
//!
//! In: the clock and a sink. Out: a [`Step`] for each round, which the sink's thread and tests drive. A cursor moves only behind
//! what was acknowledged; a crash in between delivers the same records again.

mod receipt;
mod survey;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::TryLockError;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::super::cursor::{self, Cursor, Found};
use super::super::disk::{Locked, owner_only};
use super::super::follow::{Followed, Log, Position};
use super::super::options::SinkOptions;
use super::super::sink::{AuditSink, BatchLimit, SinkBatch, SinkError};
use super::super::worker;
use super::super::{AuditError, Kind, Outcome, Record};
use super::pause::Pause;
use super::state::{Phase, SinkState};
use super::trouble::Trouble;
use crate::clock::Clock;
use crate::durable::create_folder;

/// How long records may wait for more of them.
const TICK: Duration = Duration::from_secs(1);
/// How often the folder is searched for the logs of dead writers.
const LOOK: Duration = Duration::from_secs(30);
/// How many batches of one log are delivered before another one has its turn.
const BATCHES: usize = 16;
/// An adapter has a deadline of its own; a sink that still says nothing has failed.
const PATIENCE: Duration = Duration::from_secs(120);

/// This process's log.
pub(super) struct Own {
    folder: PathBuf,
    writer: String,
    shared: Arc<worker::Shared>,
}

impl Own {
    pub(super) fn new(folder: &Path, writer: &str, shared: &Arc<worker::Shared>) -> Self {
        Self {
            folder: folder.to_path_buf(),
            writer: writer.to_owned(),
            shared: Arc::clone(shared),
        }
    }

    /// Appends a record about the sinks themselves, if the log has room for it now: nothing here waits for the log.
    fn record(&self, record: Record) {
        let weight = record.weight();
        let message = worker::Message::Append(record, None);
        let _may_be_full = self
            .shared
            .queue
            .push(message, weight, false, Duration::ZERO);
    }
}

/// What a round came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// There is more to deliver.
    More,
    /// The sink has everything.
    Level,
    /// After a failure, until the next attempt.
    Waits,
}

/// One sink of one log.
pub(super) struct Shipper {
    own: Own,
    /// Where the cursors are.
    place: PathBuf,
    name: String,
    sink: Arc<dyn AuditSink>,
    most: BatchLimit,
    clock: Arc<dyn Clock>,
    state: Arc<SinkState>,
    /// How far the own log is delivered, also where its cursor cannot be written.
    at: Option<Position>,
    /// Where a sink went back to, until it moves on.
    back_at: Option<(String, u64)>,
    pause: Pause,
    next_attempt: Duration,
    next_look: Duration,
    /// Dead writers whose logs are still to be delivered.
    left: Vec<String>,
    /// Dead writers whose logs are damaged, as of the last attempt: what will not come does not count as late for ever.
    damaged: BTreeSet<String>,
    /// Logs of which a file was gone at the last attempt, and which.
    gone: BTreeMap<String, PathBuf>,
}

impl Shipper {
    pub(super) fn new(
        sink: &SinkOptions,
        own: Own,
        clock: Arc<dyn Clock>,
        state: Arc<SinkState>,
    ) -> Result<Self, AuditError> {
        let place = cursor::folder_of(&own.folder, &sink.name);
        create_folder(&place).map_err(|error| {
            AuditError::unavailable("create the folder of the sink", &place, error)
        })?;
        Ok(Self {
            pause: Pause::of(&own.writer, &sink.name),
            own,
            place,
            name: sink.name.clone(),
            most: sink.sink.most(),
            sink: Arc::clone(&sink.sink),
            clock,
            state,
            at: None,
            back_at: None,
            next_attempt: Duration::ZERO,
            next_look: Duration::ZERO,
            left: Vec::new(),
            damaged: BTreeSet::new(),
            gone: BTreeMap::new(),
        })
    }

    /// Delivers until the log ends.
    pub(super) async fn run(&mut self) {
        loop {
            let is_draining = match self.state.phase() {
                Phase::Ends | Phase::Over => return,
                Phase::Drains => true,
                Phase::Runs => false,
            };
            let step = self.round(is_draining).await;
            self.state.look();
            match step {
                Step::More => tokio::task::yield_now().await,
                Step::Level | Step::Waits if is_draining => return,
                Step::Level | Step::Waits => {
                    let _woken_or_not = timeout(TICK, self.state.woken.notified()).await;
                }
            }
        }
    }

    /// One round. At the end of the log it is tried at once, and only this process's log.
    pub(super) async fn round(&mut self, is_draining: bool) -> Step {
        if !is_draining && self.clock.elapsed() < self.next_attempt {
            return Step::Waits;
        }
        let began = self.clock.elapsed();
        match self.deliver(is_draining).await {
            Ok(is_level) => {
                self.pause.over();
                if !is_level {
                    return Step::More;
                }
                self.state.is_level(began);
                Step::Level
            }
            Err(trouble) => {
                self.fail(&trouble);
                Step::Waits
            }
        }
    }

    /// The sink's own code panicked.
    pub(super) fn panicked(&mut self) {
        self.fail(&SinkError::unavailable("the sink panicked").into());
    }

    fn fail(&mut self, trouble: &Trouble) {
        let wait = self.pause.after(trouble);
        self.next_attempt = self.clock.elapsed().saturating_add(wait);
        let text = trouble.to_string();
        tracing::warn!(target: "zt::audit", sink = %self.name, why = %text, "records are not delivered");
        self.state.failed(&text, Some(self.next_attempt));
    }

    /// Whether everything is delivered.
    async fn deliver(&mut self, is_draining: bool) -> Result<bool, Trouble> {
        let own = self.deliver_own().await;
        let is_level = match own {
            Ok(true) if is_draining => return Ok(true),
            Ok(false) => return Ok(false),
            Err(trouble) if is_draining || trouble.is_of_sink() => return Err(trouble),
            Ok(true) => Ok(()),
            Err(trouble) => Err(trouble),
        };
        let is_over = self.deliver_others().await?;
        is_level.map(|()| is_over)
    }

    async fn deliver_own(&mut self) -> Result<bool, Trouble> {
        let on_disk = self.state.on_disk();
        if self.state.acknowledged() >= on_disk {
            return Ok(true);
        }
        let writer = self.own.writer.clone();
        self.deliver_log(&writer, Some(on_disk)).await
    }

    /// One of the logs that dead writers left.
    async fn deliver_others(&mut self) -> Result<bool, Trouble> {
        if self.left.is_empty() {
            let now = self.clock.elapsed();
            if now < self.next_look {
                return Ok(true);
            }
            self.next_look = now.saturating_add(LOOK);
            self.survey()?;
        }
        let Some(writer) = self.left.pop() else {
            return Ok(true);
        };
        match self.deliver_log(&writer, None).await {
            Ok(true) => drop(self.damaged.remove(&writer)),
            Ok(false) => self.left.push(writer),
            Err(trouble) if trouble.is_of_sink() => {
                self.left.push(writer);
                return Err(trouble);
            }
            // One damaged log is no reason to hold up the others.
            Err(trouble) => {
                self.state.failed(&trouble.to_string(), None);
                if trouble.is_damage() {
                    self.damaged.insert(writer);
                }
            }
        }
        if self.left.is_empty() {
            self.survey()?;
            self.left.clear();
        }
        Ok(self.left.is_empty())
    }

    /// Delivers some batches of a log; whether nothing is left. What is removed by rule meanwhile, the sink has: the next round
    /// goes on behind it.
    async fn deliver_log(&mut self, writer: &str, up_to: Option<u64>) -> Result<bool, Trouble> {
        let delivered = self.deliver_batches(writer, up_to).await;
        self.passing_over(writer, delivered)
    }

    /// A file that is gone is no trouble once: one that the next look names again and that is gone again is.
    pub(super) fn passing_over(
        &mut self,
        writer: &str,
        delivered: Result<bool, Trouble>,
    ) -> Result<bool, Trouble> {
        let gone = delivered.as_ref().err().and_then(Trouble::gone);
        let Some(gone) = gone.map(Path::to_path_buf) else {
            self.gone.remove(writer);
            return delivered;
        };
        let before = self.gone.insert(writer.to_owned(), gone.clone());
        if before.as_ref() == Some(&gone) {
            return delivered;
        }
        Ok(false)
    }

    async fn deliver_batches(&mut self, writer: &str, up_to: Option<u64>) -> Result<bool, Trouble> {
        let Some(_turn) = self.turn(writer)? else {
            return Ok(true);
        };
        let folder = self.own.folder.clone();
        let log = Log {
            folder: &folder,
            writer,
        };
        let Some(mut at) = self.position(log)? else {
            return Ok(true);
        };
        for _ in 0..BATCHES {
            let read = log.read(&at, self.most, up_to)?;
            let Some(first) = read.first() else {
                return Ok(true);
            };
            self.state.lacks(first.at);
            let is_start = log.is_start(&first.position)?;
            let positions: Vec<Position> = read.iter().map(|read| read.position).collect();
            let records = read.into_iter().map(|Followed { record, .. }| record);
            let batch = SinkBatch::new(writer, records.collect()).starting(is_start);
            let delivered = timeout(PATIENCE, self.sink.deliver(&batch)).await;
            let receipt = delivered
                .unwrap_or_else(|_| Err(SinkError::unavailable("the sink does not answer")))?;
            at = self.take(log, &batch, &positions, &receipt)?;
            // Somebody may wait for a record of this process; nobody waits for those of the dead.
            if writer != self.own.writer && self.state.acknowledged() < self.state.on_disk() {
                break;
            }
        }
        Ok(false)
    }

    /// Where a log goes on.
    fn position(&self, log: Log<'_>) -> Result<Option<Position>, Trouble> {
        if let Some(at) = self.at.filter(|_| log.writer == self.own.writer) {
            if log.has(at.segment) {
                return Ok(Some(at));
            }
            // Another process removed, by rule, what was delivered and ended just here.
            let start = log.start()?;
            if start.is_some_and(|start| start.link != at.link) {
                let reason = format!("what follows record {} is gone", at.link.seq);
                self.note(
                    "audit.cursor_rejected",
                    log.writer,
                    Outcome::Failed,
                    &reason,
                );
            }
            return Ok(start);
        }
        let claimed = match Cursor::read(&self.place, log.writer).map_err(Trouble::place)? {
            Found::Nothing => return Ok(log.start()?),
            Found::Damaged => None,
            Found::Cursor(cursor) => cursor.claim(),
        };
        let confirmed = match &claimed {
            Some(claimed) => log.resume(claimed)?,
            None => None,
        };
        if confirmed.is_some() {
            return Ok(confirmed);
        }
        let reason = match claimed {
            Some(claimed) => format!("the log has no such record {}", claimed.link.seq),
            None => "the file is damaged".to_owned(),
        };
        self.note(
            "audit.cursor_rejected",
            log.writer,
            Outcome::Failed,
            &reason,
        );
        self.state
            .failed(&format!("the cursor of `{}`: {reason}", log.writer), None);
        Ok(log.start()?)
    }

    /// Writes into the log what happened to the delivery of one.
    fn note(&self, action: &str, writer: &str, outcome: Outcome, reason: &str) {
        let now = self.clock.now();
        let record = Record::new(Kind::Admin, now, action, format!("audit:{writer}"), outcome);
        self.own.record(
            record
                .with_detail("sink", self.name.as_str())
                .with_detail("reason", reason),
        );
    }

    /// The right to deliver a log; `None` while another process does.
    fn turn(&self, writer: &str) -> Result<Option<Locked>, Trouble> {
        let path = self.place.join(format!("{writer}.lock"));
        let file = owner_only().create(true).truncate(false).open(&path);
        match Locked::new(file.map_err(Trouble::place)?) {
            Ok(turn) => Ok(Some(turn)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(Trouble::place(error)),
        }
    }
}
