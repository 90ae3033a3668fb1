//! JSON read strictly: a name twice in one object is an error at every depth, numbers are whole or useless.
//!
//! In: bytes of a header, a payload or a key set. Out: a tree that borrows from them. Depth is bounded by `serde_json` (128).
//! Why not `serde_json::Value`: it keeps the last of two equal names and says nothing (RFC 8725 §2.4 is about just that).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use crate::id::Guid;

use super::error::quote;
use super::names::Names;

/// The members of an object by name; every name once.
pub(super) type Members<'a> = BTreeMap<Cow<'a, str>, Json<'a>>;

/// A JSON value.
#[cfg_attr(test, derive(Debug))]
#[derive(PartialEq, Eq)]
pub(super) enum Json<'a> {
    Null,
    Bool(bool),
    /// A whole number, written without fraction and exponent.
    Integer(i64),
    /// Any other number: no rule of ours reads one.
    OtherNumber,
    Text(Cow<'a, str>),
    List(Vec<Self>),
    /// A list of GUIDs, where a reader asked for one: read without a value for each.
    Guids(Vec<Guid>),
    Object(Members<'a>),
}

/// Why bytes are not such JSON. The texts quote nothing but a repeated name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum JsonError {
    Syntax(String),
    Duplicate(String),
}

/// Reads one object that fills all of `bytes`.
pub(super) fn object(bytes: &[u8]) -> Result<Members<'_>, JsonError> {
    let mut members = Members::new();
    each_member(bytes, |name, value| {
        members.insert(name, value);
    })?;
    Ok(members)
}

/// Hands out the members of one object that fills all of `bytes`, in its order, each name once. If there is an error, what was
/// handed out before it means nothing.
pub(super) fn each_member<'a>(
    bytes: &'a [u8],
    take: impl FnMut(Cow<'a, str>, Json<'a>),
) -> Result<(), JsonError> {
    each_member_with_guids(bytes, "", take)
}

/// The same, and the member `guids` is [`Json::Guids`] if it is a list of nothing else.
pub(super) fn each_member_with_guids<'a>(
    bytes: &'a [u8],
    guids: &'static str,
    take: impl FnMut(Cow<'a, str>, Json<'a>),
) -> Result<(), JsonError> {
    let text = std::str::from_utf8(bytes).map_err(|_| JsonError::Syntax("not UTF-8".to_owned()))?;
    // The visitor of values takes every type, so that the only complaints about data are these two.
    if text
        .trim_start_matches([' ', '\t', '\n', '\r'])
        .starts_with('{')
    {
        let mut reader = serde_json::Deserializer::from_str(text);
        let outcome = reader
            .deserialize_map(EachMember { guids, take })
            .and_then(|()| reader.end());
        return outcome.map_err(|error| match error.is_data() {
            true => JsonError::Duplicate(error.to_string()),
            false => JsonError::Syntax(error.to_string()),
        });
    }
    match serde_json::from_str::<Json<'_>>(text) {
        Ok(_) => Err(JsonError::Syntax("another type of value".to_owned())),
        Err(error) => Err(JsonError::Syntax(error.to_string())),
    }
}

struct EachMember<F> {
    guids: &'static str,
    take: F,
}

impl<'de, F: FnMut(Cow<'de, str>, Json<'de>)> Visitor<'de> for EachMember<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut names = Names::new();
        while let Some(Name(name)) = map.next_key()? {
            if !names.take(&name) {
                return Err(repeated(&name));
            }
            let value = match name == self.guids {
                true => map.next_value::<Guids<'_>>()?.0,
                false => map.next_value()?,
            };
            (self.take)(name, value);
        }
        Ok(())
    }
}

/// A list of GUIDs, or whatever else is there.
struct Guids<'a>(Json<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for Guids<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GuidsVisitor).map(Self)
    }
}

struct GuidsVisitor;

