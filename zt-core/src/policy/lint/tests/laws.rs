//! A row that is said to do nothing is taken out of random tables: no random request may be decided differently.

use std::cell::Cell as Count;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use super::*;
use crate::policy::{Context, DecisionId, Provenance, Request, Ruling, Value, oracle};

type Line = Vec<(&'static str, Cell)>;

const CONDITIONS: &[&str] = &[
    "context.zone == 'a'",
    "context.zone != 'b'",
    "context.zone in ['a', 'b']",
    "context.zone startsWith 'a'",
    "context.n == 1",
    "context.n > 0",
    "context.n < 3 and context.zone == 'a'",
    "context.n > 2 or context.zone == 'b'",
    "not context.n between 1 and 2",
    "has context.zone",
    "not has context.n",
    "context.n > 2 and context.n < 2",
    "principal.id startsWith 'sp:'",
    "principal.kind == 'user'",
    "principal.team == 'risk' or context.n == 1",
    "resource.path == 'Raw.x'",
    "resource.path startsWith 'raw'",
    "resource.owner == principal.id",
    "action.name == 'table.write'",
    "time.now < '1970-01-01T00:00:01Z'",
    "time.now >= '1970-01-01T00:00:00Z'",
    "time.hour_utc == 0",
    "context.proven",
    "not context.proven or context.n == 1",
    "context.proven == false",
];

fn pick(words: &[&'static str]) -> impl Strategy<Value = &'static str> + use<> {
    prop::sample::select(words.to_vec())
}

/// Principal, action, resource, effect and mode.
type Drawn = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

/// One cell that a row may have.
type Maybe = Option<&'static str>;

fn policies() -> impl Strategy<Value = Vec<Line>> {
    let (one, two) = (
        ["sp:a", "sp:b", "user:c", "group:g"],
        ["role:few", "role:many", "role:some", "*"],
    );
    let windows = [
        "1969-12-31T00:00:00Z",
        "1970-01-01T00:00:01Z",
        "1980-01-01T00:00:00Z",
    ];
    let row = (
        pick(&[&one[..], &two].concat()),
        pick(&["table.read", "table.read", "table.*", "*"]),
        pick(&[
            "table:raw.x",
            "table:raw.x",
            "table:raw.*",
            "table:*.x",
            "table:raw.**",
            "**",
        ]),
        pick(&["allow", "allow", "deny", "restrict"]),
        pick(&["enforce", "enforce", "enforce", "shadow", "off"]),
    );
    let further = (
        prop::option::weighted(0.2, pick(&["id", "id, iban"])),
        prop::option::weighted(0.15, pick(&["last_4", "redact", "null"])),
        prop::option::weighted(0.6, pick(CONDITIONS)),
        prop::option::weighted(0.15, pick(&windows)),
    );
    prop::collection::vec(
        (row, further).prop_map(|(row, further)| line(row, further)),
        2..7,
    )
}

fn line(
    (principal, action, resource, effect, mode): Drawn,
    (columns, mask, condition, end): (Maybe, Maybe, Maybe, Maybe),
) -> Line {
    let text = |name, text: &str| (name, Cell::Text(text.to_owned()));
    let mut cells = vec![
        text("principal", principal),
        text("action", action),
        text("resource", resource),
        text("effect", effect),
        text("mode", mode),
    ];
    if effect == "restrict" {
        let durable = ("audit".to_owned(), Cell::Text("durable".to_owned()));
        cells.push(("obligations", Cell::Map(vec![durable])));
    }
    let has_columns = effect != "restrict" && resource != "**" && action != "*";
    if let Some(columns) = columns.filter(|_| has_columns) {
        let columns = columns.split(", ").map(|name| Cell::Text(name.to_owned()));
        cells.push(("columns", Cell::List(columns.collect())));
    }
    let is_shown = columns.is_none_or(|columns| columns.contains("iban"));
    if let Some(mask) = mask.filter(|_| has_columns && effect == "allow" && is_shown) {
        let mask = ("iban".to_owned(), Cell::Text(mask.to_owned()));
        cells.push(("masks", Cell::Map(vec![mask])));
    }
    cells.extend(condition.map(|condition| text("condition", condition)));
    cells.extend(end.map(|end| text("valid_to", end)));
    cells
}

fn requests() -> impl Strategy<Value = Request> {
    let who = (
        prop::option::of(pick(&["sp:a", "sp:b", "user:c"])),
        any::<bool>(),
        any::<bool>(),
    );
    let what = (
        pick(&["table.read", "table.write", "policy.explain"]),
        pick(&[
            "table:raw.x",
            "table:raw.y",
            "table:gold.x",
            "table:raw",
            "table:raw.a.b",
        ]),
    );
    let facts = (
        prop::option::of(pick(&["a", "b", "ab", ""])),
        prop::option::of(0..4i64),
        prop::option::of(pick(&["risk", "it"])),
        prop::option::of(pick(&["sp:a", "user:c"])),
        any::<bool>(),
    );
    // The tables are loaded at the first moment of 1970: what is over is over from then on.
    let now = prop::sample::select(vec![0, 999, 1_000, 3_600_000, 400_000_000_000]);
    (who, what, facts, now).prop_map(|((caller, in_group, complete), asked, facts, now)| {
        let caller = caller.map(|id| id.parse().unwrap());
        let (zone, n, team, owner, is_proven) = facts;
        let context = zone.into_iter().fold(Context::new(), |context, zone| {
            context.with("zone", Value::text(zone))
        });
        let context = n
            .into_iter()
            .fold(context, |context, n| context.with("n", Value::Int(n)));
        let mut request = Request::new(caller, asked.0.parse().unwrap(), asked.1.parse().unwrap())
            .with_context(context.with_proof(is_proven))
            .at(Timestamp::from_millis(now));
        if in_group {
            request = request.with_groups(Arc::from(["group:g".parse().unwrap()]));
        }
        if !complete {
            request = request.with_incomplete_groups();
        }
        for (name, value, known) in [
            ("principal.team", team, Provenance::Token),
            ("resource.owner", owner, Provenance::Store),
        ] {
            if let Some(value) = value {
                request = request.with_attribute(name, Value::text(value), known);
            }
        }
        request
    })
}

/// The rows as a table, without one of them.
fn compiled(rows: &[Line], without: Option<&str>) -> Arc<Snapshot> {
    let named = rows
        .iter()
        .enumerate()
        .map(|(at, row)| (format!("R{at}"), row));
    let kept = named.filter(|(id, _)| Some(id.as_str()) != without);
    let kept = kept.map(|(id, row)| {
        let mut row = row.clone();
        row.push(("id", Cell::Text(id)));
        row
    });
    let attributes = attributes();
    let attributes: Vec<Cells<'_>> = attributes.iter().map(|cells| &cells[..]).collect();
    Arc::new(tables(&kept.collect::<Vec<_>>(), &attributes))
}

fn ruling(snapshot: &Arc<Snapshot>, request: &Request) -> Ruling {
    Ruling::of(&oracle::decide(
        snapshot,
        request.clone(),
        DecisionId::new(0, 0),
    ))
}

#[test]
fn a_row_that_is_said_to_do_nothing_does_nothing() {
    let config = ProptestConfig {
        failure_persistence: None,
        cases: 2_500,
        ..ProptestConfig::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let said = [
        Lint::Redundant,
        Lint::Shadowed,
        Lint::Contradictory,
        Lint::Dead,
    ]
    .map(|lint| (lint, Count::new(0)));
    let asked = (policies(), prop::collection::vec(requests(), 40));
    let tried = runner.run(&asked, |(rows, requests)| {
        let all = compiled(&rows, None);
        for finding in lint(&all) {
            let Some((_, count)) = said.iter().find(|(lint, _)| *lint == finding.lint) else {
                continue;
            };
            count.set(count.get() + 1);
            let fewer = compiled(&rows, finding.rows.first().map(String::as_str));
            for request in &requests {
                let (before, after) = (ruling(&all, request), ruling(&fewer, request));
                prop_assert!(
                    before.grants_the_same(&after),
                    "{finding}: {before:?} {after:?} {request:?}"
                );
            }
        }
        Ok(())
    });
    tried.unwrap_or_else(|why| panic!("{why}"));
    for (lint, count) in said {
        println!("{lint:?} was said {} times", count.get());
        assert!(count.get() > 0, "{lint:?} was never said");
    }
}
