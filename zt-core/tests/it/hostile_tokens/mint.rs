//! Makes tokens of any header, payload and signature, and the doors that they knock at.
//!
//! Objects are lists of raw names and raw values, so that a name can come twice, in any order and in any spelling.

use std::fmt::Write as _;
use std::fs;
use std::sync::{Arc, LazyLock};

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaEncoding};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use zt_core::clock::Timestamp;
use zt_core::identity::{AuthError, Authenticator, Caller, Cloud, EntraProfile, KeySet};
use zt_core::testing::{DevIssuer, ManualClock};

use crate::world::World;

/// The time at every door: 2026-09-21T14:13:20Z.
pub(super) const NOW_S: i64 = 1_790_000_000;
pub(super) const TENANT: &str = "11111111-1111-4111-8111-111111111111";
pub(super) const OTHER_TENANT: &str = "22222222-2222-4222-8222-222222222222";
/// The audience of the sample world.
pub(super) const APP: &str = "d0000000-0000-4000-8000-000000000001";
/// The App ID URIs that the door of v1.0 tokens knows.
pub(super) const APP_ID_URIS: [&str; 2] =
    ["api://brindlewick/zt", "https://brindlewick.example/zt/"];
/// What no error, message or log may repeat.
pub(super) const NEEDLES: [&str; 5] = [
    "Needle Nilsdotter",
    "needle.upn@brindlewick.example",
    "needle.preferred@brindlewick.example",
    "needle.mail@brindlewick.example",
    "needle.unique@brindlewick.example",
];

/// A profile with keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// v2.0 tokens of the development issuer, as in the sample world.
    Development,
    /// The public cloud, v1.0 tokens too.
    Public,
    /// Azure Government, which shares key ids and the v1.0 issuer's host with the public cloud.
    UsGov,
    /// The development issuer, without a demand for scopes and app roles.
    Acl,
    /// The development issuer, callers of the other tenant too.
    Tenants,
    /// The development issuer, with PS256 and `at+jwt` too.
    Wide,
    /// Azure Government, v1.0 tokens too, whose issuer no pinned key can vouch for.
    UsGovV1,
}

impl Door {
    const ALL: [Self; 7] = [
        Self::Development,
        Self::Public,
        Self::UsGov,
        Self::Acl,
        Self::Tenants,
        Self::Wide,
        Self::UsGovV1,
    ];
}

/// Raw names with raw values.
#[derive(Debug, Clone)]
pub(super) struct Object(Vec<(String, String)>);

/// One member and its raw value: empty takes the member away; `@N` is N seconds after the door's time.
pub(super) type Edit = (&'static str, &'static str);

