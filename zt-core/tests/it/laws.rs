//! Laws of the decision, on random tables: order does not matter, a deny never allows, an unknown never disarms a deny,
//! and a row in shadow mode changes nothing.

use std::sync::Arc;

use proptest::prelude::*;
use zt_core::clock::Timestamp;
use zt_core::metadata::{Cell, RawRow, RawTables, Snapshot};
use zt_core::policy::{self, Context, Decision, DecisionId, DecisionKind, Request, Value};

pub(crate) const CALLERS: [&str; 3] = ["user:a", "user:b", "sp:c"];
pub(crate) const RESOURCES: [&str; 4] = ["table:raw.x", "table:raw.y", "table:gold.x", "secret:k"];

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn row(cells: &[(&str, Cell)]) -> RawRow {
    let cells = cells
        .iter()
        .map(|(name, cell)| ((*name).to_owned(), cell.clone()));
    RawRow::new(None, cells.collect())
}

const CONDITIONS: [&str; 5] = [
    "context.zone == 'private'",
    "not context.mfa",
    "context.zone != 'private' or context.mfa and has context.job",
    "time.hour_utc between 8 and 17",
    "context.device == 'managed'",
];
const MODES: [&str; 4] = ["enforce", "enforce", "shadow", "off"];
const ENFORCE: usize = 0;
const SHADOW: usize = 2;

/// A policy without its id: principal, action, resource, effect, job, columns, condition, mode.
pub(crate) type Policy = (
    usize,
    usize,
    usize,
    bool,
    Option<u32>,
    Option<usize>,
    Option<usize>,
    usize,
);

/// Caller, resource, job; zone, second factor, hour.
type Asked = (usize, usize, Option<u32>, Facts);
type Facts = (Option<bool>, Option<bool>, Option<i64>);

pub(crate) fn policies() -> impl Strategy<Value = Vec<Policy>> {
    let policy = (
        0..5usize,
        0..4usize,
        0..5usize,
        any::<bool>(),
        prop::option::of(1..3u32),
        prop::option::of(0..3usize),
        prop::option::of(0..CONDITIONS.len()),
        0..MODES.len(),
    );
    prop::collection::vec(policy, 0..12)
}

fn requests() -> impl Strategy<Value = Asked> {
    let facts = (
        any::<Option<bool>>(),
        any::<Option<bool>>(),
        prop::option::of(0..24i64),
    );
    (
        0..CALLERS.len(),
        0..RESOURCES.len(),
        prop::option::of(1..3u32),
        facts,
    )
}

pub(crate) fn snapshot(policies: &[Policy]) -> Arc<Snapshot> {
    let mut raw = RawTables::new("laws".to_owned());
    for (at, caller) in CALLERS.iter().enumerate() {
        let oid = format!("00000000-0000-4000-8000-{at:012}");
        raw.push(
            "Principals",
            row(&[("id", text(caller)), ("oid", text(&oid))]),
        );
    }
    raw.push(
        "Role_Bindings",
        row(&[("role", text("r")), ("principal", text("user:a"))]),
    );
    let vault = text("https://kv.vault.azure.net");
    raw.push(
        "Secret_References",
        row(&[("id", text("k")), ("vault", vault), ("name", text("k"))]),
    );
    for (name, kind, provenance) in [
        ("zone", "text", "request"),
        ("mfa", "bool", "request"),
        ("device", "text", "token"),
    ] {
        raw.push(
            "Attributes",
            row(&[
                ("namespace", text("context")),
                ("name", text(name)),
                ("type", text(kind)),
                ("provenance", text(provenance)),
            ]),
        );
    }
    for (at, policy) in policies.iter().enumerate() {
        raw.push("Access_Policies", policy_row(at, *policy));
    }
    Arc::new(Snapshot::compile(&raw, 1, Timestamp::from_millis(0)).unwrap())
}

