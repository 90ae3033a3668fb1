//! The text of [`KEY_COLUMN`](super::KEY_COLUMN): the wrapped data key and what it is bound to, versions 1 and 2.
//!
//! `zt1.` and base64url without padding of a JSON object with these fields in this order, without white space:
//! `{"v":1,"rule":…,"table":…,"kid":…,"ver":…,"alg":"A256KW","enc":"A256GCM","ek":…,"com":…}`. Where the rule has a row key
//! or deterministic columns it is `zt2.`, `v` is 2, and `"row":[…],"det":null` stands before `ek`, or, for null,
//! `{"columns":[…],"ver":…,"alg":…,"ek":…,"com":…}`. There is one text for one key: another order, spelling or field is
//! refused. Nothing in it is secret.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::deterministic::Sealed;
use super::format::{NotSealedText, Version, after_prefix, encode};
use super::{Binding, Form, SealError, WrappedKey};
use crate::id::SecretRef;

/// The longest text of version 1, in bytes.
pub(super) const MOST_BYTES: usize = 2048;
/// The longest of version 2, which may hold two wrapped keys.
pub(super) const MOST_BYTES_2: usize = 4096;
const ENCRYPTION: &str = "A256GCM";

/// A wrapped data key as sealed rows carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyText {
    pub(crate) binding: Binding,
    pub(crate) wrapped: WrappedKey,
    pub(super) form: Form,
    /// The key of the deterministic columns; there exactly if there are some.
    pub(crate) deterministic: Option<Sealed>,
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    row: Option<Vec<String>>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    det: Option<Option<Deterministic>>,
    ek: String,
    com: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Deterministic {
    columns: Vec<String>,
    ver: String,
    alg: String,
    ek: String,
    com: String,
}

/// A field that is there and null is not one that is missing.
fn present<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<Option<Option<Deterministic>>, D::Error> {
    Option::deserialize(from).map(Some)
}

impl KeyText {
    /// Its text.
    ///
    /// # Errors
    /// [`SealError::NamesTooLong`] if it would have more than 2,048 bytes, in version 2 more than 4,096.
    pub(super) fn write(&self) -> Result<String, SealError> {
        let is_plain = self.form.is_plain();
        let det = self.deterministic.as_ref().map(|key| Deterministic {
            columns: self.form.deterministic.clone(),
            ver: key.wrapped.version.to_string(),
            alg: key.wrapped.algorithm.as_str().to_owned(),
            ek: URL_SAFE_NO_PAD.encode(&key.wrapped.bytes),
            com: URL_SAFE_NO_PAD.encode(key.commitment),
        });
        let fields = Fields {
            v: if is_plain { 1 } else { 2 },
            rule: self.binding.rule.clone(),
            table: self.binding.table.clone(),
            kid: self.binding.key.as_str().to_owned(),
            ver: self.wrapped.version.to_string(),
            alg: self.wrapped.algorithm.as_str().to_owned(),
            enc: ENCRYPTION.to_owned(),
            row: (!is_plain).then(|| self.form.row_key.clone()),
            det: (!is_plain).then_some(det),
            ek: URL_SAFE_NO_PAD.encode(&self.wrapped.bytes),
            com: URL_SAFE_NO_PAD.encode(self.commitment),
        };
        let json = serde_json::to_vec(&fields).map_err(|_| SealError::Crypto)?;
        let text = encode(self.version(), &json);
        let most = most(self.version());
        if text.len() > most {
            return Err(SealError::NamesTooLong { most });
        }
        Ok(text)
    }

    /// What begins its text.
    pub(super) const fn version(&self) -> Version {
        if self.form.is_plain() {
            Version::One
        } else {
            Version::Two
        }
    }

    /// Reads what [`write`](Self::write) writes, and nothing else.
    pub(super) fn read(text: &str) -> Result<Self, NotAKeyText> {
        let malformed = NotAKeyText::Malformed;
        let (version, body) = after_prefix(text).map_err(|why| match why {
            NotSealedText::Version => NotAKeyText::Version,
            NotSealedText::Malformed => malformed("it does not begin with `zt1.` or `zt2.`"),
        })?;
        if text.len() > most(version) {
            return Err(malformed(match version {
                Version::One => "it has more than 2048 bytes",
                Version::Two => "it has more than 4096 bytes",
            }));
        }
        let json = URL_SAFE_NO_PAD
            .decode(body)
            .map_err(|_| malformed("it is not base64url without padding"))?;
        let fields: Fields = serde_json::from_slice(&json)
            .map_err(|_| malformed("it is not the JSON object of a key"))?;
        if serde_json::to_vec(&fields).ok().as_ref() != Some(&json) {
            return Err(malformed("its JSON is not written as a sealer writes it"));
        }
        let number = match version {
            Version::One => 1,
            Version::Two => 2,
        };
        if fields.v != number || fields.enc != ENCRYPTION {
            return Err(NotAKeyText::Version);
        }
        Self::of(version, fields)
    }

    fn of(version: Version, fields: Fields) -> Result<Self, NotAKeyText> {
        let malformed = NotAKeyText::Malformed;
        let (form, deterministic) = match (version, fields.row, fields.det) {
            (Version::One, None, None) => (Form::default(), None),
            (Version::Two, Some(row_key), Some(det)) => {
                let key = det.as_ref().map(sealed).transpose()?;
                let deterministic = det.map(|det| det.columns).unwrap_or_default();
                let form = Form {
                    row_key,
                    deterministic,
                };
                if form.is_plain() || key.is_some() == form.deterministic.is_empty() {
                    return Err(malformed("`row` and `det` say nothing"));
                }
                (form, key)
            }
            (Version::One | Version::Two, _, _) => {
                return Err(malformed("`row` and `det` do not belong to its version"));
            }
        };
        let wrapped = wrapped(&fields.alg, &fields.ver, &fields.ek)?;
        let commitment =
            array(&fields.com).ok_or_else(|| malformed("`com` is not 32 bytes in base64url"))?;
        Ok(Self {
            binding: Binding {
                rule: fields.rule,
                table: fields.table,
                key: SecretRef::new(&fields.kid),
            },
            wrapped,
            form,
            deterministic,
            commitment,
        })
    }
}

const fn most(version: Version) -> usize {
    match version {
        Version::One => MOST_BYTES,
        Version::Two => MOST_BYTES_2,
    }
}

fn wrapped(algorithm: &str, version: &str, bytes: &str) -> Result<WrappedKey, NotAKeyText> {
    let malformed = NotAKeyText::Malformed;
    let algorithm = algorithm.parse().map_err(|_| NotAKeyText::Version)?;
    let version = version
        .parse()
        .map_err(|_| malformed("`ver` is not a version of a key"))?;
    let bytes = URL_SAFE_NO_PAD
        .decode(bytes)
        .map_err(|_| malformed("`ek` is not base64url without padding"))?;
    Ok(WrappedKey::new(algorithm, version, bytes))
}

fn sealed(det: &Deterministic) -> Result<Sealed, NotAKeyText> {
    let commitment = array(&det.com).ok_or(NotAKeyText::Malformed(
        "`com` of `det` is not 32 bytes in base64url",
    ))?;
    Ok(Sealed {
        wrapped: wrapped(&det.alg, &det.ver, &det.ek)?,
        commitment,
    })
}

/// 32 bytes in base64url.
pub(super) fn array(text: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}
