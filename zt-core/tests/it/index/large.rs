//! Sizes at which an index breaks: nothing, very much in one place, very deep.

use std::sync::Arc;

use zt_core::metadata::Snapshot;
use zt_core::policy::{
    self, Action, Context, DecisionKind, Located, NotAResource, Projection, Request,
    ResourcePattern,
};

use super::random::{Cells, cells, tables};
use super::{Handles, ID, difference};

/// Asserts that index and oracle agree, and answers how.
fn agreed(snapshot: &Arc<Snapshot>, request: &Request, written: &str) -> (DecisionKind, usize) {
    let old = Handles::new(&tables(&[], &[]), request);
    assert_eq!(difference(snapshot, request, written, &old), None);
    let decision = policy::decide(snapshot, request.clone(), ID);
    (decision.kind(), decision.policies().len())
}

fn asks(caller: &str, action: Action, resource: &str) -> Request {
    Request::new(
        Some(caller.parse().unwrap()),
        action,
        resource.parse().unwrap(),
    )
}

#[test]
fn without_rows_everything_is_denied_by_default() {
    let none = tables(&[], &[]);
    for resource in ["table:a", "secret:a/b", "audit:log"] {
        let request = asks("user:a", Action::PolicyExplain, resource);
        let (kind, rows) = agreed(&none, &request, resource);
        assert_eq!((kind, rows), (DecisionKind::DefaultDeny, 0));
    }
}

#[test]
fn the_longest_path_is_found_and_one_more_byte_refused() {
    let path = "a.".repeat(508);
    let longest = format!("table:{path}{}", "b".repeat(2));
    assert_eq!(longest.len(), 1024);
    let starred = format!("table:{}*.**", "a.*.".repeat(250));
    assert!(starred.parse::<ResourcePattern>().is_ok());
    let row = |id: &str, effect: &str, resource: &str| {
        cells(&[
            ("id", id),
            ("principal", "*"),
            ("action", "table.read"),
            ("resource", resource),
            ("effect", effect),
        ])
    };
    let rows: Vec<Cells> = vec![
        row("exact", "allow", &longest),
        row("starred", "allow", &starred),
    ];
    let snapshot = tables(&[], &rows);
    let request = asks("user:a", Action::TableRead, &longest);
    assert_eq!(
        agreed(&snapshot, &request, &longest),
        (DecisionKind::Allow, 2)
    );
    let other = format!("table:{path}c");
    let request = asks("user:a", Action::TableRead, &other);
    assert_eq!(
        agreed(&snapshot, &request, &other),
        (DecisionKind::Allow, 1)
    );
    let too_long = format!("{longest}b");
    let nobody = Projection::new(&snapshot, None, [].into());
    assert_eq!(
        nobody.verdict_of(
            &snapshot,
            Action::TableRead,
            &too_long,
            &Context::new(),
            None
        ),
        Err(NotAResource::TooLong)
    );
}

/// 2^12 ways to write one path with and without `*`, all of which match.
#[test]
fn every_spelling_of_one_path_with_stars_is_found() {
    let spelling = |bits: usize| {
        let names = (0..12).map(|at| if bits >> at & 1 == 1 { "*" } else { "a" });
        format!("table:{}", names.collect::<Vec<_>>().join("."))
    };
    let rows = (0..4096).map(|bits| {
        cells(&[
            ("id", &format!("P{bits}")),
            ("principal", "user:b"),
            ("action", "table.read"),
            ("resource", &spelling(bits)),
            ("effect", "allow"),
        ])
    });
    let snapshot = tables(&[], &rows.collect::<Vec<_>>());
    let request = asks("user:b", Action::TableRead, &spelling(0));
    let (kind, rows) = agreed(&snapshot, &request, &spelling(0));
    assert_eq!((kind, rows), (DecisionKind::Allow, 4096));
}

#[test]
fn rows_in_one_place_are_told_apart_by_principal_and_action() {
    const ROWS: usize = 65_536;
    let holders = ["role:r", "group:d", "user:b", "role:s", "*"];
    let row = |at: usize| {
        let action = if at.is_multiple_of(7) {
            "table.*"
        } else {
            "table.read"
        };
        let is_last = at == ROWS - 1;
        cells(&[
            ("id", &format!("P{at}")),
            ("principal", if is_last { "*" } else { holders[at % 4] }),
            ("action", if is_last { "*" } else { action }),
            ("resource", "table:raw.**"),
            ("effect", if at % 1000 == 1 { "deny" } else { "allow" }),
        ])
    };
    let rows: Vec<Cells> = (0..ROWS).map(row).collect();
    let snapshot = tables(&[("r", "user:a"), ("s", "group:e")], &rows);
    let resource = "table:raw.x.y";
    let ask = |request: &Request| agreed(&snapshot, request, resource);

    let by_role = asks("user:a", Action::TableRead, resource);
    assert_eq!(ask(&by_role), (DecisionKind::Allow, 16_385));
    // The denies of a group that nobody proved absent stand: all but those that the caller is certain not to be meant by.
    let unsure = by_role.clone().with_incomplete_groups();
    assert_eq!(ask(&unsure), (DecisionKind::ExplicitDeny, 66));
    let in_group = by_role.with_groups([("group:d".parse().unwrap())].into());
    assert_eq!(ask(&in_group), (DecisionKind::ExplicitDeny, 66));
    let nobody = asks("user:c", Action::TableRead, resource);
    assert_eq!(ask(&nobody), (DecisionKind::Allow, 1));
    let elsewhere = asks("user:a", Action::TableRead, "table:rawer.x");
    let located = Located::new(&snapshot, elsewhere.resource.clone());
    assert_eq!(located.resource(), &elsewhere.resource);
    assert_eq!(
        agreed(&snapshot, &elsewhere, "table:rawer.x"),
        (DecisionKind::DefaultDeny, 0)
    );
}
