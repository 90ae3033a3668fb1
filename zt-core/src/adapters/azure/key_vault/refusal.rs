//! What a status of Key Vault means. The text of a refusal is not read: it holds who we are and from where we came.
//!
//! Sources: Microsoft Learn, "Azure Key Vault REST API error codes", "Azure Key Vault throttling guidance".

use std::borrow::Cow;
use std::time::Duration;

use serde::Deserialize;

use crate::network::{HttpError, HttpResponse};
use crate::secrets::{SecretId, VaultError};

/// A vault that is busy for longer is asked again nevertheless.
const MOST_WAIT: Duration = Duration::from_secs(5 * 60);

/// Bodies of refusals have a kilobyte; nothing is looked for in longer ones.
const MOST_BYTES: usize = 16 * 1024;

/// Why a token that was sent is of no use.
pub(super) const MESSAGE_OF_401: &str =
    "it does not take our token; it may have been revoked, or be of another tenant than the vault";

/// An answer that is none to what was asked.
pub(super) fn refusal(id: &SecretId, answer: &HttpResponse) -> VaultError {
    let vault = id.vault().as_str();
    let status = answer.status;
    match status {
        403 => forbidden(id, answer),
        404 => VaultError::not_found(id),
        429 => VaultError::throttled(retry_in(answer)),
        408 | 500..=599 => VaultError::unavailable(&told(answer), retry_in(answer)),
        409 if is_under_way(answer) => VaultError::unavailable(&told(answer), retry_in(answer)),
        400 | 402 | 405..=499 => {
            let told = told(answer);
            VaultError::invalid(&format!(
                "vault `{vault}` does not take the request: {told}"
            ))
        }
        401 => VaultError::integrity(vault, "it says 401 and not which token it wants"),
        300..=399 => {
            VaultError::integrity(vault, "it answers with a redirect, which is not followed")
        }
        200 => VaultError::integrity(vault, "it answers without asking who we are"),
        _ => VaultError::integrity(vault, &format!("it answers with status {status}")),
    }
}

/// Whether a key was given bytes that it cannot work on, which Key Vault says of wrapped keys too.
pub(super) fn is_bad_parameter(answer: &HttpResponse) -> bool {
    answer.status == 400 && Codes::of(answer).outer.as_deref() == Some("BadParameter")
}

/// What is being deleted or recovered takes nothing until that is over.
fn is_under_way(answer: &HttpResponse) -> bool {
    let inner = Codes::of(answer).inner;
    inner.is_some_and(|code| code.starts_with("ObjectIsBeing"))
}

fn forbidden(id: &SecretId, answer: &HttpResponse) -> VaultError {
    let codes = Codes::of(answer);
    let code = codes.inner.or(codes.outer);
    match code.as_deref() {
        Some("SecretDisabled" | "KeyDisabled") => VaultError::disabled(id),
        Some(code @ ("ForbiddenByFirewall" | "ForbiddenByConnection")) => {
            VaultError::firewall(id.vault().as_str(), code)
        }
        code => VaultError::denied(id, code.unwrap_or("403")),
    }
}

/// No answer at all.
pub(super) fn unsent(id: &SecretId, error: &HttpError) -> VaultError {
    let reason = error.to_string();
    match error {
        HttpError::Refused { .. } => VaultError::network_refused(&reason),
        HttpError::Tls { .. } => VaultError::tls(&reason),
        HttpError::Resolve { .. }
        | HttpError::Connect { .. }
        | HttpError::Timeout { .. }
        | HttpError::Broken { .. } => VaultError::unavailable(&reason, None),
        HttpError::TooLong { .. } => VaultError::integrity(id.vault().as_str(), &reason),
        HttpError::Malformed { .. } => VaultError::invalid(&reason),
    }
}

/// The headers of Azure in the order of its SDKs: two in milliseconds, then that of HTTP in seconds.
fn retry_in(answer: &HttpResponse) -> Option<Duration> {
    let millis = |name: &str| {
        let text = answer.header(name)?.trim();
        text.parse().ok().map(Duration::from_millis)
    };
    let told = millis("x-ms-retry-after-ms")
        .or_else(|| millis("retry-after-ms"))
        .or_else(|| answer.retry_after())?;
    Some(told.min(MOST_WAIT))
}

/// The status and, where it is a word, the code.
fn told(answer: &HttpResponse) -> String {
    let codes = Codes::of(answer);
    match codes.inner.or(codes.outer) {
        Some(code) => format!("status {} ({code})", answer.status),
        None => format!("status {}", answer.status),
    }
}

/// The codes of a refusal; the inner one says more.
#[derive(Default)]
struct Codes {
    outer: Option<String>,
    inner: Option<String>,
}

#[derive(Deserialize)]
struct Refused<'a> {
    #[serde(borrow)]
    error: Coded<'a>,
}

#[derive(Deserialize)]
struct Coded<'a> {
    #[serde(borrow)]
    code: Cow<'a, str>,
    #[serde(borrow)]
    innererror: Option<Inner<'a>>,
}

#[derive(Deserialize)]
struct Inner<'a> {
    #[serde(borrow)]
    code: Cow<'a, str>,
}

impl Codes {
    fn of(answer: &HttpResponse) -> Self {
        if answer.body.len() > MOST_BYTES {
            return Self::default();
        }
        let Ok(Refused { error }) = serde_json::from_slice(&answer.body) else {
            return Self::default();
        };
        let word = |code: Cow<'_, str>| is_word(&code).then(|| code.into_owned());
        Self {
            outer: word(error.code),
            inner: error.innererror.and_then(|inner| word(inner.code)),
        }
    }
}

/// A code is one word; whatever else stands there does not come into our texts.
fn is_word(code: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=64).contains(&code.len()) && code.bytes().all(is_plain)
}
