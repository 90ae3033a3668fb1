//! Cedar, used as its guide says: groups, roles and containers as parents, scopes in the head, facts in `when`.
//!
//! In: a tenant. Out: policy text, entities, requests, decisions. Policies become text and are parsed, so that the
//! parser is part of what is tested.
//!
//! A condition of an allow is `context has x && context.x == v`; that of a deny is `!(context has x) || context.x == v`.
//! Groups that are not known disarm no deny: where callers with such groups are among a tenant's, a deny of a group, or
//! of a role that a group holds, is written `principal in G || !principal.groups_complete`.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;
use std::str::FromStr;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid,
    PolicySet, Request, RestrictedExpression,
};
use zt_core::policy::{Action, DecisionKind};

use super::model::{Ask, Caller, Policy, Tenant, action_patterns, separator, split};
use crate::Outcome;

/// A tenant loaded into Cedar.
pub struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
}

/// How the condition of a deny is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denies {
    /// A missing fact leaves it standing, as in zt.
    Stand,
    /// A missing fact makes it fall, as with `context has x && context.x == v`. It shows that a comparison can fail.
    Fall,
}

/// What Cedar said.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    pub kind: DecisionKind,
    /// The determining policies.
    pub policies: BTreeSet<String>,
}

impl Cedar {
    pub fn load(tenant: &Tenant, denies: Denies) -> Outcome<Self> {
        Ok(Self {
            authorizer: Authorizer::new(),
            policies: PolicySet::from_str(&text(tenant, denies))?,
            entities: Entities::from_entities(entities(tenant)?, None)?,
        })
    }

    pub fn is_allowed(&self, request: &Request) -> bool {
        let response = self
            .authorizer
            .is_authorized(request, &self.policies, &self.entities);
        response.decision() == Decision::Allow
    }

    /// The decision and its reasons.
    ///
    /// # Errors
    /// A policy that could not be evaluated: the translation is wrong then.
    pub fn decide(&self, request: &Request) -> Outcome<Said> {
        let response = self
            .authorizer
            .is_authorized(request, &self.policies, &self.entities);
        if let Some(error) = response.diagnostics().errors().next() {
            return Err(error.to_string().into());
        }
        let reasons = response.diagnostics().reason();
        let policies: BTreeSet<String> = reasons.map(ToString::to_string).collect();
        let kind = match response.decision() {
            Decision::Allow => DecisionKind::Allow,
            Decision::Deny if policies.is_empty() => DecisionKind::DefaultDeny,
            Decision::Deny => DecisionKind::ExplicitDeny,
        };
        Ok(Said { kind, policies })
    }
}

/// A request, built as zt's is.
pub fn request(tenant: &Tenant, ask: &Ask) -> Outcome<Request> {
    let mut facts = Vec::new();
    for (name, value) in [("job", ask.job), ("stage", ask.stage)] {
        if let Some(value) = value {
            let value = RestrictedExpression::new_long(value.into());
            facts.push((name.to_owned(), value));
        }
    }
    if let Some(author) = &ask.author {
        let value = RestrictedExpression::new_entity_uid(principal(author)?);
        facts.push(("author".to_owned(), value));
    }
    let caller = tenant.callers.get(ask.caller).ok_or("a caller is known")?;
    Ok(Request::new(
        caller_uid(ask.caller, caller)?,
        uid("Action", ask.action)?,
        resource(&ask.resource)?,
        Context::from_pairs(facts)?,
        None,
    )?)
}

/// All policies as Cedar text; Cedar names them `policy0`, `policy1` and so on.
pub fn text(tenant: &Tenant, denies: Denies) -> String {
    let guards_groups = tenant.callers.iter().any(|caller| !caller.is_complete);
    let held_by_groups: BTreeSet<&str> = tenant
        .bindings
        .iter()
        .filter(|(_, principal)| principal.starts_with("group:"))
        .map(|(role, _)| role.as_str())
        .collect();
    let mut text = String::new();
    for policy in &tenant.policies {
        let may_be_held = match policy.principal.split_once(':') {
            Some(("group", _)) => true,
            Some(("role", role)) => held_by_groups.contains(role),
            _ => false,
        };
        let stands = policy.denies && denies == Denies::Stand;
        write_policy(
            &mut text,
            policy,
            stands,
            guards_groups && stands && may_be_held,
        );
    }
    text
}

