//! The index against the oracle on rows with conditions over facts of every type, windows, modes, columns, masks and
//! restrictions, for callers whose groups are not all known.

use std::sync::Arc;

use zt_core::clock::Timestamp;
use zt_core::metadata::{Cell, RawRow, RawTables, Snapshot};
use zt_core::policy::{
    self, Decision, Provenance, Request, ResourceKind, Value, ValueType, oracle,
};

use super::random::{Cells, Random, bindings, cells, policy, raw_tables, text};
use super::{Handles, ID};

/// An attribute and values of it, in order; `known` is how it must be known, and none for what is built in.
pub(super) struct Fact {
    name: &'static str,
    kind: ValueType,
    known: Option<Provenance>,
    pub(super) default: Option<&'static str>,
    values: &'static [&'static str],
}

pub(super) const MOMENTS: &[&str] = &[
    "2026-09-21T08:00:00Z",
    "2026-09-21T17:30:00Z",
    "2026-09-22T08:00:00.001Z",
    "2026-09-26T23:59:59.999Z",
];
const DAYS: &[&str] = &["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const NUMBERS: &[&str] = &["-1", "0", "2", "9223372036854775807"];
const ADDRESSES: &[&str] = &["10.20.0.4", "::ffff:10.20.0.4", "192.168.0.1", "fd00::1"];
const RANGES: &[&str] = &["10.0.0.0/8", "10.20.0.4/32", "::/0", "0.0.0.0/0"];
const WORDS: &[&str] = &["", "a*b", "loan", "loan_a", "straße", "user:a"];
const SETS: &[&str] = &["", "loan", "loan,public", "user:a,user:b"];

const FACTS: &[Fact] = &[
    fact(
        "context.flag",
        ValueType::Bool,
        Provenance::Request,
        &["false", "true"],
    ),
    fact(
        "context.count",
        ValueType::Int,
        Provenance::Request,
        NUMBERS,
    ),
    fact(
        "context.score",
        ValueType::Decimal,
        Provenance::Request,
        &["-0.5", "0.000000000000000001", "2"],
    ),
    fact("context.note", ValueType::Text, Provenance::Request, WORDS),
    fact(
        "context.zone",
        ValueType::Enum,
        Provenance::Request,
        &["lab", "private", "public"],
    ),
    fact("context.tags", ValueType::Set, Provenance::Request, SETS),
    fact(
        "context.address",
        ValueType::Ip,
        Provenance::Request,
        ADDRESSES,
    ),
    fact(
        "context.since",
        ValueType::Datetime,
        Provenance::Request,
        MOMENTS,
    ),
    Fact {
        default: Some("2"),
        ..fact(
            "context.quota",
            ValueType::Int,
            Provenance::Request,
            NUMBERS,
        )
    },
    fact(
        "principal.cleared",
        ValueType::Bool,
        Provenance::Token,
        &["false", "true"],
    ),
    fact(
        "principal.level",
        ValueType::Int,
        Provenance::Token,
        NUMBERS,
    ),
    fact("principal.teams", ValueType::Set, Provenance::Token, SETS),
    fact("resource.owner", ValueType::Text, Provenance::Store, WORDS),
    fact(
        "resource.bar",
        ValueType::Decimal,
        Provenance::Store,
        &["-0.5", "0", "2.25"],
    ),
    built_in(
        "principal.id",
        ValueType::Text,
        &["user:a", "user:b", "user:c"],
    ),
    built_in(
        "resource.path",
        ValueType::Text,
        &["raw", "raw.raw", "größe"],
    ),
    built_in("context.job", ValueType::Int, &["1", "2"]),
    built_in("context.author", ValueType::Text, &["user:a", "user:b"]),
    built_in("time.now", ValueType::Datetime, MOMENTS),
    built_in("time.hour_utc", ValueType::Int, &["8", "17", "23"]),
    built_in("time.weekday_utc", ValueType::Enum, DAYS),
];

const fn fact(
    name: &'static str,
    kind: ValueType,
    known: Provenance,
    values: &'static [&'static str],
) -> Fact {
    Fact {
        name,
        kind,
        known: Some(known),
        default: None,
        values,
    }
}

