//! The bytes and the header: what is refused before a claim is read.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::json;

use super::*;

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
