//! What a token said, read back from the log.
//!
//! In: facts of an entry as the log writes them. Out: values of attributes, as a draft declares them. Never guesses: a value
//! that is not in the log (`[secret]`, or cut off) makes its question one that cannot be asked again.

use std::sync::Arc;

use crate::audit::Fact;
use crate::metadata::Snapshot;
use crate::policy::circumstances::DEFAULT;
use crate::policy::facts::Stated;
use crate::policy::{Provenance, Value, ValueType};

/// Whether the tables say a fact, which a draft does anew.
pub(super) fn is_of_tables(fact: &Fact) -> bool {
    fact.provenance == Provenance::Store.as_str() || fact.provenance == DEFAULT
}

/// A fact that a token said: name and value as the log writes them; `None` for other facts.
pub(super) fn of_token(fact: &Fact) -> Result<Option<(String, String)>, String> {
    if fact.provenance != Provenance::Token.as_str() {
        return Ok(None);
    }
    if parts(&fact.value).is_none() {
        return Err(format!("the value of `{}` is not in the log", fact.name));
    }
    Ok(Some((fact.name.clone(), fact.value.clone())))
}

/// The facts as the draft declares their attributes. One that it does not declare, or of another type, it does not look at.
pub(super) fn stated(facts: &[(String, String)], draft: &Snapshot) -> Arc<[Stated]> {
    let facts = facts.iter().filter_map(|(name, text)| {
        let attribute = draft.attributes().get(name)?;
        let value = read(attribute.kind, text)?;
        Some((name.clone(), value, Provenance::Token))
    });
    facts.collect()
}

/// Reads a value of this type as explanations and the log write it.
fn read(kind: ValueType, text: &str) -> Option<Value> {
    match parts(text)? {
        Parts::Set(members) => (kind == ValueType::Set).then(|| Value::set(members)),
        Parts::One(text) => (kind != ValueType::Set)
            .then(|| Value::read(kind, &text))
            .flatten(),
    }
}

enum Parts {
    One(String),
    Set(Vec<String>),
}

/// Text in quotes and lists of it are escaped as in JSON; numbers and truth values stand bare.
fn parts(text: &str) -> Option<Parts> {
    match text.as_bytes().first()? {
        b'"' => serde_json::from_str(text).ok().map(Parts::One),
        b'[' => serde_json::from_str(text).ok().map(Parts::Set),
        _ => Some(Parts::One(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn values() -> impl Strategy<Value = (ValueType, Value)> {
        let text = || "[ -~äß\u{e9}]{0,12}";
        prop_oneof![
            any::<bool>().prop_map(|value| (ValueType::Bool, Value::Bool(value))),
            any::<i64>().prop_map(|value| (ValueType::Int, Value::Int(value))),
            (any::<i64>(), 0..1_000_000_u32).prop_map(|(whole, part)| {
                let decimal = format!("{whole}.{part:06}").parse().unwrap();
                (ValueType::Decimal, Value::Decimal(decimal))
            }),
            text().prop_map(|value| (ValueType::Text, Value::Text(value))),
            prop::collection::btree_set(text(), 0..4)
                .prop_map(|set: BTreeSet<String>| (ValueType::Set, Value::Set(set))),
            any::<[u8; 4]>().prop_map(|ip| (ValueType::Ip, Value::Ip(ip.into()))),
            (0..4_000_000_000_000_i64).prop_map(|at| {
                let at = crate::clock::Timestamp::from_millis(at);
                (ValueType::Datetime, Value::Datetime(at))
            }),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn every_value_reads_back_as_the_log_writes_it((kind, value) in values()) {
            let shown = value.as_datum().to_string();
            prop_assert_eq!(read(kind, &shown), Some(value), "{}", shown);
        }
    }

    #[test]
    fn what_is_not_in_the_log_is_no_value() {
        for text in ["[secret]", "[undeclared]", "\"cut of…", "[\"a\", \"b", ""] {
            assert!(parts(text).is_none(), "{text}");
        }
    }
}
