//! Entra's answers, read once and bounded: what of them may be shown, kept or acted on.

use std::time::Duration;

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::network::HttpResponse;
use crate::text;

use super::DeviceCodeError;

/// A code to show, and the secret to ask with.
pub(super) struct Offer {
    pub(super) device_code: Zeroizing<String>,
    pub(super) user_code: String,
    pub(super) verification_uri: String,
    pub(super) message: String,
    pub(super) lifetime: Duration,
    pub(super) interval: Duration,
}

#[derive(Deserialize)]
struct RawOffer {
    device_code: String,
    user_code: String,
    verification_uri: String,
    expires_in: u64,
    /// Five seconds if it is absent (RFC 8628 §3.2).
    interval: Option<u64>,
    message: Option<String>,
}

/// Entra's codes live for 15 minutes.
const MOST_LIFETIME_S: u64 = 3600;
const MOST_INTERVAL_S: u64 = 60;
const DEFAULT_INTERVAL_S: u64 = 5;

impl Offer {
    pub(super) fn read(body: &[u8]) -> Result<Self, DeviceCodeError> {
        let malformed = |reason| Err(DeviceCodeError::Malformed { reason });
        let Ok(raw) = serde_json::from_slice::<RawOffer>(body) else {
            return malformed("it is not the JSON of RFC 8628");
        };
        let device_code = Zeroizing::new(raw.device_code);
        if device_code.is_empty() || device_code.len() > 4096 {
            return malformed("`device_code` is empty or too long");
        }
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if !(1..=32).contains(&raw.user_code.len()) || !raw.user_code.bytes().all(is_plain) {
            return malformed("`user_code` is not a few letters and digits");
        }
        if !is_https(&raw.verification_uri) {
            return malformed("`verification_uri` is not a plain `https` address");
        }
        if raw.expires_in == 0 {
            return malformed("`expires_in` is 0");
        }
        let interval = raw.interval.unwrap_or(DEFAULT_INTERVAL_S);
        Ok(Self {
            message: message(raw.message, &raw.verification_uri, &raw.user_code),
            device_code,
            user_code: raw.user_code,
            verification_uri: raw.verification_uri,
            lifetime: Duration::from_secs(raw.expires_in.min(MOST_LIFETIME_S)),
            interval: Duration::from_secs(interval.clamp(1, MOST_INTERVAL_S)),
        })
    }
}

/// An address that a person can be sent to: what it names must be visible at a glance.
fn is_https(uri: &str) -> bool {
    let Some(rest) = uri.strip_prefix("https://") else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':');
    uri.len() <= 256
        && !host.is_empty()
        && host.bytes().all(is_host)
        && rest.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The server's text, which is in the person's language, if it leads to this address and to no other; else ours.
fn message(theirs: Option<String>, uri: &str, code: &str) -> String {
    let own = || format!("To sign in, open {uri} in a browser and enter the code {code}.");
    let theirs = theirs.unwrap_or_default();
    let leads_there = theirs.contains(uri) && theirs.contains(code);
    let addresses = theirs.matches("://").count();
    if leads_there && addresses == 1 && theirs.len() <= 512 && !text::has_hidden(&theirs) {
        theirs
    } else {
        own()
    }
}

/// The person's token.
pub(super) struct Granted {
    pub(super) token: Zeroizing<String>,
    pub(super) lifetime: Duration,
}

#[derive(Deserialize)]
struct RawToken {
    access_token: String,
    token_type: String,
    expires_in: u64,
}

/// Entra's longest live 28 hours.
const MOST_TOKEN_LIFETIME_S: u64 = 29 * 3600;

impl Granted {
    pub(super) fn read(body: &[u8]) -> Result<Self, DeviceCodeError> {
        let malformed = |reason| Err(DeviceCodeError::Malformed { reason });
        let Ok(raw) = serde_json::from_slice::<RawToken>(body) else {
            return malformed("it is not the JSON of a token");
        };
        let token = Zeroizing::new(raw.access_token);
        // It goes into a header.
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return malformed("`access_token` is empty or not plain text");
        }
        if !raw.token_type.eq_ignore_ascii_case("bearer") {
            return malformed("`token_type` is not `Bearer`");
        }
        Ok(Self {
            token,
            lifetime: Duration::from_secs(raw.expires_in.min(MOST_TOKEN_LIFETIME_S)),
        })
    }
}

/// A refusal: what to do about it.
pub(super) enum Problem {
    /// Ask again after the interval.
    Pending,
    /// Ask less often from now on.
    SlowDown,
    /// Nobody may be asked now.
    Busy {
        reason: String,
        retry_in: Option<Duration>,
    },
    /// It is over.
    Final(DeviceCodeError),
}

#[derive(Deserialize)]
struct RawProblem {
    error: String,
    #[serde(default)]
    error_codes: Vec<u32>,
}

impl Problem {
    pub(super) fn read(response: &HttpResponse) -> Self {
        let status = response.status;
        if matches!(status, 408 | 429 | 500..=599) {
            return Self::Busy {
                reason: format!("it answers with status {status}"),
                retry_in: response.retry_after(),
            };
        }
        let raw = serde_json::from_slice::<RawProblem>(&response.body);
        let Ok(raw) = raw.map_err(|_| ()).and_then(RawProblem::bounded) else {
            let reason = "it is neither a token nor an OAuth error";
            return Self::Final(DeviceCodeError::Malformed { reason });
        };
        match raw.error.as_str() {
            "authorization_pending" => Self::Pending,
            "slow_down" => Self::SlowDown,
            // Entra says the first where RFC 8628 §3.5 says the second.
            "authorization_declined" | "access_denied" => Self::Final(DeviceCodeError::Declined),
            "expired_token" | "code_expired" => Self::Final(DeviceCodeError::Expired),
            "temporarily_unavailable" => Self::Busy {
                reason: "it is temporarily unavailable".to_owned(),
                retry_in: response.retry_after(),
            },
            _ => Self::Final(DeviceCodeError::Refused {
                reason: raw.reason(),
            }),
        }
    }

    /// At the start there is no code to wait for: pending is as wrong as anything else.
    pub(super) fn into_error(self) -> DeviceCodeError {
        match self {
            Self::Final(error) => error,
            Self::Busy { reason, retry_in } => DeviceCodeError::Unavailable { reason, retry_in },
            Self::Pending | Self::SlowDown => DeviceCodeError::Malformed {
                reason: "it speaks of a code that does not exist yet",
            },
        }
    }
}

impl RawProblem {
    /// Names of OAuth errors are letters and underscores; nothing else comes into our texts.
    fn bounded(self) -> Result<Self, ()> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        let is_name = (1..=64).contains(&self.error.len()) && self.error.bytes().all(is_plain);
        is_name.then_some(self).ok_or(())
    }

    fn reason(&self) -> String {
        let Some(number) = self.error_codes.first() else {
            return format!("`{}`", self.error);
        };
        let known = match number {
            50_076 | 50_079 | 53_000..=53_004 => {
                ", conditional access does not let this person in from here"
            }
            50_105 => ", the person is not assigned to the application",
            65_001 => ", nobody has consented to this scope",
            70_011 | 500_011 => ", there is no such scope or API in the tenant",
            90_002 => ", there is no such tenant in this cloud",
            700_016 => ", there is no such client in the tenant",
            7_000_218 => ", the client is not allowed public client flows",
            _ => "",
        };
        format!("`{}` (AADSTS{number}){known}", self.error)
    }
}
