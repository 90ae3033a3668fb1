//! Random requests with random facts, as zt and as Cedar are asked.
//!
//! In: random numbers. Out: [`Ask`]s, and from each a request to either.

use std::sync::Arc;

use cedar_policy::{Context as CedarContext, Request as CedarRequest, RestrictedExpression};
use fastrand::Rng;
use zt_core::policy::{Context, Provenance, Request, Value, ValueType};

use super::facts::{ATTRIBUTES, Attribute, Literal, Moment, WEEKDAYS};
use super::world::{ACTIONS, CALLERS, PEOPLE, RESOURCES, caller, uid};
use crate::Outcome;

/// One request. A fact is what counts; `stray` facts are stated to zt and must not count.
#[derive(Debug, Clone)]
pub struct Ask {
    caller: usize,
    action: &'static str,
    resource: &'static str,
    at: Option<Moment>,
    author: Option<&'static str>,
    facts: Vec<(&'static Attribute, Literal, Provenance)>,
    stray: Vec<(&'static Attribute, Value, Provenance)>,
}

const PROVENANCES: [(&str, Provenance); 3] = [
    ("request", Provenance::Request),
    ("store", Provenance::Store),
    ("token", Provenance::Token),
];

impl Ask {
    pub fn draw(rng: &mut Rng) -> Self {
        // Mostly callers whose groups are all known.
        let half = CALLERS / 2;
        let place = rng.usize(..half);
        let mut ask = Self {
            caller: if rng.u8(..100) < 12 {
                half + place
            } else {
                place
            },
            action: ACTIONS[usize::from(rng.u8(..100) < 40)],
            resource: RESOURCES[rng.usize(..RESOURCES.len())],
            at: (rng.u8(..100) < 88).then(|| Moment::draw(rng)),
            author: (rng.u8(..100) < 60)
                .then(|| ["user:a", "user:b", "sp:c", "group:g", "user:nobody"][rng.usize(..5)]),
            facts: Vec::new(),
            stray: Vec::new(),
        };
        for name in ["context.job", "context.stage"] {
            if rng.u8(..100) < 70 {
                let (attribute, known) = (Attribute::named(name), Provenance::Request);
                ask.facts.push((attribute, attribute.draw(rng), known));
            }
        }
        // Sometimes nothing but context: what a verdict by handle can be told.
        let context_only = rng.u8(..100) < 25;
        for attribute in ATTRIBUTES {
            let needed = attribute.provenance;
            if context_only && needed != Some("request") {
                continue;
            }
            let needed = PROVENANCES.iter().find(|(name, _)| Some(*name) == needed);
            if let Some((_, needed)) = needed {
                ask.draw_fact(rng, attribute, *needed);
            }
        }
        ask
    }

    fn draw_fact(&mut self, rng: &mut Rng, attribute: &'static Attribute, needed: Provenance) {
        let is_known = rng.u8(..100) < 82;
        if is_known {
            self.facts.push((attribute, attribute.draw(rng), needed));
        }
        // Known too weakly: it never counts, also beside a fact that does.
        if needed != Provenance::Request && rng.u8(..100) < 10 {
            let value = attribute.draw(rng).value();
            self.stray
                .extend(value.map(|value| (attribute, value, Provenance::Request)));
        }
        // Of another type: nothing fits that is a set where none is asked for, or a number where a set is.
        if !is_known && rng.u8(..100) < 20 {
            let value = match attribute.kind {
                ValueType::Set => Value::Int(1),
                _ => Value::set(["loan"]),
            };
            self.stray.push((attribute, value, needed));
        }
    }

    /// Whether nothing but context is stated.
    pub fn is_context_only(&self) -> bool {
        let facts = self
            .facts
            .iter()
            .map(|(attribute, _, known)| (attribute, known));
        let stray = self
            .stray
            .iter()
            .map(|(attribute, _, known)| (attribute, known));
        facts
            .chain(stray)
            .all(|(attribute, known)| is_context(attribute, *known))
    }

    pub fn zt(&self) -> Outcome<Request> {
        let (person, groups, is_complete) = caller(self.caller);
        let groups: Result<Vec<_>, _> = groups.iter().map(|id| id.parse()).collect();
        let person = person.map(str::parse).transpose()?;
        let request = Request::new(person, self.action.parse()?, self.resource.parse()?);
        let mut request = request.with_groups(Arc::from(groups?));
        if !is_complete {
            request = request.with_incomplete_groups();
        }
        if let Some(at) = self.at {
            request = request.at(at.text().parse()?);
        }
        let mut context = Context::new();
        if let Some(author) = self.author {
            context = context.with_author(author.parse()?);
        }
        let facts = self
            .facts
            .iter()
            .filter_map(|(attribute, literal, known)| Some((*attribute, literal.value()?, *known)));
        for (attribute, value, known) in facts.chain(self.stray.iter().cloned()) {
            if is_context(attribute, known) {
                context = context.with(attribute.name, value);
            } else {
                request = request.with_attribute(&attribute.full(), value, known);
            }
        }
        Ok(request.with_context(context))
    }

    pub fn cedar(&self) -> Outcome<CedarRequest> {
        let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let facts = self.facts.iter();
        let facts = facts.map(|(attribute, literal, _)| (attribute.key.to_owned(), literal.fact()));
        let mut facts: Vec<(String, RestrictedExpression)> = facts.collect();
        let mut know = |key: &str, value| facts.push((key.to_owned(), value));
        if let (Some(person), _, _) = caller(self.caller) {
            let kind = person.split(':').next().unwrap_or_default();
            know("principal_id", text(person));
            know("principal_kind", text(kind));
        }
        // An author who can act and has a row.
        if let Some(author) = self.author.filter(|author| PEOPLE.contains(&Some(*author))) {
            know("context_author", text(author));
        }
        know("resource_kind", text("table"));
        know(
            "resource_path",
            text(self.resource.trim_start_matches("table:")),
        );
        know("action_name", text(self.action));
        if let Some(at) = self.at {
            know("time_now", Literal::Datetime(at).fact());
            know(
                "time_hour_utc",
                RestrictedExpression::new_long(at.hour.into()),
            );
            know("time_weekday_utc", text(WEEKDAYS[at.day]));
        }
        Ok(CedarRequest::new(
            uid("Caller", &self.caller.to_string())?,
            uid("Action", self.action)?,
            uid("Resource", self.resource)?,
            CedarContext::from_pairs(facts)?,
            None,
        )?)
    }
}

/// Whether a fact is stated as context.
fn is_context(attribute: &Attribute, known: Provenance) -> bool {
    attribute.namespace == "context" && known == Provenance::Request
}
