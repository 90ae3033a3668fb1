//! Profiles that let more in, each by one step: other tenants, another algorithm, another `typ`, v1.0 where its issuer is not
//! documented.

use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RSA_PSS_SHA384, RsaEncoding};

use super::mint::{Door, Edit, Object, encode, mint, signature, signed};
use super::{Case, Row};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = tenants();
    cases.extend(algorithms());
    cases.extend(types());
    for (name, edits, expected) in US_GOV_V1 {
        let token = signed(&Object::header(), &Object::v1().edited(edits));
        cases.push(Case::new(
            "v1.0 of Azure Government",
            *name,
            Door::UsGovV1,
            token,
            expected,
        ));
    }
    cases
}

const OURS: &[Edit] = &[];
const OTHERS: &[Edit] = &[("tid", r#""$OTHER""#), ("iss", r#""$DEV/$OTHER/v2.0""#)];
const A_THIRD: &[Edit] = &[
    ("tid", r#""33333333-3333-4333-8333-333333333333""#),
    ("iss", r#""$DEV/33333333-3333-4333-8333-333333333333/v2.0""#),
];

/// Two tenants are let in, and each has a key that is its own.
#[rustfmt::skip]
const TENANTS: &[(&str, &str, &[Edit], &str)] = &[
    ("home, key of every tenant", "$KID", OURS, "accepted"),
    ("home, its own key", "tenant-key", OURS, "accepted"),
    ("home, key of the other", "other-tenant-key", OURS, "key issuer"),
    ("the other, key of every tenant", "$KID", OTHERS, "accepted"),
    ("the other, its own key", "other-tenant-key", OTHERS, "accepted"),
    ("the other, key of home", "tenant-key", OTHERS, "key issuer"),
    ("the other, key without issuer", "v1-key", OTHERS, "key issuer"),
    ("the other, key of a third", "third-tenant-key", OTHERS, "unknown kid"),
    ("a third, key of every tenant", "$KID", A_THIRD, "tenant"),
    ("a third, its own key", "third-tenant-key", A_THIRD, "unknown kid"),
    ("home's issuer, tid of the other", "$KID", &[("tid", r#""$OTHER""#)], "issuer"),
    ("the other's issuer, tid of home", "$KID", &[("iss", r#""$DEV/$OTHER/v2.0""#)], "issuer"),
    ("home's issuer, tid of the other, its key", "other-tenant-key", &[("tid", r#""$OTHER""#)], "issuer"),
    ("the template as issuer", "$KID", &[("iss", r#""$DEV/{tenantid}/v2.0""#)], "issuer"),
    ("organizations", "$KID", &[("iss", r#""$DEV/organizations/v2.0""#)], "issuer"),
    ("the other in capitals as issuer", "$KID", &[("tid", r#""$OTHER""#), ("iss", r#""$DEV/$OTHER/V2.0""#)], "issuer"),
    ("the consumers' tenant", "$KID", &[("tid", r#""9188040d-6c67-4c5b-b112-36a304b66dad""#)], "tenant"),
];

fn tenants() -> Vec<Case> {
    let rows = TENANTS.iter();
    rows.map(|(name, kid, edits, expected)| {
        let header = Object::header().edited(&[("kid", "")]);
        let header = header.and("\"kid\"", &format!("\"{kid}\""));
        let token = signed(&header, &Object::user().edited(edits));
        Case::new("several tenants", *name, Door::Tenants, token, expected)
    })
    .collect()
}

fn algorithms() -> Vec<Case> {
    let pkcs1: &'static dyn RsaEncoding = &RSA_PKCS1_SHA256;
    let (pss, pss384): (&'static dyn RsaEncoding, &'static dyn RsaEncoding) =
        (&RSA_PSS_SHA256, &RSA_PSS_SHA384);
    [
        ("RS256", "RS256", "$KID", pkcs1, "accepted"),
        ("PS256", "PS256", "$KID", pss, "accepted"),
        ("PS256 called RS256", "RS256", "$KID", pss, "signature"),
        ("RS256 called PS256", "PS256", "$KID", pkcs1, "signature"),
        ("PS384 called PS256", "PS256", "$KID", pss384, "signature"),
        ("PS384", "PS384", "$KID", pss384, "alg"),
        (
            "PS256, key for PS256",
            "PS256",
            "ps256-key",
            pss,
            "accepted",
        ),
        (
            "RS256, key for PS256",
            "RS256",
            "ps256-key",
            pkcs1,
            "signature",
        ),
        (
            "PS256, key for RS256",
            "PS256",
            "rs256-key",
            pss,
            "signature",
        ),
        (
            "RS256, key for RS256",
            "RS256",
            "rs256-key",
            pkcs1,
            "accepted",
        ),
        ("ps256", "ps256", "$KID", pss, "alg"),
        ("HS256", "HS256", "$KID", pkcs1, "alg"),
        ("none", "none", "$KID", pkcs1, "alg"),
    ]
    .into_iter()
    .map(|(name, alg, kid, padding, expected)| {
        let header = Object::header().edited(&[("alg", ""), ("kid", "")]);
        let header = header.and("\"alg\"", &format!("\"{alg}\""));
        let header = header.and("\"kid\"", &format!("\"{kid}\""));
        let payload = encode(Object::user().text().as_bytes());
        let input = format!("{}.{payload}", encode(header.text().as_bytes()));
        let made = signature(&mint().trusted, padding, input.as_bytes());
        let token = format!("{input}.{}", encode(&made));
        Case::new("PS256 accepted", name, Door::Wide, token, expected)
    })
    .collect()
}

fn types() -> Vec<Case> {
    [
        ("JWT", r#""JWT""#, "accepted"),
        ("at+jwt", r#""at+jwt""#, "accepted"),
        ("AT+JWT", r#""AT+JWT""#, "typ"),
        ("application/at+jwt", r#""application/at+jwt""#, "typ"),
        ("jwt", r#""jwt""#, "typ"),
        ("a DPoP proof", r#""dpop+jwt""#, "typ"),
        ("a list", r#"["at+jwt"]"#, "typ"),
        ("missing", "", "typ"),
    ]
    .into_iter()
    .map(|(name, typ, expected)| {
        let token = signed(&Object::header().edited(&[("typ", typ)]), &Object::user());
        Case::new("at+jwt accepted", name, Door::Wide, token, expected)
    })
    .collect()
}

/// No documentation says what issuer these tokens have, so none is right without a discovery document.
#[rustfmt::skip]
const US_GOV_V1: &[Row] = &[
    ("the public cloud's issuer", &[], "issuer"),
    ("the issuer of v2.0", &[("iss", r#""https://login.microsoftonline.us/$TENANT/v2.0""#)], "issuer"),
    ("no issuer", &[("iss", "")], "claim: iss"),
];
