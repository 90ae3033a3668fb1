//! The tree becomes an expression: every name is an attribute, every value has the type that its test needs.

mod operand;

use std::sync::Arc;

use ipnet::IpNet;

use self::operand::{Typist, constant};
use super::Mistake;
use super::lex::{Kind, Token};
use super::parse::{Right, Tree, is_attribute};
use crate::policy::attribute::{Attribute, AttributeSet};
use crate::policy::value::{Value, ValueType};

/// A condition whose every test is well typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expression {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Test(Test),
}

/// One test of one attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Test {
    pub(crate) attribute: Arc<Attribute>,
    pub(crate) predicate: Predicate,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Predicate {
    /// It is true.
    True,
    /// Its value is known.
    Has,
    Compare(Comparison, Operand),
    Among(Vec<Value>),
    /// It is a member of a set.
    MemberOf(Arc<Attribute>),
    Contains(Operand),
    StartsWith(Operand),
    EndsWith(Operand),
    Like(String),
    Cidr(Vec<IpNet>),
    Between(Operand, Operand),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl Comparison {
    pub(super) const ALL: &'static [(&'static str, Self)] = &[
        ("==", Self::Equal),
        ("!=", Self::NotEqual),
        ("<", Self::Less),
        ("<=", Self::AtMost),
        (">", Self::Greater),
        (">=", Self::AtLeast),
    ];

    pub(super) const fn needs_order(self) -> bool {
        match self {
            Self::Equal | Self::NotEqual => false,
            Self::Less | Self::AtMost | Self::Greater | Self::AtLeast => true,
        }
    }

    /// The same with the sides exchanged.
    pub(in crate::policy) const fn turned(self) -> Self {
        match self {
            Self::Equal => Self::Equal,
            Self::NotEqual => Self::NotEqual,
            Self::Less => Self::Greater,
            Self::AtMost => Self::AtLeast,
            Self::Greater => Self::Less,
            Self::AtLeast => Self::AtMost,
        }
    }
}

impl Comparison {
    /// What holds exactly where this does not, of two known values.
    pub(in crate::policy) const fn opposite(self) -> Self {
        match self {
            Self::Equal => Self::NotEqual,
            Self::NotEqual => Self::Equal,
            Self::Less => Self::AtLeast,
            Self::AtMost => Self::Greater,
            Self::Greater => Self::AtMost,
            Self::AtLeast => Self::Less,
        }
    }
}

