//! Which data keys are held, which were refused, and who is asking for which. Pure; the time is passed in.
//!
//! A key is found by all that it came from: its row's key and identity, the version that wrapped it, and the SHA-256 of the
//! wrapped bytes. The rules are those of the slots of secrets, but that nothing is asked for ahead of its time: who unwraps
//! is in the vault's log, and nobody should stand there who does not open.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use tokio::sync::watch;

use super::{Failed, Unwrapped};
use crate::envelope::{DataKey, KeyError, WrappedKey};
use crate::secrets::{
    Now, SecretBytes, SecretId, SecretName, SecretRequest, SecretVersion, SlotKey, Terms, Timing,
    Verdict,
};

/// Data keys and refusals at a time. Beyond, who was not asked for longest makes room.
pub(super) const MOST: usize = 4_096;

/// Who waits past a TTL for a vault that does not answer lets it rest for so long, if it named no pause.
const REST: Duration = Duration::from_secs(5);

/// The longest pause that a vault may ask for.
const LONGEST_REST: Duration = Duration::from_secs(300);

/// What a data key came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Place {
    slot: SlotKey,
    version: SecretVersion,
    digest: [u8; 32],
}

impl Place {
    pub(super) fn of(request: &SecretRequest, wrapped: &WrappedKey) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(wrapped.algorithm.as_str().as_bytes());
        context.update(&[0]);
        context.update(&wrapped.bytes);
        let mut digest = [0; 32];
        for (to, from) in digest.iter_mut().zip(context.finish().as_ref()) {
            *to = *from;
        }
        Self {
            // Of whichever vault it came: the bytes are the same.
            slot: request.alone().key().clone(),
            version: wrapped.version,
            digest,
        }
    }

    pub(super) fn is_of(&self, id: &SecretId) -> bool {
        self.slot.id() == id
    }

    pub(super) fn is_named(&self, name: &SecretName) -> bool {
        self.slot.id().name() == name
    }
}

/// A data key that is held, and the call that gave it.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) bytes: SecretBytes,
    pub(super) path_proof: Cow<'static, str>,
    pub(super) details: Vec<(&'static str, String)>,
    pub(super) asked: Now,
}

impl Kept {
    /// For one use.
    pub(super) fn unwrapped(
        self: Arc<Self>,
        key: &SecretId,
        is_cached: bool,
        stale_for: Option<Duration>,
    ) -> Result<Unwrapped, KeyError> {
        let dek = DataKey::copy_of(self.bytes.reveal()).ok_or_else(|| KeyError::unwrap(key))?;
        Ok(Unwrapped {
            dek,
            is_cached,
            stale_for,
            kept: self,
        })
    }

    /// By the clock that says more: a machine may have slept.
    fn age(&self, now: Now) -> Duration {
        let tick = now.tick.saturating_sub(self.asked.tick);
        tick.saturating_add(now.slept_since(self.asked))
    }
}

/// What a flight says: nothing yet, or its outcome.
pub(super) type Outcome = Option<Result<Arc<Kept>, Failed>>;

enum Entry {
    Held {
        kept: Arc<Kept>,
        /// With what it may be served past its TTL.
        lasts: Duration,
        /// The vault did not answer, and is not asked again before.
        rests_until: Duration,
    },
    Refused {
        failed: Failed,
        until: Duration,
    },
}

impl Entry {
    fn is_over(&self, now: Now) -> bool {
        match self {
            Self::Held { kept, lasts, .. } => kept.age(now) >= *lasts,
            Self::Refused { until, .. } => now.tick >= *until,
        }
    }
}

struct Cell {
    entry: Entry,
    read_at: Duration,
}

/// What to do for a data key.
pub(super) enum Boarding {
    /// It is there; past its TTL for so long.
    Served(Arc<Kept>, Option<Duration>),
    /// The vault said no a moment ago.
    Refused(Failed),
    /// Somebody asks already.
    Wait(watch::Receiver<Outcome>),
    /// Ask.
    Start(Start),
}

