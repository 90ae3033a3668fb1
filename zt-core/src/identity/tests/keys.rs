//! Profiles and key sets: what fails before any token.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::*;

#[test]
fn wrong_settings_fail_before_any_token_and_say_what_to_do() {
    let tenant = guid(TENANT);
    let nil = Guid::from_u128(0);
    let consumers = guid("9188040d-6c67-4c5b-b112-36a304b66dad");
    let mut refused = vec![
        EntraProfile::new(Cloud::Public, consumers, guid(APP)).unwrap_err(),
        EntraProfile::new(Cloud::Public, nil, guid(APP)).unwrap_err(),
        EntraProfile::new(Cloud::Public, tenant, nil).unwrap_err(),
        dev().with_skew(Duration::from_millis(300_001)).unwrap_err(),
        dev().accepting_v1(&[]).unwrap_err(),
        dev()
            .allowing_tenants(&(1..=64).map(Guid::from_u128).collect::<Vec<_>>())
            .unwrap_err(),
    ];
    for microsofts in [
        "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d",
        "cfa8b339-82a2-471a-a3c9-0fc0be7a4093",
        "00000003-0000-0000-c000-000000000000",
    ] {
        refused.push(EntraProfile::new(Cloud::Public, tenant, guid(microsofts)).unwrap_err());
    }
    for uri in [
        "https://vault.azure.net",
        "https://vault.azure.net/",
        "https://Management.Azure.com",
        "https://graph.microsoft.com",
        "",
        "api://",
        "api:///",
        "https://",
        "urn:zt",
        "api://a b",
        "api://a//",
        "api://é",
    ] {
        refused.push(profile(Cloud::Public).accepting_v1(&[uri]).unwrap_err());
    }
    for reason in refused {
        let error = Error::from(reason);
        assert_eq!(error.code(), Code::Config);
        assert!(error.help().is_some(), "{error}");
    }
    assert!(dev().with_skew(Duration::from_secs(300)).is_ok());
}

#[test]
fn keys_of_another_cloud_or_tenant_do_not_fit_the_profile() {
    let keys = issuer().key_set(&dev()).unwrap();
    let other = EntraProfile::new(Cloud::Development, guid(OTHER), guid(APP)).unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(NOW_S)));
    let error = Authenticator::new(other, keys, clock).unwrap_err();
    assert_eq!(error, ProfileError::ForeignKeys);
}

#[test]
fn a_key_that_is_not_fit_is_skipped_with_its_reason() {
    let short = URL_SAFE_NO_PAD.encode([0xc3; 128]);
    let almost = URL_SAFE_NO_PAD.encode([0x7f; 256]);
    let even = URL_SAFE_NO_PAD.encode([0xc2; 256]);
    let long = URL_SAFE_NO_PAD.encode([0xc3; 1025]);
    let n = jwk(|_| {})["n"].as_str().unwrap().to_owned();
    let zero =
        URL_SAFE_NO_PAD.encode([&[0], URL_SAFE_NO_PAD.decode(&n).unwrap().as_slice()].concat());
    let padded = format!("{n}==");
    let table = json!({
        "kty": ["EC", "oct", null],
        "use": ["enc", 1],
        "alg": ["RS384", "PS256", "HS256"],
        "key_ops": [["sign"], [], "verify"],
        "kid": ["", 7],
        "n": [short, almost, even, long, zero, padded, ""],
        "e": ["AQ", "Aw", "AQAA", "AQAC", "AAEAAQ", "AQABAQABAQ", ""],
        "cloud_instance_name": ["microsoftonline.com", null],
        "issuer": [
            "https://login.microsoftonline.com/{tenantid}/v2.0", format!("{DEV}/{OTHER}/v2.0"),
            format!("{DEV}/{{tenant}}/v2.0"), format!("{DEV}/{{tenantid}}/v2.0/"), "",
        ],
    });
    for (name, value) in each(&table) {
        let bad = jwk(|key| key[name] = value.clone());
        let good = jwk(|key| key["kid"] = json!("good"));
        let keys = key_set(&[bad.clone(), good], &dev()).unwrap();
        assert_eq!(
            keys.key_ids().collect::<Vec<_>>(),
            ["good"],
            "{name}: {value}"
        );
        let [SkippedKey { reason, .. }] = keys.skipped() else {
            panic!("{:?}", keys.skipped())
        };
        assert!(
            reason.contains(&format!("`{name}`")) || reason.contains("not a string"),
            "{reason}"
        );
        let error = key_set(&[bad], &dev()).unwrap_err();
        assert!(matches!(error, KeyError::NoUsableKey { .. }), "{error:?}");
        assert_eq!(Error::from(error).code(), Code::Config);
    }
}

#[test]
fn a_key_needs_four_members_and_may_have_more() {
    for name in ["kid", "n", "e", "kty"] {
        assert!(
            key_set(&[without(jwk(|_| {}), name)], &dev()).is_err(),
            "{name}"
        );
    }
    for (name, value) in [
        ("alg", json!("RS256")),
        ("key_ops", json!(["verify"])),
        ("x5c", json!(["MII"])),
        ("new", json!({})),
    ] {
        assert!(
            key_set(&[jwk(|key| key[name] = value)], &dev()).is_ok(),
            "{name}"
        );
    }
    assert!(key_set(&[without(jwk(|_| {}), "use")], &dev()).is_ok());
}

