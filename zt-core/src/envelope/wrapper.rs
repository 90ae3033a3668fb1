//! The port to a key that never leaves its vault: it wraps data keys and unwraps them.
//!
//! In: the name of a key encryption key and a [`DataKey`], or what an earlier wrap gave. Out: the other of both, or a
//! [`KeyError`]. An adapter never retries, never caches a data key and never decides who may use one: the session does.
//! The contract suite of this port is `testing::key_contract`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::DataKey;
use crate::clock::Timestamp;
use crate::error::{Code, Error};
use crate::port::BoxFuture;
use crate::secrets::{Attempt, Fetched, SecretId, SecretVersion, VaultError};

/// Where key encryption keys live.
///
/// Called from many threads at once. The future may be dropped at any point, and then nothing must have happened.
pub trait KeyWrapper: fmt::Debug + Send + Sync {
    /// Wraps `dek` under a version of `key`: the pinned one, else the newest.
    ///
    /// # Errors
    /// [`KeyError::NotFound`] if there is no such key or version, or a secret has the name.
    fn wrap<'a>(
        &'a self,
        key: &'a SecretId,
        dek: &'a DataKey,
    ) -> BoxFuture<'a, Result<WrappedKey, KeyError>>;

    /// Unwraps what [`wrap`](Self::wrap) gave, under the version that it names; a version that `key` is pinned to does
    /// not count, so that old data opens after a rotation.
    ///
    /// # Errors
    /// [`KeyError::NotFound`] if there is no such key or version, [`KeyError::Unwrap`] if the bytes are not what that
    /// version wrapped.
    fn unwrap<'a>(
        &'a self,
        key: &'a SecretId,
        wrapped: &'a WrappedKey,
    ) -> BoxFuture<'a, Result<DataKey, KeyError>>;

    /// The public half that others may wrap with: of the pinned version, else of the newest. `None` for a key that has none,
    /// as those of AES, and where the adapter gives none out.
    ///
    /// # Errors
    /// [`KeyError::NotFound`] if there is no such key or version.
    fn public_half<'a>(
        &'a self,
        _key: &'a SecretId,
    ) -> BoxFuture<'a, Result<Option<PublicHalf>, KeyError>> {
        Box::pin(async { Ok(None) })
    }
}

/// The public half of one version of a key: whoever has it seals, and opens nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublicHalf {
    /// Of which version.
    pub version: SecretVersion,
    /// A SubjectPublicKeyInfo (RFC 5280 section 4.1, DER) of an RSA key of 2,048 to 4,096 bits.
    pub spki: Vec<u8>,
    /// From when on nobody may wrap with it any more.
    pub expires: Option<Timestamp>,
}

impl PublicHalf {
    /// This half.
    #[must_use]
    pub const fn new(version: SecretVersion, spki: Vec<u8>) -> Self {
        Self {
            version,
            spki,
            expires: None,
        }
    }

    /// The same, that wraps until then.
    #[must_use]
    pub const fn until(mut self, expires: Option<Timestamp>) -> Self {
        self.expires = expires;
        self
    }
}

/// Keys in a vault across a network, which wrap by their public part: whoever has it seals without asking the vault, and
/// opens nothing.
///
/// One attempt each, within its deadline: never a retry, never a cache; the runtime keeps what may be kept. Called from many
/// threads at once. The future may be dropped at any point, and then nothing must have happened.
pub trait RemoteKeys: fmt::Debug + Send + Sync {
    /// The public part of a version of `key`: of the pinned one, else of the newest, with the time in which it may wrap. The
    /// value is the SubjectPublicKeyInfo (RFC 5280 section 4.1, DER) of an RSA key of 2,048 to 4,096 bits that the vault
    /// marks for wrapping and for unwrapping.
    ///
    /// # Errors
    /// [`VaultError::NotFound`] if there is no such key or version, [`VaultError::Invalid`] for a key of another kind.
    fn public_key<'a>(
        &'a self,
        key: &'a SecretId,
        attempt: &'a Attempt,
    ) -> BoxFuture<'a, Result<Fetched, VaultError>>;

    /// The data key in `wrapped`, unwrapped by the version that it names; `None` if that version did not wrap these bytes.
    /// That a version has expired does not matter: it only wraps no more.
    ///
    /// # Errors
    /// [`VaultError::NotFound`] if there is no such key or version.
    fn unwrap_key<'a>(
        &'a self,
        key: &'a SecretId,
        wrapped: &'a WrappedKey,
        attempt: &'a Attempt,
    ) -> BoxFuture<'a, Result<Option<Fetched>, VaultError>>;
}

/// A data key that only its key encryption key can unwrap.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WrappedKey {
    /// How it is wrapped.
    pub algorithm: WrapAlgorithm,
    /// Under which version of the key.
    pub version: SecretVersion,
    /// The wrapped bytes. Not secret.
    pub bytes: Vec<u8>,
}

impl WrappedKey {
    /// These bytes, wrapped like this.
    #[must_use]
    pub const fn new(algorithm: WrapAlgorithm, version: SecretVersion, bytes: Vec<u8>) -> Self {
        Self {
            algorithm,
            version,
            bytes,
        }
    }
}

/// How a data key is wrapped, in the words of JSON Web Algorithms (RFC 7518 section 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WrapAlgorithm {
    /// `A256KW`: AES key wrap with a key of 256 bits (RFC 3394, NIST SP 800-38F).
    Aes256Kw,
    /// `RSA-OAEP-256`: RSAES-OAEP with SHA-256 and MGF1 with SHA-256, without a label (RFC 8017 section 7.1).
    RsaOaep256,
}

impl WrapAlgorithm {
    /// As sealed data names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aes256Kw => "A256KW",
            Self::RsaOaep256 => "RSA-OAEP-256",
        }
    }
}

