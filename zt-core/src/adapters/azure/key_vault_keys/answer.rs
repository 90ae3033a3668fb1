//! What Key Vault answers about a key, read strictly.
//!
//! In: an answer with status 200. Out: a public part, a data key that is copied once, a signature; or an integrity error
//! that repeats nothing of the answer. Source: Microsoft Learn, "Get Key", `KeyBundle`; "Unwrap Key", `KeyOperationResult`.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::jwk::Jwk;
use crate::adapters::azure::key_vault::{Attributes, Kind, described, is_json, version_of};
use crate::envelope::DataKey;
use crate::network::HttpResponse;
use crate::secrets::{
    Attempt, Fetched, SecretBytes, SecretId, SecretVersion, Validity, VaultError,
};

/// No result of an operation is longer.
const MOST_RESULT_BYTES: usize = 512;

#[derive(Deserialize)]
struct Bundle<'a> {
    #[serde(borrow)]
    key: Jwk<'a>,
    attributes: Attributes,
}

#[derive(Deserialize)]
struct Operation<'a> {
    #[serde(borrow)]
    kid: Cow<'a, str>,
    /// As it stands in the answer: base64url needs no escape, and `serde_json` would unescape one into a buffer that nobody
    /// wipes.
    value: &'a str,
}

/// The result of an operation, and which version made it.
pub(super) struct Outcome {
    pub(super) version: SecretVersion,
    pub(super) value: Zeroizing<Vec<u8>>,
}

/// What a key says of itself.
pub(super) struct Key<'a> {
    pub(super) jwk: Jwk<'a>,
    pub(super) version: SecretVersion,
    pub(super) validity: Validity,
}

/// The key `id` as the answer holds it.
pub(super) fn key<'a>(id: &SecretId, answer: &'a HttpResponse) -> Result<Key<'a>, VaultError> {
    let Bundle { key, attributes } = parse(id, answer, "a key")?;
    let version = version_of(id, Kind::Key, &key.kid).ok_or_else(|| other(id))?;
    let validity = attributes.validity();
    let validity = validity.ok_or_else(|| broken(id, "a date in the answer is out of range"))?;
    Ok(Key {
        jwk: key,
        version,
        validity,
    })
}

/// The SubjectPublicKeyInfo of the key `id`.
pub(super) fn public_key(
    id: &SecretId,
    attempt: &Attempt,
    answer: &HttpResponse,
) -> Result<Fetched, VaultError> {
    let key = key(id, answer)?;
    let spki = SecretBytes::copy_of(&key.jwk.wrapping(id)?);
    let fetched = Fetched::new(spki, key.version).with_validity(key.validity);
    Ok(described(fetched, attempt, answer))
}

/// What the version `id` unwrapped; `None` if it is no data key.
pub(super) fn data_key(
    id: &SecretId,
    attempt: &Attempt,
    answer: &HttpResponse,
) -> Result<Option<Fetched>, VaultError> {
    let Outcome { version, value } = operation(id, answer)?;
    if value.len() != DataKey::LEN {
        return Ok(None);
    }
    let fetched = Fetched::new(SecretBytes::from(value), version);
    Ok(Some(described(fetched, attempt, answer)))
}

/// The result of an operation with the key `id`.
pub(super) fn operation(id: &SecretId, answer: &HttpResponse) -> Result<Outcome, VaultError> {
    let operation: Operation<'_> = parse(id, answer, "the result of a key's operation")?;
    let version = version_of(id, Kind::Key, &operation.kid).ok_or_else(|| other(id))?;
    // The exact room: a buffer that grows would leave copies behind.
    let mut value = Zeroizing::new(vec![0; MOST_RESULT_BYTES + 3]);
    let length = URL_SAFE_NO_PAD.decode_slice(operation.value, value.as_mut_slice());
    let length = length.map_err(|_| broken(id, "the result is not base64url of a few bytes"))?;
    value.truncate(length);
    Ok(Outcome { version, value })
}

fn parse<'a, T: Deserialize<'a>>(
    id: &SecretId,
    answer: &'a HttpResponse,
    what: &str,
) -> Result<T, VaultError> {
    if !is_json(answer) {
        return Err(broken(id, "the answer is not JSON"));
    }
    serde_json::from_slice(&answer.body).map_err(|_| {
        broken(
            id,
            &format!("the answer is not {what} as Key Vault writes one"),
        )
    })
}

fn other(id: &SecretId) -> VaultError {
    broken(id, "it answered with another key than the one asked for")
}

fn broken(id: &SecretId, reason: &str) -> VaultError {
    VaultError::integrity(id.vault().as_str(), reason)
}
