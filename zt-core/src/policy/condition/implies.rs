//! What follows from a condition for all facts: whether another holds too, and whether it can hold at all.
//!
//! In: claims that conditions are true, not false and so on. Out: whether surely no facts satisfy all of them. Everything
//! else is asked by that: A implies B when A and not B is impossible, and two exclude each other when both is impossible.
//!
//! Sound and incomplete: yes is sure, no means not known. The alternatives of the claims (a disjunctive normal form) are
//! tried one after the other; each must contradict itself. No more than [`MOST_TRIED`] are tried for one question, so that
//! a condition with very many is answered by no.
//!
//! Kleene: a test is true, false or unknown, and unknown where one of its facts is missing. So a claim says which of the
//! three may be, and a fact that is missing is one more value of the fact.

mod cube;
mod domain;
mod range;
mod text;

use self::cube::{Cube, Kinship, Wanted};
use super::Condition;
use super::types::{Comparison, Expression, Operand, Predicate, Test};
use crate::policy::Effect;
use crate::policy::attribute::Attribute;
use crate::policy::value::Value;

/// The most alternatives that are tried for one question.
const MOST_TRIED: u32 = 512;

/// How many alternatives may still be tried, over many questions.
#[derive(Debug)]
pub(in crate::policy) struct Fuel(u64);

impl Fuel {
    /// So many alternatives in all.
    pub(in crate::policy) const fn new(alternatives: u64) -> Self {
        Self(alternatives)
    }

    fn burn(&mut self) -> bool {
        let is_left = self.0 > 0;
        self.0 = self.0.saturating_sub(1);
        is_left
    }
}

/// That a condition has one of the truths that are named.
#[derive(Debug, Clone, Copy)]
pub(in crate::policy) struct Claim<'a> {
    condition: &'a Condition,
    wanted: Wanted,
}

impl<'a> Claim<'a> {
    const fn new(condition: &'a Condition, truth: bool, or_unknown: bool) -> Self {
        let wanted = Wanted { truth, or_unknown };
        Self { condition, wanted }
    }

    /// It is true.
    pub(in crate::policy) const fn is_true(condition: &'a Condition) -> Self {
        Self::new(condition, true, false)
    }

    /// It is true or unknown.
    pub(in crate::policy) const fn is_not_false(condition: &'a Condition) -> Self {
        Self::new(condition, true, true)
    }

    /// It is false.
    pub(in crate::policy) const fn is_false(condition: &'a Condition) -> Self {
        Self::new(condition, false, false)
    }

    /// A row of this effect applies, as far as its condition goes: an unknown never satisfies an allow and never disarms a
    /// deny or a restriction.
    pub(in crate::policy) const fn applies(condition: &'a Condition, effect: Effect) -> Self {
        match effect {
            Effect::Allow => Self::is_true(condition),
            Effect::Deny | Effect::Restrict => Self::is_not_false(condition),
        }
    }

    /// What is claimed is not so.
    pub(in crate::policy) const fn not(self) -> Self {
        Self::new(self.condition, !self.wanted.truth, !self.wanted.or_unknown)
    }
}

