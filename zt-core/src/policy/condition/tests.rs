//! The cases of `tests/vectors/conditions.toml`, and the laws of conditions on random expressions and facts.

use std::sync::Arc;

use proptest::prelude::*;
use toml::{Table, Value as Toml};

use super::*;
use crate::clock::Timestamp;
use crate::id::Guid;
use crate::metadata::{Cell, RawRow, RawTables, Snapshot};
use crate::policy::attribute::{Namespace, Provenance, Sensitivity};
use crate::policy::value::ValueType;
use crate::policy::{Context, Request};

fn vectors() -> Table {
    include_str!("../../../tests/vectors/conditions.toml")
        .parse()
        .unwrap()
}

fn rows_of<'a>(table: &'a Table, name: &str) -> impl Iterator<Item = &'a Table> {
    table[name]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row.as_table().unwrap())
}

fn text<'a>(table: &'a Table, name: &str) -> &'a str {
    table[name].as_str().unwrap()
}

/// The tables of the vectors: their attributes and two people.
fn snapshot() -> Arc<Snapshot> {
    let mut raw = RawTables::new("vectors".to_owned());
    for row in rows_of(&vectors(), "attribute") {
        let cells = row.iter().map(|(name, value)| (name.clone(), cell(value)));
        raw.push("Attributes", RawRow::new(None, cells.collect()));
    }
    for (at, id) in ["user:maya", "user:priya", "sp:score"].iter().enumerate() {
        let oid: Guid = format!("00000000-0000-4000-8000-{at:012}").parse().unwrap();
        let cells = [("id", (*id).to_owned()), ("oid", oid.to_string())];
        let cells = cells.map(|(name, text)| (name.to_owned(), Cell::Text(text)));
        raw.push("Principals", RawRow::new(None, cells.to_vec()));
    }
    Arc::new(Snapshot::compile(&raw, 1, Timestamp::from_millis(0)).unwrap())
}

fn cell(value: &Toml) -> Cell {
    match value.as_array() {
        Some(texts) => Cell::List(texts.iter().map(cell).collect()),
        None => Cell::Text(value.as_str().unwrap().to_owned()),
    }
}

fn request() -> Request {
    let caller = Some("user:maya".parse().unwrap());
    let (action, resource) = ("table.read", "table:gold.loan_scores");
    Request::new(caller, action.parse().unwrap(), resource.parse().unwrap())
}

fn request_with(facts: &Table, attributes: &AttributeSet) -> Request {
    let mut request = request();
    let mut context = Context::new();
    for (name, value) in facts {
        let text = value.as_str().unwrap();
        let (name, known) = match name.split_once('@') {
            Some((name, "token")) => (name, Some(Provenance::Token)),
            Some((name, "store")) => (name, Some(Provenance::Store)),
            Some((name, "request")) => (name, Some(Provenance::Request)),
            _ => (name.as_str(), None),
        };
        match (name, known) {
            ("now", _) => request = request.at(text.parse().unwrap()),
            ("caller", _) => request.caller = text.parse().ok(),
            (name, known) => {
                let attribute = attributes.get(name).unwrap();
                // What is not of the type is given as text, as a careless caller would.
                let value = Value::read(attribute.kind, text).unwrap_or_else(|| Value::text(text));
                match known {
                    None => context = context.with(name.strip_prefix("context.").unwrap(), value),
                    Some(known) => request = request.with_attribute(name, value, known),
                }
            }
        }
    }
    request.with_context(context)
}

#[test]
fn every_case_has_its_truth() {
    let (vectors, snapshot) = (vectors(), snapshot());
    let mut seen = 0;
    for case in rows_of(&vectors, "case") {
        let source = text(case, "source");
        let condition = Condition::parse(source, snapshot.attributes());
        let condition = condition.unwrap_or_else(|why| panic!("{source}: {}", why[0]));
        let facts = case
            .get("facts")
            .map(|facts| facts.as_table().unwrap().clone());
        let request = request_with(&facts.unwrap_or_default(), snapshot.attributes());
        let truth = condition.evaluate(&request.facts(&snapshot));
        assert_eq!(
            format!("{truth:?}").to_lowercase(),
            text(case, "truth"),
            "{case:?}"
        );
        let again = Condition::parse(&condition.to_string(), snapshot.attributes()).unwrap();
        assert_eq!(again, condition, "{source} is printed as {condition}");
        seen += 1;
    }
    assert!(seen >= 80, "{seen}");
}

