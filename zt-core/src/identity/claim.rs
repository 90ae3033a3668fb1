//! What a verified token says beside the claims that rules read: kept as it was, so that attributes which a later version
//! of the tables declares are found.
//!
//! In: a verified payload. Out: [`Claims`](OtherClaims) of plain types, bounded. Never: a claim that a person can choose,
//! such as a name or a mail address, and never a value in `Debug`.

use std::fmt;

use super::json::{Json, Members};
use crate::policy::{Value, ValueType};

/// The value of one claim.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Claim {
    Bool(bool),
    Integer(i64),
    Text(Box<str>),
    Texts(Box<[Box<str>]>),
}

/// Claims by name. What a token holds of other types, or beyond the limit, is not kept, and so stays unknown.
#[derive(Clone, Default)]
pub(crate) struct OtherClaims(Box<[(Box<str>, Claim)]>);

/// So many bytes of names and texts are kept.
const MOST_BYTES: usize = 16 * 1024;

/// Whether a claim says nothing for certain, because its owner or the client can choose it or because it changes hands
/// (Microsoft Learn, "Secure applications and APIs by validating claims"; OpenID Connect Core section 5.1): nobody's right
/// may hang on one, however it is spelt.
pub(crate) fn is_chosen(name: &str) -> bool {
    CHOSEN
        .iter()
        .any(|chosen| name.eq_ignore_ascii_case(chosen))
}

const CHOSEN: &[&str] = &[
    "address",
    "birthdate",
    "display_name",
    "email",
    "family_name",
    "gender",
    "given_name",
    "locale",
    "login_hint",
    "mail",
    "middle_name",
    "name",
    "nickname",
    "nonce",
    "phone_number",
    "picture",
    "preferred_username",
    "profile",
    "unique_name",
    "upn",
    "verified_primary_email",
    "verified_secondary_email",
    "website",
    // What the client says that it can do, and what languages the person likes.
    "xms_cc",
    "xms_pl",
    "xms_tpl",
    "zoneinfo",
];

impl OtherClaims {
    /// The claims of a payload, in order of their names.
    pub(super) fn read(payload: &Members<'_>) -> Self {
        let mut room = MOST_BYTES;
        let mut kept = Vec::new();
        for (name, value) in payload {
            let Some(claim) = Claim::read(value) else {
                continue;
            };
            let size = name.len() + claim.size();
            if is_chosen(name) || size > room {
                continue;
            }
            room -= size;
            kept.push((Box::from(&**name), claim));
        }
        Self(Box::from(kept))
    }

    /// About how many bytes it takes.
    pub(super) fn size(&self) -> usize {
        let one = |(name, claim): &(Box<str>, Claim)| 48 + name.len() + claim.size();
        self.0.iter().map(one).sum()
    }

    /// A claim by its exact name.
    pub(crate) fn get(&self, name: &str) -> Option<&Claim> {
        let found = self.0.iter().find(|(own, _)| **own == *name);
        found.map(|(_, claim)| claim)
    }
}

impl fmt::Debug for OtherClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.iter().map(|(name, _)| name);
        f.debug_set().entries(names).finish()
    }
}

impl Claim {
    fn read(value: &Json<'_>) -> Option<Self> {
        match value {
            Json::Bool(value) => Some(Self::Bool(*value)),
            Json::Integer(value) => Some(Self::Integer(*value)),
            Json::Text(text) => Some(Self::Text(Box::from(&**text))),
            Json::List(list) => {
                let texts = list.iter().map(|one| one.as_text().map(Box::from));
                texts.collect::<Option<_>>().map(Self::Texts)
            }
            Json::Null | Json::OtherNumber | Json::Object(_) => None,
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Bool(_) | Self::Integer(_) => 8,
            Self::Text(text) => text.len(),
            Self::Texts(texts) => texts.iter().map(|text| text.len() + 8).sum(),
        }
    }

    /// The claim as a value of an attribute's type; none where it is not one. A moment may be seconds since 1970, as claims
    /// write it (RFC 7519 section 2, `NumericDate`); a set may be one text.
    pub(crate) fn value(&self, kind: ValueType) -> Option<Value> {
        match (self, kind) {
            (Self::Bool(value), ValueType::Bool) => Some(Value::Bool(*value)),
            (Self::Integer(value), ValueType::Int | ValueType::Decimal) => Some(Value::Int(*value)),
            (Self::Integer(value), ValueType::Datetime) => {
                Some(Value::Datetime(crate::clock::Timestamp::from_secs(*value)))
            }
            (Self::Text(text), ValueType::Set) => Some(Value::set([&**text])),
            (Self::Text(text), _) => Value::read(kind, text),
            (Self::Texts(texts), ValueType::Set) => {
                Some(Value::set(texts.iter().map(|text| &**text)))
            }
            (Self::Bool(_) | Self::Integer(_) | Self::Texts(_), _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::object;
    use super::*;

    fn claims(json: &str) -> OtherClaims {
        OtherClaims::read(&object(json.as_bytes()).unwrap())
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
