//! A value that each process makes for itself.

use std::fmt;
use std::marker::PhantomData;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::generation;

/// A value that is made once per process and again in each forked child that asks for it.
///
/// The parent's value is never dropped in a child: that could wait for threads that are not there. It is leaked, and a
/// reference to it that was taken before the fork stays valid. Reading costs two atomic loads and takes no lock; while
/// the value is made, other threads of the same process wait for it, and a fork in that moment leaves the child with
/// nothing to wait for.
///
/// ```
/// use zt_memory::fork::Local;
///
/// static WORKERS: Local<Vec<std::thread::JoinHandle<()>>> = Local::new();
/// assert!(WORKERS.get().is_none());
/// assert!(WORKERS.get_or_init(Vec::new).is_empty());
/// ```
pub struct Local<T> {
    current: AtomicPtr<Entry<T>>,
    /// Shared between threads if `T` may be.
    owns: PhantomData<Box<Entry<T>>>,
}

struct Entry<T> {
    generation: u64,
    value: OnceLock<T>,
}

impl<T> Local<T> {
    /// No value yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            current: AtomicPtr::new(ptr::null_mut()),
            owns: PhantomData,
        }
    }

    /// This process's value, if it has made one.
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        let entry = self.entry()?;
        (entry.generation == generation())
            .then_some(entry)?
            .value
            .get()
    }

    /// This process's value, which `init` makes if there is none. Must not ask for the value itself.
    pub fn get_or_init(&self, init: impl Fn() -> T) -> &T {
        loop {
            let generation = generation();
            let entry = match self.entry() {
                Some(entry) if entry.generation == generation => entry,
                _ => {
                    self.replace(generation);
                    continue;
                }
            };
            let value = entry.value.get_or_init(&init);
            // `init` itself may have forked; what it made then is half the parent's.
            if super::generation() == generation {
                return value;
            }
        }
    }

    /// Puts an empty entry in place of one of another process, unless another thread was faster.
    fn replace(&self, generation: u64) {
        let inherited = self.current.load(Ordering::Acquire);
        if self
            .entry()
            .is_some_and(|entry| entry.generation == generation)
        {
            return;
        }
        let fresh = Box::into_raw(Box::new(Entry {
            generation,
            value: OnceLock::new(),
        }));
        let replaced =
            self.current
                .compare_exchange(inherited, fresh, Ordering::AcqRel, Ordering::Acquire);
        if replaced.is_err() {
            // SAFETY: made above and shown to nobody.
            drop(unsafe { Box::from_raw(fresh) });
        }
    }

    fn entry(&self) -> Option<&Entry<T>> {
        // SAFETY: an entry that was put here is freed by `drop` alone, which no borrow of `self` survives.
        unsafe { self.current.load(Ordering::Acquire).as_ref() }
    }
}

impl<T> Default for Local<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Drop for Local<T> {
    fn drop(&mut self) {
        let entry = self.entry();
        if entry.is_some_and(|entry| entry.generation == generation()) {
            // SAFETY: made by `Box::into_raw`, and `self` is borrowed by nobody else.
            drop(unsafe { Box::from_raw(*self.current.get_mut()) });
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Local<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Local").field(&self.get()).finish()
    }
}
