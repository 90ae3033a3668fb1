//! How a sink is doing, for everybody to read without waiting for it, and for the few who wait for it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::Notify;

use super::super::options::SinkOptions;
use super::super::status::Status;
use crate::clock::{Clock, Timestamp};

/// How a sink is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SinkHealth {
    /// Its name.
    pub name: String,
    /// Whether it has delivered, or had nothing to deliver, at the last attempt.
    pub is_delivering: bool,
    /// Whether records can wait for its acknowledgement.
    pub is_remote: bool,
    /// Records that it acknowledged to this process.
    pub delivered: u64,
    /// Records that can never be delivered and were set aside.
    pub refused: u64,
    /// Records on the disk that it lacks: of this process, and of dead writers as of the last look at the folder.
    pub behind: u64,
    /// For how long it has lacked any, in seconds; the age of the oldest where that is known.
    pub behind_s: u64,
    /// In how many seconds the next attempt is made, after a failure.
    pub next_attempt_s: Option<u64>,
    /// The newest failure, kept after recovery.
    pub last_error: Option<String>,
}

/// What the sink's thread tells, and is told.
#[derive(Debug)]
pub(super) struct SinkState {
    name: String,
    is_remote: bool,
    most_lag: Option<Duration>,
    clock: Arc<dyn Clock>,
    log: Arc<Status>,
    is_behind: AtomicBool,
    inner: Mutex<Inner>,
    moved: Condvar,
    /// Wakes the sink's thread.
    pub(super) woken: Notify,
}

#[derive(Debug)]
struct Inner {
    /// The newest record of this process's log that the sink has.
    acknowledged: u64,
    /// Records of dead writers that it lacks.
    of_others: u64,
    /// Records of dead writers whose logs are damaged: it lacks them for ever, which is no lag.
    of_damaged: u64,
    /// When the oldest record that it lacks was made, where one was read.
    oldest: Option<Timestamp>,
    /// When it last lacked nothing.
    level_at: Duration,
    next_attempt: Option<Duration>,
    last_error: Option<String>,
    is_failing: bool,
    delivered: u64,
    refused: u64,
    /// The newest records of this process's log that were set aside, at most [`MOST_REFUSED`], and the newest forgotten one.
    refused_here: VecDeque<u64>,
    refused_before: u64,
    phase: Phase,
}

/// Far more than anybody waits for at a time.
const MOST_REFUSED: usize = 1024;

/// What the sink's thread is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Deliver.
    Runs,
    /// Deliver what is there, and end.
    Drains,
    /// End.
    Ends,
    /// It has.
    Over,
}

