//! The keys as Entra publishes them, kept fresh beside the callers.
//!
//! In: a profile, the port to HTTP. Out: what is known now, at once; for an unknown `kid` a wait that ends within two seconds.
//! A known key never waits for a fetch, a set that cannot be used never replaces one that can, and strangers cannot make it
//! fetch more often than every thirty seconds.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::id::Guid;
use crate::network::HttpClient;
use crate::port::Spawn;

use super::super::caller::TokenVersion;
use super::super::profile::EntraProfile;
use super::fetch::{FetchError, Fetched, fetch};
use super::health::KeyHealth;
use super::known::KnownKeys;
use super::life::Moment;
use super::ring::{Answer, Change, Ring};
use super::saved::{KeyStore, Saved, name};

/// What the cache needs of the world.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    pub(crate) http: Arc<dyn HttpClient>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) spawn: Arc<dyn Spawn>,
    pub(crate) store: Option<Arc<dyn KeyStore>>,
    pub(crate) observer: Arc<dyn KeyObserver>,
}

/// Is told what happens to the keys, for log and alarm.
pub(crate) trait KeyObserver: Send + Sync + fmt::Debug {
    /// Something happened.
    fn observe(&self, event: &KeyEvent);
}

/// What happens to the keys of one tenant and format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyEvent {
    pub(crate) tenant: Guid,
    pub(crate) version: TokenVersion,
    pub(crate) what: KeyNews,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyNews {
    /// Keys came or went, by their `kid`.
    Changed {
        added: Vec<Arc<str>>,
        dropped: Vec<Arc<str>>,
    },
    /// The first failure after a success; the known keys serve on.
    Failing { error: String },
    /// The first success after failures.
    Recovered,
}

/// See the module.
pub(crate) struct KeyCache {
    profile: EntraProfile,
    around: Surroundings,
    known: ArcSwap<KnownKeys>,
    rings: Vec<Place>,
    /// Held while `known` is made anew, so that two changes do not overwrite each other.
    making: Mutex<()>,
    this: Weak<Self>,
}

struct Place {
    ring: Mutex<Ring>,
    /// The number of the last fetch that nobody waits for any more: over, or too slow.
    ended: watch::Sender<u64>,
}

impl Place {
    fn ring(&self) -> MutexGuard<'_, Ring> {
        // A ring is whole after every statement that can panic.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an unknown `kid` came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::identity) enum Sought {
    /// Look again.
    Maybe,
    /// The issuer has no such key.
    Unknown,
    /// It cannot be told now.
    Later(Duration),
}

impl KeyCache {
    /// A cache for every tenant and format of a profile, with what an earlier process kept. The first fetches start with the
    /// first [`tick`](Self::tick).
    pub(crate) fn new(profile: EntraProfile, around: Surroundings) -> Arc<Self> {
        let now = Moment::now(&*around.clock);
        let versions = profile.versions();
        let rings = profile.tenants().flat_map(|tenant| {
            versions
                .iter()
                .map(move |&version| Ring::new(tenant, version, now))
        });
        let rings = rings.map(|mut ring| {
            if let Some(store) = &around.store {
                restore(&mut ring, &profile, &**store, now);
            }
            let (ended, _) = watch::channel(0);
            Place {
                ring: Mutex::new(ring),
                ended,
            }
        });
        let rings: Vec<Place> = rings.collect();
        let cache = Arc::new_cyclic(|this| Self {
            profile,
            around,
            known: ArcSwap::default(),
            rings,
            making: Mutex::default(),
            this: Weak::clone(this),
        });
        cache.make_known(false);
        cache
    }

    /// What is known now.
    pub(in crate::identity) fn known(&self) -> Guard<Arc<KnownKeys>> {
        self.known.load()
    }

    /// Starts the refreshes that are due. To be called every second.
    pub(crate) fn tick(&self) {
        let now = Moment::now(&*self.around.clock);
        for at in 0..self.rings.len() {
            let Some(place) = self.rings.get(at) else {
                return;
            };
            let mut ring = place.ring();
            if ring.is_due(now) {
                self.start(at, &mut ring, now);
            }
        }
    }

    /// Whether a key that is in no set may be one, after a fetch if that is allowed now. `tenant` and `version` are what the
    /// unverified token says; `is_ours` whether the rest of it could be one for us.
    pub(in crate::identity) async fn seek(
        &self,
        kid: &str,
        whose: Option<(Guid, TokenVersion)>,
        is_ours: impl FnOnce() -> bool,
    ) -> Sought {
        let now = Moment::now(&*self.around.clock);
        let Some((at, place)) = self.place(whose) else {
            return Sought::Unknown;
        };
        let mut waiting = place.ended.subscribe();
        let number = {
            let mut ring = place.ring();
            match ring.miss(kid, now, is_ours) {
                Answer::Fetch => self.start(at, &mut ring, now),
                Answer::Wait(number) => number,
                Answer::Unknown => return Sought::Unknown,
                Answer::Later(retry_in) => return Sought::Later(retry_in),
            }
        };
        let ended = waiting.wait_for(|ended| *ended >= number).await;
        if ended.is_err() || place.ring().is_fetching(number) {
            return Sought::Later(place.ring().retry_in(now));
        }
        if place.ring().has_failed() {
            return Sought::Later(place.ring().retry_in(Moment::now(&*self.around.clock)));
        }
        Sought::Maybe
    }

    /// Drops at once every key that the newest sets do not list, and fetches all sets anew.
    pub(crate) fn purge(&self) {
        let now = Moment::now(&*self.around.clock);
        for place in &self.rings {
            let (change, tenant, version) = {
                let mut ring = place.ring();
                (ring.purge(now), ring.tenant(), ring.version())
            };
            self.took(change, tenant, version);
        }
        self.tick();
    }

