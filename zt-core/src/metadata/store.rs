//! The current snapshot and how it is replaced: atomically, and only by a good one.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

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

    /// Reads the tables again and swaps them in when they are good and differ; answers the snapshot then in force. What
    /// depends on the tables is prepared by `prepare`, just before the swap.
    ///
    /// # Errors
    /// [`Code::InvalidMetadata`](crate::Code::InvalidMetadata) with every problem; the last good snapshot stays.
    pub async fn reload(&self, prepare: impl FnOnce(&Snapshot)) -> Result<Arc<Snapshot>, Error> {
        let raw = self.source.load().await?;
        let _one_at_a_time = self.reload.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.current();
        let next = Snapshot::compile(&raw, before.version() + 1, self.clock.now())?;
        if next.hash() == before.hash() {
            return Ok(before);
        }
        let next = Arc::new(next);
        prepare(&next);
        self.current.store(Arc::clone(&next));
        Ok(next)
    }
}
