//! How the slots and gates are at one moment, as values: for `zt status`, probes and dashboards. Never a value of a secret.

use std::time::Duration;

use serde::Serialize;

use super::state::{Now, State};
use super::table::Declared;
use super::{Counts, Secrets};

/// How the secrets of a process are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SecretsHealth {
    /// What was done so far.
    pub counts: Counts,
    /// Every slot, by the name of its secret.
    pub slots: Vec<SlotHealth>,
    /// Every vault, by its URL.
    pub gates: Vec<GateHealth>,
}

/// The state of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SlotState {
    /// Nothing was asked yet, or what was known is over.
    Absent,
    /// The first answer is being fetched.
    Loading,
    /// A value within its TTL.
    Fresh,
    /// The same, old enough to be fetched anew.
    RefreshDue,
    /// A value that has outlived its TTL; served while the vault cannot answer, for a bounded time.
    Stale,
    /// The vault said no, and is not asked again for a moment.
    Negative,
    /// The rules of the network do not name the vault.
    Forbidden,
    /// A value was there and is wiped: over, withdrawn or forgotten.
    Dead,
}

impl SlotState {
    /// The word of status and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Loading => "loading",
            Self::Fresh => "fresh",
            Self::RefreshDue => "refresh_due",
            Self::Stale => "stale",
            Self::Negative => "negative",
            Self::Forbidden => "forbidden",
            Self::Dead => "dead",
        }
    }
}

/// How one slot is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SlotHealth {
    /// The secret's name.
    pub name: String,
    /// Its vault.
    pub vault: String,
    /// How it is.
    pub state: SlotState,
    /// The version that is held.
    pub version: Option<String>,
    /// How old the value is, in seconds.
    pub age_s: Option<u64>,
    /// In how many seconds its `exp` comes.
    pub expires_in_s: Option<i64>,
    /// How often in a row the vault gave no answer since the last good one.
    pub failures: u32,
    /// What the vault said last, if it was no value. Never a value.
    pub last_error: Option<String>,
    /// Reads served.
    pub hits: u64,
    /// Readers that hold the value now.
    pub readers: usize,
}

/// How one gate is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct GateHealth {
    /// The vault.
    pub vault: String,
    /// `open`, `paused` (the vault asked for it), `broken` (it does not answer) or `probing`.
    pub state: &'static str,
    /// For how many milliseconds it is not called.
    pub closed_for_ms: u64,
    /// Calls under way.
    pub under_way: usize,
}

impl Secrets {
    /// How everything is now.
    #[must_use]
    pub fn health(&self) -> SecretsHealth {
        let now = Now::read(&*self.crew.clock);
        let table = self.table();
        let mut slots: Vec<SlotHealth> = table
            .all()
            .map(|declared| slot_health(&declared, now))
            .collect();
        slots.sort_by(|a, b| (&a.name, &a.vault).cmp(&(&b.name, &b.vault)));
        let most = self.limits.concurrent;
        let mut gates: Vec<GateHealth> = table
            .gates
            .iter()
            .map(|(vault, keeper)| {
                let state = keeper.gate().state(now.tick);
                GateHealth {
                    vault: vault.to_string(),
                    state: state.as_str(),
                    closed_for_ms: millis(state.left()),
                    under_way: most.saturating_sub(keeper.room.available_permits()),
                }
            })
            .collect();
        gates.sort_by(|a, b| a.vault.cmp(&b.vault));
        SecretsHealth {
            counts: self.counts(),
            slots,
            gates,
        }
    }
}

fn slot_health(declared: &Declared, now: Now) -> SlotHealth {
    let id = declared.request.key().id();
    let mut health = SlotHealth {
        name: id.name().to_string(),
        vault: id.vault().to_string(),
        state: SlotState::Absent,
        version: None,
        age_s: None,
        expires_in_s: None,
        failures: 0,
        last_error: None,
        hits: declared.slot.hits(),
        readers: 0,
    };
    declared.slot.look(|state, is_loading| match state {
        State::Absent if is_loading => health.state = SlotState::Loading,
        State::Absent => {}
        State::Dead(_) if is_loading => health.state = SlotState::Loading,
        State::Dead(cause) => {
            health.state = SlotState::Dead;
            health.last_error = Some(cause.as_str().to_owned());
        }
        State::Negative { error, .. } => {
            health.state = SlotState::Negative;
            health.last_error = Some(error.to_string());
        }
        State::Forbidden(error) => {
            health.state = SlotState::Forbidden;
            health.last_error = Some(error.to_string());
        }
        State::Held(held) => {
            health.state = if held.is_stale(now.tick) {
                SlotState::Stale
            } else if held.is_past_refresh(now.tick) {
                SlotState::RefreshDue
            } else {
                SlotState::Fresh
            };
            health.version = Some(held.secret.version().to_string());
            health.age_s = Some(held.age(now.tick).as_secs());
            let expires = held.secret.expires_at();
            let left = expires.map(|at| at.as_secs().saturating_sub(now.wall.as_secs()));
            health.expires_in_s = left;
            // The slot itself holds one.
            health.readers = held.secret.readers().saturating_sub(1);
            if let Some(trouble) = &held.trouble {
                health.failures = trouble.failures;
                health.last_error = Some(trouble.error.to_string());
            }
        }
    });
    health
}

fn millis(left: Duration) -> u64 {
    u64::try_from(left.as_millis()).unwrap_or(u64::MAX)
}
