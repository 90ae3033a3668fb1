//! A JWK set becomes the keys that may sign for one profile; parsed once, kept parsed.
//!
//! A key that is not usable is skipped with its reason, because a set serves many clients; a set without a usable key, or
//! with private material in it, is an error. Sources: RFC 7517, RFC 7518 §6.3; Microsoft Learn, "Access tokens in the
//! Microsoft identity platform" (validation of the signing key issuer) and "Signing key rollover".

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::error::{Code, Error};
use crate::id::Guid;

use super::super::cloud::Cloud;
use super::super::error::quote;
use super::super::json::{self, Json, JsonError, Members};
use super::super::profile::EntraProfile;
use super::key::{Key, Origin};

/// The keys that may sign for one cloud and its tenants: of a file that the operator trusts, or as Entra publishes them.
#[derive(Debug, Clone)]
pub struct KeySet {
    keys: BTreeMap<Arc<str>, Arc<Key>>,
    skipped: Vec<SkippedKey>,
    cloud: Cloud,
    tenants: Vec<Guid>,
    not_after: Option<Timestamp>,
}

/// A key of the set that will verify nothing, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SkippedKey {
    /// Its `kid`, escaped and cut; empty if it has none.
    pub kid: String,
    /// Why it is not usable.
    pub reason: &'static str,
}

/// Why a key set is refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// More than 512 KiB.
    #[error("the key set has {bytes} bytes, at most {MAX_SET_BYTES} are read")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// More than 1,000 keys.
    #[error("the key set has {keys} keys, at most {MAX_KEYS} are read")]
    TooManyKeys {
        /// How many.
        keys: usize,
    },
    /// Not an object with a list `keys` of objects, or a member name twice.
    #[error("not a JWK set: {reason}")]
    Malformed {
        /// What is wrong.
        reason: String,
    },
    /// A private or symmetric key stands where only public ones belong, so it must be taken for stolen.
    #[error("the key set holds private key material (member `{member}`)")]
    PrivateMaterial {
        /// The member that gave it away.
        member: &'static str,
    },
    /// Nothing in it can verify a token of this profile.
    #[error("the key set has no usable key: {}", reasons(.skipped))]
    NoUsableKey {
        /// Every key and its reason.
        skipped: Vec<SkippedKey>,
    },
}

impl KeySet {
    /// Reads a JWK set (RFC 7517 §5) for a profile.
    ///
    /// Usable is an RSA key of 2048 to 8192 bits with an odd exponent of at least 65537, for signatures with RS256, with a
    /// `kid` that no other usable key has, whose `issuer` is this cloud's template (`{tenantid}`) or this very tenant, and whose
    /// `cloud_instance_name`, if present, is this cloud's. Without `issuer` (Entra's v1.0 set) it serves v1.0 tokens alone.
    ///
    /// A pinned set may say how long it may be used: a member `not_after` beside `keys`, a moment as RFC 3339 writes it.
    ///
    /// # Errors
    /// [`KeyError`] if the set is malformed, too big, holds private material or no usable key.
    pub fn from_jwks(jwks: &[u8], profile: &EntraProfile) -> Result<Self, KeyError> {
        Self::read(jwks, profile, Origin::default())
    }

    /// Reads a set that was fetched: its keys are bound to where it came from.
    pub(super) fn read(
        jwks: &[u8],
        profile: &EntraProfile,
        origin: Origin,
    ) -> Result<Self, KeyError> {
        let bytes = jwks.len();
        if bytes > MAX_SET_BYTES {
            return Err(KeyError::TooLong { bytes });
        }
        let set = json::object(jwks).map_err(|error| match error {
            JsonError::Syntax(reason) | JsonError::Duplicate(reason) => malformed(&reason),
        })?;
        let listed = set
            .get("keys")
            .and_then(Json::as_list)
            .ok_or_else(|| malformed("member `keys` is not a list"))?;
        if listed.len() > MAX_KEYS {
            let keys = listed.len();
            return Err(KeyError::TooManyKeys { keys });
        }
        let mut found = Self {
            keys: BTreeMap::new(),
            skipped: Vec::new(),
            cloud: profile.cloud(),
            tenants: profile.tenants().collect(),
            not_after: not_after(&set)?,
        };
        found.take_all(listed, profile, &Arc::new(origin))?;
        if found.keys.is_empty() {
            let skipped = found.skipped;
            return Err(KeyError::NoUsableKey { skipped });
        }
        Ok(found)
    }

