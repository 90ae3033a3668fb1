//! One key of a set: what it may sign, and the RSA key behind it.
//!
//! Sources: RFC 7517, RFC 7518 section 6.3; Microsoft Learn, "Access tokens in the Microsoft identity platform" (validation
//! of the signing key issuer) and "Signing key rollover".

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::id::Guid;

use super::super::caller::TokenVersion;
use super::super::json::{Json, Members};
use super::super::jws::Algorithm;
use super::super::profile::{EntraProfile, KeyIssuer};
use super::life::{Life, Moment};

/// Where a set of keys came from: it bounds what its keys may sign beside their own `issuer`.
#[derive(Debug, Clone, Default)]
pub(in crate::identity) struct Origin {
    /// The tenant and format that the set was fetched for; none for a pinned set.
    pub(super) ring: Option<(Guid, TokenVersion)>,
    /// `cloud_instance_name` of the discovery document.
    pub(super) instance: Option<Box<str>>,
    /// The issuer that the discovery document states.
    pub(super) issuer: Option<Arc<str>>,
    /// Until when; none for as long as it is pinned.
    pub(super) life: Option<Arc<Life>>,
}

/// One usable key.
#[derive(Debug)]
pub(in crate::identity) struct Key {
    kid: Arc<str>,
    issuer: Option<KeyIssuer>,
    origin: Arc<Origin>,
    public: RsaKey,
}

impl Key {
    pub(super) fn from_jwk(
        jwk: &Members<'_>,
        profile: &EntraProfile,
        origin: &Arc<Origin>,
    ) -> Result<Self, &'static str> {
        if optional(jwk, "kty")? != Some("RSA") {
            return Err("`kty` is not `RSA`");
        }
        if optional(jwk, "use")?.is_some_and(|usage| usage != "sig") {
            return Err("`use` is not `sig`");
        }
        if jwk.get("key_ops").is_some_and(|ops| !may_verify(ops)) {
            return Err("`key_ops` does not list `verify`");
        }
        let algorithms = algorithms(optional(jwk, "alg")?, profile)?;
        let issuer = issuer(jwk, profile, origin)?;
        let kid = optional(jwk, "kid")?
            .filter(|kid| !kid.is_empty())
            .ok_or("`kid` is missing")?;
        let n = optional(jwk, "n")?.ok_or("`n` is missing")?;
        let e = optional(jwk, "e")?.ok_or("`e` is missing")?;
        Ok(Self {
            kid: Arc::from(kid),
            issuer,
            origin: Arc::clone(origin),
            public: RsaKey::new(n, e, algorithms)?,
        })
    }

    pub(in crate::identity) fn kid(&self) -> &Arc<str> {
        &self.kid
    }

    pub(in crate::identity) fn public(&self) -> &RsaKey {
        &self.public
    }

    /// Whether the key may sign a token of this tenant and format: by its own `issuer` and by the set that it came in.
    /// Microsoft compares with the v2.0 issuer even for v1.0 tokens; only keys of the v1.0 set have none.
    pub(in crate::identity) fn may_sign(&self, tenant: Guid, version: TokenVersion) -> bool {
        let by_issuer = match (self.issuer, version) {
            (Some(KeyIssuer::Template), _) | (None, TokenVersion::V1) => true,
            (Some(KeyIssuer::Tenant(own)), _) => own == tenant,
            (None, TokenVersion::V2) => false,
        };
        by_issuer
            && self
                .origin
                .ring
                .is_none_or(|ring| ring == (tenant, version))
    }

    /// Whether it was fetched so long ago that it proves nothing any more.
    pub(in crate::identity) fn is_over(&self, now: Moment) -> bool {
        let life = self.origin.life.as_ref();
        life.is_some_and(|life| life.is_over(now))
    }

    /// The issuer that the discovery document of this key's set states.
    pub(in crate::identity) fn stated_issuer(&self) -> Option<&str> {
        self.origin.issuer.as_deref()
    }

    /// Whether it is the same key for the same tokens.
    pub(in crate::identity) fn is_same(&self, other: &Self) -> bool {
        self.kid == other.kid && self.issuer == other.issuer && self.public.is_same(&other.public)
    }
}

