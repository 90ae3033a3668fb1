//! The keys of sealed data: a random data key, from which the keys of columns and the commitment are derived.
//!
//! In: a [`DataKey`] and what it is bound to ([`Binding`]). Out: a [`ColumnKey`] for each column, and 32 bytes that commit
//! the data to one key, which GCM alone does not ("How to Abuse and Fix Authenticated Encryption Without Key Commitment",
//! USENIX Security 2022). Derivation: HKDF-SHA-256 (RFC 5869) with salt `zt1` and length-prefixed fields as info.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::{constant_time, hkdf, rand};
use zeroize::Zeroizing;

use super::format::{NONCE_LEN, TAG_LEN, VERSION, fields};
use super::{KeyText, SealError};
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
    fn derive(&self, info: &[&[u8]]) -> Result<Zeroizing<[u8; 32]>, SealError> {
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, VERSION).extract(self.reveal());
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

    /// What data under this key carries to prove which key it is.
    pub(super) fn commitment(
        &self,
        dek: &DataKey,
        version: SecretVersion,
    ) -> Result<[u8; 32], SealError> {
        let version = version.to_string();
        let commitment = dek.derive(&[
            b"zt1 commitment",
            self.rule.as_bytes(),
            self.table.as_bytes(),
            self.key.as_str().as_bytes(),
            version.as_bytes(),
        ])?;
        Ok(*commitment)
    }

    /// Whether the data that carries `text` was sealed under `dek`. Takes the same time wherever they differ.
    pub(crate) fn is_committed(&self, dek: &DataKey, text: &KeyText) -> Result<bool, SealError> {
        let commitment = self.commitment(dek, text.wrapped.version)?;
        Ok(constant_time::verify_slices_are_equal(&commitment, &text.commitment).is_ok())
    }
}

/// The key of one column, with what is authenticated beside each of its cells.
pub(crate) struct ColumnKey {
    key: LessSafeKey,
    bound_to: Vec<u8>,
}

impl ColumnKey {
    pub(crate) fn new(
        dek: &DataKey,
        binding: &Binding,
        column: &str,
        commitment: &[u8; 32],
    ) -> Result<Self, SealError> {
        let column = column.to_lowercase();
        let (rule, table) = (binding.rule.as_bytes(), binding.table.as_bytes());
        let key = dek.derive(&[b"zt1 column", rule, table, column.as_bytes()])?;
        let key = UnboundKey::new(&AES_256_GCM, key.as_slice()).map_err(|_| SealError::Crypto)?;
        Ok(Self {
            key: LessSafeKey::new(key),
            bound_to: fields(&[VERSION, rule, table, column.as_bytes(), commitment]),
        })
    }

    /// Seals the plaintext behind the nonce: `nonce | plaintext` becomes `nonce | ciphertext | tag`. The nonce must be new.
    pub(super) fn seal(&self, buffer: &mut Vec<u8>) -> Result<(), SealError> {
        let (nonce, plain) = buffer
            .split_first_chunk_mut::<NONCE_LEN>()
            .ok_or(SealError::Crypto)?;
        let tag = self
            .key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(&self.bound_to),
                plain,
            )
            .map_err(|_| SealError::Crypto)?;
        buffer.extend_from_slice(tag.as_ref());
        Ok(())
    }

    /// Opens `nonce | ciphertext | tag` in its place; `None` if it was not sealed like this.
    pub(super) fn open<'a>(&self, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
        let (nonce, sealed) = buffer.split_first_chunk_mut::<NONCE_LEN>()?;
        if sealed.len() < TAG_LEN {
            return None;
        }
        self.key
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(&self.bound_to),
                sealed,
            )
            .ok()
            .map(|plain| &*plain)
    }
}

impl fmt::Debug for ColumnKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[column key]")
    }
}
