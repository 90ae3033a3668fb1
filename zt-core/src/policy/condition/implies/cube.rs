//! What is claimed of all facts at once, and whether any facts are like that.
//!
//! In: tests, each with the value that it must have. Out: whether the claims contradict each other, which is only said where
//! it is sure. Each fact keeps the values that are left to it, and whether it may be missing. A comparison of two attributes
//! is kept as it is: nothing is concluded from it but that both are known and that it holds.

use std::collections::BTreeMap;

use super::domain::Domain;
use super::text::Spelling;
use crate::policy::ResourceKind;
use crate::policy::attribute::{Attribute, BuiltIn, Namespace};
use crate::policy::condition::types::{Comparison, Predicate};
use crate::policy::value::Value;

/// What a full name tells apart.
type Name<'a> = (Namespace, &'a str);

/// What is claimed of one fact.
#[derive(Debug, Clone)]
struct Fact<'a> {
    built_in: Option<BuiltIn>,
    may_be_missing: bool,
    domain: Domain<'a>,
}

/// How two facts stand to each other, beside how they compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kinship {
    MemberOf,
    Contains,
    StartsWith,
    EndsWith,
}

/// The claims so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Cube<'a> {
    facts: BTreeMap<Name<'a>, Fact<'a>>,
    /// Whether the first may be less than, equal to and greater than the second, which has the greater name.
    orders: BTreeMap<(Name<'a>, Name<'a>), [bool; 3]>,
    kin: BTreeMap<(Name<'a>, Kinship, Name<'a>), bool>,
    /// Two claims about two facts contradict each other.
    is_impossible: bool,
}

/// Whether a test must be true or false, and whether it may be unknown instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) truth: bool,
    pub(super) or_unknown: bool,
}

impl<'a> Cube<'a> {
    /// The fact is missing.
    pub(super) fn claim_missing(&mut self, attribute: &'a Attribute) {
        self.fact(attribute).domain = Domain::Nothing;
    }

    /// The fact is known.
    pub(super) fn claim_known(&mut self, attribute: &'a Attribute) {
        self.fact(attribute).may_be_missing = false;
    }

    /// A test of one attribute has this value.
    pub(super) fn claim(
        &mut self,
        attribute: &'a Attribute,
        predicate: &'a Predicate,
        wanted: Wanted,
    ) {
        let fact = self.fact(attribute);
        fact.may_be_missing &= wanted.or_unknown;
        fact.domain.claim(predicate, wanted.truth);
    }

    /// A comparison with a value, of which `between` is two, has this value.
    pub(super) fn claim_comparison(
        &mut self,
        (attribute, comparison, value): (&'a Attribute, Comparison, &'a Value),
        wanted: Wanted,
    ) {
        let fact = self.fact(attribute);
        fact.may_be_missing &= wanted.or_unknown;
        fact.domain.compare(comparison, value, wanted.truth);
    }

    /// Both are known, and compare so or do not.
    pub(super) fn claim_order(
        &mut self,
        (one, comparison, other): (&'a Attribute, Comparison, &'a Attribute),
        truth: bool,
    ) {
        self.claim_known(one);
        self.claim_known(other);
        let [less, equal, greater] = comparison.orders().map(|is_in| is_in == truth);
        let (left, right) = (name(one), name(other));
        let (key, orders) = match left.cmp(&right) {
            std::cmp::Ordering::Less => ((left, right), [less, equal, greater]),
            std::cmp::Ordering::Equal => ((left, right), [false, equal, false]),
            std::cmp::Ordering::Greater => ((right, left), [greater, equal, less]),
        };
        let known = self.orders.entry(key).or_insert([true; 3]);
        for (left, is_in) in known.iter_mut().zip(orders) {
            *left &= is_in;
        }
        self.is_impossible |= *known == [false; 3];
    }

    /// Both are known, and stand so to each other or do not.
    pub(super) fn claim_kin(
        &mut self,
        (one, kinship, other): (&'a Attribute, Kinship, &'a Attribute),
        truth: bool,
    ) {
        self.claim_known(one);
        self.claim_known(other);
        let key = (name(one), kinship, name(other));
        let known = *self.kin.entry(key).or_insert(truth);
        // Every text begins with, ends with and contains itself, and no text is a set.
        let is_itself = key.0 == key.2;
        self.is_impossible |= known != truth || (is_itself && !truth);
    }

    /// Whether surely no facts are like that.
    pub(super) fn is_impossible(&self) -> bool {
        let paths = Spelling::of_paths(self.kinds());
        let has_no_value = |fact: &Fact<'_>| {
            !fact.may_be_missing && fact.domain.is_empty(spelling(fact.built_in, paths))
        };
        self.is_impossible || self.facts.values().any(has_no_value)
    }

    /// The kinds that the resource can still be of.
    fn kinds(&self) -> impl Iterator<Item = ResourceKind> {
        let known = self.facts.get(&(Namespace::Resource, "kind"));
        let can_be =
            move |kind: &ResourceKind| known.is_none_or(|fact| fact.domain.allows(kind.as_str()));
        ResourceKind::ALL.iter().copied().filter(can_be)
    }

    fn fact(&mut self, attribute: &'a Attribute) -> &mut Fact<'a> {
        let new = || Fact {
            built_in: attribute.built_in,
            may_be_missing: !attribute.is_always_known(),
            domain: Domain::of(attribute),
        };
        self.facts.entry(name(attribute)).or_insert_with(new)
    }
}

fn name(attribute: &Attribute) -> Name<'_> {
    (attribute.namespace, &attribute.name)
}

/// How the texts of an attribute are spelled.
fn spelling(built_in: Option<BuiltIn>, paths: Spelling) -> Spelling {
    if built_in == Some(BuiltIn::ResourcePath) {
        paths
    } else if built_in == Some(BuiltIn::PrincipalId) {
        Spelling::Principal
    } else if built_in == Some(BuiltIn::Author) {
        Spelling::Author
    } else {
        Spelling::Any
    }
}

impl Comparison {
    /// Whether it holds of a smaller, an equal and a greater value.
    const fn orders(self) -> [bool; 3] {
        match self {
            Self::Equal => [false, true, false],
            Self::NotEqual => [true, false, true],
            Self::Less => [true, false, false],
            Self::AtMost => [true, true, false],
            Self::Greater => [false, false, true],
            Self::AtLeast => [false, true, true],
        }
    }
}
