//! Why nobody is signed in.

use std::time::Duration;

use crate::error::{Code, Error};
use crate::network::HttpError;

/// Why there is no token. No text holds a code, a token or an answer's body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceCodeError {
    /// The person said no.
    #[error("the person declined to sign in")]
    Declined,
    /// The person did not type the code in time.
    #[error("nobody signed in before the code expired")]
    Expired,
    /// Entra does not sign anybody in for this client, tenant or scope.
    #[error("Entra refuses the sign-in: {reason}")]
    Refused {
        /// The OAuth error with its AADSTS number, and what zt knows of it.
        reason: String,
    },
    /// Entra cannot be reached, or is busy.
    #[error("Entra gives no answer: {reason}")]
    Unavailable {
        /// What happened.
        reason: String,
        /// When to try again, if it said so.
        retry_in: Option<Duration>,
    },
    /// The answer is not one of this grant, or one that a person must not be shown.
    #[error("Entra's answer is not one of a device sign-in: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The development issuer has no sign-in.
    #[error("the development issuer signs nobody in by device code")]
    NoAuthority,
}

impl DeviceCodeError {
    const fn help(&self) -> &'static str {
        match self {
            Self::Declined | Self::Expired => "sign in again and enter the new code in time",
            Self::Refused { .. } => {
                "check the client's registration: public client flows allowed, the scope exposed and consented to"
            }
            Self::Unavailable { .. } => {
                "check that Network_Rules allow the login host, then try again"
            }
            Self::Malformed { .. } => {
                "check what stands between this machine and Entra: a proxy, a captive portal"
            }
            Self::NoAuthority => "use `zt dev-token`, or set `identity.cloud` to a cloud of Azure",
        }
    }
}

impl From<HttpError> for DeviceCodeError {
    fn from(error: HttpError) -> Self {
        Self::Unavailable {
            reason: error.to_string(),
            retry_in: None,
        }
    }
}

impl From<DeviceCodeError> for Error {
    fn from(reason: DeviceCodeError) -> Self {
        let (code, retry_in) = match &reason {
            DeviceCodeError::Declined
            | DeviceCodeError::Expired
            | DeviceCodeError::Refused { .. } => (Code::SignInFailed, None),
            DeviceCodeError::Unavailable { retry_in, .. } => (Code::IdentityUnavailable, *retry_in),
            DeviceCodeError::Malformed { .. } => (Code::IdentityUnavailable, None),
            DeviceCodeError::NoAuthority => (Code::Config, None),
        };
        let error = Self::new(code, reason.to_string()).with_help(reason.help());
        let error = match retry_in {
            Some(retry_in) => error.with_retry_in(retry_in),
            None => error,
        };
        error.with_source(reason)
    }
}
