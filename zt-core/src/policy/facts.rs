//! What is known of one request: the value of every attribute, or nothing.
//!
//! In: a [`Request`] and a snapshot. Out: values that fit their attribute's type and provenance; all else is unknown.

use super::attribute::{Attribute, BuiltIn, Namespace, WEEKDAYS};
use super::value::Datum;
use super::{Action, Context, Provenance, Request, ResourceKind, StepUp, Truth, Value};
use crate::clock::Timestamp;
use crate::id::{PrincipalId, PrincipalKind};
use crate::metadata::Snapshot;

/// The facts that count for one request on one snapshot.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    caller: Option<&'a PrincipalId>,
    author: Option<&'a PrincipalId>,
    action: Action,
    resource: (ResourceKind, &'a str),
    context: &'a Context,
    now: Option<Timestamp>,
    attributes: &'a [(String, Value, Provenance)],
}

impl<'a> Facts<'a> {
    /// What a request states.
    pub(super) fn of(request: &'a Request, snapshot: &Snapshot) -> Self {
        let resource = (request.resource.kind(), request.resource.path());
        let caller = request.caller.as_ref();
        let facts = Self::new(snapshot, caller, request.action, resource, &request.context);
        Self {
            now: request.now,
            attributes: &request.attributes,
            ..facts
        }
    }

    /// The same from its parts, at no known time. An author whom no row of Principals names, or who cannot act, is unknown.
    /// Else anybody could approve a change of their own by inventing its author.
    pub(super) fn new(
        snapshot: &Snapshot,
        caller: Option<&'a PrincipalId>,
        action: Action,
        resource: (ResourceKind, &'a str),
        context: &'a Context,
    ) -> Self {
        let is_known = |author: &&PrincipalId| {
            author.kind() != PrincipalKind::Group && snapshot.object_id(author).is_some()
        };
        Self {
            caller,
            author: context.author().filter(is_known),
            action,
            resource,
            context,
            now: None,
            attributes: &[],
        }
    }

    /// The same at this moment.
    pub(super) const fn at(mut self, now: Option<Timestamp>) -> Self {
        self.now = now;
        self
    }

    /// Whether the caller signed in so strongly.
    pub(super) fn strength(&self, _step_up: StepUp) -> Truth {
        Truth::Unknown
    }

    /// When, if that is known.
    pub(super) const fn now(&self) -> Option<Timestamp> {
        self.now
    }

    /// The value of an attribute: a fact of the type and provenance that it needs, else its default, else none.
    pub(super) fn value(&self, attribute: &'a Attribute) -> Option<Datum<'a>> {
        self.fact(attribute)
            .and_then(|fact| fact.fit(attribute.kind, &attribute.values))
            .or_else(|| {
                attribute
                    .default
                    .as_ref()?
                    .as_datum()
                    .fit(attribute.kind, &attribute.values)
            })
    }

    fn fact(&self, attribute: &Attribute) -> Option<Datum<'a>> {
        let Some(built_in) = attribute.built_in else {
            return self.declared(attribute);
        };
        let number = |number: u32| Datum::Int(i64::from(number));
        match built_in {
            BuiltIn::PrincipalId => self.caller.map(|id| Datum::Text(id.as_str())),
            BuiltIn::PrincipalKind => {
                let kind = self.caller?.kind();
                Some(Datum::Text(kind.prefix().trim_end_matches(':')))
            }
            BuiltIn::ResourceKind => Some(Datum::Text(self.resource.0.as_str())),
            BuiltIn::ResourcePath => Some(Datum::Text(self.resource.1)),
            BuiltIn::ActionName => Some(Datum::Text(self.action.as_str())),
            BuiltIn::Job => self.context.job().map(number),
            BuiltIn::Stage => self.context.stage().map(number),
            BuiltIn::Author => self.author.map(|id| Datum::Text(id.as_str())),
            BuiltIn::Now => self.now.map(Datum::Datetime),
            BuiltIn::Hour => Some(Datum::Int(hour_utc(self.now?))),
            BuiltIn::Weekday => Some(Datum::Text(weekday_utc(self.now?))),
        }
    }

    /// What is asserted counts in `context.` alone, and where the attribute asks for no more.
    fn declared(&self, attribute: &Attribute) -> Option<Datum<'a>> {
        let stated = self.attributes.iter().rev().find(|(name, _, provenance)| {
            provenance.counts_as(attribute.provenance) && is_name(attribute, name)
        });
        if let Some((_, value, _)) = stated {
            return Some(value.as_datum());
        }
        if attribute.namespace == Namespace::Context
            && Provenance::Request.counts_as(attribute.provenance)
        {
            return self
                .context
                .stated(&attribute.name)
                .map(|value| value.as_datum());
        }
        None
    }
}

fn is_name(attribute: &Attribute, name: &str) -> bool {
    name.strip_prefix(attribute.namespace.as_str())
        .and_then(|rest| rest.strip_prefix('.'))
        == Some(&attribute.name)
}

const HOUR_MS: i64 = 3_600_000;

fn hour_utc(now: Timestamp) -> i64 {
    now.as_millis().div_euclid(HOUR_MS).rem_euclid(24)
}

/// 1970-01-01 was a Thursday.
fn weekday_utc(now: Timestamp) -> &'static str {
    let days = now.as_millis().div_euclid(24 * HOUR_MS);
    let index = usize::try_from(days.saturating_add(3).rem_euclid(7)).unwrap_or(0);
    WEEKDAYS.get(index).copied().unwrap_or("mon")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_and_weekdays_are_those_of_utc() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(weekday_utc(at("1970-01-01T00:00:00Z")), "thu");
        assert_eq!(weekday_utc(at("1969-12-31T23:59:59.999Z")), "wed");
        assert_eq!(weekday_utc(at("2026-09-21T23:00:00-02:00")), "tue");
        assert_eq!(hour_utc(at("2026-09-21T23:00:00-02:00")), 1);
        assert_eq!(hour_utc(at("1969-12-31T23:59:59.999Z")), 23);
    }
}
