//! Types of claims, and time.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::*;

#[test]
fn what_a_rule_reads_must_be_there() {
    for name in ["aud", "iss", "ver", "tid", "oid", "exp", "nbf", "iat"] {
        assert_eq!(refused_claim(&without(user(), name)), name);
    }
    for name in ["sub", "uti", "azp", "azpacr", "groups", "name"] {
        assert!(admit(&without(user(), name)).is_ok(), "{name} is optional");
    }
}

#[test]
fn a_claim_has_the_type_that_entra_sends() {
    let texts = [
        "aud", "iss", "ver", "tid", "oid", "sub", "uti", "azp", "azpacr", "idtyp", "scp",
    ];
    for name in texts {
        for value in [
            json!(null),
            json!(1),
            json!([user()[name]]),
            json!({ "a": 1 }),
            json!(true),
        ] {
            assert_eq!(refused_claim(&with(user(), name, value)), name);
        }
    }
    for name in ["roles", "groups", "amr"] {
        for value in [
            json!(null),
            json!("a"),
            json!([1]),
            json!([[]]),
            json!({ "0": "a" }),
        ] {
            assert_eq!(refused_claim(&with(user(), name, value)), name);
        }
    }
    for name in ["tid", "oid", "azp"] {
        for value in ["", "maya", "{b0000000-0000-4000-8000-000000000002}"] {
            assert_eq!(refused_claim(&with(user(), name, json!(value))), name);
        }
    }
    for (name, value) in [
        ("scp", json!("")),
        ("scp", json!("  ")),
        ("groups", json!(["grp-security"])),
        ("groups", json!([SECURITY, ""])),
        ("_claim_names", json!("groups")),
        ("_claim_names", json!([])),
        ("hasgroups", json!("true")),
    ] {
        assert_eq!(refused_claim(&with(user(), name, value)), name);
    }
}

#[test]
fn a_date_is_whole_seconds_and_nothing_else() {
    for name in ["exp", "nbf", "iat"] {
        for text in [
            r#""1790003600""#,
            "1790003600.0",
            "1790003600.5",
            "1.7900036e9",
            "1e30",
            "-1e30",
            "1e400",
            "-1",
            "-9223372036854775808",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551616",
            "253402300800",
            "null",
            "true",
            "[]",
            "{}",
        ] {
            let claims = without(user(), name).to_string();
            let open = claims.strip_suffix('}').unwrap();
            let claims = format!(r#"{open},"{name}":{text}}}"#);
            let token = issuer().sign(&header().to_string(), &claims).unwrap();
            let error = enter(&token).unwrap_err();
            let named = matches!(error, AuthError::Claim { name: found, .. } if found == name);
            let unparsed = matches!(error, AuthError::Json { .. });
            assert!(
                named || (unparsed && text == "1e400"),
                "{name} {text}: {error:?}"
            );
        }
    }
}

#[test]
fn a_token_lives_from_nbf_to_exp_with_a_minute_of_skew() {
    let at = |nbf: i64, exp: i64| {
        let claims = with(
            with(user(), "nbf", json!(NOW_S + nbf)),
            "exp",
            json!(NOW_S + exp),
        );
        admit(&claims).map(|_| ())
    };
    assert_eq!(at(-300, -59), Ok(()));
    assert_eq!(at(-300, -60), Err(AuthError::Expired { ago_s: 60 }));
    assert_eq!(at(-300, -100), Err(AuthError::Expired { ago_s: 100 }));
    assert_eq!(at(60, 3600), Ok(()));
    assert_eq!(at(61, 3600), Err(AuthError::NotYetValid { in_s: 61 }));
    let issued = |iat: i64| admit(&with(user(), "iat", json!(NOW_S + iat))).map(|_| ());
    assert_eq!(issued(60), Ok(()));
    assert_eq!(issued(61), Err(AuthError::IssuedInFuture { in_s: 61 }));
    assert_eq!(
        Error::from(at(0, -100).unwrap_err()).code(),
        Code::TokenExpired
    );
    assert_eq!(
        Error::from(at(99, 3600).unwrap_err()).code(),
        Code::TokenNotYetValid
    );
}

#[test]
fn a_caller_is_refused_as_soon_as_the_clock_passes_exp() {
    let profile = dev().with_skew(Duration::ZERO).unwrap();
    let keys = issuer().key_set(&profile).unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(NOW_S)));
    let shared: Arc<dyn crate::clock::Clock> = Arc::<ManualClock>::clone(&clock);
    let door = Authenticator::new(profile, keys, shared).unwrap();
    let token = sign(&header(), &user());
    clock.advance(Duration::from_millis(3_599_999));
    assert!(door.authenticate(&token).is_ok());
    clock.advance(Duration::from_millis(1));
    assert_eq!(
        door.authenticate(&token).unwrap_err(),
        AuthError::Expired { ago_s: 0 }
    );
}

#[test]
fn a_lifetime_that_entra_never_issues_is_refused() {
    let lives = |seconds: i64| {
        let claims = with(user(), "exp", json!(NOW_S - 300 + seconds));
        admit(&claims).map(|_| ())
    };
    assert_eq!(lives(29 * 3600), Ok(()));
    let lifetime_s = 29 * 3600 + 1;
    assert_eq!(lives(lifetime_s), Err(AuthError::Lifetime { lifetime_s }));
    let old = with(user(), "iat", json!(0));
    assert!(matches!(refused(&old), AuthError::Lifetime { .. }));
    let inverted = with(with(user(), "nbf", json!(NOW_S)), "iat", json!(NOW_S));
    let inverted = with(inverted, "exp", json!(NOW_S - 10));
    assert_eq!(refused(&inverted), AuthError::Lifetime { lifetime_s: -10 });
}
