//! Conditions made of what a row says beside its condition, and conditions taken apart, for whoever reasons about rows.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::types::{Comparison, Expression, Operand, Predicate, Test};
use super::{Attribute, BuiltIn, Condition};
use crate::clock::Timestamp;
use crate::policy::value::Value;

impl Condition {
    /// The time is in a window: `from` is in it, `to` is not. Without a time it is unknown, as a window is.
    pub(in crate::policy) fn of_window(from: Option<Timestamp>, to: Option<Timestamp>) -> Self {
        let side = |comparison, moment: Option<Timestamp>| {
            let moment = Operand::Value(Value::Datetime(moment?));
            Some(Self::of_test(BuiltIn::Now, comparison, moment))
        };
        let sides = [side(Comparison::AtLeast, from), side(Comparison::Less, to)];
        sides.into_iter().flatten().fold(Self::default(), Self::and)
    }

    /// The attribute is one of these words.
    pub(in crate::policy) fn of_words<T: AsRef<str>>(
        built_in: BuiltIn,
        words: impl IntoIterator<Item = T>,
    ) -> Self {
        let words = words
            .into_iter()
            .map(|word| Value::text(word.as_ref()))
            .collect();
        Self::of_predicate(
            Arc::new(Attribute::built_in(built_in)),
            Predicate::Among(words),
        )
    }

    /// The attribute begins so.
    pub(in crate::policy) fn of_beginning(built_in: BuiltIn, beginning: &str) -> Self {
        let beginning = Operand::Value(Value::text(beginning));
        let attribute = Arc::new(Attribute::built_in(built_in));
        Self::of_predicate(attribute, Predicate::StartsWith(beginning))
    }

    /// The fact is known.
    pub(in crate::policy) fn of_known(attribute: &Attribute) -> Self {
        Self::of_predicate(Arc::new(attribute.clone()), Predicate::Has)
    }

    fn of_predicate(attribute: Arc<Attribute>, predicate: Predicate) -> Self {
        let test = Test {
            attribute,
            predicate,
        };
        Self {
            parts: vec![Expression::Test(test)],
        }
    }

    /// The attributes of tests that can leave out all but a few values: what is only not one value may be any other.
    pub(in crate::policy) fn telling_attributes(&self) -> impl Iterator<Item = &Attribute> {
        let tests = self.tests().into_iter();
        let telling = tests
            .filter(|test| !matches!(test.predicate, Predicate::Compare(Comparison::NotEqual, _)));
        telling.flat_map(Test::attributes)
    }

    /// The moments with which it compares the time, in order.
    pub(in crate::policy) fn moments(&self) -> BTreeSet<Timestamp> {
        let tests = self.tests().into_iter();
        let of_time = tests.filter(|test| test.attribute.built_in == Some(BuiltIn::Now));
        of_time.flat_map(|test| moments(&test.predicate)).collect()
    }

    /// Its tests, each alone: a test of a list once for each member, a test of what is not as the test of what is.
    pub(in crate::policy) fn alone(&self) -> Vec<Self> {
        let mut all = Vec::new();
        for test in self.tests() {
            let predicates = match &test.predicate {
                Predicate::Among(values) => {
                    let equal = |value: &Value| {
                        let value = Operand::Value(value.clone());
                        Predicate::Compare(Comparison::Equal, value)
                    };
                    values.iter().map(equal).collect()
                }
                Predicate::Compare(Comparison::NotEqual, operand @ Operand::Value(_)) => {
                    vec![Predicate::Compare(Comparison::Equal, operand.clone())]
                }
                other @ (Predicate::True
                | Predicate::Has
                | Predicate::Compare(..)
                | Predicate::MemberOf(_)
                | Predicate::Contains(_)
                | Predicate::StartsWith(_)
                | Predicate::EndsWith(_)
                | Predicate::Like(_)
                | Predicate::Cidr(_)
                | Predicate::Between(..)) => vec![other.clone()],
            };
            let attribute = &test.attribute;
            let alone = predicates
                .into_iter()
                .map(|predicate| Self::of_predicate(Arc::clone(attribute), predicate));
            all.extend(alone);
        }
        all
    }

    /// Whether a test in it stands for job and stage being proven, of which nothing is ever known to be false.
    pub(in crate::policy) fn asks_for_proof(&self) -> bool {
        let mut open: Vec<(&Expression, bool)> =
            self.parts.iter().map(|part| (part, true)).collect();
        while let Some((expression, wanted)) = open.pop() {
            match expression {
                Expression::All(parts) | Expression::Any(parts) => {
                    open.extend(parts.iter().map(|part| (part, wanted)));
                }
                Expression::Not(part) => open.push((part, !wanted)),
                Expression::Test(test) if test.holds_by_proof() == Some(wanted) => return true,
                Expression::Test(_) => {}
            }
        }
        false
    }

    fn tests(&self) -> Vec<&Test> {
        let mut tests = Vec::new();
        let mut open: Vec<&Expression> = self.parts.iter().rev().collect();
        while let Some(expression) = open.pop() {
            match expression {
                Expression::All(parts) | Expression::Any(parts) => open.extend(parts.iter().rev()),
                Expression::Not(part) => open.push(part),
                Expression::Test(test) => tests.push(test),
            }
        }
        tests
    }
}

impl Test {
    /// What it is where job and stage are proven; `None` for a test of something else.
    fn holds_by_proof(&self) -> Option<bool> {
        let is_true = |value: &Value| *value == Value::Bool(true);
        if self.attribute.built_in != Some(BuiltIn::Proven) {
            return None;
        }
        match &self.predicate {
            Predicate::True | Predicate::Has => Some(true),
            Predicate::Compare(Comparison::Equal, Operand::Value(value)) => Some(is_true(value)),
            Predicate::Compare(Comparison::NotEqual, Operand::Value(value)) => {
                Some(!is_true(value))
            }
            Predicate::Among(values) => Some(values.iter().any(is_true)),
            Predicate::Compare(..)
            | Predicate::MemberOf(_)
            | Predicate::Contains(_)
            | Predicate::StartsWith(_)
            | Predicate::EndsWith(_)
            | Predicate::Like(_)
            | Predicate::Cidr(_)
            | Predicate::Between(..) => None,
        }
    }
}

fn moments(predicate: &Predicate) -> Vec<Timestamp> {
    let moment = |value: &Value| match value {
        Value::Datetime(moment) => Some(*moment),
        Value::Bool(_)
        | Value::Int(_)
        | Value::Decimal(_)
        | Value::Text(_)
        | Value::Set(_)
        | Value::Ip(_) => None,
    };
    let of_operand = |operand: &Operand| match operand {
        Operand::Value(value) => moment(value),
        Operand::Attribute(_) => None,
    };
    match predicate {
        Predicate::Compare(_, operand) => of_operand(operand).into_iter().collect(),
        Predicate::Between(low, high) => [low, high].into_iter().filter_map(of_operand).collect(),
        Predicate::Among(values) => values.iter().filter_map(moment).collect(),
        Predicate::True
        | Predicate::Has
        | Predicate::MemberOf(_)
        | Predicate::Contains(_)
        | Predicate::StartsWith(_)
        | Predicate::EndsWith(_)
        | Predicate::Like(_)
        | Predicate::Cidr(_) => Vec::new(),
    }
}
