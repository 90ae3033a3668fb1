//! Which tests keep a condition from holding: what is, and what would pass. Values of secret attributes are never shown.

use super::types::{Comparison, Expression, Operand, Predicate, Test};
use super::{Condition, Truth};
use crate::policy::Unmet;
use crate::policy::attribute::{Attribute, BuiltIn};
use crate::policy::facts::Facts;
use crate::policy::value::{Datum, Value};

/// What stands for a value that nobody may see.
pub(crate) const SECRET: &str = "[secret]";

impl Condition {
    /// The tests that fail or are unknown; of alternatives, the nearest.
    pub(in crate::policy) fn unmet(&self, facts: &Facts<'_>) -> Vec<Unmet> {
        let parts = self.parts.iter();
        parts.flat_map(|part| unmet(part, true, facts)).collect()
    }

    /// The facts that are missing, where that makes the condition unknown.
    pub(in crate::policy) fn unknown(&self, facts: &Facts<'_>) -> Vec<String> {
        let mut names = Vec::new();
        for part in self
            .parts
            .iter()
            .filter(|part| part.evaluate(facts) == Truth::Unknown)
        {
            unknown(part, facts, &mut names);
        }
        names
    }
}

fn unknown(expression: &Expression, facts: &Facts<'_>, names: &mut Vec<String>) {
    match expression {
        Expression::All(parts) | Expression::Any(parts) => {
            for part in parts {
                unknown(part, facts, names);
            }
        }
        Expression::Not(part) => unknown(part, facts, names),
        Expression::Test(test) if test.evaluate(facts) == Truth::Unknown => {
            let missing = test
                .attributes()
                .filter(|attribute| facts.value(attribute).is_none());
            names.extend(missing.map(Attribute::fact));
        }
        Expression::Test(_) => {}
    }
}

fn unmet(expression: &Expression, wanted: bool, facts: &Facts<'_>) -> Vec<Unmet> {
    let wants = if wanted { Truth::True } else { Truth::False };
    if expression.evaluate(facts) == wants {
        return Vec::new();
    }
    match (expression, wanted) {
        (Expression::All(parts), true) | (Expression::Any(parts), false) => parts
            .iter()
            .flat_map(|part| unmet(part, wanted, facts))
            .collect(),
        (Expression::Any(parts), true) | (Expression::All(parts), false) => {
            let ways = parts.iter().map(|part| unmet(part, wanted, facts));
            ways.min_by_key(Vec::len).unwrap_or_default()
        }
        (Expression::Not(part), _) => unmet(part, !wanted, facts),
        (Expression::Test(test), _) => vec![test.unmet(wanted, facts)],
    }
}

impl Test {
    /// The attributes that it looks at.
    pub(in crate::policy) fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        let (one, two) = match &self.predicate {
            Predicate::Compare(_, other)
            | Predicate::Contains(other)
            | Predicate::StartsWith(other)
            | Predicate::EndsWith(other) => (other.attribute(), None),
            Predicate::Between(low, high) => (low.attribute(), high.attribute()),
            Predicate::MemberOf(set) => (Some(&**set), None),
            Predicate::True
            | Predicate::Has
            | Predicate::Among(_)
            | Predicate::Like(_)
            | Predicate::Cidr(_) => (None, None),
        };
        std::iter::once(&*self.attribute).chain(one).chain(two)
    }

    fn unmet(&self, wanted: bool, facts: &Facts<'_>) -> Unmet {
        let unknown = self
            .attributes()
            .find(|attribute| facts.value(attribute).is_none());
        let about = unknown.unwrap_or(&self.attribute);
        let is_own = std::ptr::eq(about, &*self.attribute) || self.is_four_eyes();
        let needs = match (self.attributes().any(Attribute::is_secret), is_own) {
            (true, _) => SECRET.to_owned(),
            (false, true) => self.needs(wanted),
            (false, false) => {
                let not = if wanted { "" } else { "not " };
                format!("a value such that {not}`{self}`")
            }
        };
        let about = if self.is_four_eyes() {
            &self.attribute
        } else {
            about
        };
        Unmet::Fact {
            fact: about.fact(),
            needs,
            is: facts.value(about).map(|value| shown(about, value)),
        }
    }

    /// `context.author != principal.id`, which `not_author = true` is short for.
    fn is_four_eyes(&self) -> bool {
        let is_caller = |other: &Attribute| other.built_in == Some(BuiltIn::PrincipalId);
        let Predicate::Compare(Comparison::NotEqual, Operand::Attribute(other)) = &self.predicate
        else {
            return false;
        };
        self.attribute.built_in == Some(BuiltIn::Author) && is_caller(other)
    }

    fn needs(&self, wanted: bool) -> String {
        if self.is_four_eyes() && wanted {
            return "someone else than the caller".to_owned();
        }
        let value = |operand: &Operand| match operand {
            Operand::Value(value) => shown(&self.attribute, value.as_datum()),
            Operand::Attribute(other) => other.to_string(),
        };
        let not = if wanted { "" } else { "not " };
        match &self.predicate {
            Predicate::True => wanted.to_string(),
            Predicate::Has => format!("{not}to be known"),
            Predicate::Compare(comparison, other) => {
                format!("{}{}", comparison.words(wanted), value(other))
            }
            Predicate::Among(members) => {
                let members: Vec<String> = members
                    .iter()
                    .map(|member| shown(&self.attribute, Value::as_datum(member)))
                    .collect();
                format!("{not}one of {}", members.join(", "))
            }
            Predicate::MemberOf(set) => format!("{not}to be in {set}"),
            Predicate::Contains(other) => format!("{not}to contain {}", value(other)),
            Predicate::StartsWith(other) => format!("{not}to start with {}", value(other)),
            Predicate::EndsWith(other) => format!("{not}to end with {}", value(other)),
            Predicate::Like(pattern) => {
                format!("{not}to be like {}", Datum::Text(pattern))
            }
            Predicate::Cidr(ranges) => {
                let ranges: Vec<String> = ranges.iter().map(ToString::to_string).collect();
                format!("{not}an address in {}", ranges.join(", "))
            }
            Predicate::Between(low, high) => {
                format!("{not}between {} and {}", value(low), value(high))
            }
        }
    }
}

impl Operand {
    fn attribute(&self) -> Option<&Attribute> {
        match self {
            Self::Value(_) => None,
            Self::Attribute(attribute) => Some(attribute),
        }
    }
}

impl Comparison {
    const fn words(self, wanted: bool) -> &'static str {
        match (self, wanted) {
            (Self::Equal, true) | (Self::NotEqual, false) => "",
            (Self::NotEqual, true) | (Self::Equal, false) => "anything but ",
            (Self::Less, true) | (Self::AtLeast, false) => "less than ",
            (Self::AtMost, true) | (Self::Greater, false) => "at most ",
            (Self::Greater, true) | (Self::AtMost, false) => "more than ",
            (Self::AtLeast, true) | (Self::Less, false) => "at least ",
        }
    }
}

/// A value for people. The author's id stands bare, as a principal does everywhere.
pub(in crate::policy) fn shown(attribute: &Attribute, value: Datum<'_>) -> String {
    match (attribute.is_secret(), attribute.built_in, value) {
        (true, _, _) => SECRET.to_owned(),
        (false, Some(BuiltIn::Author), Datum::Text(text)) => text.to_owned(),
        _ => value.to_string(),
    }
}
