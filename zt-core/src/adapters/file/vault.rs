//! The local vault: every secret and key of the embedded default in one encrypted file.
//!
//! In: a path and a [`VaultKey`]. Out: a [`SecretVault`] that answers every vault URL, the same for the keys that wrap data
//! keys (`vault/keys.rs`), and the means to write it (`zt vault set`, `create-key`, `list`, `remove`). Nothing decrypted is
//! kept: each fetch reads the file, decrypts it, decodes one value and wipes the rest, so that what another process wrote is
//! seen at once. It does so on a thread for blocking work, because a file system may hang (`vault/reading.rs`). The format is
//! in `vault/format.rs`.

mod entries;
mod format;
mod key;
mod keys;
mod places;
mod reading;
mod store;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::adapters::memory::random_version;
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::metadata::SecretKind;
use crate::port::BoxFuture;
use crate::secrets::{
    Attempt, Fetched, SecretBytes, SecretId, SecretName, SecretVault, SecretVersion, Validity,
    VaultError, VaultUrl,
};

use entries::{Kind, Version};
use key::KeyRing;
use reading::{Readers, VaultFile};
use store::Store;

pub use key::VaultKey;

/// The longest value: 25 KiB, as in Key Vault ("Azure Key Vault service limits"), so that what works here works there.
const MAX_VALUE_BYTES: usize = 25 * 1024;

/// An encrypted file of secrets and keys.
///
/// Safe to share between threads and to open in several processes: writers take turns by a lock file beside it
/// (`<name>.lock`), readers never wait, and the file is always a whole one, the old or the new.
///
/// ```
/// # use zt_core::{adapters::file::{LocalVault, VaultKey}, secrets::*};
/// # let folder = std::env::temp_dir().join(format!("zt-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// let vault = LocalVault::open(folder.join("vault.zt"), VaultKey::key_file(folder.join("vault.key")))?;
/// let id = SecretId::new("https://kv.vault.azure.net".parse()?, "bureau-api-key".parse()?);
/// let version = vault.set(&id, b"zt-needle-example".to_vec().into(), Validity::ALWAYS)?;
/// assert_eq!(vault.list()?[0].versions[0].version, version);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct LocalVault {
    file: Arc<VaultFile>,
    clock: Arc<dyn Clock>,
    readers: Readers,
}

/// One secret or key in a listing: never its values.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed {
    /// The vault URL under which it answers.
    pub vault: VaultUrl,
    /// Its name.
    pub name: SecretName,
    /// A secret that may be read, or a key that never leaves the file.
    pub kind: SecretKind,
    /// Its versions, the current one first.
    pub versions: Vec<ListedVersion>,
}

/// One version in a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedVersion {
    /// Which.
    pub version: SecretVersion,
    /// When it was written.
    pub created: Timestamp,
    /// When it may be used.
    pub validity: Validity,
}

impl LocalVault {
    /// Opens the vault at `path`. If the file exists, the key must fit and the file must be whole; if it does not, it is
    /// made by the first [`set`](Self::set), and a missing key file with it.
    ///
    /// # Errors
    /// [`VaultError::WrongKey`] if the key is not the one it was written with, [`VaultError::Integrity`] if it is damaged,
    /// [`VaultError::Io`] if it cannot be read, [`VaultError::Invalid`] if the key file is not one or others may read it.
    pub fn open(path: impl Into<PathBuf>, key: VaultKey) -> Result<Self, VaultError> {
        let vault = Self {
            file: Arc::new(VaultFile::new(Store::new(path.into()), KeyRing::new(key)?)),
            clock: Arc::new(SystemClock::new()),
            readers: Readers::new(),
        };
        match vault.file.load() {
            Ok(_) | Err(VaultError::NoVault { .. }) => Ok(vault),
            Err(error) => Err(error),
        }
    }

    /// The same with another clock for the dates of new versions.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Writes a new version, which becomes the current one; the ten before it are kept. On disk when it returns.
    ///
    /// # Errors
    /// [`VaultError::Invalid`] if the value is longer than 25 KiB, `id` is pinned to a version or a key has the name; else as
    /// [`open`](Self::open). After an error the file is what it was.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the value is taken in order to be wiped"
    )]
    pub fn set(
        &self,
        id: &SecretId,
        value: Zeroizing<Vec<u8>>,
        validity: Validity,
    ) -> Result<SecretVersion, VaultError> {
        if id.version().is_some() {
            return Err(no_choice());
        }
        if value.len() > MAX_VALUE_BYTES {
            return Err(VaultError::invalid(&format!(
                "the value of secret `{}` has {} bytes, at most {MAX_VALUE_BYTES} are allowed",
                id.name(),
                value.len()
            )));
        }
        let version = random_version()?;
        let _turn = self.file.lock()?;
        let mut entries = self.file.load_or_new()?;
        entries.push(
            id,
            Kind::Secret,
            &Version {
                version,
                created: self.clock.now(),
                validity,
                value: SecretBytes::copy_of(&value),
            },
        )?;
        self.file.save(&entries)?;
        Ok(version)
    }

    /// Removes a secret with all its versions, or only the one that `id` is pinned to.
    ///
    /// # Errors
    /// [`VaultError::NotFound`] if there is none or it is a key; else as [`open`](Self::open).
    pub fn remove(&self, id: &SecretId) -> Result<(), VaultError> {
        let _turn = self.file.lock()?;
        let mut entries = self.file.load()?;
        if !entries.remove(id, Kind::Secret) {
            return Err(VaultError::not_found(id));
        }
        self.file.save(&entries)
    }

    /// What is in the vault, by vault URL and name. Never a value.
    ///
    /// # Errors
    /// [`VaultError::NoVault`] if there is no file; else as [`open`](Self::open).
    pub fn list(&self) -> Result<Vec<Listed>, VaultError> {
        Ok(self.file.load()?.list())
    }
}

fn no_choice() -> VaultError {
    VaultError::invalid("a new version cannot be chosen, the vault does")
}

impl SecretVault for LocalVault {
    /// Reads a small file and decrypts it, on a thread for blocking work where there is a tokio runtime; never waits for a
    /// writer. A future that is dropped leaves a read that hangs behind, and never more than four.
    fn fetch<'a>(
        &'a self,
        id: &'a SecretId,
        _attempt: &'a Attempt,
    ) -> BoxFuture<'a, Result<Fetched, VaultError>> {
        let (file, own) = (Arc::clone(&self.file), id.clone());
        Box::pin(self.readers.run(move || file.fetch(&own)))
    }
}

impl fmt::Debug for LocalVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalVault")
            .field("path", &self.file.name())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
