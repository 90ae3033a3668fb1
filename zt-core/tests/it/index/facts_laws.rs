//! What must hold whatever the tables: more knowledge never grants less nor refuses more, and what no rule speaks of, or
//! what only watches, changes nothing. Each decision is the index's and, at the same time, its oracle's.

use std::sync::Arc;

use zt_core::metadata::{AccessPolicy, Cell, RawRow, RawTables, Snapshot};
use zt_core::policy::{self, Action, Decision, DecisionKind, Request, ResourceKind, oracle};

use super::ID;
use super::facts::{
    MOMENTS, Stated, condition, is_same, raw_world, restriction, row, stated, stating,
};
use super::random::{Cells, Random, cells, text};

const SETS: usize = 110;
const REQUESTS: usize = 30;
/// Where rows about columns and the tests below look.
const COLUMNS: [&str; 5] = ["salary", "iban", "straße", "name", "other"];

fn compiled(raw: &RawTables) -> Arc<Snapshot> {
    let compiled = Snapshot::compile(raw, 1, MOMENTS[0].parse().unwrap());
    Arc::new(compiled.map_err(|report| report.to_string()).unwrap())
}

fn rows_of(random: &mut Random) -> Vec<Cells> {
    let count = 4 + random.below(30);
    let mut rows: Vec<Cells> = (0..count).map(|at| row(random, at, 60)).collect();
    rows.extend((0..random.below(3)).map(|at| restriction(random, at)));
    rows
}

/// The index's decision, which is the oracle's too.
fn decide(snapshot: &Arc<Snapshot>, request: &Request) -> Decision {
    let found = policy::decide(snapshot, request.clone(), ID);
    let truth = oracle::decide(snapshot, request.clone(), ID);
    assert!(is_same(&found, &truth), "{found:?} is not {truth:?}");
    found
}

fn bare(random: &mut Random) -> Request {
    let mut drawn = super::random::request(random).0;
    while drawn.resource.kind() != ResourceKind::Table {
        drawn = super::random::request(random).0;
    }
    drawn
}

fn is_visible(decision: &Decision, column: &str) -> bool {
    decision.is_allowed() && decision.columns().contains(column)
}

fn is_clear(decision: &Decision, column: &str) -> bool {
    is_visible(decision, column) && decision.masks().of(column).is_none()
}

/// Whether a row denies the whole resource. Rows that hide columns refuse only who is allowed nothing else.
fn denies_all(decision: &Decision) -> bool {
    let mut policies = decision.snapshot().tables().access_policies.iter();
    let first = decision.policies().next();
    let row = policies.find(|row| Some(&row.id) == first);
    decision.kind() == DecisionKind::ExplicitDeny && row.is_some_and(AccessPolicy::is_whole)
}

/// Whether the second grants all that the first does, and denies by no other row.
fn grants_no_less(less: &Decision, more: &Decision) -> bool {
    let is_within = |inner: &Decision, outer: &Decision| {
        let outer: Vec<_> = outer.policies().collect();
        inner.policies().all(|row| outer.contains(&row))
    };
    let grants = !less.is_allowed() || more.is_allowed() && is_within(less, more);
    let denies = !denies_all(more) || denies_all(less) && is_within(more, less);
    let shows = COLUMNS.iter().all(|column| {
        (!is_visible(less, column) || is_visible(more, column))
            && (!is_clear(less, column) || is_clear(more, column))
    });
    grants && denies && shows
}

/// Counts what a law was seen on, so that it is not about nothing.
#[derive(Default)]
struct Seen {
    kinds: [usize; 3],
    changed: usize,
}

impl Seen {
    fn count(&mut self, one: &Decision, other: &Decision) {
        self.kinds[one.kind() as usize] += 1;
        self.changed += usize::from(one.kind() != other.kind());
    }

    fn check(&self, changes: bool) {
        let enough = self.kinds.iter().all(|kind| *kind > 150);
        assert!(
            enough && (self.changed > 50) == changes,
            "{:?}, {}",
            self.kinds,
            self.changed
        );
    }
}

/// Facts that no default stands in for: those are known before they are stated.
fn unknown_unless_stated(facts: &[Stated]) -> Vec<Stated> {
    let undefaulted = facts.iter().filter(|(fact, ..)| fact.default.is_none());
    undefaulted.cloned().collect()
}