/// Whether surely no facts satisfy all claims.
pub(in crate::policy) fn is_impossible(claims: &[Claim<'_>], fuel: &mut Fuel) -> bool {
    let mut first = Branch::default();
    for claim in claims {
        first.open(&claim.condition.parts, claim.wanted);
    }
    let mut branches = vec![first];
    let mut left = MOST_TRIED;
    while let Some(mut branch) = branches.pop() {
        branch.settle();
        if branch.cube.is_impossible() {
            continue;
        }
        // A branch without alternatives may be how things are.
        let Some(choice) = branch.choose() else {
            return false;
        };
        for alternative in choice {
            let Some(less) = left.checked_sub(1) else {
                return false;
            };
            if !fuel.burn() {
                return false;
            }
            left = less;
            let mut one = branch.clone();
            one.claims.push(alternative);
            branches.push(one);
        }
    }
    true
}

/// Whether under all facts that satisfy the claims `then` is satisfied too.
pub(in crate::policy) fn implies(given: &[Claim<'_>], then: Claim<'_>, fuel: &mut Fuel) -> bool {
    let mut claims = given.to_vec();
    claims.push(then.not());
    is_impossible(&claims, fuel)
}

/// One claim about a part of a condition.
#[derive(Debug, Clone, Copy)]
enum Part<'a> {
    Expression(&'a Expression, Wanted),
    /// One of the two bounds of `between`.
    Bound(&'a Attribute, Comparison, &'a Operand, Wanted),
    /// Two facts are known, and a test of both has this value.
    Order((&'a Attribute, Comparison, &'a Attribute), bool),
    Kin((&'a Attribute, Kinship, &'a Attribute), bool),
    Missing(&'a Attribute),
}

/// What must all be so, and of what at least one must be.
#[derive(Debug, Clone, Default)]
struct Branch<'a> {
    claims: Vec<Part<'a>>,
    choices: Vec<Vec<Part<'a>>>,
    cube: Cube<'a>,
}

impl<'a> Branch<'a> {
    /// The conjunction of these has the value: all of them, or for false one of them.
    fn open(&mut self, parts: &'a [Expression], wanted: Wanted) {
        self.join(parts, wanted, wanted.truth);
    }

    fn join(&mut self, parts: &'a [Expression], wanted: Wanted, all: bool) {
        let parts = parts.iter().map(|part| Part::Expression(part, wanted));
        if all {
            self.claims.extend(parts);
        } else {
            self.choices.push(parts.collect());
        }
    }

    /// Takes in every claim, until choices alone are left.
    fn settle(&mut self) {
        while let Some(part) = self.claims.pop() {
            match part {
                Part::Expression(Expression::All(parts), wanted) => {
                    self.join(parts, wanted, wanted.truth);
                }
                Part::Expression(Expression::Any(parts), wanted) => {
                    self.join(parts, wanted, !wanted.truth);
                }
                Part::Expression(Expression::Not(part), wanted) => {
                    let turned = Wanted {
                        truth: !wanted.truth,
                        ..wanted
                    };
                    self.claims.push(Part::Expression(part, turned));
                }
                Part::Expression(Expression::Test(test), wanted) => self.test(test, wanted),
                Part::Bound(attribute, comparison, operand, wanted) => {
                    self.compare((attribute, comparison, operand), wanted);
                }
                Part::Order(order, truth) => self.cube.claim_order(order, truth),
                Part::Kin(kin, truth) => self.cube.claim_kin(kin, truth),
                Part::Missing(attribute) => self.cube.claim_missing(attribute),
            }
        }
    }

    fn test(&mut self, test: &'a Test, wanted: Wanted) {
        let attribute = &*test.attribute;
        match &test.predicate {
            Predicate::Compare(comparison, operand) => {
                self.compare((attribute, *comparison, operand), wanted);
            }
            // It is the conjunction of two comparisons, in Kleene's logic too.
            Predicate::Between(low, high) => {
                let bounds = [(Comparison::AtLeast, low), (Comparison::AtMost, high)];
                let bounds = bounds
                    .map(|(comparison, bound)| Part::Bound(attribute, comparison, bound, wanted));
                if wanted.truth {
                    self.claims.extend(bounds);
                } else {
                    self.choices.push(bounds.to_vec());
                }
            }
            Predicate::MemberOf(set) => self.kin((attribute, Kinship::MemberOf, set), wanted),
            Predicate::Contains(Operand::Attribute(other)) => {
                self.kin((attribute, Kinship::Contains, other), wanted);
            }
            Predicate::StartsWith(Operand::Attribute(other)) => {
                self.kin((attribute, Kinship::StartsWith, other), wanted);
            }
            Predicate::EndsWith(Operand::Attribute(other)) => {
                self.kin((attribute, Kinship::EndsWith, other), wanted);
            }
            Predicate::True
            | Predicate::Has
            | Predicate::Among(_)
            | Predicate::Contains(Operand::Value(_))
            | Predicate::StartsWith(Operand::Value(_))
            | Predicate::EndsWith(Operand::Value(_))
            | Predicate::Like(_)
            | Predicate::Cidr(_) => self.cube.claim(attribute, &test.predicate, wanted),
        }
    }

    fn compare(
        &mut self,
        (attribute, comparison, operand): (&'a Attribute, Comparison, &'a Operand),
        wanted: Wanted,
    ) {
        match operand {
            Operand::Value(value) => {
                let comparison: (_, _, &'a Value) = (attribute, comparison, value);
                self.cube.claim_comparison(comparison, wanted);
            }
            Operand::Attribute(other) => {
                let known = Part::Order((attribute, comparison, other), wanted.truth);
                self.pair(known, (attribute, other), wanted);
            }
        }
    }

    fn kin(&mut self, kin: (&'a Attribute, Kinship, &'a Attribute), wanted: Wanted) {
        self.pair(Part::Kin(kin, wanted.truth), (kin.0, kin.2), wanted);
    }

    /// A test of two facts: both are known and it is so, or one of them is missing where that may be.
    fn pair(
        &mut self,
        known: Part<'a>,
        (one, other): (&'a Attribute, &'a Attribute),
        wanted: Wanted,
    ) {
        if wanted.or_unknown {
            let choice = vec![known, Part::Missing(one), Part::Missing(other)];
            self.choices.push(choice);
        } else {
            self.claims.push(known);
        }
    }

    /// The choice with the fewest alternatives, taken out.
    fn choose(&mut self) -> Option<Vec<Part<'a>>> {
        let choices = self.choices.iter().enumerate();
        let (at, _) = choices.min_by_key(|(_, choice)| choice.len())?;
        Some(self.choices.swap_remove(at))
    }
}

#[cfg(test)]
mod tests;
