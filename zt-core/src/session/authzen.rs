//! Answers an enforcement point that has signed in: its right is asked, and the log written, before the answer.

use serde_json::Value;

use super::Session;
use super::list::policies_table;
use super::question::denied;
use crate::audit::{Durability, Kind, Outcome, Record};
use crate::authzen::{Answer, Authzen, Call, Decided, Searched};
use crate::error::Result;
use crate::id::PrincipalId;
use crate::metadata::Snapshot;
use crate::policy::{Action, DecisionKind, Resource};

/// How a search stands in the log; it is no action that a policy could refuse.
const SEARCHED: &str = "authzen.search";

impl Session {
    /// Answers a call of the AuthZEN Authorization API 1.0. This caller is the enforcement point; the request says who is
    /// asked about. It learns what others may, so it needs `policy.explain` on each resource that it asks about; a search
    /// for resources passes over those it has no such right on. Each decision stands in the audit log, about the subject,
    /// with the enforcement point as `asked_by`, and one effect stands for a search.
    ///
    /// ```no_run
    /// # use zt_core::{Result, Session, authzen::{self, Authzen, Call}};
    /// fn serve(pep: &Session, pdp: &Authzen, body: &[u8]) -> Result<String> {
    ///     let request = authzen::parse(body)?;
    ///     Ok(pep.authzen(pdp, Call::Evaluation, &request)?.to_string())
    /// }
    /// ```
    ///
    /// # Errors
    /// `Invalid` (status 400) for a malformed request; `Denied` without the right; else as [`check`](Self::check).
    pub fn authzen(&self, settings: &Authzen, call: Call, request: &Value) -> Result<Value> {
        self.shared.refuse_closed()?;
        self.refuse_expired()?;
        self.refuse_stale(Action::PolicyExplain, &policies_table()?)?;
        let snapshot = self.shared.snapshots.current();
        let answer = settings
            .on(&snapshot, self.shared.clock.now())
            .numbering(|| self.shared.next_decision())
            .seeing(|resource| self.may_ask(resource))
            .answer(call, request)?;
        self.refuse_unasked(&answer)?;
        for decided in answer.decided() {
            self.record_asked(decided)?;
        }
        if let Some(searched) = answer.searched() {
            self.record_searched(searched, &snapshot)?;
        }
        Ok(answer.into_body())
    }

    fn may_ask(&self, resource: &Resource) -> bool {
        let context = self.context.clone();
        let right = self.decide(Action::PolicyExplain, resource.clone(), context);
        right.is_ok_and(|right| right.is_allowed())
    }

    /// The first resource of an answer that this caller may not ask about is the end of it.
    fn refuse_unasked(&self, answer: &Answer) -> Result<()> {
        let decided = answer.decided().iter();
        let searched = answer
            .searched()
            .and_then(|searched| searched.resource.as_ref());
        let asked = decided.map(|one| &one.decision.request().resource);
        for resource in asked.chain(searched) {
            let context = self.context.clone();
            let right = self.decide(Action::PolicyExplain, resource.clone(), context)?;
            if !right.is_allowed() {
                self.record(&right)?;
                return Err(denied(&right));
            }
        }
        Ok(())
    }

    fn record_asked(&self, decided: &Decided) -> Result<()> {
        let decision = &decided.decision;
        let outcome = match (decision.kind(), decided.granted) {
            (DecisionKind::Allow, true) => Outcome::Allow,
            (DecisionKind::Allow, false) => Outcome::Refused,
            (DecisionKind::ExplicitDeny, _) => Outcome::ExplicitDeny,
            (DecisionKind::DefaultDeny, _) => Outcome::DefaultDeny,
        };
        let record = self.record_about(decision, Kind::Decision, outcome);
        // The subject did not sign in: the ids of a token would be the enforcement point's.
        let request = decision.request();
        let subject = request.caller.as_ref().or_else(|| request.groups.first());
        let record = record
            .with_caller(subject.map_or("unknown", PrincipalId::as_str))
            .with_detail("asked_by", self.name());
        Ok(self.shared.audit.append(record, Durability::Ordered)?)
    }

    fn record_searched(&self, searched: &Searched, snapshot: &Snapshot) -> Result<()> {
        let resource = searched.resource.as_ref().map_or("*", Resource::as_str);
        let now = self.shared.clock.now();
        let mut record = Record::new(Kind::Effect, now, SEARCHED, resource, Outcome::Ok)
            .with_detail("listed", searched.listed.to_string());
        if let Some(action) = searched.action {
            record = record.with_detail("action", action.as_str());
        }
        if let Some(subject) = &searched.subject {
            record = record.with_detail("subject", subject.as_str());
        }
        let record = self.identify(record);
        let record = record.with_snapshot(snapshot.version(), snapshot.hash().to_string());
        Ok(self.shared.audit.append(record, Durability::Ordered)?)
    }
}
