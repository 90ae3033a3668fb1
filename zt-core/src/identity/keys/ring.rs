//! The keys of one tenant and token format over time: Empty, Fresh, Stale, Expired. Pure: it decides what to do and never does it.
//!
//! Sources: Microsoft Learn, "Signing key rollover in the Microsoft identity platform" ("Keys metadata caching algorithm":
//! refresh every hour, keep for 24 hours, go on with the last known good). Ours beside it: spread, backoff, the rule for keys
//! that disappear, and a bound on fetches that strangers can cause.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::id::Guid;

use super::super::caller::TokenVersion;
use super::fetch::{FetchError, Fetched, Order};
use super::health::{KeyHealth, KeyState};
use super::key::Key;
use super::life::{Life, Moment};
use super::metadata::Metadata;
use super::set::KeySet;
use super::unknown::{GAP, UnknownKids};

/// See the module.
#[derive(Debug)]
pub(super) struct Ring {
    tenant: Guid,
    version: TokenVersion,
    set: Option<KeySet>,
    /// The text that the set was read from.
    jwks: Vec<u8>,
    life: Arc<Life>,
    metadata: Option<(Metadata, Moment)>,
    etag: Option<String>,
    succeeded: Option<Moment>,
    due: Duration,
    failures: u32,
    error: Option<String>,
    /// The number of the fetch under way, and the last one's.
    fetching: Option<u64>,
    fetches: u64,
    started: Option<Duration>,
    unknown: UnknownKids,
    /// Why the fetch under way was started: the id that nobody knew.
    wanted: Option<Box<str>>,
    /// Keys that the newest set does not list any more, and since when.
    missing: BTreeMap<Arc<str>, Duration>,
    /// Since a purge: the number of the first fetch that began after it, whose set alone counts.
    purged: Option<u64>,
}

/// What an unknown id gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Start a fetch, and wait for it.
    Fetch,
    /// Wait for the fetch of this number.
    Wait(u64),
    /// The issuer has no such key.
    Unknown,
    /// It cannot be told now.
    Later(Duration),
}

/// What a fetch changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) added: Vec<Arc<str>>,
    pub(super) dropped: Vec<Arc<str>>,
}

impl Ring {
    /// An empty ring whose first fetch is due.
    pub(super) fn new(tenant: Guid, version: TokenVersion, now: Moment) -> Self {
        Self {
            tenant,
            version,
            set: None,
            jwks: Vec::new(),
            life: Arc::default(),
            metadata: None,
            etag: None,
            succeeded: None,
            due: now.tick,
            failures: 0,
            error: None,
            fetching: None,
            fetches: 0,
            started: None,
            unknown: UnknownKids::default(),
            wanted: None,
            missing: BTreeMap::new(),
            purged: None,
        }
    }

    pub(super) const fn tenant(&self) -> Guid {
        self.tenant
    }

    pub(super) const fn version(&self) -> TokenVersion {
        self.version
    }

    pub(super) const fn set(&self) -> Option<&KeySet> {
        self.set.as_ref()
    }

    pub(super) const fn life(&self) -> &Arc<Life> {
        &self.life
    }

    /// What the set was read from, to be kept across processes.
    pub(super) fn source(&self) -> Option<(&Metadata, &[u8])> {
        let (metadata, _) = self.metadata.as_ref()?;
        (!self.jwks.is_empty()).then_some((metadata, self.jwks.as_slice()))
    }

    /// Whether the fetch of this number is under way.
    pub(super) fn is_fetching(&self, number: u64) -> bool {
        self.fetching == Some(number)
    }

    /// Whether the last fetch failed.
    pub(super) const fn has_failed(&self) -> bool {
        self.failures > 0
    }

    /// Whether a refresh should start now.
    pub(super) fn is_due(&self, now: Moment) -> bool {
        // A machine that slept wakes up with an old set and a tick that stood still.
        let slept =
            self.failures == 0 && matches!(self.state(now), KeyState::Stale | KeyState::Expired);
        self.fetching.is_none() && (now.tick >= self.due || slept)
    }