/// The text names no algorithm that this zt knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an algorithm for wrapping keys: expected `A256KW` or `RSA-OAEP-256`")]
#[non_exhaustive]
pub struct NotAWrapAlgorithm;

impl FromStr for WrapAlgorithm {
    type Err = NotAWrapAlgorithm;

    fn from_str(text: &str) -> Result<Self, NotAWrapAlgorithm> {
        match text {
            "A256KW" => Ok(Self::Aes256Kw),
            "RSA-OAEP-256" => Ok(Self::RsaOaep256),
            _ => Err(NotAWrapAlgorithm),
        }
    }
}

/// Why a key did not wrap or unwrap.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No such key, or no such version of it.
    #[error("there is no key `{}`", name(id))]
    #[non_exhaustive]
    NotFound {
        /// Which; pinned where the key is there and the version is not.
        id: SecretId,
    },
    /// The bytes are not a data key that this key wrapped.
    #[error("key `{}` does not unwrap this data key", name(id))]
    #[non_exhaustive]
    Unwrap {
        /// Which.
        id: SecretId,
    },
    /// The version is switched off.
    #[error("key `{}` is disabled", name(id))]
    #[non_exhaustive]
    Disabled {
        /// Which.
        id: SecretId,
    },
    /// It wraps nothing yet.
    #[error("key `{}` wraps nothing before {not_before}", name(id))]
    #[non_exhaustive]
    NotYetValid {
        /// Which.
        id: SecretId,
        /// From when on it does.
        not_before: Timestamp,
    },
    /// It wraps nothing any more.
    #[error("key `{}` expired at {expires} and wraps nothing any more", name(id))]
    #[non_exhaustive]
    Expired {
        /// Which.
        id: SecretId,
        /// When it ended.
        expires: Timestamp,
    },
    /// The vault refuses this process's own identity.
    #[error(
        "the vault refuses the use of key `{}` to this identity ({code})",
        name(id)
    )]
    #[non_exhaustive]
    Denied {
        /// Which.
        id: SecretId,
        /// The vault's word for why: `ForbiddenByRbac`, `ForbiddenByPolicy`, `AccessDenied`.
        code: Arc<str>,
    },
    /// The vault itself failed.
    #[error(transparent)]
    Vault(VaultError),
}

/// What a vault says of a key, in words of keys.
impl From<VaultError> for KeyError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::NotFound { id } => Self::NotFound { id },
            VaultError::Disabled { id } => Self::Disabled { id },
            VaultError::NotYetValid { id, not_before } => Self::NotYetValid { id, not_before },
            VaultError::Expired { id, expires } => Self::Expired { id, expires },
            VaultError::Denied { id, code } => Self::Denied { id, code },
            error @ (VaultError::NoVault { .. }
            | VaultError::Unauthenticated { .. }
            | VaultError::TokenPending { .. }
            | VaultError::NetworkRefused { .. }
            | VaultError::Firewall { .. }
            | VaultError::Tls { .. }
            | VaultError::Throttled { .. }
            | VaultError::Unavailable { .. }
            | VaultError::Integrity { .. }
            | VaultError::WrongKey { .. }
            | VaultError::Invalid { .. }
            | VaultError::Io { .. }) => Self::Vault(error),
        }
    }
}

impl KeyError {
    /// No such key, whichever version was asked for.
    #[must_use]
    pub fn no_key(id: &SecretId) -> Self {
        let id = SecretId::new(id.vault().clone(), id.name().clone());
        Self::NotFound { id }
    }

    /// The key is there, and this version of it is not; without a version, no version at all.
    #[must_use]
    pub fn no_version(id: &SecretId, version: Option<SecretVersion>) -> Self {
        match version {
            Some(version) => Self::NotFound {
                id: id.clone().at(version),
            },
            None => Self::no_key(id),
        }
    }

    /// The bytes are not what this key wrapped.
    #[must_use]
    pub fn unwrap(id: &SecretId) -> Self {
        Self::Unwrap { id: id.clone() }
    }
}

/// As Key Vault writes it: `https://kv.vault.azure.net/keys/NAME` and `/VERSION` where pinned.
fn name(id: &SecretId) -> String {
    let version = id.version().map(|version| format!("/{version}"));
    format!(
        "{}/keys/{}{}",
        id.vault(),
        id.name(),
        version.unwrap_or_default()
    )
}

impl From<KeyError> for Error {
    fn from(error: KeyError) -> Self {
        let message = error.to_string();
        match &error {
            KeyError::NotFound { id } if id.version().is_some() => {
                Self::new(Code::NotFound, message).with_help(
                    "what was sealed under a version opens with it alone: restore it from a backup",
                )
            }
            KeyError::NotFound { id } => {
                let help = format!(
                    "make one with `zt vault create-key {}`, in Key Vault with `az keyvault key create`",
                    id.name()
                );
                Self::new(Code::NotFound, message).with_help(help)
            }
            KeyError::Disabled { .. } => Self::new(Code::NotFound, message)
                .with_help("switch the version on again, or make a new one to seal with"),
            KeyError::NotYetValid { .. } | KeyError::Expired { .. } => {
                Self::new(Code::NotFound, message)
                    .with_help("make a new version of it; old data still opens")
            }
            KeyError::Denied { .. } => Self::new(Code::Config, message).with_help(
                "give this identity `keys/get` to seal and `keys/unwrapKey` to open: the role \
                 `Key Vault Crypto Service Encryption User` has both",
            ),
            KeyError::Unwrap { .. } => Self::new(Code::SealIntegrity, message),
            KeyError::Vault(why) => why.clone().into(),
        }
    }
}
