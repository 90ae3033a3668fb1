//! The key of a rule's deterministic columns: made once, wrapped, and kept in the row of Encryption_Rules.
//!
//! In: a rule and its key encryption key. Out: a data key that every sealer of the rule unwraps, so that equal values are
//! equal in every batch, job and table of the rule. Whoever may seal under it could also test guesses; nobody may who has
//! only the rows. Its text is not secret: `zt2.` and base64url of
//! `{"v":2,"rule":…,"kid":…,"ver":…,"alg":"A256KW","enc":"A256GCMSIV","ek":…,"com":…}`, one text for one key.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::format::{Version, after_prefix, encode};
use super::key_text::{MOST_BYTES, array};
use super::keys::is_same;
use super::{DataKey, KeyError, KeyWrapper, SealError, WrappedKey};
use crate::error::Result;
use crate::id::SecretRef;
use crate::secrets::SecretId;

const VERSION: u32 = 2;
const ENCRYPTION: &str = "A256GCMSIV";

/// The wrapped key of the deterministic columns of one rule. Not secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeterministicKey {
    rule: String,
    key: SecretRef,
    sealed: Sealed,
}

/// A wrapped deterministic key as the rows carry it, whose rule and key reference are those of the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) wrapped: WrappedKey,
    pub(super) commitment: [u8; 32],
}

/// The text is not the key of deterministic columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a deterministic key, as `zt vault create-deterministic-key` prints one")]
#[non_exhaustive]
pub struct NotADeterministicKey;

impl Sealed {
    fn new(
        dek: &DataKey,
        rule: &str,
        key: &SecretRef,
        wrapped: WrappedKey,
    ) -> Result<Self, SealError> {
        let commitment = commitment(dek, rule, key, &wrapped)?;
        Ok(Self {
            wrapped,
            commitment,
        })
    }

    /// Whether this is the key that it was made of.
    pub(crate) fn is_committed(
        &self,
        dek: &DataKey,
        rule: &str,
        key: &SecretRef,
    ) -> Result<bool, SealError> {
        let commitment = commitment(dek, rule, key, &self.wrapped)?;
        Ok(is_same(&commitment, &self.commitment))
    }
}

fn commitment(
    dek: &DataKey,
    rule: &str,
    key: &SecretRef,
    wrapped: &WrappedKey,
) -> Result<[u8; 32], SealError> {
    let version = wrapped.version.to_string();
    let info: [&[u8]; 4] = [
        b"zt2 deterministic commitment",
        rule.as_bytes(),
        key.as_str().as_bytes(),
        version.as_bytes(),
    ];
    Ok(*dek.derive(&info)?)
}

impl DeterministicKey {
    /// A new key for the deterministic columns of a rule, wrapped under the newest version of `id`, which `key` refers to.
    ///
    /// # Errors
    /// As [`KeyWrapper::wrap`].
    pub async fn create(
        keys: &dyn KeyWrapper,
        id: &SecretId,
        rule: &str,
        key: &SecretRef,
    ) -> Result<Self> {
        let dek = DataKey::generate()?;
        let wrapped = keys.wrap(id, &dek).await?;
        Ok(Self::of(&dek, rule, key, wrapped)?)
    }

    /// The same key wrapped under the newest version of `id`: what was sealed under it stays equal to what will be.
    ///
    /// # Errors
    /// As [`KeyWrapper::unwrap`] and [`KeyWrapper::wrap`]; `Integrity` if it is not the key that it says.
    pub async fn rewrap(&self, keys: &dyn KeyWrapper, id: &SecretId) -> Result<Self> {
        let dek = keys.unwrap(id, &self.sealed.wrapped).await?;
        if !self.sealed.is_committed(&dek, &self.rule, &self.key)? {
            return Err(KeyError::unwrap(id).into());
        }
        let wrapped = keys.wrap(id, &dek).await?;
        Ok(Self::of(&dek, &self.rule, &self.key, wrapped)?)
    }

    pub(crate) fn of(
        dek: &DataKey,
        rule: &str,
        key: &SecretRef,
        wrapped: WrappedKey,
    ) -> Result<Self, SealError> {
        Ok(Self {
            rule: rule.to_owned(),
            key: key.clone(),
            sealed: Sealed::new(dek, rule, key, wrapped)?,
        })
    }

    /// The rule that it was made for.
    #[must_use]
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// The key reference that it was wrapped through.
    #[must_use]
    pub const fn key(&self) -> &SecretRef {
        &self.key
    }

    pub(crate) const fn sealed(&self) -> &Sealed {
        &self.sealed
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    v: u32,
    rule: String,
    kid: String,
    ver: String,
    alg: String,
    enc: String,
    ek: String,
    com: String,
}

impl fmt::Display for DeterministicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = Fields {
            v: VERSION,
            rule: self.rule.clone(),
            kid: self.key.as_str().to_owned(),
            ver: self.sealed.wrapped.version.to_string(),
            alg: self.sealed.wrapped.algorithm.as_str().to_owned(),
            enc: ENCRYPTION.to_owned(),
            ek: URL_SAFE_NO_PAD.encode(&self.sealed.wrapped.bytes),
            com: URL_SAFE_NO_PAD.encode(self.sealed.commitment),
        };
        let json = serde_json::to_vec(&fields).map_err(|_| fmt::Error)?;
        f.write_str(&encode(Version::Two, &json))
    }
}

impl FromStr for DeterministicKey {
    type Err = NotADeterministicKey;

    fn from_str(text: &str) -> Result<Self, NotADeterministicKey> {
        read(text).ok_or(NotADeterministicKey)
    }
}

fn read(text: &str) -> Option<DeterministicKey> {
    let (Version::Two, body) = after_prefix(text).ok()? else {
        return None;
    };
    if text.len() > MOST_BYTES {
        return None;
    }
    let json = URL_SAFE_NO_PAD.decode(body).ok()?;
    let fields: Fields = serde_json::from_slice(&json).ok()?;
    let is_known = fields.v == VERSION && fields.enc == ENCRYPTION;
    if !is_known || serde_json::to_vec(&fields).ok()? != json {
        return None;
    }
    let wrapped = WrappedKey::new(
        fields.alg.parse().ok()?,
        fields.ver.parse().ok()?,
        URL_SAFE_NO_PAD.decode(&fields.ek).ok()?,
    );
    Some(DeterministicKey {
        rule: fields.rule,
        key: SecretRef::new(&fields.kid),
        sealed: Sealed {
            wrapped,
            commitment: array(&fields.com)?,
        },
    })
}
