//! Properties of a request and of a store as attributes that conditions may test.
//!
//! In: JSON and the declared attributes. Out: values of the declared type, with how they are known. What no row of Attributes
//! declares, and a value that is not of its attribute's type, stays unknown: it grants nothing and lifts no deny. Nothing
//! here can count as said by a token.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::id::PrincipalId;
use crate::policy::{
    AttributeSet, Context, Namespace, Provenance, Request, Resource, Value, ValueType,
};

type Members = Map<String, Json>;

/// What a store of the tables' owner says of principals and resources.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Known {
    pub(super) principals: BTreeMap<PrincipalId, Members>,
    pub(super) resources: BTreeMap<Resource, Members>,
}

/// Adds facts to a request.
pub(super) struct Facts<'a> {
    pub(super) attributes: &'a AttributeSet,
    pub(super) request: Request,
}

impl Facts<'_> {
    /// Adds the properties of one namespace.
    pub(super) fn add(
        mut self,
        namespace: Namespace,
        properties: Option<&Members>,
        known: Provenance,
    ) -> Self {
        for (name, value) in properties.into_iter().flatten() {
            let full = format!("{}.{name}", namespace.as_str());
            // Whoever asks does not say who is asked about, on what and when: these are other members.
            if AttributeSet::is_built_in(&full) {
                continue;
            }
            let Some(value) = self.value(&full, value) else {
                continue;
            };
            self.request = self.request.with_attribute(&full, value, known);
        }
        self
    }

    /// Adds the members of a context. `job`, `stage` and `author` are what a process claims; there is no clock in it.
    pub(super) fn add_context(self, members: Option<&Members>, known: Provenance) -> Self {
        let mut facts = self.add(Namespace::Context, members, known);
        let mut context = Context::new();
        for name in ["job", "stage", "author"] {
            let full = format!("context.{name}");
            let stated = members.and_then(|members| members.get(name));
            if let Some(value) = stated.and_then(|value| facts.value(&full, value)) {
                context = context.with(name, value);
            }
        }
        facts.request = facts.request.with_context(context);
        facts
    }

    fn value(&self, full: &str, value: &Json) -> Option<Value> {
        let attribute = self.attributes.get(full)?;
        convert(attribute.kind, value)
    }
}

/// A JSON value as one of this type.
fn convert(kind: ValueType, value: &Json) -> Option<Value> {
    match kind {
        ValueType::Bool => value.as_bool().map(Value::Bool),
        ValueType::Int => value.as_i64().map(Value::Int),
        ValueType::Decimal => decimal(value)?.parse().ok().map(Value::Decimal),
        ValueType::Text | ValueType::Enum => value.as_str().map(Value::text),
        ValueType::Set => {
            let texts = value.as_array()?.iter().map(Json::as_str);
            texts.collect::<Option<Vec<&str>>>().map(Value::set)
        }
        ValueType::Ip | ValueType::Datetime => Value::read(kind, value.as_str()?),
    }
}

/// The digits of a number, or of a string, which alone carries every decimal number exactly.
fn decimal(value: &Json) -> Option<String> {
    if let Some(whole) = value.as_i64() {
        return Some(whole.to_string());
    }
    // Printed without an exponent, with the fewest digits that read back as the same number.
    let number = value.as_f64().map(|number| number.to_string());
    number.or_else(|| value.as_str().map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_another_type_is_unknown_not_converted() {
        let json = |text: &str| serde_json::from_str::<Json>(text).unwrap();
        for (kind, wrong) in [
            (ValueType::Bool, r#""true""#),
            (ValueType::Bool, "1"),
            (ValueType::Int, r#""5""#),
            (ValueType::Int, "5.0"),
            (ValueType::Int, "9223372036854775808"),
            (ValueType::Decimal, "true"),
            (ValueType::Decimal, "1e300"),
            (ValueType::Text, "5"),
            (ValueType::Text, "null"),
            (ValueType::Set, r#""a""#),
            (ValueType::Set, r#"["a", 1]"#),
            (ValueType::Ip, r#""10.0.0.300""#),
            (ValueType::Datetime, r#""1985-10-26T01:22-07:00""#),
        ] {
            assert_eq!(convert(kind, &json(wrong)), None, "{kind} {wrong}");
        }
    }

    #[test]
    fn a_value_of_the_type_is_what_a_table_would_read() {
        let json = |text: &str| serde_json::from_str::<Json>(text).unwrap();
        for (kind, right, text) in [
            (ValueType::Bool, "true", "true"),
            (ValueType::Int, "-5", "-5"),
            (ValueType::Decimal, "0.1", "0.1"),
            (ValueType::Decimal, "1e-7", "0.0000001"),
            (ValueType::Decimal, "7", "7.0"),
            (
                ValueType::Decimal,
                r#""0.000000000000000001""#,
                "0.000000000000000001",
            ),
            (ValueType::Enum, r#""archived""#, "archived"),
            (ValueType::Set, r#"["b", "a"]"#, "a,b"),
            (ValueType::Ip, r#""::ffff:10.0.0.1""#, "10.0.0.1"),
            (
                ValueType::Datetime,
                r#""2026-10-01T10:00:00+02:00""#,
                "2026-10-01T08:00:00Z",
            ),
        ] {
            let read = Value::read(kind, text);
            assert!(read.is_some() && convert(kind, &json(right)) == read);
        }
    }
}
