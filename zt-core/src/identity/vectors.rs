//! Signatures, tokens and keys that others made: Wycheproof, the examples of the RFCs, and their lists of attacks.
//!
//! They run on the layers below the rules of Entra: `jws` and `keys`. A valid vector of an algorithm that is not accepted here
//! must be refused for that reason, and is counted as such.

mod jose;
mod rfc;
mod rsa;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::error::AuthError;
use super::jws::{HeaderRules, Presented};
use super::keys::{KeyError, KeySet, KnownKeys};
use super::{Cloud, EntraProfile};

/// Any `typ`, which only tokens of Entra's always have.
const RULES: HeaderRules = HeaderRules {
    ps256: true,
    at_jwt: false,
    any_jws: true,
};

/// Why a vector is refused.
#[derive(Debug)]
enum Refusal {
    Keys(KeyError),
    Token(AuthError),
}

impl Refusal {
    /// In a word or two, for counting.
    fn word(&self) -> String {
        match self {
            Self::Keys(KeyError::PrivateMaterial { member: "k" }) => "symmetric key".to_owned(),
            Self::Keys(KeyError::PrivateMaterial { .. }) => "private key".to_owned(),
            Self::Keys(KeyError::NoUsableKey { skipped }) => skipped
                .first()
                .map_or("no key", |key| key.reason)
                .to_owned(),
            Self::Token(AuthError::Algorithm { .. }) => "algorithm".to_owned(),
            Self::Token(AuthError::NotThreeParts) => "not three parts".to_owned(),
            Self::Token(AuthError::HeaderMember { name }) => (*name).to_owned(),
            Self::Keys(other) => other.to_string(),
            Self::Token(other) => other.to_string(),
        }
    }
}

/// What a JWS says, if a key of the set signed it.
fn verified(jws: &str, jwks: &Value) -> Result<Vec<u8>, Refusal> {
    let profile = EntraProfile::new(
        Cloud::Development,
        "11111111-1111-4111-8111-111111111111".parse().unwrap(),
        "d0000000-0000-4000-8000-000000000001".parse().unwrap(),
    );
    let profile = profile.unwrap().accepting_ps256();
    let set = KeySet::from_jwks(jwks.to_string().as_bytes(), &profile).map_err(Refusal::Keys)?;
    let token = Presented::read(jws, RULES).map_err(Refusal::Token)?;
    let signature = token.signature().map_err(Refusal::Token)?;
    let known = KnownKeys::of(&set);
    let kid = token.kid().to_owned();
    let Some(key) = known.find(&kid).first() else {
        return Err(Refusal::Token(AuthError::UnknownKey { kid }));
    };
    if !token.is_signed_by(key.public(), &signature) {
        return Err(Refusal::Token(AuthError::Signature { kid }));
    }
    token.payload().map_err(Refusal::Token)
}

/// A set of one key.
fn set_of(jwk: &Value) -> Value {
    json!({ "keys": [jwk] })
}

/// How many of each.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally(BTreeMap<String, usize>);

impl Tally {
    fn count(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    fn of(rows: &[(&str, usize)]) -> Self {
        let rows = rows.iter();
        Self(
            rows.map(|(what, count)| ((*what).to_owned(), *count))
                .collect(),
        )
    }
}
