//! What is asked: who, what, on what, under which circumstances.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Action, Resource};
use crate::id::{PrincipalId, PrincipalKind};
use crate::metadata::{Held, Snapshot};

/// The facts of a request beside caller, action and resource. All of them are asserted by the calling process: a guard
/// rail, recorded as asserted, never proof.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Context {
    job: Option<u32>,
    stage: Option<u32>,
    author: Option<PrincipalId>,
}

impl Context {
    /// Nothing is known.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            job: None,
            stage: None,
            author: None,
        }
    }

    /// The process works on this job.
    #[must_use]
    pub const fn with_job(mut self, job: u32) -> Self {
        self.job = Some(job);
        self
    }

    /// The process is in this stage of its job.
    #[must_use]
    pub const fn with_stage(mut self, stage: u32) -> Self {
        self.stage = Some(stage);
        self
    }

    /// Who proposed the change that is to be approved.
    #[must_use]
    pub fn with_author(mut self, author: PrincipalId) -> Self {
        self.author = Some(author);
        self
    }

    /// The job, if stated.
    #[must_use]
    pub const fn job(&self) -> Option<u32> {
        self.job
    }

    /// The stage, if stated.
    #[must_use]
    pub const fn stage(&self) -> Option<u32> {
        self.stage
    }

    /// The author of the change, if stated.
    #[must_use]
    pub const fn author(&self) -> Option<&PrincipalId> {
        self.author.as_ref()
    }

    /// What of it counts on a snapshot: see [`Request::facts`].
    pub(super) fn facts_on(&self, snapshot: &Snapshot) -> Cow<'_, Self> {
        let is_known = |author: &PrincipalId| {
            author.kind() != PrincipalKind::Group && snapshot.object_id(author).is_some()
        };
        if self.author.as_ref().is_none_or(is_known) {
            return Cow::Borrowed(self);
        }
        let mut context = self.clone();
        context.author = None;
        Cow::Owned(context)
    }

    /// The stated facts as `(name, value)`.
    pub fn facts(&self) -> impl Iterator<Item = (&'static str, String)> {
        let numbers = [("job", self.job), ("stage", self.stage)];
        let numbers = numbers
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?.to_string())));
        numbers.chain(
            self.author
                .iter()
                .map(|author| ("author", author.to_string())),
        )
    }

    /// The stated value of one fact.
    #[must_use]
    pub fn fact(&self, name: &str) -> Option<String> {
        self.facts()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }
}

/// Everything that a decision depends on beside the snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// The caller's readable id; none when no row of Principals names the caller, who then matches `*` alone.
    pub caller: Option<PrincipalId>,
    /// The groups that the caller is proven to be in.
    pub groups: Arc<[PrincipalId]>,
    /// Whether these are all of them. If not (a token with too many groups names none), a deny on any other group, or on
    /// a role that a group holds, stands: an unknown never disarms a deny.
    pub groups_are_complete: bool,
    /// What is asked.
    pub action: Action,
    /// On what.
    pub resource: Resource,
    /// Under which circumstances.
    pub context: Context,
}

impl Request {
    /// A request without groups and context.
    #[must_use]
    pub fn new(caller: Option<PrincipalId>, action: Action, resource: Resource) -> Self {
        Self {
            caller,
            groups: Arc::from([]),
            groups_are_complete: true,
            action,
            resource,
            context: Context::new(),
        }
    }

    /// The same with these groups.
    #[must_use]
    pub fn with_groups(mut self, groups: Arc<[PrincipalId]>) -> Self {
        self.groups = groups;
        self
    }

    /// The same for a caller who may be in more groups than the ones given.
    #[must_use]
    pub const fn with_incomplete_groups(mut self) -> Self {
        self.groups_are_complete = false;
        self
    }

    /// The facts that count on a snapshot: an author whom no row of Principals names, or who cannot act, is unknown. Else
    /// anybody could approve a change of their own by inventing its author.
    pub(super) fn facts(&self, snapshot: &Snapshot) -> Context {
        self.context.facts_on(snapshot).into_owned()
    }

    /// What this caller holds on a snapshot.
    pub(super) fn held<'a>(&'a self, snapshot: &'a Snapshot) -> Held<'a> {
        snapshot.held_by(self.caller.as_ref(), &self.groups, self.groups_are_complete)
    }

    /// The same with this context.
    #[must_use]
    pub fn with_context(mut self, context: Context) -> Self {
        self.context = context;
        self
    }
}
