//! The value of an expression: true, false or unknown, in time linear in its length and the length of the facts' text.
//!
//! Every connective is Kleene's and every test of an unknown value is unknown, so the value only ever becomes more certain
//! as facts are added: what a missing fact leaves unknown, it never makes true or false.

use std::cmp::Ordering;

use super::Truth;
use super::types::{Comparison, Expression, Operand, Predicate, Test};
use crate::policy::attribute::Attribute;
use crate::policy::facts::Facts;
use crate::policy::value::{Datum, Value};

/// Where tests find the values of attributes: the facts of a request, or the cells of a row.
pub(in crate::policy) trait Source<'a> {
    /// The value of an attribute, of its type; none where it is unknown.
    fn value(&self, attribute: &'a Attribute) -> Option<Datum<'a>>;
}

impl<'a> Source<'a> for Facts<'a> {
    fn value(&self, attribute: &'a Attribute) -> Option<Datum<'a>> {
        Facts::value(self, attribute)
    }
}

impl Expression {
    /// Its value for these facts. The depth is bounded where it is parsed.
    pub(super) fn evaluate(&self, facts: &Facts<'_>) -> Truth {
        match self {
            Self::All(parts) => {
                let values = parts.iter().map(|part| part.evaluate(facts));
                values.fold(Truth::True, Truth::and)
            }
            Self::Any(parts) => {
                let values = parts.iter().map(|part| part.evaluate(facts));
                values.fold(Truth::False, Truth::or)
            }
            Self::Not(part) => part.evaluate(facts).not(),
            Self::Test(test) => test.evaluate(facts),
        }
    }
}

impl Test {
    pub(in crate::policy) fn evaluate<'a>(&'a self, facts: &impl Source<'a>) -> Truth {
        Truth::of(self.known(facts))
    }

    fn known<'a>(&'a self, facts: &impl Source<'a>) -> Option<bool> {
        let value = facts.value(&self.attribute)?;
        match &self.predicate {
            Predicate::True => match value {
                Datum::Bool(value) => Some(value),
                Datum::Int(_)
                | Datum::Decimal(_)
                | Datum::Text(_)
                | Datum::Set(_)
                | Datum::Ip(_)
                | Datum::Datetime(_) => None,
            },
            Predicate::Has => Some(true),
            Predicate::Compare(comparison, other) => {
                Some(comparison.holds(value.compare(other.value(facts)?)?))
            }
            Predicate::Among(members) => {
                let is_it =
                    |member: &Value| value.compare(member.as_datum()) == Some(Ordering::Equal);
                Some(members.iter().any(is_it))
            }
            Predicate::MemberOf(set) => is_member(facts.value(set)?, value.text()?),
            Predicate::Contains(part) => {
                let part = part.value(facts)?.text()?;
                match value.text() {
                    Some(text) => Some(text.contains(part)),
                    None => is_member(value, part),
                }
            }
            Predicate::StartsWith(part) => {
                Some(value.text()?.starts_with(part.value(facts)?.text()?))
            }
            Predicate::EndsWith(part) => Some(value.text()?.ends_with(part.value(facts)?.text()?)),
            Predicate::Like(pattern) => Some(is_like(value.text()?, pattern)),
            Predicate::Cidr(ranges) => match value {
                Datum::Ip(address) => Some(ranges.iter().any(|range| range.contains(&address))),
                Datum::Bool(_)
                | Datum::Int(_)
                | Datum::Decimal(_)
                | Datum::Text(_)
                | Datum::Set(_)
                | Datum::Datetime(_) => None,
            },
            Predicate::Between(low, high) => {
                let known = |bound: &'a Operand, allowed: Comparison| {
                    Truth::of(
                        try_compare(value, bound.value(facts)).map(|order| allowed.holds(order)),
                    )
                };
                let (above, below) = (
                    known(low, Comparison::AtLeast),
                    known(high, Comparison::AtMost),
                );
                above.and(below).known()
            }
        }
    }
}

fn try_compare(value: Datum<'_>, bound: Option<Datum<'_>>) -> Option<Ordering> {
    value.compare(bound?)
}

fn is_member(set: Datum<'_>, text: &str) -> Option<bool> {
    match set {
        Datum::Set(set) => Some(set.contains(text)),
        Datum::Bool(_)
        | Datum::Int(_)
        | Datum::Decimal(_)
        | Datum::Text(_)
        | Datum::Ip(_)
        | Datum::Datetime(_) => None,
    }
}

impl Operand {
    pub(super) fn value<'a>(&'a self, facts: &impl Source<'a>) -> Option<Datum<'a>> {
        match self {
            Self::Value(value) => Some(value.as_datum()),
            Self::Attribute(attribute) => facts.value(attribute),
        }
    }
}

impl Comparison {
    const fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::AtLeast => order.is_ge(),
        }
    }
}

/// Whether a pattern, in which `*` stands for any text, is the whole text. The earliest place of each part is the best one,
/// so nothing is tried twice: linear, because the standard library's search is.
pub(super) fn is_like(text: &str, pattern: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return text == pattern;
    };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    let inner = text
        .strip_prefix(first)
        .and_then(|rest| rest.strip_suffix(last));
    let Some(mut open) = inner else { return false };
    for part in middle.split('*') {
        let Some((_, after)) = open.split_once(part) else {
            return false;
        };
        open = after;
    }
    true
}
