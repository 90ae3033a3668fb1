//! The keys of sealed data: a random data key, from which the keys of columns and the commitment are derived.
//!
//! In: a [`DataKey`] and what it is bound to ([`Binding`]). Out: keys that are derived from it, and 32 bytes that commit the
//! data to one key, which GCM alone does not ("How to Abuse and Fix Authenticated Encryption Without Key Commitment",
//! USENIX Security 2022). Derivation: HKDF-SHA-256 (RFC 5869) with salt `zt1` and length-prefixed fields as info.

use std::fmt;

use aws_lc_rs::{constant_time, hkdf, rand};
use zeroize::Zeroizing;

use super::deterministic::Sealed;
use super::format::{VERSION, fields};
use super::{Form, KeyText, SealError};
use crate::id::SecretRef;
use crate::secrets::{SecretBytes, SecretVersion};

/// A data encryption key (DEK): 256 bits that nothing prints and that are overwritten when they are dropped.
pub struct DataKey(SecretBytes);

impl DataKey {
    /// How long it is, in bytes.
    pub const LEN: usize = 32;

    /// A new one, from AWS-LC's generator, which the operating system seeds, anew after a fork.
    ///
    /// # Errors
    /// [`SealError::Crypto`] if there are no random numbers.
    pub fn generate() -> Result<Self, SealError> {
        let mut bytes = Zeroizing::new([0; Self::LEN]);
        rand::fill(bytes.as_mut_slice()).map_err(|_| SealError::Crypto)?;
        Ok(Self(SecretBytes::copy_of(bytes.as_slice())))
    }

    /// What a vault unwrapped; `None` unless there are 32 bytes. The original stays the caller's to wipe.
    #[must_use]
    pub fn copy_of(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == Self::LEN).then(|| Self(SecretBytes::copy_of(bytes)))
    }

    /// The 32 bytes, for the adapter that wraps them.
    #[must_use]
    pub fn reveal(&self) -> &[u8] {
        self.0.reveal()
    }

    /// HKDF-SHA-256 of the key with these fields as info.
    pub(super) fn derive(&self, info: &[&[u8]]) -> Result<Zeroizing<[u8; 32]>, SealError> {
        self.derive_salted(VERSION, info)
    }

    /// The same with another salt than `zt1`.
    pub(super) fn derive_salted(
        &self,
        salt: &[u8],
        info: &[&[u8]],
    ) -> Result<Zeroizing<[u8; 32]>, SealError> {
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(self.reveal());
        let mut derived = Zeroizing::new([0; 32]);
        prk.expand(&[&fields(info)], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(derived.as_mut_slice()))
            .map_err(|_| SealError::Crypto)?;
        Ok(derived)
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[data key]")
    }
}

/// What a data key is bound to: it opens nothing of another rule or table, and not through another key reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    /// The row of Encryption_Rules.
    pub(crate) rule: String,
    /// The table, in lowercase: the names of tables ignore case.
    pub(crate) table: String,
    /// The row of Secret_References.
    pub(crate) key: SecretRef,
}

impl Binding {
    pub(crate) fn new(rule: &str, table: &str, key: SecretRef) -> Self {
        Self {
            rule: rule.to_owned(),
            table: table.to_lowercase(),
            key,
        }
    }

    /// What data under this key carries to prove which key it is, and how its columns are sealed.
    pub(super) fn commitment(
        &self,
        dek: &DataKey,
        version: SecretVersion,
        form: &Form,
        deterministic: Option<&Sealed>,
    ) -> Result<[u8; 32], SealError> {
        let version = version.to_string();
        let label: &[u8] = if form.is_plain() {
            b"zt1 commitment"
        } else {
            b"zt2 commitment"
        };
        let mut info = vec![
            label,
            self.rule.as_bytes(),
            self.table.as_bytes(),
            self.key.as_str().as_bytes(),
            version.as_bytes(),
        ];
        let names =
            |list: &[String]| fields(&list.iter().map(String::as_bytes).collect::<Vec<_>>());
        let (row, columns) = (names(&form.row_key), names(&form.deterministic));
        if !form.is_plain() {
            let other = deterministic.map(|key| key.commitment.as_slice());
            info.extend([row.as_slice(), &columns, other.unwrap_or_default()]);
        }
        Ok(*dek.derive(&info)?)
    }

    /// Whether the data that carries `text` was sealed under `dek`. Takes the same time wherever they differ.
    pub(crate) fn is_committed(&self, dek: &DataKey, text: &KeyText) -> Result<bool, SealError> {
        let (form, other) = (&text.form, text.deterministic.as_ref());
        let commitment = self.commitment(dek, text.wrapped.version, form, other)?;
        Ok(is_same(&commitment, &text.commitment))
    }
}

/// Compares in the same time wherever they differ.
pub(super) fn is_same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    constant_time::verify_slices_are_equal(one, other).is_ok()
}
