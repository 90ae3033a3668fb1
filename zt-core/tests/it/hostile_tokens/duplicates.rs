//! One name twice: two readers could see two tokens (RFC 7519 section 4, RFC 8725 section 2.4).

use super::Case;
use super::mint::{Door, Object, signed};

/// Every claim that a rule reads, and some that none reads.
const CLAIMS: &[&str] = &[
    "aud", "iss", "ver", "tid", "oid", "sub", "exp", "nbf", "iat", "uti", "idtyp", "scp", "roles",
    "groups", "azp", "azpacr", "name", "upn",
];

/// Claims that this token does not have until it has them twice.
const ADDED: &[(&str, &str)] = &[
    ("cnf", r#"{"jkt":"x"}"#),
    ("amr", r#"["mfa"]"#),
    ("acrs", r#"["c1"]"#),
    ("hasgroups", "false"),
    ("_claim_names", "{}"),
    ("appid", r#""$APP""#),
    ("xms_cc", r#"["cp1"]"#),
    ("unheard_of", "1"),
];

/// A name with its first letter escaped: the same name.
fn escaped(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    let code = u32::from(first.chars().next().unwrap());
    format!("\"\\u{code:04x}{rest}\"")
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = in_payload();
    cases.extend(in_header());
    cases.extend(nested());
    cases.extend(among_many());
    cases
}

fn in_payload() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |name: String, payload: &Object| {
        let token = signed(&Object::header(), payload);
        cases.push(Case::new(
            "duplicate",
            name,
            Door::Development,
            token,
            "duplicate: payload",
        ));
    };
    let whole = Object::user().edited(&[("idtyp", r#""user""#), ("roles", r#"["Reader"]"#)]);
    for name in CLAIMS {
        let value = whole.value(name).unwrap().to_owned();
        let quoted = format!("\"{name}\"");
        add(
            format!("{name}, the same again"),
            &whole.clone().and(&quoted, &value),
        );
        add(
            format!("{name}, null first"),
            &whole.clone().after(&quoted, "null"),
        );
        add(
            format!("{name}, by an escape"),
            &whole.clone().and(&escaped(name), &value),
        );
    }
    for (name, value) in ADDED {
        let quoted = format!("\"{name}\"");
        add(
            format!("{name}, twice"),
            &whole.clone().and(&quoted, value).after(&quoted, value),
        );
    }
    cases
}

#[rustfmt::skip]
const HEADERS: &[(&str, &str, &str)] = &[
    ("alg, the same again", r#""alg""#, r#""RS256""#),
    ("alg, none second", r#""alg""#, r#""none""#),
    ("alg, by an escape", r#""\u0061lg""#, r#""none""#),
    ("kid, the same again", r#""kid""#, r#""$KID""#),
    ("kid, another second", r#""kid""#, r#""second-key""#),
    ("kid, by an escape", r#""k\u0069d""#, r#""$KID""#),
    ("typ, the same again", r#""typ""#, r#""JWT""#),
    ("typ, by an escape", r#""\u0074yp""#, r#""at+jwt""#),
];

fn in_header() -> Vec<Case> {
    let case = |name: &str, header: &Object| {
        let token = signed(header, &Object::user());
        let name = format!("header, {name}");
        Case::new(
            "duplicate",
            name,
            Door::Development,
            token,
            "duplicate: header",
        )
    };
    let header = Object::header;
    let rows = HEADERS.iter();
    let mut cases: Vec<Case> = rows
        .map(|(name, raw, value)| case(name, &header().and(raw, value)))
        .collect();
    cases.push(case(
        "alg, none first",
        &header().after(r#""alg""#, r#""none""#),
    ));
    let crit = header().and(r#""crit""#, "[]").and(r#""crit""#, "[]");
    cases.push(case("crit, twice", &crit));
    cases
}

fn nested() -> Vec<Case> {
    let values = [
        ("in an object", r#"{"a":1,"a":2}"#),
        ("in a list", r#"[{"a":1,"a":1}]"#),
        ("in depth", r#"{"a":{"b":[[{"c":{"d":1,"e":2,"d":3}}]]}}"#),
        ("of an empty name", r#"{"":1,"":2}"#),
        ("of a name with an escape", r#"{"é":1,"\u00e9":2}"#),
        ("of a surrogate pair", r#"{"😀":1,"\ud83d\ude00":2}"#),
    ];
    let mut cases = Vec::new();
    for (name, value) in values {
        let payload = Object::user().and(r#""x""#, value);
        let token = signed(&Object::header(), &payload);
        let of = format!("payload, {name}");
        cases.push(Case::new(
            "duplicate",
            of,
            Door::Development,
            token,
            "duplicate: payload",
        ));
        let token = signed(&Object::header().and(r#""x""#, value), &Object::user());
        let of = format!("header, {name}");
        cases.push(Case::new(
            "duplicate",
            of,
            Door::Development,
            token,
            "duplicate: header",
        ));
    }
    let sources = r#"{"src1":{"endpoint":"https://a.invalid","endpoint":"https://b.invalid"}}"#;
    let payload =
        Object::user().edited(&[("groups", ""), ("_claim_names", r#"{"groups":"src1"}"#)]);
    let token = signed(
        &Object::header(),
        &payload.and(r#""_claim_sources""#, sources),
    );
    let name = "payload, in the source of groups";
    cases.push(Case::new(
        "duplicate",
        name,
        Door::Development,
        token,
        "duplicate: payload",
    ));
    cases
}

/// One name twice among so many others that a reader has to look them up in another way.
fn among_many() -> Vec<Case> {
    let mut cases = Vec::new();
    for count in [26, 27, 28, 29, 30, 31, 32, 100, 500] {
        let mut payload = Object::user();
        for number in 0..count {
            payload = payload.and(&format!("\"filler-{number}\""), "0");
        }
        let mut add = |name: String, payload: &Object, expected: &str| {
            let token = signed(&Object::header(), payload);
            cases.push(Case::new(
                "duplicate",
                name,
                Door::Development,
                token,
                expected,
            ));
        };
        let again = [
            ("the first claim", r#""aud""#, r#""$APP""#),
            ("tid by an escape", r#""\u0074id""#, r#""$TENANT""#),
            ("the first other", r#""filler-0""#, "0"),
            ("the last other", r#""filler-25""#, "1"),
        ];
        for (name, raw, value) in again {
            let name = format!("{name}, after {count} others");
            add(name, &payload.clone().and(raw, value), "duplicate: payload");
        }
        add(format!("none among {count} others"), &payload, "accepted");
    }
    cases
}