impl Predicate {
    /// The word of the condition language.
    pub(in crate::policy) fn word(&self) -> &'static str {
        match self {
            Self::True => "true",
            Self::Has => "has",
            Self::Compare(comparison, _) => comparison.sign(),
            Self::Among(_) | Self::MemberOf(_) => "in",
            Self::Contains(_) => "contains",
            Self::StartsWith(_) => "startsWith",
            Self::EndsWith(_) => "endsWith",
            Self::Like(_) => "like",
            Self::Cidr(_) => "cidr",
            Self::Between(..) => "between",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Operand {
    Value(Value),
    Attribute(Arc<Attribute>),
}

/// Checks names and types; reports every mistake.
pub(super) fn check(tree: &Tree, attributes: &AttributeSet) -> Result<Expression, Vec<Mistake>> {
    let mut typist = Typist {
        attributes,
        mistakes: Vec::new(),
    };
    let expression = expression(&mut typist, tree);
    match expression {
        Some(expression) if typist.mistakes.is_empty() => Ok(expression),
        _ => Err(typist.mistakes),
    }
}

fn expression(typist: &mut Typist<'_>, tree: &Tree) -> Option<Expression> {
    match tree {
        Tree::All(parts) => Some(Expression::All(every(typist, parts)?)),
        Tree::Any(parts) => Some(Expression::Any(every(typist, parts)?)),
        Tree::Not(part) => Some(Expression::Not(Box::new(expression(typist, part)?))),
        Tree::Has(name) => Some(test(typist.attribute(name)?, Predicate::Has)),
        Tree::Alone(name) => {
            let attribute = typist.attribute(name)?;
            if attribute.kind != ValueType::Bool {
                let reason = format!(
                    "is of type {}: expected an operator after it",
                    attribute.kind
                );
                return typist.wrong(name, reason);
            }
            Some(test(attribute, Predicate::True))
        }
        Tree::Test {
            left,
            operator,
            right,
        } => compared(typist, left, operator, right),
    }
}

/// All parts are checked, so that all mistakes are found.
fn every(typist: &mut Typist<'_>, parts: &[Tree]) -> Option<Vec<Expression>> {
    let parts: Vec<_> = parts.iter().map(|part| expression(typist, part)).collect();
    parts.into_iter().collect()
}

const fn test(attribute: Arc<Attribute>, predicate: Predicate) -> Expression {
    Expression::Test(Test {
        attribute,
        predicate,
    })
}

fn compared(
    typist: &mut Typist<'_>,
    left: &Token,
    operator: &Token,
    right: &Right,
) -> Option<Expression> {
    let comparison = Comparison::ALL.iter().find(|(sign, _)| operator.is(sign));
    if let (Some((_, comparison)), Right::One(right)) = (comparison, right) {
        // `201 == context.job` is `context.job == 201`.
        let (left, comparison, right) = if is_attribute(left) {
            (left, *comparison, right)
        } else {
            (right, comparison.turned(), left)
        };
        if !is_attribute(left) {
            return typist.wrong(
                operator,
                "compares two values; one side must be an attribute",
            );
        }
        let attribute = typist.attribute(left)?;
        let predicate = comparing(typist, &attribute, (operator, comparison), right)?;
        return Some(test(attribute, predicate));
    }
    if !is_attribute(left) {
        let reason = format!("expected an attribute on the left of `{}`", operator.text);
        return typist.wrong(left, reason);
    }
    let attribute = typist.attribute(left)?;
    let predicate = match (operator.text.as_str(), right) {
        ("in", Right::List(members)) => {
            typist.scalar(&attribute, operator)?;
            let members: Vec<_> = members
                .iter()
                .map(|member| constant(typist, &attribute, member))
                .collect();
            Predicate::Among(members.into_iter().collect::<Option<_>>()?)
        }
        ("in", Right::One(set)) => {
            Predicate::MemberOf(member_of(typist, &attribute, operator, set)?)
        }
        ("cidr", Right::List(ranges)) => cidr(typist, &attribute, operator, ranges)?,
        ("cidr", Right::One(range)) => {
            cidr(typist, &attribute, operator, std::slice::from_ref(range))?
        }
        ("between", Right::Two(low, high)) => between(typist, &attribute, operator, (low, high))?,
        (_, Right::One(right)) => worded(typist, &attribute, operator, right)?,
        (_, Right::Two(..) | Right::List(_)) => {
            return typist.wrong(operator, "does not take this");
        }
    };
    Some(test(attribute, predicate))
}

fn comparing(
    typist: &mut Typist<'_>,
    attribute: &Attribute,
    (operator, comparison): (&Token, Comparison),
    right: &Token,
) -> Option<Predicate> {
    typist.scalar(attribute, operator)?;
    if comparison.needs_order() {
        typist.ordered(attribute, operator)?;
    }
    let operand = typist.operand(attribute, right)?;
    Some(Predicate::Compare(comparison, operand))
}

fn member_of(
    typist: &mut Typist<'_>,
    attribute: &Attribute,
    operator: &Token,
    set: &Token,
) -> Option<Arc<Attribute>> {
    if !is_attribute(set) {
        return typist.wrong(
            set,
            "expected a list such as [\"a\", \"b\"] or an attribute of type set",
        );
    }
    if !matches!(attribute.kind, ValueType::Text | ValueType::Enum) {
        let reason = format!(
            "`{attribute}` is of type {}, and sets hold text",
            attribute.kind
        );
        return typist.wrong(operator, reason);
    }
    let found = typist.attribute(set)?;
    if found.kind != ValueType::Set {
        let reason = format!(
            "is of type {}: expected a list or an attribute of type set",
            found.kind
        );
        return typist.wrong(set, reason);
    }
    Some(found)
}

fn cidr(
    typist: &mut Typist<'_>,
    attribute: &Attribute,
    operator: &Token,
    ranges: &[Token],
) -> Option<Predicate> {
    if attribute.kind != ValueType::Ip {
        let reason = format!("`{attribute}` is of type {}, not ip", attribute.kind);
        return typist.wrong(operator, reason);
    }
    let ranges: Vec<_> = ranges.iter().map(|range| typist.range(range)).collect();
    Some(Predicate::Cidr(ranges.into_iter().collect::<Option<_>>()?))
}

fn between(
    typist: &mut Typist<'_>,
    attribute: &Attribute,
    operator: &Token,
    (low, high): (&Token, &Token),
) -> Option<Predicate> {
    typist.ordered(attribute, operator)?;
    let (from, to) = (
        typist.operand(attribute, low),
        typist.operand(attribute, high),
    );
    let (from, to) = (from?, to?);
    if let (Operand::Value(from), Operand::Value(to)) = (&from, &to)
        && from.as_datum().compare(to.as_datum()) == Some(std::cmp::Ordering::Greater)
    {
        let reason = format!("nothing is between {} and {}", low.text, high.text);
        return typist.wrong(operator, reason);
    }
    Some(Predicate::Between(from, to))
}

/// `contains`, `startsWith`, `endsWith`, `like`.
fn worded(
    typist: &mut Typist<'_>,
    attribute: &Attribute,
    operator: &Token,
    right: &Token,
) -> Option<Predicate> {
    let is_contains = operator.is("contains");
    let fits = match attribute.kind {
        ValueType::Text => true,
        ValueType::Set => is_contains,
        ValueType::Bool
        | ValueType::Int
        | ValueType::Decimal
        | ValueType::Enum
        | ValueType::Ip
        | ValueType::Datetime => false,
    };
    if !fits {
        let needs = if is_contains { "text or set" } else { "text" };
        let reason = format!("`{attribute}` is of type {}, not {needs}", attribute.kind);
        return typist.wrong(operator, reason);
    }
    if operator.is("like") {
        return match &right.kind {
            Kind::Text(pattern) => Some(Predicate::Like(pattern.clone())),
            Kind::Word | Kind::Number | Kind::Sign | Kind::End => {
                typist.wrong(right, "expected a pattern such as \"loan_*\"")
            }
        };
    }
    let operand = typist.words(right)?;
    Some(match operator.text.as_str() {
        "contains" => Predicate::Contains(operand),
        "startsWith" => Predicate::StartsWith(operand),
        _ => Predicate::EndsWith(operand),
    })
}
