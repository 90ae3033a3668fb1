//! A number of a condition by which equal ones are found among many without comparing each with each.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use super::Condition;
use super::types::{Expression, Operand, Predicate, Test};
use crate::policy::value::Value;

impl Condition {
    /// The same for equal conditions; for others nearly always another.
    pub(in crate::policy) fn fingerprint(&self) -> u64 {
        let mut hasher = FxHasher::default();
        for part in &self.parts {
            part.write(&mut hasher);
        }
        hasher.finish()
    }
}

impl Expression {
    fn write(&self, to: &mut FxHasher) {
        std::mem::discriminant(self).hash(to);
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.write(to)),
            Self::Not(part) => part.write(to),
            Self::Test(test) => test.write(to),
        }
    }
}

impl Test {
    fn write(&self, to: &mut FxHasher) {
        self.attribute.name.hash(to);
        std::mem::discriminant(&self.predicate).hash(to);
        match &self.predicate {
            Predicate::Compare(comparison, operand) => {
                std::mem::discriminant(comparison).hash(to);
                operand.write(to);
            }
            Predicate::Among(values) => values.iter().for_each(|value| write(value, to)),
            Predicate::Contains(operand)
            | Predicate::StartsWith(operand)
            | Predicate::EndsWith(operand) => operand.write(to),
            Predicate::Between(low, high) => {
                low.write(to);
                high.write(to);
            }
            Predicate::Like(pattern) => pattern.hash(to),
            Predicate::MemberOf(set) => set.name.hash(to),
            Predicate::Cidr(ranges) => ranges.hash(to),
            Predicate::True | Predicate::Has => {}
        }
    }
}

impl Operand {
    fn write(&self, to: &mut FxHasher) {
        match self {
            Self::Value(value) => write(value, to),
            Self::Attribute(attribute) => attribute.name.hash(to),
        }
    }
}

/// Values that are equal and not the same, such as decimals of another scale, may share nothing but their type.
fn write(value: &Value, to: &mut FxHasher) {
    match value {
        Value::Bool(value) => value.hash(to),
        Value::Int(value) => value.hash(to),
        Value::Text(value) => value.hash(to),
        Value::Ip(value) => value.hash(to),
        Value::Datetime(value) => value.hash(to),
        Value::Decimal(_) | Value::Set(_) => {}
    }
}
