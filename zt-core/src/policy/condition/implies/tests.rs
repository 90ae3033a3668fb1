//! Against brute force: whatever is said for all facts must hold for random ones. And that the expected is found at all.

use std::cell::Cell;

use proptest::prelude::*;

use super::*;
use crate::clock::Timestamp;
use crate::id::Guid;
use crate::metadata::{Cell as RawCell, RawRow, RawTables, Snapshot};
use crate::policy::attribute::{AttributeSet, Namespace, Provenance, Sensitivity};
use crate::policy::value::ValueType;
use crate::policy::{Context, Request, Truth};

/// One attribute of each type without a default, and two with one.
fn attributes() -> AttributeSet {
    let all = [
        ("bool", ValueType::Bool, None),
        ("int", ValueType::Int, None),
        ("other_int", ValueType::Int, None),
        ("sure_int", ValueType::Int, Some(Value::Int(2))),
        ("decimal", ValueType::Decimal, None),
        ("text", ValueType::Text, None),
        ("other", ValueType::Text, None),
        ("word", ValueType::Enum, None),
        ("sure_word", ValueType::Enum, Some(Value::text("a"))),
        ("set", ValueType::Set, None),
        ("ip", ValueType::Ip, None),
        ("time", ValueType::Datetime, None),
    ];
    AttributeSet::new(all.map(|(name, kind, default)| {
        let words = ["a", "b", "c"].map(str::to_owned).to_vec();
        let words = (kind == ValueType::Enum).then_some(words);
        let name = (Namespace::Context, name.to_owned());
        let (known, seen) = ((Provenance::Request, None), Sensitivity::Public);
        Attribute::declared(
            name,
            (kind, words.unwrap_or_default()),
            default,
            known,
            seen,
        )
    }))
}

fn condition(source: &str) -> Condition {
    Condition::parse(source, &attributes()).unwrap_or_else(|why| panic!("{source}: {}", why[0]))
}

fn fuel() -> Fuel {
    Fuel::new(1_000_000)
}

type Says = for<'a> fn(&'a Condition) -> Claim<'a>;

const TRUE: Says = |condition| Claim::is_true(condition);
const NOT_FALSE: Says = |condition| Claim::is_not_false(condition);
const FALSE: Says = |condition| Claim::is_false(condition);
const CLAIMS: [(&str, Says); 3] = [("true", TRUE), ("not false", NOT_FALSE), ("false", FALSE)];

fn follows(one: &str, other: &str, says: Says, then: Says) -> bool {
    let (one, other) = (condition(one), condition(other));
    implies(&[says(&one)], then(&other), &mut fuel())
}

fn satisfies(claim: Claim<'_>, truth: Truth) -> bool {
    match truth {
        Truth::True => claim.wanted.truth,
        Truth::False => !claim.wanted.truth,
        Truth::Unknown => claim.wanted.or_unknown,
    }
}

/// A condition, and a weaker one.
const WEAKER: &[(&str, &str)] = &[
    ("context.int == 3", "context.int > 2"),
    ("context.int < 3", "context.int <= 2"),
    ("context.int between 2 and 3", "context.int in [1, 2, 3]"),
    ("context.decimal == 0.5", "context.decimal > 0.25"),
    ("context.bool", "context.bool != false"),
    ("not context.bool", "context.bool == false"),
    (
        "context.time == '2026-01-01T00:00:00Z'",
        "context.time < '2026-01-01T00:00:00.001Z'",
    ),
    ("context.word == 'a'", "context.word in ['a', 'b']"),
    ("context.word != 'c'", "context.word in ['a', 'b']"),
    (
        "context.word in ['a', 'b']",
        "context.word == 'a' or context.word == 'b'",
    ),
    ("context.text == 'ab'", "context.text startsWith 'a'"),
    (
        "context.text == 'ab'",
        "context.text like 'a*' and context.text contains 'b'",
    ),
    (
        "context.text startsWith 'ab'",
        "context.text startsWith 'a'",
    ),
    ("context.text startsWith 'ab'", "context.text like 'a*'"),
    ("context.text like 'a*'", "context.text startsWith 'a'"),
    (
        "context.text like '*ab*c'",
        "context.text endsWith 'c' and context.text contains 'b'",
    ),
    ("context.text in ['ab', 'ac']", "not context.text == 'b'"),
    (
        "context.text == 'a' and context.int == 1",
        "context.int == 1",
    ),
    ("context.set contains 'a'", "has context.set"),
    (
        "context.ip cidr '10.1.0.0/16'",
        "context.ip cidr ['10.0.0.0/8', '::/0']",
    ),
    ("context.ip == '10.0.0.1'", "context.ip cidr '10.0.0.0/8'"),
    (
        "context.int == context.other_int",
        "context.other_int >= context.int",
    ),
    (
        "context.int < context.other_int",
        "context.int != context.other_int",
    ),
    (
        "context.text in context.set",
        "has context.text and has context.set",
    ),
    (
        "context.text == context.other",
        "context.other == context.text",
    ),
    (
        "context.int between context.other_int and 3",
        "context.int <= 3",
    ),
    ("time.hour_utc > 22", "time.hour_utc == 23"),
    (
        "context.job == 0 or context.job > 4294967294",
        "context.job in [0, 4294967295]",
    ),
    (
        "context.int == 1 or context.int == 2",
        "context.int > 0 and context.int < 3",
    ),
    (
        "time.weekday_utc in ['sat', 'sun']",
        "time.weekday_utc != 'mon'",
    ),
];

