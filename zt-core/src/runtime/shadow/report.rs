//! What a trial tells: plain values.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::metadata::Snapshot;
use crate::policy::{Action, Ruling};

/// How many decisions were compared, and how many would change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ShadowCounts {
    /// Decided on both.
    pub decisions: u64,
    /// Denied by what is in force, allowed in shadow.
    pub granted: u64,
    /// Allowed by what is in force, denied in shadow.
    pub withdrawn: u64,
    /// Allowed by both, with other columns, masks, rows or obligations.
    pub reshaped: u64,
    /// Asked in a session that the tables in shadow end: they revoke its token, or name its caller twice. No flip: whom tables
    /// shut out must not keep them back by asking.
    pub ended: u64,
}

impl ShadowCounts {
    /// All that would change for sessions that go on.
    #[must_use]
    pub const fn flips(&self) -> u64 {
        self.granted
            .saturating_add(self.withdrawn)
            .saturating_add(self.reshaped)
    }

    pub(super) const fn plus(self, other: Self) -> Self {
        Self {
            decisions: self.decisions.saturating_add(other.decisions),
            granted: self.granted.saturating_add(other.granted),
            withdrawn: self.withdrawn.saturating_add(other.withdrawn),
            reshaped: self.reshaped.saturating_add(other.reshaped),
            ended: self.ended.saturating_add(other.ended),
        }
    }
}

/// A decision that would change. For who runs this process, as [`Explanation`](crate::policy::Explanation) is: it names rows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShadowFlip {
    /// Who asked, as the tables in force name them.
    pub caller: String,
    /// What.
    pub action: Action,
    /// On what.
    pub resource: String,
    /// As it was decided.
    pub before: Ruling,
    /// As it would be decided; none where the tables in shadow end the caller's session.
    pub after: Option<Ruling>,
}

impl fmt::Display for ShadowFlip {
    /// `user:maya model.infer model:car_loan_scorer: allow by AP-01 -> default_deny`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (caller, action, resource) = (&self.caller, self.action, &self.resource);
        write!(f, "{caller} {action} {resource}: {} -> ", self.before)?;
        match &self.after {
            Some(after) => after.fmt(f),
            None => f.write_str("the session ends"),
        }
    }
}

/// How a trial ended.
#[derive(Debug, Clone)]
#[must_use = "only `Taken` put the tables in force"]
#[expect(
    clippy::exhaustive_enums,
    reason = "whoever tries tables must act on each of these"
)]
pub enum ShadowEnd {
    /// The tables are in force.
    Taken(Arc<Snapshot>),
    /// They would change too much: what was in force stays.
    KeptBack,
    /// They are not what is tried any more: the source changed, or a reload came between.
    Outdated,
}
