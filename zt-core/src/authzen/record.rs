//! What was answered, as records of the audit log.
//!
//! In: a decision or a search. Out: a [`Record`] about the subject; whoever appends it adds who asked. Never: an append.

use super::search::Searched;
use super::sitting::Decided;
use crate::audit::{Kind, Outcome, Record};
use crate::clock::Timestamp;
use crate::id::PrincipalId;
use crate::metadata::Snapshot;
use crate::policy::{self, AuditLevel, DecisionKind, Resource};
use crate::session::record_about;

/// How a search stands in the log; it is no action that a policy could refuse.
const SEARCHED: &str = "authzen.search";

impl Decided {
    /// Whether its record must be on disk before it is answered: a refusal, or what a restriction or break-glass demands.
    #[must_use]
    pub fn must_be_durable(&self) -> bool {
        !self.granted || self.decision.obligations().audit >= AuditLevel::Durable
    }

    /// Whether a remote sink must have its record, too, before it is answered.
    #[must_use]
    pub fn must_be_remote(&self) -> bool {
        self.granted && self.decision.obligations().audit == AuditLevel::Remote
    }

    /// The decision as a record, with its near misses after a deny. The caller is the subject, who did not sign in: add
    /// who asked as the detail `asked_by`.
    pub fn record(&self, at: Timestamp) -> Record {
        let decision = &self.decision;
        let outcome = match (decision.kind(), self.granted) {
            (DecisionKind::Allow, true) => Outcome::Allow,
            (DecisionKind::Allow, false) => Outcome::Refused,
            (DecisionKind::ExplicitDeny, _) => Outcome::ExplicitDeny,
            (DecisionKind::DefaultDeny, _) => Outcome::DefaultDeny,
        };
        let request = decision.request();
        let subject = request.caller.as_ref().or_else(|| request.groups.first());
        let mut record = record_about(decision, Kind::Decision, at, outcome, &policy::nothing_of)
            .with_caller(subject.map_or("unknown", PrincipalId::as_str));
        if !decision.is_allowed() {
            for miss in policy::explain(decision).near_misses {
                record = record.with_near_miss(miss.to_string());
            }
        }
        record
    }
}

impl Searched {
    /// The search as a record that stands for its page. Add who asked as the caller.
    pub fn record(&self, at: Timestamp, snapshot: &Snapshot) -> Record {
        let resource = self.resource.as_ref().map_or("*", Resource::as_str);
        let mut record = Record::new(Kind::Effect, at, SEARCHED, resource, Outcome::Ok)
            .with_detail("listed", self.listed.to_string())
            .with_snapshot(snapshot.version(), snapshot.hash().to_string());
        if let Some(action) = self.action {
            record = record.with_detail("action", action.as_str());
        }
        if let Some(subject) = &self.subject {
            record = record.with_detail("subject", subject.as_str());
        }
        record
    }
}
