//! The current snapshot and how it is replaced: atomically, and only by a good one.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::Mutex;

use super::{MetadataSource, Snapshot};
use crate::clock::Clock;
use crate::error::Error;

/// Holds the current [`Snapshot`]. Readers never block; a failed reload leaves the last good one in place.
#[derive(Debug)]
pub struct SnapshotStore {
    source: Box<dyn MetadataSource>,
    clock: Arc<dyn Clock>,
    current: ArcSwap<Snapshot>,
    reload: Mutex<()>,
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
        let raw = source.load().await?;
        let first = Snapshot::compile(&raw, 1, clock.now())?;
        Ok(Self {
            source,
            clock,
            current: ArcSwap::from_pointee(first),
            reload: Mutex::new(()),
        })
    }

    /// The current snapshot.
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        self.current.load_full()
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
        let _one_at_a_time = self.reload.lock().await;
        let raw = self.source.load().await?;
        let before = self.current();
        let next = Snapshot::compile(&raw, before.version() + 1, self.clock.now())?;
        if next.hash() == before.hash() {
            prepare(&before)?;
            return Ok(before);
        }
        let next = Arc::new(next);
        prepare(&next)?;
        self.current.store(Arc::clone(&next));
        Ok(next)
    }
}
