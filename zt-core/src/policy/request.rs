//! What is asked: who, what, on what, under which circumstances.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::condition::shown;
use super::held::Held;
use super::value::Datum;
use super::{Action, Attribute, AttributeSet, Facts, Provenance, Resource, SECRET, Value};
use crate::clock::Timestamp;
use crate::id::PrincipalId;
use crate::metadata::Snapshot;

/// How job and stage are known that a grant proves, as the audit log writes it.
pub(super) const PROVEN: &str = "proven";

/// The value of a fact that no attribute describes: whether it is a secret, nobody said.
const UNDECLARED: &str = "[undeclared]";

/// The facts of a request beside caller, action and resource. All of them are asserted by the calling process: a guard
/// rail, recorded as asserted, never proof; but job and stage that a grant proves. `Debug` shows the names of further facts, not their values.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Context {
    job: Option<u32>,
    stage: Option<u32>,
    /// Whether a grant says so. Any other word on job or stage makes it false.
    proven: bool,
    author: Option<PrincipalId>,
    further: BTreeMap<String, Value>,
}

impl Context {
    /// Nothing is known.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            job: None,
            stage: None,
            proven: false,
            author: None,
            further: BTreeMap::new(),
        }
    }

    /// The process works on this job.
    #[must_use]
    pub const fn with_job(mut self, job: u32) -> Self {
        self.job = Some(job);
        self.proven = false;
        self
    }

    /// The process is in this stage of its job.
    #[must_use]
    pub const fn with_stage(mut self, stage: u32) -> Self {
        self.stage = Some(stage);
        self.proven = false;
        self
    }

    /// Who proposed the change that is to be approved.
    #[must_use]
    pub fn with_author(mut self, author: PrincipalId) -> Self {
        self.author = Some(author);
        self
    }

    /// A further fact, `context.NAME`. It counts where a row of Attributes declares it with provenance `request` and the
    /// value is of its type; else it stays unknown. `job`, `stage` and `author` are the facts of these names; `proven` cannot be
    /// stated.
    ///
    /// ```
    /// use zt_core::policy::{Context, Value};
    ///
    /// let context = Context::new().with("zone", Value::text("private")).with("job", Value::Int(201));
    /// assert_eq!(context.job(), Some(201));
    /// ```
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        let number = |value: &Value| {
            let Value::Int(number) = value else {
                return None;
            };
            u32::try_from(*number).ok()
        };
        match name {
            "job" => (self.job, self.proven) = (number(&value), false),
            "stage" => (self.stage, self.proven) = (number(&value), false),
            "author" => self.author = value.as_datum().text().and_then(|id| id.parse().ok()),
            // A grant says so, and nobody else.
            "proven" => {}
            _ => {
                self.further.insert(name.to_owned(), value);
            }
        }
        self
    }

    /// Whether a grant proves the job and stage: see [`Session::with_grant`](crate::Session::with_grant). `context.proven` in
    /// conditions.
    #[must_use]
    pub const fn is_proven(&self) -> bool {
        self.proven
    }

    /// The same, with job and stage proven or not. Who calls it with `true` has verified a grant.
    pub(crate) const fn with_proof(mut self, is_proven: bool) -> Self {
        self.proven = is_proven;
        self
    }

    /// The same in no stage.
    pub(crate) const fn without_stage(mut self) -> Self {
        (self.stage, self.proven) = (None, false);
        self
    }

    /// How job and stage are known.
    const fn known(&self) -> &'static str {
        match self.proven {
            true => PROVEN,
            false => Provenance::Request.as_str(),
        }
    }

    /// The value of a further fact.
    pub(super) fn stated(&self, name: &str) -> Option<&Value> {
        self.further.get(name)
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

    /// The stated facts as `(name, value)`. The values of further facts are shown where `attributes` declares them and they
    /// are no secret.
    pub fn facts(&self, attributes: &AttributeSet) -> impl Iterator<Item = (String, String)> {
        self.facts_behind(&nothing_of, attributes)
    }

    /// The same with what `veil` makes of secret values.
    pub(crate) fn facts_behind(
        &self,
        veil: Veil<'_>,
        attributes: &AttributeSet,
    ) -> impl Iterator<Item = (String, String)> {
        let numbers = [("job", self.job), ("stage", self.stage)];
        let numbers = numbers
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_string())));
        let author = self.author.iter();
        numbers
            .chain(author.map(|author| ("author".to_owned(), author.to_string())))
            .chain(self.further.iter().map(|(name, value)| {
                let name = format!("context.{name}");
                let value = show(veil, attributes, &name, value);
                (name, value)
            }))
    }
}

