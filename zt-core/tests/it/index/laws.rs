//! What must not matter to the index: the order of rows, their ids, rows that stand twice. And more allows never take away.

use std::collections::BTreeSet;
use std::sync::Arc;

use zt_core::metadata::Snapshot;
use zt_core::policy::{self, Decision, DecisionKind, Request};

use super::random::{Cells, Random, bindings, policy, request, tables, text};
use super::{ID, rows};

const SETS: usize = 60;
const REQUESTS: usize = 40;

/// Compares what a change of the policies makes of random requests.
fn law(
    seed: u64,
    change: impl Fn(&mut Random, &[Cells]) -> Vec<Cells>,
    holds: impl Fn(&Decision, &Decision) -> bool,
) {
    let random = &mut Random(seed);
    let mut met = BTreeSet::new();
    for set in 0..SETS {
        let count = if set % 10 == 0 { 250 } else { random.below(60) };
        let before: Vec<Cells> = (0..count).map(|at| policy(random, at, 70)).collect();
        let after = change(random, &before);
        let bindings = bindings(random);
        let (before, after) = (tables(&bindings, &before), tables(&bindings, &after));
        for _ in 0..REQUESTS {
            let (request, _) = request(random);
            let (one, other) = (decide(&before, &request), decide(&after, &request));
            met.insert(one.kind().as_str());
            assert!(holds(&one, &other), "{request:?}: {one}, then {other}");
        }
    }
    assert_eq!(met.len(), 3, "every kind is met");
}

fn decide(snapshot: &Arc<Snapshot>, request: &Request) -> Decision {
    policy::decide(snapshot, request.clone(), ID)
}

fn with_id(row: &Cells, id: impl Fn(&str) -> String) -> Cells {
    let cells = row.iter().map(|(name, cell)| match name.as_str() {
        "id" => (name.clone(), text(&id(&cell.to_string()))),
        _ => (name.clone(), cell.clone()),
    });
    cells.collect()
}

fn is_visible(decision: &Decision, column: &str) -> bool {
    decision.is_allowed() && decision.columns().contains(column)
}

fn same_columns(one: &Decision, other: &Decision) -> bool {
    ["salary", "iban", "straße", "name", "other"]
        .iter()
        .all(|column| {
            is_visible(one, column) == is_visible(other, column)
                && one.masks().of(column) == other.masks().of(column)
        })
}

#[test]
fn the_order_of_rows_does_not_matter_to_the_index() {
    let reversed = |_: &mut Random, rows: &[Cells]| rows.iter().rev().cloned().collect();
    law(1, reversed, |one, other| {
        let named = |decision: &Decision| rows(decision).into_iter().collect::<BTreeSet<_>>();
        one.kind() == other.kind() && named(one) == named(other) && same_columns(one, other)
    });
}

#[test]
fn rows_that_stand_twice_do_not_matter_to_the_index() {
    let twice = |_: &mut Random, rows: &[Cells]| {
        let again = rows
            .iter()
            .map(|row| with_id(row, |id| format!("{id} again")));
        rows.iter().cloned().chain(again).collect()
    };
    law(2, twice, |one, other| {
        let doubled = one.policies().len() * 2 == other.policies().len();
        one.kind() == other.kind() && doubled && same_columns(one, other)
    });
}

#[test]
fn the_names_of_rows_do_not_matter_to_the_index() {
    let renamed = |_: &mut Random, rows: &[Cells]| {
        let rows = rows.iter();
        rows.map(|row| with_id(row, |id| format!("new {id}")))
            .collect()
    };
    law(3, renamed, |one, other| {
        let new: Vec<String> = rows(one).iter().map(|id| format!("new {id}")).collect();
        one.kind() == other.kind() && new == rows(other) && same_columns(one, other)
    });
}

#[test]
fn one_more_allow_never_takes_away() {
    let more = |random: &mut Random, rows: &[Cells]| {
        let allow = policy(random, rows.len(), 100);
        rows.iter().cloned().chain([allow]).collect()
    };
    law(4, more, |one, other| {
        let seen = ["salary", "iban", "straße", "name", "other"];
        let keeps = |column: &&str| !is_visible(one, column) || is_visible(other, column);
        (!one.is_allowed() || other.is_allowed()) && seen.iter().all(keeps)
    });
}

#[test]
fn one_more_deny_never_gives() {
    let more = |random: &mut Random, rows: &[Cells]| {
        let deny = policy(random, rows.len(), 0);
        rows.iter().cloned().chain([deny]).collect()
    };
    law(5, more, |one, other| {
        let stands =
            one.kind() != DecisionKind::ExplicitDeny || other.kind() == DecisionKind::ExplicitDeny;
        (one.is_allowed() || !other.is_allowed()) && stands
    });
}
