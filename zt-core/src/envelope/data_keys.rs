//! Data keys in use: wrapped for who seals, unwrapped once for all who open, and kept as secrets are.
//!
//! In: the rows of Secret_References of kind `key`, and a place where keys are. Out: wrapped and unwrapped data keys. Policy
//! and audit stand above, in the session, and are asked at every opener; nothing here knows who is calling.
//! Keys across a network wrap by their public part, which stands in a slot like a secret's ([`Secrets`]): one call for each
//! TTL, refreshed ahead, served on for a bounded time while the vault cannot answer. Unwrapped data keys are held in
//! protected memory under the TTL of the row, at most 4,096 at a time, for the very bytes, key and version that they came from.
//! Never: a data key of a row that is gone, beyond its time, after a close or in a forked child.

mod cache;
mod flight;
pub(crate) mod oaep;
mod public;
#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;

use std::collections::HashMap;
use std::error::Error as _;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use serde::Serialize;
use zt_memory::fork::Local;

use self::cache::{Boarding, Cache, Kept, MOST, Place};
use self::flight::{Flight, landing};
use super::{DataKey, KeyError, KeyWrapper, RemoteKeys, WrappedKey};
use crate::clock::Clock;
use crate::error::Error;
use crate::port::Spawn;
use crate::secrets::{
    FetchError, Now, SecretId, SecretName, SecretRequest, Secrets, SecretsHealth, Timing,
    VaultError,
};
pub(crate) use public::Public;

/// Where the keys are.
#[derive(Debug)]
pub(crate) enum Source {
    /// In this process or machine: it wraps itself.
    Local(Arc<dyn KeyWrapper>),
    /// Across a network, behind the gates of `public`, whose vault is a [`Public`] of these keys.
    Remote {
        keys: Arc<dyn RemoteKeys>,
        public: Secrets,
    },
}

/// See the module.
#[derive(Clone)]
pub(crate) struct DataKeys(Arc<Shared>);

struct Shared {
    source: Source,
    clock: Arc<dyn Clock>,
    timing: Timing,
    spawn: Arc<dyn Spawn>,
    timer: Arc<dyn Spawn>,
    declared: ArcSwap<HashMap<SecretId, Declared>>,
    cache: Local<Mutex<Cache>>,
    /// Nobody is asked any more, and nothing is handed out.
    is_closed: AtomicBool,
    hits: AtomicU64,
    misses: AtomicU64,
    stale: AtomicU64,
}

/// A row, and what the rules of the network say of its vaults.
#[derive(Debug, Clone)]
struct Declared {
    request: SecretRequest,
    refused: Option<VaultError>,
    /// Whether the second vault may be asked.
    has_second: bool,
}

/// A data key for one use.
#[derive(Debug)]
pub(crate) struct Unwrapped {
    pub(crate) dek: DataKey,
    /// Whether nobody was asked for it.
    pub(crate) is_cached: bool,
    /// For how long its TTL had passed, because the vault cannot answer.
    pub(crate) stale_for: Option<Duration>,
    kept: Arc<Kept>,
}

impl Unwrapped {
    /// How the path to the vault was proven, and what else the audit record says of the call that unwrapped it.
    pub(crate) fn details(&self) -> (&str, &[(&'static str, String)]) {
        (&self.kept.path_proof, &self.kept.details)
    }
}

/// Why there is no data key, and which call said so.
#[derive(Debug, Clone)]
pub(crate) struct Failed {
    error: Box<KeyError>,
    call: Option<Arc<FetchError>>,
}

impl Failed {
    fn by_call(call: FetchError) -> Self {
        Self {
            error: Box::new(call.error.clone().into()),
            call: Some(Arc::new(call)),
        }
    }

    pub(crate) fn error(&self) -> &KeyError {
        &self.error
    }
}

impl From<KeyError> for Failed {
    fn from(error: KeyError) -> Self {
        Self {
            error: Box::new(error),
            call: None,
        }
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        let error = Self::from(*failed.error);
        match failed.call {
            Some(call) => error.with_source(FetchError::clone(&call)),
            None => error,
        }
    }
}

/// How the keys of sealed data are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DataKeysHealth {
    /// Unwrapped data keys that are held.
    pub held: usize,
    /// So many may be.
    pub most: usize,
    /// Openers that found theirs.
    pub hits: u64,
    /// Openers that had to wait for it.
    pub misses: u64,
    /// Openers that were given one past its TTL, because the vault could not answer.
    pub stale: u64,
    /// The public parts of keys across a network, and the gates of their vaults.
    pub public: Option<SecretsHealth>,
}

impl DataKeys {
    /// Nothing is declared, nothing is held. Work runs on `spawn`, so that who gives up cancels nothing for the others, and
    /// waits end on `timer`, whatever blocks `spawn`.
    pub(crate) fn new(
        source: Source,
        clock: Arc<dyn Clock>,
        timing: Timing,
        spawn: Arc<dyn Spawn>,
        timer: Arc<dyn Spawn>,
    ) -> Self {
        Self(Arc::new(Shared {
            source,
            clock,
            timing,
            spawn,
            timer,
            declared: ArcSwap::default(),
            cache: Local::new(),
            is_closed: AtomicBool::new(false),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            stale: AtomicU64::new(0),
        }))
    }