#[test]
fn every_mistake_has_its_exact_message() {
    let (vectors, snapshot) = (vectors(), snapshot());
    let mut seen = 0;
    for case in rows_of(&vectors, "mistake") {
        let source = text(case, "source");
        let mistakes = Condition::parse(source, snapshot.attributes()).expect_err(source);
        let found: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        assert_eq!(found.join("\n"), text(case, "says"), "{source}");
        seen += 1;
    }
    assert!(seen >= 40, "{seen}");
}

#[test]
fn length_depth_and_size_are_bounded() {
    let attributes = AttributeSet::default();
    let reads = |source: &str| Condition::parse(source, &attributes);
    let nested = |depth| format!("{}has context.job{}", "(".repeat(depth), ")".repeat(depth));
    assert!(reads(&nested(32)).is_ok());
    assert!(
        reads(&nested(33)).unwrap_err()[0]
            .reason
            .contains("at most 32 deep")
    );
    assert!(reads(&nested(2000)).is_err());
    assert!(reads(&format!("{}has context.job", "not ".repeat(33))).is_err());
    let many = |count| vec!["has context.job"; count].join(" or ");
    assert!(reads(&many(128)).is_ok());
    assert!(
        reads(&many(129)).unwrap_err()[0]
            .reason
            .contains("at most 256")
    );
    let long = format!("has context.job{}", " ".repeat(4096));
    assert!(
        reads(&long).unwrap_err()[0]
            .reason
            .contains("at most 4096 bytes")
    );
}

#[test]
fn a_pattern_of_many_stars_takes_linear_time() {
    let text = "a".repeat(20_000);
    assert!(!evaluate::is_like(
        &text,
        &format!("{}b", "a*".repeat(2000))
    ));
    assert!(evaluate::is_like(&text, &"a*".repeat(2000)));
}

#[test]
fn sugar_and_condition_are_the_same_expression() {
    let attributes = AttributeSet::default();
    let parsed = |source: &str| Condition::parse(source, &attributes).unwrap();
    assert_eq!(parsed("context.job == 201"), Condition::of_job(201));
    assert_eq!(parsed("2 == context.stage"), Condition::of_stage(2));
    assert_eq!(
        parsed("context.author != principal.id"),
        Condition::of_four_eyes()
    );
}

#[test]
fn a_missing_fact_is_unknown_and_a_wrong_one_false() {
    let condition = Condition::of_job(201).and(Condition::of_stage(2));
    let value = |context: Context| {
        let request = request().with_context(context);
        condition.evaluate(&request.facts(&snapshot()))
    };
    assert_eq!(value(Context::new()), Truth::Unknown);
    assert_eq!(value(Context::new().with_job(201)), Truth::Unknown);
    assert_eq!(value(Context::new().with_job(202)), Truth::False);
    let both = Context::new().with_job(201).with_stage(2);
    assert_eq!(value(both), Truth::True);
}

#[test]
fn four_eyes_need_to_know_both_people() {
    let by = |author: &str| Context::new().with_author(author.parse().unwrap());
    let value = |caller: Option<&str>, context: Context| {
        let mut request = request().with_context(context);
        request.caller = caller.map(|caller| caller.parse().unwrap());
        Condition::of_four_eyes().evaluate(&request.facts(&snapshot()))
    };
    let priya = Some("user:priya");
    assert_eq!(value(priya, by("user:maya")), Truth::True);
    assert_eq!(value(priya, by("user:priya")), Truth::False);
    assert_eq!(value(priya, Context::new()), Truth::Unknown);
    assert_eq!(value(None, by("user:maya")), Truth::Unknown);
}

const TRUTHS: [Truth; 3] = [Truth::True, Truth::False, Truth::Unknown];