#[test]
fn whoever_states_more_facts_is_granted_no_less_and_denied_by_no_other_row() {
    let random = &mut Random(0x1e55);
    let mut seen = Seen::default();
    for _ in 0..SETS {
        let rows = rows_of(random);
        let snapshot = compiled(&raw_world(random, &rows));
        for _ in 0..REQUESTS {
            let all = unknown_unless_stated(&stated(random));
            let kept = random.below(100);
            let some: Vec<Stated> = all
                .iter()
                .filter(|_| random.percent(kept))
                .cloned()
                .collect();
            let bare = bare(random);
            let now = random.of(MOMENTS).parse().unwrap();
            let (less, more) = (stating(bare.clone(), &some), stating(bare, &all).at(now));
            let less = if random.percent(50) {
                less.at(now)
            } else {
                less
            };
            let (less, more) = (decide(&snapshot, &less), decide(&snapshot, &more));
            seen.count(&less, &more);
            assert!(grants_no_less(&less, &more), "{less:?}, then {more:?}");
        }
    }
    seen.check(true);
}

#[test]
fn groups_that_become_known_grant_no_less_and_deny_by_no_other_row() {
    let random = &mut Random(0x6407);
    let mut seen = Seen::default();
    for _ in 0..SETS {
        let rows = rows_of(random);
        let snapshot = compiled(&raw_world(random, &rows));
        for _ in 0..REQUESTS {
            let mut known = stating(bare(random), &stated(random));
            known.groups_are_complete = true;
            let some: Vec<_> = known
                .groups
                .iter()
                .filter(|_| random.percent(50))
                .cloned()
                .collect();
            let unsure = known
                .clone()
                .with_groups(some.into())
                .with_incomplete_groups();
            let (less, more) = (decide(&snapshot, &unsure), decide(&snapshot, &known));
            seen.count(&less, &more);
            assert!(grants_no_less(&less, &more), "{less:?}, then {more:?}");
        }
    }
    seen.check(true);
}

