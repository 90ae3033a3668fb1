//! The results of operations, one function for each kind.

use std::mem::MaybeUninit;

use crate::boundary::{Failure, given};
use crate::error::zt_error;
use crate::files::zt_file_opener;
use crate::guard::guard;
use crate::operation::{Made, Outcome, zt_operation};
use crate::runtime::zt_runtime;
use crate::seal::{zt_opener, zt_sealer};
use crate::secret::zt_secret;
use crate::session::zt_session;
use crate::status::zt_status;
use crate::text::zt_text;

/// Moves a result out of its operation, once.
fn hand_over<T: Made>(
    operation: Option<&zt_operation>,
    place: Option<&mut MaybeUninit<*mut T>>,
    name: &str,
) -> Result<(), Failure> {
    let operation = given(operation, "operation")?;
    let place = given(place, name)?;
    place.write(Box::into_raw(operation.take()?));
    Ok(())
}

macro_rules! made {
    ($($type:ident, $variant:ident, $wanted:literal;)+) => {$(
        impl Made for $type {
            const WANTED: &'static str = $wanted;

            fn of(made: Outcome) -> Result<Box<Self>, Outcome> {
                match made {
                    Outcome::$variant(made) => Ok(made),
                    other => Err(other),
                }
            }
        }
    )+};
}

made! {
    zt_runtime, Runtime, "a runtime";
    zt_session, Session, "a session";
    zt_secret, Secret, "a secret";
    zt_sealer, Sealer, "a sealer";
    zt_opener, Opener, "an opener";
    zt_file_opener, FileOpener, "an opener of a file";
    zt_text, Text, "a text";
}

/// The runtime that zt_open_async made. It is taken once.
///
/// `runtime`: a new handle; end it with zt_runtime_close, then zt_runtime_free.
/// Answers: OK, PENDING when the operation has not ended, the failure of the operation, INVALID_ARGUMENT (also for a result of
/// another kind, and one that was taken already).
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_operation_runtime(
    operation: Option<&zt_operation>,
    runtime: Option<&mut MaybeUninit<*mut zt_runtime>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || hand_over(operation, runtime, "runtime"))
}

/// The session that zt_authenticate_async or zt_runtime_workload_async made. It is taken once.
///
/// `session`: new; free it with zt_session_free.
/// Answers: as zt_operation_runtime.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_operation_session(
    operation: Option<&zt_operation>,
    session: Option<&mut MaybeUninit<*mut zt_session>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || hand_over(operation, session, "session"))
}

/// The secret that zt_secret_get_async made. It is taken once.
///
/// `secret`: new; free it with zt_secret_free as soon as the value is used.
/// Answers: as zt_operation_runtime.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_operation_secret(
    operation: Option<&zt_operation>,
    secret: Option<&mut MaybeUninit<*mut zt_secret>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || hand_over(operation, secret, "secret"))
}

/// The sealer that zt_sealer_new_async made. It is taken once.
///
/// `sealer`: new; free it with zt_sealer_free.
/// Answers: as zt_operation_runtime.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_operation_sealer(
    operation: Option<&zt_operation>,
    sealer: Option<&mut MaybeUninit<*mut zt_sealer>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || hand_over(operation, sealer, "sealer"))
}

/// The opener that zt_opener_new_async made. It is taken once.
///
/// `opener`: new; free it with zt_opener_free.
/// Answers: as zt_operation_runtime.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_operation_opener(
    operation: Option<&zt_operation>,
    opener: Option<&mut MaybeUninit<*mut zt_opener>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || hand_over(operation, opener, "opener"))
}

/// The opener that zt_file_opener_new_async made. It is taken once.
///
/// `file_opener`: new; free it with zt_file_opener_free.
/// Answers: as zt_operation_runtime.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_operation_file_opener(
    operation: Option<&zt_operation>,
    file_opener: Option<&mut MaybeUninit<*mut zt_file_opener>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || hand_over(operation, file_opener, "file_opener"))
}

/// The text that zt_log_batch_async made. It is taken once.
///
/// `text`: new; free it with zt_text_free.
/// Answers: as zt_operation_runtime.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_operation_text(
    operation: Option<&zt_operation>,
    text: Option<&mut MaybeUninit<*mut zt_text>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || hand_over(operation, text, "text"))
}
