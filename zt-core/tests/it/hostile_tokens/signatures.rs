//! Signatures: by other keys, over other bytes, with other algorithms, and spoilt.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512,
    RsaEncoding,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Case;
use super::mint::{Door, Object, encode, mint, modulus, public_der, signature};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = spoilt();
    cases.extend(over_other_bytes());
    cases.extend(other_algorithms());
    cases.extend(public_key_as_secret());
    cases
}

/// Header and payload, encoded and joined.
fn input(alg: &str) -> String {
    let alg = format!("\"{alg}\"");
    let header = Object::header().edited(&[("alg", "")]).and("\"alg\"", &alg);
    let payload = Object::user();
    format!(
        "{}.{}",
        encode(header.text().as_bytes()),
        encode(payload.text().as_bytes())
    )
}

fn case(name: impl Into<String>, input: &str, signature: &[u8], expected: &str) -> Case {
    let token = format!("{input}.{}", encode(signature));
    Case::new("signature", name, Door::Development, token, expected)
}

fn spoilt() -> Vec<Case> {
    let input = input("RS256");
    let good = signature(&mint().trusted, &RSA_PKCS1_SHA256, input.as_bytes());
    let n = modulus(&mint().trusted);
    let (first, second) = good.split_at(128);
    let joined = |parts: &[&[u8]]| parts.concat();
    let mut less_one = n.to_vec();
    less_one[255] -= 1;
    let mut one = vec![0; 256];
    one[255] = 1;
    let backwards: Vec<u8> = good.iter().rev().copied().collect();
    let inverse: Vec<u8> = good.iter().map(|byte| !byte).collect();
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("one byte", good[..1].to_vec()),
        ("the last byte missing", good[..255].to_vec()),
        ("the first byte missing", good[1..].to_vec()),
        ("half", first.to_vec()),
        ("halves swapped", joined(&[second, first])),
        ("twice", joined(&[&good, &good])),
        ("a zero byte before", joined(&[&[0], &good])),
        ("16 zero bytes before", joined(&[&[0; 16], &good])),
        ("a zero byte after", joined(&[&good, &[0]])),
        ("a byte after", joined(&[&good, b"x"])),
        ("512 bytes, zeros before", joined(&[&[0; 256], &good])),
        ("backwards", backwards),
        ("all bits turned", inverse),
        ("zeros", vec![0; 256]),
        ("ones", vec![0xff; 256]),
        ("the number one", one),
        ("the modulus", n.to_vec()),
        ("the modulus less one", less_one),
        ("plus the modulus", sum(&good, n)),
        ("the digest alone", vec![0x2a; 32]),
        ("64 zero bytes, as of ECDSA", vec![0; 64]),
        (
            "an ASN.1 sequence of zeros",
            vec![0x30, 0x06, 0x02, 0x01, 0, 0x02, 0x01, 0],
        ),
        ("unsigned padding", padded(&input)),
        ("padding of a forger's, hash first", hash_first(&input)),
    ];
    rows.into_iter()
        .map(|(name, bytes)| case(name, &input, &bytes, "signature"))
        .collect()
}

/// The sum of two numbers of 256 bytes: the same signature to a reader that forgets to compare with the modulus.
fn sum(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let mut sum: Vec<u8> = a
        .iter()
        .zip(b)
        .rev()
        .map(|(a, b)| {
            let digit = u16::from(*a) + u16::from(*b) + carry;
            carry = digit >> 8;
            digit.to_le_bytes()[0]
        })
        .collect();
    if carry > 0 {
        sum.push(1);
    }
    sum.reverse();
    sum
}

/// The DER that stands before a SHA-256 digest (RFC 8017 section 9.2).
const DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

fn digest(input: &str) -> Vec<u8> {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, input.as_bytes());
    digest.as_ref().to_vec()
}

/// What a signature decrypts to, not encrypted: right for a key of exponent 1.
fn padded(input: &str) -> Vec<u8> {
    [
        vec![0, 1],
        vec![0xff; 202],
        vec![0],
        DIGEST_INFO.to_vec(),
        digest(input),
    ]
    .concat()
}

/// Short padding and rubbish after the digest: what Bleichenbacher's forgery of 2006 decrypts to.
fn hash_first(input: &str) -> Vec<u8> {
    [
        vec![0, 1],
        vec![0xff; 8],
        vec![0],
        DIGEST_INFO.to_vec(),
        digest(input),
        vec![0; 194],
    ]
    .concat()
}

