//! A deny as the error that the caller gets, with what their client can do about it.

use super::Session;
use super::question::denied;
use crate::error::Error;
use crate::identity::Challenge;
use crate::policy::{Decision, StepUp};

impl Session {
    /// A deny as an error. Where a stronger sign-in would lift it and the caller's client understands how it is asked for, the
    /// error carries the challenge.
    pub(super) fn denied(&self, decision: &Decision) -> Error {
        let error = denied(decision);
        match self.challenge(decision) {
            Some(challenge) => error.with_challenge(challenge),
            None => error,
        }
    }

    fn challenge(&self, decision: &Decision) -> Option<Challenge> {
        let contexts = decision.step_up().iter().filter(|one| **one != StepUp::Mfa);
        match contexts.min() {
            // One at a time: the next token is challenged for the next.
            Some(context) => self
                .caller
                .takes_challenges()
                .then(|| Challenge::auth_context(&context.to_string())),
            None if decision.step_up().is_empty() => None,
            None => Some(Challenge::stronger_sign_in()),
        }
    }
}
