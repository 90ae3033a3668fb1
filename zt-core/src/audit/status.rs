//! How the writing thread is doing, for everybody to read without waiting for it.

use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the writing thread tells.
#[derive(Debug, Default)]
pub(super) struct Status {
    pub(super) is_failed: AtomicBool,
    pub(super) records: AtomicU64,
    pub(super) syncs: AtomicU64,
    pub(super) last_error: Mutex<Option<String>>,
}

impl Status {
    pub(super) fn last_error(&self) -> MutexGuard<'_, Option<String>> {
        self.last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
