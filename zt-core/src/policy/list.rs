//! Who may do what, as a list: the resources of an action, the principals of a resource, the actions on a resource.
//!
//! In: a snapshot, holders, a [`ListQuery`]. Out: pages of [`Listed`] cells in a stable order. Each is what [`decide`]
//! answers for that request, and no cell is guessed. Asks nobody's right: what answers callers is
//! [`Session::list`](crate::Session::list).

use std::cmp::Ordering;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::ruling::facts;
use super::{
    Action, Context, Decision, DecisionId, Holder, Located, Named, Projection, Resource, Ruling,
    decide, universe,
};
use crate::metadata::Snapshot;

/// A page that has looked at so many cells, in decisions, ends, however few it holds; that of one principal ends at the
/// next cell that it holds, since a token must not name what was not listed.
const MOST_DECISIONS: usize = 100_000;
/// A page holds no more cells than this.
const MOST_CELLS: usize = 10_000;

/// What is listed. Without an action all are asked, without a resource all that the tables name.
///
/// ```
/// # use std::sync::Arc;
/// # use zt_core::{metadata::Snapshot, policy::{self, Holder, ListQuery}};
/// fn readers(snapshot: &Arc<Snapshot>) -> Result<Vec<String>, Box<dyn std::error::Error>> {
///     let query = ListQuery::new()
///         .of_action("table.read".parse()?)
///         .on_resource("table:gold.loan_scores".parse()?);
///     let everybody = Holder::all(snapshot, &policy::GroupsOf::new());
///     let page = policy::list(snapshot, &everybody, &query);
///     Ok(page.cells.iter().map(|cell| cell.principal.clone()).collect())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct ListQuery {
    action: Option<Action>,
    resource: Option<Resource>,
    context: Context,
    in_stages: bool,
    with_denied: bool,
    after: Option<String>,
    limit: usize,
}

impl Default for ListQuery {
    fn default() -> Self {
        Self::new()
    }
}

impl ListQuery {
    /// Everything that is allowed when nothing is claimed, 1000 cells a page.
    pub const fn new() -> Self {
        Self {
            action: None,
            resource: None,
            context: Context::new(),
            in_stages: false,
            with_denied: false,
            after: None,
            limit: 1000,
        }
    }

    /// This action alone.
    pub const fn of_action(mut self, action: Action) -> Self {
        self.action = Some(action);
        self
    }

    /// This resource alone.
    pub fn on_resource(mut self, resource: Resource) -> Self {
        self.resource = Some(resource);
        self
    }

    /// Under these facts.
    pub fn under(mut self, context: Context) -> Self {
        self.context = context;
        self
    }

    /// Also what is allowed in some declared job and stage and not under the given facts; the cell names the job and
    /// stage.
    pub const fn in_stages(mut self) -> Self {
        self.in_stages = true;
        self
    }

    /// Also what is denied under the given facts.
    pub const fn with_denied(mut self) -> Self {
        self.with_denied = true;
        self
    }

    /// The page that begins behind this token, which [`ListPage::next`] gave. A token outlives changes of the tables.
    pub fn after(mut self, token: impl Into<String>) -> Self {
        self.after = Some(token.into());
        self
    }

    /// About this many cells a page, from 1 to 10 000: cells that differ in their job and stage alone stay together.
    pub fn limit(mut self, cells: usize) -> Self {
        self.limit = cells.clamp(1, MOST_CELLS);
        self
    }

    /// The action asked for.
    #[must_use]
    pub const fn action(&self) -> Option<Action> {
        self.action
    }

    /// The resource asked for.
    #[must_use]
    pub const fn resource(&self) -> Option<&Resource> {
        self.resource.as_ref()
    }

    /// The facts.
    #[must_use]
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// Whether it asks for more than what is allowed under the given facts. That tells what to claim.
    #[must_use]
    pub const fn is_revealing(&self) -> bool {
        self.in_stages || self.with_denied
    }
}

/// One cell: who, what, on what, under which facts, and the decision.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Listed {
    /// The holder's name: `user:maya`, `group:grp-security` for any member, `*` for anyone.
    pub principal: String,
    /// The action.
    pub action: Action,
    /// The resource; `*` in it stands for a name that no table has.
    pub resource: Named,
    /// The facts that were stated.
    pub context: Context,
    /// The decision.
    pub decision: Decision,
}

impl Serialize for Listed {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields<'a> {
            principal: &'a str,
            action: &'a str,
            resource: &'a str,
            pattern: bool,
            #[serde(serialize_with = "facts")]
            context: &'a Context,
            limited: bool,
            #[serde(flatten)]
            ruling: Ruling,
        }
        let ruling = self.ruling();
        Fields {
            principal: &self.principal,
            action: self.action.as_str(),
            resource: self.resource.name(),
            pattern: self.resource.is_pattern(),
            context: &self.context,
            limited: ruling.is_limited(),
            ruling,
        }
        .serialize(to)
    }
}

impl Listed {
    /// The decision as plain fields.
    #[must_use]
    pub fn ruling(&self) -> Ruling {
        Ruling::of(&self.decision)
    }
}

/// Some cells of a list, in order of principal, action, resource and facts.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ListPage {
    /// The cells.
    pub cells: Vec<Listed>,
    /// Where the next page begins; none after the last. A page may hold fewer cells than its limit and have a next.
    pub next: Option<String>,
}

