//! The bodies of the fuzz targets on their seeds, on seeds with mistakes in them, and on random bytes and words: what a
//! fuzzer looks for at length, every test run looks for in short.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::{Index, select};

#[path = "../../fuzz/src/lib.rs"]
#[expect(
    clippy::expect_used,
    unreachable_pub,
    reason = "a crate of its own elsewhere, whose panics are its findings"
)]
mod bodies;

type Body = fn(&[u8]) -> bool;

/// Each target with words of its grammar.
const TARGETS: [(&str, Body, &[&str]); 10] = [
    ("condition", bodies::condition, CONDITION),
    ("pattern", bodies::pattern, PATTERN),
    ("words", bodies::words, WORDS),
    ("toml", bodies::toml, TOML),
    ("csv", bodies::csv, CSV),
    ("token", bodies::token, TOKEN),
    ("jwks", bodies::jwks, JWKS),
    ("sealed", bodies::sealed, SEALED),
    ("audit_line", bodies::audit_line, AUDIT_LINE),
    ("checkpoint", bodies::checkpoint, CHECKPOINT),
];

const SEALED: &[&str] = &[
    "cell\n",
    "note\n",
    "key\n",
    "old\n",
    "file\n",
    "deterministic\n",
    "zt1.",
    "zt2.",
    "zt3.",
    "zt1file\n",
    "AAAA",
    "____",
    "=",
    "eyJ2IjoyLCJydWxlIjoi",
    "\u{10}",
    "\u{0}\u{20}",
    "\u{0}",
    "é",
];

const AUDIT_LINE: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\n",
    "\"seq\":1",
    "\"kind\":\"segment\"",
    "\"kind\":\"admin\"",
    "\"action\":\"audit.open\"",
    "\"action\":\"audit.retired\"",
    "\"retired\":{",
    "\"links\":[",
    "\"after_failure\":{",
    "\"good_bytes\":",
    "\"at\":\"2026-09-21T14:13:20.000Z\"",
    "\"writer\":\"20260921T141320Z-0123456789abcdef\"",
    ",\"hash\":\"",
    "\"}",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "18446744073709551615",
    "\u{0}",
    "é",
];
const CHECKPOINT: &[&str] = &[
    "zt-audit/",
    "20260921T141320Z-0123456789abcdef",
    "\n",
    "\n\n",
    "0",
    "18446744073709551615",
    "head ",
    "at ",
    "2026-09-21T14:13:20.000Z",
    "previous ",
    "key ",
    "endorsement ",
    "\u{2014} ",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "AAAA",
    "=",
    " ",
    "\r",
    "\u{0}",
];

