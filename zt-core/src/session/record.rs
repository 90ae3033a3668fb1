//! What a session writes into the audit log, and how safe it must be before the answer.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Session;
use super::seen::{Repeat, Sight};
use crate::audit::{Durability, Kind, Outcome, Record, Tally};
use crate::clock::Timestamp;
use crate::envelope::Unwrapped;
use crate::error::{Error, Result};
use crate::id::PolicyId;
use crate::policy::{self, AuditLevel, Decision, DecisionKind, Veil};
use crate::secrets::{AttemptId, FetchError, Secret, SecretVersion};

impl Session {
    /// First of its kind: a deny is on disk before it is answered. Repeats within a minute are counted.
    pub(super) fn record(&self, decision: &Decision) -> Result<()> {
        self.record_once(decision, Sight::decision(decision), || {
            self.record_decision(decision)
        })
    }

    /// As [`record`](Self::record), for who must not wait: nothing, and false, where the disk would be waited for.
    pub(super) fn record_at_once(&self, decision: &Decision) -> Result<bool> {
        if demanded(decision).is_some() || !self.shared.audit.takes_at_once() {
            return Ok(false);
        }
        let now = self.shared.clock.elapsed();
        let sight = Sight::decision(decision);
        let build = || self.record_decision(decision);
        if self.count_repeat(&sight, now, build)? {
            return Ok(true);
        }
        if !sight.is_allowed() {
            return Ok(false);
        }
        self.shared.audit.append(build(), Durability::Ordered)?;
        self.remember(sight, now, build())?;
        Ok(true)
    }

    /// A decision that was asked for and whose answer nobody waited for. Does not wait, while the log works.
    pub(super) fn record_unanswered(&self, decision: &Decision) -> Result<()> {
        let now = self.shared.clock.elapsed();
        let caller = (self.caller.tenant(), self.caller.object());
        let durability = match self.shared.budget.spend(caller, now) {
            Ok(()) => Durability::Ordered,
            // A flood is counted.
            Err(_) => Durability::Counted,
        };
        let record = self.record_decision(decision).with_detail("answered", "no");
        Ok(self.shared.audit.append(record, durability)?)
    }

    fn record_decision(&self, decision: &Decision) -> Record {
        let outcome = match decision.kind() {
            DecisionKind::Allow => Outcome::Allow,
            DecisionKind::ExplicitDeny => Outcome::ExplicitDeny,
            DecisionKind::DefaultDeny => Outcome::DefaultDeny,
        };
        self.record_of(decision, Kind::Decision, outcome)
    }

    /// A refusal: a deny, or an allow that does not reach as far as what was asked, which the log must not call an allow.
    pub(super) fn record_refusal(&self, decision: &Decision, error: &Error) -> Result<()> {
        if !decision.is_allowed() {
            return self.record(decision);
        }
        self.record_once(decision, Sight::refusal(decision), || {
            let record = self.record_of(decision, Kind::Decision, Outcome::Refused);
            record.with_detail("reason", error.message())
        })
    }

    fn record_once(
        &self,
        decision: &Decision,
        sight: Sight,
        build: impl Fn() -> Record,
    ) -> Result<()> {
        let now = self.shared.clock.elapsed();
        if let Some(demanded) = demanded(decision) {
            return Ok(self.shared.audit.append(build(), demanded)?);
        }
        if self.count_repeat(&sight, now, &build)? {
            return Ok(());
        }
        let mut record = build();
        let durability = if sight.is_allowed() {
            Durability::Ordered
        } else {
            self.shared
                .budget
                .spend((self.caller.tenant(), self.caller.object()), now)?;
            for miss in policy::explain(decision).near_misses {
                record = record.with_near_miss(miss.to_string());
            }
            Durability::Durable
        };
        self.shared.audit.append(record, durability)?;
        self.remember(sight, now, build())
    }

