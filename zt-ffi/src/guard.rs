//! Where panics and failures end: every function of the C ABI runs inside a guard.
//!
//! Out: a [`zt_status`], and an error object if somebody wants one.

use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::boundary::Failure;
use crate::error::zt_error;
use crate::status::{ZT_STATUS_OK, zt_status};

#[cfg(panic = "abort")]
compile_error!("a panic must not end the host's process: build zt-ffi with panic = \"unwind\"");

/// Runs a function's body. The error object is made only for somebody who asked for it.
///
/// A panic leaves the handles usable: the core recovers its locks from poison and keeps its state behind atomic swaps.
/// The panic's text is left to the host's panic hook, for it may quote what an error object must not carry.
pub(crate) fn guard(
    err: Option<&mut MaybeUninit<*mut zt_error>>,
    body: impl FnOnce() -> Result<(), Failure>,
) -> zt_status {
    let is_wanted = err.is_some();
    let describe = |failure: Failure| {
        let status = failure.status();
        (
            status,
            is_wanted.then(|| Box::new(zt_error::new(failure, status))),
        )
    };
    let (status, error) = match catch_unwind(AssertUnwindSafe(|| body().map_err(describe))) {
        Ok(Ok(())) => return ZT_STATUS_OK,
        Ok(Err(described)) => described,
        Err(_) => describe(Failure::Panic),
    };
    if let (Some(err), Some(error)) = (err, error) {
        err.write(Box::into_raw(error));
    }
    status
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use zt_core::{Code, Error};

    use super::*;
    use crate::boundary::guard_or;
    use crate::error::{zt_error_free, zt_error_public_message, zt_error_status};
    use crate::status::ZT_STATUS_PANIC;

    fn failing(body: impl FnOnce() -> Result<(), Failure>) -> Box<zt_error> {
        let mut place = MaybeUninit::uninit();
        assert_ne!(guard(Some(&mut place), body), ZT_STATUS_OK);
        // SAFETY: `guard` writes the place whenever it answers anything but 0.
        let error = unsafe { place.assume_init() };
        // SAFETY: `give` made it with `Box::into_raw`, and nobody else has it.
        unsafe { Box::from_raw(error) }
    }

    #[test]
    fn a_panic_becomes_a_status_and_a_public_message_without_its_text() {
        let error = failing(|| panic!("words of the panic"));
        assert_eq!(zt_error_status(Some(&error)), ZT_STATUS_PANIC);
        // SAFETY: the text belongs to `error`, which is still there.
        let public = unsafe { CStr::from_ptr(zt_error_public_message(Some(&error))) };
        assert_eq!(public, c"internal error");
        zt_error_free(Some(error));
    }

    #[test]
    fn nobody_is_asked_for_an_error_object_who_does_not_want_one() {
        let denied = || Err(Error::new(Code::Denied, "no").into());
        assert_eq!(guard(None, denied), Code::Denied.number());
        assert_eq!(guard_or(7, || panic!("stopped here")), 7);
    }
}
