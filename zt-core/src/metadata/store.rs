//! The current snapshot, how it is replaced, atomically and only by a good one, and when it was last confirmed.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use zt_memory::fork::Local;

use super::{Fingerprint, MetadataSource, Snapshot};
use crate::clock::{Clock, Timestamp};
use crate::error::Error;
use crate::numbered::{Edition, Numbered};

/// Holds the current [`Snapshot`]. Readers never block; a failed reload leaves the last good one in place.
#[derive(Debug)]
pub struct SnapshotStore {
    source: Box<dyn MetadataSource>,
    clock: Arc<dyn Clock>,
    current: Numbered<Arc<Snapshot>>,
    confirmed: Confirmed,
    /// Of this process: a forked child reads the source anew, and waits for no reload of its parent.
    reload: Local<Mutex<Taken>>,
}

/// The version of the source that the current snapshot was read from.
#[derive(Debug)]
struct Taken {
    fingerprint: Option<Fingerprint>,
    /// When that was first read, on the monotonic tick.
    since: Duration,
    /// Whether it was read again later than [`SETTLES`] after that, and was the same.
    is_settled: bool,
}

/// A second change within one tick of a file's date shows in no date. The coarsest tick in use is FAT's, two seconds; what
/// is read after it has every change of the tick.
const SETTLES: Duration = Duration::from_secs(2);

/// When the source was last seen to hold what is in force, on both clocks: one stands still while a machine sleeps, the other
/// may be set back.
#[derive(Debug, Default)]
struct Confirmed {
    elapsed_ms: AtomicU64,
    now_ms: AtomicI64,
}

/// A moment on both clocks.
#[derive(Debug, Clone, Copy)]
struct Moment {
    elapsed: Duration,
    now: Timestamp,
}

/// What the source holds and is not in force.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) snapshot: Arc<Snapshot>,
    began: Moment,
    fingerprint: Option<Fingerprint>,
}

/// What a look at the source found.
#[derive(Debug)]
pub(crate) struct Looked {
    /// The version that the source named, if it can.
    pub(crate) fingerprint: Option<Fingerprint>,
    /// Whether it is good.
    pub(crate) outcome: Result<(), Error>,
}

impl SnapshotStore {
    /// Loads the first snapshot, version 1.
    ///
    /// # Errors
    /// [`Code::InvalidMetadata`](crate::Code::InvalidMetadata) with every problem.
    pub async fn open(
        source: Box<dyn MetadataSource>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let began = Moment::of(&*clock);
        let fingerprint = source.fingerprint().await;
        let raw = source.load().await?;
        let first = Snapshot::compile(&raw, 1, clock.now())?;
        let store = Self {
            source,
            clock,
            current: Numbered::new(Arc::new(first)),
            confirmed: Confirmed::default(),
            reload: Local::new(),
        };
        *store.turn().lock().await = Taken {
            fingerprint,
            since: began.elapsed,
            is_settled: false,
        };
        store.confirm(began);
        Ok(store)
    }

    /// Who holds it reads the source and swaps. Nothing is known yet of what a child's parent read.
    fn turn(&self) -> &Mutex<Taken> {
        self.reload.get_or_init(|| {
            Mutex::new(Taken {
                fingerprint: None,
                since: self.clock.elapsed(),
                is_settled: false,
            })
        })
    }

    /// The current snapshot.
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// The number of the current one's edition.
    pub(crate) fn edition(&self) -> Edition {
        self.current.edition()
    }

    /// Whether this is the current one.
    pub(crate) fn is_current(&self, snapshot: &Arc<Snapshot>) -> bool {
        Arc::ptr_eq(&self.current.load(), snapshot)
    }

    /// How long ago the source was last seen to hold what is in force: the longer of what the wall clock and the monotonic
    /// tick say. Refused tables and a source that cannot be read confirm nothing.
    #[must_use]
    pub fn age(&self) -> Duration {
        let now = Moment::of(&*self.clock);
        let confirmed = Duration::from_millis(self.confirmed.elapsed_ms.load(Ordering::Acquire));
        let wall_ms = now
            .now
            .as_millis()
            .saturating_sub(self.confirmed.now_ms.load(Ordering::Acquire));
        let wall = Duration::from_millis(u64::try_from(wall_ms).unwrap_or(0));
        now.elapsed.saturating_sub(confirmed).max(wall)
    }

    /// Reads the tables again and swaps them in when they are good and differ; answers the snapshot then in force. One at
    /// a time from the reading to the swap, so that what was read first never replaces what was read later. `prepare` sees
    /// the snapshot that will be in force, the old one where nothing differs, just before the swap, and can stop it; what
    /// it reads itself is ordered by the same lock.
    ///
    /// # Errors
    /// [`Code::InvalidMetadata`](crate::Code::InvalidMetadata) with every problem, or the error of `prepare`; the last good
    /// snapshot stays.
    pub async fn reload(
        &self,
        prepare: impl FnOnce(&Snapshot) -> Result<(), Error>,
    ) -> Result<Arc<Snapshot>, Error> {
        let mut taken = self.turn().lock().await;
        let began = Moment::of(&*self.clock);
        let fingerprint = self.source.fingerprint().await;
        self.take(&mut taken, began, fingerprint, prepare).await
    }

