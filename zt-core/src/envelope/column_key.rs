//! The key of one column, with what is authenticated beside each of its cells.
//!
//! In: a data key, what it is bound to, the name of the column. Out: cells sealed and opened in their place. Version 1 binds
//! rule, table, column and commitment; version 2 the row as well; a deterministic column rule and column alone, so that its
//! equal values are equal in every batch and table of the rule.

use std::fmt;

use super::aead::{self, Aead, NONCE_LEN, TAG_LEN};
use super::format::{VERSION, Version, field, fields};
use super::{Binding, DataKey, SealError};

pub(super) const DETERMINISTIC: &[u8] = b"zt2 deterministic";

/// Seals and opens the cells of one column.
pub(crate) struct ColumnKey {
    cipher: Box<dyn Aead>,
    bound_to: Vec<u8>,
    mode: Mode,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Version 1.
    Cell,
    /// Version 2: bound to its row.
    Row,
    /// Version 2, under a nonce of zeros that is not stored.
    Deterministic,
}

impl ColumnKey {
    /// The key of a column whose equal values look different.
    pub(super) fn new(
        dek: &DataKey,
        binding: &Binding,
        version: Version,
        column: &str,
        commitment: &[u8; 32],
    ) -> Result<Self, SealError> {
        let column = column.to_lowercase();
        let (rule, table) = (binding.rule.as_bytes(), binding.table.as_bytes());
        let (label, name, mode): (&[u8], _, _) = match version {
            Version::One => (b"zt1 column", VERSION, Mode::Cell),
            Version::Two => (b"zt2 column", b"zt2".as_slice(), Mode::Row),
        };
        let key = dek.derive(&[label, rule, table, column.as_bytes()])?;
        Ok(Self {
            cipher: aead::gcm(&key)?,
            bound_to: fields(&[name, rule, table, column.as_bytes(), commitment]),
            mode,
        })
    }

    /// The key of a column whose equal values are equal, under the deterministic key of the rule.
    pub(super) fn deterministic(
        dek: &DataKey,
        rule: &str,
        column: &str,
    ) -> Result<Self, SealError> {
        let column = column.to_lowercase();
        let (rule, column) = (rule.as_bytes(), column.as_bytes());
        let key = dek.derive(&[b"zt2 deterministic column", rule, column])?;
        Ok(Self {
            cipher: aead::gcm_siv(&key)?,
            bound_to: fields(&[DETERMINISTIC, rule, column]),
            mode: Mode::Deterministic,
        })
    }

    /// What begins the texts of its cells.
    pub(super) const fn version(&self) -> Version {
        match self.mode {
            Mode::Cell => Version::One,
            Mode::Row | Mode::Deterministic => Version::Two,
        }
    }

    /// Whether its cells carry a nonce.
    pub(super) fn has_nonce(&self) -> bool {
        self.mode != Mode::Deterministic
    }

    /// Whether its cells do not open in another row.
    pub(super) fn is_bound_to_row(&self) -> bool {
        self.mode == Mode::Row
    }

    /// How many bytes a sealed cell has whose plaintext has so many.
    #[cfg(feature = "arrow")]
    pub(super) fn sealed_len(&self, plain: usize) -> Option<usize> {
        let nonce = if self.has_nonce() { NONCE_LEN } else { 0 };
        plain.checked_add(nonce + TAG_LEN)
    }

    /// Writes the nonce of a cell, if it carries one, and gives the place of its plaintext.
    #[cfg(feature = "arrow")]
    pub(super) fn plain_of<'a>(
        &self,
        cell: &'a mut [u8],
        nonce: impl FnOnce() -> Result<[u8; NONCE_LEN], SealError>,
    ) -> Result<&'a mut [u8], SealError> {
        let mut rest = cell;
        if self.has_nonce() {
            let (place, behind) = rest.split_first_chunk_mut().ok_or(SealError::Crypto)?;
            *place = nonce()?;
            rest = behind;
        }
        let (plain, _) = rest
            .split_last_chunk_mut::<TAG_LEN>()
            .ok_or(SealError::Crypto)?;
        Ok(plain)
    }

    /// Seals a cell in its place: `nonce | plaintext | room for the tag`. The nonce must be new. `row` is what the row key
    /// says, `scratch` any buffer.
    pub(super) fn seal(
        &self,
        cell: &mut [u8],
        row: &[u8],
        scratch: &mut Vec<u8>,
    ) -> Result<(), SealError> {
        let bound_to = self.bound_to(row, scratch);
        let (nonce, rest) = self.split(cell).ok_or(SealError::Crypto)?;
        let (plain, tag) = rest.split_last_chunk_mut().ok_or(SealError::Crypto)?;
        *tag = self.cipher.seal(nonce, bound_to, plain)?;
        Ok(())
    }

    /// Opens `nonce | ciphertext | tag` in its place; `None` if it was not sealed like this.
    pub(super) fn open<'a>(
        &self,
        buffer: &'a mut [u8],
        row: &[u8],
        scratch: &mut Vec<u8>,
    ) -> Option<&'a [u8]> {
        let bound_to = self.bound_to(row, scratch);
        let (nonce, sealed) = self.split(buffer)?;
        self.cipher.open(nonce, bound_to, sealed)
    }

    fn split<'a>(&self, buffer: &'a mut [u8]) -> Option<([u8; NONCE_LEN], &'a mut [u8])> {
        if !self.has_nonce() {
            return Some(([0; NONCE_LEN], buffer));
        }
        let (nonce, rest) = buffer.split_first_chunk_mut::<NONCE_LEN>()?;
        Some((*nonce, rest))
    }

    /// What is authenticated beside a cell of this row.
    fn bound_to<'a>(&'a self, row: &[u8], scratch: &'a mut Vec<u8>) -> &'a [u8] {
        if self.mode != Mode::Row {
            return &self.bound_to;
        }
        if !scratch.starts_with(&self.bound_to) {
            scratch.clear();
            scratch.extend_from_slice(&self.bound_to);
        }
        scratch.truncate(self.bound_to.len());
        field(scratch, row);
        scratch
    }
}

impl fmt::Debug for ColumnKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[column key]")
    }
}
