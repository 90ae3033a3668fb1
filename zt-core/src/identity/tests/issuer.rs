//! Audience, version, issuer, tenant, cloud.

use serde_json::{Value, json};

use super::*;

#[test]
fn the_audience_is_our_client_id_exactly() {
    for aud in [
        OTHER,
        "",
        "00000003-0000-0000-c000-000000000000",
        "https://graph.microsoft.com",
        &format!("{APP}/"),
        &format!("api://{APP}"),
        &APP.to_uppercase(),
        &format!(" {APP}"),
    ] {
        let error = refused(&with(user(), "aud", json!(aud)));
        assert!(
            matches!(error, AuthError::Audience { .. }),
            "{aud}: {error:?}"
        );
    }
    assert_eq!(refused_claim(&with(user(), "aud", json!([APP]))), "aud");
}

#[test]
fn the_issuer_is_that_of_cloud_and_tenant_exactly() {
    for iss in [
        format!("{DEV}/{OTHER}/v2.0"),
        format!("{DEV}/{TENANT}/v2.0/"),
        format!("{DEV}/{TENANT}/"),
        format!("{DEV}/{TENANT}"),
        format!("{DEV}/{{tenantid}}/v2.0"),
        format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
        format!("https://login.microsoftonline.us/{TENANT}/v2.0"),
        format!("https://sts.windows.net/{TENANT}/"),
        format!("{DEV}.attacker.invalid/{TENANT}/v2.0"),
        format!("http://zt-development-issuer.invalid/{TENANT}/v2.0"),
        String::new(),
    ] {
        let error = refused(&with(user(), "iss", json!(iss)));
        assert!(
            matches!(error, AuthError::Issuer { .. }),
            "{iss}: {error:?}"
        );
    }
    assert_eq!(
        refused_claim(&with(
            user(),
            "iss",
            json!([format!("{DEV}/{TENANT}/v2.0")])
        )),
        "iss"
    );
}

#[test]
fn the_tenant_is_ours_even_when_the_issuer_looks_right() {
    for tid in [OTHER, "9188040d-6c67-4c5b-b112-36a304b66dad"] {
        let mixed = with(user(), "tid", json!(tid));
        let whole = with(mixed.clone(), "iss", json!(format!("{DEV}/{tid}/v2.0")));
        for claims in [mixed, whole] {
            assert_eq!(refused(&claims), AuthError::Tenant { tid: guid(tid) });
        }
    }
}

#[test]
fn the_version_is_known_and_accepted() {
    for ver in ["", "2", "2.1", "3.0", "1.0"] {
        let error = refused(&with(user(), "ver", json!(ver)));
        assert!(
            matches!(error, AuthError::Version { .. }),
            "{ver}: {error:?}"
        );
    }
}

/// What Entra sends in format 1.0.
fn v1(aud: &str) -> Value {
    let claims = with(user(), "ver", json!("1.0"));
    let claims = with(
        claims,
        "iss",
        json!(format!("https://sts.windows.net/{TENANT}/")),
    );
    let claims = with(claims, "appid", json!(WORKLOAD));
    let claims = with(claims, "appidacr", json!("2"));
    with(claims, "aud", json!(aud))
}

const APP_ID_URI: &str = "api://brindlewick/zt";
const PUBLIC_V2: &str =
    "https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/v2.0";

#[test]
fn a_v1_token_names_us_by_client_id_or_app_id_uri_with_or_without_slash() {
    for configured in [APP_ID_URI, "api://brindlewick/zt/"] {
        let door = door(profile(Cloud::Public).accepting_v1(&[configured]).unwrap());
        for aud in [APP_ID_URI, "api://brindlewick/zt/", APP] {
            let caller = door.authenticate(&sign(&header(), &v1(aud))).unwrap();
            assert_eq!(caller.token().unwrap().ver, TokenVersion::V1);
            let client = caller.client().unwrap();
            assert_eq!(
                (client.id, client.auth),
                (guid(WORKLOAD), ClientAuth::Certificate)
            );
        }
        let others = json!({ "aud": ["api://brindlewick/zt//", "api://brindlewick", "API://brindlewick/zt", OTHER, "", "/"] });
        for (name, aud) in each(&others) {
            let token = sign(&header(), &with(v1(""), name, aud.clone()));
            let error = door.authenticate(&token).unwrap_err();
            assert!(
                matches!(error, AuthError::Audience { .. }),
                "{aud}: {error:?}"
            );
        }
    }
}

#[test]
fn the_two_formats_do_not_mix() {
    let door = door(profile(Cloud::Public).accepting_v1(&[APP_ID_URI]).unwrap());
    let refused = |claims: &Value| door.authenticate(&sign(&header(), claims)).unwrap_err();
    let v2 = with(user(), "iss", json!(PUBLIC_V2));
    assert!(door.authenticate(&sign(&header(), &v2)).is_ok());
    let error = refused(&with(v2, "aud", json!(APP_ID_URI)));
    assert!(
        matches!(error, AuthError::Audience { .. }),
        "v2.0 tokens carry the client id"
    );
    let error = refused(&with(v1(APP), "iss", json!(PUBLIC_V2)));
    assert!(matches!(error, AuthError::Issuer { .. }));
    let error = refused(&with(v1(APP), "ver", json!("2.0")));
    assert!(matches!(error, AuthError::Issuer { .. }));
}

#[test]
fn every_cloud_accepts_its_own_issuer_alone() {
    let clouds = [
        Cloud::Public,
        Cloud::UsGov,
        Cloud::China,
        Cloud::Development,
    ];
    for ours in clouds {
        let door = door(profile(ours));
        for theirs in clouds {
            let claims = with(user(), "iss", json!(theirs.issuer_of(guid(TENANT))));
            let entered = door.authenticate(&sign(&header(), &claims)).is_ok();
            assert_eq!(entered, ours == theirs, "{ours:?} and {theirs:?}");
        }
    }
}
