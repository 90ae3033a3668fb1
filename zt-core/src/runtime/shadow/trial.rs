//! One trial: the tables, what they are compared with, and the counts so far.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::Totals;
use super::report::{ShadowCounts, ShadowFlip};
use crate::audit::Record;
use crate::clock::Clock;
use crate::metadata::{Draft, Snapshot};
use crate::policy::{Action, Decision, Ruling};

/// So many flips are kept in full: enough to see what is wrong, and no more memory however many there are.
const MOST_FLIPS: usize = 16;

/// Tables in shadow: a handle on one trial, cheap to clone. See [`Runtime::shadow`](crate::Runtime::shadow).
#[derive(Clone)]
pub struct Shadow(Arc<Trial>);

impl Shadow {
    pub(super) fn of(trial: &Arc<Trial>) -> Self {
        Self(Arc::clone(trial))
    }

    pub(super) const fn trial(&self) -> &Arc<Trial> {
        &self.0
    }

    /// The tables that are tried.
    #[must_use]
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.0.snapshot
    }

    /// How many decisions were compared so far, and how many would change.
    #[must_use]
    pub fn counts(&self) -> ShadowCounts {
        self.0.counts()
    }

    /// The same for each action that was asked.
    #[must_use]
    pub fn by_action(&self) -> Vec<(Action, ShadowCounts)> {
        self.0.tally.by_action().collect()
    }

    /// The first flips, each once, at most 16.
    #[must_use]
    pub fn flips(&self) -> Vec<ShadowFlip> {
        let flips = self.0.flips.lock();
        flips.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// For how long the tables have been tried.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.0.clock.elapsed().saturating_sub(self.0.since)
    }

    /// Why the tables were not taken; none while they are tried.
    #[must_use]
    pub fn kept_back(&self) -> Option<&str> {
        self.0.kept_back()
    }

    /// Adds the counts to a record.
    pub(super) fn describe(&self, record: Record) -> Record {
        let counts = self.counts();
        record
            .with_detail("compared", counts.decisions.to_string())
            .with_detail("granted", counts.granted.to_string())
            .with_detail("withdrawn", counts.withdrawn.to_string())
            .with_detail("reshaped", counts.reshaped.to_string())
            .with_detail("sessions_ended", counts.ended.to_string())
    }
}

impl fmt::Debug for Shadow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shadow")
            .field("version", &self.0.snapshot.version())
            .field("counts", &self.counts())
            .field("kept_back", &self.kept_back())
            .finish_non_exhaustive()
    }
}

/// See [`Shadow`].
#[derive(Debug)]
pub(crate) struct Trial {
    snapshot: Arc<Snapshot>,
    against: Arc<Snapshot>,
    since: Duration,
    clock: Arc<dyn Clock>,
    /// As the source was read last.
    read: Mutex<Draft>,
    tally: Tally,
    totals: Arc<Totals>,
    flips: Mutex<Vec<ShadowFlip>>,
    kept_back: OnceLock<String>,
}

impl Trial {
    pub(super) fn new(
        draft: Draft,
        against: Arc<Snapshot>,
        clock: Arc<dyn Clock>,
        totals: Arc<Totals>,
    ) -> Self {
        Self {
            snapshot: Arc::clone(&draft.snapshot),
            against,
            since: clock.elapsed(),
            clock,
            read: Mutex::new(draft),
            tally: Tally::default(),
            totals,
            flips: Mutex::default(),
            kept_back: OnceLock::new(),
        }
    }

    pub(crate) const fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    pub(super) const fn against(&self) -> &Arc<Snapshot> {
        &self.against
    }

    /// Whether decisions on this snapshot are still compared.
    pub(crate) fn is_against(&self, snapshot: &Arc<Snapshot>) -> bool {
        Arc::ptr_eq(&self.against, snapshot) && self.kept_back.get().is_none()
    }

    /// Whether these are the same tables.
    pub(super) fn is_of(&self, snapshot: &Snapshot) -> bool {
        self.snapshot.hash() == snapshot.hash()
    }