#[test]
fn what_is_stronger_implies_what_is_weaker() {
    for (strong, weak) in WEAKER {
        assert!(follows(strong, weak, TRUE, TRUE), "{strong} => {weak}");
        assert!(
            !follows(weak, strong, TRUE, TRUE) || both(strong, weak),
            "{weak} => {strong}"
        );
    }
}

/// The pairs of the test above that say the same.
fn both(strong: &str, weak: &str) -> bool {
    let same = [
        "context.int < 3",
        "context.bool",
        "not context.bool",
        "context.word != 'c'",
        "context.word in ['a', 'b']",
        "context.text like 'a*'",
        "context.text == context.other",
        "time.hour_utc > 22",
        "context.job == 0 or context.job > 4294967294",
        "context.int == 1 or context.int == 2",
    ];
    same.contains(&strong) || weak == "has context.set" && strong.contains("has")
}

#[test]
fn an_unknown_is_neither_granted_nor_disarmed() {
    let (tests, not) = ("context.int == 1", "context.int != 1");
    // A deny of what an allow asks for holds whenever the allow does; the other way round it may be unknown.
    assert!(follows(tests, tests, TRUE, NOT_FALSE));
    assert!(!follows(tests, tests, NOT_FALSE, TRUE));
    assert!(follows(tests, tests, NOT_FALSE, NOT_FALSE));
    // What is not so may be unknown too: neither follows from the other's absence.
    assert!(!follows(tests, not, NOT_FALSE, FALSE));
    assert!(follows(tests, not, TRUE, FALSE));
    assert!(!follows("context.bool", "has context.int", TRUE, TRUE));
    assert!(follows("context.bool", "has context.int", TRUE, NOT_FALSE));
    // With a default nothing is missing.
    let sure = "context.sure_int == 1";
    assert!(follows(sure, sure, NOT_FALSE, TRUE));
}

#[test]
fn what_cannot_be_is_found() {
    let impossible = |source: &str, says: Says| {
        let condition = condition(source);
        is_impossible(&[says(&condition)], &mut fuel())
    };
    for source in [
        "context.int > 3 and context.int < 4",
        "context.int == 1 and context.int == 2",
        "context.word == 'a' and not context.word in ['a', 'b']",
        "not has context.int",
        "time.hour_utc > 23",
        "context.job == -1",
        "context.text == 'ab' and context.text startsWith 'b'",
        "context.text startsWith 'a' and context.text startsWith 'b'",
        "context.set contains 'a' and not context.set contains 'a'",
        "context.ip cidr '10.0.0.0/8' and context.ip cidr '192.0.2.0/24'",
        "context.ip == '::ffff:10.0.0.1' and not context.ip cidr '10.0.0.0/8'",
        "context.int != context.int",
        "context.int < context.other_int and context.other_int <= context.int",
        "not context.text startsWith context.text",
        "context.text in context.set and not context.text in context.set",
        "principal.id == 'maya'",
        "context.author startsWith 'group:'",
        "resource.kind == 'table' and resource.path == 'Gold.x'",
        "resource.kind in ['table', 'view'] and resource.path contains '/'",
        "resource.path startsWith 'a b'",
        "(context.int == 1 or context.int == 2) and (context.int == 3 or context.int == 4)",
    ] {
        assert!(impossible(source, TRUE), "{source}");
    }
    for source in [
        "resource.path == 'Gold.x'",
        "resource.kind in ['table', 'secret'] and resource.path == 'Gold.x'",
        "context.text like 'a*b' and context.text startsWith 'ac'",
        "context.text startsWith 'a' and context.text endsWith 'b'",
        "context.int > 3 and context.decimal < 4",
        "has context.int or not has context.int",
    ] {
        assert!(!impossible(source, TRUE), "{source}");
    }
    // A deny that is unknown stands: only what is known of every request can disarm it.
    assert!(!impossible(
        "context.int == 1 and context.int == 2",
        NOT_FALSE
    ));
    assert!(impossible(
        "context.sure_int > 3 and context.sure_int < 4",
        NOT_FALSE
    ));
    assert!(impossible(
        "action.name == 'table.read' and action.name != 'table.read'",
        NOT_FALSE
    ));
}

