//! Knows when this process is a fork of the one that made a handle.
//!
//! A fork copies locks and queues, but not the threads that serve them: whoever waits on one in the child waits for ever.
//! So each handle carries the generation it was made in, and the child counts the generation up
//! (`os.register_at_fork`). A handle of another generation is refused before it touches anything, and is never dropped,
//! for dropping it would wait for a thread that is not there.

use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::pyfunction;
use zt_core::{Code, Error};

use crate::error::Failure;

static GENERATION: AtomicU64 = AtomicU64::new(0);

/// Counts up in every forked child; `zt/__init__.py` registers it.
#[pyfunction]
#[pyo3(name = "_after_fork_in_child")]
pub(crate) fn after_fork_in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// How many forks lie between the first process and this one.
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Relaxed)
}

/// A value that must not be used after a fork.
#[derive(Debug)]
pub(crate) struct Homed<T> {
    /// Always there until the drop.
    value: Option<T>,
    generation: u64,
}

impl<T> Homed<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            value: Some(value),
            generation: generation(),
        }
    }

    /// The value, in the process that made it.
    ///
    /// # Errors
    /// `Config` in a forked child.
    pub(crate) fn get(&self) -> Result<&T, Failure> {
        match &self.value {
            Some(value) if self.generation == generation() => Ok(value),
            _ => Err(forked()),
        }
    }

    /// The value in any process, for what neither locks nor waits, such as a name.
    pub(crate) const fn names(&self) -> Option<&T> {
        self.value.as_ref()
    }
}

impl<T> Drop for Homed<T> {
    fn drop(&mut self) {
        if self.generation != generation() {
            Box::leak(Box::new(self.value.take()));
        }
    }
}

#[cold]
fn forked() -> Failure {
    let message = "this was made before the process forked: its threads and its audit log stayed with the parent";
    let help = "open anew in the child, `zt.open(folder)`, and authenticate there";
    Failure::new(Error::new(Code::Config, message).with_help(help))
}
