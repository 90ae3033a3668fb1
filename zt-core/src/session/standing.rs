//! Whether a session may still ask: its token, the key that proved it, and the tables it is decided by.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Session;
use crate::audit::{Durability, Kind, Outcome, Record};
use crate::clock::Timestamp;
use crate::error::{Code, Error, Result};
use crate::grant::GrantError;
use crate::identity::Authenticator;
use crate::policy::{Action, Resource};

impl Session {
    /// Tables that nobody could confirm for too long may have been withdrawn long ago.
    pub(super) fn refuse_stale(&self, action: Action, resource: &Resource) -> Result<()> {
        let Some(limit) = self.shared.max_staleness else {
            return Ok(());
        };
        let age = self.shared.snapshots.age();
        if age <= limit {
            return Ok(());
        }
        let now = self.shared.clock.now();
        let (action, resource) = (action.as_str(), resource.as_str());
        let record = Record::new(Kind::Decision, now, action, resource, Outcome::Refused);
        let record = self
            .identify(record)
            .with_detail("reason", "the metadata tables are stale");
        self.shared.audit.append(record, Durability::Counted)?;
        let (age, limit) = (age.as_secs(), limit.as_secs());
        let message = format!(
            "the metadata tables were last confirmed {age} s ago, at most {limit} s are allowed"
        );
        Err(Error::new(Code::MetadataStale, message)
            .with_help("make their source readable again; `zt lint` shows whether it is"))
    }

    /// A token that has ended proves nobody, however long ago it was verified; nor does one of a key that is gone.
    pub(super) fn refuse_expired(&self) -> Result<()> {
        self.refuse_unproven()?;
        self.refuse_past_grant()?;
        let clock = &self.shared.clock;
        let is_over = |end: Timestamp| clock.now() >= end.after(self.shared.profile.skew());
        if !self.caller.expires_at().is_some_and(is_over)
            && self.ends.is_none_or(|end| clock.elapsed() < end)
        {
            return Ok(());
        }
        self.record_ended("the token has expired")?;
        let message = format!("the token of `{}` has expired", self.name());
        Err(Error::new(Code::TokenExpired, message)
            .with_help("authenticate again with a new token"))
    }

    /// Whether the caller is as proven as at the last full look under these keys, and the token has not ended; the full look
    /// says why not. Of clocks that were read a moment ago, the latest that it may be.
    pub(super) fn is_proven_still(
        &self,
        keys: Option<&Authenticator>,
        now: Timestamp,
        tick: Duration,
    ) -> bool {
        let is_over = |end: Timestamp| now >= end.after(self.shared.profile.skew());
        let is_proven = keys.is_none_or(|keys| {
            self.proven_under.load(Ordering::Acquire) == keys.stamp()
                && !keys.is_aged_at(&self.caller, now, tick)
        });
        is_proven
            && !self.caller.expires_at().is_some_and(is_over)
            && self.ends.is_none_or(|end| tick < end)
            && (self.proof.as_ref()).is_none_or(|proof| now < proof.until && tick < proof.ends)
            && self
                .shared
                .max_staleness
                .is_none_or(|limit| self.shared.snapshots.age() <= limit)
    }

    /// With the grant ends what was said under it: job and stage do not fall back to mere claims.
    fn refuse_past_grant(&self) -> Result<()> {
        let clock = &self.shared.clock;
        let proof = self.proof.as_ref();
        let over =
            proof.filter(|proof| clock.now() >= proof.until || clock.elapsed() >= proof.ends);
        let Some(proof) = over else {
            return Ok(());
        };
        self.record_ended("the grant has expired")?;
        let until = proof.until;
        Err(GrantError::Expired { until }.into())
    }

    /// The key that proved the caller may have been withdrawn since, or be too old to count.
    fn refuse_unproven(&self) -> Result<()> {
        let keys = self.shared.authenticator.load();
        let Some(keys) = keys.as_ref() else {
            return Ok(());
        };
        let stamp = keys.stamp();
        let outcome = match self.proven_under.load(Ordering::Acquire) == stamp {
            true => keys.refuse_aged(&self.caller),
            false => keys
                .refuse_withdrawn(&self.caller)
                .and_then(|()| keys.refuse_aged(&self.caller)),
        };
        match outcome {
            Ok(()) => {
                self.proven_under.store(stamp, Ordering::Release);
                Ok(())
            }
            Err(reason) => {
                let error = Error::from(reason);
                self.record_ended(error.message())?;
                Err(error)
            }
        }
    }

    /// That the session may do nothing any more.
    pub(super) fn record_ended(&self, reason: &str) -> Result<()> {
        let now = self.shared.clock.now();
        let kind = Kind::Authentication;
        let record = Record::new(kind, now, "session", "identity", Outcome::Refused);
        let record = self.identify(record).with_detail("reason", reason);
        Ok(self.shared.audit.append(record, Durability::Counted)?)
    }
}