fn policy_row(
    at: usize,
    (principal, action, resource, allow, job, columns, condition, mode): Policy,
) -> RawRow {
    let is_secret = resource == 4;
    let principals = ["*", "user:a", "user:b", "sp:c", "role:r"];
    // Rows about columns speak of tables alone.
    let any = if columns.is_some() { "table.*" } else { "*" };
    let actions = ["table.read", "table.*", any, "table.write"];
    let resources = [
        "table:raw.*",
        "table:**",
        "table:raw.x",
        "table:gold.x",
        "secret:k",
    ];
    let mut cells = vec![
        ("id", text(&format!("P{at}"))),
        ("principal", text(principals[principal])),
        (
            "action",
            text(if is_secret {
                "secret.get"
            } else {
                actions[action]
            }),
        ),
        ("resource", text(resources[resource])),
        ("effect", text(if allow { "allow" } else { "deny" })),
    ];
    cells.push(("mode", text(MODES[mode])));
    if let Some(condition) = condition {
        cells.push(("condition", text(CONDITIONS[condition])));
    }
    if let Some(job) = job {
        // Rows of a job have a window as well.
        let (column, moment) = match job {
            1 => ("valid_from", "1970-01-01T08:00:00Z"),
            _ => ("valid_to", "1970-01-01T17:00:00Z"),
        };
        cells.push((column, text(moment)));
        let job = Cell::Integer(i64::from(job));
        cells.push(("when", Cell::Map(vec![("job".to_owned(), job)])));
    }
    if let (Some(columns), false) = (columns, is_secret) {
        let names: [&[&str]; 3] = [&["a"], &["b"], &["a", "b"]];
        cells.push((
            "columns",
            Cell::List(names[columns].iter().map(|name| text(name)).collect()),
        ));
    }
    row(&cells)
}

fn decide(policies: &[Policy], asked: Asked) -> Decision {
    let (caller, resource, job, (zone, mfa, hour)) = asked;
    let action = if resource == 3 {
        "secret.get"
    } else {
        "table.read"
    };
    let mut context = Context::new();
    if let Some(job) = job {
        context = context.with_job(job);
    }
    if let Some(is_private) = zone {
        let zone = if is_private { "private" } else { "public" };
        context = context.with("zone", Value::text(zone));
    }
    if let Some(mfa) = mfa {
        context = context.with("mfa", Value::Bool(mfa));
    }
    // Asserted, where a token is needed: it must never count.
    context = context.with("device", Value::text("managed"));
    let mut request = Request::new(
        Some(CALLERS[caller].parse().unwrap()),
        action.parse().unwrap(),
        RESOURCES[resource].parse().unwrap(),
    );
    if let Some(hour) = hour {
        request = request.at(Timestamp::from_secs(hour * 3600));
    }
    let (snapshot, request) = (snapshot(policies), request.with_context(context));
    let indexed = policy::decide(&snapshot, request.clone(), DecisionId::new(0, 0));
    // Every law below is thereby one of both engines: conditions, windows and modes go through the index too.
    let slow = policy::oracle::decide(&snapshot, request, DecisionId::new(0, 0));
    assert_eq!(indexed.kind(), slow.kind());
    assert!(indexed.policies().eq(slow.policies()));
    assert_eq!(
        (indexed.columns(), indexed.masks()),
        (slow.columns(), slow.masks())
    );
    indexed
}

fn visible(decision: &Decision) -> Vec<&'static str> {
    if !decision.is_allowed() {
        return Vec::new();
    }
    ["a", "b", "c"]
        .into_iter()
        .filter(|column| decision.columns().contains(column))
        .collect()
}

