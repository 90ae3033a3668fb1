//! What this session was told a moment ago, so that repeats are counted and not synced to disk one by one.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use zt_memory::fork::Local;

use crate::audit::Tally;
use crate::policy::{Action, Context, Decision, DecisionKind, Resource};
use crate::secrets::{Secret, SecretVersion};

/// Repeats within this long are counted; after it the next one is recorded in full again.
pub(super) const LEASE: Duration = Duration::from_secs(60);
/// So many different things are remembered; beyond, all is forgotten and recorded in full again.
const MOST: usize = 1024;

/// One thing that a session can be told. Made of what the decision holds already: nothing of it is built anew.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Sight {
    action: Action,
    resource: Resource,
    context: Context,
    kind: DecisionKind,
    rows: u64,
    /// Refused in spite of an allow.
    is_refused: bool,
    snapshot: u64,
    /// The rows in shadow mode that apply: time alone may change them.
    shadows: u64,
    /// The version that was released, and a mark of how the path to the vault was proven.
    released: Option<(SecretVersion, u64)>,
}

impl Sight {
    pub(super) fn decision(decision: &Decision) -> Self {
        let request = decision.request();
        Self {
            action: request.action,
            resource: request.resource.clone(),
            context: request.context.clone(),
            kind: decision.kind(),
            rows: decision.rows_mark(),
            is_refused: false,
            snapshot: decision.snapshot().version(),
            shadows: decision.shadows_mark(),
            released: None,
        }
    }

    /// An allow that was too narrow for what was asked.
    pub(super) fn refusal(decision: &Decision) -> Self {
        Self {
            is_refused: true,
            ..Self::decision(decision)
        }
    }

    pub(super) fn is_allowed(&self) -> bool {
        self.kind == DecisionKind::Allow && !self.is_refused
    }

    pub(super) fn release(decision: &Decision, secret: &Secret) -> Self {
        let mut path = DefaultHasher::new();
        secret.path_proof().hash(&mut path);
        secret.stale_for().is_some().hash(&mut path);
        secret.vault().hash(&mut path);
        Self {
            released: Some((secret.version(), path.finish())),
            ..Self::decision(decision)
        }
    }
}

/// What is remembered of a sight.
#[derive(Debug)]
struct Memory {
    at: Duration,
    tally: Option<Tally>,
}

/// How a repeat is counted.
pub(super) enum Repeat {
    /// By its tally.
    Tally(Tally),
    /// By building its record again: the log had no room for another tally.
    Record,
}

#[derive(Debug, Default)]
pub(super) struct Seen(Local<Mutex<HashMap<Sight, Memory>>>);

impl Seen {
    /// How to count it, if the same was recorded within the lease.
    pub(super) fn recently(&self, sight: &Sight, now: Duration) -> Option<Repeat> {
        let seen = self
            .0
            .get_or_init(Mutex::default)
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let memory = seen.get(sight)?;
        if now.saturating_sub(memory.at) >= LEASE {
            return None;
        }
        Some(match &memory.tally {
            Some(tally) => Repeat::Tally(tally.clone()),
            None => Repeat::Record,
        })
    }

    /// How repeats are counted, and when it was recorded in full.
    pub(super) fn tally(&self, sight: &Sight) -> Option<(Tally, Duration)> {
        let seen = self
            .0
            .get_or_init(Mutex::default)
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let memory = seen.get(sight)?;
        Some((memory.tally.clone()?, memory.at))
    }

    /// Remembers what was recorded in full, and how its repeats are counted.
    pub(super) fn note(&self, sight: Sight, at: Duration, tally: Option<Tally>) {
        let mut seen = self
            .0
            .get_or_init(Mutex::default)
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST {
            seen.clear();
        }
        seen.insert(sight, Memory { at, tally });
    }
}