#[test]
fn a_key_of_one_tenant_signs_for_that_tenant() {
    let own = jwk(|key| key["issuer"] = json!(format!("{DEV}/{TENANT}/v2.0")));
    let keys = key_set(&[own], &dev()).unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(NOW_S)));
    let door = Authenticator::new(dev(), keys, clock).unwrap();
    assert!(door.authenticate(&sign(&header(), &user())).is_ok());
}

#[test]
fn a_key_without_issuer_signs_v1_tokens_alone() {
    let profile = profile(Cloud::Public).accepting_v1(&[]).unwrap();
    let bare = without(without(jwk(|_| {}), "issuer"), "cloud_instance_name");
    let keys = key_set(&[bare], &profile).unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(NOW_S)));
    let door = Authenticator::new(profile, keys, clock).unwrap();
    let v1 = with(user(), "ver", json!("1.0"));
    let v1 = with(
        v1,
        "iss",
        json!(format!("https://sts.windows.net/{TENANT}/")),
    );
    assert!(door.authenticate(&sign(&header(), &v1)).is_ok());
    let v2 = with(
        user(),
        "iss",
        json!(format!("https://login.microsoftonline.com/{TENANT}/v2.0")),
    );
    let error = door.authenticate(&sign(&header(), &v2)).unwrap_err();
    assert!(matches!(error, AuthError::KeyIssuer { .. }));
}

#[test]
fn the_development_key_is_no_key_of_any_other_cloud() {
    for cloud in [Cloud::Public, Cloud::UsGov, Cloud::China] {
        let error = KeySet::from_jwks(issuer().jwks().as_bytes(), &profile(cloud)).unwrap_err();
        assert!(matches!(error, KeyError::NoUsableKey { .. }));
        assert_eq!(
            issuer().key_set(&profile(cloud)).unwrap_err().code(),
            Code::Config
        );
    }
}

#[test]
fn a_government_key_in_the_public_set_is_not_a_public_key() {
    let foreign = jwk(|key| {
        key["issuer"] = json!("https://login.microsoftonline.com/{tenantid}/v2.0");
        key["cloud_instance_name"] = json!("microsoftonline.us");
    });
    assert!(key_set(&[foreign], &profile(Cloud::Public)).is_err());
}

#[test]
fn two_usable_keys_of_one_name_are_none() {
    let key = jwk(|_| {});
    let other = jwk(|key| key["kid"] = json!("other"));
    let set = [key.clone(), other, key.clone(), key.clone()];
    let keys = key_set(&set, &dev()).unwrap();
    assert_eq!(keys.key_ids().collect::<Vec<_>>(), ["other"]);
    assert_eq!(keys.skipped().len(), 3);
    assert!(key_set(&[key.clone(), key.clone()], &dev()).is_err());
    let enc = with(key.clone(), "use", json!("enc"));
    assert!(
        key_set(&[key, enc], &dev()).is_ok(),
        "only usable keys are compared"
    );
}

#[test]
fn a_set_with_private_material_is_refused_whole() {
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        let leak = jwk(|key| {
            key["kid"] = json!("leak");
            key[member] = json!("AQAB");
        });
        let error = key_set(&[jwk(|_| {}), leak], &dev()).unwrap_err();
        assert_eq!(error, KeyError::PrivateMaterial { member });
    }
    let symmetric = json!({ "kty": "oct", "kid": "s", "alg": "HS256", "k": "c2VjcmV0" });
    assert!(key_set(&[symmetric], &dev()).is_err());
}

#[test]
fn a_set_is_one_object_of_bounded_size() {
    let parse = |text: &str| KeySet::from_jwks(text.as_bytes(), &dev()).unwrap_err();
    let one = jwk(|_| {}).to_string();
    for text in [
        "",
        "[]",
        "{}",
        r#"{"keys":null}"#,
        r#"{"keys":{}}"#,
        r#"{"keys":[1]}"#,
        r#"{"keys":[],"keys":[]}"#,
        &format!(r#"{{"keys":[{one}]"#),
        &format!(r#"{{"keys":[{}]}}"#, one.replacen('{', r#"{"kid":"x","#, 1)),
        &"[".repeat(100_000),
    ] {
        assert!(matches!(parse(text), KeyError::Malformed { .. }), "{text}");
    }
    assert!(matches!(
        parse(r#"{"keys":[]}"#),
        KeyError::NoUsableKey { .. }
    ));
    let many = vec![json!({}); 1001];
    assert_eq!(
        key_set(&many, &dev()).unwrap_err(),
        KeyError::TooManyKeys { keys: 1001 }
    );
    let long = format!("{}{}", issuer().jwks(), " ".repeat(512 * 1024));
    assert!(matches!(parse(&long), KeyError::TooLong { .. }));
}