#[test]
fn a_question_with_too_many_alternatives_has_no_answer() {
    let mut either = Vec::new();
    for at in 0..10 {
        either.push(format!(
            "(context.text contains '{at}' or context.other contains '{at}')"
        ));
    }
    let source = format!(
        "{} and context.int > 3 and context.int < context.other_int",
        either.join(" and ")
    );
    let long = condition(&source);
    let claims = [Claim::is_true(&long), Claim::is_false(&long)];
    assert!(
        !is_impossible(&claims, &mut fuel()),
        "2^10 alternatives are too many"
    );
    let short = condition("context.int == 1 or context.int == 2");
    let claims = [Claim::is_true(&short), Claim::is_false(&short)];
    assert!(is_impossible(&claims, &mut fuel()));
    assert!(!is_impossible(&claims, &mut Fuel::new(1)));
}

const OTHERS: &[&str] = &[
    "has context.set",
    "has context.int",
    "context.bool",
    "context.bool == false",
    "context.ip cidr '10.0.0.0/8'",
    "context.ip cidr ['10.0.0.0/31', '::/0']",
    "context.ip in ['10.0.0.1', '::1']",
    "context.ip != '10.0.0.1'",
    "context.text in context.set",
    "context.word in context.set",
    "context.text == context.other",
    "context.text startsWith context.other",
    "context.word == context.text",
    "context.word != context.sure_word",
    "context.set contains 'a'",
    "context.set contains 'b'",
    "context.set contains context.text",
    "context.int between context.other_int and 2",
    "context.decimal between 0.5 and 2",
    "context.time < '1970-01-01T00:00:00.002Z'",
    "context.time == time.now",
    "time.now >= '1970-01-01T01:00:00Z'",
    "time.hour_utc < 2",
    "time.weekday_utc == 'thu'",
    "context.decimal == 0.5",
    "context.decimal > context.int",
    "context.word in ['a', 'c']",
    "principal.id == 'user:maya'",
    "principal.id == 'maya'",
    "principal.kind == 'user'",
    "principal.id startsWith 's'",
    "context.author != principal.id",
    "context.author == 'group:g'",
    "resource.kind == 'secret'",
    "resource.path == 'Gold.x'",
    "resource.path startsWith 'gold'",
    "resource.path contains 'G'",
    "action.name in ['table.read', 'secret.get']",
];

fn atoms() -> impl Strategy<Value = String> {
    let number = || 0..4i64;
    let letter = || prop::sample::select(vec!["", "a", "b", "ab", "*", "a*", "*b", "a*b", "aab"]);
    let sign = || prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let part = prop::sample::select(vec![
        "contains",
        "startsWith",
        "endsWith",
        "like",
        "==",
        "!=",
    ]);
    let integer = || prop::sample::select(vec!["int", "other_int", "sure_int", "job"]);
    let text = || prop::sample::select(vec!["context.text", "context.other"]);
    let others = prop::sample::select(OTHERS);
    prop_oneof![
        (integer(), sign(), number())
            .prop_map(|(name, sign, n)| format!("context.{name} {sign} {n}")),
        (integer(), sign(), integer())
            .prop_map(|(one, sign, two)| format!("context.{one} {sign} context.{two}")),
        (integer(), number(), number())
            .prop_map(|(name, n, m)| format!("context.{name} in [{n}, {m}]")),
        (integer(), number(), 0..3i64)
            .prop_map(|(name, n, more)| format!("context.{name} between {n} and {}", n + more)),
        (text(), part, letter())
            .prop_map(|(name, part, letter)| format!("{name} {part} '{letter}'")),
        (text(), letter(), letter())
            .prop_map(|(name, one, two)| format!("{name} in ['{one}', '{two}']")),
        prop::sample::select(vec!["word", "sure_word"])
            .prop_map(|name| format!("context.{name} == 'b'")),
        others.prop_map(str::to_owned),
    ]
}

fn sources() -> impl Strategy<Value = String> {
    atoms().prop_recursive(3, 12, 3, |inner| {
        let many = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            many.clone()
                .prop_map(|parts| format!("({})", parts.join(" and "))),
            many.prop_map(|parts| format!("({})", parts.join(" or "))),
            inner.prop_map(|part| format!("not {part}")),
        ]
    })
}