#[test]
fn kleenes_laws_hold() {
    for a in TRUTHS {
        assert_eq!(a.not().not(), a);
        assert_eq!(a.and(Truth::True), a);
        assert_eq!(a.or(Truth::False), a);
        assert_eq!(a.and(Truth::False), Truth::False);
        assert_eq!(a.or(Truth::True), Truth::True);
        for b in TRUTHS {
            assert_eq!(a.and(b), b.and(a));
            assert_eq!(a.and(b).not(), a.not().or(b.not()));
            for c in TRUTHS {
                assert_eq!(a.and(b).and(c), a.and(b.and(c)));
                assert_eq!(a.and(b.or(c)), a.and(b).or(a.and(c)));
            }
        }
    }
}

#[test]
fn what_a_secret_is_compared_with_is_not_shown_either() {
    let snapshot = snapshot();
    for source in [
        "principal.pin == 'zt-needle-a'",
        "not (principal.pin != 'zt-needle-a')",
        "principal.pin in ['zt-needle-a', 'b']",
        "principal.pin like 'zt-needle-a*' or context.mfa and has context.ticket",
        "principal.pin startsWith context.ticket",
        "context.ticket endsWith principal.pin",
    ] {
        let condition = Condition::parse(source, snapshot.attributes()).unwrap();
        for pin in [None, Some("zt-needle-b")] {
            let mut request = request();
            if let Some(pin) = pin {
                let pin = Value::text(pin);
                request = request.with_attribute("principal.pin", pin, Provenance::Token);
            }
            let unmet = condition.unmet(&request.facts(&snapshot));
            let shown = format!("{} {unmet:?} {request:?}", unmet[0]);
            assert!(shown.contains("[secret]"), "{source}: {shown}");
            assert!(!shown.contains("zt-needle-"), "{source}");
        }
    }
}

/// Attributes without defaults: one of each type.
fn attributes() -> AttributeSet {
    let words = ["a", "b"].map(str::to_owned).to_vec();
    let all = [
        ("bool", ValueType::Bool),
        ("int", ValueType::Int),
        ("decimal", ValueType::Decimal),
        ("text", ValueType::Text),
        ("other", ValueType::Text),
        ("word", ValueType::Enum),
        ("set", ValueType::Set),
        ("ip", ValueType::Ip),
        ("time", ValueType::Datetime),
    ];
    AttributeSet::new(all.map(|(name, kind)| {
        let values = if kind == ValueType::Enum {
            words.clone()
        } else {
            Vec::new()
        };
        let name = (Namespace::Context, name.to_owned());
        Attribute::declared(
            name,
            (kind, values),
            None,
            (Provenance::Request, None),
            Sensitivity::Public,
        )
    }))
}

fn atoms() -> impl Strategy<Value = String> {
    let number = -3..4i64;
    let letter = prop::sample::select(vec!["", "a", "b", "ab", "*", "\\\"", "é"]);
    let sign = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let same = prop::sample::select(vec!["==", "!="]);
    let part = prop::sample::select(vec!["contains", "startsWith", "endsWith", "like", "=="]);
    let left = prop::sample::select(vec![
        "has context.set",
        "context.bool",
        "context.ip cidr '10.0.0.0/8'",
        "context.ip in ['10.0.0.1', '::1']",
        "context.text in context.set",
        "context.text == context.other",
        "context.word == context.text",
        "context.set contains 'a'",
        "context.int between context.decimal and 2",
        "context.time < '2026-01-01T00:00:00Z'",
        "context.decimal == 0.5",
        "context.word in ['a']",
        "context.text contains context.word",
    ]);
    prop_oneof![
        left.prop_map(str::to_owned),
        (sign.clone(), number.clone()).prop_map(|(sign, n)| format!("context.int {sign} {n}")),
        (sign, number.clone()).prop_map(|(sign, n)| format!("{n}.25 {sign} context.decimal")),
        (number, 0..5i64).prop_map(|(n, more)| format!("context.int between {n} and {}", n + more)),
        (part, letter).prop_map(|(part, letter)| format!("context.text {part} \"{letter}\"")),
        same.prop_map(|same| format!("context.word {same} 'b'")),
    ]
}

fn sources() -> impl Strategy<Value = String> {
    atoms().prop_recursive(5, 60, 4, |inner| {
        let many = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            many.clone()
                .prop_map(|parts| format!("({})", parts.join(" and "))),
            many.prop_map(|parts| format!("({})", parts.join(" or "))),
            inner.prop_map(|part| format!("not {part}")),
        ]
    })
}

