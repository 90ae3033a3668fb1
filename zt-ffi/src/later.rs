//! The functions that wait, as operations: they return at once, and end on zt's threads.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;
use zt_core::Error;
use zt_core::envelope::FileHeader;
use zt_core::runtime::RuntimeBuilder;

use crate::batch::zt_batch;
use crate::boundary::{bytes, given, text};
use crate::credential::{Data, zt_release_fn, zt_token_fn};
use crate::error::zt_error;
use crate::executor::Executor;
use crate::files::zt_file_opener;
use crate::guard::guard;
use crate::operation::{Outcome, Terms, start, zt_done_fn, zt_operation};
use crate::options::{configured, settings, zt_open_options};
use crate::runtime::zt_runtime;
use crate::seal::{zt_opener, zt_sealer};
use crate::secret::zt_secret;
use crate::session::zt_session;
use crate::status::zt_status;
use crate::text::zt_text;

/// zt_open_with as an operation, which zt_operation_runtime takes the result of.
///
/// `deadline_ms`: after so long it gives up and ends with CANCELLED; 0 for never. What the disk or the processor is busy with then
/// is done all the same, for nobody. `done`: told of the end; NULL where zt_operation_wait is enough. `user_data`: given to it.
/// `operation`: a new handle; free it with zt_operation_free, at any time. NULL where `done` is not.
/// Answers: OK when it was started, INVALID_ARGUMENT, CONFIG for a setting that does not exist; the operation answers as
/// zt_open_with.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_open_async(
    folder: *const c_char,
    options: *const zt_open_options,
    deadline_ms: u64,
    done: zt_done_fn,
    user_data: *mut c_void,
    operation: Option<&mut MaybeUninit<*mut zt_operation>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let folder = unsafe { text(folder, "folder") }?.to_owned();
        // SAFETY: the C caller promises NULL, or options as zt_open_options_init fills them.
        let settings = unsafe { settings(options) }?;
        // SAFETY: the C caller promises a callback that keeps to the header.
        let terms = unsafe { Terms::new(deadline_ms, done, user_data) };
        let executor = Arc::new(Executor::new()?);
        let own = Arc::clone(&executor);
        start(&executor, terms, operation, async move {
            let builder = RuntimeBuilder::new(configured(&folder, settings)?);
            let runtime = builder.open().await?;
            Ok(Outcome::Runtime(Box::new(zt_runtime::new(runtime, own))))
        })
    })
}

/// zt_open_with_credential as an operation, which zt_operation_runtime takes the result of.
///
/// `get_token`, `user_data`, `release`: as for zt_open_with_credential; `release` is told once in any case: when this answers
/// anything but OK, when the operation fails or is given up, and else at the end of the runtime's last handle. `done_data`: given
/// to `done`. The others are as for zt_open_async.
/// Answers: OK when it was started, INVALID_ARGUMENT, CONFIG for a setting that does not exist; the operation answers as
/// zt_open_with_credential.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_open_with_credential_async(
    folder: *const c_char,
    options: *const zt_open_options,
    get_token: zt_token_fn,
    user_data: *mut c_void,
    release: zt_release_fn,
    deadline_ms: u64,
    done: zt_done_fn,
    done_data: *mut c_void,
    operation: Option<&mut MaybeUninit<*mut zt_operation>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    // SAFETY: the C caller promises callbacks that keep to the header.
    let data = unsafe { Data::new(user_data, release) };
    guard(err, || {
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let folder = unsafe { text(folder, "folder") }?.to_owned();
        // SAFETY: the C caller promises NULL, or options as zt_open_options_init fills them.
        let settings = unsafe { settings(options) }?;
        let credential = data.credential(get_token)?;
        // SAFETY: the C caller promises a callback that keeps to the header.
        let terms = unsafe { Terms::new(deadline_ms, done, done_data) };
        let executor = Arc::new(Executor::new()?);
        let own = Arc::clone(&executor);
        start(&executor, terms, operation, async move {
            let builder = RuntimeBuilder::new(configured(&folder, settings)?);
            let runtime = builder.with_credential(credential).open().await?;
            Ok(Outcome::Runtime(Box::new(zt_runtime::new(runtime, own))))
        })
    })
}

/// zt_reload as an operation, without a result.
///
/// `deadline_ms`, `done`, `user_data`, `operation`: as for zt_open_async.
/// Answers: OK when it was started, INVALID_ARGUMENT; the operation answers as zt_reload.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_reload_async(
    runtime: Option<&zt_runtime>,
    deadline_ms: u64,
    done: zt_done_fn,
    user_data: *mut c_void,
    operation: Option<&mut MaybeUninit<*mut zt_operation>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let runtime = given(runtime, "runtime")?;
        // SAFETY: the C caller promises a callback that keeps to the header.
        let terms = unsafe { Terms::new(deadline_ms, done, user_data) };
        let own = runtime.runtime().clone();
        start(runtime.executor(), terms, operation, async move {
            own.reload().await?;
            Ok(Outcome::Nothing)
        })
    })
}