fn write_policy(text: &mut String, policy: &Policy, stands: bool, guards_groups: bool) {
    let mut when: Vec<String> = Vec::new();
    let who = match policy.principal.split_once(':') {
        None => "principal".to_owned(),
        Some((kind @ ("user" | "sp"), _)) => {
            let type_name = type_name(kind);
            format!("principal == {}", literal(type_name, &policy.principal))
        }
        Some((kind, _)) => {
            let holds = format!(
                "principal in {}",
                literal(type_name(kind), &policy.principal)
            );
            if guards_groups {
                when.push(format!("({holds} || !principal.groups_complete)"));
                "principal".to_owned()
            } else {
                holds
            }
        }
    };
    let what = match policy.action.as_str() {
        "*" => "action".to_owned(),
        noun if noun.ends_with(".*") => format!("action in {}", literal("Action", noun)),
        one => format!("action == {}", literal("Action", one)),
    };
    let (on, more) = scope_of_resource(&policy.resource);
    when.extend(more);
    when.extend(policy.facts().map(|(name, value)| {
        if stands {
            format!("(!(context has {name}) || context.{name} == {value})")
        } else {
            format!("(context has {name} && context.{name} == {value})")
        }
    }));
    if policy.not_author {
        // zt knows an author whom a row of Principals names, and who can act.
        let known = "(context has author && context.author has oid && !(context.author is Group) \
                     && !(principal is Unnamed))";
        when.push(if stands {
            format!("(!{known} || principal != context.author)")
        } else {
            format!("({known} && principal != context.author)")
        });
    }
    let effect = if policy.denies { "forbid" } else { "permit" };
    let _ = write!(text, "{effect} ({who}, {what}, {on})");
    if !when.is_empty() {
        let _ = write!(text, "\nwhen {{ {} }}", when.join(" && "));
    }
    text.push_str(";\n");
}

/// The scope in the head, and what cannot be said there: a wildcard is a test of segments.
fn scope_of_resource(pattern: &str) -> (String, Option<String>) {
    let (kind, path) = split(pattern);
    if kind.is_empty() {
        return ("resource".to_owned(), None);
    }
    let type_name = type_name(kind);
    let separator = separator(kind);
    let (path, is_subtree) = match path.strip_suffix("**") {
        Some(root) => (root.trim_end_matches(separator), true),
        None => (path, false),
    };
    if path.is_empty() {
        return (format!("resource is {type_name}"), None);
    }
    if !path.contains('*') {
        let operator = if is_subtree { "in" } else { "==" };
        let named = literal(type_name, &format!("{kind}:{path}"));
        return (format!("resource {operator} {named}"), None);
    }
    let segments: Vec<&str> = path.split(separator).collect();
    let operator = if is_subtree { ">=" } else { "==" };
    let mut tests = vec![format!("resource.depth {operator} {}", segments.len())];
    let named = segments
        .iter()
        .enumerate()
        .filter(|(_, name)| **name != "*");
    tests.extend(named.map(|(at, name)| format!("resource.s{at} == \"{name}\"")));
    (format!("resource is {type_name}"), Some(tests.join(" && ")))
}