fn facts() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let letter = || prop::sample::select(vec!["", "a", "b", "ab", "a*"]).prop_map(Value::text);
    let ip = prop::sample::select(vec!["10.0.0.1", "::ffff:10.0.0.1", "::1", "192.0.2.1"]);
    let half = prop::sample::select(vec!["0.5", "-1.25", "2"]);
    let fact = prop_oneof![
        any::<bool>().prop_map(|value| ("bool", Value::Bool(value))),
        (-3..4i64).prop_map(|value| ("int", Value::Int(value))),
        half.prop_map(|value| ("decimal", Value::Decimal(value.parse().unwrap()))),
        letter().prop_map(|value| ("text", value)),
        letter().prop_map(|value| ("other", value)),
        letter().prop_map(|value| ("word", value)),
        prop::collection::vec(prop::sample::select(vec!["a", "b", ""]), 0..3)
            .prop_map(|texts| ("set", Value::set(texts))),
        ip.prop_map(|value| ("ip", Value::Ip(value.parse().unwrap()))),
        any::<i64>().prop_map(|ms| ("time", Value::Datetime(Timestamp::from_millis(ms)))),
    ];
    prop::collection::vec(fact, 0..12)
}

fn truth(condition: &Condition, snapshot: &Snapshot, facts: &[(&str, Value)]) -> Truth {
    let context = facts.iter().fold(Context::new(), |context, (name, value)| {
        context.with(name, value.clone())
    });
    let request = request().with_context(context);
    condition.evaluate(&request.facts(snapshot))
}

fn empty() -> Snapshot {
    Snapshot::compile(
        &RawTables::new("none".to_owned()),
        1,
        Timestamp::from_millis(0),
    )
    .unwrap()
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(source in ".{0,200}") {
        drop(Condition::parse(&source, &attributes()));
    }

    #[test]
    fn no_row_of_words_makes_the_parser_panic(words in prop::collection::vec(prop::sample::select(vec![
        "and", "or", "not", "has", "(", ")", "[", "]", ",", "==", "<", "in", "like", "cidr", "between", "true",
        "context.int", "context.set", "context.bool", "context.ip", "row.x", "1", "-2.5", "'a'", "\"", "\\",
    ]), 0..40)) {
        if let Ok(condition) = Condition::parse(&words.join(" "), &attributes()) {
            prop_assert_eq!(Condition::parse(&condition.to_string(), &attributes()), Ok(condition));
        }
    }

    #[test]
    fn what_is_printed_reads_back_as_the_same(source in sources()) {
        let condition = Condition::parse(&source, &attributes());
        prop_assume!(!matches!(&condition, Err(why) if why[0].reason.contains("at most")));
        let condition = condition.unwrap();
        prop_assert_eq!(Condition::parse(&condition.to_string(), &attributes()), Ok(condition));
    }

    #[test]
    fn a_missing_fact_only_makes_less_certain(
        source in sources(), facts in facts(), which in any::<prop::sample::Index>(),
    ) {
        let (snapshot, condition) = (empty(), Condition::parse(&source, &attributes()));
        prop_assume!(condition.is_ok() && !facts.is_empty());
        let condition = condition.unwrap();
        let gone = facts[which.index(facts.len())].0;
        let fewer: Vec<_> = facts.iter().filter(|(name, _)| *name != gone).cloned().collect();
        let (before, after) = (truth(&condition, &snapshot, &facts), truth(&condition, &snapshot, &fewer));
        prop_assert!(after == before || after == Truth::Unknown, "{condition}: {before:?} became {after:?}");
    }

    #[test]
    fn what_is_unmet_is_named_exactly_when_it_does_not_hold(source in sources(), facts in facts()) {
        let (snapshot, condition) = (empty(), Condition::parse(&source, &attributes()));
        prop_assume!(condition.is_ok());
        let condition = condition.unwrap();
        let context = facts.iter().fold(Context::new(), |context, (name, value)| {
            context.with(name, value.clone())
        });
        let request = request().with_context(context);
        let facts = request.facts(&snapshot);
        let truth = condition.evaluate(&facts);
        prop_assert_eq!(condition.unmet(&facts).is_empty(), truth == Truth::True);
        prop_assert_eq!(condition.unknown(&facts).is_empty(), truth != Truth::Unknown);
    }
}
