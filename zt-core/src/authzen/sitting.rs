//! Questions to one snapshot at one moment, and their answers.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use super::decide::Outcome;
use super::{Authzen, BadRequest, Call, Searched};
use crate::clock::Timestamp;
use crate::metadata::Snapshot;
use crate::policy::{Decision, DecisionId, Resource};

type Ids<'a> = Box<dyn Fn() -> DecisionId + Send + Sync + 'a>;
type MaySee<'a> = Box<dyn Fn(&Resource) -> bool + Send + Sync + 'a>;

/// Answers questions on one snapshot at one moment. Pure, as [`policy::decide`](crate::policy::decide) is: the same question
/// has the same answer, and nothing stands in an audit log. What is answered to others is written down first: [`Answer`]
/// has what was decided.
pub struct Sitting<'a> {
    pub(super) settings: &'a Authzen,
    pub(super) snapshot: &'a Arc<Snapshot>,
    pub(super) now: Timestamp,
    pub(super) ids: Ids<'a>,
    pub(super) may_see: MaySee<'a>,
}

impl fmt::Debug for Sitting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sitting")
            .field("snapshot", &self.snapshot.version())
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

impl Authzen {
    /// Answers on this snapshot as of this moment. Decisions are numbered from 0; see [`Sitting::numbering`].
    #[must_use]
    pub fn on<'a>(&'a self, snapshot: &'a Arc<Snapshot>, now: Timestamp) -> Sitting<'a> {
        let number = AtomicU64::new(0);
        Sitting {
            settings: self,
            snapshot,
            now,
            ids: Box::new(move || DecisionId::new(0, number.fetch_add(1, Ordering::Relaxed))),
            may_see: Box::new(|_| true),
        }
    }
}

impl<'a> Sitting<'a> {
    /// Names decisions like this, so that the enforcement point's log and ours speak of the same one.
    #[must_use]
    pub fn numbering(mut self, ids: impl Fn() -> DecisionId + Send + Sync + 'a) -> Self {
        self.ids = Box::new(ids);
        self
    }

    /// Resource searches pass over what the asker may not ask about.
    #[must_use]
    pub fn seeing(mut self, may_see: impl Fn(&Resource) -> bool + Send + Sync + 'a) -> Self {
        self.may_see = Box::new(may_see);
        self
    }

    /// Answers a call.
    ///
    /// # Errors
    /// As the method of the call.
    pub fn answer(&self, call: Call, request: &Value) -> Result<Answer, BadRequest> {
        match call {
            Call::Evaluation => self.evaluation(request),
            Call::Evaluations => self.evaluations(request),
            Call::SearchSubject => self.search_subject(request),
            Call::SearchResource => self.search_resource(request),
            Call::SearchAction => self.search_action(request),
        }
    }
}

/// What is answered, and what was decided for it.
#[derive(Debug, Clone)]
#[must_use = "what was decided belongs into the audit log before it is answered"]
pub struct Answer {
    body: Value,
    decided: Vec<Decided>,
    searched: Option<Searched>,
}

/// One decision behind an answer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Decided {
    /// The decision.
    pub decision: Decision,
    /// What was answered. False for an allow with obligations that the enforcement point does not carry out.
    pub granted: bool,
}

impl Answer {
    pub(super) fn of_outcomes(body: Value, outcomes: Vec<Outcome>) -> Self {
        let decided = outcomes.into_iter().filter_map(|outcome| match outcome {
            Outcome::Decided { decision, granted } => Some(Decided { decision, granted }),
            Outcome::Unknown(_) => None,
        });
        Self {
            body,
            decided: decided.collect(),
            searched: None,
        }
    }

    pub(super) const fn of_search(body: Value, searched: Searched) -> Self {
        Self {
            body,
            decided: Vec::new(),
            searched: Some(searched),
        }
    }

    /// The body of the response.
    #[must_use]
    pub const fn body(&self) -> &Value {
        &self.body
    }

    /// The body of the response, taken out.
    #[must_use]
    pub fn into_body(self) -> Value {
        self.body
    }

    /// The decisions, in the order of their questions. A question about an unknown word, and one that was malformed or not
    /// looked at, has none; neither has a search.
    #[must_use]
    pub fn decided(&self) -> &[Decided] {
        &self.decided
    }

    /// What was searched; none for evaluations, and where a word of the search is unknown.
    #[must_use]
    pub const fn searched(&self) -> Option<&Searched> {
        self.searched.as_ref()
    }
}
