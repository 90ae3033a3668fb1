//! The text of [`KEY_COLUMN`](super::KEY_COLUMN): the wrapped data key and what it is bound to, version 1.
//!
//! `zt1.` and base64url without padding of a JSON object with these fields in this order, without white space:
//! `{"v":1,"rule":…,"table":…,"kid":…,"ver":…,"alg":"A256KW","enc":"A256GCM","ek":…,"com":…}`. There is one text for one
//! key: another order, spelling or field is refused. Nothing in it is secret.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::format::{NotSealedText, after_prefix, encode};
use super::{Binding, SealError, WrappedKey};
use crate::id::SecretRef;

/// The longest text, in bytes.
pub(super) const MOST_BYTES: usize = 2048;
const VERSION: u32 = 1;
const ENCRYPTION: &str = "A256GCM";

/// A wrapped data key as sealed rows carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyText {
    pub(crate) binding: Binding,
    pub(crate) wrapped: WrappedKey,
    pub(super) commitment: [u8; 32],
}

/// Why a text is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotAKeyText {
    Version,
    Malformed(&'static str),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    v: u32,
    rule: String,
    table: String,
    kid: String,
    ver: String,
    alg: String,
    enc: String,
    ek: String,
    com: String,
}

impl KeyText {
    /// Its text.
    ///
    /// # Errors
    /// [`SealError::NamesTooLong`] if it would have more than 2,048 bytes.
    pub(super) fn write(&self) -> Result<String, SealError> {
        let fields = Fields {
            v: VERSION,
            rule: self.binding.rule.clone(),
            table: self.binding.table.clone(),
            kid: self.binding.key.as_str().to_owned(),
            ver: self.wrapped.version.to_string(),
            alg: self.wrapped.algorithm.as_str().to_owned(),
            enc: ENCRYPTION.to_owned(),
            ek: URL_SAFE_NO_PAD.encode(&self.wrapped.bytes),
            com: URL_SAFE_NO_PAD.encode(self.commitment),
        };
        let json = serde_json::to_vec(&fields).map_err(|_| SealError::Crypto)?;
        let text = encode(&json);
        if text.len() > MOST_BYTES {
            return Err(SealError::NamesTooLong { most: MOST_BYTES });
        }
        Ok(text)
    }

    /// Reads what [`write`](Self::write) writes, and nothing else.
    pub(super) fn read(text: &str) -> Result<Self, NotAKeyText> {
        let malformed = NotAKeyText::Malformed;
        if text.len() > MOST_BYTES {
            return Err(malformed("it has more than 2048 bytes"));
        }
        let body = after_prefix(text).map_err(|why| match why {
            NotSealedText::Version => NotAKeyText::Version,
            NotSealedText::Malformed => malformed("it does not begin with `zt1.`"),
        })?;
        let json = URL_SAFE_NO_PAD
            .decode(body)
            .map_err(|_| malformed("it is not base64url without padding"))?;
        let fields: Fields = serde_json::from_slice(&json)
            .map_err(|_| malformed("it is not the JSON object of a key"))?;
        if serde_json::to_vec(&fields).ok().as_ref() != Some(&json) {
            return Err(malformed("its JSON is not written as a sealer writes it"));
        }
        if fields.v != VERSION || fields.enc != ENCRYPTION {
            return Err(NotAKeyText::Version);
        }
        let algorithm = fields.alg.parse().map_err(|_| NotAKeyText::Version)?;
        let version = fields
            .ver
            .parse()
            .map_err(|_| malformed("`ver` is not a version of a key"))?;
        let bytes = URL_SAFE_NO_PAD
            .decode(&fields.ek)
            .map_err(|_| malformed("`ek` is not base64url without padding"))?;
        let commitment = URL_SAFE_NO_PAD
            .decode(&fields.com)
            .ok()
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .ok_or_else(|| malformed("`com` is not 32 bytes in base64url"))?;
        Ok(Self {
            binding: Binding {
                rule: fields.rule,
                table: fields.table,
                key: SecretRef::new(&fields.kid),
            },
            wrapped: WrappedKey::new(algorithm, version, bytes),
            commitment,
        })
    }
}