    /// The source was read again and holds the same.
    pub(super) fn read_again(&self, mut draft: Draft) {
        draft.snapshot = Arc::clone(&self.snapshot);
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = draft;
    }

    pub(super) fn read(&self) -> Draft {
        let read = self.read.lock();
        read.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn keep_back(&self, reason: String) {
        let _is_kept_back_already = self.kept_back.set(reason);
    }

    pub(super) fn kept_back(&self) -> Option<&str> {
        self.kept_back.get().map(String::as_str)
    }

    pub(super) fn counts(&self) -> ShadowCounts {
        let all = self.tally.by_action().map(|(_, counts)| counts);
        all.fold(ShadowCounts::default(), ShadowCounts::plus)
    }

    /// Counts one decision, here and for the process, and keeps it where it would change. No ruling: the session of the caller
    /// would end.
    pub(crate) fn count(
        &self,
        decision: &Decision,
        after: Option<Ruling>,
        caller: impl Fn() -> String,
    ) {
        let before = Ruling::of(decision);
        let flip = flip(&before, after.as_ref());
        let action = decision.request().action;
        self.tally.add(action, flip);
        self.totals.tally.add(action, flip);
        if flip.is_none() {
            return;
        }
        let flip = ShadowFlip {
            caller: caller(),
            action,
            resource: decision.request().resource.to_string(),
            before,
            after,
        };
        let mut flips = self.flips.lock().unwrap_or_else(PoisonError::into_inner);
        if flips.len() < MOST_FLIPS && !flips.contains(&flip) {
            flips.push(flip);
        }
    }
}

/// Which way a decision would change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Granted,
    Withdrawn,
    Reshaped,
    /// No ruling: its session would end.
    Ended,
}

fn flip(before: &Ruling, after: Option<&Ruling>) -> Option<Direction> {
    let Some(after) = after else {
        return Some(Direction::Ended);
    };
    match (before.is_allowed(), after.is_allowed()) {
        (false, true) => Some(Direction::Granted),
        (true, false) => Some(Direction::Withdrawn),
        (true, true) => (!before.grants_the_same(after)).then_some(Direction::Reshaped),
        (false, false) => None,
    }
}

/// Counts by action. Every number only grows; numbers that are read together may be a decision apart.
#[derive(Debug, Default)]
pub(in crate::runtime) struct Tally([Line; Action::ALL.len()]);

#[derive(Debug, Default)]
struct Line {
    decisions: AtomicU64,
    granted: AtomicU64,
    withdrawn: AtomicU64,
    reshaped: AtomicU64,
    ended: AtomicU64,
}

impl Tally {
    fn add(&self, action: Action, flip: Option<Direction>) {
        let lines = Action::ALL.iter().zip(&self.0);
        let Some((_, line)) = lines.into_iter().find(|(own, _)| **own == action) else {
            return;
        };
        // First, so that no reader sees more flips than decisions.
        line.decisions.fetch_add(1, Ordering::AcqRel);
        let counter = match flip {
            None => return,
            Some(Direction::Granted) => &line.granted,
            Some(Direction::Withdrawn) => &line.withdrawn,
            Some(Direction::Reshaped) => &line.reshaped,
            Some(Direction::Ended) => &line.ended,
        };
        counter.fetch_add(1, Ordering::AcqRel);
    }

    /// The actions that were asked.
    pub(in crate::runtime) fn by_action(&self) -> impl Iterator<Item = (Action, ShadowCounts)> {
        let lines = Action::ALL.iter().copied().zip(&self.0);
        let counted = lines.map(|(action, line)| {
            let read = |number: &AtomicU64| number.load(Ordering::Acquire);
            // The decisions last: see `add`.
            let (granted, withdrawn) = (read(&line.granted), read(&line.withdrawn));
            let (reshaped, ended) = (read(&line.reshaped), read(&line.ended));
            let decisions = read(&line.decisions);
            let counts = ShadowCounts {
                decisions,
                granted,
                withdrawn,
                reshaped,
                ended,
            };
            (action, counts)
        });
        counted.filter(|(_, counts)| counts.decisions > 0)
    }
}
