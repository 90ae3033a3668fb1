//! Every rule, with a token that breaks it and nothing else; signed with the trusted key unless the signature is the point.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::clock::Timestamp;
use crate::error::{Code, Error};
use crate::id::{Guid, PrincipalId};
use crate::testing::{DevIssuer, ManualClock, TokenRequest};

const NOW_S: i64 = 1_790_000_000;
const TENANT: &str = "11111111-1111-4111-8111-111111111111";
const OTHER: &str = "22222222-2222-4222-8222-222222222222";
const APP: &str = "d0000000-0000-4000-8000-000000000001";
const MAYA: &str = "b0000000-0000-4000-8000-000000000002";
const WORKLOAD: &str = "c0000000-0000-4000-8000-000000000002";
const SCIENCE: &str = "a0000000-0000-4000-8000-000000000002";
const SECURITY: &str = "a0000000-0000-4000-8000-000000000004";
const DEV: &str = "https://zt-development-issuer.invalid";

static ISSUER: LazyLock<(DevIssuer, tempfile::TempDir)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    (DevIssuer::open(folder.path()).unwrap(), folder)
});

fn issuer() -> &'static DevIssuer {
    &ISSUER.0
}

fn guid(text: &str) -> Guid {
    text.parse().unwrap()
}

fn profile(cloud: Cloud) -> EntraProfile {
    EntraProfile::new(cloud, guid(TENANT), guid(APP)).unwrap()
}

fn dev() -> EntraProfile {
    profile(Cloud::Development)
}

/// The trusted public key, changed.
fn jwk(change: impl FnOnce(&mut Value)) -> Value {
    let set: Value = serde_json::from_str(issuer().jwks()).unwrap();
    let mut key = set["keys"][0].clone();
    change(&mut key);
    key
}

fn key_set(keys: &[Value], profile: &EntraProfile) -> Result<KeySet, KeyError> {
    KeySet::from_jwks(json!({ "keys": keys }).to_string().as_bytes(), profile)
}

/// An authenticator of any profile, whose cloud is made to trust the development key.
fn door(profile: EntraProfile) -> Authenticator {
    let key = jwk(|key| {
        key["issuer"] = json!(profile.cloud().key_issuer_template());
        key["cloud_instance_name"] = json!(profile.cloud().instance_name());
    });
    let keys = key_set(&[key], &profile).unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::from_secs(NOW_S)));
    Authenticator::new(profile, keys, clock).unwrap()
}

fn enter(token: &str) -> Result<Caller, AuthError> {
    door(dev()).authenticate(token)
}

fn header() -> Value {
    json!({ "typ": "JWT", "alg": "RS256", "kid": issuer().kid() })
}

/// What Entra sends for a person.
fn user() -> Value {
    json!({
        "aud": APP, "iss": format!("{DEV}/{TENANT}/v2.0"), "tid": TENANT, "oid": MAYA,
        "sub": "pairwise-subject", "ver": "2.0", "azp": OTHER, "azpacr": "1", "scp": "zt.access",
        "iat": NOW_S - 300, "nbf": NOW_S - 300, "exp": NOW_S + 3600, "uti": "token-1",
        "groups": [SECURITY, SCIENCE], "name": "Maya", "preferred_username": "maya@brindlewick.example",
    })
}

/// What Entra sends for an application.
fn app() -> Value {
    let mut claims = user();
    let set = claims.as_object_mut().unwrap();
    set.remove("scp");
    set.insert("oid".into(), json!(WORKLOAD));
    set.insert("sub".into(), json!(WORKLOAD));
    set.insert("idtyp".into(), json!("app"));
    set.insert("roles".into(), json!(["zt.workload"]));
    claims
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims.as_object_mut().unwrap().insert(name.into(), value);
    claims
}

fn without(mut claims: Value, name: &str) -> Value {
    claims.as_object_mut().unwrap().remove(name).unwrap();
    claims
}

fn sign(header: &Value, claims: &Value) -> String {
    issuer()
        .sign(&header.to_string(), &claims.to_string())
        .unwrap()
}

fn admit(claims: &Value) -> Result<Caller, AuthError> {
    enter(&sign(&header(), claims))
}

fn refused(claims: &Value) -> AuthError {
    admit(claims).expect_err(&claims.to_string())
}

