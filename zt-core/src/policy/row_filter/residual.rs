//! What is left of a condition once everything but the row is known.

use std::sync::Arc;

use super::{Atom, Node, RowFilter, Rows};
use crate::policy::condition::{Comparison, Condition, Expression, Operand, Predicate, Test};
use crate::policy::value::Value;
use crate::policy::{Attribute, Facts, Namespace, Truth};

/// The rows for which the condition is true: unknown facts are not.
pub(in crate::policy) fn granted(condition: &Condition, facts: &Facts<'_>) -> Rows {
    let parts = condition.parts().iter();
    let parts = parts.map(|part| residual(part, true, facts));
    parts.fold(Rows::All, Rows::and)
}

/// The rows for which the condition is false: unknown facts are not.
pub(in crate::policy) fn spared(condition: &Condition, facts: &Facts<'_>) -> Rows {
    let parts = condition.parts().iter();
    let parts = parts.map(|part| residual(part, false, facts));
    parts.fold(Rows::None, Rows::or)
}

/// The rows for which the expression is true, or false. The depth is bounded where it is parsed.
fn residual(expression: &Expression, wanted: bool, facts: &Facts<'_>) -> Rows {
    match (expression, wanted) {
        (Expression::All(parts), true) | (Expression::Any(parts), false) => {
            let parts = parts.iter().map(|part| residual(part, wanted, facts));
            parts.fold(Rows::All, Rows::and)
        }
        (Expression::Any(parts), true) | (Expression::All(parts), false) => {
            let parts = parts.iter().map(|part| residual(part, wanted, facts));
            parts.fold(Rows::None, Rows::or)
        }
        (Expression::Not(part), _) => residual(part, !wanted, facts),
        (Expression::Test(test), _) => of_test(test, wanted, facts),
    }
}

fn of_test(test: &Test, wanted: bool, facts: &Facts<'_>) -> Rows {
    if !test.attributes().any(is_row) {
        let wants = if wanted { Truth::True } else { Truth::False };
        return if test.evaluate(facts) == wants {
            Rows::All
        } else {
            Rows::None
        };
    }
    settle(test, wanted, facts).map_or(Rows::None, |(test, wanted)| {
        // `has` is true or unknown, never false.
        if !wanted && test.predicate == Predicate::Has {
            return Rows::None;
        }
        Rows::Only(RowFilter::of(Node::Atom(Atom { test, wanted })))
    })
}

/// The same test with every fact beside the row as a value; nothing where such a fact is unknown and decides.
fn settle(test: &Test, wanted: bool, facts: &Facts<'_>) -> Option<(Test, bool)> {
    let side = |operand: &Operand| match operand {
        Operand::Attribute(other) if !is_row(other) => known(other, facts).map(Operand::Value),
        Operand::Attribute(_) | Operand::Value(_) => Some(operand.clone()),
    };
    let on = |attribute: &Arc<Attribute>, predicate: Predicate| Test {
        attribute: Arc::clone(attribute),
        predicate,
    };
    let column = &test.attribute;
    if !is_row(column) {
        // A fact on the left, a column on the right: turned around.
        let value = known(column, facts)?;
        return match &test.predicate {
            Predicate::Compare(comparison, Operand::Attribute(other)) => {
                let compare = Predicate::Compare(comparison.turned(), Operand::Value(value));
                Some((on(other, compare), wanted))
            }
            Predicate::MemberOf(set) => {
                Some((on(set, Predicate::Contains(Operand::Value(value))), wanted))
            }
            _ => None,
        };
    }
    let predicate = match &test.predicate {
        Predicate::Compare(comparison, operand) => Predicate::Compare(*comparison, side(operand)?),
        Predicate::Contains(operand) => Predicate::Contains(side(operand)?),
        Predicate::StartsWith(operand) => Predicate::StartsWith(side(operand)?),
        Predicate::EndsWith(operand) => Predicate::EndsWith(side(operand)?),
        Predicate::MemberOf(set) if !is_row(set) => match known(set, facts)? {
            Value::Set(members) => Predicate::Among(members.into_iter().map(Value::Text).collect()),
            _ => return None,
        },
        Predicate::Between(low, high) => match (side(low), side(high)) {
            (Some(low), Some(high)) => Predicate::Between(low, high),
            // One bound alone can say no, and never yes.
            (Some(low), None) if !wanted => {
                let below = Predicate::Compare(Comparison::Less, low);
                return Some((on(column, below), true));
            }
            (None, Some(high)) if !wanted => {
                let above = Predicate::Compare(Comparison::Greater, high);
                return Some((on(column, above), true));
            }
            _ => return None,
        },
        Predicate::True
        | Predicate::Has
        | Predicate::Among(_)
        | Predicate::MemberOf(_)
        | Predicate::Like(_)
        | Predicate::Cidr(_) => test.predicate.clone(),
    };
    Some((on(column, predicate), wanted))
}

fn known(attribute: &Attribute, facts: &Facts<'_>) -> Option<Value> {
    facts.value(attribute).map(|datum| datum.to_value())
}

fn is_row(attribute: &Attribute) -> bool {
    attribute.namespace == Namespace::Row
}

/// What is wrong with the tests of a condition that stands in `rows`, or of one that stands elsewhere.
pub(in crate::policy) fn misplaced(condition: &Condition, in_rows: bool) -> Option<String> {
    let mut open: Vec<&Expression> = condition.parts().iter().collect();
    let mut tests_a_row = false;
    while let Some(expression) = open.pop() {
        match expression {
            Expression::All(parts) | Expression::Any(parts) => open.extend(parts),
            Expression::Not(part) => open.push(part),
            Expression::Test(test) => {
                let looks_at_row = test.attributes().any(is_row);
                tests_a_row |= looks_at_row;
                if looks_at_row && !in_rows {
                    return Some(format!("`{test}` is about single rows: write it in `rows`"));
                }
                if looks_at_row {
                    if let Some(why) = unsayable(test) {
                        return Some(why);
                    }
                }
            }
        }
    }
    (in_rows && !tests_a_row).then(|| {
        "tests no `row.` attribute: write what is about the whole resource in `condition`"
            .to_owned()
    })
}

fn unsayable(test: &Test) -> Option<String> {
    if let Some(secret) = test.attributes().find(|attribute| attribute.is_secret()) {
        return Some(format!(
            "`{secret}` is secret, and its value would stand in the text of a query"
        ));
    }
    let turns = matches!(
        &test.predicate,
        Predicate::Compare(..) | Predicate::MemberOf(_)
    );
    let is_odd = !is_row(&test.attribute) && !turns;
    is_odd.then(|| format!("write the `row.` attribute on the left of `{test}`"))
}
