//! A question as people write it, and the words of a refusal.

use crate::envelope::{Binding, DeterministicKey, Form, Scope, Sealed};
use crate::error::{Code, Error, Result};
use crate::id::{PrincipalId, SecretRef};
use crate::metadata::{Problem, SecretKind, SecretReference, Snapshot};
use crate::policy::{
    self, Action, Attribute, AttributeSet, Decision, DecisionKind, PrincipalPattern, Provenance,
    Resource, Value,
};
use crate::secrets::SecretId;

/// Reads an action and a resource as people write them.
///
/// # Errors
/// `Invalid`, with the nearest action.
pub fn parse(action: &str, resource: &str) -> Result<(Action, Resource)> {
    let action = parse_action(action)?;
    let resource = parse_resource(resource)?;
    refuse_other_kind(action, &resource)?;
    Ok((action, resource))
}

/// Reads a resource as people write it.
pub(super) fn parse_resource(resource: &str) -> Result<Resource> {
    resource
        .parse()
        .map_err(|why: policy::NotAResource| invalid(&Problem::new(why.to_string()).text(resource)))
}

/// Refuses a resource that the action does not take.
pub(super) fn refuse_other_kind(action: Action, resource: &Resource) -> Result<()> {
    if action.takes(resource.kind()) {
        return Ok(());
    }
    let reason = format!("`{action}` does not take a {}", resource.kind());
    Err(invalid(&Problem::new(reason).text(resource.as_str())))
}

/// Reads the value of a fact, `context.NAME`, by the type of its attribute, as people write it; the members of a set are
/// separated by commas. What may be a secret is not repeated.
///
/// # Errors
/// `Invalid` for an attribute that the tables do not declare, with the nearest, and for a value of another type.
pub fn fact(attributes: &AttributeSet, name: &str, text: &str) -> Result<Value> {
    let full = format!("context.{name}");
    if AttributeSet::is_built_in(&full) {
        let problem = Problem::new("is built in: claim a job and stage, or an author").text(&full);
        return Err(invalid(&problem));
    }
    let Some(attribute) = attributes.get(&full) else {
        let known: Vec<&str> = attributes
            .names()
            .filter(|name| name.starts_with("context."))
            .collect();
        let problem = Problem::new("no such attribute is built in or declared in Attributes");
        return Err(invalid(&problem.text(&full).nearest(&known)));
    };
    value_of(attribute, text)
}

/// Reads what a token with this claim would say, `department=credit`, as people write it: of each attribute that is read from
/// it the full name and the value. The claims that a stronger sign-in shows in are `mfa` and `acrs`. For simulations: what
/// a token says, the runtime reads from a verified one alone.
///
/// # Errors
/// `Invalid` for a claim that no attribute is read from, with the nearest, and for a value of another type.
pub fn claim(attributes: &AttributeSet, name: &str, text: &str) -> Result<Vec<(String, Value)>> {
    let of_tokens = || {
        let all = attributes.all();
        all.filter(|one| one.provenance == Provenance::Token && !one.is_caller())
    };
    let said = of_tokens().filter(|attribute| attribute.claim_name() == name);
    let said = said.map(|attribute| Ok((attribute.to_string(), value_of(attribute, text)?)));
    let said = said.collect::<Result<Vec<_>>>()?;
    if said.is_empty() {
        let known: Vec<&str> = of_tokens().map(Attribute::claim_name).collect();
        let problem = Problem::new("no attribute is read from this claim").text(name);
        return Err(invalid(&problem.nearest(&known)));
    }
    Ok(said)
}

/// A value of an attribute, as people write it. What may be a secret is not repeated.
fn value_of(attribute: &Attribute, text: &str) -> Result<Value> {
    let value = Value::read(attribute.kind, text).filter(|value| value.fits(attribute));
    value.ok_or_else(|| {
        let reason = match attribute.values.join(", ") {
            words if words.is_empty() => format!("its value must be of type {}", attribute.kind),
            words => format!("its value must be one of {words}"),
        };
        invalid(&Problem::new(reason).text(&attribute.to_string()))
    })
}

/// Reads an action as people write it.
///
/// # Errors
/// `Invalid`, with the nearest action.
pub fn parse_action(action: &str) -> Result<Action> {
    action.parse().map_err(|why: policy::NotAnAction| {
        let names: Vec<&str> = Action::ALL.iter().map(|action| action.as_str()).collect();
        invalid(&Problem::new(why.to_string()).text(action).nearest(&names))
    })
}

fn invalid(problem: &Problem) -> Error {
    Error::new(Code::InvalidArgument, problem.to_string())
}

/// The row of a secret that may be read.
pub(super) fn reference_of<'a>(
    decision: &'a Decision,
    reference: &str,
) -> Result<&'a SecretReference> {
    let row = decision
        .snapshot()
        .secret_reference(&SecretRef::new(reference));
    let row = row.ok_or_else(|| {
        Error::new(
            Code::NotFound,
            format!("no row of Secret_References is called `{reference}`"),
        )
        .with_help(
            "`zt lint` checks the tables; a pattern of a policy may allow more names than exist",
        )
    })?;
    if row.kind == SecretKind::Key {
        let message = format!("`{reference}` is a key: it never leaves the vault");
        return Err(Error::new(Code::InvalidArgument, message));
    }
    Ok(row)
}