fn refused_claim(claims: &Value) -> &'static str {
    let AuthError::Claim { name, .. } = refused(claims) else {
        panic!("not refused for one claim: {claims}")
    };
    name
}

/// Every value of a table of lists, with its name.
fn each(table: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let rows = table.as_object().unwrap().iter();
    rows.flat_map(|(name, values)| {
        let values = values.as_array().unwrap().iter();
        values.map(move |value| (name.as_str(), value))
    })
}

/// Principals of the sample tables.
struct Rows(BTreeMap<Guid, PrincipalId>);

impl Rows {
    fn new(rows: &[(&str, &str)]) -> Self {
        let row = |(object, id): &(&str, &str)| (guid(object), id.parse().unwrap());
        Self(rows.iter().map(row).collect())
    }
}

impl Directory for Rows {
    fn principal(&self, object: Guid) -> Option<PrincipalId> {
        self.0.get(&object).cloned()
    }
}

// ---- who comes in

#[test]
fn a_person_of_the_tenant_comes_in_with_all_that_the_token_proves() {
    let caller = admit(&user()).unwrap();
    assert_eq!(caller.tenant(), guid(TENANT));
    assert_eq!(caller.object(), guid(MAYA));
    assert_eq!(caller.kind(), CallerKind::User);
    assert_eq!(caller.provenance(), Provenance::VerifiedToken);
    let groups = [guid(SCIENCE), guid(SECURITY)];
    assert_eq!(*caller.groups(), Groups::Complete(groups.into()));
    assert_eq!(caller.scopes(), ["zt.access".into()]);
    assert!(caller.app_roles().is_empty());
    let client = caller.client().unwrap();
    assert_eq!((client.id, client.auth), (guid(OTHER), ClientAuth::Secret));
    assert_eq!(caller.auth_strength().mfa, Mfa::Unknown);
    let token = caller.token().unwrap();
    assert_eq!(token.uti.as_deref(), Some("token-1"));
    assert_eq!(token.iat, Timestamp::from_secs(NOW_S - 300));
    assert_eq!((token.ver, &*token.kid), (TokenVersion::V2, issuer().kid()));
    assert_eq!(
        caller.expires_at(),
        Some(Timestamp::from_secs(NOW_S + 3600))
    );
}

#[test]
fn an_application_comes_in_by_idtyp_or_by_being_its_own_subject() {
    for claims in [app(), without(app(), "idtyp")] {
        let caller = admit(&claims).unwrap();
        assert_eq!(caller.kind(), CallerKind::ServicePrincipal);
        assert_eq!(caller.app_roles(), ["zt.workload".into()]);
        assert!(caller.scopes().is_empty());
    }
}

#[test]
fn the_scheme_bearer_is_taken_off_in_any_case_and_no_other_is() {
    let token = sign(&header(), &user());
    for scheme in ["Bearer ", "bearer ", "BEARER "] {
        assert!(enter(&format!("{scheme}{token}")).is_ok());
    }
    for scheme in [
        "Basic ",
        "Bearer",
        "Bearer  ",
        " Bearer ",
        "PoP ",
        "MTLS_POP ",
    ] {
        assert!(enter(&format!("{scheme}{token}")).is_err(), "{scheme}");
    }
    for nothing in ["", "Bearer "] {
        assert_eq!(enter(nothing).unwrap_err(), AuthError::MissingCredentials);
    }
}

#[test]
fn tokens_of_the_development_issuer_come_in() {
    let now = Timestamp::from_secs(NOW_S);
    let request = TokenRequest::user(&dev(), guid(MAYA), now)
        .with_groups(vec![guid(SCIENCE)])
        .with_methods(&["pwd", "mfa"])
        .with_lifetime(Duration::from_secs(600));
    let caller = enter(&issuer().issue(&request).unwrap()).unwrap();
    assert_eq!(caller.kind(), CallerKind::User);
    assert_eq!(*caller.groups(), Groups::Complete([guid(SCIENCE)].into()));
    assert_eq!(caller.auth_strength().mfa, Mfa::Yes);
    assert_eq!(caller.expires_at(), Some(Timestamp::from_secs(NOW_S + 600)));

    let request = TokenRequest::workload(&dev(), guid(WORKLOAD), now).with_groups_overage();
    let caller = enter(&issuer().issue(&request).unwrap()).unwrap();
    assert_eq!(caller.kind(), CallerKind::ServicePrincipal);
    assert_eq!(*caller.groups(), Groups::Overage);
    assert_eq!(caller.client().unwrap().auth, ClientAuth::Certificate);
}

