//! The names that the source of a slot looks for above itself, and the scheduler's locks in the stead of its own.

pub(super) use crate::secrets::{
    FetchError, Secret, SecretVersion, Timing, VaultError, request, spread, state, sweep,
};

#[path = "../../slot.rs"]
pub(super) mod slot;

pub(super) mod sync {
    use std::ops::Deref;

    pub(in super::super) use shuttle::sync::{Mutex, MutexGuard};
    pub(in super::super) use std::sync::{Arc, PoisonError};

    /// Loads and stores of one pointer, each of which may be overtaken by any other thread.
    #[derive(Debug)]
    pub(in super::super) struct ArcSwap<T>(shuttle::sync::RwLock<Arc<T>>);

    pub(in super::super) struct Guard<T>(Arc<T>);

    impl<T> Deref for Guard<T> {
        type Target = Arc<T>;

        fn deref(&self) -> &Arc<T> {
            &self.0
        }
    }

    impl<T> ArcSwap<T> {
        pub(in super::super) fn from_pointee(value: T) -> Self {
            Self(shuttle::sync::RwLock::new(Arc::new(value)))
        }

        pub(in super::super) fn load(&self) -> Guard<T> {
            Guard(Arc::clone(&self.0.read().unwrap()))
        }

        pub(in super::super) fn store(&self, value: Arc<T>) {
            *self.0.write().unwrap() = value;
        }
    }
}
