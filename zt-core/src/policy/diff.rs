//! Which decisions change between two snapshots, before the new one is in force.
//!
//! In: two snapshots and who is in which group. Out: every flip, a cell that is allowed before and denied after or the
//! other way round, or that shows other columns or masks. Exact within its universe: every holder, action, resource and
//! context that either snapshot tells apart (NIST SP 800-192, verification of access control policies, asks for such a
//! change-impact analysis). Never guesses: each reported cell was decided on both.
//!
//! Two shortcuts leave out what cannot flip. Where the snapshots differ in Access_Policies alone, a question that no
//! changed row speaks of is decided alike. Where no row that speaks of a question looks at facts, all contexts are alike.

mod question;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Serialize, Serializer};

use self::question::Question;
use super::ruling::facts;
use super::universe::{self, Claims, Tested};
use super::{
    Action, Context, DecisionId, GroupsOf, Holder, Resource, ResourcePattern, Ruling, decide,
};
use crate::clock::Timestamp;
use crate::id::PolicyId;
use crate::metadata::{AccessPolicy, Snapshot};

/// A question with more jobs and stages to claim than this is not decided: whoever writes a draft must not fill the memory.
const MOST_CONTEXTS: usize = 1_000_000;

/// How much a diff may look at.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct DiffOptions {
    groups: GroupsOf,
    most_cells: u64,
    most_flips: usize,
}

impl Default for DiffOptions {
    fn default() -> Self {
        Self {
            groups: GroupsOf::new(),
            most_cells: 2_000_000,
            most_flips: 10_000,
        }
    }
}

impl DiffOptions {
    /// Nobody is in a group, 2 000 000 cells, 10 000 flips.
    pub fn new() -> Self {
        Self::default()
    }

    /// Who is in which groups. The tables do not know it.
    pub fn with_groups(mut self, groups: GroupsOf) -> Self {
        self.groups = groups;
        self
    }

    /// Decides at most this many cells, each on both snapshots.
    pub const fn most_cells(mut self, cells: u64) -> Self {
        self.most_cells = cells;
        self
    }

    /// Reports at most this many flips.
    pub const fn most_flips(mut self, flips: usize) -> Self {
        self.most_flips = flips;
        self
    }
}

/// What changes, and how much was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Diff {
    /// The flips, in order of resource, action and principal.
    pub flips: Vec<Flip>,
    /// What was looked at.
    pub universe: Universe,
    /// Where looking stopped before the end; none when everything was decided.
    pub cut: Option<Cut>,
}

/// A cell whose decision changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Flip {
    /// Who: `user:maya`, `group:grp-security` for any member, `*` for anyone.
    pub principal: String,
    /// What.
    pub action: String,
    /// On what; `*` in it stands for a name that no table has.
    pub resource: String,
    /// Under which facts.
    #[serde(serialize_with = "facts")]
    pub context: Context,
    /// Whether it changes alike under all facts: then no row that speaks of it looks at any, and `context` is empty.
    pub in_every_context: bool,
    /// The first moment that was tried at which it changes like this; none when it does when the tables were loaded.
    #[serde(serialize_with = "moment")]
    pub at: Option<Timestamp>,
    /// As the old snapshot decides.
    pub before: Ruling,
    /// As the new snapshot decides.
    pub after: Ruling,
}

impl Flip {
    /// Whether something is allowed or shown that was not.
    #[must_use]
    pub const fn grants(&self) -> bool {
        !self.before.is_allowed() && self.after.is_allowed()
    }
}

/// What a diff looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Universe {
    /// Callers, groups and anyone.
    pub principals: u64,
    /// Pairs of an action and a resource.
    pub questions: u64,
    /// Those that can differ at all.
    pub open_questions: u64,
    /// Jobs and stages that the tables name, nothing claimed included.
    pub contexts: u64,
    /// Cells to decide: principals, open questions and the contexts that matter to each.
    pub cells: u64,
    /// Cells decided.
    pub decided: u64,
    /// What rows look at and no cell varies: facts that no cell states, and the time of day. A flip that needs another value
    /// of these is not seen.
    pub untried: Vec<String>,
}

