//! A token that was believed a moment ago is believed no longer than it and its key are.

use std::sync::Arc;
use std::time::Duration;

use zt_core::clock::Timestamp;
use zt_core::identity::{AuthError, Authenticator, Cloud, EntraProfile, KeySet};
use zt_core::testing::ManualClock;

use super::mint::{APP, NOW_S, Object, TENANT, encode, mint, modulus, signed};
use super::reason;

/// A door, its clock, and a token that it has seen. The keys may be used for 100 s if `is_bounded`.
fn remembered(is_bounded: bool) -> (Authenticator, Arc<ManualClock>, String) {
    let (tenant, app) = (TENANT.parse().unwrap(), APP.parse().unwrap());
    let profile = EntraProfile::new(Cloud::Development, tenant, app).unwrap();
    let mut jwks = serde_json::json!({ "keys": [{
        "kty": "RSA", "kid": mint().kid, "n": encode(modulus(&mint().trusted)), "e": "AQAB",
        "issuer": "https://zt-development-issuer.invalid/{tenantid}/v2.0",
    }] });
    if is_bounded {
        jwks["not_after"] = serde_json::json!("2026-09-21T14:15:00Z");
    }
    let keys = KeySet::from_jwks(jwks.to_string().as_bytes(), &profile).unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(NOW_S)));
    let door = Authenticator::new(profile, keys, Arc::<ManualClock>::clone(&clock)).unwrap();
    let token = signed(&Object::header(), &Object::user());
    assert_eq!(reason(&door.authenticate(&token)), "accepted");
    (door, clock, token)
}

#[test]
fn a_key_file_whose_time_is_over_vouches_for_nobody_it_vouched_for_before() {
    let (door, clock, token) = remembered(true);
    clock.advance(Duration::from_secs(99));
    assert_eq!(reason(&door.authenticate(&token)), "accepted");
    clock.advance(Duration::from_secs(1));
    let refused = door.authenticate(&token);
    assert!(
        matches!(refused, Err(AuthError::KeysUnavailable { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_token_ends_at_its_second_however_often_it_was_seen() {
    let (door, clock, token) = remembered(false);
    for (seconds, expected) in [
        (3_400, "accepted"),
        (200, "accepted"),
        (59, "accepted"),
        (1, "expired"),
    ] {
        clock.advance(Duration::from_secs(seconds));
        assert_eq!(reason(&door.authenticate(&token)), expected);
    }
}

/// What differs in one character from what was seen is looked at anew.
#[test]
fn nothing_is_believed_for_being_like_what_was_seen() {
    let (door, _, token) = remembered(false);
    for at in (0..token.len()).step_by(7) {
        let mut other = token.clone().into_bytes();
        other[at] ^= 1;
        let other = String::from_utf8(other).unwrap();
        assert!(door.authenticate(&other).is_err(), "{at}");
    }
}
