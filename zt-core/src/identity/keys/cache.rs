//! The keys as Entra publishes them, kept fresh beside the callers.
//!
//! In: a profile, the port to HTTP. Out: what is known now, at once; for an unknown `kid` a wait that ends within two seconds.
//! A known key never waits for a fetch, a set that cannot be used never replaces one that can, and strangers cannot make it
//! fetch more often than every thirty seconds. A forked child goes on with the keys that its parent knew, and fetches for itself.

mod rings;
mod saving;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::Guard;
use zt_memory::fork::Local;

use crate::id::Guid;

use super::super::caller::TokenVersion;
use super::super::profile::EntraProfile;
use super::ending::Ending;
use super::fetch::{FetchError, Fetched, Order, fetch};
use super::health::KeyHealth;
use super::known::KnownKeys;
use super::life::Moment;
use super::ring::{Answer, Change, Ring};
use super::saved::{KeyStore, Saved, name};
use super::surroundings::{KeyEvent, KeyNews, Surroundings};
use rings::{Live, Place, Rings};

/// See the module.
pub(crate) struct KeyCache {
    profile: EntraProfile,
    around: Surroundings,
    /// How many generations of what is known there were, those of the parents of a forked child too.
    generations: AtomicU64,
    places: Vec<Place>,
    /// A forked child has its own.
    rings: Local<Rings>,
    this: Weak<Self>,
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
        let places = rings.map(|mut ring| {
            if let Some(store) = &around.store {
                restore(&mut ring, &profile, &**store, now);
            }
            Place::new(&ring)
        });
        let places: Vec<Place> = places.collect();
        Arc::new_cyclic(|this| Self {
            profile,
            around,
            generations: AtomicU64::new(0),
            places,
            rings: Local::new(),
            this: Weak::clone(this),
        })
    }

    /// Those of this process.
    fn rings(&self) -> &Rings {
        self.rings.get_or_init(|| {
            let now = Moment::now(&*self.around.clock);
            Rings::of(&self.places, now, self.next_generation())
        })
    }

    fn next_generation(&self) -> u64 {
        self.generations.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// What is known now.
    pub(in crate::identity) fn known(&self) -> Guard<Arc<KnownKeys>> {
        self.rings().known.load()
    }

    /// Starts the refreshes that are due. To be called every second.
    pub(crate) fn tick(&self) {
        let now = Moment::now(&*self.around.clock);
        for (at, live) in self.rings().iter().enumerate() {
            let order = {
                let mut ring = live.ring();
                ring.is_due(now).then(|| ring.start(now))
            };
            if let Some((number, order)) = order {
                self.start(at, number, order);
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
        let Some((at, live)) = self.place(whose) else {
            return Sought::Unknown;
        };
        let mut waiting = live.ended.subscribe();
        let first = live.ring().miss(kid, now);
        let number = match first {
            // A stranger's text is read with no lock held.
            Answer::Fetch if !is_ours() => return Sought::Unknown,
            Answer::Fetch => {
                let (number, order) = {
                    let mut ring = live.ring();
                    match ring.miss(kid, now) {
                        Answer::Fetch => {
                            ring.want(kid, now);
                            let (number, order) = ring.start(now);
                            (number, Some(order))
                        }
                        Answer::Wait(number) => (number, None),
                        Answer::Unknown => return Sought::Unknown,
                        Answer::Later(retry_in) => return Sought::Later(retry_in),
                    }
                };
                if let Some(order) = order {
                    self.start(at, number, order);
                }
                number
            }
            Answer::Wait(number) => number,
            Answer::Unknown => return Sought::Unknown,
            Answer::Later(retry_in) => return Sought::Later(retry_in),
        };
        let ended = waiting.wait_for(|ended| *ended >= number).await.is_ok();
        let (is_fetching, has_failed, retry_in) = {
            let (ring, now) = (live.ring(), Moment::now(&*self.around.clock));
            (
                ring.is_fetching(number),
                ring.has_failed(),
                ring.retry_in(now),
            )
        };
        match ended && !is_fetching && !has_failed {
            true => Sought::Maybe,
            false => Sought::Later(retry_in),
        }
    }

    /// Drops at once every key that the newest sets do not list, and fetches all sets anew.
    pub(crate) fn purge(&self) {
        let now = Moment::now(&*self.around.clock);
        let rings = self.rings();
        for (place, live) in self.places.iter().zip(rings.iter()) {
            let change = {
                let _making = rings.making();
                let mut ring = live.ring();
                let change = ring.purge(now);
                place.bequeath(&ring);
                drop(ring);
                self.publish(&change);
                change
            };
            self.tell_change((place.tenant, place.version), change);
        }
        self.tick();
    }

    /// How the keys of every tenant and format are.
    pub(crate) fn health(&self) -> Vec<KeyHealth> {
        let now = Moment::now(&*self.around.clock);
        let rings = self.rings().iter();
        rings.map(|live| live.ring().health(now)).collect()
    }

    /// When a caller should come again whose keys are too old.
    pub(in crate::identity) fn retry_in(&self) -> Duration {
        let now = Moment::now(&*self.around.clock);
        let rings = self.rings().iter();
        let waits = rings.map(|live| live.ring().retry_in(now));
        waits.max().unwrap_or(Duration::from_secs(1))
    }

    fn place(&self, whose: Option<(Guid, TokenVersion)>) -> Option<(usize, &Live)> {
        let is_it =
            |place: &Place| whose.is_none_or(|whose| (place.tenant, place.version) == whose);
        let at = self.places.iter().position(is_it)?;
        Some((at, self.rings().get(at)?))
    }

    /// Whether the ring of a token can be told without reading it.
    pub(in crate::identity) fn is_single(&self) -> bool {
        self.places.len() == 1
    }

    /// Starts a fetch that a ring has ordered. No lock is held: where a task cannot run, it ends here and now.
    fn start(&self, at: usize, number: u64, order: Order) {
        let (http, profile) = (Arc::clone(&self.around.http), self.profile.clone());
        let end = Ending::new(&self.this, at, number, true);
        self.around.spawn.spawn(Box::pin(async move {
            let fetched = fetch(&*http, &profile, order).await;
            end.with(fetched);
        }));
        let give_up = Ending::new(&self.this, at, number, false);
        self.around.spawn.spawn(Box::pin(async move {
            tokio::time::sleep(PATIENCE).await;
            drop(give_up);
        }));
    }

    pub(super) fn finish(&self, at: usize, number: u64, fetched: Result<Fetched, FetchError>) {
        let rings = self.rings();
        let (Some(place), Some(live)) = (self.places.get(at), rings.get(at)) else {
            return;
        };
        let now = Moment::now(&*self.around.clock);
        let (event, change, saved) = {
            // A set and what is known of all sets change together.
            let _making = rings.making();
            let mut ring = live.ring();
            if !ring.is_fetching(number) {
                return;
            }
            let was_failing = ring.has_failed();
            let (event, change, saved) = match fetched {
                Ok(fetched) => {
                    let change = ring.succeed(fetched, now, spread());
                    place.bequeath(&ring);
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
            drop(ring);
            self.publish(&change);
            (event, change, saved)
        };
        // Who waits goes on before anything is written.
        self.end(at, number);
        let whose = (place.tenant, place.version);
        self.tell_change(whose, change);
        if let Some(what) = event {
            self.tell(whose, what);
        }
        if let (Some(saved), Some(store)) = (saved, &self.around.store)
            && let Ok(bytes) = serde_json::to_vec(&saved)
        {
            let name = name(&self.profile, whose.0, whose.1);
            live.saving.save(store, name, bytes);
        }
    }

    /// What to keep of a good fetch: also of one that changed nothing, since its age counts.
    fn saved(&self, ring: &Ring, now: Moment) -> Option<Saved> {
        let (metadata, jwks) = ring.source()?;
        let whose = (ring.tenant(), ring.version());
        let said = (metadata.issuer.as_str(), metadata.instance.as_deref());
        Some(Saved::new(&self.profile, whose, said, jwks, now.wall))
    }

    fn tell_change(&self, whose: (Guid, TokenVersion), change: Change) {
        if change != Change::default() {
            let Change { added, dropped } = change;
            self.tell(whose, KeyNews::Changed { added, dropped });
        }
    }

    fn tell(&self, (tenant, version): (Guid, TokenVersion), what: KeyNews) {
        let event = KeyEvent {
            tenant,
            version,
            what,
        };
        self.around.observer.observe(&event);
    }

    /// Puts what all rings know into force, with `making` held. A generation ends when a key is gone.
    fn publish(&self, change: &Change) {
        if *change == Change::default() {
            return;
        }
        let rings = self.rings();
        rings.publish(match change.dropped.is_empty() {
            true => rings.known.load().generation(),
            false => self.next_generation(),
        });
    }

    pub(super) fn end(&self, at: usize, number: u64) {
        if let Some(live) = self.rings().get(at) {
            live.ended
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
        ring.restore(set, Moment { tick, wall: at }, now);
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