/// The first cell that was not decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Cut {
    /// Which bound was reached: `cells` or `flips`.
    pub bound: &'static str,
    /// The action.
    pub action: String,
    /// The resource.
    pub resource: String,
    /// The principal.
    pub principal: String,
}

/// Compares what two snapshots decide.
///
/// ```
/// # use std::sync::Arc;
/// # use zt_core::metadata::Snapshot;
/// # use zt_core::policy::{self, DiffOptions};
/// fn only_takes_away(old: &Arc<Snapshot>, new: &Arc<Snapshot>) -> bool {
///     let diff = policy::diff(old, new, &DiffOptions::new());
///     diff.cut.is_none() && diff.flips.iter().all(|flip| !flip.after.is_allowed())
/// }
/// ```
#[must_use]
pub fn diff(old: &Arc<Snapshot>, new: &Arc<Snapshot>, options: &DiffOptions) -> Diff {
    let holders = Holder::of_both(old, new, &options.groups);
    let claims = Claims::of(&[old, new]);
    let changed = changed_rows(old, new);
    let mut differ = Differ {
        old,
        new,
        options,
        diff: Diff {
            flips: Vec::new(),
            universe: Universe {
                principals: count(holders.len()),
                contexts: count(claims.len()),
                untried: universe::untried(&[old, new]),
                ..Universe::default()
            },
            cut: None,
        },
    };
    let questions = differ.questions(changed.as_ref());
    let contexts = |question: &Question, holder| question.contexts(&claims, &[old, new], holder);
    for question in &questions {
        let at_most = claims.at_most(&question.tested);
        let alike = match (question.tested.facts, at_most > MOST_CONTEXTS) {
            (false, _) => 1,
            (true, true) => at_most,
            (true, false) => claims.contexts(&question.tested).len(),
        };
        let cells = holders.iter().map(|holder| {
            let authors = question.authors(&[old, new], holder);
            let moments = question.moments().len().saturating_add(1);
            count(alike.saturating_mul(authors.len()).saturating_mul(moments))
        });
        let cells = cells.fold(0, u64::saturating_add);
        let universe = &mut differ.diff.universe;
        universe.cells = universe.cells.saturating_add(cells);
    }
    for question in &questions {
        for holder in &holders {
            if claims.at_most(&question.tested) > MOST_CONTEXTS {
                differ.cut("cells", question, holder);
                return differ.diff;
            }
            for context in contexts(question, holder) {
                if differ.is_over(question, holder, &context) {
                    return differ.diff;
                }
            }
        }
    }
    differ.diff
}

struct Differ<'a> {
    old: &'a Arc<Snapshot>,
    new: &'a Arc<Snapshot>,
    options: &'a DiffOptions,
    diff: Diff,
}

