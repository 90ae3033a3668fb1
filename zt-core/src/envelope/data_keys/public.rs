//! The public parts of keys as a vault of secrets, so that slots keep them: fresh for a TTL, refreshed ahead, bounded when
//! stale, gone when their vault says so.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use zt_memory::fork::Local;

use super::{DataKeys, Source, why};
use crate::envelope::{KeyError, PublicHalf, RemoteKeys};
use crate::port::BoxFuture;
use crate::secrets::{Attempt, Fetched, SecretId, SecretVault, VaultError};

/// Versions whose public part is remembered; beyond, all are forgotten.
const MOST: usize = 1_024;

/// See the module. The public part of a version never changes: another one is refused.
pub(crate) struct Public {
    keys: Arc<dyn RemoteKeys>,
    /// A forked child begins with none: the lock may be another thread's of the parent.
    seen: Local<Mutex<HashMap<SecretId, Vec<u8>>>>,
}

impl Public {
    pub(crate) fn new(keys: Arc<dyn RemoteKeys>) -> Self {
        Self {
            keys,
            seen: Local::new(),
        }
    }

    fn is_as_before(&self, id: &SecretId, fetched: &Fetched) -> bool {
        let print = digest(&SHA256, fetched.value.reveal());
        let seen = self.seen.get_or_init(Mutex::default);
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let id = id.clone().at(fetched.version);
        if seen.len() >= MOST && !seen.contains_key(&id) {
            seen.clear();
        }
        *seen.entry(id).or_insert_with(|| print.as_ref().to_vec()) == print.as_ref()
    }
}

impl SecretVault for Public {
    fn fetch<'a>(
        &'a self,
        id: &'a SecretId,
        attempt: &'a Attempt,
    ) -> BoxFuture<'a, Result<Fetched, VaultError>> {
        Box::pin(async move {
            let fetched = self.keys.public_key(id, attempt).await?;
            if self.is_as_before(id, &fetched) {
                return Ok(fetched);
            }
            let reason = "the public part of a version of a key has changed, and never does";
            Err(VaultError::integrity(id.vault().as_str(), reason))
        })
    }
}

impl DataKeys {
    /// The public half that wraps: of the pinned version, else of the newest that is known. `None` for a key without one.
    ///
    /// # Errors
    /// As [`wrap`](Self::wrap).
    pub(crate) async fn public_half(&self, key: &SecretId) -> Result<Option<PublicHalf>, KeyError> {
        let declared = self.0.declared(key)?;
        let public = match &self.0.source {
            Source::Local(keys) => return keys.public_half(key).await,
            Source::Remote { public, .. } => public,
        };
        let request = declared.request.alone();
        let published = public.get(&request).await.map_err(|error| why(&error))?;
        self.0.declared(key)?;
        let spki = published.reveal().to_vec();
        let half = PublicHalf::new(published.version(), spki);
        Ok(Some(half.until(published.expires_at())))
    }
}

impl fmt::Debug for Public {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Public").field(&self.keys).finish()
    }
}