/// Compares decisions on tables and on the same tables with more rows in them.
fn with_more_rows(
    seed: u64,
    more: impl Fn(&mut Random) -> Vec<(&'static str, Cells)>,
    holds: impl Fn(&Decision, &Decision) -> bool,
) -> Seen {
    let random = &mut Random(seed);
    let mut seen = Seen::default();
    for _ in 0..SETS {
        let rows = rows_of(random);
        let raw = raw_world(random, &rows);
        let mut larger = raw.clone();
        for (table, cells) in more(random) {
            larger.push(table, RawRow::new(None, cells));
        }
        let (small, large) = (compiled(&raw), compiled(&larger));
        for _ in 0..REQUESTS {
            let request = stating(bare(random), &stated(random));
            let request = request.at(random.of(MOMENTS).parse().unwrap());
            let (one, other) = (decide(&small, &request), decide(&large, &request));
            seen.count(&one, &other);
            assert!(holds(&one, &other), "{one:?}, then {other:?}");
        }
    }
    seen
}

fn with(mut row: Cells, name: &str, value: &str) -> Cells {
    row.retain(|(column, _)| column != name);
    row.push((name.to_owned(), text(value)));
    row
}

#[test]
fn one_more_allow_takes_no_column_away_and_masks_none() {
    let allow = |random: &mut Random| vec![("Access_Policies", row(random, 1000, 100))];
    with_more_rows(0xa110, allow, grants_no_less).check(true);
}

#[test]
fn one_more_deny_gives_no_column_and_clears_none() {
    let deny = |random: &mut Random| {
        let more = (1000..1006).map(|at| ("Access_Policies", row(random, at, 0)));
        more.collect()
    };
    with_more_rows(0xde4, deny, |one, other| grants_no_less(other, one)).check(true);
}

#[test]
fn an_allow_of_one_column_shows_and_clears_no_other() {
    let named = |random: &mut Random| {
        let on = random.of(&["table:**", "table:raw.**", "table:*.**"]);
        let mut row = elsewhere(row(random, 1000, 100), on);
        row.push(("columns".to_owned(), Cell::List(vec![text("name")])));
        vec![("Access_Policies", row)]
    };
    let same = |one: &Decision, other: &Decision| {
        let mut others = COLUMNS.iter().filter(|column| **column != "name");
        others.all(|column| {
            is_visible(one, column) == is_visible(other, column)
                && is_clear(one, column) == is_clear(other, column)
        })
    };
    with_more_rows(0xc01, named, same).check(true);
}

#[test]
fn a_restriction_changes_no_decision_and_no_column() {
    let restrict = |random: &mut Random| vec![("Access_Policies", restriction(random, 1000))];
    let same = |one: &Decision, other: &Decision| {
        one.kind() == other.kind()
            && one.policies().eq(other.policies())
            && (one.columns(), one.masks()) == (other.columns(), other.masks())
            && one
                .restrictions()
                .all(|row| other.restrictions().any(|other| other == row))
    };
    with_more_rows(0x4e57, restrict, same).check(false);
}

#[test]
fn rows_that_only_watch_or_are_off_change_nothing_that_is_done() {
    let watching = |random: &mut Random| {
        let rows = (1000..1003).map(|at| {
            let mode = random.of(&["shadow", "off"]);
            ("Access_Policies", with(row(random, at, 50), "mode", mode))
        });
        rows.collect()
    };
    let same = |one: &Decision, other: &Decision| {
        one.kind() == other.kind()
            && one.policies().eq(other.policies())
            && one.restrictions().eq(other.restrictions())
            && (one.columns(), one.masks()) == (other.columns(), other.masks())
            && one.obligations() == other.obligations()
    };
    with_more_rows(0x54ad, watching, same).check(false);
}

#[test]
fn rows_about_others_change_nothing() {
    let others = |random: &mut Random| {
        let oid = "00000000-0000-4000-8000-0000000000ff";
        let zone = [
            ("namespace", "context"),
            ("name", "unused"),
            ("type", "int"),
            ("provenance", "token"),
        ];
        let mut more = vec![
            ("Principals", cells(&[("id", "user:other"), ("oid", oid)])),
            (
                "Role_Bindings",
                cells(&[("role", "other"), ("principal", "user:other")]),
            ),
            ("Attributes", cells(&zone)),
        ];
        for at in 1000..1004 {
            let row = row(random, at, 50);
            more.push((
                "Access_Policies",
                match random.below(4) {
                    0 => with(row, "principal", "user:other"),
                    1 => with(row, "principal", "role:other"),
                    2 => elsewhere(row, "table:elsewhere.**"),
                    _ => elsewhere(row, "table:raw.raw.raw.raw.raw.**"),
                },
            ));
        }
        more
    };
    with_more_rows(0x07e4, others, is_same_but_for_time).check(false);
}

/// On these tables alone; what a row may say depends on what it is about.
fn elsewhere(mut row: Cells, resource: &str) -> Cells {
    row.retain(|(column, _)| !["columns", "masks"].contains(&column.as_str()));
    with(with(row, "resource", resource), "action", "table.read")
}

/// The end of a lease may come earlier: a row that does not decide can still be looked at.
fn is_same_but_for_time(one: &Decision, other: &Decision) -> bool {
    one.kind() == other.kind()
        && one.policies().eq(other.policies())
        && one.restrictions().eq(other.restrictions())
        && (one.columns(), one.masks()) == (other.columns(), other.masks())
        && (one.obligations(), one.would()) == (other.obligations(), other.would())
}

#[test]
fn a_condition_beside_its_own_negation_leaves_nothing_but_what_is_unknown() {
    let random = &mut Random(0x90d);
    let mut kinds = [0; 3];
    for _ in 0..400 {
        let test = condition(random, 2);
        let both = format!("({test}) or not ({test})");
        let scope = [
            ("principal", "*"),
            ("action", "table.read"),
            ("resource", "table:**"),
        ];
        let row = |id: &str, effect: &str, condition: &str| {
            let row = [("id", id), ("effect", effect), ("condition", condition)];
            cells(&[&scope[..], &row[..]].concat())
        };
        let neither = format!("({test}) and not ({test})");
        let allow = compiled(&raw_world(random, &[row("A", "allow", &both)]));
        let deny = compiled(&raw_world(random, &[row("D", "deny", &neither)]));
        for _ in 0..10 {
            let asked = "table:raw.raw".parse().unwrap();
            let caller = Some("user:a".parse().unwrap());
            let request = Request::new(caller, Action::TableRead, asked);
            let request = stating(request, &stated(random)).at(MOMENTS[1].parse().unwrap());
            // Known: the allow applies and the deny does not. Unknown: the other way round.
            let (allow, deny) = (decide(&allow, &request), decide(&deny, &request));
            let is_known = allow.is_allowed();
            assert_eq!(
                is_known,
                deny.kind() != DecisionKind::ExplicitDeny,
                "{both}: {allow:?}"
            );
            kinds[deny.kind() as usize] += 1;
        }
    }
    assert!(kinds[1] > 400 && kinds[2] > 400, "{kinds:?}");
}

/// The same name in another dress; what sorts first sorts last.
fn renamed(name: &str) -> String {
    let new = match name {
        "a" => "z9",
        "b" => "y8",
        "c" => "x7",
        "d" => "w6",
        "e" => "v5",
        "x" => "u4",
        "nobody" => "t3",
        "invented" => "s2",
        "r" => "o3",
        "s" => "n2",
        "t" => "m1",
        "raw" => "zinc",
        "RAW" => "ZINC",
        "größe" => "éa",
        "Größe" => "Éa",
        "a.b" => "q.r",
        "salary" => "wage",
        "Salary" => "WAGE",
        "iban" => "account",
        "IBAN" => "Account",
        "straße" => "ort",
        "name" => "alias",
        "other" => "elsewhere",
        kept => kept,
    };
    new.to_owned()
}

fn renamed_id(id: &str) -> String {
    match id.split_once(':') {
        Some((kind, name)) => format!("{kind}:{}", renamed(name)),
        None => id.to_owned(),
    }
}

fn renamed_path(resource: &str) -> String {
    let Some((kind, path)) = resource.split_once(':') else {
        return resource.to_owned();
    };
    let separator = if ["table", "view", "volume"].contains(&kind) {
        "."
    } else {
        "/"
    };
    let segments: Vec<String> = path.split(separator).map(renamed).collect();
    format!("{kind}:{}", segments.join(separator))
}

fn renamed_cell(table: &str, column: &str, cell: &Cell) -> Cell {
    let rename: fn(&str) -> String = match (table, column) {
        ("Principals", "id") | (_, "principal") => renamed_id,
        (_, "resource") => renamed_path,
        (_, "role" | "columns" | "masks") => renamed,
        _ => str::to_owned,
    };
    if let Cell::Text(text) = cell {
        return Cell::Text(rename(text));
    }
    if let Cell::List(list) = cell {
        let list = list.iter().map(|cell| renamed_cell(table, column, cell));
        return Cell::List(list.collect());
    }
    if let (Cell::Map(map), "masks") = (cell, column) {
        let map = map.iter().map(|(name, mask)| (rename(name), mask.clone()));
        return Cell::Map(map.collect());
    }
    cell.clone()
}

fn renamed_request(request: &Request) -> Request {
    let mut renamed = request.clone();
    let id = |id: &zt_core::id::PrincipalId| renamed_id(id.as_str()).parse().unwrap();
    renamed.caller = request.caller.as_ref().map(id);
    renamed.groups = request.groups.iter().map(id).collect();
    if let Some(author) = request.context.author() {
        renamed.context = request.context.clone().with_author(id(author));
    }
    renamed.resource = renamed_path(request.resource.as_str()).parse().unwrap();
    renamed
}

#[test]
fn the_names_of_people_groups_roles_tables_and_columns_do_not_matter() {
    let random = &mut Random(0x4a3e);
    let mut seen = Seen::default();
    for _ in 0..SETS {
        let count = 4 + random.below(60);
        let policies: Vec<Cells> = (0..count)
            .map(|at| super::random::policy(random, at, 65))
            .collect();
        let raw = super::random::raw_tables(&super::random::bindings(random), &policies);
        let mut other = raw.clone();
        for table in &mut other.tables {
            for row in &mut table.rows {
                for (column, cell) in &mut row.cells {
                    *cell = renamed_cell(&table.name, column, cell);
                }
            }
        }
        let (raw, other) = (compiled(&raw), compiled(&other));
        for _ in 0..60 {
            let (request, _) = super::random::request(random);
            let (one, other) = (
                decide(&raw, &request),
                decide(&other, &renamed_request(&request)),
            );
            seen.count(&one, &other);
            let is_same = one.kind() == other.kind()
                && one.policies().eq(other.policies())
                && COLUMNS.iter().all(|column| {
                    let new = renamed(column);
                    is_visible(&one, column) == is_visible(&other, &new)
                        && one.masks().of(column) == other.masks().of(&new)
                });
            assert!(is_same, "{one:?}, then {other:?}");
        }
    }
    seen.check(false);
}
