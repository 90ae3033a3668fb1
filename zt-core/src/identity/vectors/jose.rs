//! Project Wycheproof's vectors for JSON Web Signatures and keys (`wycheproof-ng-kdf-jose`): all of them.

use serde_json::{Value, json};
use wycheproof_ng_kdf_jose::json_web::{TestGroup, TestName, TestSet};

use super::super::jws::Presented;
use super::{RULES, Refusal, Tally, set_of, verified};

/// Vectors whose verdict one can doubt, and why. All but two are of algorithms that are not accepted here.
const CONTESTED: &[(usize, &str)] = &[
    (
        346,
        "the header says PS384, the key PS256; said to be valid",
    ),
    (
        350,
        "the header says PS384, the key PS256; said to be valid",
    ),
    (
        367,
        "equal to 357 byte for byte, which is valid; said to be invalid",
    ),
    (
        370,
        "equal to 357 byte for byte, which is valid; said to be invalid",
    ),
    (
        372,
        "a question mark in the header's base64url; said to be valid",
    ),
    (
        373,
        "a question mark in the payload's base64url; said to be valid",
    ),
];

/// The public key of a group, else its only key.
fn key(group: &TestGroup) -> &Value {
    let key = group.public_key.as_ref().or(group.private_key.as_ref());
    key.unwrap()
}

fn text(jws: Option<&Value>) -> String {
    match jws {
        Some(Value::String(text)) => text.clone(),
        other => other.map(Value::to_string).unwrap_or_default(),
    }
}

#[test]
fn signatures() {
    let set = TestSet::load(TestName::JsonWebSignature).unwrap();
    let (mut tally, mut run) = (Tally::default(), 0);
    for group in &set.test_groups {
        for test in &group.tests {
            run += 1;
            let answer = verified(&text(test.jws.as_ref()), &set_of(key(group)));
            let is_contested = CONTESTED.iter().any(|(id, _)| *id == test.tc_id);
            match answer {
                Ok(_) => {
                    assert!(!test.result.must_fail() && !is_contested, "{test:?}");
                    tally.count("verified");
                }
                Err(why) if is_contested => tally.count(format!("contested: {}", why.word())),
                Err(_) if test.result.must_fail() => tally.count("refused"),
                Err(why) => tally.count(format!("valid, but {}", why.word())),
            }
        }
    }
    let expected = [
        ("verified", 12),
        ("refused", 353),
        ("contested: algorithm", 2),
        ("contested: symmetric key", 4),
        ("valid, but not three parts", 2),
        ("valid, but symmetric key", 8),
        ("valid, but `alg` is not `RS256`", 16),
        ("valid, but `kty` is not `RSA`", 4),
    ];
    assert_eq!((run, tally), (401, Tally::of(&expected)));
}

/// An access token without claims says nothing, so an empty payload is not one, however well it is signed.
#[test]
fn valid_signatures_over_nothing_are_refused_for_their_form() {
    let set = TestSet::load(TestName::JsonWebSignature).unwrap();
    let mut found = Vec::new();
    for group in &set.test_groups {
        for test in group.tests.iter().filter(|test| !test.result.must_fail()) {
            let answer = verified(&text(test.jws.as_ref()), &set_of(key(group)));
            if answer.is_err_and(|why| why.word() == "not three parts") {
                found.push((test.tc_id, test.comment.as_str()));
            }
        }
    }
    assert_eq!(found, [(259, "emptyPayload"), (272, "emptyPayload")]);
}

/// Keys: too short, with exponent 1, for another use, ambiguous, symmetric, of a weak generator.
#[test]
fn keys() {
    let set = TestSet::load(TestName::JsonWebKey).unwrap();
    let (mut tally, mut wrong) = (Tally::default(), Vec::new());
    for group in &set.test_groups {
        for test in &group.tests {
            match verified(&text(test.jws.as_ref()), key(group)) {
                Ok(_) if test.result.must_fail() => wrong.push((test.tc_id, test.comment.clone())),
                Ok(_) => tally.count("verified"),
                Err(_) if test.result.must_fail() => tally.count("refused"),
                Err(why) => tally.count(format!("valid, but {}", why.word())),
            }
        }
    }
    let expected = [
        ("verified", 1),
        ("refused", 21),
        ("valid, but symmetric key", 4),
    ];
    assert_eq!((tally, wrong), (Tally::of(&expected), Vec::new()));
}

/// Confused keys and algorithms, and every JWE: encrypted tokens are never read.
#[test]
fn mixtures() {
    let set = TestSet::load(TestName::JsonWebCrypto).unwrap();
    let mut tally = Tally::default();
    for group in &set.test_groups {
        let keys = match key(group) {
            set if set.get("keys").is_some() => set.clone(),
            one => json!({ "keys": [one] }),
        };
        for test in &group.tests {
            if let Some(jwe) = &test.jwe {
                let jwe = text(Some(jwe));
                let refused = Presented::read(&jwe, RULES).err().map(Refusal::Token);
                tally.count(format!("JWE: {}", refused.unwrap().word()));
                continue;
            }
            match verified(&text(test.jws.as_ref()), &keys) {
                Ok(_) => {
                    assert!(!test.result.must_fail(), "{test:?}");
                    tally.count("verified");
                }
                Err(_) if test.result.must_fail() => tally.count("refused"),
                Err(why) => tally.count(format!("valid, but {}", why.word())),
            }
        }
    }
    let expected = [
        ("verified", 1),
        ("refused", 45),
        ("valid, but symmetric key", 2),
        ("valid, but `kty` is not `RSA`", 1),
        ("JWE: not three parts", 34),
    ];
    assert_eq!(tally, Tally::of(&expected));
}

/// The contested vectors mean something for RS256 too: one illegal character in either part is refused.
#[test]
fn the_contested_spellings_are_refused_with_our_algorithm() {
    let set = TestSet::load(TestName::JsonWebSignature).unwrap();
    let group = set
        .test_groups
        .iter()
        .find(|group| group.tests.iter().any(|test| test.tc_id == 33));
    let group = group.unwrap();
    let test = group.tests.iter().find(|test| test.tc_id == 33).unwrap();
    let jws = text(test.jws.as_ref());
    assert!(verified(&jws, &set_of(key(group))).is_ok());
    for (at, _) in jws.match_indices('.') {
        let (before, after) = jws.split_at(at);
        for respelt in [format!("{before}?{after}"), format!("{before}={after}")] {
            assert!(
                verified(&respelt, &set_of(key(group))).is_err(),
                "{respelt}"
            );
        }
    }
}
