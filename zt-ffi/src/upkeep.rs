//! What an operator does with a live process: look at it, fetch ahead, forget, hear of changes. None of it hands out a value.

use std::ffi::c_char;
use std::mem::MaybeUninit;
use std::time::Duration;

use serde_json::{Map, Value, json};
use zt_core::secrets::{Delivery, Warmed};

use crate::boundary::{bytes, give, given, text, texts};
use crate::error::zt_error;
use crate::guard::guard;
use crate::runtime::zt_runtime;
use crate::session::zt_session;
use crate::status::zt_status;
use crate::text::zt_text;

/// How this process is: tables, keys, every slot and vault, memory, audit log; what `zt status --json` prints. Names, ages,
/// counts and last errors, never a value of a secret, a token or a claim. Answers also after zt_runtime_close.
///
/// `json`: a JSON object; a new text, free it with zt_text_free. docs/src/operations.md has its fields.
/// Answers: OK, INVALID_ARGUMENT.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_runtime_status_json(
    runtime: Option<&zt_runtime>,
    json: Option<&mut MaybeUninit<*mut zt_text>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let runtime = given(runtime, "runtime")?;
        let place = given(json, "json")?;
        give(place, zt_text::json(&runtime.runtime().status())?);
        Ok(())
    })
}

/// What this process counts, for a page that Prometheus scrapes: its text format, version 0.0.4. Names of states, vaults, sinks
/// and tenants, never of a secret. Answers also after zt_runtime_close.
///
/// `metrics`: a new text; free it with zt_text_free. docs/src/operations.md has every name.
/// Answers: OK, INVALID_ARGUMENT.
/// Threads: any, also at once. Blocks: never. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn zt_runtime_metrics_text(
    runtime: Option<&zt_runtime>,
    metrics: Option<&mut MaybeUninit<*mut zt_text>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let runtime = given(runtime, "runtime")?;
        let place = given(metrics, "metrics")?;
        give(place, zt_text::plain(&runtime.runtime().metrics_text()));
        Ok(())
    })
}

/// Wipes what is cached for a row of Secret_References, also what was said of it: the next reader asks the vault. The record
/// is on disk before it is done.
///
/// Answers: OK, NOT_FOUND when no row is called so, AUDIT_UNAVAILABLE, CLOSED, INVALID_ARGUMENT.
/// Threads: any, also at once. Blocks: on the disk. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_runtime_invalidate(
    runtime: Option<&zt_runtime>,
    reference: *const c_char,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let runtime = given(runtime, "runtime")?;
        // SAFETY: the C caller promises a NUL-terminated string that stays for the call.
        let reference = unsafe { text(reference, "reference") }?;
        Ok(runtime.runtime().invalidate(reference)?)
    })
}

/// Takes in a delivery of Event Grid about secrets (new version, near expiry, expired): what knows such a secret asks its
/// vault now, once a second at most. An event is a hint and proves nothing: a forged one costs a call.
///
/// `body`: `length` bytes, the body of the request; NULL when `length` is 0. `delivery`: what became of it, a JSON object:
/// `taken` has a `secret` and a `change` for each event about a secret of the tables, `ignored` counts the others,
/// `validation_code` is a string when a new subscription asks for it as `validationResponse`, else null. A new text, free
/// it with zt_text_free.
/// Answers: OK, INVALID_ARGUMENT (also for what is no delivery), AUDIT_UNAVAILABLE, CLOSED.
/// Threads: any, also at once. Blocks: maybe on the disk. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_runtime_secret_event(
    runtime: Option<&zt_runtime>,
    body: *const u8,
    length: usize,
    delivery: Option<&mut MaybeUninit<*mut zt_text>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let runtime = given(runtime, "runtime")?;
        // SAFETY: the C caller promises `length` bytes that nobody changes meanwhile.
        let bytes = unsafe { bytes(body, length, "body") }?;
        let place = given(delivery, "delivery")?;
        // What is asked of a vault runs beside this call, on the executor.
        let told = async { runtime.runtime().on_secret_event(bytes) };
        let told = runtime.executor().complete(told)?;
        give(place, zt_text::json(&delivered(&told))?);
        Ok(())
    })
}

/// Fetches secrets before they are read, all at once, and waits at most `timeout_ms`: what a job needs, while it starts.
/// Nothing is handed out, and only what this session may read is fetched. A fetch that is not back in time goes on.
///
/// `references`: `count` strings, ids of rows; NULL when `count` is 0. `ready`: how many are there now, or NULL. `failed`:
/// a JSON object with a member for each of the others: the reference, and an object with `status`, `code` and `message`; a
/// new text, free it with zt_text_free; or NULL.
/// Answers: OK (also when some failed), TOKEN_EXPIRED, AUDIT_UNAVAILABLE, METADATA_STALE, CLOSED, INVALID_ARGUMENT.
/// Threads: any, also at once. Blocks: on the vault, at most `timeout_ms`, and on the disk. @since 1
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zt_session_warm(
    session: Option<&zt_session>,
    references: *const *const c_char,
    count: usize,
    timeout_ms: u64,
    ready: Option<&mut MaybeUninit<usize>>,
    failed: Option<&mut MaybeUninit<*mut zt_text>>,
    err: Option<&mut MaybeUninit<*mut zt_error>>,
) -> zt_status {
    guard(err, || {
        let session = given(session, "session")?;
        // SAFETY: the C caller promises `count` NUL-terminated strings that stay for the call.
        let references = unsafe { texts(references, count, "references") }?;
        let budget = Duration::from_millis(timeout_ms);
        let warming = session.session().warm(&references, budget);
        let warmed = session.executor().complete(warming)?;
        let text = zt_text::json(&failures(&references, &warmed))?;
        if let Some(ready) = ready {
            ready.write(warmed.ready);
        }
        if let Some(failed) = failed {
            give(failed, text);
        }
        Ok(())
    })
}

fn delivered(delivery: &Delivery) -> Value {
    let taken = delivery.taken.iter();
    let taken: Vec<Value> = taken
        .map(|event| json!({"secret": event.id.to_string(), "change": event.change.as_str()}))
        .collect();
    json!({
        "taken": taken,
        "ignored": delivery.ignored,
        "validation_code": delivery.validation_code,
    })
}

fn failures(references: &[&str], warmed: &Warmed) -> Map<String, Value> {
    let failed = warmed.failed.iter().filter_map(|(place, error)| {
        let told = json!({
            "status": error.code().number(),
            "code": error.code().as_str(),
            "message": error.message(),
        });
        Some(((*references.get(*place)?).to_owned(), told))
    });
    failed.collect()
}