const fn built_in(name: &'static str, kind: ValueType, values: &'static [&'static str]) -> Fact {
    Fact {
        name,
        kind,
        known: None,
        default: None,
        values,
    }
}

impl Fact {
    /// As a condition writes it.
    fn literal(&self, value: &str) -> String {
        match self.kind {
            ValueType::Bool | ValueType::Int | ValueType::Decimal => value.to_owned(),
            ValueType::Text
            | ValueType::Enum
            | ValueType::Set
            | ValueType::Ip
            | ValueType::Datetime => format!("'{value}'"),
        }
    }

    fn draw(&self, random: &mut Random) -> String {
        self.literal(random.of(self.values))
    }

    fn is_of(&self, class: &[ValueType]) -> bool {
        class.contains(&self.kind)
    }
}

const LISTED: &[ValueType] = &[ValueType::Text, ValueType::Enum];
const NUMERIC: &[ValueType] = &[ValueType::Int, ValueType::Decimal];

/// An attribute that compares with this one, numbers with numbers whatever their type.
fn other(random: &mut Random, of: &Fact) -> &'static str {
    let classes = [LISTED, NUMERIC];
    let class = classes.into_iter().find(|class| of.is_of(class));
    let own = [of.kind];
    let class = class.unwrap_or(&own);
    let others: Vec<&Fact> = FACTS.iter().filter(|fact| fact.is_of(class)).collect();
    random.of(&others).name
}

pub(super) fn condition(random: &mut Random, depth: usize) -> String {
    let mut inner = || condition(random, depth.saturating_sub(1));
    let (one, two) = if depth == 0 {
        (String::new(), String::new())
    } else {
        (inner(), inner())
    };
    match random.below(10) {
        _ if depth == 0 => test(random),
        0..3 => format!("({one} and {two})"),
        3..7 => format!("({one} or {two})"),
        7 => format!("not {one}"),
        _ => one,
    }
}

fn test(random: &mut Random) -> String {
    let fact = &FACTS[random.below(FACTS.len())];
    let name = fact.name;
    if random.percent(6) {
        return format!("has {name}");
    }
    let sets = ["context.tags", "principal.teams"];
    match fact.kind {
        ValueType::Bool if random.percent(60) => name.to_owned(),
        ValueType::Set => format!(
            "{name} contains '{}'",
            random.of(&["loan", "user:a", "public"])
        ),
        ValueType::Ip if random.percent(60) => {
            format!(
                "{name} cidr ['{}', '{}']",
                random.of(RANGES),
                random.of(RANGES)
            )
        }
        ValueType::Text if random.percent(40) => {
            let sign = random.of(&["contains", "startsWith", "endsWith", "like"]);
            format!(
                "{name} {sign} '{}'",
                random.of(&["loan*", "a", "", "*", "ß", "user:"])
            )
        }
        ValueType::Text | ValueType::Enum if random.percent(20) => {
            format!("{name} in {}", random.of(&sets))
        }
        ValueType::Int | ValueType::Decimal | ValueType::Datetime if random.percent(25) => {
            let from = random.below(fact.values.len());
            let to = from + random.below(fact.values.len() - from);
            let literal = |at: usize| fact.literal(fact.values[at]);
            format!("{name} between {} and {}", literal(from), literal(to))
        }
        ValueType::Bool
        | ValueType::Int
        | ValueType::Decimal
        | ValueType::Text
        | ValueType::Enum
        | ValueType::Ip
        | ValueType::Datetime => {
            if random.percent(20) {
                return format!("{name} in [{}, {}]", fact.draw(random), fact.draw(random));
            }
            compared(random, fact)
        }
    }
}

