//! The port to a key that never leaves its vault: it wraps data keys and unwraps them.
//!
//! In: the name of a key encryption key and a [`DataKey`], or what an earlier wrap gave. Out: the other of both, or a
//! [`KeyError`]. An adapter never retries, never caches a data key and never decides who may use one: the session does.
//! The contract suite of this port is `testing::key_contract`.

use std::fmt;
use std::str::FromStr;

use super::DataKey;
use crate::error::{Code, Error};
use crate::port::BoxFuture;
use crate::secrets::{SecretId, SecretVersion, VaultError};

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
}

impl WrapAlgorithm {
    /// As sealed data names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aes256Kw => "A256KW",
        }
    }
}

/// The text names no algorithm that this zt knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an algorithm for wrapping keys: expected `A256KW`")]
#[non_exhaustive]
pub struct NotAWrapAlgorithm;

impl FromStr for WrapAlgorithm {
    type Err = NotAWrapAlgorithm;

    fn from_str(text: &str) -> Result<Self, NotAWrapAlgorithm> {
        match text {
            "A256KW" => Ok(Self::Aes256Kw),
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
    /// The vault itself failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
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
                let help = format!("make one with `zt vault create-key {}`", id.name());
                Self::new(Code::NotFound, message).with_help(help)
            }
            KeyError::Unwrap { .. } => Self::new(Code::SealIntegrity, message),
            KeyError::Vault(why) => why.clone().into(),
        }
    }
}