/// What stands for the value of a secret attribute: of its full name and its text.
pub(crate) type Veil<'a> = &'a dyn Fn(&str, &str) -> String;

/// The veil that leaves nothing.
pub(crate) fn nothing_of(_name: &str, _value: &str) -> String {
    SECRET.to_owned()
}

/// A value as the log may hold it.
fn show(veil: Veil<'_>, attributes: &AttributeSet, name: &str, value: &Value) -> String {
    match attributes.get(name) {
        None => UNDECLARED.to_owned(),
        Some(attribute) => behind(veil, attribute, value.as_datum()),
    }
}

/// A value as the log may hold it, of an attribute that is declared.
pub(super) fn behind(veil: Veil<'_>, attribute: &Attribute, value: Datum<'_>) -> String {
    if attribute.is_secret() {
        veil(&attribute.to_string(), &value.to_string())
    } else {
        shown(attribute, value)
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("job", &self.job)
            .field("stage", &self.stage)
            .field("proven", &self.proven)
            .field("author", &self.author)
            .field("further", &self.further.keys())
            .finish()
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
    /// When. None leaves the time unknown: then no allow that looks at it applies, and every such deny does.
    pub now: Option<Timestamp>,
    /// Facts that are known better than by assertion: full name, value, how it is known. The last of a name counts.
    pub attributes: Vec<(String, Value, Provenance)>,
    /// What the caller's token says, in the same form. A fact of `attributes` comes first.
    pub proven: Arc<[(String, Value, Provenance)]>,
}

impl Request {
    /// A request without groups, context and time.
    #[must_use]
    pub fn new(caller: Option<PrincipalId>, action: Action, resource: Resource) -> Self {
        Self {
            caller,
            groups: Arc::from([]),
            groups_are_complete: true,
            action,
            resource,
            context: Context::new(),
            now: None,
            attributes: Vec::new(),
            proven: Arc::from([]),
        }
    }

    /// The same with what a verified token says: see [`Session`](crate::Session), which does so for its caller.
    #[must_use]
    pub fn with_proven(mut self, proven: Arc<[(String, Value, Provenance)]>) -> Self {
        self.proven = proven;
        self
    }

    /// The same at this moment.
    #[must_use]
    pub const fn at(mut self, now: Timestamp) -> Self {
        self.now = Some(now);
        self
    }

    /// The same with the value of a declared attribute, `principal.clearance`, and how it is known. It counts where its row of
    /// Attributes asks for no more.
    #[must_use]
    pub fn with_attribute(mut self, name: &str, value: Value, known: Provenance) -> Self {
        self.attributes.push((name.to_owned(), value, known));
        self
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

    /// The facts that count on a snapshot.
    pub(super) fn facts<'a>(&'a self, snapshot: &'a Snapshot) -> Facts<'a> {
        Facts::of(self, snapshot)
    }

    /// What was stated beside caller, action and resource, for explanations and the audit log: name, value and how it is
    /// known. Secret values are not in it.
    pub(crate) fn stated(&self, attributes: &AttributeSet) -> Vec<(String, String, &'static str)> {
        self.stated_behind(&nothing_of, attributes)
    }

    /// The same with what `veil` makes of secret values.
    pub(crate) fn stated_behind(
        &self,
        veil: Veil<'_>,
        attributes: &AttributeSet,
    ) -> Vec<(String, String, &'static str)> {
        let asserted = self.context.facts_behind(veil, attributes);
        let asserted = asserted.map(|(name, value)| {
            let known = match name.as_str() {
                "job" | "stage" => self.context.known(),
                _ => Provenance::Request.as_str(),
            };
            (name, value, known)
        });
        let known = self.attributes.iter().map(|(name, value, known)| {
            (
                name.clone(),
                show(veil, attributes, name, value),
                known.as_str(),
            )
        });
        asserted.chain(known).collect()
    }

    /// What this caller holds on a snapshot.
    pub(super) fn held<'a>(&'a self, snapshot: &'a Snapshot) -> Held<'a> {
        Held::of(snapshot, self)
    }

    /// The same with this context.
    #[must_use]
    pub fn with_context(mut self, context: Context) -> Self {
        self.context = context;
        self
    }
}