    /// How the keys of every tenant and format are.
    pub(crate) fn health(&self) -> Vec<KeyHealth> {
        let now = Moment::now(&*self.around.clock);
        self.rings
            .iter()
            .map(|place| place.ring().health(now))
            .collect()
    }

    /// When a caller should come again whose keys are too old.
    pub(in crate::identity) fn retry_in(&self) -> Duration {
        let now = Moment::now(&*self.around.clock);
        let waits = self.rings.iter().map(|place| place.ring().retry_in(now));
        waits.max().unwrap_or(Duration::from_secs(1))
    }

    fn place(&self, whose: Option<(Guid, TokenVersion)>) -> Option<(usize, &Place)> {
        let mut places = self.rings.iter().enumerate();
        match whose {
            None => places.next(),
            Some((tenant, version)) => places.find(|(_, place)| {
                let ring = place.ring();
                (ring.tenant(), ring.version()) == (tenant, version)
            }),
        }
    }

    /// Whether the ring of a token can be told without reading it.
    pub(in crate::identity) fn is_single(&self) -> bool {
        self.rings.len() == 1
    }

    fn start(&self, at: usize, ring: &mut Ring, now: Moment) -> u64 {
        let (number, order) = ring.start(now);
        let (http, profile) = (Arc::clone(&self.around.http), self.profile.clone());
        let this = Weak::clone(&self.this);
        self.around.spawn.spawn(Box::pin(async move {
            let fetched = fetch(&*http, &profile, order).await;
            if let Some(cache) = this.upgrade() {
                cache.finish(at, number, fetched);
            }
        }));
        let this = Weak::clone(&self.this);
        self.around.spawn.spawn(Box::pin(async move {
            tokio::time::sleep(PATIENCE).await;
            if let Some(cache) = this.upgrade() {
                cache.end(at, number);
            }
        }));
        number
    }

    fn finish(&self, at: usize, number: u64, fetched: Result<Fetched, FetchError>) {
        let Some(place) = self.rings.get(at) else {
            return;
        };
        let now = Moment::now(&*self.around.clock);
        let (event, change, saved, whose) = {
            let mut ring = place.ring();
            let was_failing = ring.has_failed();
            let (event, change, saved) = match fetched {
                Ok(fetched) => {
                    let change = ring.succeed(fetched, now, spread());
                    let saved = self.saved(&ring, now);
                    (was_failing.then_some(KeyNews::Recovered), change, saved)
                }
                Err(error) => {
                    ring.fail(&error, now, spread());
                    let error = error.to_string();
                    let event = (!was_failing).then_some(KeyNews::Failing { error });
                    (event, Change::default(), None)
                }
            };
            (event, change, saved, (ring.tenant(), ring.version()))
        };
        self.took(change, whose.0, whose.1);
        self.end(at, number);
        if let Some(what) = event {
            self.tell(whose, what);
        }
        if let (Some(saved), Some(store)) = (saved, &self.around.store)
            && let Ok(bytes) = serde_json::to_vec(&saved)
        {
            store.save(&name(&self.profile, whose.0, whose.1), &bytes);
        }
    }

    /// What to keep of a good fetch: also of one that changed nothing, since its age counts.
    fn saved(&self, ring: &Ring, now: Moment) -> Option<Saved> {
        let (metadata, jwks) = ring.source()?;
        let whose = (ring.tenant(), ring.version());
        let said = (metadata.issuer.as_str(), metadata.instance.as_deref());
        Some(Saved::new(&self.profile, whose, said, jwks, now.wall))
    }

    fn took(&self, change: Change, tenant: Guid, version: TokenVersion) {
        if change == Change::default() {
            return;
        }
        self.make_known(!change.dropped.is_empty());
        let Change { added, dropped } = change;
        self.tell((tenant, version), KeyNews::Changed { added, dropped });
    }

    fn tell(&self, (tenant, version): (Guid, TokenVersion), what: KeyNews) {
        let event = KeyEvent {
            tenant,
            version,
            what,
        };
        self.around.observer.observe(&event);
    }

    /// Puts what all rings know into force. A generation ends when a key is gone.
    fn make_known(&self, ends_generation: bool) {
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = self.known.load().generation() + u64::from(ends_generation);
        let mut all = KnownKeys::new(generation);
        for place in &self.rings {
            if let Some(set) = place.ring().set() {
                all.add(set);
            }
        }
        self.known.store(Arc::new(all));
    }

    fn end(&self, at: usize, number: u64) {
        if let Some(place) = self.rings.get(at) {
            place
                .ended
                .send_modify(|ended| *ended = (*ended).max(number));
        }
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyCache")
            .field("rings", &self.health())
            .finish_non_exhaustive()
    }
}

fn restore(ring: &mut Ring, profile: &EntraProfile, store: &dyn KeyStore, now: Moment) {
    let whose = (ring.tenant(), ring.version());
    let Some(bytes) = store.load(&name(profile, whose.0, whose.1)) else {
        return;
    };
    let Some((set, at)) = Saved::read(&bytes, profile, whose, ring.life()) else {
        return;
    };
    // What claims to be from the future has no age that could be counted.
    if at <= now.wall {
        let tick = now.tick;
        ring.restore(set, Moment { tick, wall: at });
    }
}

/// A number from 0 to 1 that differs between processes.
fn spread() -> f64 {
    let mut bytes = [0; 4];
    match aws_lc_rs::rand::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_ne_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 0.5,
    }
}

/// How long a caller waits for a fetch.
const PATIENCE: Duration = Duration::from_secs(2);

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
