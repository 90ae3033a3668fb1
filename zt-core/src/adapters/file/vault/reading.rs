//! Reading and writing the file as a whole, and the threads on which it is read.
//!
//! In: what to look for. Out: that, decoded alone. A file on a network may hang for ever: where there is a tokio runtime it is
//! read on a thread for blocking work, so that the executor which keeps every deadline stays free. A thread that hangs cannot
//! be ended; so there are few [`Places`] for them, and who finds none waits within its own deadline.

use std::sync::Arc;

use tokio::runtime::Handle;
use zeroize::Zeroizing;
use zt_memory::fork::Local;

use super::entries::{self, Entries, Found, Kind};
use super::format::{self, Flaw};
use super::key::KeyRing;
use super::places::Places;
use super::store::{Store, Turn};
use crate::envelope::KeyError;
use crate::secrets::{Fetched, SecretId, SecretVersion, VaultError};

/// The places of those who read.
pub(super) struct Readers {
    /// A forked child has its own: the threads that hold places are the parent's.
    places: Local<Arc<Places>>,
}

impl Readers {
    pub(super) const fn new() -> Self {
        Self {
            places: Local::new(),
        }
    }

    /// What `read` gives. Its place is free when it is over, not when who asked gives up.
    pub(super) async fn run<T, E>(
        &self,
        read: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<VaultError> + Send + 'static,
    {
        let Ok(runtime) = Handle::try_current() else {
            return read();
        };
        let lost = || VaultError::unavailable("the read of the vault file was given up", None);
        let place = self.places().take().await.ok_or_else(lost)?;
        let reading = runtime.spawn_blocking(move || {
            let read = read();
            drop(place);
            read
        });
        reading.await.unwrap_or_else(|_| Err(lost().into()))
    }

    pub(super) fn places(&self) -> &Arc<Places> {
        self.places.get_or_init(Arc::default)
    }
}

/// The file and what opens it.
pub(super) struct VaultFile {
    store: Store,
    keys: KeyRing,
}

impl VaultFile {
    pub(super) const fn new(store: Store, keys: KeyRing) -> Self {
        Self { store, keys }
    }

    /// The path as messages show it.
    pub(super) fn name(&self) -> String {
        self.store.name()
    }

    /// Waits until no other process or thread writes.
    pub(super) fn lock(&self) -> Result<Turn, VaultError> {
        self.store.lock()
    }

    /// A secret.
    pub(super) fn fetch(&self, id: &SecretId) -> Result<Fetched, VaultError> {
        let found = match self.find(id, Kind::Secret, id.version())? {
            Found::One(found) => found,
            Found::NoName | Found::NoVersion => return Err(VaultError::not_found(id)),
        };
        if !found.validity.enabled {
            return Err(VaultError::disabled(id));
        }
        Ok(Fetched::new(found.value, found.version)
            .with_validity(found.validity)
            .with_path_proof("local"))
    }

    /// The version of a key; the newest without one. A vault file that is not there holds no key.
    pub(super) fn key(
        &self,
        id: &SecretId,
        version: Option<SecretVersion>,
    ) -> Result<entries::Version, KeyError> {
        match self.find(id, Kind::Key, version) {
            Ok(Found::One(found)) => Ok(found),
            Ok(Found::NoVersion) => Err(KeyError::no_version(id, version)),
            Ok(Found::NoName) | Err(VaultError::NoVault { .. }) => Err(KeyError::no_key(id)),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn load(&self) -> Result<Entries, VaultError> {
        let body = self.body()?;
        Entries::read(&body).ok_or_else(|| Flaw::Entries.at(&self.name()))
    }

    /// Only with the lock held.
    pub(super) fn load_or_new(&self) -> Result<Entries, VaultError> {
        match self.load() {
            Err(VaultError::NoVault { .. }) => {
                // A new file gets a new salt, and the key that is there now, not one remembered from a file that is gone.
                self.keys.forget();
                Ok(Entries::default())
            }
            loaded => loaded,
        }
    }

    /// Only with the lock held.
    pub(super) fn save(&self, entries: &Entries) -> Result<(), VaultError> {
        let at = self.name();
        let (kdf, salt, key) = self.keys.for_writing()?;
        let body = entries.write().ok_or_else(|| Flaw::Entries.at(&at))?;
        let bytes = format::seal(kdf, salt, &key, body).map_err(|flaw| flaw.at(&at))?;
        self.store.replace(&bytes)
    }

    fn find(
        &self,
        id: &SecretId,
        kind: Kind,
        version: Option<SecretVersion>,
    ) -> Result<Found, VaultError> {
        let body = self.body()?;
        let found = entries::find(&body, id, kind, version);
        found.ok_or_else(|| Flaw::Entries.at(&self.name()))
    }

    fn body(&self) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let bytes = self.store.read()?.ok_or_else(|| self.store.missing())?;
        let at = self.name();
        let header = format::Header::read(&bytes).map_err(|flaw| flaw.at(&at))?;
        let key = self.keys.existing(&header, &at)?;
        format::open(&bytes, &header, &key).map_err(|flaw| flaw.at(&at))
    }
}