impl Differ<'_> {
    /// The questions that can be decided differently, in order of resource and action.
    fn questions(&mut self, changed: Option<&BTreeSet<&PolicyId>>) -> Vec<Question> {
        let rows = RowsByResource::of(&[self.old, self.new]);
        let mut questions = Vec::new();
        for resource in universe::resources(&[self.old, self.new]) {
            let rows: Vec<&AccessPolicy> = rows.about(resource.resource()).collect();
            let kind = resource.resource().kind();
            for action in Action::ALL.iter().copied().filter(|one| one.takes(kind)) {
                self.diff.universe.questions += 1;
                let speaking = rows.iter().filter(|row| row.speaks_of_action(action));
                let mut tested = Tested::default();
                let mut is_open = false;
                for row in speaking {
                    is_open |= changed.is_none_or(|changed| changed.contains(&row.id));
                    tested.add(row);
                }
                if is_open {
                    questions.push(Question {
                        action,
                        resource: resource.clone(),
                        tested,
                    });
                }
            }
        }
        self.diff.universe.open_questions = count(questions.len());
        questions
    }

    fn is_cut(&mut self, question: &Question, holder: &Holder) -> bool {
        let bound = if self.diff.universe.decided >= self.options.most_cells {
            "cells"
        } else if self.diff.flips.len() >= self.options.most_flips {
            "flips"
        } else {
            return false;
        };
        self.cut(bound, question, holder);
        true
    }

    fn cut(&mut self, bound: &'static str, question: &Question, holder: &Holder) {
        self.diff.cut = Some(Cut {
            bound,
            action: question.action.to_string(),
            resource: question.resource.to_string(),
            principal: holder.to_string(),
        });
    }

    /// Asks at every moment, until a bound is reached.
    fn is_over(&mut self, question: &Question, holder: &Holder, context: &Context) -> bool {
        let mut seen: Vec<(Ruling, Ruling)> = Vec::new();
        let later = question.moments().into_iter().map(Some);
        for at in [None].into_iter().chain(later) {
            if self.is_cut(question, holder) {
                return true;
            }
            let at_then = at.map(|at| holder.clone().at(at));
            let rulings = self.rulings(question, at_then.as_ref().unwrap_or(holder), context);
            let is_same = |(before, after): &(Ruling, Ruling)| {
                before.grants_the_same(&rulings.0) && after.grants_the_same(&rulings.1)
            };
            if !seen.iter().any(is_same) {
                self.compare((question, holder, context), at, &rulings);
                seen.push(rulings);
            }
        }
        false
    }

    fn rulings(
        &mut self,
        question: &Question,
        holder: &Holder,
        context: &Context,
    ) -> (Ruling, Ruling) {
        self.diff.universe.decided += 1;
        let ruling = |snapshot: &Arc<Snapshot>| {
            let resource = question.resource.resource().clone();
            let request = holder.request(question.action, resource, context.clone());
            Ruling::of(&decide(snapshot, request, DecisionId::new(0, 0)))
        };
        (ruling(self.old), ruling(self.new))
    }

    fn compare(
        &mut self,
        (question, holder, context): (&Question, &Holder, &Context),
        at: Option<Timestamp>,
        (before, after): &(Ruling, Ruling),
    ) {
        if before.grants_the_same(after) {
            return;
        }
        self.diff.flips.push(Flip {
            principal: holder.to_string(),
            action: question.action.to_string(),
            resource: question.resource.to_string(),
            context: context.clone(),
            in_every_context: !question.tested.facts,
            at,
            before: before.clone(),
            after: after.clone(),
        });
    }
}

/// Rows of both snapshots, found by what they speak of: a table with many rows names most resources exactly.
#[derive(Default)]
struct RowsByResource<'a> {
    exact: HashMap<Resource, Vec<&'a AccessPolicy>>,
    patterns: Vec<(&'a ResourcePattern, &'a AccessPolicy)>,
}

impl<'a> RowsByResource<'a> {
    fn of(snapshots: &[&'a Snapshot]) -> Self {
        let mut found = Self::default();
        let tables = snapshots.iter().map(|snapshot| snapshot.tables());
        for row in tables.flat_map(|tables| &tables.access_policies) {
            for pattern in &row.resources {
                match pattern.exact() {
                    Some(resource) => found.exact.entry(resource).or_default().push(row),
                    None => found.patterns.push((pattern, row)),
                }
            }
        }
        found
    }

    fn about(&self, resource: &Resource) -> impl Iterator<Item = &'a AccessPolicy> {
        let patterns = self.patterns.iter().copied();
        let matching = patterns.filter(|(pattern, _)| pattern.matches(resource));
        let exact = self.exact.get(resource).into_iter().flatten().copied();
        exact.chain(matching.map(|(_, row)| row))
    }
}

/// The rows of Access_Policies that are not the same in both, or none where the snapshots differ in something else too:
/// then any row can mean something else.
fn changed_rows<'a>(old: &'a Snapshot, new: &'a Snapshot) -> Option<BTreeSet<&'a PolicyId>> {
    let others = |snapshot: &Snapshot| {
        let mut tables = snapshot.tables().clone();
        tables.access_policies.clear();
        tables
    };
    if others(old) != others(new) {
        return None;
    }
    let rows = |snapshot: &'a Snapshot| -> BTreeMap<&'a PolicyId, &'a AccessPolicy> {
        let rows = snapshot.tables().access_policies.iter();
        rows.map(|row| (&row.id, row)).collect()
    };
    let (before, after) = (rows(old), rows(new));
    let ids = before.keys().chain(after.keys()).copied();
    Some(ids.filter(|id| before.get(id) != after.get(id)).collect())
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[expect(
    clippy::ref_option,
    reason = "what serde calls takes the field by reference"
)]
fn moment<S: Serializer>(at: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
    at.map(|at| at.to_string()).serialize(to)
}
