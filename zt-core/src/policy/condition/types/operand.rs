//! Names that exist, and values of the type that a test needs.

use std::sync::Arc;

use ipnet::IpNet;

use super::Operand;
use crate::policy::attribute::{Attribute, AttributeSet};
use crate::policy::condition::Mistake;
use crate::policy::condition::lex::{Kind, Token};
use crate::policy::condition::parse::is_attribute;
use crate::policy::value::{Value, ValueType};

/// Checks one condition and collects its mistakes.
pub(super) struct Typist<'a> {
    pub(super) attributes: &'a AttributeSet,
    pub(super) mistakes: Vec<Mistake>,
}

impl Typist<'_> {
    pub(super) fn wrong<T>(&mut self, token: &Token, reason: impl Into<String>) -> Option<T> {
        self.push(Mistake::new(token.position, token.shown(), reason))
    }

    fn push<T>(&mut self, mistake: Mistake) -> Option<T> {
        self.mistakes.push(mistake);
        None
    }

    /// The attribute of this name.
    pub(super) fn attribute(&mut self, name: &Token) -> Option<Arc<Attribute>> {
        if let Some(found) = self.attributes.get(&name.text) {
            return Some(Arc::clone(found));
        }
        let mistake = |reason: &str| Mistake::new(name.position, &name.text, reason);
        let (namespace, _) = name.text.split_once('.').unwrap_or_default();
        let spaces = ["principal", "resource", "action", "context", "time", "row"];
        let reason = if namespace == "row" {
            "no such column is declared in Attributes; tests of single rows stand in `rows`"
        } else if spaces.contains(&namespace) {
            "no such attribute is built in or declared in Attributes"
        } else {
            "attributes begin with `principal.`, `resource.`, `action.`, `context.` or `time.`, in `rows` with `row.` too"
        };
        let mut wrong = mistake(reason);
        wrong.nearest = crate::text::nearest(namespace, &spaces)
            .and_then(|meant| self.attributes.nearest(&meant, name_of(&name.text)));
        self.push(wrong)
    }

    /// Sets are not compared as a whole.
    pub(super) fn scalar(&mut self, attribute: &Attribute, operator: &Token) -> Option<()> {
        if attribute.kind == ValueType::Set {
            let reason = format!("`{attribute}` is a set: test it with `contains`");
            return self.wrong(operator, reason);
        }
        Some(())
    }

    pub(super) fn ordered(&mut self, attribute: &Attribute, operator: &Token) -> Option<()> {
        if attribute.kind.has_order() {
            return Some(());
        }
        let reason = format!(
            "`{attribute}` is of type {}, which has no order; int, decimal and datetime have one",
            attribute.kind
        );
        self.wrong(operator, reason)
    }

    /// What an attribute is compared with: a value of its type, or an attribute of a type that compares with it.
    pub(super) fn operand(&mut self, attribute: &Attribute, token: &Token) -> Option<Operand> {
        if !is_attribute(token) {
            return constant(self, attribute, token).map(Operand::Value);
        }
        let other = self.attribute(token)?;
        if class(attribute.kind) == class(other.kind) {
            return Some(Operand::Attribute(other));
        }
        let (kind, needed) = (other.kind, attribute.kind);
        self.wrong(
            token,
            format!("is of type {kind} and cannot be compared with `{attribute}` of type {needed}"),
        )
    }

    /// Text, or an attribute that holds text.
    pub(super) fn words(&mut self, token: &Token) -> Option<Operand> {
        if let Kind::Text(text) = &token.kind {
            return Some(Operand::Value(Value::text(text)));
        }
        if !is_attribute(token) {
            return self.wrong(token, "expected text or an attribute of type text");
        }
        let other = self.attribute(token)?;
        if matches!(other.kind, ValueType::Text | ValueType::Enum) {
            return Some(Operand::Attribute(other));
        }
        let kind = other.kind;
        self.wrong(token, format!("is of type {kind}: expected text"))
    }

    /// A range of addresses: its first address and the length of its prefix.
    pub(super) fn range(&mut self, token: &Token) -> Option<IpNet> {
        const EXPECTED: &str = "expected a range such as \"10.20.0.0/16\"";
        let Kind::Text(text) = &token.kind else {
            return self.wrong(token, EXPECTED);
        };
        let Ok(range) = text.parse::<IpNet>() else {
            return self.wrong(token, EXPECTED);
        };
        if range.addr() != range.network() {
            let mut mistake =
                Mistake::new(token.position, &token.text, "the range begins elsewhere");
            mistake.nearest = Some(format!("\"{}\"", range.trunc()));
            return self.push(mistake);
        }
        if range.addr().to_canonical() != range.addr() {
            return self.wrong(token, "write a range of IPv4 addresses as IPv4");
        }
        Some(range)
    }
}

/// A literal as a value of the attribute's type.
pub(super) fn constant(
    typist: &mut Typist<'_>,
    attribute: &Attribute,
    token: &Token,
) -> Option<Value> {
    let (written, is_quoted) = match &token.kind {
        Kind::Text(text) => (text.as_str(), true),
        Kind::Word | Kind::Number | Kind::Sign | Kind::End => (token.text.as_str(), false),
    };
    let is_text = match attribute.kind {
        ValueType::Text | ValueType::Enum | ValueType::Ip | ValueType::Datetime => true,
        ValueType::Bool | ValueType::Int | ValueType::Decimal => false,
        ValueType::Set => return typist.wrong(token, "a set is not compared"),
    };
    let value = Value::read(attribute.kind, written).filter(|_| is_quoted == is_text);
    let Some(value) = value else {
        let (kind, example) = (attribute.kind, attribute.kind.example());
        let reason = format!("`{attribute}` is of type {kind}: expected {example}");
        return typist.wrong(token, reason);
    };
    if attribute.kind == ValueType::Enum && attribute.values.iter().all(|word| word != written) {
        let words: Vec<&str> = attribute.values.iter().map(String::as_str).collect();
        let reason = format!(
            "not a value of `{attribute}`: expected one of {}",
            words.join(", ")
        );
        let mut mistake = Mistake::new(token.position, &token.text, reason);
        mistake.nearest = crate::text::nearest(written, &words).map(|word| format!("\"{word}\""));
        return typist.push(mistake);
    }
    Some(value)
}

/// `zone` of `context.zone`.
fn name_of(full: &str) -> &str {
    full.split_once('.').map_or("", |(_, name)| name)
}

/// Types whose values compare with each other.
const fn class(kind: ValueType) -> u8 {
    match kind {
        ValueType::Bool => 0,
        ValueType::Int | ValueType::Decimal => 1,
        ValueType::Text | ValueType::Enum => 2,
        ValueType::Set => 3,
        ValueType::Ip => 4,
        ValueType::Datetime => 5,
    }
}
