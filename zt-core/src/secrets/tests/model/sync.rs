//! A scheduler's locks in the stead of a slot's own.

use std::ops::Deref;

pub(super) use shuttle::sync::{Mutex, MutexGuard};
pub(super) use std::sync::{Arc, PoisonError};

/// Loads and stores of one pointer, each of which may be overtaken by any other thread.
#[derive(Debug)]
pub(super) struct ArcSwap<T>(shuttle::sync::RwLock<Arc<T>>);

pub(super) struct Guard<T>(Arc<T>);

impl<T> Deref for Guard<T> {
    type Target = Arc<T>;

    fn deref(&self) -> &Arc<T> {
        &self.0
    }
}

impl<T> ArcSwap<T> {
    pub(super) fn from_pointee(value: T) -> Self {
        Self(shuttle::sync::RwLock::new(Arc::new(value)))
    }

    pub(super) fn load(&self) -> Guard<T> {
        Guard(Arc::clone(&self.0.read().unwrap()))
    }

    pub(super) fn store(&self, value: Arc<T>) {
        *self.0.write().unwrap() = value;
    }
}
