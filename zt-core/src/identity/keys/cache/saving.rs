//! Keeping good sets for the next process, away from the thread that fetches them.
//!
//! In: a set as bytes. Out: a write on a thread for blocking work, where there is a tokio runtime. A file system may hang for
//! ever: one write of a ring is under way at a time, and what comes meanwhile waits for its end; the newest counts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;

use super::super::saved::KeyStore;

/// What is to be written for one ring.
#[derive(Default)]
pub(super) struct Saving(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    next: Option<Vec<u8>>,
    is_busy: bool,
}

/// The one who writes. However that ends, another one may.
struct Writer {
    saving: Arc<Saving>,
    is_over: bool,
}

impl Saving {
    /// Under this name, soon.
    pub(super) fn save(self: &Arc<Self>, store: &Arc<dyn KeyStore>, name: String, bytes: Vec<u8>) {
        {
            let mut queue = self.queue();
            queue.next = Some(bytes);
            if std::mem::replace(&mut queue.is_busy, true) {
                return;
            }
        }
        let mut writer = Writer {
            saving: Arc::clone(self),
            is_over: false,
        };
        let store = Arc::clone(store);
        let mut write = move || {
            while let Some(bytes) = writer.next() {
                store.save(&name, &bytes);
            }
        };
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(write)),
            Err(_) => write(),
        }
    }

    #[cfg(test)]
    #[cfg(feature = "testing")]
    pub(super) fn is_busy(&self) -> bool {
        self.queue().is_busy
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    fn next(&mut self) -> Option<Vec<u8>> {
        let mut queue = self.saving.queue();
        let next = queue.next.take();
        self.is_over = next.is_none();
        queue.is_busy = !self.is_over;
        next
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.is_over {
            self.saving.queue().is_busy = false;
        }
    }
}
