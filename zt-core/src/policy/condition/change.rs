//! When a condition may change by time alone.
//!
//! In: facts and a moment. Out: the first later moment at which one of its tests of `time.*` has another value. Between the
//! moments that are tried a test cannot change: `time.now` crosses a bound only at it or a millisecond after it, an hour
//! changes only on the hour, a weekday only at midnight.

use std::time::Duration;

use super::Condition;
use super::types::{Expression, Operand, Predicate, Test};
use crate::clock::Timestamp;
use crate::policy::attribute::{Attribute, BuiltIn};
use crate::policy::facts::Facts;
use crate::policy::value::Datum;

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const MILLISECOND: Duration = Duration::from_millis(1);

impl Condition {
    /// The first moment after `now` at which a test of this condition changes, all other facts being as they are.
    pub(in crate::policy) fn next_change(
        &self,
        facts: &Facts<'_>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let mut open: Vec<&Expression> = self.parts.iter().collect();
        let mut first: Option<Timestamp> = None;
        while let Some(expression) = open.pop() {
            match expression {
                Expression::All(parts) | Expression::Any(parts) => open.extend(parts),
                Expression::Not(part) => open.push(part),
                Expression::Test(test) => {
                    let change = test.next_change(facts, now);
                    first = first.into_iter().chain(change).min();
                }
            }
        }
        first
    }
}

impl Test {
    fn next_change(&self, facts: &Facts<'_>, now: Timestamp) -> Option<Timestamp> {
        let mut moments = Vec::new();
        for attribute in self.attributes() {
            match attribute.built_in {
                Some(BuiltIn::Now) => self.bounds(facts, &mut moments),
                Some(BuiltIn::Hour) => moments.extend(boundaries(now, HOUR).take(24)),
                Some(BuiltIn::Weekday) => moments.extend(boundaries(now, DAY).take(7)),
                _ => {}
            }
        }
        moments.sort_unstable();
        let is_now = self.evaluate(&facts.at(Some(now)));
        let later = moments.into_iter().filter(|moment| *moment > now);
        later
            .into_iter()
            .find(|moment| self.evaluate(&facts.at(Some(*moment))) != is_now)
    }

    /// The moments with which it compares.
    fn bounds(&self, facts: &Facts<'_>, moments: &mut Vec<Timestamp>) {
        let mut add = |value: Option<Datum<'_>>| {
            if let Some(Datum::Datetime(moment)) = value {
                moments.extend([moment, moment.after(MILLISECOND)]);
            }
        };
        let is_now = |attribute: &Attribute| attribute.built_in == Some(BuiltIn::Now);
        if !is_now(&self.attribute) {
            add(facts.value(&self.attribute));
        }
        match &self.predicate {
            Predicate::Compare(_, operand)
            | Predicate::Contains(operand)
            | Predicate::StartsWith(operand)
            | Predicate::EndsWith(operand) => add(bound(operand, facts)),
            Predicate::Between(low, high) => {
                add(bound(low, facts));
                add(bound(high, facts));
            }
            Predicate::Among(values) => values.iter().for_each(|value| add(Some(value.as_datum()))),
            Predicate::True
            | Predicate::Has
            | Predicate::MemberOf(_)
            | Predicate::Like(_)
            | Predicate::Cidr(_) => {}
        }
    }
}

/// The value of a bound that does not move with time itself.
fn bound<'a>(operand: &'a Operand, facts: &Facts<'a>) -> Option<Datum<'a>> {
    match operand {
        Operand::Attribute(attribute) if attribute.built_in == Some(BuiltIn::Now) => None,
        Operand::Attribute(_) | Operand::Value(_) => operand.value(facts),
    }
}

/// The next moments at which a whole number of `lengths` has passed since 1970, all in UTC.
fn boundaries(now: Timestamp, length: Duration) -> impl Iterator<Item = Timestamp> {
    let length = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
    let last = now.as_millis().div_euclid(length);
    (1..).map(move |number: i64| {
        let next = last.saturating_add(number);
        Timestamp::from_millis(next.saturating_mul(length))
    })
}
