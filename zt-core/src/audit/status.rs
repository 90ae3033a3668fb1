//! How the writing thread is doing, for everybody to read without waiting for it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the writing thread tells.
#[derive(Debug, Default)]
pub(super) struct Status {
    pub(super) is_failed: AtomicBool,
    pub(super) records: AtomicU64,
    pub(super) syncs: AtomicU64,
    pub(super) last_error: Mutex<Option<String>>,
    /// How many records are under a signed checkpoint.
    pub(super) signed: AtomicU64,
    checkpoint_error: Mutex<Option<String>>,
}

impl Status {
    pub(super) fn last_error(&self) -> MutexGuard<'_, Option<String>> {
        self.last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the newest checkpoint is not signed or not endorsed, or what is wrong with those before it.
    pub(super) fn checkpoint_error(&self) -> MutexGuard<'_, Option<String>> {
        self.checkpoint_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A checkpoint of so many records is on the disk, whatever else is the trouble with its file.
    pub(super) fn signed(&self, size: u64, is_endorsed: bool, trouble: Option<String>) {
        let mut error = self.checkpoint_error();
        if is_endorsed || trouble.is_some() {
            *error = trouble;
        } else {
            error.get_or_insert_with(|| "the audit key has not endorsed this log yet".to_owned());
        }
        drop(error);
        self.signed.store(size, Ordering::Release);
    }

    /// A checkpoint could not be signed, endorsed or kept.
    pub(super) fn not_signed(&self, error: String) {
        *self.checkpoint_error() = Some(error);
    }
}