#[test]
fn a_caller_prints_ids_and_neither_name_nor_mail_nor_token() {
    let caller = admit(&user()).unwrap();
    assert_eq!(caller.to_string(), format!("oid:{MAYA}"));
    let shown = format!("{caller:?} {:?}", caller.token());
    for hidden in ["Maya", "brindlewick", "eyJ", "pairwise"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}

// ---- form

#[test]
fn a_token_of_a_megabyte_is_refused_unread() {
    let error = enter(&"a.".repeat(512 * 1024)).unwrap_err();
    let limit = MAX_TOKEN_BYTES;
    let bytes = 1024 * 1024;
    let part = TokenPart::Token;
    assert_eq!(error, AuthError::TooLong { part, bytes, limit });
    let long = with(header(), "x", json!("x".repeat(2000)));
    let error = enter(&sign(&long, &user())).unwrap_err();
    assert!(matches!(
        error,
        AuthError::TooLong {
            part: TokenPart::Header,
            ..
        }
    ));
}

#[test]
fn a_token_has_three_parts_and_none_is_empty() {
    let token = sign(&header(), &user());
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        panic!("{token}")
    };
    for wrong in [
        format!("{header}.{payload}"),
        format!("{header}.{payload}."),
        format!("{header}..{signature}"),
        format!(".{payload}.{signature}"),
        format!("{token}.{signature}"),
        format!("{header}.{payload}.{payload}.{payload}.{signature}"),
        format!("{token}."),
        "..".to_owned(),
        "token".to_owned(),
        json!({ "payload": payload, "signatures": [{ "protected": header, "signature": signature }] })
            .to_string(),
    ] {
        assert_eq!(enter(&wrong).unwrap_err(), AuthError::NotThreeParts, "{wrong}");
    }
}