/// Only lists differ from what [`JsonVisitor`] does.
macro_rules! as_any_json {
    ($($method:ident: $value:ty),+) => {
        $(fn $method<E: serde::de::Error>(self, value: $value) -> Result<Self::Value, E> {
            JsonVisitor.$method(value)
        })+
    };
}

impl<'de> Visitor<'de> for GuidsVisitor {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    as_any_json! { visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str, visit_borrowed_str: &'de str }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
        JsonVisitor.visit_unit()
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        JsonVisitor.visit_map(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut guids = Vec::with_capacity(32);
        while let Some(value) = seq.next_element::<Json<'_>>()? {
            let Some(guid) = value.as_text().and_then(|text| text.parse().ok()) else {
                // Not what was asked for: as a list, which its reader will tell what is wrong with.
                let known = guids
                    .iter()
                    .map(|guid: &Guid| Json::Text(guid.to_string().into()));
                let mut list: Vec<Json<'_>> = known.chain([value]).collect();
                while let Some(value) = seq.next_element()? {
                    list.push(value);
                }
                return Ok(Json::List(list));
            };
            guids.push(guid);
        }
        Ok(Json::Guids(guids))
    }
}

fn repeated<E: serde::de::Error>(name: &str) -> E {
    E::custom(format_args!("duplicate member {}", quote(name)))
}

impl Json<'_> {
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null
            | Self::Bool(_)
            | Self::Integer(_)
            | Self::OtherNumber
            | Self::List(_)
            | Self::Guids(_)
            | Self::Object(_) => None,
        }
    }

    pub(super) fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(list) => Some(list),
            Self::Null
            | Self::Bool(_)
            | Self::Integer(_)
            | Self::OtherNumber
            | Self::Text(_)
            | Self::Guids(_)
            | Self::Object(_) => None,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

/// A member name, borrowed unless it was written with escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Json::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(value).map_or(Json::OtherNumber, Json::Integer))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Json::OtherNumber)
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = seq.next_element()? {
            list.push(value);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Members::new();
        while let Some(Name(name)) = map.next_key()? {
            match members.entry(name) {
                Entry::Vacant(place) => {
                    place.insert(map.next_value()?);
                }
                Entry::Occupied(first) => return Err(repeated(first.key())),
            }
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_twice_is_refused_at_every_depth_and_in_every_spelling() {
        for text in [
            r#"{"tid":1,"tid":1}"#,
            r#"{"a":{"b":[{"c":1,"c":2}]}}"#,
            r#"{"tid":1,"\u0074id":2}"#,
            r#"{"":1,"":2}"#,
        ] {
            assert!(
                matches!(object(text.as_bytes()), Err(JsonError::Duplicate(_))),
                "{text}"
            );
        }
        assert!(object(br#"{"a":{"c":1},"b":{"c":1},"A":1}"#).is_ok());
    }

    #[test]
    fn only_whole_numbers_are_numbers() {
        let bytes = br#"{"a":-1,"b":1.0,"c":1e30,"d":9223372036854775808,"e":9223372036854775807}"#;
        let members = object(bytes).unwrap();
        let values: Vec<_> = members.into_values().collect();
        assert_eq!(
            values,
            [
                Json::Integer(-1),
                Json::OtherNumber,
                Json::OtherNumber,
                Json::OtherNumber,
                Json::Integer(i64::MAX)
            ]
        );
    }

    #[test]
    fn what_is_not_one_object_is_refused() {
        for text in [
            "",
            "[]",
            "1",
            "null",
            "{} {}",
            "\u{feff}{}",
            "{\"a\":1,}",
            "{'a':1}",
        ] {
            assert!(
                matches!(object(text.as_bytes()), Err(JsonError::Syntax(_))),
                "{text}"
            );
        }
        assert!(object(b"{\"a\":\"\xff\"}").is_err());
        assert!(object(br#"{"a":"\ud800"}"#).is_err());
    }

    #[test]
    fn deep_nesting_ends_in_an_error_and_not_in_the_stack() {
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        assert!(matches!(object(deep.as_bytes()), Err(JsonError::Syntax(_))));
    }
}
