//! How long anybody waits for a fetch at most, whatever becomes of the executor that it runs on.
//!
//! In: the place where the outcome is told, and an executor for timers. Out: the outcome, or another one in its place when a
//! deadline and a little more have passed: a vault that blocks the thread which all fetches share blocks nobody who waits.
//! Never: the end of the fetch itself, which nobody can bring about.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use crate::port::{BoxFuture, Spawn};

/// A fetch ends by itself at its deadline, unless its executor stands still.
const LITTLE: Duration = Duration::from_millis(500);

/// What those who wait look at: nothing yet, or the outcome.
pub(crate) trait Told: Send + Sync + 'static {
    fn is_told(&self) -> bool;
}

impl<T: Send + Sync + 'static> Told for Option<T> {
    fn is_told(&self) -> bool {
        self.is_some()
    }
}

/// Where the outcome of one fetch is told. Dropped, it wakes those who wait, as its sender does.
pub(crate) struct Telling<T> {
    sender: Arc<watch::Sender<T>>,
    /// The timer ends with it.
    _ends: oneshot::Sender<()>,
}

impl<T: Told> Telling<T> {
    /// What `late` gives is told a little after `deadline`, if nothing was told until then. `timer` must be another executor
    /// than that of the fetch to help against one that stands still.
    pub(crate) fn new(
        sender: watch::Sender<T>,
        timer: &dyn Spawn,
        deadline: Duration,
        late: impl FnOnce() -> T + Send + 'static,
    ) -> Self {
        let sender = Arc::new(sender);
        let (ends, ended) = oneshot::channel();
        let watched = Arc::downgrade(&sender);
        timer.spawn(Box::pin(async move {
            if timeout(deadline + LITTLE, ended).await.is_err()
                && let Some(sender) = watched.upgrade()
            {
                let late = late();
                sender.send_if_modified(|told| {
                    let is_first = !told.is_told();
                    if is_first {
                        *told = late;
                    }
                    is_first
                });
            }
        }));
        Self {
            sender,
            _ends: ends,
        }
    }

    /// Whether it is too late to tell anything.
    pub(crate) fn is_over(&self) -> bool {
        self.sender.borrow().is_told()
    }

    pub(crate) fn tell(&self, outcome: T) {
        drop(self.sender.send_replace(outcome));
    }
}

/// The runtime of whoever misses, where there is no executor of our own.
#[derive(Debug)]
pub(super) struct OnHandle(pub(super) Handle);

impl Spawn for OnHandle {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        drop(self.0.spawn(task));
    }
}
