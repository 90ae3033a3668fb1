//! regorus, on its bytecode machine, twice: with rules that loop over the policies as one writes them first, and with
//! data indexed by principal and resource.
//!
//! In: a tenant. Out: decisions. Inputs are built before anything is measured and hold what the caller holds and every
//! pattern that matches the action and the resource, so that Rego only looks names up.

use std::collections::BTreeSet;

use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use regorus::{Engine, Value};
use serde_json::{Map, json};
use zt_core::policy::DecisionKind;

use super::model::{Ask, Policy, Tenant, action_patterns, resource_patterns};
use crate::Outcome;

const ENTRY: &str = "data.zt.decision";

/// How a decision is made of what applies; a fact that nobody stated contradicts nothing and meets nothing.
const COMMON: &str = r#"package zt

default decision := "default_deny"

decision := "explicit_deny" if {
    denied
} else := "allow" if {
    allowed
}

contradicted(policy) if {
    some fact, value in policy.when
    input.context[fact] != value
}

unmet(policy) if {
    some fact, value in policy.when
    not input.context[fact] == value
}
"#;

const LOOP: &str = r#"
denied if {
    some policy in data.denies
    input.principals[policy.principal]
    input.resources[policy.resource]
    input.actions[policy.action]
    not contradicted(policy)
}

allowed if {
    some policy in data.allows
    input.principals[policy.principal]
    input.resources[policy.resource]
    input.actions[policy.action]
    not unmet(policy)
}
"#;

const INDEXED: &str = r#"
denied if {
    some principal, _ in input.principals
    of_principal := data.denies[principal]
    some resource, _ in input.resources
    some policy in of_principal[resource]
    input.actions[policy.action]
    not contradicted(policy)
}

allowed if {
    some principal, _ in input.principals
    of_principal := data.allows[principal]
    some resource, _ in input.resources
    some policy in of_principal[resource]
    input.actions[policy.action]
    not unmet(policy)
}
"#;

/// How the policies lie in the data.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    /// A list.
    Loop,
    /// Found by principal, then by resource.
    Indexed,
}

/// A tenant loaded into regorus.
pub struct Regorus {
    machine: RegoVM,
}

impl Regorus {
    pub fn load(tenant: &Tenant, form: Form) -> Outcome<Self> {
        let (rules, data) = match form {
            Form::Loop => (LOOP, listed(&tenant.policies)),
            Form::Indexed => (INDEXED, indexed(&tenant.policies)),
        };
        let mut engine = Engine::new();
        engine.add_policy("zt.rego".to_owned(), format!("{COMMON}{rules}"))?;
        let compiled = engine.compile_with_entrypoint(&ENTRY.into())?;
        let program = Compiler::compile_from_policy(&compiled, &[ENTRY])?;
        let mut machine = RegoVM::new();
        // The default stops a loop over ten thousand policies.
        machine.set_max_instructions(usize::MAX);
        machine.load_program(program);
        machine.set_data(Value::from(data))?;
        Ok(Self { machine })
    }

    pub fn decide(&mut self, input: &Value) -> Outcome<DecisionKind> {
        self.machine.set_input(input.clone());
        let said = self.machine.execute()?;
        let said = said.as_string()?;
        let kinds = [
            DecisionKind::Allow,
            DecisionKind::ExplicitDeny,
            DecisionKind::DefaultDeny,
        ];
        let kind = kinds
            .into_iter()
            .find(|kind| kind.as_str() == said.as_ref());
        kind.ok_or_else(|| format!("regorus said {said}").into())
    }
}

/// The input document of a request by somebody who holds all this.
pub fn input(ask: &Ask, held: &BTreeSet<String>) -> Value {
    let mut context = Map::new();
    for (name, value) in [("job", ask.job), ("stage", ask.stage)] {
        if let Some(value) = value {
            context.insert(name.to_owned(), json!(value));
        }
    }
    let set = |names: &mut dyn Iterator<Item = String>| -> Map<String, serde_json::Value> {
        names.map(|name| (name, json!(true))).collect()
    };
    Value::from(json!({
        "principals": set(&mut held.iter().cloned()),
        "actions": set(&mut action_patterns(ask.action).into_iter()),
        "resources": set(&mut resource_patterns(&ask.resource).into_iter()),
        "context": context,
    }))
}

fn listed(policies: &[Policy]) -> serde_json::Value {
    let of = |denies: bool| -> Vec<serde_json::Value> {
        let chosen = policies.iter().filter(|policy| policy.denies == denies);
        chosen.map(document).collect()
    };
    json!({ "denies": of(true), "allows": of(false) })
}

fn indexed(policies: &[Policy]) -> serde_json::Value {
    let mut data = json!({ "denies": {}, "allows": {} });
    for policy in policies {
        let effect = if policy.denies { "denies" } else { "allows" };
        let rows = &mut data[effect][&policy.principal][&policy.resource];
        match rows.as_array_mut() {
            Some(rows) => rows.push(document(policy)),
            None => *rows = json!([document(policy)]),
        }
    }
    data
}

fn document(policy: &Policy) -> serde_json::Value {
    let when: Map<String, serde_json::Value> = policy
        .facts()
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    json!({
        "principal": policy.principal,
        "action": policy.action,
        "resource": policy.resource,
        "when": when,
    })
}
