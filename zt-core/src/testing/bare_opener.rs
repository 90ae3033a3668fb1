//! Opens sealed data with the key encryption key in hand, as another implementer would: no vault, no policy, no log.

use std::fmt;

use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrap as _};

use crate::batch::Batch;
use crate::envelope::{
    Binding, DataKey, FileHeader, Found, Held, Opener, SealError, WrappedKey, key_texts,
};
use crate::error::Result;
use crate::id::SecretRef;
use crate::policy::View;

/// A key encryption key and what is sealed under it.
pub struct BareOpener {
    kek: [u8; 32],
    binding: Binding,
    columns: Vec<String>,
}

impl BareOpener {
    /// An opener of the columns that this rule seals for this table under the key of this reference.
    #[must_use]
    pub fn new(kek: [u8; 32], rule: &str, table: &str, key: &str, columns: &[&str]) -> Self {
        Self {
            kek,
            binding: Binding::new(rule, table, SecretRef::new(key)),
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    /// Sealed rows in plain.
    ///
    /// # Errors
    /// As [`Opener::unseal`].
    pub fn rows(&self, sealed: &Batch) -> Result<Batch> {
        let found = key_texts(sealed, &self.binding)?;
        self.opener(found)?.unseal(sealed)
    }

    /// A sealed file in plain.
    ///
    /// # Errors
    /// As [`Opener::unseal_bytes`].
    pub fn file(&self, name: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let found = FileHeader::read(sealed)?.found(&self.binding)?;
        let plain = self.opener(vec![found])?.unseal_bytes(name, sealed)?;
        Ok(plain.to_vec())
    }

    fn opener(&self, found: Vec<Found>) -> Result<Opener, SealError> {
        let mut held = Vec::with_capacity(found.len());
        for found in found {
            let row = found.row;
            let wrong = || SealError::WrongKey { row };
            let dek = self.unwrap(&found.key.wrapped);
            let other = found.key.deterministic.as_ref();
            let other = other.map(|sealed| self.unwrap(&sealed.wrapped).ok_or_else(wrong));
            let (dek, other) = (dek.ok_or_else(wrong)?, other.transpose()?);
            held.push(Held::new(&found, &dek, other.as_ref(), &self.columns)?);
        }
        Ok(Opener::new(self.columns.clone(), held, View::default()))
    }

    fn unwrap(&self, wrapped: &WrappedKey) -> Option<DataKey> {
        let kek = AesKek::new(&AES_256, &self.kek).ok()?;
        let mut room = zeroize::Zeroizing::new([0; 256]);
        DataKey::copy_of(kek.unwrap(&wrapped.bytes, room.as_mut_slice()).ok()?)
    }
}

impl fmt::Debug for BareOpener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BareOpener")
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}
