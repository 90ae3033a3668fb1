//! A JWK set becomes the keys that may sign for one profile; parsed once, kept parsed.
//!
//! A key that is not usable is skipped with its reason, because a set serves many clients; a set without a usable key, or
//! with private material in it, is an error. Sources: RFC 7517, RFC 7518 §6.3; Microsoft Learn, "Access tokens in the
//! Microsoft identity platform" (validation of the signing key issuer) and "Signing key rollover".

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::{Code, Error};
use crate::id::Guid;

use super::caller::TokenVersion;
use super::error::quote;
use super::json::{self, Json, JsonError, Members};
use super::profile::{Cloud, EntraProfile, KeyIssuer};

/// The keys that may sign for one cloud and tenant, pinned: they come from a file that the operator trusts.
#[derive(Debug)]
pub struct KeySet {
    keys: BTreeMap<Arc<str>, Key>,
    skipped: Vec<SkippedKey>,
    cloud: Cloud,
    tenant: Guid,
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
    /// # Errors
    /// [`KeyError`] if the set is malformed, too big, holds private material or no usable key.
    pub fn from_jwks(jwks: &[u8], profile: &EntraProfile) -> Result<Self, KeyError> {
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
            tenant: profile.tenant(),
        };
        found.take_all(listed, profile)?;
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

    pub(super) fn find(&self, kid: &str) -> Option<&Key> {
        self.keys.get(kid)
    }

    /// Whether these keys were read for this cloud and tenant.
    pub(super) fn is_for(&self, profile: &EntraProfile) -> bool {
        self.cloud == profile.cloud() && self.tenant == profile.tenant()
    }

    fn take_all(&mut self, listed: &[Json<'_>], profile: &EntraProfile) -> Result<(), KeyError> {
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
            match Key::from_jwk(jwk, profile) {
                Ok(key) if self.keys.contains_key(&key.kid) => {
                    self.skip(jwk, TWICE);
                    ambiguous.push(key.kid);
                }
                Ok(key) => {
                    self.keys.insert(Arc::clone(&key.kid), key);
                }
                Err(reason) => self.skip(jwk, reason),
            }
        }
        // Which of two keys a `kid` means cannot be known, and trying both would let the set's order decide.
        for kid in ambiguous {
            if let Some(key) = self.keys.remove(&kid) {
                self.skipped.push(SkippedKey {
                    kid: quote(&key.kid),
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

/// One usable key.
#[derive(Debug)]
pub(super) struct Key {
    kid: Arc<str>,
    issuer: Option<KeyIssuer>,
    public: RsaKey,
}

impl Key {
    fn from_jwk(jwk: &Members<'_>, profile: &EntraProfile) -> Result<Self, &'static str> {
        if optional(jwk, "kty")? != Some("RSA") {
            return Err("`kty` is not `RSA`");
        }
        if optional(jwk, "use")?.is_some_and(|usage| usage != "sig") {
            return Err("`use` is not `sig`");
        }
        if optional(jwk, "alg")?.is_some_and(|alg| alg != "RS256") {
            return Err("`alg` is not `RS256`");
        }
        if jwk.get("key_ops").is_some_and(|ops| !may_verify(ops)) {
            return Err("`key_ops` does not list `verify`");
        }
        let cloud = profile.cloud();
        let instance = optional(jwk, "cloud_instance_name")?;
        if instance.is_some_and(|name| name != cloud.instance_name()) {
            return Err("`cloud_instance_name` is another cloud's");
        }
        let issuer = match optional(jwk, "issuer")? {
            None => None,
            Some(text) => Some(
                profile
                    .key_issuer(text)
                    .ok_or("`issuer` is neither this cloud's template nor this tenant's")?,
            ),
        };
        let kid = optional(jwk, "kid")?
            .filter(|kid| !kid.is_empty())
            .ok_or("`kid` is missing")?;
        let n = optional(jwk, "n")?.ok_or("`n` is missing")?;
        let e = optional(jwk, "e")?.ok_or("`e` is missing")?;
        Ok(Self {
            kid: Arc::from(kid),
            issuer,
            public: RsaKey::new(n, e)?,
        })
    }

    pub(super) fn kid(&self) -> &Arc<str> {
        &self.kid
    }

    pub(super) fn public(&self) -> &RsaKey {
        &self.public
    }

    /// Whether the key's own `issuer` lets it sign a token of this version for the profile's tenant. Microsoft compares with
    /// the v2.0 issuer even for v1.0 tokens; only keys of the v1.0 set have none.
    pub(super) fn may_sign(&self, version: TokenVersion) -> bool {
        match (self.issuer, version) {
            (Some(KeyIssuer::Template | KeyIssuer::Tenant), _) | (None, TokenVersion::V1) => true,
            (None, TokenVersion::V2) => false,
        }
    }
}

/// An RSA public key, parsed once.
pub(super) struct RsaKey(ParsedPublicKey);

impl RsaKey {
    /// From `n` and `e` of RFC 7518 §6.3.1: base64url of the shortest big-endian bytes.
    pub(super) fn new(n: &str, e: &str) -> Result<Self, &'static str> {
        let n = URL_SAFE_NO_PAD
            .decode(n)
            .map_err(|_| "`n` is not canonical base64url")?;
        let e = URL_SAFE_NO_PAD
            .decode(e)
            .map_err(|_| "`e` is not canonical base64url")?;
        check_modulus(&n)?;
        check_exponent(&e)?;
        RsaPublicKeyComponents { n, e }
            .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            .map(Self)
            .map_err(|_| "not an RSA key")
    }

    /// Whether this key made `signature` over `signed` with RSASSA-PKCS1-v1_5 and SHA-256.
    pub(super) fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(signed, signature).is_ok()
    }
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RsaKey")
    }
}

fn check_modulus(n: &[u8]) -> Result<(), &'static str> {
    match n {
        [0, ..] => Err("`n` has a leading zero"),
        _ if n.len() > 1024 => Err("`n` has more than 8192 bits"),
        [0x80..=0xff, ..] if n.len() == 256 => odd(n),
        _ if n.len() > 256 => odd(n),
        _ => Err("`n` has fewer than 2048 bits"),
    }
}

fn odd(n: &[u8]) -> Result<(), &'static str> {
    match n.last() {
        Some(last) if last % 2 == 1 => Ok(()),
        _ => Err("`n` is even"),
    }
}

fn check_exponent(e: &[u8]) -> Result<(), &'static str> {
    if e.first() == Some(&0) || e.len() > 4 {
        return Err("`e` has a leading zero or more than 32 bits");
    }
    let value = e
        .iter()
        .fold(0_u32, |value, byte| (value << 8) | u32::from(*byte));
    if value < 65_537 || value % 2 == 0 {
        return Err("`e` is even or less than 65537");
    }
    Ok(())
}

fn may_verify(ops: &Json<'_>) -> bool {
    let listed = ops.as_list().unwrap_or_default();
    listed.iter().any(|op| op.as_text() == Some("verify"))
}

fn optional<'j>(jwk: &'j Members<'_>, name: &str) -> Result<Option<&'j str>, &'static str> {
    match jwk.get(name) {
        None => Ok(None),
        Some(value) => value.as_text().map(Some).ok_or("a member is not a string"),
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

const MAX_SET_BYTES: usize = 512 * 1024;
const MAX_KEYS: usize = 1000;
const TWICE: &str = "another key has the same `kid`";

/// Members of private (RFC 7518 §6.3.2) and symmetric (§6.4) keys.
const SECRET_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
