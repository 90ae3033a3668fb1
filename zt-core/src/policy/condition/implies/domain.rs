//! The values that are left to one fact after what was claimed of it.
//!
//! In: tests of one attribute against values. Out: whether a value is left; that none is, is only said where it is sure.

use std::collections::BTreeSet;

use super::range::Ranges;
use super::text::{Part, Spelling, Texts};
use crate::policy::attribute::{Attribute, BuiltIn};
use crate::policy::condition::types::{Comparison, Operand, Predicate};
use crate::policy::value::{Value, ValueType};

#[derive(Debug, Clone)]
pub(super) enum Domain<'a> {
    Points(Ranges),
    Text(Texts<'a>),
    Set {
        has: BTreeSet<&'a str>,
        lacks: BTreeSet<&'a str>,
    },
    /// Nothing is left.
    Nothing,
}

impl<'a> Domain<'a> {
    /// Everything that the attribute can be.
    pub(super) fn of(attribute: &'a Attribute) -> Self {
        if attribute.built_in == Some(BuiltIn::Hour) {
            return Self::Points(Ranges::integers(0, 23));
        }
        if matches!(attribute.built_in, Some(BuiltIn::Job | BuiltIn::Stage)) {
            return Self::Points(Ranges::integers(0, i64::from(u32::MAX)));
        }
        // True or unknown.
        if attribute.built_in == Some(BuiltIn::Proven) {
            return Self::Points(Ranges::integers(1, 1));
        }
        match (Ranges::of_type(attribute.kind), attribute.kind) {
            (Some(ranges), _) => Self::Points(ranges),
            (None, ValueType::Set) => Self::Set {
                has: BTreeSet::new(),
                lacks: BTreeSet::new(),
            },
            (None, ValueType::Enum) => Self::Text(Texts::new(Some(&attribute.values))),
            (None, _) => Self::Text(Texts::new(None)),
        }
    }

    /// The test has this value. A test that looks at another attribute claims nothing here.
    pub(super) fn claim(&mut self, predicate: &'a Predicate, wanted: bool) {
        match predicate {
            Predicate::Has if wanted => {}
            Predicate::Has => *self = Self::Nothing,
            Predicate::True => self.narrow(Ranges::integers(1, 1), wanted),
            Predicate::Compare(comparison, Operand::Value(value)) => {
                self.compare(*comparison, value, wanted);
            }
            Predicate::Among(values) => match (Ranges::among(values), &mut *self) {
                (Some(ranges), _) => self.narrow(ranges, wanted),
                (None, Self::Text(texts)) => texts.claim_words(words(values), wanted),
                (None, Self::Points(_) | Self::Set { .. } | Self::Nothing) => {}
            },
            Predicate::Contains(Operand::Value(part)) => self.contains(part, wanted),
            Predicate::StartsWith(Operand::Value(part)) => self.part(part, Part::Begins, wanted),
            Predicate::EndsWith(Operand::Value(part)) => self.part(part, Part::Ends, wanted),
            Predicate::Like(pattern) => {
                if let Self::Text(texts) = self {
                    texts.claim_part(Part::Like(pattern), wanted);
                }
            }
            Predicate::Cidr(nets) => self.narrow(Ranges::addresses(nets), wanted),
            Predicate::Compare(_, Operand::Attribute(_))
            | Predicate::Contains(Operand::Attribute(_))
            | Predicate::StartsWith(Operand::Attribute(_))
            | Predicate::EndsWith(Operand::Attribute(_))
            | Predicate::MemberOf(_)
            | Predicate::Between(..) => {}
        }
    }

    /// It compares so with this value, or does not.
    pub(super) fn compare(&mut self, comparison: Comparison, value: &'a Value, wanted: bool) {
        if let Some(ranges) = Ranges::comparing(comparison, value) {
            self.narrow(ranges, wanted);
            return;
        }
        let is_equal = match comparison {
            Comparison::Equal => true,
            Comparison::NotEqual => false,
            // Text has no order: nothing is claimed.
            Comparison::Less | Comparison::AtMost | Comparison::Greater | Comparison::AtLeast => {
                return;
            }
        };
        if let Self::Text(texts) = self {
            let value = std::slice::from_ref(value);
            texts.claim_words(words(value), is_equal == wanted);
        }
    }

    fn narrow(&mut self, to: Ranges, wanted: bool) {
        if let Self::Points(ranges) = self {
            *ranges = ranges.and(&if wanted { to } else { to.not() });
        }
    }

    fn contains(&mut self, part: &'a Value, wanted: bool) {
        if let (Self::Set { has, lacks }, Value::Text(member)) = (&mut *self, part) {
            let list = if wanted { has } else { lacks };
            list.insert(member);
        } else {
            self.part(part, Part::Holds, wanted);
        }
    }

    fn part(&mut self, part: &'a Value, kind: fn(&'a str) -> Part<'a>, wanted: bool) {
        if let (Self::Text(texts), Value::Text(part)) = (&mut *self, part) {
            texts.claim_part(kind(part), wanted);
        }
    }

    /// Whether it can still be this word.
    pub(super) fn allows(&self, word: &str) -> bool {
        match self {
            Self::Text(texts) => texts.fits(word, Spelling::Any),
            Self::Points(_) | Self::Set { .. } | Self::Nothing => false,
        }
    }

    /// Whether surely no value is left.
    pub(super) fn is_empty(&self, spelling: Spelling) -> bool {
        match self {
            Self::Points(ranges) => ranges.is_empty(),
            Self::Text(texts) => texts.is_empty(spelling),
            Self::Set { has, lacks } => !has.is_disjoint(lacks),
            Self::Nothing => true,
        }
    }
}

fn words(values: &[Value]) -> impl Iterator<Item = &str> {
    values.iter().filter_map(|value| match value {
        Value::Text(text) => Some(text.as_str()),
        Value::Bool(_)
        | Value::Int(_)
        | Value::Decimal(_)
        | Value::Set(_)
        | Value::Ip(_)
        | Value::Datetime(_) => None,
    })
}
