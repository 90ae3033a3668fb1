//! Knows a forked child from its parent.
//!
//! A fork copies memory, but of all threads only the one that called it: locks stay locked for ever, queues have nobody
//! who serves them. In: nothing. Out: [`generation`], another number in each child; [`Local`], a value that each process
//! makes for itself; [`Unshared`], for
//! files whose locks end with the process. Never: a lock, a wait, a system call on the hot path.
//!
//! Source: fork(2), pthread_atfork(3), signal-safety(7). The first call registers handlers with pthread_atfork, which run
//! for every fork of the C library: Python's `os.fork`, gunicorn, PySpark's daemon. A raw clone(2) runs none.

mod local;
#[cfg(all(unix, not(miri)))]
mod unix;

pub use local::Local;
#[cfg(all(unix, not(miri)))]
pub use unix::Unshared;
#[cfg(all(unix, not(miri)))]
pub(crate) use unix::{Hole, Watch, is_watched};

/// Says for as long as it lives that forked children do not keep a file open. Nothing forks here.
#[cfg(any(not(unix), miri))]
#[derive(Debug)]
#[must_use]
pub struct Unshared(());

#[cfg(any(not(unix), miri))]
impl Unshared {
    /// For this file.
    pub fn of(_: &std::fs::File) -> Self {
        Self(())
    }
}

/// The generation of this process: never the same in a child and in its parent, and never changed otherwise.
///
/// One atomic load. What is made in one generation and found in another was inherited, and its threads were not. Numbers
/// of processes that are not parent and child mean nothing to each other.
///
/// ```
/// let made_in = zt_memory::fork::generation();
/// assert_eq!(zt_memory::fork::generation(), made_in);
/// ```
#[must_use]
pub fn generation() -> u64 {
    #[cfg(all(unix, not(miri)))]
    let generation = unix::generation();
    // Nothing forks here.
    #[cfg(any(not(unix), miri))]
    let generation = 1;
    generation
}