    /// Makes these the keys that may be used. What lies under others is wiped, and so is what a rule of the network refuses
    /// now; local keys know no such rule.
    pub(crate) fn declare_where(
        &self,
        requests: impl IntoIterator<Item = SecretRequest>,
        refused: impl Fn(&SecretId) -> Option<VaultError>,
    ) {
        let refused = |id: &SecretId| match &self.0.source {
            Source::Local(_) => None,
            Source::Remote { .. } => refused(id),
        };
        let mut next = HashMap::new();
        for request in requests {
            let id = request.key().id().clone();
            let second = request
                .fallback()
                .map(|vault| id.clone().within(vault.clone()));
            let declared = Declared {
                refused: refused(&id),
                has_second: second.is_some_and(|second| refused(&second).is_none()),
                request,
            };
            // Of rows that name one key twice the first counts, as with secrets.
            let _first = next.entry(id).or_insert(declared);
        }
        if let Source::Remote { public, .. } = &self.0.source {
            let of_key = next.values().flat_map(Declared::of_vaults);
            public.declare_where(of_key, refused);
        }
        let open: Vec<SecretId> = next
            .iter()
            .filter(|(_, declared)| declared.refused.is_none())
            .map(|(id, _)| id.clone())
            .collect();
        self.0.declared.store(Arc::new(next));
        let is_open = |place: &Place| open.iter().any(|id| place.is_of(id));
        self.0.cache().forget(|place| !is_open(place));
    }

    /// `dek` under a version of `key`: the pinned one, else the newest that is known.
    ///
    /// # Errors
    /// [`KeyError::NotFound`] also for a key that no row declares.
    pub(crate) async fn wrap(&self, key: &SecretId, dek: &DataKey) -> Result<WrappedKey, KeyError> {
        let declared = self.0.declared(key)?;
        let (keys, public) = match &self.0.source {
            Source::Local(keys) => return flight::wrap(&self.0, keys, key, dek).await,
            Source::Remote { keys, public } => (keys, public),
        };
        let request = declared.request.alone();
        let published = public.get(&request).await.map_err(|error| why(&error))?;
        // The tables may have changed while the vault answered.
        self.0.declared(key)?;
        let wrapped = oaep::wrap(published.reveal(), published.version(), dek);
        Ok(wrapped.ok_or_else(|| {
            let reason = format!("{keys:?} gave a public key that does not wrap");
            VaultError::integrity(key.vault().as_str(), &reason)
        })?)
    }

    /// The data key in `wrapped`, from those that are held or from the vault: one call for however many are waiting.
    ///
    /// # Errors
    /// As [`KeyWrapper::unwrap`]; [`KeyError::NotFound`] also for a key that no row declares.
    pub(crate) async fn unwrap(
        &self,
        key: &SecretId,
        wrapped: &WrappedKey,
    ) -> Result<Unwrapped, Failed> {
        let shared = &self.0;
        let declared = shared.declared(key)?;
        let terms = declared.request.terms_under(&shared.timing);
        let place = Place::of(&declared.request, wrapped);
        let boarding = shared.cache().board(&place, terms, shared.now());
        let waiter = match boarding {
            Boarding::Served(kept, stale) => return shared.served(key, kept, stale),
            Boarding::Refused(failed) => return Err(failed),
            Boarding::Wait(waiter) => waiter,
            Boarding::Start(start) => {
                let waiter = start.waiter();
                let flight =
                    Flight::new(Arc::clone(shared), declared, wrapped, place.clone(), start);
                shared.spawn.spawn(Box::pin(flight.fly()));
                waiter
            }
        };
        shared.misses.fetch_add(1, Ordering::Relaxed);
        match landing(waiter).await {
            Ok(kept) => {
                // The tables may have changed while the vault answered.
                shared.declared(key)?;
                Ok(kept.unwrapped(key, false, None)?)
            }
            Err(failed) => {
                let (now, timing) = (shared.now(), &shared.timing);
                let bridge = shared.cache().bridge(&place, &failed, terms, now, timing);
                match bridge {
                    Some((kept, stale)) => shared.served(key, kept, Some(stale)),
                    None => Err(failed),
                }
            }
        }
    }

