//! What all ports share: a boxed future, so that a port stays object safe.

use std::pin::Pin;

/// What an asynchronous method of a port returns.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Runs work that nobody waits for: fetches, refreshes.
///
/// The futures need tokio's timers. A task ends with the executor at the latest, whoever asked for it may be gone by then.
pub trait Spawn: Send + Sync + std::fmt::Debug {
    /// Runs it to its end, beside everything else.
    fn spawn(&self, task: BoxFuture<'static, ()>);
}
