//! Checks of what is asked again and again, and of many resources at once.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use zt_core::policy::{Decision, Located};
use zt_core::session::parse_action;

use crate::boundary::{Many, give, given, guard_or, text, texts};
use crate::decision::zt_decision;
use crate::error::zt_error;
use crate::guard::guard;
use crate::session::zt_session;
use crate::status::zt_status;

/// A resource, looked up once: for zt_check_at. It stays right when the tables change.
pub struct zt_located(Located);

impl std::fmt::Debug for zt_located {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "zt_located({})", self.0.resource())
    }
}

/// Looks a resource up, for what is asked again and again. Nothing is decided yet, and any session may ask about it.
///
/// `resource`: such as "model:car_loan_scorer". `located`: new; free it with zt_located_free.
/// Answers: OK, INVALID_ARGUMENT.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_session_locate(
    session: Option<&zt_session>,
    resource: *const c_char,
    located: Option<&mut MaybeUninit<*mut zt_located>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let session = given(session, "session")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let resource = unsafe { text(resource, "resource") }?;
        let place = given(located, "located")?;
        give(place, zt_located(session.session().locate(resource)?));
        Ok(())
    })
}

/// zt_check without a resource to read: what a request's path calls. Decided and recorded as there.
///
/// `is_allowed`: whether the request may proceed. `decision`: new, free it with zt_decision_free; NULL where nobody reads it,
/// which is cheaper.
/// Answers: as zt_check.
/// Threads: any, also at once. Blocks: as zt_check. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_check_at(
    session: Option<&zt_session>,
    action: *const c_char,
    located: Option<&zt_located>,
    is_allowed: Option<&mut MaybeUninit<bool>>,
    decision: Option<&mut MaybeUninit<*mut zt_decision>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let session = given(session, "session")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let action = unsafe { text(action, "action") }?;
        let located = given(located, "located")?;
        let place = given(is_allowed, "is_allowed")?;
        let action = parse_action(action)?;
        let decided = session.session().check_at(action, &located.0)?;
        place.write(decided.is_allowed());
        if let Some(decision) = decision {
            give(decision, zt_decision::new(decided));
        }
        Ok(())
    })
}

/// Whether the caller may do this to each of these resources: all decided on one snapshot, each with a record of its own, as
/// if zt_check were called for each.
///
/// `resources`: `count` strings; NULL when `count` is 0. `are_allowed`: room for `count` answers, in the same order.
/// `decisions`: room for `count` handles, each new and to be freed with zt_decision_free; NULL where nobody reads them.
/// Answers: as zt_check; an error about one resource is the answer for all, and then nothing is written. When a resource is
/// malformed, nothing was decided or recorded.
/// Threads: any, also at once. Blocks: as zt_check. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_check_many(
    session: Option<&zt_session>,
    action: *const c_char,
    resources: *const *const c_char,
    count: usize,
    are_allowed: *mut bool,
    decisions: *mut *mut zt_decision,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let session = given(session, "session")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let action = unsafe { text(action, "action") }?;
        // SAFETY: the C caller promises `count` NUL-terminated strings that stay for the call.
        let resources = unsafe { texts(resources, count, "resources") }?;
        // SAFETY: the C caller promises `count` places that it may write.
        let answers = unsafe { Many::new(are_allowed, count, "are_allowed") }?;
        let handles = match decisions.is_null() {
            true => None,
            // SAFETY: as above.
            false => Some(unsafe { Many::new(decisions, count, "decisions") }?),
        };
        let decided = session.session().check_many(action, &resources)?;
        answers.write(decided.iter().map(Decision::is_allowed));
        if let Some(handles) = handles {
            let made = decided.into_iter().map(zt_decision::new);
            handles.write(made.map(|decision| Box::into_raw(Box::new(decision))));
        }
        Ok(())
    })
}

/// Frees it. NULL is allowed.
///
/// Threads: any, once, after the last use. Blocks: never. @since 1
#[unsafe(no_mangle)]
pub extern "C" fn zt_located_free(located: Option<Box<zt_located>>) {
    guard_or((), || drop(located));
}