const CONDITION: &[&str] = &[
    "context.b",
    "context.i",
    "context.d",
    "context.t",
    "context.e",
    "context.s",
    "context.a",
    "context.m",
    "context.x",
    "time.now",
    "principal.id",
    "zone",
    " and ",
    " or ",
    " not ",
    " has ",
    "(",
    ")",
    " == ",
    " != ",
    " < ",
    " >= ",
    " in ",
    " contains ",
    " like ",
    " cidr ",
    " between ",
    "[",
    "]",
    ",",
    "'a'",
    "\"b*\"",
    "'\\''",
    "5",
    "-0.25",
    "true",
    "'10.0.0.0/8'",
    "'fd00::1'",
    "'2026-09-21T08:00:00Z'",
    "'",
    "é",
    "\u{301}",
    "\u{0}",
    "..",
];
const PATTERN: &[&str] = &[
    "table",
    "secret",
    "job",
    "view",
    ":",
    ".",
    "/",
    "*",
    "**",
    "a",
    "A",
    "ß",
    "İ",
    "\u{301}",
    "201",
    "01",
    " ",
    "`",
    "\n",
    "\n",
    "table:a.b\n",
    "table:A.*\n",
    "",
];
const WORDS: &[&str] = &[
    "table",
    "read",
    ".",
    "*",
    "user:",
    "group:",
    "sp:",
    "role:",
    "a",
    "é",
    "\u{301}",
    " ",
    "\t",
    "2026-",
    "10-01",
    "T",
    "08:00:00",
    "Z",
    "+02:00",
    "-",
    "0",
    "1",
    "9999999999",
    ",",
    "::",
    "ffff",
];
const TOML: &[&str] = &[
    "[[Access_Policies]]\n",
    "[[Attributes]]\n",
    "[[Principals]]\n",
    "[[Memberships]]\n",
    "[[X]]\n",
    "id",
    "principal",
    "action",
    "resource",
    "effect",
    "condition",
    "when",
    "columns",
    "masks",
    "obligations",
    "kind",
    " = ",
    "\n",
    "\"",
    "'",
    "\"*\"",
    "\"table.read\"",
    "\"table:a.**\"",
    "\"allow\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    "1",
    "-1.5",
    "true",
    "job",
    "1979-05-27",
    "\u{0}",
    "é",
];
const CSV: &[&str] = &[
    "Access_Policies\n",
    "Role_Bindings\n",
    "Attributes\n",
    "Stages\n",
    "id",
    "principal",
    "action",
    "resource",
    "effect",
    "when",
    ",",
    ",",
    "\n",
    "\r\n",
    "\"",
    "\"\"",
    "*",
    "table.read",
    "allow",
    "{}",
    "[\"a\"]",
    "1",
    "true",
    "é",
    "\u{feff}",
    "\u{0}",
];
const TOKEN: &[&str] = &[
    "signed\n",
    "raw\n",
    "\n",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\u0061",
    "\"typ\":\"JWT\"",
    "\"alg\":\"RS256\"",
    "\"alg\":\"none\"",
    "\"kid\":\"KID\"",
    "KID",
    "\"crit\":[]",
    "\"aud\":",
    "\"iss\":",
    "\"tid\":",
    "\"oid\":",
    "\"ver\":\"1.0\"",
    "\"exp\":",
    "\"nbf\":",
    "\"iat\":0",
    "\"scp\":\"a\"",
    "\"roles\":[]",
    "\"groups\":[]",
    "\"cnf\":{}",
    "\"idtyp\":\"app\"",
    "\"hasgroups\":true",
    "1790000000",
    "1e30",
    "-1",
    "null",
    "true",
    ".",
    "Bearer ",
    "=",
    "\u{0}",
    "\u{feff}",
];
const JWKS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    "\"keys\":",
    "\"kty\":\"RSA\"",
    "\"kty\":\"EC\"",
    "\"use\":\"enc\"",
    "\"alg\":\"RS256\"",
    "\"alg\":\"PS256\"",
    "\"kid\":\"a\"",
    "\"n\":\"",
    "\"e\":\"AQAB\"",
    "\"e\":\"Aw\"",
    "\"d\":",
    "\"k\":",
    "\"issuer\":",
    "\"cloud_instance_name\":",
    "\"key_ops\":[]",
    "AAAA",
    "____",
    "=",
    "\"",
    "null",
    "1",
    "\u{0}",
];

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(target);
    let files = fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

#[test]
fn every_seed_keeps_every_promise() {
    for (name, body, _) in TARGETS {
        let seeds = seeds(name);
        let accepted = seeds.iter().filter(|seed| body(seed)).count();
        let refused = seeds.len() - accepted;
        assert!(
            accepted >= 3 && refused >= 3,
            "{name}: {accepted} accepted, {refused} refused"
        );
    }
}

/// Puts a word, or nothing, in place of a few bytes.
fn spoilt(seed: &[u8], places: &[(Index, usize, &str)]) -> Vec<u8> {
    let mut spoilt = seed.to_vec();
    for (at, length, word) in places {
        let from = at.index(spoilt.len() + 1);
        let to = (from + length).min(spoilt.len());
        spoilt.splice(from..to, word.bytes());
    }
    spoilt
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn random_bytes_keep_every_promise(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        TARGETS.iter().for_each(|(_, body, _)| _ = body(&bytes));
    }

    #[test]
    fn random_text_keeps_every_promise(text in ".{0,120}") {
        TARGETS.iter().for_each(|(_, body, _)| _ = body(text.as_bytes()));
    }

    #[test]
    fn rows_of_words_keep_every_promise(
        target in 0..TARGETS.len(),
        choice in "[ -~]{8}",
        places in prop::collection::vec(any::<Index>(), 0..30),
    ) {
        let (name, body, words) = TARGETS[target];
        let mut text = if name == "condition" { choice } else { String::new() };
        places.iter().for_each(|place| text.push_str(words[place.index(words.len())]));
        body(text.as_bytes());
    }

    #[test]
    fn spoilt_seeds_keep_every_promise(
        target in 0..TARGETS.len(),
        seed in any::<Index>(),
        places in prop::collection::vec((any::<Index>(), 0..6usize, any::<Index>()), 1..4),
        nothing in select(vec![true, false]),
    ) {
        let (name, body, words) = TARGETS[target];
        let seeds = seeds(name);
        let word = |at: &Index| if nothing { "" } else { words[at.index(words.len())] };
        let places: Vec<_> =
            places.iter().map(|(at, length, word_at)| (*at, *length, word(word_at))).collect();
        body(&spoilt(&seeds[seed.index(seeds.len())], &places));
    }
}
