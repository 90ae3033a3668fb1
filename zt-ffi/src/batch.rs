//! Rows in memory, by column: from CSV, to CSV, and as a permit lets them be seen.

use std::mem::MaybeUninit;

use zt_core::batch::Batch;
use zt_core::{Code, Error};

use crate::boundary::{Failure, bytes, give, given, guard_or};
use crate::decision::zt_decision;
use crate::error::zt_error;
use crate::guard::guard;
use crate::status::zt_status;
use crate::text::zt_text;

/// Rows of data, by column. Never changes once it is made. Names of columns ignore case.
pub struct zt_batch(Batch);

impl zt_batch {
    pub(crate) const fn new(batch: Batch) -> Self {
        Self(batch)
    }

    pub(crate) const fn batch(&self) -> &Batch {
        &self.0
    }
}

impl std::fmt::Debug for zt_batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Reads CSV: UTF-8, comma, a header of distinct names. Every column is text; an empty cell is a missing one.
///
/// `csv`: `length` bytes, without a NUL; NULL when `length` is 0. `batch`: new; free it with zt_batch_free.
/// Answers: OK, INVALID_ARGUMENT. No message repeats a cell.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_batch_from_csv(
    csv: *const u8,
    length: usize,
    batch: Option<&mut MaybeUninit<*mut zt_batch>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        // SAFETY: the C caller promises `length` bytes that nobody changes meanwhile.
        let bytes = unsafe { bytes(csv, length, "csv") }?;
        let place = given(batch, "batch")?;
        let read = Batch::from_csv(bytes).map_err(Error::from)?;
        give(place, zt_batch(read));
        Ok(())
    })
}

/// As CSV: a header, then rows, lines ended by a newline; a missing cell is empty.
///
/// `csv`: a new text; free it with zt_text_free.
/// Answers: OK, INVALID_ARGUMENT (also for a cell that holds a NUL, which no C string can).
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_batch_to_csv(
    batch: Option<&zt_batch>,
    csv: Option<&mut MaybeUninit<*mut zt_text>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let batch = given(batch, "batch")?;
        let place = given(csv, "csv")?;
        give(place, zt_text::whole(batch.0.to_csv())?);
        Ok(())
    })
}

/// The number of rows; 0 for NULL.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_batch_rows(batch: Option<&zt_batch>) -> usize {
    batch.map_or(0, |batch| batch.0.rows())
}

/// What the caller may see of these rows: the visible columns, masked where the policy says so.
///
/// `permit`: what zt_require wrote; a decision of zt_check is no permit. `seen`: new; free it with zt_batch_free.
/// Answers: OK, INVALID_ARGUMENT.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_permit_apply(
    permit: Option<&zt_decision>,
    batch: Option<&zt_batch>,
    seen: Option<&mut MaybeUninit<*mut zt_batch>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let permit = given(permit, "permit")?.permit().ok_or_else(|| {
            let message = "`permit` is a decision of zt_check, not a permit";
            Failure::from(Error::new(Code::InvalidArgument, message).with_help("use zt_require"))
        })?;
        let batch = given(batch, "batch")?.batch();
        let place = given(seen, "seen")?;
        give(place, zt_batch(permit.apply(batch)?));
        Ok(())
    })
}

/// Frees it. NULL is allowed.
///
/// Threads: any, once, after the last use. Blocks: never. @since 1
#[unsafe(no_mangle)]
pub extern "C" fn zt_batch_free(batch: Option<Box<zt_batch>>) {
    guard_or((), || drop(batch));
}
