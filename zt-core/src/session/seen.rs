//! What this session was told a moment ago, so that repeats are counted and not synced to disk one by one.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::policy::{Context, Decision, DecisionKind};
use crate::secrets::{Secret, SecretVersion};

/// Repeats within this long are counted; after it the next one is recorded in full again.
const LEASE: Duration = Duration::from_secs(60);
/// So many different things are remembered; beyond, all is forgotten and recorded in full again.
const MOST: usize = 1024;

/// One thing that a session can be told.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Sight {
    question: String,
    context: Context,
    kind: DecisionKind,
    /// Refused in spite of an allow.
    is_refused: bool,
    snapshot: u64,
    version: Option<SecretVersion>,
}

impl Sight {
    pub(super) fn decision(decision: &Decision) -> Self {
        let request = decision.request();
        Self {
            question: format!("{} {}", request.action, request.resource),
            context: request.context.clone(),
            kind: decision.kind(),
            is_refused: false,
            snapshot: decision.snapshot().version(),
            version: None,
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
        Self {
            version: Some(secret.version()),
            ..Self::decision(decision)
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<HashMap<Sight, Duration>>);

impl Seen {
    /// Whether the same was recorded within the lease.
    pub(super) fn recently(&self, sight: &Sight, now: Duration) -> bool {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(sight)
            .is_some_and(|at| now.saturating_sub(*at) < LEASE)
    }

    /// Remembers what was recorded in full.
    pub(super) fn note(&self, sight: Sight, now: Duration) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST {
            seen.clear();
        }
        seen.insert(sight, now);
    }
}