/// What the key's own `issuer` allows, and whether it is this cloud's.
fn issuer(
    jwk: &Members<'_>,
    profile: &EntraProfile,
    origin: &Origin,
) -> Result<Option<KeyIssuer>, &'static str> {
    let own = profile.cloud().instance_name();
    let instance = optional(jwk, "cloud_instance_name")?;
    for expected in [own, origin.instance.as_deref()].into_iter().flatten() {
        if instance.is_some_and(|name| name != expected) {
            return Err("`cloud_instance_name` is another cloud's");
        }
    }
    match optional(jwk, "issuer")? {
        None if own.is_none() && origin.instance.is_none() => {
            Err("nothing says that it is this cloud's key")
        }
        None => Ok(None),
        Some(text) => match profile.key_issuer(text) {
            Some(issuer) => Ok(Some(issuer)),
            None => Err("`issuer` is neither this cloud's template nor this tenant's"),
        },
    }
}

/// Those of the profile's algorithms that `alg` leaves; Entra's keys have none.
fn algorithms(
    alg: Option<&str>,
    profile: &EntraProfile,
) -> Result<&'static [Algorithm], &'static str> {
    let ps256 = profile.header_rules().ps256;
    match alg {
        None if ps256 => Ok(&[Algorithm::Rs256, Algorithm::Ps256]),
        None | Some("RS256") => Ok(&[Algorithm::Rs256]),
        Some("PS256") if ps256 => Ok(&[Algorithm::Ps256]),
        Some(_) => Err("`alg` is not `RS256`"),
    }
}

/// An RSA public key, parsed once for each algorithm that it verifies.
pub(in crate::identity) struct RsaKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    rs256: Option<ParsedPublicKey>,
    ps256: Option<ParsedPublicKey>,
}

impl RsaKey {
    /// From `n` and `e` of RFC 7518 section 6.3.1: base64url of the shortest big-endian bytes.
    pub(in crate::identity) fn new(
        n: &str,
        e: &str,
        algorithms: &[Algorithm],
    ) -> Result<Self, &'static str> {
        let modulus = URL_SAFE_NO_PAD
            .decode(n)
            .map_err(|_| "`n` is not canonical base64url")?;
        let exponent = URL_SAFE_NO_PAD
            .decode(e)
            .map_err(|_| "`e` is not canonical base64url")?;
        check_modulus(&modulus)?;
        check_exponent(&exponent)?;
        check_generator(&modulus)?;
        let parse = |algorithm, scheme| {
            if !algorithms.contains(&algorithm) {
                return Ok(None);
            }
            let (n, e) = (modulus.as_slice(), exponent.as_slice());
            let parsed = RsaPublicKeyComponents { n, e }.to_parsed_public_key(scheme);
            parsed.map(Some).map_err(|_| "not an RSA key")
        };
        Ok(Self {
            rs256: parse(Algorithm::Rs256, &RSA_PKCS1_2048_8192_SHA256)?,
            ps256: parse(Algorithm::Ps256, &RSA_PSS_2048_8192_SHA256)?,
            modulus,
            exponent,
        })
    }

    /// Whether this key made `signature` over `signed` with that algorithm.
    pub(in crate::identity) fn verifies(
        &self,
        algorithm: Algorithm,
        signed: &[u8],
        signature: &[u8],
    ) -> bool {
        let key = match algorithm {
            Algorithm::Rs256 => &self.rs256,
            Algorithm::Ps256 => &self.ps256,
        };
        key.as_ref()
            .is_some_and(|key| key.verify_sig(signed, signature).is_ok())
    }

    pub(in crate::identity) fn is_same(&self, other: &Self) -> bool {
        (&self.modulus, &self.exponent) == (&other.modulus, &other.exponent)
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

/// Refuses keys of the generator whose primes can be found from the modulus (CVE-2017-15361): modulo each small prime, theirs
/// are powers of 65537 (Nemec and others, "The Return of Coppersmith's Attack", 2017, section 2). For other keys that holds
/// less than once in two hundred million.
fn check_generator(n: &[u8]) -> Result<(), &'static str> {
    let is_power_of_65537 = |prime: u32| {
        let rest = n
            .iter()
            .fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % prime);
        let next = |power: &u32| Some(power * (65_537 % prime) % prime);
        let mut powers = std::iter::successors(Some(1), next).take(prime as usize);
        powers.any(|power| power == rest)
    };
    if SMALL_PRIMES.into_iter().all(is_power_of_65537) {
        return Err("`n` is of a generator with a known weakness (CVE-2017-15361)");
    }
    Ok(())
}

/// The odd primes up to 167, which the moduli of all such keys are built on.
const SMALL_PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

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
