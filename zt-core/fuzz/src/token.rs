//! Access tokens: any text, and any header and claims under a true signature.

use std::fmt;
use std::sync::{Arc, LazyLock};

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use zt_core::Error;
use zt_core::clock::Timestamp;
use zt_core::identity::{Authenticator, Caller, CallerKind, Cloud, EntraProfile};
use zt_core::testing::{DevIssuer, ManualClock};

use super::check_message;

const NOW_S: i64 = 1_790_000_000;
const SKEW_S: i64 = 60;
const TENANT: &str = "11111111-1111-4111-8111-111111111111";
const APP: &str = "d0000000-0000-4000-8000-000000000001";
const ISSUER: &str =
    "https://zt-development-issuer.invalid/11111111-1111-4111-8111-111111111111/v2.0";
/// Members that change how a token is read, or bring a key along.
const REFUSED: [&str; 9] = [
    "crit", "b64", "zip", "enc", "cty", "jwk", "jku", "x5u", "x5c",
];

struct Door {
    issuer: DevIssuer,
    authenticator: Authenticator,
}

static DOOR: LazyLock<Door> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = DevIssuer::open(folder.path()).expect("a key");
    let (tenant, app) = (TENANT.parse(), APP.parse());
    let profile = EntraProfile::new(
        Cloud::Development,
        tenant.expect("a GUID"),
        app.expect("a GUID"),
    );
    let profile = profile.expect("a profile");
    let keys = issuer.key_set(&profile).expect("a key set");
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(NOW_S)));
    let authenticator = Authenticator::new(profile, keys, clock).expect("keys of this profile");
    Door {
        issuer,
        authenticator,
    }
});

/// Claims, signed under the header that the issuer writes; or, after a line `signed`, a header in a line and claims; or, after
/// a line `raw`, the text of a token. `KID` stands for the key's id.
///
/// What is accepted satisfies every rule when its claims are read again by other code. What is refused has a message, and tells
/// the caller a code alone.
pub fn token(input: &[u8]) -> bool {
    let kid = DOOR.issuer.kid();
    let Ok(text) = std::str::from_utf8(input) else {
        return unreadable(input);
    };
    let text = text.replace("KID", kid);
    let plain = format!(r#"{{"typ":"JWT","alg":"RS256","kid":"{kid}"}}"#);
    match text.split_once('\n') {
        Some(("raw", token)) => {
            let caller = enter(token);
            // Nobody but the key's owner can have signed it, and the text is not the owner's.
            assert!(caller.is_none(), "{token:?}");
            false
        }
        Some(("signed", rest)) => {
            let (header, claims) = rest.split_once('\n').unwrap_or((rest, ""));
            signed(header, claims)
        }
        _ => signed(&plain, &text),
    }
}

/// What is not text cannot be a token, but it can be a payload.
fn unreadable(input: &[u8]) -> bool {
    use base64::Engine as _;
    let encode = |bytes: &[u8]| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
    let header = format!(
        r#"{{"typ":"JWT","alg":"RS256","kid":"{}"}}"#,
        DOOR.issuer.kid()
    );
    let token = DOOR
        .issuer
        .sign_parts(&encode(header.as_bytes()), &encode(input));
    assert!(enter(&token.expect("a signature")).is_none());
    false
}

fn signed(header: &str, claims: &str) -> bool {
    let token = DOOR.issuer.sign(header, claims).expect("a signature");
    let Some(caller) = enter(&token) else {
        return false;
    };
    check_header(header);
    check_claims(claims, &caller);
    true
}

fn enter(token: &str) -> Option<Caller> {
    match DOOR.authenticator.authenticate(token) {
        Ok(caller) => Some(caller),
        Err(reason) => {
            check_message(&reason.to_string());
            let public = Error::from(reason).public_message();
            let is_code = public.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            assert!(is_code, "{public:?}");
            None
        }
    }
}

fn check_header(header: &str) {
    let members = members(header);
    let is = |name: &str, wanted: &str| value(&members, name) == Some(&Value::from(wanted));
    assert!(is("alg", "RS256") && is("typ", "JWT") && is("kid", DOOR.issuer.kid()));
    assert!(
        REFUSED.iter().all(|name| value(&members, name).is_none()),
        "{header}"
    );
}

fn check_claims(text: &str, caller: &Caller) {
    let claims = members(text);
    let claim = |name: &str| value(&claims, name);
    let said = |name: &str| claim(name).and_then(Value::as_str);
    let date = |name: &str| claim(name).and_then(Value::as_i64).expect("a date");
    assert_eq!((said("aud"), said("ver")), (Some(APP), Some("2.0")));
    assert_eq!((said("iss"), said("tid")), (Some(ISSUER), Some(TENANT)));
    let oid = said("oid").expect("an oid").to_ascii_lowercase();
    assert_eq!(caller.object().to_string(), oid);
    let (exp, nbf, iat) = (date("exp"), date("nbf"), date("iat"));
    assert!(exp + SKEW_S > NOW_S && nbf.max(iat) <= NOW_S + SKEW_S);
    assert!(exp > nbf.max(iat) && exp - nbf.min(iat) <= 29 * 3600);
    assert!(claim("cnf").is_none(), "{text}");
    let has_role = claim("roles")
        .and_then(Value::as_array)
        .is_some_and(|roles| !roles.is_empty());
    assert!(said("scp").is_some() || has_role, "{text}");
    // A person comes with a scope, an application without one.
    let is_user = caller.kind() == CallerKind::User;
    assert_eq!(said("scp").is_some(), is_user, "{text}");
    if let Some(name) = said("name").filter(|name| name.len() > 8) {
        assert!(!format!("{caller:?} {caller}").contains(name), "{text}");
    }
}

/// The members of an object in order, each name once at the top.
fn members(text: &str) -> Vec<(String, Value)> {
    let Pairs(pairs) = serde_json::from_str(text).expect("an object");
    for (at, (name, _)) in pairs.iter().enumerate() {
        let again = pairs.iter().skip(at + 1).any(|(other, _)| other == name);
        assert!(!again, "{name:?} twice in {text}");
    }
    pairs
}

fn value<'m>(members: &'m [(String, Value)], name: &str) -> Option<&'m Value> {
    let found = members.iter().find(|(own, _)| own == name);
    found.map(|(_, value)| value)
}

/// An object as the list that it was written as.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }
}
