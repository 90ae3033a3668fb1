//! What can go wrong between zt and a vault, and what to do about it.
//!
//! In: the facts of one failure. Out: the crate's [`Error`] with a stable code and a help line. Cloned for every waiter of
//! a shared fetch, so the causes are shared. Never holds a value.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Code, Error};

use super::{AttemptId, SecretId};

/// Why a vault gave no secret, or did not take one.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// No such secret, or no such version of it.
    #[error("there is no secret `{id}`")]
    #[non_exhaustive]
    NotFound {
        /// Which.
        id: SecretId,
    },
    /// There is no vault at all where one was expected.
    #[error("there is no vault file `{at}`")]
    #[non_exhaustive]
    NoVault {
        /// Where it was looked for.
        at: Arc<str>,
    },
    /// The version is switched off.
    #[error("secret `{id}` is disabled")]
    #[non_exhaustive]
    Disabled {
        /// Which.
        id: SecretId,
    },
    /// Its time has not come.
    #[error("secret `{id}` is not valid before {not_before}")]
    #[non_exhaustive]
    NotYetValid {
        /// Which.
        id: SecretId,
        /// From when on it is.
        not_before: Timestamp,
    },
    /// Its time is over.
    #[error("secret `{id}` expired at {expires}")]
    #[non_exhaustive]
    Expired {
        /// Which.
        id: SecretId,
        /// When it ended.
        expires: Timestamp,
    },
    /// The vault refuses this process's own identity.
    #[error("the vault refuses to show `{id}` to this identity ({code})")]
    #[non_exhaustive]
    Denied {
        /// Which.
        id: SecretId,
        /// The vault's word for why: `ForbiddenByRbac`, `ForbiddenByPolicy`, `AccessDenied`.
        code: Arc<str>,
    },
    /// This process has no token for the vault, or the vault does not take it.
    #[error("the vault does not know who we are: {reason}")]
    #[non_exhaustive]
    Unauthenticated {
        /// What is missing.
        reason: Arc<str>,
    },
    /// Our own identity has no token yet: it took so much of the call's time that nothing can be said of the vault.
    #[error("our own identity gives no token yet: {credential} took {} ms of the call", took.as_millis())]
    #[non_exhaustive]
    TokenPending {
        /// What proves who we are, such as `managed identity`.
        credential: Arc<str>,
        /// For how long the call waited for it.
        took: Duration,
    },
    /// Our own guard refuses the connection: nothing was sent.
    #[error("{reason}")]
    #[non_exhaustive]
    NetworkRefused {
        /// Which rule, and what would allow it.
        reason: Arc<str>,
    },
    /// The vault's firewall refuses the path on which we came.
    #[error("the firewall of `{vault}` refuses the path on which we came ({code})")]
    #[non_exhaustive]
    Firewall {
        /// Which vault.
        vault: Arc<str>,
        /// The vault's word for why: `ForbiddenByFirewall`, `ForbiddenByConnection`.
        code: Arc<str>,
    },
    /// Whoever answers does not prove to be the vault.
    #[error("the vault is not proven: {reason}")]
    #[non_exhaustive]
    Tls {
        /// What is wrong with the certificate or the handshake.
        reason: Arc<str>,
    },
    /// The vault has had too many calls.
    #[error("the vault asks for a pause")]
    #[non_exhaustive]
    Throttled {
        /// For how long, if it said so.
        retry_in: Option<Duration>,
    },
    /// The vault cannot answer now.
    #[error("the vault cannot answer: {reason}")]
    #[non_exhaustive]
    Unavailable {
        /// Why, in words.
        reason: Arc<str>,
        /// When to try again, if the vault said so.
        retry_in: Option<Duration>,
    },
    /// The bytes are not what was written, or the answer is not to what was asked.
    #[error("vault `{at}` cannot be trusted: {reason}")]
    #[non_exhaustive]
    Integrity {
        /// Which vault: a URL or a path.
        at: Arc<str>,
        /// What was found.
        reason: Arc<str>,
    },
    /// The passphrase or key file is not the one that the vault was written with.
    #[error("vault `{at}` cannot be opened: {reason}")]
    #[non_exhaustive]
    WrongKey {
        /// Which vault.
        at: Arc<str>,
        /// What does not fit.
        reason: Arc<str>,
    },
    /// What was asked of the vault is malformed.
    #[error("{reason}")]
    #[non_exhaustive]
    Invalid {
        /// What and why.
        reason: Arc<str>,
    },
    /// The operating system refused a file.
    #[error("cannot {what}: {source}")]
    #[non_exhaustive]
    Io {
        /// What was tried, with the path.
        what: Arc<str>,
        /// The operating system's answer.
        source: Arc<io::Error>,
    },
}

