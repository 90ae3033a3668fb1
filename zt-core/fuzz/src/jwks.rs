//! Key sets as an issuer, or somebody in its place, publishes them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use zt_core::identity::{Cloud, EntraProfile, KeySet};

use super::check_message;

const TENANT: &str = "11111111-1111-4111-8111-111111111111";
const APP: &str = "d0000000-0000-4000-8000-000000000001";
const ISSUERS: [&str; 2] = [
    "https://login.microsoftonline.com/{tenantid}/v2.0",
    "https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/v2.0",
];
const SECRET: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A JWK set.
///
/// Every key that is taken stands in the set once and follows the rules when it is read again by other code: its type, use,
/// size, exponent and issuer. A set with anything private in it is refused as a whole. What is refused has a message.
pub fn jwks(input: &[u8]) -> bool {
    let (tenant, app) = (TENANT.parse(), APP.parse());
    let profile = EntraProfile::new(Cloud::Public, tenant.expect("a GUID"), app.expect("a GUID"));
    let profile = profile.expect("a profile");
    let set = match KeySet::from_jwks(input, &profile) {
        Ok(set) => set,
        Err(reason) => {
            check_message(&reason.to_string());
            return false;
        }
    };
    let read: Value = serde_json::from_slice(input).expect("JSON");
    let listed = read["keys"].as_array().expect("a list");
    let ids: Vec<&str> = set.key_ids().collect();
    assert!(!ids.is_empty() && ids.len() + set.skipped().len() == listed.len());
    for key in listed {
        assert!(SECRET.iter().all(|name| key.get(name).is_none()));
    }
    for kid in ids {
        let named = listed.iter().filter(|key| key["kid"] == kid);
        let usable = named.filter(|key| is_usable(key)).count();
        assert_eq!(usable, 1, "{kid:?}");
    }
    for skipped in set.skipped() {
        check_message(skipped.reason);
        assert!(skipped.kid.len() < 1_000 && !skipped.kid.chars().any(char::is_control));
    }
    true
}

fn is_usable(key: &Value) -> bool {
    let absent_or = |name: &str, wanted: &str| key.get(name).is_none_or(|value| value == wanted);
    let number = |name: &str| {
        URL_SAFE_NO_PAD
            .decode(key[name].as_str().unwrap_or(""))
            .ok()
    };
    let (Some(n), Some(e)) = (number("n"), number("e")) else {
        return false;
    };
    let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
    let exponent = e.iter().fold(0_u64, |value, byte| {
        value.wrapping_shl(8) | u64::from(*byte)
    });
    key["kty"] == "RSA"
        && absent_or("use", "sig")
        && absent_or("cloud_instance_name", "microsoftonline.com")
        && key
            .get("issuer")
            .is_none_or(|issuer| ISSUERS.iter().any(|own| issuer == own))
        && (2048..=8192).contains(&bits)
        && n.first().is_some_and(|first| *first != 0)
        && n.last().is_some_and(|last| last % 2 == 1)
        && e.len() <= 4
        && exponent >= 65_537
        && exponent % 2 == 1
}
