//! The thread that looks after the slots once a second and tells how the process is. It ends with the last runtime handle; a
//! forked child starts its own with its first call.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use super::status::{self, Due};
use super::{ConfigKey, Runtime, watch};
use crate::error::{Code, Error, Result};

/// A value past its time that nobody reads is wiped within so long.
const EVERY: Duration = Duration::from_secs(1);

/// Starts all threads of a runtime.
pub(super) fn start_all(runtime: &Runtime) -> Result<()> {
    start(runtime)?;
    let every = runtime.0.config.watch_every();
    if let Some(every) = every.filter(|_| runtime.0.watches) {
        let _runs_by_itself = watch::start(runtime, every)?;
    }
    Ok(())
}

fn start(runtime: &Runtime) -> Result<()> {
    let weak = Arc::downgrade(&runtime.0);
    let folder = runtime.config().value(ConfigKey::StatusFolder);
    let folder = folder.map(|folder| runtime.config().folder().join(folder));
    let mut due = Due::default();
    let work = move || {
        while let Some(shared) = weak.upgrade() {
            // A clock or a subscriber of the embedder may panic; values must end all the same.
            let swept = catch_unwind(AssertUnwindSafe(|| {
                shared.secrets.sweep();
                shared.keys.sweep();
            }));
            if swept.is_err() {
                tracing::error!(target: "zt::secrets", "a sweep of the secrets panicked");
            }
            if shared.is_closed.load(Ordering::Acquire) {
                break;
            }
            if let Some(folder) = folder.as_ref().filter(|_| due.is_due(&shared)) {
                let written = status::write(&Runtime(Arc::clone(&shared)), folder);
                if let Err(why) = written {
                    tracing::warn!(target: "zt::status", folder = %folder.display(), %why, "the status file cannot be written");
                }
            }
            drop(shared);
            thread::sleep(EVERY);
        }
        if let Some(folder) = &folder {
            status::remove(folder);
        }
    };
    let thread = thread::Builder::new().name("zt-sweep".to_owned());
    thread.spawn(work).map(drop).map_err(|why| {
        Error::new(Code::Internal, "the operating system gives no thread").with_source(why)
    })
}