    /// Wipes what is over, and asks for the public parts that are due. Worth calling about once a second.
    pub(crate) fn sweep(&self) {
        self.0.cache().sweep(self.0.now());
        if let Source::Remote { public, .. } = &self.0.source {
            public.sweep();
        }
    }

    /// Wipes all that is known of the keys of this name.
    pub(crate) fn invalidate(&self, name: &SecretName) {
        self.0.cache().forget(|place| place.is_named(name));
        if let Source::Remote { public, .. } = &self.0.source {
            public.invalidate(name);
        }
    }

    /// Wipes everything for good: nobody is asked any more, and what is under way gives nothing.
    pub(crate) fn close(&self) {
        self.0.is_closed.store(true, Ordering::Release);
        self.0.cache().forget(|_| true);
        if let Source::Remote { public, .. } = &self.0.source {
            public.close();
        }
    }

    /// How everything is now.
    pub(crate) fn health(&self) -> DataKeysHealth {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        DataKeysHealth {
            held: self.0.cache().held(),
            most: MOST,
            hits: read(&self.0.hits),
            misses: read(&self.0.misses),
            stale: read(&self.0.stale),
            public: match &self.0.source {
                Source::Local(_) => None,
                Source::Remote { public, .. } => Some(public.health()),
            },
        }
    }
}

impl Shared {
    /// The row of a key, as long as it may be used.
    fn declared(&self, key: &SecretId) -> Result<Declared, KeyError> {
        if self.is_closed.load(Ordering::Acquire) {
            let closed = "the runtime was closed meanwhile";
            return Err(VaultError::unavailable(closed, None).into());
        }
        let declared = self.declared.load();
        let declared = declared.get(key).ok_or_else(|| KeyError::no_key(key))?;
        match &declared.refused {
            Some(refused) => Err(refused.clone().into()),
            None => Ok(declared.clone()),
        }
    }

    fn served(
        &self,
        key: &SecretId,
        kept: Arc<Kept>,
        stale: Option<Duration>,
    ) -> Result<Unwrapped, Failed> {
        self.hits.fetch_add(1, Ordering::Relaxed);
        if stale.is_some() {
            self.stale.fetch_add(1, Ordering::Relaxed);
        }
        Ok(kept.unwrapped(key, true, stale)?)
    }

    fn now(&self) -> Now {
        Now::read(&*self.clock)
    }

    /// Held for a few instructions, never over a wait. A forked child begins with an empty one.
    fn cache(&self) -> MutexGuard<'_, Cache> {
        let cache = self.cache.get_or_init(Mutex::default);
        cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Declared {
    /// What the slots of public parts know of the row. The second vault has a slot of its own, that nobody reads: for its gate.
    fn of_vaults(&self) -> impl Iterator<Item = SecretRequest> {
        let own = self.request.alone();
        let second = self.request.fallback().map(|vault| {
            let id = own.key().id().clone().within(vault.clone());
            SecretRequest::new(id).with_ttl(Duration::ZERO)
        });
        std::iter::once(own).chain(second)
    }
}

impl fmt::Debug for DataKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataKeys")
            .field("source", &self.0.source)
            .field("held", &self.0.cache().held())
            .finish_non_exhaustive()
    }
}

/// What a slot says, in words of keys.
fn why(error: &Error) -> KeyError {
    let source = error.source();
    let of_call = source.and_then(|source| source.downcast_ref::<FetchError>());
    let known = of_call.map(|call| &call.error);
    let known = known.or_else(|| source.and_then(|source| source.downcast_ref::<VaultError>()));
    match known {
        Some(known) => known.clone().into(),
        None => VaultError::unavailable(error.message(), None).into(),
    }
}