    /// Asks the source whether it changed, and reads it when it did or cannot tell. `prepare` is called for a snapshot that
    /// differs, as [`reload`](Self::reload) calls it.
    pub(crate) async fn look(
        &self,
        prepare: impl FnOnce(&Snapshot) -> Result<(), Error>,
    ) -> Looked {
        let mut taken = self.turn().lock().await;
        let began = Moment::of(&*self.clock);
        let fingerprint = self.source.fingerprint().await;
        if fingerprint.is_some() && fingerprint == taken.fingerprint && taken.is_settled {
            self.confirm(began);
            let outcome = Ok(());
            return Looked {
                fingerprint,
                outcome,
            };
        }
        let version = self.current().version();
        let prepare_changed = |next: &Snapshot| match next.version() == version {
            true => Ok(()),
            false => prepare(next),
        };
        let read = self.take(&mut taken, began, fingerprint.clone(), prepare_changed);
        let outcome = read.await.map(drop);
        Looked {
            fingerprint,
            outcome,
        }
    }

    /// Reads what the source holds without taking it: `then` sees what differs from what is in force, or that nothing does,
    /// while no reload can come between. What is in force is confirmed only where nothing differs.
    pub(crate) async fn draft<T>(
        &self,
        then: impl FnOnce(Option<Draft>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut taken = self.turn().lock().await;
        let began = Moment::of(&*self.clock);
        let fingerprint = self.source.fingerprint().await;
        if fingerprint.is_some() && fingerprint == taken.fingerprint && taken.is_settled {
            self.confirm(began);
            return then(None);
        }
        let raw = self.source.load().await?;
        let before = self.current();
        let next = Snapshot::compile(&raw, before.version() + 1, self.clock.now())?;
        if next.hash() == before.hash() {
            taken.same_again(began, fingerprint);
            self.confirm(began);
            return then(None);
        }
        then(Some(Draft {
            snapshot: Arc::new(next),
            began,
            fingerprint,
        }))
    }

    /// Takes what was read before, if `against` is still in force, and answers whether it is. `prepare` is called as
    /// [`reload`](Self::reload) calls it. Confirmed is the moment of the reading.
    pub(crate) async fn adopt(
        &self,
        against: &Arc<Snapshot>,
        prepare: impl FnOnce() -> Result<Option<Draft>, Error>,
    ) -> Result<bool, Error> {
        let mut taken = self.turn().lock().await;
        if !self.is_current(against) {
            return Ok(false);
        }
        let Some(draft) = prepare()? else {
            return Ok(false);
        };
        self.current.store(draft.snapshot);
        *taken = Taken {
            fingerprint: draft.fingerprint,
            since: draft.began.elapsed,
            is_settled: false,
        };
        self.confirm(draft.began);
        Ok(true)
    }

    async fn take(
        &self,
        taken: &mut Taken,
        began: Moment,
        fingerprint: Option<Fingerprint>,
        prepare: impl FnOnce(&Snapshot) -> Result<(), Error>,
    ) -> Result<Arc<Snapshot>, Error> {
        let raw = self.source.load().await?;
        let before = self.current();
        let next = Snapshot::compile(&raw, before.version() + 1, self.clock.now())?;
        let is_same = next.hash() == before.hash();
        let next = if is_same { before } else { Arc::new(next) };
        prepare(&next)?;
        if !is_same {
            self.current.store(Arc::clone(&next));
        }
        if is_same {
            taken.same_again(began, fingerprint);
        } else {
            *taken = Taken {
                fingerprint,
                since: began.elapsed,
                is_settled: false,
            };
        }
        self.confirm(began);
        Ok(next)
    }

    /// From the moment before the look: what changed during it is not confirmed.
    fn confirm(&self, at: Moment) {
        let elapsed_ms = u64::try_from(at.elapsed.as_millis()).unwrap_or(u64::MAX);
        self.confirmed
            .elapsed_ms
            .store(elapsed_ms, Ordering::Release);
        self.confirmed
            .now_ms
            .store(at.now.as_millis(), Ordering::Release);
    }
}

impl Taken {
    /// The source was read, and holds what is in force.
    fn same_again(&mut self, began: Moment, fingerprint: Option<Fingerprint>) {
        if fingerprint == self.fingerprint {
            self.is_settled |= began.elapsed.saturating_sub(self.since) > SETTLES;
        } else {
            *self = Self {
                fingerprint,
                since: began.elapsed,
                is_settled: false,
            };
        }
    }
}

impl Moment {
    fn of(clock: &dyn Clock) -> Self {
        Self {
            elapsed: clock.elapsed(),
            now: clock.now(),
        }
    }
}
