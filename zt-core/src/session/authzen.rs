//! Answers an enforcement point that has signed in: its right is asked, and the log written, before the answer.

use serde_json::Value;

use super::Session;
use super::list::policies_table;
use crate::audit::Durability;
use crate::authzen::{Answer, Authzen, Call, Decided};
use crate::error::Result;
use crate::policy::{Action, Resource};

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
        let now = self.shared.clock.now();
        for decided in answer.decided() {
            let record = decided.record(now).with_detail("asked_by", self.name());
            let durability = match decided.must_be_remote() {
                true => Durability::Remote,
                false => Durability::Ordered,
            };
            self.shared.audit.append(record, durability)?;
        }
        if let Some(searched) = answer.searched() {
            let record = self.identify(searched.record(now, &snapshot));
            self.shared.audit.append(record, Durability::Ordered)?;
        }
        // One wait for the disk for a whole batch of refusals.
        if answer.decided().iter().any(Decided::must_be_durable) {
            self.shared.audit.flush()?;
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
                return Err(self.denied(&right));
            }
        }
        Ok(())
    }
}