    /// The keys that will verify nothing, each with its reason; for `doctor` and the log.
    #[must_use]
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }

    /// The ids of the usable keys.
    pub fn key_ids(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(|kid| &**kid)
    }

    /// From when on the set verifies nothing any more; none for no end.
    #[must_use]
    pub const fn not_after(&self) -> Option<Timestamp> {
        self.not_after
    }

    /// The usable keys.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Arc<Key>> {
        self.keys.values()
    }

    pub(super) fn find(&self, kid: &str) -> Option<&Arc<Key>> {
        self.keys.get(kid)
    }

    /// Keeps a key that this set does not list.
    pub(super) fn keep(&mut self, key: &Arc<Key>) {
        let kid = Arc::clone(key.kid());
        self.keys.entry(kid).or_insert_with(|| Arc::clone(key));
    }

    pub(super) fn remove(&mut self, kid: &str) {
        self.keys.remove(kid);
    }

    /// Whether these keys were read for this cloud and these tenants.
    pub(in crate::identity) fn is_for(&self, profile: &EntraProfile) -> bool {
        self.cloud == profile.cloud() && profile.tenants().all(|own| self.tenants.contains(&own))
    }

    fn take_all(
        &mut self,
        listed: &[Json<'_>],
        profile: &EntraProfile,
        origin: &Arc<Origin>,
    ) -> Result<(), KeyError> {
        let mut ambiguous: Vec<Arc<str>> = Vec::new();
        for entry in listed {
            let Json::Object(jwk) = entry else {
                return Err(malformed("a key is not an object"));
            };
            if let Some(member) = SECRET_MEMBERS
                .into_iter()
                .find(|member| jwk.contains_key(*member))
            {
                return Err(KeyError::PrivateMaterial { member });
            }
            match Key::from_jwk(jwk, profile, origin) {
                Ok(key) if self.keys.contains_key(key.kid()) => {
                    self.skip(jwk, TWICE);
                    ambiguous.push(Arc::clone(key.kid()));
                }
                Ok(key) => {
                    self.keys.insert(Arc::clone(key.kid()), Arc::new(key));
                }
                Err(reason) => self.skip(jwk, reason),
            }
        }
        // Which of two keys a `kid` means cannot be known, and trying both would let the set's order decide.
        for kid in ambiguous {
            if let Some(key) = self.keys.remove(&kid) {
                self.skipped.push(SkippedKey {
                    kid: quote(key.kid()),
                    reason: TWICE,
                });
            }
        }
        Ok(())
    }

    fn skip(&mut self, jwk: &Members<'_>, reason: &'static str) {
        let kid = jwk.get("kid").and_then(Json::as_text).map(quote);
        let kid = kid.unwrap_or_default();
        self.skipped.push(SkippedKey { kid, reason });
    }
}

fn not_after(set: &Members<'_>) -> Result<Option<Timestamp>, KeyError> {
    let Some(value) = set.get("not_after") else {
        return Ok(None);
    };
    match value.as_text().map(str::parse) {
        Some(Ok(at)) => Ok(Some(at)),
        Some(Err(_)) | None => Err(malformed(
            "member `not_after` is not a moment such as `2026-10-01T08:00:00Z`",
        )),
    }
}

fn malformed(reason: &str) -> KeyError {
    KeyError::Malformed {
        reason: reason.to_owned(),
    }
}

fn reasons(skipped: &[SkippedKey]) -> String {
    if skipped.is_empty() {
        return "it is empty".to_owned();
    }
    let texts = skipped.iter().take(8);
    let texts: Vec<String> = texts
        .map(|key| format!("{} {}", key.kid, key.reason))
        .collect();
    texts.join("; ")
}

impl From<KeyError> for Error {
    fn from(reason: KeyError) -> Self {
        let help = match &reason {
            KeyError::PrivateMaterial { .. } => {
                "remove it, and replace that key: whoever could read this file can issue tokens"
            }
            KeyError::TooLong { .. }
            | KeyError::TooManyKeys { .. }
            | KeyError::Malformed { .. }
            | KeyError::NoUsableKey { .. } => {
                "pin the JSON that `jwks_uri` of this tenant's v2.0 OpenID configuration answers with"
            }
        };
        Self::new(Code::Config, reason.to_string())
            .with_help(help)
            .with_source(reason)
    }
}

pub(super) const MAX_SET_BYTES: usize = 512 * 1024;
const MAX_KEYS: usize = 1000;
const TWICE: &str = "another key has the same `kid`";

/// Members of private (RFC 7518 §6.3.2) and symmetric (§6.4) keys.
const SECRET_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