/// Lists what these holders may, on a snapshot.
#[must_use]
pub fn list(snapshot: &Arc<Snapshot>, holders: &[Holder], query: &ListQuery) -> ListPage {
    Lister::new(snapshot, query).list(holders)
}

struct Lister<'a> {
    snapshot: &'a Arc<Snapshot>,
    query: &'a ListQuery,
    actions: Vec<Action>,
    stages: Vec<Context>,
    page: ListPage,
    decisions: usize,
}

impl<'a> Lister<'a> {
    fn new(snapshot: &'a Arc<Snapshot>, query: &'a ListQuery) -> Self {
        let mut actions: Vec<Action> = match query.action {
            Some(action) => vec![action],
            None => Action::ALL.to_vec(),
        };
        actions.sort_by_key(|action| action.as_str());
        Self {
            snapshot,
            query,
            actions,
            stages: if query.in_stages {
                universe::declared_stages(snapshot)
            } else {
                Vec::new()
            },
            page: ListPage {
                cells: Vec::new(),
                next: None,
            },
            decisions: 0,
        }
    }

    fn list(mut self, holders: &[Holder]) -> ListPage {
        let mut holders: Vec<&Holder> = holders.iter().collect();
        holders.sort_by(|one, other| one.name().cmp(other.name()));
        let after = self.query.after.as_deref().map(key_of);
        let actions = self.actions.clone();
        let asked: Vec<(Named, Located)>;
        let resources: &[(Named, Located)] = match &self.query.resource {
            Some(resource) => {
                let named = Named::exact(resource.clone());
                asked = vec![(named, Located::new(self.snapshot, resource.clone()))];
                &asked
            }
            None => self.snapshot.named(),
        };
        let mut last = None;
        let mut was_answered = false;
        for holder in &holders {
            let projection = holder.projection(self.snapshot);
            for action in &actions {
                let asked = match after {
                    Some((name, of, last)) => {
                        // Names are in order: what was listed is skipped at once.
                        let begun = (holder.name(), action.as_str()).cmp(&(name, of));
                        let listed = match begun {
                            Ordering::Less => resources.len(),
                            Ordering::Equal => {
                                resources.partition_point(|(one, _)| one.name() <= last)
                            }
                            Ordering::Greater => 0,
                        };
                        resources.get(listed..).unwrap_or_default()
                    }
                    None => resources,
                };
                let kinds = |(one, _): &&(Named, Located)| action.takes(one.resource().kind());
                for (resource, located) in asked.iter().filter(kinds) {
                    let key = (holder.name(), action.as_str(), resource.name());
                    let is_full = self.page.cells.len() >= self.query.limit;
                    // A token names the last question: to whom lists what it may do itself, only one that it was answered.
                    let may_be_named = holders.len() > 1 || was_answered;
                    if is_full || (self.decisions >= MOST_DECISIONS && may_be_named) {
                        self.page.next = last.map(token);
                        return self.page;
                    }
                    let cells = self.page.cells.len();
                    if self.may_be_listed(holder, &projection, *action, located) {
                        self.add(holder, *action, resource);
                    }
                    was_answered = self.page.cells.len() > cells;
                    last = Some(key);
                }
            }
        }
        self.page
    }

    /// Whether a question can have a cell: without its reasons, which most questions of a large table need not.
    fn may_be_listed(
        &mut self,
        holder: &Holder,
        projection: &Projection,
        action: Action,
        resource: &Located,
    ) -> bool {
        if self.query.with_denied || !self.stages.is_empty() {
            return true;
        }
        let (snapshot, context) = (self.snapshot, &self.query.context);
        let verdict = projection.verdict(snapshot, action, resource, context, holder.now());
        if !verdict.is_allowed() {
            self.decisions += 1;
        }
        verdict.is_allowed()
    }

    /// The cells of one question. They stay on one page, so a page may hold some more than its limit.
    fn add(&mut self, holder: &Holder, action: Action, resource: &Named) {
        let given = self.query.context.clone();
        let decision = self.decide(holder, action, resource, given.clone());
        let is_allowed = decision.is_allowed();
        let before = Ruling::of(&decision);
        if is_allowed || self.query.with_denied {
            self.push(holder, action, resource, given.clone(), decision);
        }
        for stage in self.stages.clone() {
            let stage = match given.author() {
                Some(author) => stage.with_author(author.clone()),
                None => stage,
            };
            let decision = self.decide(holder, action, resource, stage.clone());
            let differs = !Ruling::of(&decision).grants_the_same(&before);
            if decision.is_allowed() && differs {
                self.push(holder, action, resource, stage, decision);
            }
        }
    }

    fn decide(
        &mut self,
        holder: &Holder,
        action: Action,
        resource: &Named,
        context: Context,
    ) -> Decision {
        self.decisions += 1;
        let request = holder.request(action, resource.resource().clone(), context);
        decide(self.snapshot, request, DecisionId::new(0, 0))
    }

    fn push(
        &mut self,
        holder: &Holder,
        action: Action,
        resource: &Named,
        context: Context,
        decision: Decision,
    ) {
        self.page.cells.push(Listed {
            principal: holder.name().to_owned(),
            action,
            resource: resource.clone(),
            context,
            decision,
        });
    }
}

/// None of the three holds a space.
fn token((holder, action, resource): (&str, &str, &str)) -> String {
    format!("{holder} {action} {resource}")
}

fn key_of(token: &str) -> (&str, &str, &str) {
    let mut parts = token.splitn(3, ' ');
    let mut part = || parts.next().unwrap_or_default();
    (part(), part(), part())
}
