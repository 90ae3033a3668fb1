//! JSON of a request, read so that nobody else can read it differently.
//!
//! In: bytes, or a value that somebody parsed. Out: the value, or a [`BadRequest`]. A member that stands twice is refused,
//! since gateways and we could take different ones (RFC 7493 section 2.3). Depth is bounded.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::BadRequest;
use crate::text::is_hidden;

/// More levels than this hold no request.
const MOST_LEVELS: usize = 64;

/// Reads the body of a request.
///
/// # Errors
/// The body is empty, is not JSON in UTF-8, or names a member twice.
pub fn parse(body: &[u8]) -> Result<Value, BadRequest> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(BadRequest::whole("is empty, expected a JSON object"));
    }
    let Strict(value) = serde_json::from_slice(body)
        .map_err(|why| BadRequest::whole(format!("is not usable JSON: {why}")))?;
    Ok(value)
}

/// The request as an object that is not too deep for whoever walks it.
pub(super) fn object(request: &Value) -> Result<&Map<String, Value>, BadRequest> {
    let mut open = vec![(request, 1)];
    while let Some((value, level)) = open.pop() {
        if level > MOST_LEVELS {
            let reason = format!("is nested deeper than {MOST_LEVELS} levels");
            return Err(BadRequest::whole(reason));
        }
        match value {
            Value::Array(items) => open.extend(items.iter().map(|item| (item, level + 1))),
            Value::Object(members) => open.extend(members.values().map(|item| (item, level + 1))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    request
        .as_object()
        .ok_or_else(|| BadRequest::whole(format!("is {}, expected an object", kind(request))))
}

/// What a value is, for messages.
pub(super) const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The same bytes for the same value, whatever the order of its members.
pub(super) fn canonical(value: &Value, to: &mut Vec<u8>) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            to.push(b'{');
            for (name, value) in members {
                put(name, to);
                canonical(value, to);
            }
            to.push(b'}');
        }
        Value::Array(items) => {
            to.push(b'[');
            for item in items {
                canonical(item, to);
            }
            to.push(b']');
        }
        Value::String(text) => put(text, to),
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            to.extend_from_slice(value.to_string().as_bytes());
            to.push(b',');
        }
    }
}

/// Length and bytes: no text runs into the next.
fn put(text: &str, to: &mut Vec<u8>) {
    to.extend_from_slice(text.len().to_string().as_bytes());
    to.push(b'"');
    to.extend_from_slice(text.as_bytes());
}

/// A value whose objects name each member once.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if map.contains_key(&name) {
                let name = shorten(&name);
                return Err(A::Error::custom(format_args!("`{name}` stands twice")));
            }
            let Strict(value) = members.next_value()?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

/// Text of a request as a message may repeat it: not long, in one line, and read as it is written.
pub(super) fn shorten(text: &str) -> String {
    let printed = text.chars().filter(|c| !is_hidden(*c));
    let mut short: String = printed.take(64).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_stands_twice_is_refused_at_every_depth() {
        for body in [r#"{"a":1,"a":1}"#, r#"[{"b":{"a":1,"\u0061":2}}]"#] {
            let message = parse(body.as_bytes()).unwrap_err().to_string();
            assert!(message.contains("`a` stands twice"), "{message}");
        }
        let value = parse(br#"{"a":[1,-2,0.5,null,true,"x"],"b":{}}"#).unwrap();
        assert_eq!(
            value,
            serde_json::json!({"a": [1, -2, 0.5, null, true, "x"], "b": {}})
        );
    }

    #[test]
    fn no_body_and_no_json_are_told_apart() {
        assert!(parse(b" \n").unwrap_err().to_string().contains("is empty"));
        for body in [&b"{"[..], b"\xff", b"{} {}", b"nul"] {
            let message = parse(body).unwrap_err().to_string();
            assert!(message.contains("not usable JSON"), "{message}");
        }
    }

    #[test]
    fn a_deep_value_is_refused_and_its_depth_never_ends_the_process() {
        let mut value = Value::Null;
        for _ in 0..MOST_LEVELS {
            value = Value::Array(vec![value]);
        }
        assert!(object(&value).unwrap_err().to_string().contains("deeper"));
        assert!(object(&Value::Null).is_err() && object(&serde_json::json!({})).is_ok());
        let text = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(parse(text.as_bytes()).is_err());
    }

    #[test]
    fn a_message_repeats_a_short_word_and_nothing_that_reorders_it() {
        assert_eq!(shorten("can_read"), "can_read");
        assert_eq!(shorten("a\n\u{202e}b"), "ab…");
        assert_eq!(shorten(&"é".repeat(65)).chars().count(), 65);
    }

    #[test]
    fn the_order_of_members_does_not_change_the_canonical_form() {
        let bytes = |text: &str| {
            let mut bytes = Vec::new();
            canonical(&parse(text.as_bytes()).unwrap(), &mut bytes);
            bytes
        };
        assert_eq!(bytes(r#"{"a":1,"b":[2]}"#), bytes(r#"{"b":[2],"a":1}"#));
        assert_ne!(bytes(r#"["a","b"]"#), bytes(r#"["ab"]"#));
        assert_ne!(bytes("[1,2]"), bytes("[12]"));
        assert_ne!(bytes(r#"["1"]"#), bytes("[1]"));
    }
}