fn requests() -> impl Strategy<Value = Request> {
    let letter = || {
        prop::sample::select(vec!["", "a", "b", "ab", "aab", "c", "abb", "ba", "*"])
            .prop_map(Value::text)
    };
    let ip = prop::sample::select(vec!["10.0.0.1", "::ffff:10.0.0.2", "::1", "192.0.2.1"]);
    let decimal = prop::sample::select(vec!["0.5", "1", "2.5"]);
    let fact = prop_oneof![
        3 => (prop::sample::select(vec!["int", "other_int", "sure_int", "job"]), 0..4i64)
            .prop_map(|(name, n)| (name, Value::Int(n))),
        3 => (prop::sample::select(vec!["text", "other", "word", "sure_word"]), letter()),
        1 => any::<bool>().prop_map(|value| ("bool", Value::Bool(value))),
        1 => decimal.prop_map(|value| ("decimal", Value::Decimal(value.parse().unwrap()))),
        1 => prop::collection::vec(prop::sample::select(vec!["a", "b", ""]), 0..3)
            .prop_map(|texts| ("set", Value::set(texts))),
        1 => ip.prop_map(|value| ("ip", Value::Ip(value.parse().unwrap()))),
        1 => (0..4i64).prop_map(|ms| ("time", Value::Datetime(Timestamp::from_millis(ms)))),
        1 => prop::sample::select(vec!["user:maya", "sp:score", "group:g", "maya"])
            .prop_map(|id| ("author", Value::text(id))),
    ];
    let caller = prop::option::of(prop::sample::select(vec![
        "user:maya",
        "sp:score",
        "group:g",
    ]));
    let asked = prop::sample::select(vec![
        ("table.read", "table:Gold.x"),
        ("table.read", "view:gold.y"),
        ("secret.get", "secret:Gold.x"),
        ("model.infer", "model:Gold/x"),
    ]);
    let now = prop::option::of(prop::sample::select(vec![0, 1, 2, 3_600_000, 90_000_000]));
    let facts = prop::collection::vec(fact, 0..14);
    (caller, asked, now, facts).prop_map(|(caller, (action, resource), now, facts)| {
        let caller = caller.map(|id| id.parse().unwrap());
        let context = facts
            .into_iter()
            .fold(Context::new(), |context, (name, value)| {
                context.with(name, value)
            });
        let mut request = Request::new(caller, action.parse().unwrap(), resource.parse().unwrap());
        request.now = now.map(Timestamp::from_millis);
        request.with_context(context)
    })
}

/// Tables in which the authors of the requests are known.
fn snapshot() -> Snapshot {
    let mut raw = RawTables::new("none".to_owned());
    for (at, id) in ["user:maya", "sp:score"].iter().enumerate() {
        let oid: Guid = format!("00000000-0000-4000-8000-{at:012}").parse().unwrap();
        let cells = [("id", (*id).to_owned()), ("oid", oid.to_string())];
        let cells = cells.map(|(name, text)| (name.to_owned(), RawCell::Text(text)));
        raw.push("Principals", RawRow::new(None, cells.to_vec()));
    }
    Snapshot::compile(&raw, 1, Timestamp::from_millis(0)).unwrap()
}

/// How often a question was answered by yes: the laws below would hold of an analysis that never does.
fn all_laws_hold(cases: u32, requests_of_each: usize) -> (u32, u32) {
    let snapshot = snapshot();
    let (implied, impossible) = (Cell::new(0), Cell::new(0));
    let config = ProptestConfig {
        failure_persistence: None,
        cases,
        ..ProptestConfig::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    let asked = (
        sources(),
        sources(),
        prop::collection::vec(requests(), requests_of_each),
    );
    runner
        .run(&asked, |(one, other, requests)| {
            let (one, other) = (condition(&one), condition(&other));
            let truths: Vec<(Truth, Truth)> = requests
                .iter()
                .map(|request| {
                    let facts = request.facts(&snapshot);
                    (one.evaluate(&facts), other.evaluate(&facts))
                })
                .collect();
            for (name, says) in CLAIMS {
                let claim = says(&one);
                if is_impossible(&[claim], &mut fuel()) {
                    impossible.set(impossible.get() + 1);
                    for (at, (truth, _)) in truths.iter().enumerate() {
                        prop_assert!(
                            !satisfies(claim, *truth),
                            "{one} is {name}: {:?}",
                            requests[at]
                        );
                    }
                }
                for (other_name, other_says) in CLAIMS {
                    let then = other_says(&other);
                    if !implies(&[claim], then, &mut fuel()) {
                        continue;
                    }
                    implied.set(implied.get() + 1);
                    for (at, (truth, other_truth)) in truths.iter().enumerate() {
                        prop_assert!(
                            !satisfies(claim, *truth) || satisfies(then, *other_truth),
                            "{one} is {name} => {other} is {other_name}: {:?}",
                            requests[at]
                        );
                    }
                }
            }
            Ok(())
        })
        .unwrap_or_else(|why| panic!("{why}"));
    (implied.get(), impossible.get())
}

#[test]
fn what_is_said_for_all_facts_holds_for_random_ones() {
    let (implied, impossible) = all_laws_hold(4_000, 24);
    assert!(implied > 700, "{implied}");
    assert!(impossible > 150, "{impossible}");
}
