//! An expression as text that reads back as the same expression.

use std::fmt;

use super::types::{Comparison, Expression, Operand, Predicate, Test};
use crate::policy::value::quote;

impl Comparison {
    pub(in crate::policy) fn sign(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, known)| *known == self)
            .map_or("", |(sign, _)| sign)
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any(parts) => joined(f, parts, " or ", |part| matches!(part, Self::Any(_))),
            Self::All(parts) => joined(f, parts, " and ", |part| {
                matches!(part, Self::Any(_) | Self::All(_))
            }),
            Self::Not(part) => {
                f.write_str("not ")?;
                bracketed(f, part, matches!(**part, Self::Any(_) | Self::All(_)))
            }
            Self::Test(test) => write!(f, "{test}"),
        }
    }
}

fn joined(
    f: &mut fmt::Formatter<'_>,
    parts: &[Expression],
    word: &str,
    is_weaker: fn(&Expression) -> bool,
) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        f.write_str(if at == 0 { "" } else { word })?;
        bracketed(f, part, is_weaker(part))?;
    }
    Ok(())
}

fn bracketed(f: &mut fmt::Formatter<'_>, part: &Expression, is_in: bool) -> fmt::Result {
    if is_in {
        write!(f, "({part})")
    } else {
        write!(f, "{part}")
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.attribute;
        match &self.predicate {
            Predicate::True => write!(f, "{name}"),
            Predicate::Has => write!(f, "has {name}"),
            Predicate::Compare(comparison, other) => {
                write!(f, "{name} {} {other}", comparison.sign())
            }
            Predicate::Among(members) => {
                write!(f, "{name} in ")?;
                list(f, members.iter().map(super::Value::as_datum))
            }
            Predicate::MemberOf(set) => write!(f, "{name} in {set}"),
            Predicate::Contains(other) => write!(f, "{name} contains {other}"),
            Predicate::StartsWith(other) => write!(f, "{name} startsWith {other}"),
            Predicate::EndsWith(other) => write!(f, "{name} endsWith {other}"),
            Predicate::Like(pattern) => {
                write!(f, "{name} like ")?;
                quote(f, pattern)
            }
            Predicate::Cidr(ranges) => {
                write!(f, "{name} cidr ")?;
                match ranges.as_slice() {
                    [only] => write!(f, "\"{only}\""),
                    many => list(f, many.iter().map(|range| format!("\"{range}\""))),
                }
            }
            Predicate::Between(low, high) => write!(f, "{name} between {low} and {high}"),
        }
    }
}

pub(super) fn list(
    f: &mut fmt::Formatter<'_>,
    members: impl Iterator<Item: fmt::Display>,
) -> fmt::Result {
    f.write_str("[")?;
    for (at, member) in members.enumerate() {
        write!(f, "{}{member}", if at == 0 { "" } else { ", " })?;
    }
    f.write_str("]")
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => write!(f, "{}", value.as_datum()),
            Self::Attribute(attribute) => write!(f, "{attribute}"),
        }
    }
}