/// zt_runtime_close as an operation, without a result. A close that has begun goes on to its end, so that this operation tells
/// whether the log was written: it has no deadline but `timeout_ms`, and zt_operation_cancel does nothing to it.
///
/// `timeout_ms`: how long to wait for the disk. The others are as for zt_open_async.
/// Answers: OK when it was started, INVALID_ARGUMENT; the operation answers as zt_runtime_close.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_runtime_close_async(
    runtime: Option<&zt_runtime>,
    timeout_ms: u64,
    done: zt_done_fn,
    user_data: *mut c_void,
    operation: Option<&mut MaybeUninit<*mut zt_operation>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let runtime = given(runtime, "runtime")?;
        // SAFETY: the C caller promises a callback that keeps to the header.
        let terms = unsafe { Terms::to_the_end(done, user_data) };
        let own = runtime.runtime().clone();
        start(runtime.executor(), terms, operation, async move {
            own.close(Duration::from_millis(timeout_ms)).await?;
            Ok(Outcome::Nothing)
        })
    })
}

/// zt_authenticate as an operation, which zt_operation_session takes the result of. The token is copied, and wiped at the end.
///
/// `deadline_ms`, `done`, `user_data`, `operation`: as for zt_open_async.
/// Answers: OK when it was started, INVALID_ARGUMENT; the operation answers as zt_authenticate.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_authenticate_async(
    runtime: Option<&zt_runtime>,
    token: *const c_char,
    deadline_ms: u64,
    done: zt_done_fn,
    user_data: *mut c_void,
    operation: Option<&mut MaybeUninit<*mut zt_operation>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let runtime = given(runtime, "runtime")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let token = Zeroizing::new(unsafe { text(token, "token") }?.to_owned());
        // SAFETY: the C caller promises a callback that keeps to the header.
        let terms = unsafe { Terms::new(deadline_ms, done, user_data) };
        let own = runtime.runtime().clone();
        let executor = Arc::clone(runtime.executor());
        start(runtime.executor(), terms, operation, async move {
            let session = own.authenticate(&token).await?;
            Ok(Outcome::Session(Box::new(zt_session::new(
                session, &executor,
            ))))
        })
    })
}

/// zt_runtime_workload as an operation, which zt_operation_session takes the result of.
///
/// `deadline_ms`, `done`, `user_data`, `operation`: as for zt_open_async.
/// Answers: OK when it was started, INVALID_ARGUMENT; the operation answers as zt_runtime_workload.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_runtime_workload_async(
    runtime: Option<&zt_runtime>,
    deadline_ms: u64,
    done: zt_done_fn,
    user_data: *mut c_void,
    operation: Option<&mut MaybeUninit<*mut zt_operation>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let runtime = given(runtime, "runtime")?;
        // SAFETY: the C caller promises a callback that keeps to the header.
        let terms = unsafe { Terms::new(deadline_ms, done, user_data) };
        let own = runtime.runtime().clone();
        let executor = Arc::clone(runtime.executor());
        start(runtime.executor(), terms, operation, async move {
            let session = own.workload().await?;
            Ok(Outcome::Session(Box::new(zt_session::new(
                session, &executor,
            ))))
        })
    })
}

/// zt_secret_get as an operation, which zt_operation_secret takes the result of. A value in the cache comes sooner from
/// zt_secret_get itself, which waits for a miss alone.
///
/// `deadline_ms`, `done`, `user_data`, `operation`: as for zt_open_async.
/// Answers: OK when it was started, INVALID_ARGUMENT; the operation answers as zt_secret_get.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_secret_get_async(
    session: Option<&zt_session>,
    reference: *const c_char,
    deadline_ms: u64,
    done: zt_done_fn,
    user_data: *mut c_void,
    operation: Option<&mut MaybeUninit<*mut zt_operation>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let session = given(session, "session")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let reference = unsafe { text(reference, "reference") }?.to_owned();
        // SAFETY: the C caller promises a callback that keeps to the header.
        let terms = unsafe { Terms::new(deadline_ms, done, user_data) };
        let own = session.session().clone();
        start(session.executor(), terms, operation, async move {
            let secret = own.secret(&reference).await?;
            Ok(Outcome::Secret(Box::new(zt_secret::new(secret))))
        })
    })
}