/// The right to ask for one data key.
pub(super) struct Start {
    pub(super) sender: watch::Sender<Outcome>,
    pub(super) epoch: u64,
}

impl Start {
    pub(super) fn waiter(&self) -> watch::Receiver<Outcome> {
        self.sender.subscribe()
    }
}

#[derive(Default)]
pub(super) struct Cache {
    cells: HashMap<Place, Cell>,
    flights: HashMap<Place, watch::Receiver<Outcome>>,
    /// Counts what was forgotten: an answer that was under way is not kept.
    epoch: u64,
}

impl Cache {
    pub(super) fn board(&mut self, place: &Place, terms: Terms, now: Now) -> Boarding {
        if let Some(cell) = self.cells.get_mut(place) {
            cell.read_at = now.tick;
            match &cell.entry {
                Entry::Refused { failed, until } if now.tick < *until => {
                    return Boarding::Refused(failed.clone());
                }
                Entry::Held {
                    kept, rests_until, ..
                } => match past(kept, terms, now) {
                    Some(Duration::ZERO) => return Boarding::Served(Arc::clone(kept), None),
                    Some(stale) if now.tick < *rests_until => {
                        return Boarding::Served(Arc::clone(kept), Some(stale));
                    }
                    Some(_) => {}
                    None => drop(self.cells.remove(place)),
                },
                Entry::Refused { .. } => drop(self.cells.remove(place)),
            }
        }
        if let Some(waiter) = self.flights.get(place) {
            return Boarding::Wait(waiter.clone());
        }
        let (sender, receiver) = watch::channel(None);
        self.flights.insert(place.clone(), receiver);
        Boarding::Start(Start {
            sender,
            epoch: self.epoch,
        })
    }

    /// What may be served after this failure, and for how long its TTL has passed: nothing after a "no" of the vault.
    pub(super) fn bridge(
        &self,
        place: &Place,
        failed: &Failed,
        terms: Terms,
        now: Now,
        timing: &Timing,
    ) -> Option<(Arc<Kept>, Duration)> {
        if is_final(failed, now, timing) {
            return None;
        }
        match &self.cells.get(place)?.entry {
            Entry::Held { kept, .. } => Some((Arc::clone(kept), past(kept, terms, now)?)),
            Entry::Refused { .. } => None,
        }
    }

    /// Takes in how a flight ended.
    pub(super) fn land(
        &mut self,
        (place, epoch): (&Place, u64),
        outcome: &Result<Arc<Kept>, Failed>,
        terms: Terms,
        now: Now,
        timing: &Timing,
    ) {
        if epoch != self.epoch {
            // Whatever was forgotten meanwhile, a "no" ends what is held; it is not believed, for it may be forgotten too.
            let cell = self.cells.get(place);
            let is_held = cell.is_some_and(|cell| matches!(cell.entry, Entry::Held { .. }));
            if let Err(failed) = outcome
                && is_held
                && is_final(failed, now, timing)
            {
                self.put(place, None, now);
            }
            return;
        }
        self.flights.remove(place);
        match outcome {
            Ok(kept) => {
                let entry = Entry::Held {
                    kept: Arc::clone(kept),
                    lasts: terms.ttl.saturating_add(terms.max_stale),
                    rests_until: Duration::ZERO,
                };
                let is_kept = !terms.ttl.is_zero();
                self.put(place, is_kept.then_some(entry), now);
            }
            Err(failed) => self.refuse(place, failed, now, timing),
        }
    }

