//! What a verified token says beside the claims that rules read: kept as it was, so that attributes which a later version
//! of the tables declares are found.
//!
//! In: a verified payload. Out: [`Claims`](OtherClaims) of plain types, bounded. Never: a claim that a person can choose,
//! such as a name or a mail address, and never a value in `Debug`.

use std::fmt;

use super::json::Json;
use crate::policy::{Value, ValueType};

/// The value of one claim.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Claim<'c> {
    Bool(bool),
    Integer(i64),
    Text(&'c str),
    Texts(Vec<&'c str>),
}

/// Claims by name, all texts in one piece. What a token holds of other types, or beyond the limit, is not kept, and so stays
/// unknown.
#[derive(Clone, Default)]
pub(crate) struct OtherClaims {
    text: Box<str>,
    entries: Box<[Entry]>,
    items: Box<[Span]>,
}

/// A part of the text.
#[derive(Clone, Copy)]
struct Span {
    from: u32,
    to: u32,
}

#[derive(Clone, Copy)]
struct Entry {
    name: Span,
    value: Kept,
}

#[derive(Clone, Copy)]
enum Kept {
    Bool(bool),
    Integer(i64),
    Text(Span),
    /// A part of the items.
    Texts(Span),
}

/// Takes claims in, one by one.
pub(super) struct Gathered {
    text: String,
    entries: Vec<Entry>,
    items: Vec<Span>,
}

/// So many bytes of names and texts are kept.
const MOST_BYTES: usize = 16 * 1024;

/// Whether a claim says nothing for certain, because its owner or the client can choose it or because it changes hands
/// (Microsoft Learn, "Secure applications and APIs by validating claims"; OpenID Connect Core section 5.1): nobody's right
/// may hang on one, however it is spelt.
pub(crate) fn is_chosen(name: &str) -> bool {
    let mut lower = [0; LONGEST_CHOSEN];
    let Some(place) = lower.get_mut(..name.len()) else {
        return false;
    };
    for (place, byte) in place.iter_mut().zip(name.bytes()) {
        *place = byte.to_ascii_lowercase();
    }
    is_chosen_in_lowercase(place)
}

const LONGEST_CHOSEN: usize = 24;

const fn is_chosen_in_lowercase(name: &[u8]) -> bool {
    matches!(
        name,
        b"address"
            | b"birthdate"
            | b"display_name"
            | b"email"
            | b"family_name"
            | b"gender"
            | b"given_name"
            | b"locale"
            | b"login_hint"
            | b"mail"
            | b"middle_name"
            | b"name"
            | b"nickname"
            | b"nonce"
            | b"phone_number"
            | b"picture"
            | b"preferred_username"
            | b"profile"
            | b"unique_name"
            | b"upn"
            | b"verified_primary_email"
            | b"verified_secondary_email"
            | b"website"
            // What the client says that it can do, and what languages the person likes.
            | b"xms_cc"
            | b"xms_pl"
            | b"xms_tpl"
            | b"zoneinfo"
    )
}

impl Gathered {
    /// Room for the claims of a payload of so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        Self {
            text: String::with_capacity(bytes.min(1024)),
            entries: Vec::with_capacity(32),
            items: Vec::new(),
        }
    }

    /// Keeps a claim, if it is one that can be kept and there is room.
    pub(super) fn add(&mut self, name: &str, value: &Json<'_>) {
        let room = MOST_BYTES.saturating_sub(self.text.len() + 8 * self.entries.len());
        if size(value).is_none_or(|size| size + name.len() > room) || is_chosen(name) {
            return;
        }
        let name = self.keep(name);
        let value = match value {
            Json::Bool(value) => Kept::Bool(*value),
            Json::Integer(value) => Kept::Integer(*value),
            Json::Text(text) => Kept::Text(self.keep(text)),
            Json::List(list) => {
                let from = position(self.items.len());
                for text in list.iter().filter_map(Json::as_text) {
                    let item = self.keep(text);
                    self.items.push(item);
                }
                let to = position(self.items.len());
                Kept::Texts(Span { from, to })
            }
            Json::Null | Json::OtherNumber | Json::Guids(_) | Json::Object(_) => return,
        };
        self.entries.push(Entry { name, value });
    }

    fn keep(&mut self, text: &str) -> Span {
        let from = position(self.text.len());
        self.text.push_str(text);
        let to = position(self.text.len());
        Span { from, to }
    }

    pub(super) fn finish(self) -> OtherClaims {
        OtherClaims {
            text: self.text.into_boxed_str(),
            entries: self.entries.into_boxed_slice(),
            items: self.items.into_boxed_slice(),
        }
    }
}

fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// The bytes that a claim takes; none for a type that is not kept.
fn size(value: &Json<'_>) -> Option<usize> {
    match value {
        Json::Bool(_) | Json::Integer(_) => Some(8),
        Json::Text(text) => Some(text.len()),
        Json::List(list) => list
            .iter()
            .map(|one| one.as_text().map(|text| text.len() + 8))
            .sum(),
        Json::Null | Json::OtherNumber | Json::Guids(_) | Json::Object(_) => None,
    }
}

impl OtherClaims {
    /// About how many bytes it takes.
    pub(super) const fn size(&self) -> usize {
        self.text.len()
            + size_of::<Entry>() * self.entries.len()
            + size_of::<Span>() * self.items.len()
    }

    /// A claim by its exact name.
    pub(crate) fn get(&self, name: &str) -> Option<Claim<'_>> {
        let is_named = |entry: &&Entry| self.text_of(entry.name) == Some(name);
        let entry = self.entries.iter().find(is_named)?;
        Some(match entry.value {
            Kept::Bool(value) => Claim::Bool(value),
            Kept::Integer(value) => Claim::Integer(value),
            Kept::Text(span) => Claim::Text(self.text_of(span)?),
            Kept::Texts(span) => {
                let items = self.items.get(span.from as usize..span.to as usize)?;
                let texts = items.iter().map(|item| self.text_of(*item));
                Claim::Texts(texts.collect::<Option<_>>()?)
            }
        })
    }

    fn text_of(&self, span: Span) -> Option<&str> {
        self.text.get(span.from as usize..span.to as usize)
    }
}

impl fmt::Debug for OtherClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.entries.iter().map(|entry| self.text_of(entry.name));
        f.debug_set().entries(names.flatten()).finish()
    }
}

impl Claim<'_> {
    /// The claim as a value of an attribute's type; none where it is not one. A moment may be seconds since 1970, as claims
    /// write it (RFC 7519 section 2, `NumericDate`); a set may be one text.
    pub(crate) fn value(&self, kind: ValueType) -> Option<Value> {
        match (self, kind) {
            (Self::Bool(value), ValueType::Bool) => Some(Value::Bool(*value)),
            (Self::Integer(value), ValueType::Int | ValueType::Decimal) => Some(Value::Int(*value)),
            (Self::Integer(value), ValueType::Datetime) => {
                Some(Value::Datetime(crate::clock::Timestamp::from_secs(*value)))
            }
            (Self::Text(text), ValueType::Set) => Some(Value::set([*text])),
            (Self::Text(text), _) => Value::read(kind, text),
            (Self::Texts(texts), ValueType::Set) => Some(Value::set(texts.iter().copied())),
            (Self::Bool(_) | Self::Integer(_) | Self::Texts(_), _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::object;
    use super::*;

    fn claims(json: &str) -> OtherClaims {
        let mut gathered = Gathered::new(0);
        for (name, value) in object(json.as_bytes()).unwrap() {
            gathered.add(&name, &value);
        }
        gathered.finish()
    }

    #[test]
    fn plain_claims_are_kept_and_chosen_ones_are_not() {
        let claims = claims(
            r#"{"department":"credit","level":3,"ok":true,"acrs":["c1","c2"],"name":"Maya","Upn":"m@x","xms_cc":["cp1"],"o":{},"f":1.5}"#,
        );
        let value = |name: &str, kind| claims.get(name).and_then(|claim| claim.value(kind));
        assert_eq!(
            value("department", ValueType::Text),
            Some(Value::text("credit"))
        );
        assert_eq!(value("level", ValueType::Int), Some(Value::Int(3)));
        assert_eq!(value("ok", ValueType::Bool), Some(Value::Bool(true)));
        assert_eq!(
            value("acrs", ValueType::Set),
            Some(Value::set(["c1", "c2"]))
        );
        assert_eq!(
            value("department", ValueType::Set),
            Some(Value::set(["credit"]))
        );
        for name in ["name", "Upn", "xms_cc", "o", "f", "missing"] {
            assert!(claims.get(name).is_none(), "{name}");
        }
        assert!(!format!("{claims:?}").contains("credit"));
    }

    #[test]
    fn a_claim_of_another_type_is_no_value() {
        let claims = claims(r#"{"a":"yes","b":[1],"c":7}"#);
        let value = |name: &str, kind| claims.get(name).and_then(|claim| claim.value(kind));
        assert_eq!(value("a", ValueType::Bool), None);
        assert_eq!(value("a", ValueType::Int), None);
        assert_eq!(value("b", ValueType::Set), None);
        assert_eq!(value("c", ValueType::Text), None);
    }

    #[test]
    fn what_is_too_large_is_left_out_and_the_rest_is_kept() {
        let long = "x".repeat(MOST_BYTES);
        let claims = claims(&format!(r#"{{"a":"{long}","b":"short"}}"#));
        assert!(claims.get("a").is_none() && claims.get("b").is_some());
    }
}
