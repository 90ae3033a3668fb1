//! A decision in the words of the specification: `decision`, and a `context` that says the rest.
//!
//! In: outcomes. Out: JSON. Never: a value of a fact, nor, unless the settings say that the asker may see it, what was missing.

use serde_json::{Map, Value, json};

use super::Authzen;
use super::decide::Outcome;
use crate::policy::{self, Columns, Decision, Ruling, StepUp};

/// Said where an allow comes with obligations and the enforcement point has not said that it carries them out.
const LIMITED: &str =
    "the right is limited, and this enforcement point has not said that it enforces limits";

/// The answer to one question.
pub(super) fn of_outcome(settings: &Authzen, outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Decided { decision, granted } => {
            json!({ "decision": granted, "context": context(settings, decision, *granted) })
        }
        Outcome::Unknown(reason) => of_error(404, reason),
    }
}

/// A question that could not be decided: never granted.
pub(super) fn of_error(status: u16, message: &str) -> Value {
    json!({ "decision": false, "context": { "error": { "status": status, "message": message } } })
}

fn context(settings: &Authzen, decision: &Decision, granted: bool) -> Value {
    let ruling = Ruling::of(decision);
    let mut context = Map::new();
    context.insert("id".to_owned(), decision.id().to_string().into());
    context.insert("kind".to_owned(), ruling.kind.as_str().into());
    context.insert("policies".to_owned(), json!(ruling.policies));
    if let Some(why) = decision.why() {
        context.insert("why".to_owned(), why.into());
    }
    if decision.is_allowed() && !granted {
        context.insert("refused".to_owned(), LIMITED.into());
    }
    let obligations = obligations(&ruling);
    if !obligations.is_empty() {
        context.insert("obligations".to_owned(), obligations.into());
    }
    if !decision.is_allowed() && settings.explains {
        let misses = policy::explain(decision).near_misses;
        let misses: Vec<String> = misses.iter().map(ToString::to_string).collect();
        context.insert("near_misses".to_owned(), json!(misses));
    }
    context.extend(step_up(decision));
    context.into()
}

/// What must be done with an allow, one member for each obligation. An obligation that [`Ruling::is_limited`] counts stands
/// here, so that nobody is refused for what is not said.
fn obligations(ruling: &Ruling) -> Map<String, Value> {
    let mut all = Map::new();
    if !ruling.is_allowed() {
        return all;
    }
    match &ruling.columns {
        Columns::All => {}
        Columns::Only(only) => {
            all.insert("columns".to_owned(), json!({ "only": only }));
        }
        Columns::AllBut(hidden) => {
            all.insert("columns".to_owned(), json!({ "all_but": hidden }));
        }
    }
    if !ruling.masks.is_empty() {
        all.insert("masks".to_owned(), json!(ruling.masks));
    }
    if let Some(most) = ruling.obligations.max_rows {
        all.insert("max_rows".to_owned(), most.into());
    }
    if !ruling.obligations.encrypt.is_empty() {
        all.insert("encrypt".to_owned(), json!(ruling.obligations.encrypt));
    }
    all
}

/// What a stronger sign-in would have to prove, where that alone is missing: `acr_values` and `amr_values`, both words
/// separated by spaces, as the specification's own example writes them.
fn step_up(decision: &Decision) -> impl Iterator<Item = (String, Value)> {
    let (mut methods, mut contexts) = (Vec::new(), Vec::new());
    for step_up in decision.step_up() {
        match step_up {
            StepUp::Mfa => methods.push(step_up.to_string()),
            StepUp::Context(_) => contexts.push(step_up.to_string()),
        }
    }
    let values = [("amr_values", methods), ("acr_values", contexts)];
    let needed = values.into_iter().filter(|(_, words)| !words.is_empty());
    needed.map(|(name, words)| (name.to_owned(), words.join(" ").into()))
}