fn entities(tenant: &Tenant) -> Outcome<Vec<Entity>> {
    let mut entities = principals(tenant)?;
    for action in Action::ALL {
        let parents = action_patterns(action.as_str());
        let parent = uid("Action", &parents[1])?;
        let attributes = HashMap::new();
        let own = uid("Action", action.as_str())?;
        entities.push(Entity::new(own, attributes, HashSet::from([parent]))?);
    }
    let mut seen = BTreeSet::new();
    for text in &tenant.resources {
        let (kind, path) = split(text);
        let separator = separator(kind);
        let segments: Vec<&str> = path.split(separator).collect();
        for depth in 1..=segments.len() {
            let path = |depth: usize| {
                let named: Vec<&str> = segments.iter().take(depth).copied().collect();
                format!("{kind}:{}", named.join(&separator.to_string()))
            };
            let own = path(depth);
            if !seen.insert(own.clone()) {
                continue;
            }
            let mut attributes = HashMap::new();
            let depth_of = RestrictedExpression::new_long(depth as i64);
            attributes.insert("depth".to_owned(), depth_of);
            for (at, name) in segments.iter().take(depth).enumerate() {
                let name = RestrictedExpression::new_string((*name).to_owned());
                attributes.insert(format!("s{at}"), name);
            }
            let mut parents = HashSet::new();
            if depth > 1 {
                parents.insert(resource(&path(depth - 1))?);
            }
            entities.push(Entity::new(resource(&own)?, attributes, parents)?);
        }
    }
    Ok(entities)
}

/// Callers with their groups and roles as parents, groups with their roles, and whoever else has a row.
fn principals(tenant: &Tenant) -> Outcome<Vec<Entity>> {
    let mut roles: HashMap<&str, Vec<EntityUid>> = HashMap::new();
    for (role, holder) in &tenant.bindings {
        let role = principal(&format!("role:{role}"))?;
        roles.entry(holder).or_default().push(role);
    }
    let roles_of = |id: &str| roles.get(id).cloned().unwrap_or_default();
    let oid = || HashMap::from([("oid".to_owned(), RestrictedExpression::new_bool(true))]);
    let is_group = |id: &&String| id.starts_with("group:");
    let mut entities = Vec::new();
    for group in tenant.principals.iter().filter(is_group) {
        let parents = roles_of(group).into_iter().collect();
        entities.push(Entity::new(principal(group)?, oid(), parents)?);
    }
    for (place, caller) in tenant.callers.iter().enumerate() {
        let mut parents = HashSet::new();
        for group in &caller.groups {
            parents.insert(principal(group)?);
        }
        let mut attributes = HashMap::new();
        if let Some(id) = &caller.id {
            parents.extend(roles_of(id));
            attributes = oid();
        }
        let complete = RestrictedExpression::new_bool(caller.is_complete);
        attributes.insert("groups_complete".to_owned(), complete);
        let own = caller_uid(place, caller)?;
        entities.push(Entity::new(own, attributes, parents)?);
    }
    let callers: BTreeSet<&String> = tenant
        .callers
        .iter()
        .filter_map(|c| c.id.as_ref())
        .collect();
    let is_author = |id: &&String| !is_group(id) && !callers.contains(id);
    for other in tenant.principals.iter().filter(is_author) {
        entities.push(Entity::new(principal(other)?, oid(), HashSet::new())?);
    }
    Ok(entities)
}

fn caller_uid(place: usize, caller: &Caller) -> Outcome<EntityUid> {
    match &caller.id {
        Some(id) => principal(id),
        None => uid("Unnamed", &place.to_string()),
    }
}

fn principal(id: &str) -> Outcome<EntityUid> {
    uid(type_name(split(id).0), id)
}

fn resource(text: &str) -> Outcome<EntityUid> {
    uid(type_name(split(text).0), text)
}

fn uid(type_name: &str, id: &str) -> Outcome<EntityUid> {
    let type_name = EntityTypeName::from_str(type_name)?;
    Ok(EntityUid::from_type_name_and_id(
        type_name,
        EntityId::new(id),
    ))
}

fn literal(type_name: &str, id: &str) -> String {
    format!("{type_name}::{id:?}")
}

fn type_name(kind: &str) -> &'static str {
    match kind {
        "user" => "User",
        "sp" => "ServicePrincipal",
        "group" => "Group",
        "role" => "Role",
        "table" => "Table",
        "view" => "View",
        "model" => "Model",
        "secret" => "Secret",
        "job" => "Job",
        _ => "Other",
    }
}
