//! Checks for who must not wait, such as the thread of an event loop.
//!
//! In: an action and a resource. Out: the answer, where its record needs no wait; else what is left, for a thread that may wait.
//! Never: an answer whose record is not in the log. That it waits may tell what it will be: what is never finished is recorded
//! as well.

use std::fmt;

use super::{Permit, Session, parse};
use crate::error::Result;
use crate::policy::{Action, Decision, Resource};

/// An answer that may have to wait for the disk of the audit log.
#[derive(Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "it is here, or it waits: there is no third"
)]
#[must_use = "nothing is answered, and perhaps nothing recorded, until `Waiting::finish`"]
pub enum Soon<T> {
    /// It is here, and so is its record.
    Ready(T),
    /// Its record has to be on the disk first, as that of a first deny.
    Waits(Waiting<T>),
}

/// The rest of a check, to be done by a thread that may wait. Dropped, it gives no answer, and its decision is recorded
/// without a wait.
#[must_use = "nothing is answered until it is finished"]
pub struct Waiting<T> {
    action: Action,
    resource: Resource,
    decided: Box<Decided>,
    answer: fn(&Session, Decision) -> Result<T>,
}

/// What was decided and is not recorded; nothing where the log takes nothing now: then not even an error would be without a
/// wait.
struct Decided {
    session: Session,
    decision: Option<Decision>,
}

impl<T> Waiting<T> {
    /// The answer, once its record is where it has to be. A deny stands since it was asked; an allow is decided anew, for it
    /// may have waited for long.
    ///
    /// # Errors
    /// As those of the call that gave it.
    pub fn finish(self) -> Result<T> {
        let Self {
            action,
            resource,
            mut decided,
            answer,
        } = self;
        let denied = decided.decision.take();
        let denied = denied.filter(|decision| !decision.is_allowed());
        let session = &decided.session;
        let decision = match denied {
            Some(denied) => denied,
            None => session.decide(action, resource, session.context.clone())?,
        };
        session.record(&decision)?;
        answer(session, decision)
    }
}

impl Drop for Decided {
    fn drop(&mut self) {
        if let Some(decision) = self.decision.take() {
            // Nobody is left to be told that the log takes nothing, and nobody was told the answer.
            let _taken = self.session.record_unanswered(&decision);
        }
    }
}

impl<T> fmt::Debug for Waiting<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting")
            .field("action", &self.action)
            .field("resource", &self.resource)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// [`check`](Self::check) without a wait, as far as that goes: allows, and denies that were told within the last minute,
    /// are ready; a first deny, or an allow whose rows demand a record on disk, is to be finished where a wait harms nobody.
    ///
    /// ```no_run
    /// # use zt_core::{Result, Session, policy::Decision, session::Soon};
    /// async fn serve(maya: &Session) -> Result<Decision> {
    ///     match maya.check_soon("model.infer", "model:car_loan_scorer")? {
    ///         Soon::Ready(decision) => Ok(decision),
    ///         Soon::Waits(rest) => tokio::task::block_in_place(|| rest.finish()),
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn check_soon(&self, action: &str, resource: &str) -> Result<Soon<Decision>> {
        self.soon(action, resource, |_, decision| Ok(decision))
    }

    /// [`require`](Self::require) in the same way.
    ///
    /// # Errors
    /// As [`require`](Self::require).
    pub fn require_soon(&self, action: &str, resource: &str) -> Result<Soon<Permit>> {
        self.soon(action, resource, Self::permitted)
    }

    fn soon<T>(
        &self,
        action: &str,
        resource: &str,
        answer: fn(&Self, Decision) -> Result<T>,
    ) -> Result<Soon<T>> {
        let (action, resource) = parse(action, resource)?;
        let (action, resource, decision) = if self.shared.audit.takes_at_once() {
            let decision = self.decide(action, resource, self.context.clone())?;
            if self.record_at_once(&decision)? {
                return answer(self, decision).map(Soon::Ready);
            }
            let request = decision.request();
            let (action, resource) = (request.action, request.resource.clone());
            (action, resource, Some(decision))
        } else {
            (action, resource, None)
        };
        Ok(Soon::Waits(Waiting {
            action,
            resource,
            decided: Box::new(Decided {
                session: self.clone(),
                decision,
            }),
            answer,
        }))
    }
}