    /// What to do for a token that names a key which is in no set. A fetch is started only for one that could be ours.
    pub(super) fn miss(
        &mut self,
        kid: &str,
        now: Moment,
        is_ours: impl FnOnce() -> bool,
    ) -> Answer {
        if let Some(number) = self.fetching {
            return Answer::Wait(number);
        }
        // It came with a fetch that ended after the token was looked at: told as soon as everybody sees it.
        if self.set.as_ref().is_some_and(|set| set.find(kid).is_some()) {
            return Answer::Wait(self.fetches);
        }
        if self.unknown.contains(kid, now.tick) {
            return Answer::Unknown;
        }
        let wait = |until: Duration| until.saturating_sub(now.tick).max(Duration::from_secs(1));
        if self.state(now) == KeyState::Empty && now.tick < self.due {
            return Answer::Later(wait(self.due));
        }
        let next = self.unknown.next_fetch(self.started, now.tick);
        if next <= now.tick {
            if !is_ours() {
                return Answer::Unknown;
            }
            self.unknown.start(now.tick);
            self.wanted = Some(Box::from(kid));
            return Answer::Fetch;
        }
        match self.succeeded {
            // The set that does not have it is no older than a fetch may be.
            Some(then) if self.failures == 0 && now.since(then) <= GAP => Answer::Unknown,
            Some(_) | None => Answer::Later(wait(next)),
        }
    }

    /// A fetch starts; its number and what it is to fetch.
    pub(super) fn start(&mut self, now: Moment) -> (u64, Order) {
        self.fetches += 1;
        self.fetching = Some(self.fetches);
        self.started = Some(now.tick);
        let young = |(_, then): &&(Metadata, Moment)| now.since(*then) < METADATA_LIFE;
        let metadata = self.metadata.as_ref().filter(young);
        let order = Order {
            tenant: self.tenant,
            version: self.version,
            metadata: metadata.map(|(metadata, _)| metadata.clone()),
            etag: self.etag.clone(),
            life: Arc::clone(&self.life),
        };
        (self.fetches, order)
    }

    /// A fetch succeeded. `spread` is from 0 to 1 and keeps processes that started together apart.
    pub(super) fn succeed(&mut self, fetched: Fetched, now: Moment, spread: f64) -> Change {
        let number = self.fetching.take();
        if let Some(metadata) = fetched.metadata {
            self.metadata = Some((metadata, now));
        }
        let change = match fetched.keys {
            Some(keys) => {
                self.etag = keys.etag;
                self.jwks = keys.jwks;
                self.replace(keys.set, now.tick)
            }
            None => self.drop_missing(now.tick),
        };
        if let Some(kid) = self.wanted.take()
            && self.set.as_ref().is_none_or(|set| set.find(&kid).is_none())
        {
            self.unknown.remember(&kid, now.tick);
        }
        self.succeeded_at(now);
        self.due = now.tick.saturating_add(FRESH.mul_f64(0.9 + 0.2 * spread));
        self.finish_purge(number, now, change)
    }

    /// The first set that was asked for after a purge is believed at once; an older question's answer is asked for again.
    fn finish_purge(&mut self, number: Option<u64>, now: Moment, mut change: Change) -> Change {
        let Some(first) = self.purged else {
            return change;
        };
        if number < Some(first) {
            self.due = now.tick;
            return change;
        }
        self.purged = None;
        let gone: Vec<Arc<str>> = self.missing.keys().map(Arc::clone).collect();
        self.drop_keys(&gone);
        change.dropped.extend(gone);
        change
    }

    /// Keys that an earlier process fetched at `then`; a refresh is due at once.
    pub(super) fn restore(&mut self, set: KeySet, then: Moment) {
        self.set = Some(set);
        self.succeeded_at(then);
    }

    fn succeeded_at(&mut self, then: Moment) {
        self.life.put_off(then, EXPIRED);
        self.succeeded = Some(then);
        self.failures = 0;
        self.error = None;
    }

    /// A fetch failed: what is known stays, and the next try is put off.
    pub(super) fn fail(&mut self, error: &FetchError, now: Moment, spread: f64) {
        self.fetching = None;
        self.wanted = None;
        // A document that sends us to the wrong place would do so until it is a day old.
        self.metadata = None;
        let backoff = FIRST_BACKOFF
            .saturating_mul(1 << self.failures.min(9))
            .min(LAST_BACKOFF);
        let backoff = backoff.mul_f64(1.0 + 0.25 * spread);
        let asked = error.retry_in().unwrap_or_default();
        self.due = now.tick.saturating_add(backoff.max(asked));
        self.failures = self.failures.saturating_add(1);
        self.error = Some(error.to_string());
    }

