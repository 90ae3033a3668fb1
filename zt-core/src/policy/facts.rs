//! What is known of one request: the value of every attribute, or nothing.
//!
//! In: a [`Request`] and a snapshot. Out: values that fit their attribute's type and provenance; all else is unknown.

use super::attribute::{Attribute, BuiltIn, Namespace, WEEKDAYS};
use super::value::Datum;
use super::{Provenance, Request};
use crate::clock::Timestamp;
use crate::id::{PrincipalId, PrincipalKind};
use crate::metadata::Snapshot;

/// The facts that count for one request on one snapshot.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    request: &'a Request,
    author: Option<&'a PrincipalId>,
}

impl<'a> Facts<'a> {
    /// An author whom no row of Principals names, or who cannot act, is unknown. Else anybody could approve a change of
    /// their own by inventing its author.
    pub(super) fn of(request: &'a Request, snapshot: &Snapshot) -> Self {
        let is_known = |author: &&PrincipalId| {
            author.kind() != PrincipalKind::Group && snapshot.object_id(author).is_some()
        };
        Self {
            request,
            author: request.context.author().filter(is_known),
        }
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
        let request = self.request;
        let number = |number: u32| Datum::Int(i64::from(number));
        match built_in {
            BuiltIn::PrincipalId => request.caller.as_ref().map(|id| Datum::Text(id.as_str())),
            BuiltIn::PrincipalKind => {
                let kind = request.caller.as_ref()?.kind();
                Some(Datum::Text(kind.prefix().trim_end_matches(':')))
            }
            BuiltIn::ResourceKind => Some(Datum::Text(request.resource.kind().as_str())),
            BuiltIn::ResourcePath => Some(Datum::Text(request.resource.path())),
            BuiltIn::ActionName => Some(Datum::Text(request.action.as_str())),
            BuiltIn::Job => request.context.job().map(number),
            BuiltIn::Stage => request.context.stage().map(number),
            BuiltIn::Author => self.author.map(|id| Datum::Text(id.as_str())),
            BuiltIn::Now => request.now.map(Datum::Datetime),
            BuiltIn::Hour => Some(Datum::Int(hour_utc(request.now?))),
            BuiltIn::Weekday => Some(Datum::Text(weekday_utc(request.now?))),
        }
    }

    /// What is asserted counts in `context.` alone, and where the attribute asks for no more.
    fn declared(&self, attribute: &Attribute) -> Option<Datum<'a>> {
        let stated = self
            .request
            .attributes
            .iter()
            .rev()
            .find(|(name, _, provenance)| {
                provenance.counts_as(attribute.provenance) && is_name(attribute, name)
            });
        if let Some((_, value, _)) = stated {
            return Some(value.as_datum());
        }
        if attribute.namespace == Namespace::Context
            && Provenance::Request.counts_as(attribute.provenance)
        {
            return self
                .request
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