#[test]
fn a_token_has_one_spelling() {
    let token = sign(&header(), &user());
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    assert_eq!(
        bytes.len() % 3,
        1,
        "the last character of the signature has four unused bits"
    );
    let mut respelled: Vec<String> = ["=", "==", " ", "\n", "\r\n", "\t", "\0", "\u{feff}", "%20"]
        .iter()
        .flat_map(|extra| {
            [
                format!("{token}{extra}"),
                format!("{extra}{token}"),
                format!("{signed}.{extra}{signature}"),
                token.replacen('.', &format!("{extra}."), 1),
            ]
        })
        .collect();
    respelled.push(format!("{signed}.{}", URL_SAFE.encode(&bytes)));
    respelled.push(format!("{signed}.{}", STANDARD.encode(&bytes)));
    let last = signature.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for other in alphabet.chars().filter(|other| *other != last) {
        let cut = signature.strip_suffix(last).unwrap();
        respelled.push(format!("{signed}.{cut}{other}"));
    }
    for wrong in respelled {
        assert!(enter(&wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn padding_and_trailing_bits_are_refused_even_where_they_are_signed() {
    let good_header = URL_SAFE_NO_PAD.encode(header().to_string());
    let padded = |text: &str| URL_SAFE.encode(text);
    let pad_to = |text: String| format!("{text}{}", " ".repeat((4 - text.len() % 3) % 3));
    let header_text = pad_to(header().to_string());
    let payload_text = pad_to(user().to_string());
    assert!(padded(&header_text).ends_with('=') && padded(&payload_text).ends_with('='));
    for (header, payload, part) in [
        (
            padded(&header_text),
            URL_SAFE_NO_PAD.encode("{}"),
            TokenPart::Header,
        ),
        (
            good_header.clone(),
            padded(&payload_text),
            TokenPart::Payload,
        ),
        (
            good_header.clone(),
            format!("{}\n", URL_SAFE_NO_PAD.encode("{}")),
            TokenPart::Payload,
        ),
        (good_header, "e31".to_owned(), TokenPart::Payload),
    ] {
        let token = issuer().sign_parts(&header, &payload).unwrap();
        assert_eq!(enter(&token).unwrap_err(), AuthError::Base64 { part });
    }
}

#[test]
fn a_token_cut_anywhere_is_refused() {
    let token = sign(&header(), &user());
    for end in 0..token.len() {
        assert!(enter(token.get(..end).unwrap()).is_err(), "cut at {end}");
        assert!(
            enter(token.get(end + 1..).unwrap()).is_err(),
            "cut before {end}"
        );
    }
}

#[test]
fn one_flipped_bit_anywhere_is_refused() {
    let token = sign(&header(), &user());
    let door = door(dev());
    for at in 0..token.len() {
        for bit in 0..7 {
            let mut bytes = token.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let flipped = String::from_utf8(bytes).unwrap();
            assert!(
                door.authenticate(&flipped).is_err(),
                "bit {bit} of byte {at}"
            );
        }
    }
}

#[test]
fn a_signature_of_another_token_or_none_is_refused() {
    let token = sign(&header(), &user());
    let (signed, _) = token.rsplit_once('.').unwrap();
    let (_, other) = sign(&header(), &app())
        .rsplit_once('.')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let zeros = URL_SAFE_NO_PAD.encode([0; 256]);
    let ones = URL_SAFE_NO_PAD.encode([0xff; 256]);
    for signature in [&other, &zeros, &ones, &"AA".to_owned(), &zeros.repeat(2)] {
        let error = enter(&format!("{signed}.{signature}")).unwrap_err();
        assert!(matches!(error, AuthError::Signature { .. }), "{error:?}");
    }
}

// ---- header

#[test]
fn only_rs256_is_an_algorithm_whatever_the_header_says() {
    let table = json!({ "alg": [
        "none", "None", "NONE", "", "HS256", "RS384", "RS512", "PS256", "ES256", "EdDSA", "rs256", "RS256 ",
        ["RS256"], 256, null, { "alg": "RS256" },
    ] });
    for (_, alg) in each(&table) {
        let token = sign(&with(header(), "alg", alg.clone()), &user());
        let error = enter(&token).unwrap_err();
        assert!(
            matches!(error, AuthError::Algorithm { .. }),
            "{alg}: {error:?}"
        );
    }
    let error = enter(&sign(&without(header(), "alg"), &user())).unwrap_err();
    assert_eq!(
        error,
        AuthError::Algorithm {
            alg: "missing".to_owned()
        }
    );
}

#[test]
fn the_public_key_is_no_hmac_secret() {
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(with(header(), "alg", json!("HS256")).to_string()),
        URL_SAFE_NO_PAD.encode(user().to_string())
    );
    let key = jwk(|_| {});
    let n = URL_SAFE_NO_PAD.decode(key["n"].as_str().unwrap()).unwrap();
    for secret in [n.as_slice(), issuer().jwks().as_bytes()] {
        let secret = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
        let tag = aws_lc_rs::hmac::sign(&secret, signed.as_bytes());
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag));
        assert!(matches!(enter(&token), Err(AuthError::Algorithm { .. })));
        let respelled = token.replacen(
            &URL_SAFE_NO_PAD.encode(with(header(), "alg", json!("HS256")).to_string()),
            &URL_SAFE_NO_PAD.encode(header().to_string()),
            1,
        );
        assert!(matches!(
            enter(&respelled),
            Err(AuthError::Signature { .. })
        ));
    }
}

#[test]
fn an_unsecured_token_is_refused() {
    let header = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"none"}"#);
    let payload = URL_SAFE_NO_PAD.encode(user().to_string());
    assert!(enter(&format!("{header}.{payload}.")).is_err());
    assert!(enter(&format!("{header}.{payload}.AA")).is_err());
}

#[test]
fn header_members_that_change_the_reading_or_bring_a_key_are_refused() {
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("crit", json!(["http://example.invalid/unknown"])),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("zip", json!("DEF")),
        ("enc", json!("A256GCM")),
        ("cty", json!("JWT")),
        ("jwk", jwk(|_| {})),
        ("jku", json!("https://attacker.invalid/keys")),
        ("x5u", json!("https://attacker.invalid/cert")),
        ("x5c", json!(["MII"])),
    ] {
        let token = sign(&with(header(), name, value), &user());
        assert_eq!(enter(&token).unwrap_err(), AuthError::HeaderMember { name });
    }
    let known = with(header(), "x5t", json!(issuer().kid()));
    assert!(
        enter(&sign(&known, &user())).is_ok(),
        "v1.0 tokens carry `x5t`"
    );
}