    /// Counts what was recorded within the lease; whether it was.
    fn count_repeat(
        &self,
        sight: &Sight,
        now: Duration,
        build: impl Fn() -> Record,
    ) -> Result<bool> {
        match self.seen.recently(sight, now) {
            None => return Ok(false),
            Some(Repeat::Tally(tally)) => {
                self.shared.audit.count(&tally, self.shared.clock.now())?;
            }
            Some(Repeat::Record) => self.shared.audit.append(build(), Durability::Counted)?,
        }
        Ok(true)
    }

    fn remember(&self, sight: Sight, now: Duration, record: Record) -> Result<()> {
        let tally = self.shared.audit.tally(record)?;
        self.seen.note(sight, now, tally);
        Ok(())
    }

    /// The first release of a version to this session is on disk before the value is handed out. Answers how its repeats are
    /// counted, and when it was recorded in full.
    pub(super) fn record_release(
        &self,
        decision: &Decision,
        secret: &Secret,
    ) -> Result<Option<(Tally, Duration)>> {
        let build = || {
            let mut record = self
                .record_of(decision, Kind::Release, Outcome::Ok)
                .with_detail("version", secret.version().to_string())
                .with_detail("path", secret.path_proof());
            for (name, text) in secret.details() {
                record = record.with_detail(name, text);
            }
            match secret.stale_for() {
                // To the minute: repeats are counted, and each second would be a record of its own.
                Some(stale) => {
                    record.with_detail("stale_min", stale.as_secs().div_ceil(60).to_string())
                }
                None => record,
            }
        };
        let sight = Sight::release(decision, secret);
        let now = self.shared.clock.elapsed();
        let demanded = demanded(decision);
        let is_counted = demanded.is_none();
        if !is_counted || !self.count_repeat(&sight, now, build)? {
            let durability = demanded.unwrap_or(Durability::Durable);
            self.shared.audit.append(build(), durability)?;
            self.remember(sight.clone(), now, build())?;
        }
        Ok(is_counted.then(|| self.seen.tally(&sight)).flatten())
    }

    /// Data keys were unwrapped. On disk before anything can be opened with them.
    pub(super) fn record_unwrapping(
        &self,
        decision: &Decision,
        key: &str,
        unwrapping: &Unwrapping,
        keys: usize,
    ) -> Result<()> {
        let record = self
            .record_of(decision, Kind::Release, Outcome::Ok)
            .with_detail("key", key)
            .with_detail("keys", keys.to_string());
        let record = unwrapping.describe(record);
        let durability = demanded(decision).unwrap_or(Durability::Durable);
        Ok(self.shared.audit.append(record, durability)?)
    }

    /// An allowed read that gave nothing. Repeats are counted: whoever tries names is seen, and fills no disk.
    pub(super) fn record_failure(&self, decision: &Decision, error: &Error) -> Result<()> {
        let record = self.record_of(decision, Kind::Release, Outcome::Failed);
        let mut record = record.with_detail("reason", error.message());
        if let Some(attempt) = attempt_of(error) {
            record = record.with_detail("client_request_id", attempt.to_string());
        }
        Ok(self.shared.audit.append(record, Durability::Counted)?)
    }

    /// Something done under a decision. On disk before the caller goes on where `durability` says so.
    pub(super) fn record_effect(
        &self,
        decision: &Decision,
        durability: Durability,
        with: impl FnOnce(Record) -> Record,
    ) -> Result<()> {
        let durability = demanded(decision).unwrap_or(durability);
        let record = self.record_of(decision, Kind::Effect, Outcome::Ok);
        Ok(self.shared.audit.append(with(record), durability)?)
    }

    /// Something that was allowed and failed. Repeats are counted.
    pub(super) fn record_failed_effect(&self, decision: &Decision, error: &Error) -> Result<()> {
        let record = self.record_of(decision, Kind::Effect, Outcome::Failed);
        let record = record.with_detail("reason", error.message());
        Ok(self.shared.audit.append(record, Durability::Counted)?)
    }