fn compared(random: &mut Random, fact: &Fact) -> String {
    let has_order = fact.is_of(NUMERIC) || fact.kind == ValueType::Datetime;
    let signs = ["==", "!=", "<", "<=", ">", ">="];
    let sign = random.of(&signs[..if has_order { 6 } else { 2 }]);
    match random.below(10) {
        0..3 => format!("{} {sign} {}", fact.name, other(random, fact)),
        3 => format!("{} {sign} {}", fact.draw(random), fact.name),
        _ => format!("{} {sign} {}", fact.name, fact.draw(random)),
    }
}

/// A row as elsewhere, mostly about tables so that rows meet, and what this file is about.
pub(super) fn row(random: &mut Random, at: usize, allow: usize) -> Cells {
    let mut row = policy(random, at, allow);
    let is_about_tables = |row: &Cells| {
        row.iter()
            .any(|(name, cell)| name == "resource" && cell.to_string().starts_with("table:"))
    };
    while !is_about_tables(&row) && random.percent(90) {
        row = policy(random, at, allow);
    }
    if random.percent(40)
        && let Some((_, principal)) = row.iter_mut().find(|(name, _)| name == "principal")
    {
        *principal = text("*");
    }
    let depth = random.below(4);
    if random.percent(65) {
        row.push(("condition".to_owned(), text(&condition(random, depth))));
    }
    let from = random.below(MOMENTS.len() - 1);
    if random.percent(12) {
        row.push(("valid_from".to_owned(), text(MOMENTS[from])));
    }
    if random.percent(12) {
        row.push(("valid_to".to_owned(), text(MOMENTS[from + 1])));
    }
    if random.percent(10) {
        row.push(("mode".to_owned(), text(random.of(&["shadow", "off"]))));
    }
    row
}

/// What an allow is bound to, when it applies.
pub(super) fn restriction(random: &mut Random, at: usize) -> Cells {
    let mut row = cells(&[
        ("id", &format!("R{at}")),
        ("principal", "*"),
        ("effect", "restrict"),
    ]);
    row.push(("action".to_owned(), text("table.read")));
    let on = random.of(&["table:**", "table:raw.**", "table:*.größe"]);
    row.push(("resource".to_owned(), text(on)));
    row.push(("condition".to_owned(), text(&condition(random, 1))));
    let duty = if random.percent(50) {
        ("max_rows".to_owned(), Cell::Integer(10))
    } else {
        ("audit".to_owned(), text("durable"))
    };
    row.push(("obligations".to_owned(), Cell::Map(vec![duty])));
    row
}

/// The tables of all that the rows name.
pub(super) fn raw_world(random: &mut Random, policies: &[Cells]) -> RawTables {
    let mut raw = raw_tables(&bindings(random), policies);
    FACTS.iter().for_each(|fact| declare(&mut raw, fact));
    raw
}

fn world(random: &mut Random, policies: &[Cells]) -> Arc<Snapshot> {
    let raw = raw_world(random, policies);
    let compiled = Snapshot::compile(&raw, 1, Timestamp::from_millis(0));
    Arc::new(compiled.map_err(|report| report.to_string()).unwrap())
}

fn declare(raw: &mut RawTables, fact: &Fact) {
    let Some(known) = fact.known else { return };
    let known = match known {
        Provenance::Request => "request",
        Provenance::Store => "store",
        Provenance::Token => "token",
        Provenance::Runtime => "",
    };
    let (space, name) = fact.name.split_once('.').unwrap();
    let mut row = cells(&[
        ("namespace", space),
        ("name", name),
        ("type", fact.kind.as_str()),
        ("provenance", known),
    ]);
    if fact.kind == ValueType::Enum {
        let words = fact.values.iter().map(|word| text(word)).collect();
        row.push(("values".to_owned(), Cell::List(words)));
    }
    row.extend(
        fact.default
            .map(|default| ("default".to_owned(), text(default))),
    );
    raw.push("Attributes", RawRow::new(None, row));
}