#[test]
fn the_type_is_jwt() {
    for typ in [
        json!("jwt"),
        json!("at+jwt"),
        json!("JOSE"),
        json!("dpop+jwt"),
        json!(null),
        json!(1),
    ] {
        let token = sign(&with(header(), "typ", typ.clone()), &user());
        assert!(
            matches!(enter(&token), Err(AuthError::Type { .. })),
            "{typ}"
        );
    }
    let token = sign(&without(header(), "typ"), &user());
    assert!(matches!(enter(&token), Err(AuthError::Type { .. })));
}

#[test]
fn a_key_is_named_and_known() {
    for kid in [json!(""), json!(null), json!(1), json!([issuer().kid()])] {
        let token = sign(&with(header(), "kid", kid), &user());
        assert_eq!(enter(&token).unwrap_err(), AuthError::NoKeyId);
    }
    let token = sign(&without(header(), "kid"), &user());
    assert_eq!(enter(&token).unwrap_err(), AuthError::NoKeyId);
    let lower = issuer().kid().to_ascii_lowercase();
    let hostile = [
        "x",
        "*",
        "%",
        "../../dev/null",
        "' OR 1=1 --",
        "\r\nforged: line",
        &lower,
    ];
    for kid in hostile {
        let token = sign(&with(header(), "kid", json!(kid)), &user());
        let error = enter(&token).unwrap_err();
        assert!(matches!(error, AuthError::UnknownKey { .. }), "{error:?}");
        assert!(!error.to_string().contains('\n'));
    }
}

