//! The audit log against a draft: which recorded decisions would be others.
//!
//! In: entries of the log, a draft snapshot, who is in which group. Out: the questions that flip, how often each was
//! asked and when; what cannot be asked again is counted and named. The log does not hold the groups of a caller, so they
//! are told and the answer says what was assumed. What a token said is in the log where a deciding row looked at it, and
//! unknown elsewhere; what the tables said of a caller or a resource, the draft says anew. Columns and masks are not in the log: only allow and deny are compared.

mod proven;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Serialize;

use super::request::PROVEN;
use super::ruling::facts;
use super::{
    Action, AttributeSet, Context, DecisionId, GroupsOf, Holder, Resource, Ruling, decide,
};
use crate::audit::Entry;
use crate::id::{Guid, PrincipalId};
use crate::identity::{Directory as _, Home};
use crate::metadata::Snapshot;

/// So many different questions are held; the entries of more are counted alone.
const MOST_QUESTIONS: usize = 200_000;

/// Collects entries, then decides them again.
#[derive(Debug, Default)]
pub struct Replay {
    questions: HashMap<Question, Seen>,
    left_out: BTreeMap<String, Seen>,
    entries: u64,
    beyond: u64,
}

/// The same caller asking the same under the same facts, with the same outcome.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Question {
    caller: String,
    oid: Option<String>,
    tenant: Option<String>,
    action: Action,
    resource: Resource,
    context: Context,
    /// What the caller's token said, as the log writes it.
    proven: Vec<(String, String)>,
    was_allowed: bool,
}

impl Question {
    /// Where the caller was from, seen from the draft.
    fn home(&self, draft: &Snapshot) -> Home {
        let tenant = self.tenant.as_deref().and_then(|text| text.parse().ok());
        let world = draft.tables().world.first().map(|world| world.tenant);
        match (tenant, world) {
            (Some(tenant), Some(home)) if tenant != home => Home::Foreign(tenant),
            (Some(home), _) | (None, Some(home)) => Home::Own(home),
            (None, None) => Home::Own(Guid::from_u128(0)),
        }
    }
}

/// How often and when, and the last recorded outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Seen {
    times: u64,
    first: String,
    last: String,
    outcome: String,
    policies: Vec<String>,
}

impl Seen {
    fn add(&mut self, entry: &Entry) {
        self.times = self.times.saturating_add(entry.count.unwrap_or(1));
        let first = entry.first.as_ref().unwrap_or(&entry.at);
        let last = entry.last.as_ref().unwrap_or(&entry.at);
        // All in RFC 3339, UTC, with milliseconds: text sorts as time does.
        if self.first.is_empty() || *first < self.first {
            first.clone_into(&mut self.first);
        }
        if *last >= self.last {
            last.clone_into(&mut self.last);
            entry.outcome.clone_into(&mut self.outcome);
            entry.policies.clone_into(&mut self.policies);
        }
    }
}

/// What a replay found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Replayed {
    /// Decisions in the log, repeats counted.
    pub entries: u64,
    /// Those that were decided again.
    pub replayed: u64,
    /// Different questions among them.
    pub questions: u64,
    /// The questions whose answer changes, the most frequent first.
    pub flips: Vec<ReplayFlip>,
    /// Decisions that were not decided again because a replay holds 200 000 different questions and no more.
    pub beyond: u64,
    /// What could not be decided again.
    pub left_out: Vec<LeftOut>,
    /// The callers that were replayed, and the groups that each is taken to be in.
    pub assumed_groups: BTreeMap<String, Vec<String>>,
    /// Recorded callers whom no row of the draft names: they match `*` alone.
    pub unknown_callers: Vec<String>,
}

/// A recorded question whose answer changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReplayFlip {
    /// The recorded caller.
    pub caller: String,
    /// What was asked.
    pub action: String,
    /// On what.
    pub resource: String,
    /// The recorded facts.
    #[serde(serialize_with = "facts")]
    pub context: Context,
    /// The recorded outcome: `allow`, `explicit_deny`, `default_deny`; `ok` and `failed` are of what was allowed.
    pub recorded: String,
    /// The rows that decided then.
    pub recorded_policies: Vec<String>,
    /// As the draft decides.
    pub after: Ruling,
    /// How often it was asked.
    pub times: u64,
    /// First asked, RFC 3339.
    pub first: String,
    /// Last asked, RFC 3339.
    pub last: String,
}

/// Entries that cannot be decided again, by reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LeftOut {
    /// Why.
    pub reason: String,
    /// How many.
    pub times: u64,
    /// The first of them, RFC 3339.
    pub first: String,
    /// The last of them, RFC 3339.
    pub last: String,
}

impl Replay {
    /// Nothing collected yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one entry of the log. Entries that record no decision count for nothing.
    pub fn add(&mut self, entry: &Entry) {
        let kind = entry.of.as_deref().unwrap_or(&entry.kind);
        let is_decided = match kind {
            "decision" => true,
            "release" | "effect" => entry.decision.is_some(),
            _ => false,
        };
        if !is_decided {
            return;
        }
        let times = entry.count.unwrap_or(1);
        self.entries = self.entries.saturating_add(times);
        match question(entry) {
            Ok(question) if self.has_room(&question) => {
                self.questions.entry(question).or_default().add(entry);
            }
            Ok(_) => self.beyond = self.beyond.saturating_add(times),
            Err(reason) => self.leave_out(reason, entry),
        }
    }

    fn has_room(&self, question: &Question) -> bool {
        self.questions.len() < MOST_QUESTIONS || self.questions.contains_key(question)
    }

