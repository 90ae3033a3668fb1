//! The port to our own identity: something that gets an access token for a scope.

use std::fmt;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::error::{Code, Error};
use crate::port::BoxFuture;

use super::challenge::Challenge;

/// An access token of our own, wiped when dropped. `Debug` shows when it ends and nothing else.
#[derive(Clone)]
pub struct AccessToken {
    token: Zeroizing<String>,
    expires_at: Timestamp,
}

impl AccessToken {
    /// A token that ends at a moment.
    #[must_use]
    pub fn new(token: impl Into<Zeroizing<String>>, expires_at: Timestamp) -> Self {
        Self {
            token: token.into(),
            expires_at,
        }
    }

    /// The token. Whoever holds it is who it names: it belongs into an `Authorization` header and nowhere else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.token
    }

    /// When it ends.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Gets access tokens for the process itself: a managed identity, a service principal, a developer's sign-in.
///
/// An implementation asks each time; `OwnIdentity` around it keeps tokens, asks once for many callers and
/// refreshes ahead.
pub trait TokenCredential: Send + Sync + fmt::Debug {
    /// A token for one scope, such as `https://vault.azure.net/.default`.
    fn get_token<'a>(
        &'a self,
        scope: &'a str,
    ) -> BoxFuture<'a, Result<AccessToken, CredentialError>>;

    /// What it is, for the log: `managed identity`.
    fn name(&self) -> &str;

    /// Forgets every token that it keeps inside, because a server refused one: the next call asks the issuer anew.
    fn forget(&self) {}
}

/// Why there is no token. No text holds a token, a secret or an answer's body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// This kind of credential is not set up here; a chain goes on to the next.
    #[error("{credential} is not set up here: {reason}")]
    NotSetUp {
        /// Which credential.
        credential: String,
        /// What is missing.
        reason: String,
    },
    /// It is set up, and the issuer refused. Asking again changes nothing.
    #[error("{credential} was refused: {reason}")]
    Refused {
        /// Which credential.
        credential: String,
        /// The issuer's error code, and what zt knows of it.
        reason: String,
    },
    /// Policy of the tenant asks for another sign-in (claims challenge): its `claims` belong into a new request.
    #[error("{credential} must sign in again: {reason}")]
    ClaimsRequired {
        /// Which credential.
        credential: String,
        /// The issuer's error code.
        reason: String,
        /// The JSON that the issuer asks to be sent back.
        claims: String,
    },
    /// The issuer cannot be reached, or answers that it is busy.
    #[error("{credential} cannot reach its issuer: {reason}")]
    Unavailable {
        /// Which credential.
        credential: String,
        /// What happened.
        reason: String,
        /// When to ask again, if it said so.
        retry_in: Option<Duration>,
    },
}

impl CredentialError {
    fn help(&self) -> &'static str {
        match self {
            Self::NotSetUp { .. } => {
                "set AZURE_TENANT_ID, AZURE_CLIENT_ID and a secret or a federated token file, give the machine a managed identity, run `az login`, or pass a credential object"
            }
            Self::Refused { .. } => "check the identity, its secret and its consent in Entra",
            Self::ClaimsRequired { .. } => "sign in again with these claims",
            Self::Unavailable { .. } => "try again later",
        }
    }
}

impl From<CredentialError> for Error {
    fn from(reason: CredentialError) -> Self {
        let retry_in = match &reason {
            CredentialError::Unavailable { retry_in, .. } => *retry_in,
            CredentialError::NotSetUp { .. }
            | CredentialError::Refused { .. }
            | CredentialError::ClaimsRequired { .. } => None,
        };
        let code = match &reason {
            CredentialError::Unavailable { .. } => Code::IdentityUnavailable,
            CredentialError::ClaimsRequired { .. } => Code::InteractionRequired,
            CredentialError::NotSetUp { .. } | CredentialError::Refused { .. } => {
                Code::NoOwnIdentity
            }
        };
        let error = Self::new(code, reason.to_string()).with_help(reason.help());
        let error = match &reason {
            CredentialError::ClaimsRequired { claims, .. } => {
                error.with_challenge(Challenge::claims(claims.as_str()))
            }
            CredentialError::NotSetUp { .. }
            | CredentialError::Refused { .. }
            | CredentialError::Unavailable { .. } => error,
        };
        let error = match retry_in {
            Some(retry_in) => error.with_retry_in(retry_in),
            None => error,
        };
        error.with_source(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_debug_shows_a_token() {
        let token = AccessToken::new("needle".to_owned(), Timestamp::from_secs(1));
        assert!(!format!("{token:?}").contains("needle"));
        assert_eq!(token.reveal(), "needle");
    }
}
