//! The runtime: opened once per process, closed at its end.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::time::Duration;

use zt_core::Runtime;

use crate::boundary::{give, given, guard_or, text};
use crate::error::zt_error;
use crate::executor::Executor;
use crate::guard::guard;
use crate::status::zt_status;

/// The zero-trust runtime of a process. One is enough; it is made for many threads.
pub struct zt_runtime {
    runtime: Runtime,
    executor: Arc<Executor>,
}

impl zt_runtime {
    pub(crate) const fn new(runtime: Runtime, executor: Arc<Executor>) -> Self {
        Self { runtime, executor }
    }

    pub(crate) const fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    pub(crate) const fn executor(&self) -> &Arc<Executor> {
        &self.executor
    }
}

impl std::fmt::Debug for zt_runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.runtime.fmt(f)
    }
}

/// Opens the folder that holds `zt.toml`: reads the tables, opens vault and audit log, starts a few threads that end
/// with the last handle.
///
/// `folder`: a path. `runtime`: a new handle; end it with zt_runtime_close, then zt_runtime_free.
/// Answers: OK, CONFIG, INVALID_METADATA (zt_error_report has every problem), VAULT_INTEGRITY, VAULT_UNAVAILABLE,
/// AUDIT_INTEGRITY, AUDIT_UNAVAILABLE, KEYS_UNAVAILABLE, INVALID_ARGUMENT.
/// Threads: any. Blocks: on the disk. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_open(
    folder: *const c_char,
    runtime: Option<&mut MaybeUninit<*mut zt_runtime>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let folder = unsafe { text(folder, "folder") }?;
        let place = given(runtime, "runtime")?;
        let executor = Arc::new(Executor::new()?);
        let runtime = executor.complete(Runtime::open(folder))?;
        give(place, zt_runtime::new(runtime, executor));
        Ok(())
    })
}

/// Reads the tables and the pinned keys again and takes them when both are good. Sessions decide by the new snapshot at
/// once; when they are not good, the last good snapshot and keys stay in force.
///
/// `version`: the version of the snapshot then in force, or NULL.
/// Answers: OK, INVALID_METADATA (zt_error_report has every problem), CONFIG, KEYS_UNAVAILABLE, AUDIT_UNAVAILABLE, CLOSED,
/// INVALID_ARGUMENT.
/// Threads: any, also at once. Blocks: on the disk. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_reload(
    runtime: Option<&zt_runtime>,
    version: Option<&mut MaybeUninit<u64>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let runtime = given(runtime, "runtime")?;
        let snapshot = runtime.executor.complete(runtime.runtime.reload())?;
        if let Some(version) = version {
            version.write(snapshot.version());
        }
        Ok(())
    })
}

/// Whether tokens can be verified and the tables are young enough to decide by: what a readiness probe asks.
///
/// Answers: OK, KEYS_UNAVAILABLE, METADATA_STALE, CLOSED, INVALID_ARGUMENT. The error's message says what is missing.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_runtime_ready(
    runtime: Option<&zt_runtime>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        given(runtime, "runtime")?.runtime.ready()?;
        Ok(())
    })
}

/// Wipes the cached secrets, writes and syncs the audit log and ends it. Later calls on the runtime and its sessions
/// answer CLOSED; the handle must still be freed. Secrets that were handed out stay until they are freed.
///
/// `timeout_ms`: how long to wait for the disk.
/// Answers: OK, AUDIT_UNAVAILABLE when the log could not be written in time (zt_runtime_free cannot say so), CLOSED when it
/// is closed already, INVALID_ARGUMENT.
/// Threads: any. Blocks: on the disk, at most about twice `timeout_ms`. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_runtime_close(
    runtime: Option<&zt_runtime>,
    timeout_ms: u64,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let runtime = given(runtime, "runtime")?;
        let close = runtime
            .runtime
            .clone()
            .close(Duration::from_millis(timeout_ms));
        runtime.executor.complete(close)?;
        Ok(())
    })
}

/// Frees the handle. NULL is allowed. Sessions keep what they need: handles may be freed in any order, and the last one
/// ends the threads. Without zt_runtime_close before it, the newest records of the audit log may be lost.
///
/// Threads: any, once, after the last use. Blocks: maybe on the disk. @since 1
#[unsafe(no_mangle)]
pub extern "C" fn zt_runtime_free(runtime: Option<Box<zt_runtime>>) {
    guard_or((), || drop(runtime));
}