/// What the tables say about one output: what is sealed, for what, under which key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Output {
    pub(super) scope: Scope,
    pub(super) key: SecretId,
    /// The key of the deterministic columns; there exactly if there are some.
    pub(super) deterministic: Option<Sealed>,
}

/// What the tables say about an output that is sealed.
pub(super) fn output_of(decision: &Decision, output: &str) -> Result<Output> {
    let snapshot = decision.snapshot();
    let tables = snapshot.tables();
    let missing = |table: &str, name: &str| {
        let message = format!("no row of {table} is called `{name}`");
        Error::new(Code::NotFound, message).with_help("`zt lint` checks the tables")
    };
    let row = tables.output_storage.iter().find(|row| row.name == output);
    let row = row.ok_or_else(|| missing("Output_Storage", output))?;
    let Some(rule) = &row.encryption else {
        let message = format!("`{output}` is stored plain: its row names no encryption rule");
        return Err(Error::new(Code::InvalidArgument, message)
            .with_help("name a row of Encryption_Rules in `encryption`"));
    };
    let rules = &tables.encryption_rules;
    let rule = rules
        .iter()
        .find(|row| row.id == *rule)
        .ok_or_else(|| missing("Encryption_Rules", rule))?;
    let key = snapshot
        .secret_reference(&rule.key)
        .filter(|row| row.kind == SecretKind::Key)
        .ok_or_else(|| missing("Secret_References", rule.key.as_str()))?;
    Ok(Output {
        scope: Scope {
            binding: Binding::new(&rule.id, &row.table, rule.key.clone()),
            columns: rule.columns.clone(),
            form: Form::new(&rule.row_key, &rule.deterministic),
        },
        key: key.request().key().id().clone(),
        deterministic: rule
            .deterministic_key
            .as_ref()
            .map(DeterministicKey::sealed)
            .cloned(),
    })
}

/// A deny as an error: why, in words that the caller may read, and whom to ask.
pub(super) fn denied(decision: &Decision) -> Error {
    if !decision.step_up().is_empty() {
        return too_weak(decision);
    }
    let reason = match (decision.kind(), decision.why()) {
        (DecisionKind::ExplicitDeny, Some(why)) => format!("{decision}: {why}"),
        (DecisionKind::DefaultDeny, _) => "no policy allows it".to_owned(),
        (DecisionKind::ExplicitDeny | DecisionKind::Allow, _) => decision.to_string(),
    };
    refused(decision, &reason)
}

/// A deny that a stronger sign-in would lift.
fn too_weak(decision: &Decision) -> Error {
    let needed: Vec<String> = decision.step_up().iter().map(ToString::to_string).collect();
    let request = decision.request();
    let caller = request.caller.as_ref();
    let caller = caller.map_or("the caller", PrincipalId::as_str);
    let (action, resource) = (request.action, &request.resource);
    let message = format!(
        "`{caller}` may `{action}` on `{resource}` only after signing in with {}: {decision}",
        needed.join(" and ")
    );
    Error::new(Code::StepUpRequired, message)
        .with_help("sign in again with it and present the new token")
        .with_decision(decision.clone())
}

/// An allow of some columns, where a rule seals one more.
pub(super) fn uncovered(decision: &Decision, rule: &str, column: &str) -> Error {
    let reason = format!("rule `{rule}` seals `{column}` too, and no right covers it");
    refused(decision, &reason)
}

/// An allow of some rows, where a sealer seals whatever rows it is given.
pub(super) fn not_all_rows(decision: &Decision, rule: &str) -> Error {
    let rows = decision.row_filter();
    let reason = format!("rule `{rule}` seals every row, and the right covers only some ({rows})");
    refused(decision, &reason)
}

fn refused(decision: &Decision, reason: &str) -> Error {
    let request = decision.request();
    let caller = request
        .caller
        .as_ref()
        .map_or("the caller", PrincipalId::as_str);
    let (action, resource) = (request.action, &request.resource);
    let message = format!("`{caller}` may not `{action}` on `{resource}`: {reason}");
    let mut help = format!("decision {} has the details", decision.id());
    if let Some(owner) = decision.owner() {
        help.push_str(&format!("; ask {owner}"));
    } else if let Some(who) = who_explains(decision.snapshot()) {
        help.push_str(&format!("; ask {who}"));
    }
    Error::new(Code::Denied, message)
        .with_help(help)
        .with_decision(decision.clone())
}

/// Who may see near misses, and so can say what is missing.
fn who_explains(snapshot: &Snapshot) -> Option<&PrincipalPattern> {
    let policies = snapshot.tables().access_policies.iter();
    let mut allows = policies
        .filter(|row| row.effect == policy::Effect::Allow && row.mode == policy::Mode::Enforce);
    allows
        .find(|row| row.speaks_of_action(Action::PolicyExplain))
        .and_then(|row| row.principals.first())
}
