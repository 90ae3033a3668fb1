//! Casbin: its model of roles with deny override, and functions of our own in place of the slower general ones.
//!
//! In: a tenant. Out: allowed or not; Casbin does not tell one deny from the other. The cheap tests come first and the
//! walk over groups and roles last. What a condition tests is written into the row, `job=201;stage=2`.

use casbin::function_map::{OperatorFunction, dynamic_to_str};
use casbin::rhai::Dynamic;
use casbin::{Adapter as _, CoreApi as _, DefaultModel, Enforcer, MemoryAdapter};
use tokio::runtime::Runtime as Executor;

use super::model::{Ask, Tenant, separator, split};
use crate::Outcome;

const MODEL: &str = r#"
[request_definition]
r = sub, act, obj, facts

[policy_definition]
p = sub, act, obj, when, eft

[role_definition]
g = _, _

[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))

[matchers]
m = on(r.obj, p.obj) && does(r.act, p.act) && holds(r.facts, p.when, p.eft) && (p.sub == "*" || g(r.sub, p.sub))
"#;

/// A tenant loaded into Casbin.
pub struct Casbin {
    enforcer: Enforcer,
}

impl Casbin {
    pub fn load(tenant: &Tenant, executor: &Executor) -> Outcome<Self> {
        let enforcer = executor.block_on(async {
            let mut adapter = MemoryAdapter::default();
            let (rows, links) = (rows(tenant), links(tenant));
            adapter.add_policies("p", "p", rows).await?;
            adapter.add_policies("g", "g", links).await?;
            let model = DefaultModel::from_str(MODEL).await?;
            let mut enforcer = Enforcer::new(model, adapter).await?;
            enforcer.add_function("on", OperatorFunction::Arg2(on));
            enforcer.add_function("does", OperatorFunction::Arg2(does));
            enforcer.add_function("holds", OperatorFunction::Arg3(holds));
            Ok::<_, casbin::Error>(enforcer)
        })?;
        Ok(Self { enforcer })
    }

    pub fn is_allowed(&self, request: &[String]) -> Outcome<bool> {
        Ok(self.enforcer.enforce(request.to_vec())?)
    }
}

/// The four texts of a request.
pub fn request(tenant: &Tenant, ask: &Ask) -> Outcome<Vec<String>> {
    let caller = tenant.callers.get(ask.caller).ok_or("a caller is known")?;
    let id = caller
        .id
        .clone()
        .ok_or("Casbin is asked about named callers")?;
    let facts = [("job", ask.job), ("stage", ask.stage)];
    let facts = facts
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    Ok(vec![
        id,
        ask.action.to_owned(),
        ask.resource.clone(),
        written(facts),
    ])
}

fn rows(tenant: &Tenant) -> Vec<Vec<String>> {
    let row = |policy: &super::model::Policy| {
        let effect = if policy.denies { "deny" } else { "allow" };
        vec![
            policy.principal.clone(),
            policy.action.clone(),
            policy.resource.clone(),
            written(policy.facts()),
            effect.to_owned(),
        ]
    };
    tenant.policies.iter().map(row).collect()
}

fn links(tenant: &Tenant) -> Vec<Vec<String>> {
    let mut links = Vec::new();
    for caller in &tenant.callers {
        let id = caller.id.iter();
        links.extend(id.flat_map(|id| {
            let groups = caller.groups.iter();
            groups.map(|group| vec![id.clone(), group.clone()])
        }));
    }
    let roles = tenant.bindings.iter();
    links.extend(roles.map(|(role, who)| vec![who.clone(), format!("role:{role}")]));
    links
}

fn written<'a>(facts: impl Iterator<Item = (&'a str, u32)>) -> String {
    let texts: Vec<String> = facts
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    texts.join(";")
}

fn does(asked: Dynamic, pattern: Dynamic) -> Dynamic {
    let (asked, pattern) = (dynamic_to_str(&asked), dynamic_to_str(&pattern));
    let of_noun = |noun: &str| {
        asked
            .strip_prefix(noun)
            .is_some_and(|rest| rest.starts_with('.'))
    };
    let matches =
        *pattern == *asked || *pattern == *"*" || pattern.strip_suffix(".*").is_some_and(of_noun);
    matches.into()
}

fn on(asked: Dynamic, pattern: Dynamic) -> Dynamic {
    let (asked, pattern) = (dynamic_to_str(&asked), dynamic_to_str(&pattern));
    is_on(&asked, &pattern).into()
}

fn is_on(asked: &str, pattern: &str) -> bool {
    let ((kind, asked), (wanted, pattern)) = (split(asked), split(pattern));
    if kind != wanted {
        return wanted.is_empty();
    }
    let separator = separator(kind);
    let mut asked = asked.split(separator);
    for wanted in pattern.split(separator) {
        if wanted == "**" {
            return true;
        }
        match asked.next() {
            Some(name) if wanted == "*" || wanted == name => {}
            _ => return false,
        }
    }
    asked.next().is_none()
}

/// Whether each wanted fact is stated so; for a deny, whether none is stated otherwise.
fn holds(stated: Dynamic, wanted: Dynamic, effect: Dynamic) -> Dynamic {
    let wanted = dynamic_to_str(&wanted);
    if wanted.is_empty() {
        return true.into();
    }
    let (stated, denies) = (dynamic_to_str(&stated), *dynamic_to_str(&effect) == *"deny");
    let value_of = |name: &str| {
        let facts = stated.split(';').filter_map(|fact| fact.split_once('='));
        facts
            .into_iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    };
    let mut tests = wanted.split(';').filter_map(|fact| fact.split_once('='));
    tests
        .all(|(name, value)| value_of(name).map_or(denies, |stated| stated == value))
        .into()
}