#[test]
fn a_name_twice_is_refused_in_header_and_claims_at_every_level() {
    let kid = issuer().kid();
    for header in [
        format!(r#"{{"alg":"none","alg":"RS256","typ":"JWT","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"RS256","typ":"JWT","kid":"x","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"RS256","typ":"JWT","kid":"{kid}","x":1,"x":1}}"#),
        format!(r#"{{"alg":"RS256","\u0061lg":"RS256","typ":"JWT","kid":"{kid}"}}"#),
    ] {
        let token = issuer().sign(&header, &user().to_string()).unwrap();
        let error = enter(&token).unwrap_err();
        let header = TokenPart::Header;
        assert!(matches!(error, AuthError::DuplicateMember { part, .. } if part == header));
    }
    let claims = user().to_string();
    let open = claims.strip_suffix('}').unwrap();
    for more in [
        format!(r#""tid":"{OTHER}""#),
        format!(r#""oid":"{MAYA}""#),
        r#""exp":9999999999"#.to_owned(),
        r#""roles":["a"],"roles":["b"]"#.to_owned(),
        r#""unknown":1,"unknown":1"#.to_owned(),
        r#""_claim_names":{"groups":"src1","groups":"src2"}"#.to_owned(),
        r#""deep":[{"a":{"b":1,"b":2}}]"#.to_owned(),
        format!(r#""\u0074id":"{OTHER}""#),
    ] {
        let token = issuer()
            .sign(&header().to_string(), &format!("{open},{more}}}"))
            .unwrap();
        let error = enter(&token).unwrap_err();
        let payload = TokenPart::Payload;
        assert!(
            matches!(error, AuthError::DuplicateMember { part, .. } if part == payload),
            "{more}"
        );
    }
}

#[test]
fn a_payload_is_one_json_object() {
    let claims = user().to_string();
    let deep = format!(r#"{{"a":{}"#, "[".repeat(20_000));
    let nested = format!(r#"{{"a":{}1{}}}"#, "[".repeat(200), "]".repeat(200));
    for payload in [
        "",
        "null",
        "[]",
        "1",
        "\"text\"",
        "{",
        &format!("\u{feff}{claims}"),
        &format!("{claims}{claims}"),
        &format!("[{claims}]"),
        &deep,
        &nested,
    ] {
        let payload = URL_SAFE_NO_PAD.encode(payload);
        if payload.is_empty() {
            continue;
        }
        let header = URL_SAFE_NO_PAD.encode(header().to_string());
        let token = issuer().sign_parts(&header, &payload).unwrap();
        let error = enter(&token).unwrap_err();
        assert!(
            matches!(
                error,
                AuthError::Json {
                    part: TokenPart::Payload,
                    ..
                }
            ),
            "{error:?}"
        );
    }
}

// ---- claims

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

// ---- time

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

// ---- audience, issuer, tenant

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

// ---- who, and with what right

#[test]
fn a_token_bound_to_a_key_is_no_bearer_token() {
    for cnf in [json!({ "x5t#S256": "x" }), json!({}), json!(null)] {
        assert_eq!(refused(&with(app(), "cnf", cnf)), AuthError::Confirmation);
    }
}

#[test]
fn person_or_application_is_never_guessed() {
    for claims in [
        with(app(), "scp", json!("zt.access")),
        with(user(), "idtyp", json!("device")),
        with(user(), "idtyp", json!("")),
        without(user(), "scp"),
        without(without(user(), "scp"), "sub"),
    ] {
        let error = refused(&claims);
        assert!(
            matches!(error, AuthError::Ambiguous { .. }),
            "{claims}: {error:?}"
        );
    }
    let own_subject = with(user(), "sub", json!(MAYA));
    assert_eq!(admit(&own_subject).unwrap().kind(), CallerKind::User);
}

#[test]
fn a_person_needs_a_scope_and_an_application_a_role() {
    let person = with(
        without(with(user(), "idtyp", json!("user")), "scp"),
        "roles",
        json!(["admin"]),
    );
    assert_eq!(refused(&person), AuthError::NoPermission { missing: "scp" });
    for bare in [without(app(), "roles"), with(app(), "roles", json!([]))] {
        assert_eq!(refused(&bare), AuthError::NoPermission { missing: "roles" });
        let door = door(dev().danger_allow_acl());
        assert!(door.authenticate(&sign(&header(), &bare)).is_ok());
    }
}

#[test]
fn strength_is_what_the_token_says_and_unknown_otherwise() {
    for (amr, mfa) in [
        (json!(["pwd", "mfa"]), Mfa::Yes),
        (json!(["ngcmfa"]), Mfa::Yes),
        (json!(["pwd"]), Mfa::No),
        (json!([]), Mfa::No),
        (json!(["wiaormfa"]), Mfa::Unknown),
        (json!(["MFA"]), Mfa::No),
    ] {
        let caller = admit(&with(user(), "amr", amr)).unwrap();
        assert_eq!(caller.auth_strength().mfa, mfa);
    }
    assert_eq!(admit(&user()).unwrap().auth_strength().mfa, Mfa::Unknown);
}

#[test]
fn too_many_groups_and_no_groups_are_two_things() {
    let bare = without(user(), "groups");
    assert_eq!(*admit(&bare).unwrap().groups(), Groups::NotInToken);
    assert_eq!(
        *admit(&with(bare.clone(), "groups", json!([])))
            .unwrap()
            .groups(),
        Groups::Complete([].into())
    );
    for (name, value) in [
        ("_claim_names", json!({ "groups": "src1" })),
        ("hasgroups", json!(true)),
    ] {
        let caller = admit(&with(bare.clone(), name, value.clone())).unwrap();
        assert_eq!(*caller.groups(), Groups::Overage);
        assert_eq!(refused_claim(&with(user(), name, value)), "groups");
    }
    for (name, value) in [
        ("_claim_names", json!({ "other": "src1" })),
        ("hasgroups", json!(false)),
    ] {
        let caller = admit(&with(bare.clone(), name, value)).unwrap();
        assert_eq!(*caller.groups(), Groups::NotInToken);
    }
}

#[test]
fn a_group_twice_is_one_group_in_any_case() {
    let caller = admit(&with(
        user(),
        "groups",
        json!([SCIENCE, SCIENCE.to_uppercase()]),
    ))
    .unwrap();
    assert_eq!(*caller.groups(), Groups::Complete([guid(SCIENCE)].into()));
}

#[test]
fn rows_give_the_readable_ids() {
    let rows = Rows::new(&[(MAYA, "user:maya"), (SCIENCE, "group:grp-data-science")]);
    let caller = admit(&user()).unwrap();
    assert_eq!(
        caller.principal(&rows).unwrap().unwrap().as_str(),
        "user:maya"
    );
    let groups: [PrincipalId; 1] = ["group:grp-data-science".parse().unwrap()];
    assert_eq!(
        caller.groups().principals(&rows).unwrap(),
        Groups::Complete(groups.into())
    );
    assert_eq!(admit(&app()).unwrap().principal(&rows).unwrap(), None);
    assert_eq!(Groups::Overage.principals(&rows).unwrap(), Groups::Overage);
    assert_eq!(
        Groups::NotInToken.principals(&rows).unwrap(),
        Groups::NotInToken
    );
}

#[test]
fn a_row_of_another_kind_refuses_the_caller() {
    for (claims, id) in [
        (user(), "sp:maya"),
        (user(), "group:maya"),
        (app(), "user:sp-score-201"),
        (app(), "group:sp-score-201"),
    ] {
        let rows = Rows::new(&[(MAYA, id), (WORKLOAD, id)]);
        let error = admit(&claims).unwrap().principal(&rows).unwrap_err();
        assert!(
            matches!(error, AuthError::PrincipalKind { .. }),
            "{error:?}"
        );
        assert_eq!(Error::from(error).code(), Code::InvalidToken);
    }
    let rows = Rows::new(&[(SCIENCE, "user:science")]);
    assert!(admit(&user()).unwrap().groups().principals(&rows).is_err());
}

#[test]
fn an_asserted_caller_says_so_and_has_no_token() {
    let maya: PrincipalId = "user:maya".parse().unwrap();
    let groups = Groups::complete(vec![guid(SCIENCE)]);
    let caller = Caller::asserted(guid(TENANT), &maya, guid(MAYA), groups).unwrap();
    assert_eq!(caller.provenance(), Provenance::Asserted);
    assert_eq!(
        (caller.kind(), caller.object()),
        (CallerKind::User, guid(MAYA))
    );
    assert!(caller.token().is_none() && caller.expires_at().is_none());
    assert_eq!(caller.auth_strength().mfa, Mfa::Unknown);
    let group: PrincipalId = "group:grp-security".parse().unwrap();
    assert!(Caller::asserted(guid(TENANT), &group, guid(MAYA), Groups::NotInToken).is_err());
}

// ---- configuration

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
        profile(Cloud::UsGov).accepting_v1(&[]).unwrap_err(),
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
        "HTTPS://Management.Azure.com",
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

// ---- keys

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
        "e": ["AQ", "Aw", "AQAA", "AAEAAQ", "AQABAQABAQ", ""],
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
        assert_eq!(keys.skipped().len(), 1);
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

// ---- anything

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(Value::from(TENANT)),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{0,8}", inner, 0..4)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_gets_in_or_panics(text in any::<String>()) {
        prop_assert!(enter(&text).is_err());
    }

    #[test]
    fn no_three_parts_get_in_or_panic(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 3)) {
        let parts: Vec<String> = parts.iter().map(|part| URL_SAFE_NO_PAD.encode(part)).collect();
        prop_assert!(enter(&parts.join(".")).is_err());
    }

    #[test]
    fn no_signed_bytes_get_in_or_panic(header in any::<Vec<u8>>(), payload in any::<Vec<u8>>()) {
        let known = URL_SAFE_NO_PAD.encode(self::header().to_string());
        let header = URL_SAFE_NO_PAD.encode(header);
        let payload = URL_SAFE_NO_PAD.encode(payload);
        for header in [header, known] {
            prop_assert!(enter(&issuer().sign_parts(&header, &payload).unwrap()).is_err());
        }
    }

    #[test]
    fn no_claim_whatever_its_value_makes_somebody_else(
        at in 0..22_usize,
        value in any_json(),
    ) {
        let names = [
            "aud", "iss", "ver", "tid", "oid", "sub", "azp", "azpacr", "scp", "iat", "nbf", "exp", "uti", "groups", "roles",
            "idtyp", "amr", "cnf", "_claim_names", "hasgroups", "name", "unknown",
        ];
        if let Ok(caller) = admit(&with(user(), names[at], value)) {
            prop_assert_eq!(caller.tenant(), guid(TENANT));
            prop_assert!(caller.object() == guid(MAYA) || names[at] == "oid");
            prop_assert_eq!(caller.kind(), CallerKind::User);
        }
    }

    #[test]
    fn no_bytes_make_a_key_set_or_panic(bytes in any::<Vec<u8>>()) {
        prop_assert!(KeySet::from_jwks(&bytes, &dev()).is_err());
    }

    #[test]
    fn no_member_of_a_key_panics(at in 0..9_usize, value in any_json()) {
        let names = ["kty", "use", "kid", "n", "e", "alg", "key_ops", "issuer", "cloud_instance_name"];
        let set = key_set(&[jwk(|key| key[names[at]] = value)], &dev());
        prop_assert!(set.is_err() || set.is_ok());
    }
}