/// zt_sealer_new as an operation, which zt_operation_sealer takes the result of.
///
/// `deadline_ms`, `done`, `user_data`, `operation`: as for zt_open_async.
/// Answers: OK when it was started, INVALID_ARGUMENT; the operation answers as zt_sealer_new.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_sealer_new_async(
    session: Option<&zt_session>,
    output: *const c_char,
    deadline_ms: u64,
    done: zt_done_fn,
    user_data: *mut c_void,
    operation: Option<&mut MaybeUninit<*mut zt_operation>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let session = given(session, "session")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let output = unsafe { text(output, "output") }?.to_owned();
        // SAFETY: the C caller promises a callback that keeps to the header.
        let terms = unsafe { Terms::new(deadline_ms, done, user_data) };
        let own = session.session().clone();
        start(session.executor(), terms, operation, async move {
            let sealer = own.sealer(&output).await?;
            Ok(Outcome::Sealer(Box::new(zt_sealer(sealer))))
        })
    })
}

/// zt_opener_new as an operation, which zt_operation_opener takes the result of. `sealed` is not needed any more when this
/// returns.
///
/// `deadline_ms`, `done`, `user_data`, `operation`: as for zt_open_async.
/// Answers: OK when it was started, INVALID_ARGUMENT; the operation answers as zt_opener_new.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_opener_new_async(
    session: Option<&zt_session>,
    output: *const c_char,
    sealed: Option<&zt_batch>,
    deadline_ms: u64,
    done: zt_done_fn,
    user_data: *mut c_void,
    operation: Option<&mut MaybeUninit<*mut zt_operation>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let session = given(session, "session")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let output = unsafe { text(output, "output") }?.to_owned();
        let sealed = given(sealed, "sealed")?.batch().clone();
        // SAFETY: the C caller promises a callback that keeps to the header.
        let terms = unsafe { Terms::new(deadline_ms, done, user_data) };
        let own = session.session().clone();
        start(session.executor(), terms, operation, async move {
            let opener = own.opener(&output, &sealed).await?;
            Ok(Outcome::Opener(Box::new(zt_opener(opener))))
        })
    })
}

/// zt_file_opener_new as an operation, which zt_operation_file_opener takes the result of.
///
/// `header`, `length`: read during the call only. The others are as for zt_open_async.
/// Answers: OK when it was started, SEAL_INTEGRITY, INVALID_ARGUMENT; the operation answers as zt_file_opener_new.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_file_opener_new_async(
    session: Option<&zt_session>,
    output: *const c_char,
    header: *const u8,
    length: usize,
    deadline_ms: u64,
    done: zt_done_fn,
    user_data: *mut c_void,
    operation: Option<&mut MaybeUninit<*mut zt_operation>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let session = given(session, "session")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let output = unsafe { text(output, "output") }?.to_owned();
        // SAFETY: the C caller promises `length` bytes that nobody changes meanwhile.
        let header = unsafe { bytes(header, length, "header") }?;
        let header = FileHeader::read(header).map_err(Error::from)?;
        // SAFETY: the C caller promises a callback that keeps to the header.
        let terms = unsafe { Terms::new(deadline_ms, done, user_data) };
        let own = session.session().clone();
        start(session.executor(), terms, operation, async move {
            let opener = own.file_opener(&output, &header).await?;
            Ok(Outcome::FileOpener(Box::new(zt_file_opener::new(
                opener, &header,
            ))))
        })
    })
}

/// zt_log_batch as an operation, which zt_operation_text takes the result of. `batch` is not needed any more when this
/// returns.
///
/// `deadline_ms`, `done`, `user_data`, `operation`: as for zt_open_async.
/// Answers: OK when it was started, INVALID_ARGUMENT; the operation answers as zt_log_batch.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_log_batch_async(
    session: Option<&zt_session>,
    model: *const c_char,
    batch: Option<&zt_batch>,
    deadline_ms: u64,
    done: zt_done_fn,
    user_data: *mut c_void,
    operation: Option<&mut MaybeUninit<*mut zt_operation>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let session = given(session, "session")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let model = unsafe { text(model, "model") }?.to_owned();
        let batch = given(batch, "batch")?.batch().clone();
        // SAFETY: the C caller promises a callback that keeps to the header.
        let terms = unsafe { Terms::new(deadline_ms, done, user_data) };
        let own = session.session().clone();
        start(session.executor(), terms, operation, async move {
            let evaluation = own.log_batch(&model, &batch).await?;
            Ok(Outcome::Text(Box::new(zt_text::json(&evaluation)?)))
        })
    })
}
