//! Every way that is known to us of making a token which must not be believed, each with the one reason for which it is
//! refused; and what must be believed, so that a door which refuses everything does not pass.
//!
//! Nearly all are signed by the trusted key: a broken signature hides every other mistake. The files in `hostile_tokens/` are
//! tables to be read; `tests/vectors/hostile_tokens.txt` lists what they come to, without tokens.

mod doors;
mod duplicates;
mod forms;
mod headers;
mod issuers;
mod json_texts;
mod leaks;
mod memory;
mod mint;
mod people;
mod signatures;
mod sizes;
mod times;
mod valid;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use zt_core::identity::{AuthError, Caller};

use mint::{Door, Edit, knock};

/// A name, what is changed, and what comes of it.
type Row = (&'static str, &'static [Edit], &'static str);

/// One token.
#[derive(Debug)]
struct Case {
    class: &'static str,
    name: String,
    door: Door,
    token: String,
    /// `accepted`, or the reason as [`reason`] names it.
    expected: String,
}

impl Case {
    fn new(
        class: &'static str,
        name: impl Into<String>,
        door: Door,
        token: String,
        expected: &str,
    ) -> Self {
        Self {
            class,
            name: name.into(),
            door,
            token,
            expected: expected.to_owned(),
        }
    }

    /// As the list of all cases has it.
    fn line(&self) -> String {
        format!("{} | {} | {}", self.class, self.name, self.expected)
    }
}

fn cases() -> Vec<Case> {
    let mut cases = headers::cases();
    cases.extend(duplicates::cases());
    cases.extend(forms::cases());
    cases.extend(sizes::cases());
    cases.extend(signatures::cases());
    cases.extend(times::cases());
    cases.extend(issuers::cases());
    cases.extend(people::cases());
    cases.extend(doors::cases());
    cases.extend(valid::cases());
    cases
}

/// The variant of an answer in a word or two.
fn reason(answer: &Result<Caller, AuthError>) -> String {
    let Err(error) = answer else {
        return "accepted".to_owned();
    };
    match error {
        AuthError::MissingCredentials => "missing".to_owned(),
        AuthError::TooLong { part, .. } => format!("too long: {part}"),
        AuthError::NotThreeParts => "not three parts".to_owned(),
        AuthError::Base64 { part } => format!("base64: {part}"),
        AuthError::Json { part, .. } => format!("json: {part}"),
        AuthError::DuplicateMember { part, .. } => format!("duplicate: {part}"),
        AuthError::HeaderMember { name } => format!("header: {name}"),
        AuthError::Algorithm { .. } => "alg".to_owned(),
        AuthError::Type { .. } => "typ".to_owned(),
        AuthError::NoKeyId => "no kid".to_owned(),
        AuthError::UnknownKey { .. } => "unknown kid".to_owned(),
        AuthError::Signature { .. } => "signature".to_owned(),
        AuthError::Claim { name, .. } => format!("claim: {name}"),
        AuthError::Expired { .. } => "expired".to_owned(),
        AuthError::NotYetValid { .. } => "not yet valid".to_owned(),
        AuthError::IssuedInFuture { .. } => "issued in the future".to_owned(),
        AuthError::Lifetime { .. } => "lifetime".to_owned(),
        AuthError::Audience { .. } => "audience".to_owned(),
        AuthError::Version { .. } => "version".to_owned(),
        AuthError::Issuer { .. } => "issuer".to_owned(),
        AuthError::Tenant { .. } => "tenant".to_owned(),
        AuthError::KeyIssuer { .. } => "key issuer".to_owned(),
        AuthError::Confirmation => "cnf".to_owned(),
        AuthError::Ambiguous { .. } => "ambiguous".to_owned(),
        AuthError::NoPermission { .. } => "no permission".to_owned(),
        AuthError::PrincipalKind { .. } | _ => error.to_string(),
    }
}

#[test]
fn every_token_gets_the_answer_that_its_row_says() {
    let mut different = Vec::new();
    for case in cases() {
        // The second look is at what the first one left behind.
        for look in ["first", "second"] {
            let answer = knock(case.door, &case.token);
            let found = reason(&answer);
            if found != case.expected {
                let line = case.line();
                different.push(format!("{line}, but {found} at {look}: {answer:?}"));
            }
        }
    }
    assert!(
        different.is_empty(),
        "{} differ\n{}",
        different.len(),
        different.join("\n")
    );
}

#[test]
fn names_are_unique_and_every_reason_is_there() {
    let cases = cases();
    let names: BTreeSet<(&str, &str)> = cases
        .iter()
        .map(|case| (case.class, case.name.as_str()))
        .collect();
    assert_eq!(names.len(), cases.len(), "two cases have one name");
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for case in &cases {
        *reasons.entry(&case.expected).or_default() += 1;
    }
    let accepted = reasons.get("accepted").copied().unwrap_or_default();
    let refused = cases.len() - accepted;
    assert!(
        accepted >= 100 && refused >= 500,
        "{accepted} accepted, {refused} refused"
    );
    for wanted in [
        "alg",
        "typ",
        "no kid",
        "unknown kid",
        "signature",
        "key issuer",
        "tenant",
        "cnf",
        "lifetime",
    ] {
        assert!(reasons.contains_key(wanted), "{wanted}");
    }
}

/// The committed list is what the tables say. To write it anew: `ZT_WRITE_VECTORS=1`.
#[test]
fn the_list_of_cases_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/hostile_tokens.txt");
    let lines: Vec<String> = cases().iter().map(Case::line).collect();
    let wanted = format!("{LIST_HEAD}{}\n", lines.join("\n"));
    if std::env::var_os("ZT_WRITE_VECTORS").is_some() {
        fs::write(&file, &wanted).unwrap();
    }
    let found = fs::read_to_string(&file).unwrap();
    let differs = found
        .lines()
        .zip(wanted.lines())
        .find(|(found, wanted)| found != wanted);
    assert!(
        found == wanted,
        "run with ZT_WRITE_VECTORS=1; first difference: {differs:?}"
    );
}

const LIST_HEAD: &str = "\
# Tokens that zt-core's tests make, and what becomes of each: class | name | reason, or accepted.
# Made from the tables in tests/it/hostile_tokens/.
";

/// Each bit of the signature, and each character of the token, matters.
#[test]
fn no_changed_bit_of_a_token_is_believed() {
    let token = mint::signed(&mint::Object::header(), &mint::Object::user());
    let door = Door::Development;
    assert_eq!(reason(&knock(door, &token)), "accepted");
    let (input, signature) = token.rsplit_once('.').unwrap();
    let bytes = mint::decode(signature);
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let forged = format!("{input}.{}", mint::encode(&changed));
        assert_eq!(reason(&knock(door, &forged)), "signature", "bit {bit}");
    }
    for at in 0..token.len() {
        for bit in 0..7 {
            let mut changed = token.clone().into_bytes();
            changed[at] ^= 1 << bit;
            let forged = String::from_utf8(changed).unwrap();
            assert!(knock(door, &forged).is_err(), "character {at}, bit {bit}");
        }
    }
}

/// Every prefix of a token, and a token with any one character left out.
#[test]
fn no_part_of_a_token_is_believed() {
    let token = mint::signed(&mint::Object::header(), &mint::Object::user());
    for at in 0..token.len() {
        let (before, after) = token.split_at(at);
        assert!(knock(Door::Development, before).is_err(), "cut at {at}");
        let shorter = format!("{before}{}", after.get(1..).unwrap());
        assert!(knock(Door::Development, &shorter).is_err(), "without {at}");
    }
}