    fn leave_out(&mut self, reason: String, entry: &Entry) {
        // Whoever writes odd names must not fill the memory.
        let reason = if self.left_out.len() < 64 || self.left_out.contains_key(&reason) {
            reason
        } else {
            "other reasons".to_owned()
        };
        self.left_out.entry(reason).or_default().add(entry);
    }

    /// Decides everything again on the draft.
    #[must_use]
    pub fn on(self, draft: &Arc<Snapshot>, groups: &GroupsOf) -> Replayed {
        let mut found = Replayed {
            entries: self.entries,
            replayed: 0,
            beyond: self.beyond,
            questions: u64::try_from(self.questions.len()).unwrap_or(u64::MAX),
            flips: Vec::new(),
            left_out: Vec::new(),
            assumed_groups: BTreeMap::new(),
            unknown_callers: Vec::new(),
        };
        for (question, seen) in self.questions {
            found.replayed = found.replayed.saturating_add(seen.times);
            let holder = found.holder(&question, draft, groups);
            let holder = holder
                .with_proven(proven::stated(&question.proven, draft))
                .at(draft.loaded_at());
            let request = holder.request(
                question.action,
                question.resource.clone(),
                question.context.clone(),
            );
            let after = Ruling::of(&decide(draft, request, DecisionId::new(0, 0)));
            if after.is_allowed() != question.was_allowed {
                found.flips.push(flip(question, seen, after));
            }
        }
        found.flips.sort_by(|a, b| {
            let key = |flip: &ReplayFlip| {
                let facts: Vec<_> = flip.context.facts(&AttributeSet::default()).collect();
                (
                    flip.caller.clone(),
                    flip.action.clone(),
                    flip.resource.clone(),
                    facts,
                )
            };
            b.times.cmp(&a.times).then_with(|| key(a).cmp(&key(b)))
        });
        found.unknown_callers.sort();
        found.unknown_callers.dedup();
        found
            .left_out
            .extend(self.left_out.into_iter().map(|(reason, seen)| LeftOut {
                reason,
                times: seen.times,
                first: seen.first,
                last: seen.last,
            }));
        found
    }
}

impl Replayed {
    /// Who asked, in the words of the draft: by object id, which a new name does not change, else by name.
    fn holder(&mut self, question: &Question, draft: &Snapshot, groups: &GroupsOf) -> Holder {
        let by_oid = question.oid.as_deref().and_then(|oid| oid.parse().ok());
        let by_oid = by_oid.and_then(|oid| draft.principal(question.home(draft), oid));
        let named: Option<PrincipalId> = question.caller.parse().ok();
        let by_name = || named.clone().filter(|id| draft.object_id(id).is_some());
        let told = [by_oid.as_ref(), named.as_ref()].into_iter().flatten();
        let told = told.filter_map(|id| groups.get(id)).next();
        let known = told.into_iter().flatten();
        let known: Vec<PrincipalId> = known
            .filter(|group| draft.object_id(group).is_some())
            .cloned()
            .collect();
        let names = known.iter().map(ToString::to_string).collect();
        self.assumed_groups.insert(question.caller.clone(), names);
        match by_oid.or_else(by_name) {
            Some(id) => Holder::caller(id, Arc::from(known)),
            None => {
                self.unknown_callers.push(question.caller.clone());
                Holder::unknown(Arc::from(known))
            }
        }
    }
}

fn flip(question: Question, seen: Seen, after: Ruling) -> ReplayFlip {
    ReplayFlip {
        caller: question.caller,
        action: question.action.to_string(),
        resource: question.resource.to_string(),
        context: question.context,
        recorded: seen.outcome,
        recorded_policies: seen.policies,
        after,
        times: seen.times,
        first: seen.first,
        last: seen.last,
    }
}

/// The question that an entry recorded, or why it cannot be asked again.
fn question(entry: &Entry) -> Result<Question, String> {
    let was_allowed = match entry.outcome.as_str() {
        "allow" | "ok" | "failed" => true,
        "explicit_deny" | "default_deny" => false,
        "refused" => return Err("refused for another reason than policy".to_owned()),
        other => return Err(format!("unknown outcome `{other}`")),
    };
    let action: Action = entry
        .action
        .parse()
        .map_err(|_| format!("unknown action `{}`", entry.action))?;
    let resource: Resource = entry
        .resource
        .parse()
        .map_err(|why| format!("not a resource: {why}"))?;
    if !action.takes(resource.kind()) {
        return Err(format!("`{action}` does not take a {}", resource.kind()));
    }
    let caller = entry.caller.clone().ok_or("no caller is recorded")?;
    let (context, proven) = stated(entry)?;
    Ok(Question {
        caller,
        oid: entry.oid.clone(),
        tenant: entry.tenant.clone(),
        action,
        resource,
        context,
        proven,
        was_allowed,
    })
}

/// What was claimed, and what a token said.
fn stated(entry: &Entry) -> Result<(Context, Vec<(String, String)>), String> {
    let (mut context, mut proven) = (Context::new(), Vec::new());
    let mut is_proven = false;
    for fact in &entry.facts {
        if proven::is_of_tables(fact) {
            continue;
        }
        if let Some(fact) = proven::of_token(fact)? {
            proven.push(fact);
            continue;
        }
        is_proven |= fact.provenance == PROVEN;
        let bad = || format!("the fact `{}` has no value that can be stated", fact.name);
        context = match fact.name.as_str() {
            "job" => context.with_job(fact.value.parse().map_err(|_| bad())?),
            "stage" => context.with_stage(fact.value.parse().map_err(|_| bad())?),
            "author" => context.with_author(fact.value.parse().map_err(|_| bad())?),
            other => return Err(format!("unknown fact `{other}`")),
        };
    }
    Ok((context.with_proof(is_proven), proven))
}
