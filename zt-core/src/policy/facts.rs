//! What is known of one request: the value of every attribute, or nothing.
//!
//! In: a [`Request`] and a snapshot. Out: values that fit their attribute's type and provenance; all else is unknown.

use super::attribute::{self, Attribute, BuiltIn, Namespace, WEEKDAYS};
use super::value::Datum;
use super::{Action, Context, Provenance, Request, ResourceKind, StepUp, Truth, Value};
use crate::clock::Timestamp;
use crate::id::{PrincipalId, PrincipalKind};
use crate::metadata::{Snapshot, StoreFacts};

/// A fact that is known better than by assertion: full name, value, how it is known.
pub(crate) type Stated = (String, Value, Provenance);

/// The facts that count for one request on one snapshot.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    caller: Option<&'a PrincipalId>,
    author: Option<&'a PrincipalId>,
    action: Action,
    resource: (ResourceKind, &'a str),
    context: &'a Context,
    now: Option<Timestamp>,
    attributes: &'a [Stated],
    /// What the caller's token says.
    proven: &'a [Stated],
    store: &'a StoreFacts,
}

impl<'a> Facts<'a> {
    /// What a request states.
    pub(super) fn of(request: &'a Request, snapshot: &'a Snapshot) -> Self {
        let resource = (request.resource.kind(), request.resource.path());
        let caller = request.caller.as_ref();
        let facts = Self::new(snapshot, caller, request.action, resource, &request.context);
        Self {
            now: request.now,
            attributes: &request.attributes,
            proven: &request.proven,
            ..facts
        }
    }

    /// The same from its parts, at no known time. An author whom no row of Principals names, or who cannot act, is unknown.
    /// Else anybody could approve a change of their own by inventing its author.
    pub(super) fn new(
        snapshot: &'a Snapshot,
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
            proven: &[],
            store: snapshot.store(),
        }
    }

    /// The same with what the caller's token says.
    pub(super) const fn proven(mut self, proven: &'a [Stated]) -> Self {
        self.proven = proven;
        self
    }

    /// The same at this moment.
    pub(super) const fn at(mut self, now: Option<Timestamp>) -> Self {
        self.now = now;
        self
    }

    /// Whether the caller signed in so strongly.
    pub(super) fn strength(&self, step_up: StepUp) -> Truth {
        let said = Self::strength_attribute(step_up).and_then(|attribute| self.value(attribute));
        Truth::of(match (step_up, said) {
            (StepUp::Mfa, Some(Datum::Bool(value))) => Some(value),
            (StepUp::Context(_), Some(Datum::Set(set))) => {
                Some(set.iter().any(|context| context.parse() == Ok(step_up)))
            }
            _ => None,
        })
    }

    /// The attribute that says so.
    pub(super) fn strength_attribute(step_up: StepUp) -> Option<&'static Attribute> {
        attribute::shared(match step_up {
            StepUp::Mfa => BuiltIn::Mfa,
            StepUp::Context(_) => BuiltIn::AuthContexts,
        })
    }

    /// When, if that is known.
    pub(super) const fn now(&self) -> Option<Timestamp> {
        self.now
    }

    /// The value of an attribute: a fact of the type and provenance that it needs, else its default, else none.
    pub(super) fn value(&self, attribute: &'a Attribute) -> Option<Datum<'a>> {
        self.known(attribute).or_else(|| {
            attribute
                .default
                .as_ref()?
                .as_datum()
                .fit(attribute.kind, &attribute.values)
        })
    }

    /// The same without the default.
    pub(super) fn known(&self, attribute: &Attribute) -> Option<Datum<'a>> {
        self.fact(attribute)?.fit(attribute.kind, &attribute.values)
    }

    fn fact(&self, attribute: &Attribute) -> Option<Datum<'a>> {
        let Some(built_in) = attribute.built_in else {
            // A decision is about the whole resource: which rows, its filter says.
            if attribute.namespace == Namespace::Row {
                return None;
            }
            return self.declared(attribute);
        };
        let number = |number: u32| Datum::Int(i64::from(number));
        match built_in {
            BuiltIn::PrincipalId => self.caller.map(|id| Datum::Text(id.as_str())),
            BuiltIn::PrincipalKind => {
                let kind = self.caller?.kind();
                Some(Datum::Text(kind.prefix().trim_end_matches(':')))
            }
            BuiltIn::Mfa | BuiltIn::AuthContexts | BuiltIn::ClientId | BuiltIn::Tenant => {
                self.declared(attribute)
            }
            BuiltIn::ResourceKind => Some(Datum::Text(self.resource.0.as_str())),
            BuiltIn::ResourcePath => Some(Datum::Text(self.resource.1)),
            BuiltIn::ActionName => Some(Datum::Text(self.action.as_str())),
            BuiltIn::Job => self.context.job().map(number),
            BuiltIn::Stage => self.context.stage().map(number),
            // Whose grant stays in the pocket proves nothing, which is not known to be false: that would disarm a deny.
            BuiltIn::Proven => self.context.is_proven().then_some(Datum::Bool(true)),
            BuiltIn::Author => self.author.map(|id| Datum::Text(id.as_str())),
            BuiltIn::Now => self.now.map(Datum::Datetime),
            BuiltIn::Hour => Some(Datum::Int(hour_utc(self.now?))),
            BuiltIn::Weekday => Some(Datum::Text(weekday_utc(self.now?))),
        }
    }

    /// What the tables say comes first where a store is asked: their owner reviewed it. What is asserted counts in
    /// `context.` alone, and where the attribute asks for no more.
    fn declared(&self, attribute: &Attribute) -> Option<Datum<'a>> {
        if let Some(value) = self.stored(attribute) {
            return Some(value.as_datum());
        }
        let stated = self.attributes.iter().rev().chain(self.proven);
        let mut counting = stated.filter(|(name, _, provenance)| {
            provenance.counts_as(attribute.provenance) && is_name(attribute, name)
        });
        if let Some((_, value, _)) = counting.next() {
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

    /// What a row of Principals or Resources says.
    fn stored(&self, attribute: &Attribute) -> Option<&'a Value> {
        if attribute.provenance != Provenance::Store {
            return None;
        }
        match attribute.namespace {
            Namespace::Principal => self.store.of_principal(self.caller?, &attribute.name),
            Namespace::Resource => self.store.of_resource(self.resource, &attribute.name),
            Namespace::Action | Namespace::Context | Namespace::Time | Namespace::Row => None,
        }
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