fn over_other_bytes() -> Vec<Case> {
    let whole = input("RS256");
    let (header, payload) = whole.split_once('.').unwrap();
    let others: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("the header", header.as_bytes().to_vec()),
        ("the payload", payload.as_bytes().to_vec()),
        ("no dot", format!("{header}{payload}").into_bytes()),
        ("payload first", format!("{payload}.{header}").into_bytes()),
        ("a dot after", format!("{whole}.").into_bytes()),
        ("decoded claims", Object::user().text().into_bytes()),
        (
            "decoded claims after the header",
            format!("{header}.{}", Object::user().text()).into_bytes(),
        ),
        ("the digest", digest(&whole)),
        ("claims of another caller", another(header)),
    ];
    let mut cases: Vec<Case> = others
        .into_iter()
        .map(|(name, bytes)| {
            let signature = signature(&mint().trusted, &RSA_PKCS1_SHA256, &bytes);
            case(format!("over {name}"), &whole, &signature, "signature")
        })
        .collect();
    let by_another = signature(&mint().second, &RSA_PKCS1_SHA256, whole.as_bytes());
    cases.push(case("by another key", &whole, &by_another, "signature"));
    cases
}

fn another(header: &str) -> Vec<u8> {
    let payload = Object::user().edited(&[("oid", r#""b0000000-0000-4000-8000-000000000009""#)]);
    format!("{header}.{}", encode(payload.text().as_bytes())).into_bytes()
}

/// True signatures of the trusted key, but of other algorithms: named, and passed off as RS256.
fn other_algorithms() -> Vec<Case> {
    let paddings: [(&str, &'static dyn RsaEncoding); 5] = [
        ("RS384", &RSA_PKCS1_SHA384),
        ("RS512", &RSA_PKCS1_SHA512),
        ("PS256", &RSA_PSS_SHA256),
        ("PS384", &RSA_PSS_SHA384),
        ("PS512", &RSA_PSS_SHA512),
    ];
    let mut cases = Vec::new();
    for (alg, padding) in paddings {
        for (said, expected) in [(alg, "alg"), ("RS256", "signature")] {
            let input = input(said);
            let made = signature(&mint().trusted, padding, input.as_bytes());
            cases.push(case(
                format!("{alg} called {said}"),
                &input,
                &made,
                expected,
            ));
        }
    }
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap();
    for (said, expected) in [("ES256", "alg"), ("RS256", "signature")] {
        let input = input(said);
        let made = pair.sign(&random, input.as_bytes()).unwrap();
        cases.push(case(
            format!("ES256 called {said}"),
            &input,
            made.as_ref(),
            expected,
        ));
    }
    let input = input("ES256");
    cases.push(case("psychic, ES256", &input, &[0; 64], "alg"));
    cases
}

/// HMAC with what everybody knows of the trusted key.
fn public_key_as_secret() -> Vec<Case> {
    let pair = &mint().trusted;
    let der = public_der(pair);
    let text = STANDARD.encode(&der);
    let lines: Vec<&str> = (0..text.len())
        .step_by(64)
        .filter_map(|at| text.get(at..(at + 64).min(text.len())))
        .collect();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
        lines.join("\n")
    );
    let n = modulus(pair);
    let jwk = format!(r#"{{"e":"AQAB","kty":"RSA","n":"{}"}}"#, encode(n));
    let secrets: Vec<(&str, Vec<u8>)> = vec![
        ("PEM", pem.clone().into_bytes()),
        ("PEM and a line feed", format!("{pem}\n").into_bytes()),
        (
            "PEM with carriage returns",
            pem.replace('\n', "\r\n").into_bytes(),
        ),
        ("base64 of the DER", text.into_bytes()),
        ("SubjectPublicKeyInfo", der),
        ("RSAPublicKey", pair.public_key().as_ref().to_vec()),
        ("JWK", jwk.into_bytes()),
        ("n", n.to_vec()),
        ("n as base64url", encode(n).into_bytes()),
        ("kid", mint().kid.clone().into_bytes()),
        ("nothing", Vec::new()),
    ];
    let mut cases = Vec::new();
    for (name, secret) in secrets {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        for (said, expected) in [("HS256", "alg"), ("RS256", "signature")] {
            let input = input(said);
            let tag = hmac::sign(&key, input.as_bytes());
            let name = format!("HMAC with {name}, called {said}");
            cases.push(case(name, &input, tag.as_ref(), expected));
        }
    }
    cases
}
