//! Laws of the decision, on random tables: order does not matter, a deny never allows, an unknown never disarms a deny.

use std::sync::Arc;

use proptest::prelude::*;
use zt_core::clock::Timestamp;
use zt_core::metadata::{Cell, RawRow, RawTables, Snapshot};
use zt_core::policy::{self, Context, Decision, DecisionId, DecisionKind, Request};

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

/// A policy without its id: principal, action, resource, effect, job, columns.
pub(crate) type Policy = (usize, usize, usize, bool, Option<u32>, Option<usize>);

pub(crate) fn policies() -> impl Strategy<Value = Vec<Policy>> {
    let policy = (
        0..5usize,
        0..4usize,
        0..5usize,
        any::<bool>(),
        prop::option::of(1..3u32),
        prop::option::of(0..3usize),
    );
    prop::collection::vec(policy, 0..12)
}

fn requests() -> impl Strategy<Value = (usize, usize, Option<u32>)> {
    (
        0..CALLERS.len(),
        0..RESOURCES.len(),
        prop::option::of(1..3u32),
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
    for (at, policy) in policies.iter().enumerate() {
        raw.push("Access_Policies", policy_row(at, *policy));
    }
    Arc::new(Snapshot::compile(&raw, 1, Timestamp::from_millis(0)).unwrap())
}

fn policy_row(at: usize, (principal, action, resource, allow, job, columns): Policy) -> RawRow {
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
    if let Some(job) = job {
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

fn decide(policies: &[Policy], (caller, resource, job): (usize, usize, Option<u32>)) -> Decision {
    let action = if resource == 3 {
        "secret.get"
    } else {
        "table.read"
    };
    let mut context = Context::new();
    if let Some(job) = job {
        context = context.with_job(job);
    }
    let request = Request::new(
        Some(CALLERS[caller].parse().unwrap()),
        action.parse().unwrap(),
        RESOURCES[resource].parse().unwrap(),
    );
    policy::decide(
        &snapshot(policies),
        request.with_context(context),
        DecisionId::new(0, 0),
    )
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
    fn what_the_caller_leaves_unsaid_never_grants_more(rows in policies(), (caller, resource, job) in requests()) {
        let silent = decide(&rows, (caller, resource, None));
        let spoken = decide(&rows, (caller, resource, job.or(Some(1))));
        prop_assert!(!silent.is_allowed() || spoken.is_allowed());
    }

    #[test]
    fn an_explicit_deny_names_its_rows_and_a_default_deny_none(rows in policies(), request in requests()) {
        let decision = decide(&rows, request);
        let named = decision.policies().len();
        prop_assert_eq!(named == 0, decision.kind() == DecisionKind::DefaultDeny);
    }
}