impl VaultError {
    /// No such secret.
    #[must_use]
    pub fn not_found(id: &SecretId) -> Self {
        Self::NotFound { id: id.clone() }
    }

    /// The version is switched off.
    #[must_use]
    pub fn disabled(id: &SecretId) -> Self {
        Self::Disabled { id: id.clone() }
    }

    /// The vault refuses this process's own identity, with this code.
    #[must_use]
    pub fn denied(id: &SecretId, code: &str) -> Self {
        Self::Denied {
            id: id.clone(),
            code: code.into(),
        }
    }

    /// No token, or one that the vault does not take. The reason must hold neither.
    #[must_use]
    pub fn unauthenticated(reason: &str) -> Self {
        Self::Unauthenticated {
            reason: reason.into(),
        }
    }

    /// The call was over before `credential`, for which it waited so long, let it say anything.
    #[must_use]
    pub fn token_pending(credential: &str, took: Duration) -> Self {
        Self::TokenPending {
            credential: credential.into(),
            took,
        }
    }

    /// Our guard refuses the connection.
    #[must_use]
    pub fn network_refused(reason: &str) -> Self {
        Self::NetworkRefused {
            reason: reason.into(),
        }
    }

    /// The vault's firewall refuses the path, with this code.
    #[must_use]
    pub fn firewall(vault: &str, code: &str) -> Self {
        Self::Firewall {
            vault: vault.into(),
            code: code.into(),
        }
    }

    /// Whoever answers does not prove to be the vault.
    #[must_use]
    pub fn tls(reason: &str) -> Self {
        Self::Tls {
            reason: reason.into(),
        }
    }

    /// The vault asks for a pause.
    #[must_use]
    pub const fn throttled(retry_in: Option<Duration>) -> Self {
        Self::Throttled { retry_in }
    }

    /// The vault cannot answer now. The reason must not repeat what the vault sent.
    #[must_use]
    pub fn unavailable(reason: &str, retry_in: Option<Duration>) -> Self {
        Self::Unavailable {
            reason: reason.into(),
            retry_in,
        }
    }

    /// The vault at `at` gave something that it must not give. The reason must not repeat what it sent.
    #[must_use]
    pub fn integrity(at: &str, reason: &str) -> Self {
        Self::Integrity {
            at: at.into(),
            reason: reason.into(),
        }
    }

    /// What was asked is malformed.
    #[must_use]
    pub fn invalid(reason: &str) -> Self {
        Self::Invalid {
            reason: reason.into(),
        }
    }

    /// The operating system refused; `what` completes "cannot …".
    #[must_use]
    pub fn io(what: &str, source: io::Error) -> Self {
        Self::Io {
            what: what.into(),
            source: Arc::new(source),
        }
    }