    /// Takes a new set. A key that it lacks stays until a second set, at least ten minutes later, lacks it too: one partial
    /// answer must not sign everybody out.
    fn replace(&mut self, mut next: KeySet, now: Duration) -> Change {
        let mut change = Change::default();
        let old = self.set.take();
        let old_keys = || old.iter().flat_map(KeySet::keys);
        for key in old_keys() {
            match next.find(key.kid()) {
                Some(same) if same.is_same(key) => drop(self.missing.remove(key.kid())),
                Some(_) => {
                    self.missing.remove(key.kid());
                    change.dropped.push(Arc::clone(key.kid()));
                }
                None => self.keep_or_drop(key, &mut next, now, &mut change),
            }
        }
        for key in next.keys() {
            if !old_keys().any(|old| old.is_same(key)) {
                change.added.push(Arc::clone(key.kid()));
            }
        }
        self.set = Some(next);
        change
    }

    fn keep_or_drop(
        &mut self,
        key: &Arc<Key>,
        next: &mut KeySet,
        now: Duration,
        change: &mut Change,
    ) {
        let kid = key.kid();
        let since = *self.missing.entry(Arc::clone(kid)).or_insert(now);
        if now.saturating_sub(since) >= GRACE {
            self.missing.remove(kid);
            change.dropped.push(Arc::clone(kid));
        } else {
            next.keep(key);
        }
    }

    /// The set has not changed since it lacked these keys.
    fn drop_missing(&mut self, now: Duration) -> Change {
        let gone = |since: &Duration| now.saturating_sub(*since) >= GRACE;
        let dropped: Vec<Arc<str>> = self
            .missing
            .iter()
            .filter(|(_, since)| gone(since))
            .map(|(kid, _)| Arc::clone(kid))
            .collect();
        self.drop_keys(&dropped);
        Change {
            added: Vec::new(),
            dropped,
        }
    }

    /// Drops at once what the newest set does not list, and makes a fetch due, whose set is taken as it is.
    pub(super) fn purge(&mut self, now: Moment) -> Change {
        self.due = now.tick;
        self.purged = Some(self.fetches + 1);
        let dropped: Vec<Arc<str>> = self.missing.keys().map(Arc::clone).collect();
        self.drop_keys(&dropped);
        Change {
            added: Vec::new(),
            dropped,
        }
    }

    fn drop_keys(&mut self, kids: &[Arc<str>]) {
        for kid in kids {
            self.missing.remove(kid);
            if let Some(set) = &mut self.set {
                set.remove(kid);
            }
        }
    }

    fn age(&self, now: Moment) -> Option<Duration> {
        self.succeeded.map(|then| now.since(then))
    }

    pub(super) fn state(&self, now: Moment) -> KeyState {
        match self.age(now) {
            None => KeyState::Empty,
            Some(age) if age < OVERDUE => KeyState::Fresh,
            Some(age) if age < EXPIRED => KeyState::Stale,
            Some(_) => KeyState::Expired,
        }
    }

    pub(super) fn health(&self, now: Moment) -> KeyHealth {
        KeyHealth {
            tenant: self.tenant,
            version: self.version,
            state: self.state(now),
            keys: self.set.as_ref().map_or(0, |set| set.keys().count()),
            age: self.age(now),
            next_refresh: self.due.saturating_sub(now.tick),
            failures: self.failures,
            error: self.error.clone(),
        }
    }

    /// When a caller whose key cannot be had should come again.
    pub(super) fn retry_in(&self, now: Moment) -> Duration {
        self.due
            .saturating_sub(now.tick)
            .clamp(Duration::from_secs(1), GAP)
    }
}

/// How long a set counts as fresh: it is fetched again after this, give or take a tenth.
const FRESH: Duration = Duration::from_secs(3600);
/// After this a set is stale, whatever its spread was.
const OVERDUE: Duration = Duration::from_secs(3960);
/// After this without a good fetch nothing is verified any more.
const EXPIRED: Duration = Duration::from_secs(24 * 3600);
const METADATA_LIFE: Duration = Duration::from_secs(24 * 3600);
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LAST_BACKOFF: Duration = Duration::from_secs(300);
/// A key is dropped when two sets lack it that were fetched this far apart.
const GRACE: Duration = Duration::from_secs(600);