impl Object {
    /// The header that Entra sends.
    pub(super) fn header() -> Self {
        Self(Vec::new()).edited(&[
            ("typ", r#""JWT""#),
            ("alg", r#""RS256""#),
            ("kid", r#""$KID""#),
        ])
    }

    /// What Entra sends for a person.
    pub(super) fn user() -> Self {
        Self(Vec::new()).edited(&[
            ("aud", r#""$APP""#),
            ("iss", r#""$DEV/$TENANT/v2.0""#),
            ("iat", "@-300"),
            ("nbf", "@-300"),
            ("exp", "@3600"),
            ("azp", r#""d0000000-0000-4000-8000-0000000000c1""#),
            ("azpacr", r#""1""#),
            ("name", r#""Needle Nilsdotter""#),
            ("email", r#""needle.mail@brindlewick.example""#),
            ("upn", r#""needle.upn@brindlewick.example""#),
            (
                "preferred_username",
                r#""needle.preferred@brindlewick.example""#,
            ),
            ("unique_name", r#""needle.unique@brindlewick.example""#),
            ("oid", r#""b0000000-0000-4000-8000-000000000002""#),
            ("scp", r#""zt.access""#),
            ("sub", r#""lMcVlZvNqbX2JbMPrLhKqQ7dT1xPzWQeZ0n1yYv3f2s""#),
            ("tid", r#""$TENANT""#),
            ("uti", r#""pairwise-token-1""#),
            ("ver", r#""2.0""#),
            ("groups", r#"["a0000000-0000-4000-8000-000000000002"]"#),
        ])
    }

    /// What Entra sends for an application.
    pub(super) fn app() -> Self {
        Self::user().edited(&[
            ("scp", ""),
            ("groups", ""),
            ("oid", r#""c0000000-0000-4000-8000-000000000002""#),
            ("sub", r#""c0000000-0000-4000-8000-000000000002""#),
            ("azpacr", r#""2""#),
            ("idtyp", r#""app""#),
            ("roles", r#"["zt.workload"]"#),
        ])
    }

    /// What Entra sends for a person in format 1.0.
    pub(super) fn v1() -> Self {
        Self::user().edited(&[
            ("iss", r#""https://sts.windows.net/$TENANT/""#),
            ("ver", r#""1.0""#),
            ("azp", ""),
            ("azpacr", ""),
            ("appid", r#""d0000000-0000-4000-8000-0000000000c1""#),
            ("appidacr", r#""1""#),
            ("acr", r#""1""#),
            ("amr", r#"["pwd","mfa"]"#),
        ])
    }

    /// What the public cloud sends for a person.
    pub(super) fn public() -> Self {
        let iss = r#""https://login.microsoftonline.com/$TENANT/v2.0""#;
        Self::user().edited(&[("iss", iss)])
    }

    /// What Azure Government sends for a person.
    pub(super) fn us_gov() -> Self {
        let iss = r#""https://login.microsoftonline.us/$TENANT/v2.0""#;
        Self::user().edited(&[("iss", iss)])
    }

    pub(super) fn edited(mut self, edits: &[Edit]) -> Self {
        for (name, value) in edits {
            let (name, value) = (filled(&format!("\"{name}\"")), filled(value));
            match self.0.iter().position(|(own, _)| *own == name) {
                Some(at) if value.is_empty() => {
                    self.0.remove(at);
                }
                Some(at) => self.0[at].1 = value,
                None if value.is_empty() => {}
                None => self.0.push((name, value)),
            }
        }
        self
    }

    /// One more member at the end, whether or not the name is there.
    pub(super) fn and(mut self, raw_name: &str, raw_value: &str) -> Self {
        self.0.push((filled(raw_name), filled(raw_value)));
        self
    }

    /// One more member at the start.
    pub(super) fn after(mut self, raw_name: &str, raw_value: &str) -> Self {
        self.0.insert(0, (filled(raw_name), filled(raw_value)));
        self
    }

    /// The raw value of a member.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let quoted = format!("\"{name}\"");
        let mut members = self.0.iter();
        members
            .find(|(own, _)| *own == quoted)
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn reversed(mut self) -> Self {
        self.0.reverse();
        self
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::from("{");
        for (at, (name, value)) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let _ = write!(text, "{comma}{name}:{value}");
        }
        text + "}"
    }
}

/// Puts ids in the place of their names.
fn filled(raw: &str) -> String {
    if let Some(seconds) = raw.strip_prefix('@') {
        return (NOW_S + seconds.parse::<i64>().unwrap()).to_string();
    }
    let kid = mint().kid.as_str();
    let shorter = kid.get(1..).unwrap();
    raw.replace("$KID-SHORTER", shorter)
        .replace("$KID-UPPER", &kid.to_uppercase())
        .replace("$KID", kid)
        .replace("$APP-UPPER", &APP.to_uppercase())
        .replace("$APP", APP)
        .replace("$TENANT", TENANT)
        .replace("$OTHER", OTHER_TENANT)
        .replace("$DEV", "https://zt-development-issuer.invalid")
}

/// The key that every door trusts, and another.
pub(super) struct Mint {
    pub(super) trusted: KeyPair,
    pub(super) second: KeyPair,
    pub(super) kid: String,
}

pub(super) fn mint() -> &'static Mint {
    static MINT: LazyLock<Mint> = LazyLock::new(|| {
        // The key of every sample world, so that a runtime trusts these tokens too.
        let state = World::new();
        let state_folder = state.path().join(".zt");
        let der = fs::read(state_folder.join("dev-issuer.key")).unwrap();
        Mint {
            trusted: KeyPair::from_pkcs8(&der).unwrap(),
            second: KeyPair::generate(KeySize::Rsa2048).unwrap(),
            kid: DevIssuer::open(&state_folder).unwrap().kid().to_owned(),
        }
    });
    &MINT
}

/// A token signed as it should be, whatever it says.
pub(super) fn signed(header: &Object, payload: &Object) -> String {
    signed_bytes(header.text().as_bytes(), payload.text().as_bytes())
}

pub(super) fn signed_bytes(header: &[u8], payload: &[u8]) -> String {
    signed_parts(&encode(header), &encode(payload))
}

/// Signs parts that are already encoded, or only pretend to be.
pub(super) fn signed_parts(header: &str, payload: &str) -> String {
    let input = format!("{header}.{payload}");
    let signature = signature(&mint().trusted, &RSA_PKCS1_SHA256, input.as_bytes());
    format!("{input}.{}", encode(&signature))
}

pub(super) fn signature(
    pair: &KeyPair,
    padding: &'static dyn RsaEncoding,
    input: &[u8],
) -> Vec<u8> {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(padding, &SystemRandom::new(), input, &mut signature)
        .unwrap();
    signature
}

pub(super) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// The modulus in the DER of an RSA-2048 public key.
pub(super) fn modulus(pair: &KeyPair) -> &[u8] {
    pair.public_key().as_ref().get(9..265).unwrap()
}

/// The public key as `SubjectPublicKeyInfo`.
pub(super) fn public_der(pair: &KeyPair) -> Vec<u8> {
    let der: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    der.as_ref().to_vec()
}

/// Knocks.
pub(super) fn knock(door: Door, token: &str) -> Result<Caller, AuthError> {
    static DOORS: LazyLock<Vec<(Door, Authenticator)>> =
        LazyLock::new(|| Door::ALL.map(|door| (door, authenticator(door))).into());
    let mut doors = DOORS.iter();
    let (_, authenticator) = doors.find(|(own, _)| *own == door).unwrap();
    authenticator.authenticate(token)
}

fn authenticator(door: Door) -> Authenticator {
    let (cloud, issuer, instance) = match door {
        Door::Public => (
            Cloud::Public,
            "https://login.microsoftonline.com",
            "microsoftonline.com",
        ),
        Door::UsGov | Door::UsGovV1 => (
            Cloud::UsGov,
            "https://login.microsoftonline.us",
            "microsoftonline.us",
        ),
        Door::Development | Door::Acl | Door::Tenants | Door::Wide => (
            Cloud::Development,
            "https://zt-development-issuer.invalid",
            "zt-development-issuer.invalid",
        ),
    };
    let profile = EntraProfile::new(cloud, TENANT.parse().unwrap(), APP.parse().unwrap()).unwrap();
    let profile = match door {
        Door::Public | Door::UsGovV1 => profile.accepting_v1(&APP_ID_URIS).unwrap(),
        Door::Acl => profile.danger_allow_acl(),
        Door::Tenants => profile
            .allowing_tenants(&[OTHER_TENANT.parse().unwrap()])
            .unwrap(),
        Door::Wide => profile.accepting_ps256().accepting_at_jwt(),
        Door::Development | Door::UsGov => profile,
    };
    let keys = KeySet::from_jwks(jwks(issuer, instance).as_bytes(), &profile).unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(NOW_S)));
    Authenticator::new(profile, keys, clock).unwrap()
}

/// Keys with the trusted modulus under many ids, of which a door may take some; so a token that names one of the others is
/// refused for the key's own members and not for its signature.
fn jwks(issuer: &str, instance: &str) -> String {
    let template = format!("{issuer}/{{tenantid}}/v2.0");
    let n = encode(modulus(&mint().trusted));
    let key = |kid: &str, change: &[(&str, Value)]| {
        let mut key = json!({
            "kty": "RSA", "use": "sig", "kid": kid, "n": n, "e": "AQAB",
            "issuer": template, "cloud_instance_name": instance,
        });
        for (name, value) in change {
            key[name] = value.clone();
        }
        key
    };
    let mut unbound = key("v1-key", &[]);
    unbound.as_object_mut().unwrap().remove("issuer");
    let of = |tenant: &str| json!(format!("{issuer}/{tenant}/v2.0"));
    let keys = json!({ "keys": [
        key(&mint().kid, &[]),
        key("second-key", &[("n", json!(encode(modulus(&mint().second))))]),
        unbound,
        key("tenant-key", &[("issuer", of(TENANT))]),
        key("other-tenant-key", &[("issuer", of(OTHER_TENANT))]),
        key("other-cloud-key", &[("cloud_instance_name", json!("microsoftonline.eaglex.ic.gov"))]),
        key("third-tenant-key", &[("issuer", of("33333333-3333-4333-8333-333333333333"))]),
        key("other-issuer-key", &[("issuer", json!("https://attacker.invalid/{tenantid}/v2.0"))]),
        key("encryption-key", &[("use", json!("enc"))]),
        key("sign-only-key", &[("key_ops", json!(["sign"]))]),
        key("ps256-key", &[("alg", json!("PS256"))]),
        key("rs256-key", &[("alg", json!("RS256"))]),
        key("rs512-key", &[("alg", json!("RS512"))]),
        key("ec-key", &[("kty", json!("EC"))]),
        key("small-exponent-key", &[("e", json!("Aw"))]),
        key("one-exponent-key", &[("e", json!("AQ"))]),
        key("twice-key", &[]),
        key("twice-key", &[("n", json!(encode(modulus(&mint().second))))]),
    ] });
    keys.to_string()
}
