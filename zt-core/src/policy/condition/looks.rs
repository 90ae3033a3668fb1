//! What a condition looks at: for whoever must try all facts that could change it.

use std::collections::BTreeSet;

use super::types::{Expression, Operand, Predicate, Test};
use super::{Attribute, BuiltIn, Condition};
use crate::clock::Timestamp;
use crate::policy::value::Value;

/// The facts that a condition tests.
#[derive(Debug, Default)]
pub(in crate::policy) struct Looks {
    /// Whether it tests anything.
    pub(in crate::policy) anything: bool,
    /// Whether it tests who proposed a change.
    pub(in crate::policy) author: bool,
    /// The texts that the author is compared with.
    pub(in crate::policy) authors: BTreeSet<String>,
    /// The numbers that a job is compared with.
    pub(in crate::policy) jobs: BTreeSet<u32>,
    /// The numbers that a stage is compared with.
    pub(in crate::policy) stages: BTreeSet<u32>,
    /// The moments with which the time is compared.
    pub(in crate::policy) moments: BTreeSet<Timestamp>,
    /// The names of other facts than caller, action, job, stage and author.
    pub(in crate::policy) others: BTreeSet<String>,
}

impl Condition {
    /// What it looks at.
    pub(in crate::policy) fn looks(&self) -> Looks {
        let mut looks = Looks {
            moments: self.moments(),
            ..Looks::default()
        };
        let mut open: Vec<&Expression> = self.parts.iter().collect();
        while let Some(expression) = open.pop() {
            match expression {
                Expression::All(parts) | Expression::Any(parts) => open.extend(parts),
                Expression::Not(part) => open.push(part),
                Expression::Test(test) => looks.add(test),
            }
        }
        looks
    }
}

impl Condition {
    /// The attributes that it looks at, as often as it does.
    pub(in crate::policy) fn attributes(&self) -> Vec<&Attribute> {
        let mut found = Vec::new();
        let mut open: Vec<&Expression> = self.parts.iter().collect();
        while let Some(expression) = open.pop() {
            match expression {
                Expression::All(parts) | Expression::Any(parts) => open.extend(parts),
                Expression::Not(part) => open.push(part),
                Expression::Test(test) => found.extend(test.attributes()),
            }
        }
        found
    }
}

impl Looks {
    fn add(&mut self, test: &Test) {
        let (values, attributes) = operands(&test.predicate);
        // No number of the condition says which job or stage would equal another fact.
        let compared = attributes.iter().map(|_| &*test.attribute);
        let numbered = |of: &&Attribute| {
            matches!(of.built_in, Some(BuiltIn::Job | BuiltIn::Stage)) && !attributes.is_empty()
        };
        let unguessed = attributes.iter().copied().chain(compared).filter(numbered);
        self.others.extend(unguessed.map(Attribute::fact));
        // No list of texts has every author that is like a pattern, nor every moment that another fact may be.
        let is_author = test.attribute.built_in == Some(BuiltIn::Author);
        if is_author && is_by_part(&test.predicate) {
            self.others.insert(test.attribute.fact());
        }
        let times = attributes.iter().copied().chain([&*test.attribute]);
        let mut times = times.filter(|attribute| attribute.built_in == Some(BuiltIn::Now));
        if let Some(now) = times.next().filter(|_| !attributes.is_empty()) {
            self.others.insert(now.fact());
        }
        for &attribute in attributes.iter().chain([&&*test.attribute]) {
            self.attribute(attribute, &values);
        }
    }

    fn attribute(&mut self, attribute: &Attribute, values: &[&Value]) {
        self.anything = true;
        // A question is asked on tables that say it.
        if attribute.is_in_tables() {
            return;
        }
        let numbers = values.iter().filter_map(|value| match value {
            Value::Int(number) => u32::try_from(*number).ok(),
            Value::Bool(_)
            | Value::Decimal(_)
            | Value::Text(_)
            | Value::Set(_)
            | Value::Ip(_)
            | Value::Datetime(_) => None,
        });
        match attribute.built_in {
            Some(BuiltIn::Job) => self.jobs.extend(numbers),
            Some(BuiltIn::Stage) => self.stages.extend(numbers),
            Some(BuiltIn::Author) => {
                self.author = true;
                self.authors
                    .extend(values.iter().filter_map(|value| match value {
                        Value::Text(text) => Some(text.clone()),
                        Value::Bool(_)
                        | Value::Int(_)
                        | Value::Decimal(_)
                        | Value::Set(_)
                        | Value::Ip(_)
                        | Value::Datetime(_) => None,
                    }));
            }
            // A question names these itself.
            Some(BuiltIn::PrincipalId | BuiltIn::PrincipalKind | BuiltIn::ActionName)
            | Some(BuiltIn::ResourceKind) => {}
            // Its moments are all that tells it apart.
            Some(BuiltIn::Now) => {}
            // A name that no table has stands for many: a test of its text may tell them apart.
            Some(BuiltIn::ResourcePath | BuiltIn::Hour | BuiltIn::Weekday)
            | Some(BuiltIn::Mfa | BuiltIn::AuthContexts | BuiltIn::ClientId)
            | Some(BuiltIn::Tenant | BuiltIn::Proven)
            | None => {
                self.others.insert(attribute.fact());
            }
        }
    }
}

/// Whether a test looks at a part of a text.
const fn is_by_part(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Contains(_)
        | Predicate::StartsWith(_)
        | Predicate::EndsWith(_)
        | Predicate::Like(_) => true,
        Predicate::True
        | Predicate::Has
        | Predicate::Compare(..)
        | Predicate::Among(_)
        | Predicate::MemberOf(_)
        | Predicate::Cidr(_)
        | Predicate::Between(..) => false,
    }
}

/// The values and attributes on the right of a test.
fn operands(predicate: &Predicate) -> (Vec<&Value>, Vec<&Attribute>) {
    match predicate {
        Predicate::True | Predicate::Has | Predicate::Like(_) | Predicate::Cidr(_) => {
            (Vec::new(), Vec::new())
        }
        Predicate::Among(values) => (values.iter().collect(), Vec::new()),
        Predicate::MemberOf(attribute) => (Vec::new(), vec![attribute]),
        Predicate::Compare(_, operand)
        | Predicate::Contains(operand)
        | Predicate::StartsWith(operand)
        | Predicate::EndsWith(operand) => split([operand]),
        Predicate::Between(least, most) => split([least, most]),
    }
}

fn split<'a>(
    operands: impl IntoIterator<Item = &'a Operand>,
) -> (Vec<&'a Value>, Vec<&'a Attribute>) {
    let (mut values, mut attributes) = (Vec::new(), Vec::new());
    for operand in operands {
        match operand {
            Operand::Value(value) => values.push(value),
            Operand::Attribute(attribute) => attributes.push(&**attribute),
        }
    }
    (values, attributes)
}