    /// When to try again, if the vault said so.
    #[must_use]
    pub const fn retry_in(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_in, .. } | Self::Throttled { retry_in } => *retry_in,
            Self::NotFound { .. }
            | Self::NoVault { .. }
            | Self::Disabled { .. }
            | Self::NotYetValid { .. }
            | Self::Expired { .. }
            | Self::Denied { .. }
            | Self::Unauthenticated { .. }
            | Self::TokenPending { .. }
            | Self::NetworkRefused { .. }
            | Self::Firewall { .. }
            | Self::Tls { .. }
            | Self::Integrity { .. }
            | Self::WrongKey { .. }
            | Self::Invalid { .. }
            | Self::Io { .. } => None,
        }
    }

    const fn code(&self) -> Code {
        match self {
            Self::NotFound { .. }
            | Self::NoVault { .. }
            | Self::Disabled { .. }
            | Self::NotYetValid { .. }
            | Self::Expired { .. } => Code::NotFound,
            // `Code::Denied` is the policy's word; this one is about how the vault is set up.
            Self::Denied { .. } => Code::Config,
            Self::Unauthenticated { .. } => Code::NoOwnIdentity,
            Self::TokenPending { .. } => Code::IdentityUnavailable,
            Self::NetworkRefused { .. } | Self::Firewall { .. } => Code::NetworkRefused,
            Self::Unavailable { .. }
            | Self::Throttled { .. }
            | Self::Tls { .. }
            | Self::Io { .. } => Code::VaultUnavailable,
            Self::Integrity { .. } | Self::WrongKey { .. } => Code::VaultIntegrity,
            Self::Invalid { .. } => Code::InvalidArgument,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::NotFound { id } | Self::Expired { id, .. } | Self::Disabled { id } => {
                Some(format!("write a version with `zt vault set {}`", id.name()))
            }
            Self::NoVault { .. } => Some("make one with `zt vault set NAME`".to_owned()),
            Self::Denied { .. } => {
                Some("give this identity the role `Key Vault Secrets User` on the vault".to_owned())
            }
            Self::Firewall { .. } => Some(
                "come over the vault's private endpoint: `zt doctor network` names what is missing"
                    .to_owned(),
            ),
            Self::NetworkRefused { .. } | Self::Tls { .. } => {
                Some("`zt doctor network` names the cause".to_owned())
            }
            Self::WrongKey { .. } => {
                Some("use the passphrase or key file it was written with".to_owned())
            }
            Self::Integrity { .. } => Some("restore it from a backup".to_owned()),
            Self::NotYetValid { .. }
            | Self::Unauthenticated { .. }
            | Self::TokenPending { .. }
            | Self::Throttled { .. }
            | Self::Unavailable { .. }
            | Self::Invalid { .. }
            | Self::Io { .. } => None,
        }
    }
}

impl From<VaultError> for Error {
    fn from(error: VaultError) -> Self {
        let mut folded = Self::new(error.code(), error.to_string());
        if let Some(help) = error.help() {
            folded = folded.with_help(help);
        }
        if let Some(retry_in) = error.retry_in() {
            folded = folded.with_retry_in(retry_in);
        }
        folded.with_source(error)
    }
}

/// Why a fetch gave nothing, and which call it was: what waiters of one flight share and the audit record names.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{error}")]
#[non_exhaustive]
pub struct FetchError {
    /// Why.
    pub error: VaultError,
    /// The last call that was made; none if the vault was not called.
    pub attempt: Option<AttemptId>,
}

impl FetchError {
    /// The failure of a call.
    #[must_use]
    pub const fn new(error: VaultError, attempt: Option<AttemptId>) -> Self {
        Self { error, attempt }
    }
}

impl From<FetchError> for Error {
    fn from(failed: FetchError) -> Self {
        Self::from(failed.error.clone()).with_source(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn id() -> SecretId {
        let vault = "https://kv.vault.azure.net".parse().unwrap();
        SecretId::new(vault, "adb-token".parse().unwrap())
    }

    #[test]
    fn a_missing_secret_says_how_to_write_it() {
        let error = Error::from(VaultError::not_found(&id()));
        assert_eq!(
            error.to_string(),
            "[ZT-3001] there is no secret `https://kv.vault.azure.net/secrets/adb-token`; \
             write a version with `zt vault set adb-token`"
        );
    }

    #[test]
    fn when_to_try_again_reaches_the_caller() {
        let retry_in = Some(Duration::from_secs(7));
        let error = Error::from(VaultError::unavailable("429", retry_in));
        assert_eq!(error.kind(), ErrorKind::Unavailable { retry_in });
    }
}