/// A fact that is stated: which, its value, how it is known.
pub(super) type Stated = (&'static Fact, Value, Provenance);

/// Facts of which some count, some are known too weakly and some are of another type.
pub(super) fn stated(random: &mut Random) -> Vec<Stated> {
    let mut stated = Vec::new();
    for fact in FACTS {
        let Some(needed) = fact.known else { continue };
        let (known, kind) = match random.below(20) {
            0..4 => continue,
            4 => (Provenance::Request, fact.kind),
            5 => (needed, ValueType::Text),
            _ => (needed, fact.kind),
        };
        let value = Value::read(kind, random.of(fact.values)).unwrap();
        stated.push((fact, value, known));
    }
    stated
}

pub(super) fn stating(request: Request, facts: &[Stated]) -> Request {
    let mut context = request.context.clone();
    let mut request = request;
    for (fact, value, known) in facts {
        match fact.name.strip_prefix("context.") {
            Some(name) if *known == Provenance::Request => {
                context = context.with(name, value.clone());
            }
            _ => request = request.with_attribute(fact.name, value.clone(), *known),
        }
    }
    request.with_context(context)
}

fn asked(random: &mut Random) -> Request {
    let (mut request, _) = super::random::request(random);
    while request.resource.kind() != ResourceKind::Table && random.percent(93) {
        (request, _) = super::random::request(random);
    }
    if random.percent(85) {
        request = request.at(random.of(MOMENTS).parse().unwrap());
    }
    // Half the requests state nothing but context: what a verdict by handle can be told.
    let mut facts = stated(random);
    if random.percent(50) {
        facts.retain(|(fact, _, known)| {
            *known == Provenance::Request && fact.name.starts_with("context.")
        });
    }
    stating(request, &facts)
}

/// Whether two decisions say the same in everything but the moment.
pub(super) fn is_same(one: &Decision, other: &Decision) -> bool {
    one.kind() == other.kind()
        && one.policies().eq(other.policies())
        && one.restrictions().eq(other.restrictions())
        && (one.columns(), one.masks()) == (other.columns(), other.masks())
        && one.obligations() == other.obligations()
        && (one.lease(), one.would()) == (other.lease(), other.would())
}

#[test]
fn with_conditions_on_facts_of_every_type_the_index_decides_as_the_oracle_does() {
    const SETS: usize = 700;
    const REQUESTS: usize = 150;
    let random = &mut Random(0xfac75);
    let mut kinds = [0_usize; 3];
    let mut by_handle = 0;
    for set in 0..SETS {
        let count = 4 + random.below(if set % 50 == 0 { 150 } else { 30 });
        let allow = 50 + random.below(25);
        let mut policies: Vec<Cells> = (0..count).map(|at| row(random, at, allow)).collect();
        policies.extend((0..random.below(3)).map(|at| restriction(random, at)));
        let snapshot = world(random, &policies);
        for _ in 0..REQUESTS {
            let request = asked(random);
            let truth = oracle::decide(&snapshot, request.clone(), ID);
            let found = policy::decide(&snapshot, request.clone(), ID);
            kinds[truth.kind() as usize] += 1;
            assert!(
                is_same(&found, &truth),
                "set {set}: {request:?}\n{found:?}\n{truth:?}"
            );
            if !request.attributes.is_empty() {
                continue;
            }
            by_handle += 1;
            let Handles {
                projection,
                resource,
            } = Handles::new(&snapshot, &request);
            let (action, context) = (request.action, &request.context);
            let verdict = projection.verdict(&snapshot, action, &resource, context, request.now);
            let first = (truth.kind(), truth.policies().next());
            assert_eq!(
                (verdict.kind(), verdict.policy(&snapshot)),
                first,
                "{request:?}"
            );
        }
    }
    let all: usize = kinds.iter().sum();
    assert!(
        all >= 100_000 && by_handle >= 40_000,
        "{all}, {by_handle} by handle"
    );
    assert!(
        kinds.iter().all(|kind| kind * 5 >= all),
        "a fifth of each kind, not {kinds:?}"
    );
}