impl SinkState {
    pub(super) fn new(
        sink: &SinkOptions,
        most_lag: Option<Duration>,
        clock: &Arc<dyn Clock>,
        log: &Arc<Status>,
    ) -> Self {
        Self {
            name: sink.name.clone(),
            is_remote: sink.is_remote,
            most_lag,
            clock: Arc::clone(clock),
            log: Arc::clone(log),
            is_behind: AtomicBool::new(false),
            inner: Mutex::new(Inner {
                acknowledged: 0,
                of_others: 0,
                of_damaged: 0,
                oldest: None,
                level_at: clock.elapsed(),
                next_attempt: None,
                last_error: None,
                is_failing: false,
                delivered: 0,
                refused: 0,
                refused_here: VecDeque::new(),
                refused_before: 0,
                phase: Phase::Runs,
            }),
            moved: Condvar::new(),
            woken: Notify::new(),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) const fn is_remote(&self) -> bool {
        self.is_remote
    }

    /// Whether it was further behind than allowed when its thread last looked.
    pub(super) fn is_behind(&self) -> bool {
        self.is_behind.load(Ordering::Acquire)
    }

    /// The newest record that is on the log's disk.
    pub(super) fn on_disk(&self) -> u64 {
        self.log.records.load(Ordering::Acquire)
    }

    pub(super) fn acknowledged(&self) -> u64 {
        self.lock().acknowledged
    }

    /// For how long it has lacked a record.
    pub(super) fn lag(&self) -> Duration {
        self.lock().lag(self)
    }

    pub(super) fn health(&self) -> SinkHealth {
        let inner = self.lock();
        let now = self.clock.elapsed();
        let next = inner.next_attempt.filter(|_| inner.is_failing);
        SinkHealth {
            name: self.name.clone(),
            is_delivering: !inner.is_failing && inner.phase != Phase::Over,
            is_remote: self.is_remote,
            delivered: inner.delivered,
            refused: inner.refused,
            behind: inner.behind(self),
            behind_s: inner.lag(self).as_secs(),
            next_attempt_s: next.map(|at| at.saturating_sub(now).as_secs()),
            last_error: inner.last_error.clone(),
        }
    }

    /// Lets the thread look at once.
    pub(super) fn wake(&self) {
        self.woken.notify_one();
    }

    /// Waits until the records behind `after` are kept, up to `seq`; the reason if they are not. One that was set aside is not.
    pub(super) fn wait_for(&self, after: u64, seq: u64, patience: Duration) -> Result<(), String> {
        let now = self.clock.elapsed();
        let waits = |inner: &mut Inner| {
            // An attempt that comes too late is no reason to hold up the caller.
            let is_hopeless = inner.is_failing
                && (inner.next_attempt).is_some_and(|at| at.saturating_sub(now) > patience);
            inner.acknowledged < seq && inner.phase != Phase::Over && !is_hopeless
        };
        let (inner, _) = self
            .moved
            .wait_timeout_while(self.lock(), patience, waits)
            .unwrap_or_else(PoisonError::into_inner);
        if inner.acknowledged >= seq {
            let is_kept = !inner.was_refused(after, seq);
            let refused = || "it can never take the record, which was set aside".to_owned();
            return is_kept.then_some(()).ok_or_else(refused);
        }
        let reason = match &inner.last_error {
            Some(error) if inner.is_failing => error.clone(),
            Some(_) | None => "it did not answer in time".to_owned(),
        };
        Err(reason)
    }

    pub(super) fn stop(&self) {
        self.enter(Phase::Drains);
    }

    pub(super) fn end(&self) {
        self.enter(Phase::Ends);
    }

    pub(super) fn ended(&self) {
        self.enter(Phase::Over);
    }

    fn enter(&self, phase: Phase) {
        let mut inner = self.lock();
        if inner.phase != Phase::Over {
            inner.phase = phase;
        }
        drop(inner);
        self.moved.notify_all();
        self.wake();
    }

    /// Waits until the thread is over; how many records of this process the sink lacks if it lacks any.
    pub(super) fn wait_for_end(&self, patience: Duration) -> Result<(), u64> {
        let runs = |inner: &mut Inner| inner.phase != Phase::Over;
        let (inner, _) = self
            .moved
            .wait_timeout_while(self.lock(), patience, runs)
            .unwrap_or_else(PoisonError::into_inner);
        match self.on_disk().saturating_sub(inner.acknowledged) {
            0 => Ok(()),
            missing => Err(missing),
        }
    }

    pub(super) fn phase(&self) -> Phase {
        self.lock().phase
    }

    /// Records of this process's log, up to this one, were acknowledged, or set aside.
    pub(super) fn acknowledge(&self, up_to: u64, set_aside: &[(u64, String)]) {
        let mut inner = self.lock();
        for (seq, _) in set_aside {
            if inner.refused_here.len() >= MOST_REFUSED {
                let forgotten = inner.refused_here.pop_front().unwrap_or(0);
                inner.refused_before = inner.refused_before.max(forgotten);
            }
            inner.refused_here.push_back(*seq);
        }
        inner.acknowledged = inner.acknowledged.max(up_to);
        drop(inner);
        self.moved.notify_all();
    }

    /// So many records were delivered, of whichever log, and so many of them set aside.
    pub(super) fn delivered(&self, records: usize, refused: usize) {
        let mut inner = self.lock();
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        inner.is_failing = false;
        inner.next_attempt = None;
        inner.delivered = inner.delivered.saturating_add(count(records));
        inner.refused = inner.refused.saturating_add(count(refused));
    }

    /// A record made at this moment is the oldest that the sink lacks.
    pub(super) fn lacks(&self, oldest: Option<Timestamp>) {
        self.lock().oldest = oldest;
    }

    /// A round is over, and everything that was there when it began is delivered; more may have come since.
    pub(super) fn is_level(&self, began: Duration) {
        let mut inner = self.lock();
        inner.is_failing = false;
        inner.next_attempt = None;
        if inner.of_others == 0 {
            inner.oldest = None;
            inner.level_at = inner.level_at.max(began);
        }
    }

    /// What it lacks of dead writers, and of those whose logs are damaged.
    pub(super) fn of_others(&self, records: u64, damaged: u64) {
        let mut inner = self.lock();
        (inner.of_others, inner.of_damaged) = (records, damaged);
    }

    /// Something failed that a next attempt, at that moment, may mend.
    pub(super) fn failed(&self, error: &str, next_attempt: Option<Duration>) {
        let mut inner = self.lock();
        inner.last_error = Some(error.to_owned());
        if next_attempt.is_some() {
            inner.next_attempt = next_attempt;
            inner.is_failing = true;
        }
        drop(inner);
        self.moved.notify_all();
    }

    /// Compares the lag with the limit.
    pub(super) fn look(&self) {
        let is_behind = self.most_lag.is_some_and(|most| self.lag() > most);
        self.is_behind.store(is_behind, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Whether one of the records behind `after`, up to `seq`, may have been set aside.
    fn was_refused(&self, after: u64, seq: u64) -> bool {
        let mut refused = self.refused_here.iter();
        after < self.refused_before || refused.any(|refused| *refused > after && *refused <= seq)
    }

    fn behind(&self, state: &SinkState) -> u64 {
        let own = state.on_disk().saturating_sub(self.acknowledged);
        own.saturating_add(self.of_others)
            .saturating_add(self.of_damaged)
    }

    fn lag(&self, state: &SinkState) -> Duration {
        if self.behind(state) == self.of_damaged {
            return Duration::ZERO;
        }
        let since_level = state.clock.elapsed().saturating_sub(self.level_at);
        let age = self.oldest.map_or(0, |oldest| {
            let age = state
                .clock
                .now()
                .as_millis()
                .saturating_sub(oldest.as_millis());
            u64::try_from(age).unwrap_or(0)
        });
        since_level.max(Duration::from_millis(age))
    }
}