    fn record_of(&self, decision: &Decision, kind: Kind, outcome: Outcome) -> Record {
        let (now, veil) = (self.shared.clock.now(), self.shared.veil());
        let record = record_about(decision, kind, now, outcome, &veil);
        let record = self.identify(record);
        // A reload may have renamed the caller since: the record names whom the decision was about.
        match &decision.request().caller {
            Some(caller) => record.with_caller(caller.as_str()),
            None => record.with_caller(self.caller.to_string()),
        }
    }

    /// Adds who the caller is.
    pub(crate) fn identify(&self, record: Record) -> Record {
        let record = record
            .with_caller(self.name())
            .with_caller_ids(self.caller.tenant(), self.caller.object());
        match self.caller.token().and_then(|token| token.uti.as_deref()) {
            Some(uti) => record.with_detail("uti", uti),
            None => record,
        }
    }
}

/// How the data keys of one opener came.
#[derive(Debug, Default)]
pub(super) struct Unwrapping {
    versions: BTreeSet<String>,
    cached: usize,
    stale_for: Option<Duration>,
    paths: BTreeSet<String>,
    /// What is said of the first call.
    details: Vec<(&'static str, String)>,
}

impl Unwrapping {
    pub(super) fn add(&mut self, version: SecretVersion, unwrapped: &Unwrapped) {
        self.versions.insert(version.to_string());
        self.cached += usize::from(unwrapped.is_cached);
        self.stale_for = self.stale_for.max(unwrapped.stale_for);
        let (path, details) = unwrapped.details();
        self.paths.insert(path.to_owned());
        if self.details.is_empty() {
            self.details = details.to_vec();
        }
    }

    fn describe(&self, record: Record) -> Record {
        let words = |words: &BTreeSet<String>| {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            words.join(" ")
        };
        let mut record = record
            .with_detail("versions", words(&self.versions))
            .with_detail("cached", self.cached.to_string())
            .with_detail("path", words(&self.paths));
        for (name, text) in &self.details {
            record = record.with_detail(*name, text);
        }
        match self.stale_for {
            Some(stale) => {
                record.with_detail("stale_min", stale.as_secs().div_ceil(60).to_string())
            }
            None => record,
        }
    }
}

/// Which call to the vault failed.
fn attempt_of(error: &Error) -> Option<AttemptId> {
    let source = std::error::Error::source(error)?;
    source.downcast_ref::<FetchError>()?.attempt
}

/// How safe every record of a decision like this one must be before its answer, if the rows demand it; none is counted then.
pub(super) fn demanded(decision: &Decision) -> Option<Durability> {
    match decision.obligations().audit {
        _ if !decision.is_allowed() => None,
        AuditLevel::Ordered => None,
        AuditLevel::Durable => Some(Durability::Durable),
        AuditLevel::Remote => Some(Durability::Remote),
    }
}

/// All of a record but who the caller is. `veil` makes what stands for secret values.
pub(crate) fn record_about(
    decision: &Decision,
    kind: Kind,
    at: Timestamp,
    outcome: Outcome,
    veil: Veil<'_>,
) -> Record {
    let request = decision.request();
    let snapshot = decision.snapshot();
    let action = request.action.as_str();
    let mut record = Record::new(kind, at, action, request.resource.as_str(), outcome)
        .with_decision(decision.id().to_string())
        .with_policies(decision.policies().cloned())
        .with_snapshot(snapshot.version(), snapshot.hash().to_string());
    for (name, value, known) in request.stated_behind(veil, snapshot.attributes()) {
        record = record.with_fact(name, value, known);
    }
    for (name, value, known) in decision.known_facts_behind(veil) {
        record = record.with_fact(name, value, known);
    }
    for (name, text) in decision.circumstances() {
        record = record.with_detail(name, text);
    }
    if let Some(would) = decision.would() {
        let policies: Vec<&str> = would.policies.iter().map(PolicyId::as_str).collect();
        record = record
            .with_detail("would_decide", would.kind.as_str())
            .with_detail("would_policies", policies.join(" "));
    }
    record
}
