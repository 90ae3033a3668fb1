//! The examples of RFC 7515, 7519, 7520 and 7797, and the lists of RFC 8725, one after the other.
//!
//! Only RFC 7520 section 4.1 and RFC 7515 appendix A.2 are signed with an algorithm that is accepted here. Every other one is
//! refused, for the reason that its text leads one to expect.

use serde_json::{Value, json};

use super::super::error::AuthError;
use super::super::jws::{HeaderRules, Presented};
use super::{RULES, Refusal, set_of, verified};

/// `{"iss":"joe", "exp":1300819380, "http://example.com/is_root":true}` of RFC 7515 appendix A and RFC 7519 section 3.1.
const JOE: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
/// "It's a dangerous business, Frodo, ..." of RFC 7520 section 4.
const FRODO: &str = "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4";

/// Why the form or the header alone is refused; none if it is not.
fn refusal(jws: &str) -> Option<String> {
    let read = Presented::read(jws, RULES).map_err(Refusal::Token);
    read.err().map(|why| why.word())
}

fn is_algorithm(jws: &str, alg: &str) -> bool {
    let quoted = format!("`{alg}`");
    matches!(Presented::read(jws, RULES), Err(AuthError::Algorithm { alg }) if alg == quoted)
}

/// RFC 7515 A.1 (the token of RFC 7519 section 3.1), A.3 and A.4: HS256, ES256, ES512.
#[test]
fn rfc_7515_other_algorithms() {
    let hs256 = format!(
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{JOE}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    );
    assert!(is_algorithm(&hs256, "HS256"));
    let es256 = format!(
        "eyJhbGciOiJFUzI1NiJ9.{JOE}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    );
    assert!(is_algorithm(&es256, "ES256"));
    let es512 = "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn";
    assert!(is_algorithm(es512, "ES512"));
}

/// RFC 7515 A.2: RS256 without `kid`, so nothing says which key; its signature is tested in `jws`. As an access token of Entra's
/// it lacks `typ` first.
#[test]
fn rfc_7515_a_2_names_no_key() {
    let token = format!("eyJhbGciOiJSUzI1NiJ9.{JOE}.cC4hiUPoj9Eetdgtv3hF80EGrhuB");
    let read = Presented::read(&token, RULES).unwrap();
    assert_eq!(read.kid(), "");
    assert!(matches!(
        Presented::read(&token, HeaderRules::default()),
        Err(AuthError::Type { .. })
    ));
}

/// RFC 7515 A.5 and RFC 7519 section 6.1: unsecured, with an empty signature; and with any signature.
#[test]
fn rfc_7519_6_1_unsecured() {
    let unsecured = format!("eyJhbGciOiJub25lIn0.{JOE}.");
    assert_eq!(refusal(&unsecured).as_deref(), Some("not three parts"));
    assert!(is_algorithm(&format!("{unsecured}AAAA"), "none"));
}

/// RFC 7515 A.6 and A.7: the JSON serialisations.
#[test]
fn rfc_7515_json_serialisations() {
    let flat = json!({ "payload": JOE, "protected": "eyJhbGciOiJFUzI1NiJ9",
        "header": { "kid": "e9bc097a-ce51-4036-9562-d2ade882db0d" }, "signature": "DtEhU3ljbEg8L38VWAfUAqOyKAM6" });
    let general = json!({ "payload": JOE, "signatures": [
        { "protected": "eyJhbGciOiJSUzI1NiJ9", "header": { "kid": "2010-12-29" }, "signature": "cC4hiUPoj9Eetdgtv3hF80EG" },
        { "protected": "eyJhbGciOiJFUzI1NiJ9", "header": { "kid": "e9bc097a" }, "signature": "DtEhU3ljbEg8L38V" } ] });
    for text in [flat, general] {
        assert_eq!(
            refusal(&text.to_string()).as_deref(),
            Some("not three parts"),
            "{text}"
        );
    }
}

/// RFC 7515 appendix E: a `crit` that nobody knows must be refused.
#[test]
fn rfc_7515_appendix_e() {
    let token = "eyJhbGciOiJub25lIiwNCiAiY3JpdCI6WyJodHRwOi8vZXhhbXBsZS5jb20vVU5ERUZJTkVEIl0sDQogImh0dHA6Ly9leGFtcGxlLmNvbS9VTkRFRklORUQiOnRydWUNCn0.RkFJTA.";
    assert_eq!(refusal(token).as_deref(), Some("not three parts"));
    assert_eq!(refusal(&format!("{token}AAAA")).as_deref(), Some("crit"));
}

/// The key of RFC 7520 section 3.3, as of section 4.1; the signature is figure 13, which Wycheproof has as vector 345.
#[test]
fn rfc_7520_4_1_verifies() {
    use wycheproof_ng_kdf_jose::json_web::{TestName, TestSet};
    let set = TestSet::load(TestName::JsonWebSignature).unwrap();
    let mut groups = set.test_groups.iter();
    let group = groups.find(|group| group.tests.iter().any(|test| test.tc_id == 345));
    let group = group.unwrap();
    let test = group.tests.first().unwrap();
    let jws = test.jws.as_ref().and_then(Value::as_str).unwrap();
    assert!(jws.contains(FRODO));
    let payload = verified(jws, &set_of(group.public_key.as_ref().unwrap())).unwrap();
    assert!(payload.starts_with("It\u{2019}s a dangerous business, Frodo".as_bytes()));
}

/// RFC 7520 sections 4.2 to 4.4: PS384, ES512, HS256.
#[test]
fn rfc_7520_other_algorithms() {
    for (alg, header) in [
        (
            "PS384",
            "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9",
        ),
        (
            "ES512",
            "eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9",
        ),
        (
            "HS256",
            "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9",
        ),
    ] {
        assert!(
            is_algorithm(&format!("{header}.{FRODO}.AAAA"), alg),
            "{alg}"
        );
    }
}

/// RFC 7520 sections 4.5 to 4.8: detached content, and what only a JSON serialisation can say.
#[test]
fn rfc_7520_other_forms() {
    let detached = "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9..s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0";
    assert_eq!(refusal(detached).as_deref(), Some("not three parts"));
    let kid = "018c0ae5-4d9b-471b-bfd6-eef314bc7037";
    let specific = json!({ "payload": FRODO, "protected": "eyJhbGciOiJIUzI1NiJ9", "header": { "kid": kid },
        "signature": "bWUSVaxorn7bEF1djytBd0kHv70Ly5pvbomzMWSOr20" });
    let content = json!({ "payload": FRODO, "header": { "alg": "HS256", "kid": kid },
        "signature": "xuLifqLGiblpv9zBpuZczWhNj1gARaLV3UxvxhJxZuk" });
    let multiple = json!({ "payload": FRODO, "signatures": [
        { "protected": "eyJhbGciOiJSUzI1NiJ9", "header": { "kid": "bilbo.baggins@hobbiton.example" }, "signature": "MIsjqtVlOpa71KE" },
        { "header": { "alg": "ES512", "kid": "bilbo.baggins@hobbiton.example" }, "signature": "ARcVLnaJJaUWG8fG" } ] });
    for text in [specific, content, multiple] {
        let refused = refusal(&text.to_string());
        // The kid of section 4.8 holds a full stop, which is all that makes parts of the text.
        assert!(refused.is_some(), "{text}");
    }
}

/// RFC 7797 sections 4.1 and 4.2: the same bytes with and without base64url; the second says so critically.
#[test]
fn rfc_7797_unencoded_payload() {
    let encoded = "eyJhbGciOiJIUzI1NiJ9.JC4wMg.5mvfOroL-g7HyqJoozehmsaqmvTYGEq5jTI1gVvoEoQ";
    assert!(is_algorithm(encoded, "HS256"));
    let header = "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19";
    let signature = "A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY";
    assert_eq!(
        refusal(&format!("{header}..{signature}")).as_deref(),
        Some("not three parts")
    );
    assert_eq!(
        refusal(&format!("{header}.$.02.{signature}")).as_deref(),
        Some("not three parts")
    );
    assert_eq!(
        refusal(&format!("{header}.$02.{signature}")).as_deref(),
        Some("b64")
    );
}

/// RFC 8725 section 2, attack by attack, and where each is tested.
///
/// | section | attack | where |
/// |---|---|---|
/// | 2.1 | `none`, RS256 turned into HS256 | here; hostile tokens, `alg` and `signature` |
/// | 2.2 | weak symmetric keys | no symmetric key is read: `jose::keys` |
/// | 2.3 | encrypt without signing, compression | here |
/// | 2.4 | several JSON encodings, duplicate names | hostile tokens, `duplicate`, `json` |
/// | 2.5, 2.6 | elliptic curves | no such key is read: `jose::mixtures` |
/// | 2.7 | substitution: another recipient, another issuer | hostile tokens, `aud`, `iss`, `tid` |
/// | 2.8 | cross-JWT confusion: another `typ` | hostile tokens, `typ` |
/// | 2.9 | indirect attacks: `kid`, `jku`, `x5u` | here; hostile tokens, `kid`, `extension` |
#[test]
fn rfc_8725_section_2() {
    for (header, refused) in [
        (r#"{"alg":"none","kid":"a"}"#, "algorithm"),
        (r#"{"alg":"HS256","kid":"a"}"#, "algorithm"),
        (r#"{"alg":"dir","enc":"A128GCM","kid":"a"}"#, "enc"),
        (r#"{"alg":"RS256","zip":"DEF","kid":"a"}"#, "zip"),
        (r#"{"alg":"RS256","cty":"JWT","kid":"a"}"#, "cty"),
        (
            r#"{"alg":"RS256","jku":"https://attacker.invalid","kid":"a"}"#,
            "jku",
        ),
        (
            r#"{"alg":"RS256","x5u":"https://attacker.invalid","kid":"a"}"#,
            "x5u",
        ),
        (r#"{"alg":"RS256","jwk":{"kty":"RSA"},"kid":"a"}"#, "jwk"),
        (r#"{"alg":"RS256","x5c":[],"kid":"a"}"#, "x5c"),
    ] {
        use base64::Engine as _;
        let encoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header);
        assert_eq!(
            refusal(&format!("{encoded}.e30.AAAA")).as_deref(),
            Some(refused),
            "{header}"
        );
    }
}
