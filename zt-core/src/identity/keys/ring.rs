//! The keys of one tenant and token format over time: Empty, Fresh, Stale, Expired. Pure: it decides what to do and never does it.
//!
//! Sources: Microsoft Learn, "Signing key rollover in the Microsoft identity platform" ("Keys metadata caching algorithm":
//! refresh every hour, keep for 24 hours, go on with the last known good). Ours beside it: spread, backoff, the rule for keys
//! that disappear, and a bound on fetches that strangers can cause.

mod change;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::id::Guid;

use super::super::caller::TokenVersion;
use super::fetch::{FetchError, Fetched, Order};
use super::health::{KeyHealth, KeyState};
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
    /// The next set counts alone: no key stays that it does not list.
    takes_all: bool,
    /// The fetch under way began before somebody asked for a new one.
    again: bool,
}

/// What a forked child goes on with: a set, for how long, and what of it a next set may end.
#[derive(Debug)]
pub(super) struct Legacy {
    set: KeySet,
    life: Arc<Life>,
    succeeded: Moment,
    due: Duration,
    missing: BTreeMap<Arc<str>, Duration>,
    takes_all: bool,
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
            takes_all: false,
            again: false,
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
        !self.is_under_way(now) && (now.tick >= self.due || slept)
    }

    /// What to do for a token that names a key which is in no set. A fetch is started only for one that could be ours.
    pub(super) fn miss(&mut self, kid: &str, now: Moment) -> Answer {
        if let Some(number) = self.fetching.filter(|_| self.is_under_way(now)) {
            return Answer::Wait(number);
        }
        // It came with a fetch that ended after the token was looked at: told as soon as everybody sees it.
        let is_known = self.set.as_ref().is_some_and(|set| set.find(kid).is_some());
        if is_known && self.state(now) != KeyState::Expired {
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
            return Answer::Fetch;
        }
        match self.succeeded {
            // The set that does not have it is no older than a fetch may be.
            Some(then) if self.failures == 0 && now.since(then) <= GAP => Answer::Unknown,
            Some(_) | None => Answer::Later(wait(next.min(self.due))),
        }
    }

    /// A fetch for an unknown id is about to start: it counts against those that strangers may cause.
    pub(super) fn want(&mut self, kid: &str, now: Moment) {
        self.unknown.start(now.tick);
        self.wanted = Some(Box::from(kid));
    }

    /// A fetch that has not ended for so long is lost: its task died, or its process was forked.
    fn is_under_way(&self, now: Moment) -> bool {
        let started = self.started.unwrap_or_default();
        self.fetching.is_some() && now.tick.saturating_sub(started) < LOST
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
            // A set that is to count alone must come whole.
            etag: self.etag.clone().filter(|_| !self.takes_all),
            life: Arc::clone(&self.life),
        };
        (self.fetches, order)
    }

    /// A fetch succeeded. `spread` is from 0 to 1 and keeps processes that started together apart.
    pub(super) fn succeed(&mut self, fetched: Fetched, now: Moment, spread: f64) -> Change {
        self.fetching = None;
        // What is too old to verify is too old to stay: no outage brings a withdrawn key back.
        if !self.state(now).is_ready() {
            self.takes_all = true;
        }
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
        // What a set lacks is looked for a second time as soon as that counts.
        let pause = match self.missing.is_empty() {
            true => FRESH.mul_f64(0.9 + 0.2 * spread),
            false => GRACE,
        };
        self.due = match std::mem::take(&mut self.again) {
            true => now.tick,
            false => now.tick.saturating_add(pause),
        };
        change
    }

    /// Keys that an earlier process fetched at `then`, unless they are too old; a refresh is due at once. They serve until it
    /// succeeds, and not beside what it brings.
    pub(super) fn restore(&mut self, set: KeySet, then: Moment, now: Moment) {
        if now.since(then) < EXPIRED {
            self.set = Some(set);
            self.takes_all = true;
            self.succeeded_at(then);
        }
    }

    /// What a forked child would go on with; `None` before the first set.
    pub(super) fn legacy(&self) -> Option<Legacy> {
        Some(Legacy {
            set: self.set.clone()?,
            life: Arc::clone(&self.life),
            succeeded: self.succeeded?,
            due: self.due,
            missing: self.missing.clone(),
            takes_all: self.takes_all,
        })
    }

    /// Goes on where the ring of the parent was after its last good fetch.
    pub(super) fn inherit(&mut self, legacy: &Legacy) {
        self.set = Some(legacy.set.clone());
        self.life = Arc::clone(&legacy.life);
        self.succeeded = Some(legacy.succeeded);
        self.due = legacy.due;
        self.missing.clone_from(&legacy.missing);
        self.takes_all = legacy.takes_all;
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
        self.again = false;
        // A document that sends us to the wrong place would do so until it is a day old.
        if !matches!(error, FetchError::Http(_)) {
            self.metadata = None;
        }
        let backoff = FIRST_BACKOFF
            .saturating_mul(1 << self.failures.min(9))
            .min(LAST_BACKOFF);
        let backoff = backoff.mul_f64(1.0 + 0.25 * spread);
        let asked = error.retry_in().unwrap_or_default();
        self.due = now.tick.saturating_add(backoff.max(asked));
        self.failures = self.failures.saturating_add(1);
        self.error = Some(error.to_string());
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
/// Longer than any fetch takes.
const LOST: Duration = Duration::from_secs(30);
/// A key is dropped when two sets lack it that were fetched this far apart.
const GRACE: Duration = Duration::from_secs(600);