    fn refuse(&mut self, place: &Place, failed: &Failed, now: Now, timing: &Timing) {
        let cell = self.cells.get_mut(place);
        let held = cell.and_then(|cell| match &mut cell.entry {
            Entry::Held { rests_until, .. } => Some(rests_until),
            Entry::Refused { .. } => None,
        });
        let believed = match (verdict(failed.error(), now, timing), held) {
            (Verdict::Unknown(_) | Verdict::NotYet(_), Some(rests_until)) => {
                let told = if let KeyError::Vault(error) = failed.error() {
                    error.retry_in()
                } else {
                    None
                };
                *rests_until = now
                    .tick
                    .saturating_add(told.unwrap_or(REST).min(LONGEST_REST));
                return;
            }
            (Verdict::Unknown(pause), None) if pause.is_zero() => return,
            (Verdict::Missing, _) => timing.negative_ttl,
            (Verdict::No(believed), _)
            | (Verdict::NotYet(believed) | Verdict::Unknown(believed), None) => believed,
        };
        let entry = Entry::Refused {
            failed: failed.clone(),
            until: now.tick.saturating_add(believed),
        };
        self.put(place, (!believed.is_zero()).then_some(entry), now);
    }

    fn put(&mut self, place: &Place, entry: Option<Entry>, now: Now) {
        self.cells.remove(place);
        let Some(entry) = entry else {
            return;
        };
        if self.cells.len() >= MOST {
            self.sweep(now);
        }
        if self.cells.len() >= MOST {
            let oldest = self.cells.iter().min_by_key(|(_, cell)| cell.read_at);
            if let Some(oldest) = oldest.map(|(place, _)| place.clone()) {
                self.cells.remove(&oldest);
            }
        }
        let read_at = now.tick;
        self.cells.insert(place.clone(), Cell { entry, read_at });
    }

    /// A flight that ended without a word.
    pub(super) fn abandon(&mut self, place: &Place, epoch: u64) {
        if epoch == self.epoch {
            self.flights.remove(place);
        }
    }

    /// Wipes what is over.
    pub(super) fn sweep(&mut self, now: Now) {
        self.cells.retain(|_, cell| !cell.entry.is_over(now));
    }

    /// Wipes these. What is under way answers those who wait for it, and is not kept.
    pub(super) fn forget(&mut self, which: impl Fn(&Place) -> bool) {
        self.cells.retain(|place, _| !which(place));
        self.flights.clear();
        self.epoch = self.epoch.wrapping_add(1);
    }

    /// Data keys that are held.
    pub(super) fn held(&self) -> usize {
        let is_held = |cell: &&Cell| matches!(cell.entry, Entry::Held { .. });
        self.cells.values().filter(is_held).count()
    }
}

/// For how long a TTL has passed: zero within it, `None` beyond what may be served at all.
fn past(kept: &Kept, terms: Terms, now: Now) -> Option<Duration> {
    let age = kept.age(now);
    let is_within = age < terms.ttl.saturating_add(terms.max_stale);
    if age < terms.ttl {
        Some(Duration::ZERO)
    } else {
        is_within.then(|| age.saturating_sub(terms.ttl).max(Duration::from_millis(1)))
    }
}

/// Whether the vault said no, and did not only fail to answer.
fn is_final(failed: &Failed, now: Now, timing: &Timing) -> bool {
    match verdict(failed.error(), now, timing) {
        Verdict::Missing | Verdict::No(_) => true,
        Verdict::NotYet(_) | Verdict::Unknown(_) => false,
    }
}

/// What a failure says about a data key, by the table of secrets.
fn verdict(error: &KeyError, now: Now, timing: &Timing) -> Verdict {
    match error {
        KeyError::NotFound { .. } => Verdict::Missing,
        KeyError::Disabled { .. } => Verdict::No(timing.disabled_ttl),
        KeyError::Unwrap { .. } | KeyError::Denied { .. } | KeyError::Expired { .. } => {
            Verdict::No(timing.negative_ttl)
        }
        KeyError::NotYetValid { .. } => Verdict::NotYet(timing.negative_ttl),
        KeyError::Vault(error) => Verdict::of(error, now.wall, timing),
    }
}
