//! Decisions: asked for, read, explained.

use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;
use std::ptr::null;
use std::sync::OnceLock;

use serde_json::{Value, json};
use zt_core::Permit;
use zt_core::policy::{Columns, Decision, DecisionKind, Masks};

use crate::boundary::{c_string, give, given, guard_or, text};
use crate::error::zt_error;
use crate::guard::guard;
use crate::session::zt_session;
use crate::status::zt_status;
use crate::text::zt_text;

/// Whether a request may proceed, and which rows of the tables say so. Stays what it is when the tables change.
pub struct zt_decision {
    decision: Decision,
    permit: Option<Permit>,
    words: OnceLock<Words>,
}

/// A decision in words, made when somebody first reads one of them: most programs read only whether it is allowed.
struct Words {
    id: CString,
    why: Option<CString>,
    policies: CString,
    columns: CString,
    masks: CString,
    obligations: CString,
    step_up: CString,
    restrictions: CString,
    draft: Option<CString>,
}

impl zt_decision {
    pub(crate) const fn new(decision: Decision) -> Self {
        Self {
            decision,
            permit: None,
            words: OnceLock::new(),
        }
    }

    fn of_permit(permit: Permit) -> Self {
        Self {
            decision: permit.decision().clone(),
            permit: Some(permit),
            words: OnceLock::new(),
        }
    }

    pub(crate) const fn permit(&self) -> Option<&Permit> {
        self.permit.as_ref()
    }

    fn words(&self) -> &Words {
        self.words.get_or_init(|| {
            let policies: Value = self.decision.policies().map(ToString::to_string).collect();
            let restrictions = self.decision.restrictions();
            let restrictions: Value = restrictions.map(ToString::to_string).collect();
            Words {
                id: c_string(&self.decision.id().to_string()),
                why: self.decision.why().map(c_string),
                policies: c_string(&policies.to_string()),
                columns: c_string(&columns(self.decision.columns()).to_string()),
                draft: self.decision.draft().as_deref().map(c_string),
                masks: c_string(&masks(self.decision.masks()).to_string()),
                obligations: c_string(&json!(self.decision.obligations()).to_string()),
                step_up: c_string(&json!(self.decision.step_up()).to_string()),
                restrictions: c_string(&restrictions.to_string()),
            }
        })
    }
}

/// Two forms, so that nobody forgets a third: every column is all but none.
fn columns(columns: &Columns) -> Value {
    match columns {
        Columns::All => json!({ "all_but": [] }),
        Columns::AllBut(hidden) => json!({ "all_but": hidden }),
        Columns::Only(only) => json!({ "only": only }),
    }
}

fn masks(masks: &Masks) -> Value {
    let masks = masks.iter();
    masks
        .map(|(column, mask)| (column.to_owned(), Value::from(mask.as_str())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

impl std::fmt::Debug for zt_decision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.decision.fmt(f)
    }
}

/// Whether the caller may do this now. A deny is a decision, not an error: the status is then 0 all the same.
///
/// `action`: such as "table.read". `resource`: such as "table:gold.loan_scores". `decision`: new; free it with
/// zt_decision_free. Who only wants to go on or stop takes zt_require.
/// Answers: OK, TOKEN_EXPIRED, AUDIT_UNAVAILABLE, INVALID_ARGUMENT (also for an unknown action or resource).
/// Threads: any, also at once. Blocks: on the disk for the first of identical denies. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_check(
    session: Option<&zt_session>,
    action: *const c_char,
    resource: *const c_char,
    decision: Option<&mut MaybeUninit<*mut zt_decision>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let session = given(session, "session")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let action = unsafe { text(action, "action") }?;
        // SAFETY: as above.
        let resource = unsafe { text(resource, "resource") }?;
        let place = given(decision, "decision")?;
        let decision = session.session().check(action, resource)?;
        give(place, zt_decision::new(decision));
        Ok(())
    })
}

/// The same, and DENIED unless it is allowed: nothing goes on by a forgotten `if`.
///
/// `permit`: the decision that allows it, with the columns that the caller may see and for zt_permit_apply; new, free it with zt_decision_free.
/// NULL where the action has no columns to obey. The error of a refusal has its decision: zt_error_decision.
/// Answers: as zt_check, and DENIED.
/// Threads: any, also at once. Blocks: as zt_check. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_require(
    session: Option<&zt_session>,
    action: *const c_char,
    resource: *const c_char,
    permit: Option<&mut MaybeUninit<*mut zt_decision>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let session = given(session, "session")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let action = unsafe { text(action, "action") }?;
        // SAFETY: as above.
        let resource = unsafe { text(resource, "resource") }?;
        let permitted = session.session().require(action, resource)?;
        if let Some(place) = permit {
            give(place, zt_decision::of_permit(permitted));
        }
        Ok(())
    })
}

/// Whether the request may proceed; false for NULL.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_decision_is_allowed(decision: Option<&zt_decision>) -> bool {
    decision.is_some_and(|decision| decision.decision.is_allowed())
}

/// How it was decided: "allow", "explicit_deny" or "default_deny", as the audit log writes it. Static; "" for NULL.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_decision_kind(decision: Option<&zt_decision>) -> *const c_char {
    let kind = match decision.map(|decision| decision.decision.kind()) {
        Some(DecisionKind::Allow) => c"allow",
        Some(DecisionKind::ExplicitDeny) => c"explicit_deny",
        Some(DecisionKind::DefaultDeny) => c"default_deny",
        None => c"",
    };
    kind.as_ptr()
}

