//! Sealing: the columns of an output encrypted before they leave, and opened again for whom the policy allows.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use zt_core::envelope::{Opener, Sealer};

use crate::batch::zt_batch;
use crate::boundary::{give, given, guard_or, text};
use crate::error::zt_error;
use crate::guard::guard;
use crate::session::zt_session;
use crate::status::zt_status;

/// Seals batches of one output under one data key.
pub struct zt_sealer(pub(crate) Sealer);

/// Unseals batches of one output, with the data keys of the batch that it was made for.
pub struct zt_opener(pub(crate) Opener);

impl std::fmt::Debug for zt_sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::fmt::Debug for zt_opener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A sealer for a row of Output_Storage, such as "loan_scores_delta". Its row of Encryption_Rules says which columns are
/// sealed and under which key. The caller needs `data.seal` on the output.
///
/// `sealer`: new; free it with zt_sealer_free, which wipes the data key.
/// Answers: OK, DENIED, NOT_FOUND, VAULT_UNAVAILABLE, VAULT_INTEGRITY, TOKEN_EXPIRED, AUDIT_UNAVAILABLE, METADATA_STALE,
/// INVALID_ARGUMENT (also for an output that is stored plain).
/// Threads: any, also at once. Blocks: on the vault and the disk. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_sealer_new(
    session: Option<&zt_session>,
    output: *const c_char,
    sealer: Option<&mut MaybeUninit<*mut zt_sealer>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let session = given(session, "session")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let output = unsafe { text(output, "output") }?;
        let place = given(sealer, "sealer")?;
        let made = session.executor().wait(session.session().sealer(output))?;
        give(place, zt_sealer(made));
        Ok(())
    })
}

/// The batch with its columns sealed, and one column more, `_zt_key`, that holds the wrapped data key: rows may be split,
/// reordered and appended, and still open. Every column of the rule must be there: one that was renamed would stay plain.
///
/// `sealed`: new; free it with zt_batch_free.
/// Answers: OK, INVALID_ARGUMENT.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_sealer_seal(
    sealer: Option<&zt_sealer>,
    batch: Option<&zt_batch>,
    sealed: Option<&mut MaybeUninit<*mut zt_batch>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let sealer = given(sealer, "sealer")?;
        let batch = given(batch, "batch")?.batch();
        let place = given(sealed, "sealed")?;
        give(place, zt_batch::new(sealer.0.seal(batch)?));
        Ok(())
    })
}

/// Frees it and wipes its data key. NULL is allowed.
///
/// Threads: any, once, after the last use. Blocks: never. @since 1
#[unsafe(no_mangle)]
pub extern "C" fn zt_sealer_free(sealer: Option<Box<zt_sealer>>) {
    guard_or((), || drop(sealer));
}

/// An opener for batches of a row of Output_Storage that are sealed under the data keys of `sealed`. The caller needs
/// `data.open` on the output; that the keys were released stands in the audit log before this answers.
///
/// `opener`: new; free it with zt_opener_free, which wipes the data keys.
/// Answers: as zt_sealer_new, and SEAL_INTEGRITY when a key was changed or is another.
/// Threads: any, also at once. Blocks: on the vault and the disk. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_opener_new(
    session: Option<&zt_session>,
    output: *const c_char,
    sealed: Option<&zt_batch>,
    opener: Option<&mut MaybeUninit<*mut zt_opener>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let session = given(session, "session")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let output = unsafe { text(output, "output") }?;
        let sealed = given(sealed, "sealed")?.batch();
        let place = given(opener, "opener")?;
        let opening = session.session().opener(output, sealed);
        give(place, zt_opener(session.executor().wait(opening)?));
        Ok(())
    })
}

/// The batch with its columns as they were before they were sealed, without `_zt_key`.
///
/// `plain`: new; free it with zt_batch_free.
/// Answers: OK, SEAL_INTEGRITY for a cell that was changed, moved or cut (the message names row and column, never the
/// value), INVALID_ARGUMENT.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_opener_unseal(
    opener: Option<&zt_opener>,
    sealed: Option<&zt_batch>,
    plain: Option<&mut MaybeUninit<*mut zt_batch>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let opener = given(opener, "opener")?;
        let sealed = given(sealed, "sealed")?.batch();
        let place = given(plain, "plain")?;
        give(place, zt_batch::new(opener.0.unseal(sealed)?));
        Ok(())
    })
}

/// Frees it and wipes its data keys. NULL is allowed.
///
/// Threads: any, once, after the last use. Blocks: never. @since 1
#[unsafe(no_mangle)]
pub extern "C" fn zt_opener_free(opener: Option<Box<zt_opener>>) {
    guard_or((), || drop(opener));
}