proptest! {
    #[test]
    fn the_order_of_rows_does_not_matter(rows in policies(), request in requests()) {
        let reversed: Vec<Policy> = rows.iter().rev().copied().collect();
        let (one, other) = (decide(&rows, request), decide(&reversed, request));
        prop_assert_eq!(one.kind(), other.kind());
        prop_assert_eq!(visible(&one), visible(&other));
    }

    #[test]
    fn a_row_that_stands_twice_changes_nothing(rows in policies(), request in requests()) {
        let twice: Vec<Policy> = rows.iter().chain(&rows).copied().collect();
        let (one, other) = (decide(&rows, request), decide(&twice, request));
        prop_assert_eq!(one.kind(), other.kind());
        prop_assert_eq!(visible(&one), visible(&other));
    }

    #[test]
    fn one_more_deny_never_shows_more(rows in policies(), mut deny in policies(), request in requests()) {
        deny.iter_mut().for_each(|row| row.3 = false);
        let more: Vec<Policy> = rows.iter().chain(&deny).copied().collect();
        let (one, other) = (decide(&rows, request), decide(&more, request));
        prop_assert!(one.is_allowed() || !other.is_allowed());
        let before = visible(&one);
        prop_assert!(visible(&other).iter().all(|column| before.contains(column)));
    }

    #[test]
    fn one_more_allow_never_hides(rows in policies(), mut allow in policies(), request in requests()) {
        allow.iter_mut().for_each(|row| row.3 = true);
        let more: Vec<Policy> = rows.iter().chain(&allow).copied().collect();
        let (one, other) = (decide(&rows, request), decide(&more, request));
        prop_assert!(!one.is_allowed() || other.is_allowed());
        let after = visible(&other);
        prop_assert!(visible(&one).iter().all(|column| after.contains(column)));
    }

    #[test]
    fn what_the_caller_leaves_unsaid_never_grants_more(rows in policies(), (caller, resource, job, facts) in requests()) {
        let (zone, mfa, hour) = facts;
        let silent = decide(&rows, (caller, resource, None, (None, None, None)));
        let all = (zone.or(Some(true)), mfa.or(Some(false)), hour.or(Some(9)));
        let spoken = decide(&rows, (caller, resource, job.or(Some(1)), all));
        prop_assert!(!silent.is_allowed() || spoken.is_allowed());
        let some = decide(&rows, (caller, resource, job, facts));
        prop_assert!(!silent.is_allowed() || some.is_allowed());
        prop_assert!(!some.is_allowed() || spoken.is_allowed());
    }

    #[test]
    fn a_missing_fact_turns_no_deny_off_and_no_allow_on(
        row in policies(), (caller, resource, job, facts) in requests(), which in 0..4usize,
    ) {
        let (zone, mfa, hour) = facts;
        let fewer = match which {
            0 => (None, (zone, mfa, hour)),
            1 => (job, (None, mfa, hour)),
            2 => (job, (zone, None, hour)),
            _ => (job, (zone, mfa, None)),
        };
        for row in row {
            let before = decide(&[row], (caller, resource, job, facts)).kind();
            let after = decide(&[row], (caller, resource, fewer.0, fewer.1)).kind();
            prop_assert!(before != DecisionKind::ExplicitDeny || after == before);
            prop_assert!(after != DecisionKind::Allow || before == after);
        }
    }

    #[test]
    fn a_row_in_shadow_mode_changes_no_decision_and_says_what_it_would_do(
        rows in policies(), request in requests(),
    ) {
        let decided: Vec<Policy> = rows.iter().filter(|row| row.7 < SHADOW).copied().collect();
        let enforced = rows.iter().map(|row| match row {
            row if row.7 == SHADOW => (row.0, row.1, row.2, row.3, row.4, row.5, row.6, ENFORCE),
            row => *row,
        });
        let enforced: Vec<Policy> = enforced.collect();
        let (one, other) = (decide(&rows, request), decide(&decided, request));
        prop_assert_eq!(one.kind(), other.kind());
        prop_assert_eq!(one.columns(), other.columns());
        prop_assert_eq!(other.would(), None);
        let would = decide(&enforced, request);
        match one.would() {
            Some(shadow) => prop_assert_eq!(shadow.kind, would.kind()),
            None => prop_assert_eq!(one.kind(), would.kind()),
        }
    }

    #[test]
    fn an_explicit_deny_names_its_rows_and_a_default_deny_none(rows in policies(), request in requests()) {
        let decision = decide(&rows, request);
        let named = decision.policies().len();
        prop_assert_eq!(named == 0, decision.kind() == DecisionKind::DefaultDeny);
    }
}