/// Its name, found again in the audit log. Safe to show the caller. Borrowed from `decision`; "" for NULL.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_decision_id(decision: Option<&zt_decision>) -> *const c_char {
    word(decision, c"".as_ptr(), |words| words.id.as_ptr())
}

/// The reason in words that the deciding rows give, or NULL when they give none. Safe to show the caller. Borrowed from
/// `decision`.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_decision_why(decision: Option<&zt_decision>) -> *const c_char {
    word(decision, null(), |words| {
        words.why.as_ref().map_or(null(), |why| why.as_ptr())
    })
}

/// The ids of the rows that decided, a JSON array of strings; empty for a default deny. Borrowed from `decision`; "[]"
/// for NULL.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_decision_policies(decision: Option<&zt_decision>) -> *const c_char {
    word(decision, c"[]".as_ptr(), |words| words.policies.as_ptr())
}

/// The columns that an allow lets the caller see, a JSON object: `{"only":["id"]}` or `{"all_but":["income"]}`. Every
/// column is `{"all_but":[]}`. Meaningless for a deny. Borrowed from `decision`; `{"only":[]}` for NULL.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_decision_columns(decision: Option<&zt_decision>) -> *const c_char {
    let none = c"{\"only\":[]}".as_ptr();
    word(decision, none, |words| words.columns.as_ptr())
}

/// The visible columns whose cells are masked, a JSON object of lowercase names to "last_4", "redact" or "null". Borrowed
/// from `decision`; `{}` for NULL.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_decision_masks(decision: Option<&zt_decision>) -> *const c_char {
    word(decision, c"{}".as_ptr(), |words| words.masks.as_ptr())
}

/// What must be done with an allow beside that, a JSON object: `{"audit":"durable","encrypt":["ER-01"],"max_rows":1000}`.
/// `max_rows` is null where there is no limit. zt_permit_apply does it or refuses. Borrowed from `decision`; `{}` for NULL.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_decision_obligations(decision: Option<&zt_decision>) -> *const c_char {
    word(decision, c"{}".as_ptr(), |words| words.obligations.as_ptr())
}

/// The restrictions that an allow is under, a JSON array of row ids. Borrowed from `decision`; "[]" for NULL.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_decision_restrictions(decision: Option<&zt_decision>) -> *const c_char {
    word(decision, c"[]".as_ptr(), |words| {
        words.restrictions.as_ptr()
    })
}

/// How the caller must sign in to be allowed, where nothing else is missing: a JSON array of "mfa" and authentication
/// contexts of Entra ("c1" to "c99"), all of which are needed; empty otherwise. Borrowed from `decision`; "[]" for NULL.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_decision_step_up(decision: Option<&zt_decision>) -> *const c_char {
    word(decision, c"[]".as_ptr(), |words| words.step_up.as_ptr())
}

/// Until when time alone cannot change the decision on its snapshot. True, and `until_ms` is set to milliseconds since
/// 1970-01-01T00:00:00Z, where there is such a moment; false, and `until_ms` is left as it is, where time never changes it
/// and for NULL. A new snapshot and the end of the caller's token may change it earlier.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_decision_lease(
    decision: Option<&zt_decision>,
    until_ms: Option<&mut i64>,
) -> bool {
    guard_or(false, || {
        let Some(end) = decision.and_then(|decision| decision.decision.lease()) else {
            return false;
        };
        if let Some(place) = until_ms {
            *place = end.as_millis();
        }
        true
    })
}

/// The row of Access_Policies that would have allowed this, as TOML to propose; NULL unless no row decided. Borrowed from
/// `decision`.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_decision_draft(decision: Option<&zt_decision>) -> *const c_char {
    word(decision, null(), |words| {
        words.draft.as_ref().map_or(null(), |draft| draft.as_ptr())
    })
}

/// Frees it. NULL is allowed.
///
/// Threads: any, once, after the last use. Blocks: never. @since 1
#[unsafe(no_mangle)]
pub extern "C" fn zt_decision_free(decision: Option<Box<zt_decision>>) {
    guard_or((), || drop(decision));
}

/// A decision in full, with the rows that nearly allowed it and what they lacked: a JSON object.
///
/// The caller of `session`, which may be another than the decision's, needs `policy.explain` on the decision's resource:
/// near misses tell an attacker what to claim.
///
/// `explanation`: a new text; free it with zt_text_free.
/// Answers: OK, DENIED, TOKEN_EXPIRED, AUDIT_UNAVAILABLE, INVALID_ARGUMENT.
/// Threads: any, also at once. Blocks: on the disk for the first of identical denies. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_explain(
    session: Option<&zt_session>,
    decision: Option<&zt_decision>,
    explanation: Option<&mut MaybeUninit<*mut zt_text>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let session = given(session, "session")?;
        let decision = given(decision, "decision")?;
        let place = given(explanation, "explanation")?;
        let explanation = session.session().explain(&decision.decision)?;
        give(place, zt_text::json(&explanation)?);
        Ok(())
    })
}

fn word(
    decision: Option<&zt_decision>,
    fallback: *const c_char,
    read: impl FnOnce(&Words) -> *const c_char,
) -> *const c_char {
    decision.map_or(fallback, |decision| {
        guard_or(fallback, || read(decision.words()))
    })
}

/// The decision behind a refusal, for zt_explain: new, free it with zt_decision_free. NULL when there is none.
///
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_error_decision(error: Option<&zt_error>) -> Option<Box<zt_decision>> {
    guard_or(None, || {
        let decision = error?.decision.clone()?;
        Some(Box::new(zt_decision::new(decision)))
    })
}
