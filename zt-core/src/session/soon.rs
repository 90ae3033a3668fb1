//! Checks for who must not wait, such as the thread of an event loop.
//!
//! In: an action and a resource. Out: the answer, where its record needs no wait; else what is left, for a thread that may wait.
//! Never: an answer whose record is not in the log.

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

/// The rest of a check, to be done by a thread that may wait.
#[derive(Debug)]
#[must_use = "nothing is answered until it is finished"]
pub struct Waiting<T> {
    session: Session,
    asked: Asked,
    answer: fn(&Session, Decision) -> Result<T>,
}

#[derive(Debug)]
enum Asked {
    /// The log takes nothing now: not even an error would be without a wait.
    Request(Action, Resource),
    Decided(Box<Decision>),
}

impl<T> Waiting<T> {
    /// The answer, once its record is where it has to be. The decision was made when it was asked, unless the audit log
    /// failed then.
    ///
    /// # Errors
    /// As those of the call that gave it.
    pub fn finish(self) -> Result<T> {
        let session = &self.session;
        let decision = match self.asked {
            Asked::Decided(decision) => *decision,
            Asked::Request(action, resource) => {
                session.decide(action, resource, session.context.clone())?
            }
        };
        session.record(&decision)?;
        (self.answer)(session, decision)
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
        let waits = |asked| {
            let session = self.clone();
            Soon::Waits(Waiting {
                session,
                asked,
                answer,
            })
        };
        if !self.shared.audit.takes_at_once() {
            return Ok(waits(Asked::Request(action, resource)));
        }
        let decision = self.decide(action, resource, self.context.clone())?;
        if self.record_at_once(&decision)? {
            answer(self, decision).map(Soon::Ready)
        } else {
            Ok(waits(Asked::Decided(Box::new(decision))))
        }
    }
}
