//! What a change of the tables means: lists, diffs between snapshots, the log against a draft.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use zt_core::ErrorKind;
use zt_core::audit::{self, Entry};
use zt_core::clock::Timestamp;
use zt_core::id::PrincipalId;
use zt_core::metadata::{Cell, RawRow, RawTables, Snapshot};
use zt_core::policy::{
    self, Action, Context, Decision, DecisionId, DiffOptions, Flip, GroupsOf, Holder, ListPage,
    ListQuery, Replay, Replayed, Resource, Ruling,
};
use zt_core::runtime;

use crate::laws::{CALLERS, RESOURCES, policies, snapshot};
use crate::world::{World, sample, sign_in};

async fn raw() -> RawTables {
    runtime::read_tables(sample().join("brindlewick.toml"))
        .await
        .unwrap()
}

fn compile(raw: &RawTables) -> Arc<Snapshot> {
    Arc::new(Snapshot::compile(raw, 1, Timestamp::from_millis(0)).unwrap())
}

/// The tables without one row of Access_Policies.
fn without(raw: &RawTables, policy: &str) -> Arc<Snapshot> {
    let mut less = raw.clone();
    let id = Cell::Text(policy.to_owned());
    for table in &mut less.tables {
        table
            .rows
            .retain(|row| table.name != "Access_Policies" || row.cell("id") != Some(&id));
    }
    compile(&less)
}

fn groups() -> GroupsOf {
    World::new().config().development_groups().clone()
}

fn resource(text: &str) -> Resource {
    text.parse().unwrap()
}

fn action(text: &str) -> Action {
    text.parse().unwrap()
}

/// Decides for the holder of this name, apart from what is tested.
fn ask(
    snapshot: &Arc<Snapshot>,
    groups: &GroupsOf,
    (principal, what, on): (&str, &str, &str),
    context: &Context,
) -> Decision {
    // As listing and diff do: at the moment at which the tables were loaded.
    ask_at(
        snapshot,
        groups,
        (principal, what, on),
        context,
        snapshot.loaded_at(),
    )
}

fn ask_at(
    snapshot: &Arc<Snapshot>,
    groups: &GroupsOf,
    (principal, what, on): (&str, &str, &str),
    context: &Context,
    now: Timestamp,
) -> Decision {
    let request = match principal {
        "*" => policy::Request::new(None, action(what), resource(on)),
        name => {
            let id: PrincipalId = name.parse().unwrap();
            let told = groups.get(&id).cloned().unwrap_or_default();
            match name.starts_with("group:") {
                true => policy::Request::new(None, action(what), resource(on))
                    .with_groups(Arc::from([id])),
                false => policy::Request::new(Some(id), action(what), resource(on))
                    .with_groups(Arc::from(told)),
            }
        }
    };
    let request = request.with_context(context.clone()).at(now);
    policy::decide(snapshot, request, DecisionId::new(0, 0))
}

fn keys(page: &ListPage) -> Vec<(String, String, String, Context)> {
    let cells = page.cells.iter();
    cells
        .map(|cell| {
            let (who, what) = (cell.principal.clone(), cell.action.to_string());
            (who, what, cell.resource.to_string(), cell.context.clone())
        })
        .collect()
}

#[tokio::test]
async fn each_listed_cell_is_what_decide_answers_and_none_is_left_out() {
    let (snapshot, groups) = (compile(&raw().await), groups());
    let everybody = Holder::all(&snapshot, &groups);
    let all = ListQuery::new().limit(10_000);
    let page = policy::list(
        &snapshot,
        &everybody,
        &all.clone().with_denied().in_stages(),
    );
    assert_eq!(page.next, None);
    for cell in &page.cells {
        let on = cell.resource.resource().as_str();
        let cell_asked = (cell.principal.as_str(), cell.action.as_str(), on);
        let decision = ask(&snapshot, &groups, cell_asked, &cell.context);
        assert_eq!(Ruling::of(&decision), cell.ruling(), "{cell:?}");
    }
    let names: BTreeSet<&str> = page.cells.iter().map(|cell| cell.resource.name()).collect();
    for named in [
        "table:raw.loan_applications",
        "table:risk.dbo.loan_scores",
        "secret:scores-kek",
        "output:loan_scores_sql",
        "job:202",
        "model:car_loan_scorer",
        "metadata:Alert_Rules",
        "audit:log",
        "table:raw.*",
        "job:*",
    ] {
        assert!(names.contains(named), "{named} of {names:?}");
    }
    let expected = keys(&page).into_iter().filter(|(who, what, on, context)| {
        let is_plain = !on.contains('*') && *context == Context::new();
        is_plain && ask(&snapshot, &groups, (who, what, on), context).is_allowed()
    });
    let expected: Vec<_> = expected.collect();
    let allowed = policy::list(&snapshot, &everybody, &all);
    let allowed = keys(&allowed);
    let plain: Vec<_> = allowed
        .iter()
        .filter(|(_, _, on, _)| !on.contains('*'))
        .cloned()
        .collect();
    assert_eq!(plain, expected);
    assert!(expected.len() > 100);
}

#[tokio::test]
async fn pages_are_the_list_in_pieces() {
    let (snapshot, groups) = (compile(&raw().await), groups());
    let everybody = Holder::all(&snapshot, &groups);
    let query = ListQuery::new().of_action(Action::TableRead).in_stages();
    let whole = keys(&policy::list(&snapshot, &everybody, &query));
    let mut pieces = Vec::new();
    let mut pages = 0;
    let mut next = query.clone().limit(2);
    loop {
        let page = policy::list(&snapshot, &everybody, &next);
        pieces.extend(keys(&page));
        pages += 1;
        let Some(token) = page.next else { break };
        next = query.clone().limit(2).after(token);
    }
    assert_eq!(pieces, whole);
    assert!(pages > 3);
}

#[tokio::test]
async fn a_job_and_stage_that_would_allow_is_named() {
    let snapshot = compile(&raw().await);
    let holders = [Holder::caller(
        "sp:sp-score-201".parse().unwrap(),
        Arc::from([]),
    )];
    let query = ListQuery::new().of_action(Action::SecretGet);
    assert!(policy::list(&snapshot, &holders, &query).cells.is_empty());
    let page = policy::list(&snapshot, &holders, &query.in_stages());
    let stage = Context::new().with_job(201).with_stage(2);
    let (who, what) = ("sp:sp-score-201".to_owned(), "secret.get".to_owned());
    assert_eq!(
        keys(&page),
        [(who, what, "secret:bureau-api-key".to_owned(), stage)]
    );
    let cell = serde_json::to_value(&page.cells[0]).unwrap();
    assert_eq!(cell["context"], json!({ "job": "201", "stage": "2" }));
    assert_eq!(cell["policies"], json!(["AP-07"]));
}

#[tokio::test]
async fn columns_and_masks_are_told_and_called_limited() {
    let (snapshot, groups) = (compile(&raw().await), groups());
    let query = ListQuery::new()
        .of_action(Action::TableRead)
        .on_resource(resource("table:gold.loan_scores"));
    let page = policy::list(&snapshot, &Holder::all(&snapshot, &groups), &query);
    let limited: Vec<(&str, bool)> = page
        .cells
        .iter()
        .map(|cell| (cell.principal.as_str(), cell.ruling().is_limited()))
        .collect();
    assert_eq!(
        limited,
        [
            ("group:grp-credit-analysts", true),
            ("group:grp-data-engineering", true),
            ("group:grp-data-science", false),
            ("user:elin", true),
            ("user:jonas", true),
            ("user:maya", false),
        ]
    );
    assert_eq!(page.cells[4].ruling().masks["salary_range"], "redact");
}

#[tokio::test]
async fn a_session_lists_what_is_its_own_and_one_effect_stands_for_it() {
    let world = World::new();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    let page = maya.list(&ListQuery::new()).unwrap();
    let may: Vec<String> = page
        .cells
        .iter()
        .map(|cell| format!("{} {}", cell.action, cell.resource))
        .collect();
    assert_eq!(
        may,
        [
            "model.infer model:car_loan_scorer",
            "table.read table:gold.loan_scores"
        ]
    );
    let job = sign_in(&zt, "sp:sp-score-201").await.claiming(201, 2);
    let secrets = job
        .list(&ListQuery::new().of_action(Action::SecretGet))
        .unwrap();
    assert_eq!(secrets.cells.len(), 1, "under what it claims");
    zt.close(Duration::from_secs(5)).await.unwrap();
    let log = audit::tail(world.config().audit_folder(), 100, |entry| {
        matches!(entry.kind.as_str(), "effect" | "decision")
    });
    let log = log.unwrap();
    let told: Vec<(&str, &str, &str)> = log
        .iter()
        .map(|entry| {
            let cells = entry.detail["cells"].as_str();
            (entry.kind.as_str(), entry.action.as_str(), cells)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("effect", "policy.list", "2"),
            ("effect", "policy.list", "1")
        ]
    );
}

#[tokio::test]
async fn what_others_may_and_what_to_claim_needs_policy_explain() {
    let world = World::new();
    let zt = world.open().await;
    let job = sign_in(&zt, "sp:sp-score-201").await;
    let priya = sign_in(&zt, "user:priya").await;
    let key = ListQuery::new()
        .of_action(Action::SecretGet)
        .on_resource(resource("secret:bureau-api-key"));
    for query in [
        key.clone().in_stages(),
        key.clone().with_denied(),
        key.clone()
            .under(Context::new().with_job(201).with_stage(2)),
    ] {
        let refused = job.list(&query).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Denied, "{query:?}");
    }
    assert_eq!(
        job.list_everybody(&key).unwrap_err().kind(),
        ErrorKind::Denied
    );
    let no_resource = ListQuery::new().of_action(Action::SecretGet);
    assert_eq!(
        priya.list_everybody(&no_resource).unwrap_err().kind(),
        ErrorKind::Invalid
    );

    assert!(priya.list_everybody(&key).unwrap().cells.is_empty());
    let page = priya.list_everybody(&key.in_stages()).unwrap();
    assert_eq!(page.cells.len(), 1);
    assert_eq!(page.cells[0].principal, "sp:sp-score-201");
}

#[tokio::test]
async fn a_person_whose_groups_nobody_knows_is_listed_with_denies_on_groups() {
    let world = World::new();
    world.edit(|tables| {
        tables
            + "\n[[Access_Policies]]\nid = \"X-1\"\nprincipal = \"user:elin\"\naction = \"table.read\"\n\
               resource = \"table:raw.loan_applications\"\neffect = \"allow\"\n"
    });
    let zt = world.open().await;
    let priya = sign_in(&zt, "user:priya").await;
    let query = ListQuery::new()
        .of_action(Action::TableRead)
        .on_resource(resource("table:raw.loan_applications"));
    let page = priya.list_everybody(&query).unwrap();
    assert!(
        page.cells.is_empty(),
        "elin may be a data scientist, whom AP-02 refuses"
    );
}

#[tokio::test]
async fn equal_tables_differ_in_nothing_and_without_asking() {
    let raw = raw().await;
    let diff = policy::diff(&compile(&raw), &compile(&raw), &DiffOptions::new());
    assert!(diff.flips.is_empty() && diff.cut.is_none());
    assert_eq!(diff.universe.decided, 0);
}

#[tokio::test]
async fn a_deciding_row_that_goes_shows_up_as_the_cells_that_it_decided() {
    let all: Value =
        serde_json::from_slice(&std::fs::read(sample().join("expected.json")).unwrap()).unwrap();
    let (raw, groups) = (raw().await, groups());
    let old = compile(&raw);
    let options = DiffOptions::new().with_groups(groups);
    let mut found = 0;
    for case in all["decisions"].as_array().unwrap() {
        for row in case["policies"].as_array().unwrap() {
            let row = row.as_str().unwrap();
            let diff = policy::diff(&old, &without(&raw, row), &options);
            assert!(diff.cut.is_none());
            assert_eq!(diff.universe.cells, diff.universe.decided);
            if case["decision"] != "allow" {
                assert!(
                    diff.flips.is_empty(),
                    "an explicit deny becomes a default deny"
                );
                continue;
            }
            let is_case = |flip: &&Flip| {
                let cell = [&flip.principal, &flip.action, &flip.resource];
                let names = ["caller", "action", "resource"].map(|name| case[name].as_str());
                cell.map(|text| Some(text.as_str())) == names
            };
            let is_lost = |flip: &Flip| flip.before.policies == [row] && !flip.after.is_allowed();
            let flips: Vec<&Flip> = diff.flips.iter().filter(is_case).collect();
            assert!(
                !flips.is_empty() && flips.iter().all(|flip| is_lost(flip)),
                "{case}"
            );
            found += 1;
        }
    }
    assert_eq!(found, 8);
}

#[tokio::test]
async fn names_that_no_table_has_and_columns_are_compared_too() {
    let mut raw = raw().await;
    let old = compile(&raw);
    for table in &mut raw.tables {
        for row in &mut table.rows {
            for (name, cell) in &mut row.cells {
                if name == "resource" && *cell == Cell::Text("job:*".to_owned()) {
                    *cell = Cell::Text("job:201".to_owned());
                }
                if *cell == Cell::Text("redact".to_owned()) {
                    *cell = Cell::Text("null".to_owned());
                }
                if let Cell::Map(masks) = cell
                    && let Some((_, mask)) =
                        masks.iter_mut().find(|(name, _)| name == "salary_range")
                {
                    *mask = Cell::Text("null".to_owned());
                }
            }
        }
    }
    let options = DiffOptions::new().with_groups(groups());
    let diff = policy::diff(&old, &compile(&raw), &options);
    let mut jonas: Vec<String> = diff
        .flips
        .iter()
        .filter(|flip| flip.principal == "user:jonas")
        .map(|flip| format!("{} {}", flip.action, flip.resource))
        .collect();
    jonas.dedup();
    assert_eq!(
        jonas,
        [
            "job.run job:*",
            "job.plan job:*",
            "job.run job:202",
            "job.plan job:202",
            "table.read table:gold.loan_scores",
        ]
    );
}

#[tokio::test]
async fn an_author_that_only_a_condition_names_is_tried() {
    let mut raw = raw().await;
    let old = compile(&raw);
    let cells = [
        ("id", "AP-author"),
        ("principal", "user:elin"),
        ("action", "metadata.approve"),
        ("resource", "metadata:Jobs"),
        ("effect", "allow"),
        ("condition", "context.author == \"user:ines\""),
    ];
    let cells = cells.map(|(name, text)| (name.to_owned(), Cell::Text(text.to_owned())));
    raw.push("Access_Policies", RawRow::new(None, cells.into()));
    let diff = policy::diff(&old, &compile(&raw), &DiffOptions::new());
    let ines = Context::new().with_author("user:ines".parse().unwrap());
    assert!(diff.flips.iter().any(|flip| flip.context == ines));
}

/// The sample tables with one more policy for `user:elin` on `metadata:Jobs`.
fn with_policy(raw: &RawTables, cells: &[(&str, &str)]) -> Arc<Snapshot> {
    let mut more = raw.clone();
    let fixed = [
        ("id", "AP-more"),
        ("principal", "user:elin"),
        ("action", "metadata.propose"),
        ("resource", "metadata:Jobs"),
        ("effect", "allow"),
    ];
    let cells = fixed.iter().chain(cells);
    let cells = cells.map(|(name, text)| ((*name).to_owned(), Cell::Text((*text).to_owned())));
    more.push("Access_Policies", RawRow::new(None, cells.collect()));
    compile(&more)
}

#[tokio::test]
async fn a_window_that_moves_is_seen_at_the_moments_between() {
    let raw = raw().await;
    let window = |from: &str, to: &str| {
        let cells = [("valid_from", from), ("valid_to", to)];
        with_policy(&raw, &cells)
    };
    // At the load, the first moment of 1970, neither row applies.
    let old = window("2030-01-01T00:00:00Z", "2030-02-01T00:00:00Z");
    let new = window("2030-01-01T00:00:00Z", "2030-03-01T00:00:00Z");
    let diff = policy::diff(&old, &new, &DiffOptions::new());
    let told: Vec<_> = diff
        .flips
        .iter()
        .map(|flip| {
            (
                flip.principal.as_str(),
                flip.at.unwrap().to_string(),
                flip.grants(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [("user:elin", "2030-02-01T00:00:00.000Z".to_owned(), true)]
    );
    assert!(
        diff.universe
            .untried
            .iter()
            .all(|name| !name.starts_with("valid_"))
    );
    let back = policy::diff(&new, &old, &DiffOptions::new());
    assert_eq!((back.flips.len(), back.flips[0].grants()), (1, false));
}

#[tokio::test]
async fn a_moment_of_a_condition_is_tried_like_a_window() {
    let raw = raw().await;
    let until = |condition: &str| with_policy(&raw, &[("condition", condition)]);
    let old = until("time.now > '2030-01-01T00:00:00Z'");
    let new = until("time.now >= '2030-01-01T00:00:00Z'");
    let diff = policy::diff(&old, &new, &DiffOptions::new());
    let at: BTreeSet<String> = diff
        .flips
        .iter()
        .map(|flip| flip.at.unwrap().to_string())
        .collect();
    assert_eq!(at, BTreeSet::from(["2030-01-01T00:00:00.000Z".to_owned()]));
    assert!(
        diff.universe.untried.is_empty(),
        "{:?}",
        diff.universe.untried
    );
}

#[tokio::test]
async fn what_no_moment_and_no_author_stands_for_is_named() {
    let raw = raw().await;
    let old = compile(&raw);
    for (condition, untried) in [
        ("context.author startsWith 'user:m'", "author"),
        ("context.author like 'sp:*'", "author"),
        ("time.hour_utc < 8", "time.hour_utc"),
    ] {
        let new = with_policy(&raw, &[("condition", condition)]);
        let diff = policy::diff(&old, &new, &DiffOptions::new());
        assert_eq!(diff.universe.untried, [untried], "{condition}");
    }
}

#[tokio::test]
async fn a_role_that_changes_hands_shows_up_though_no_policy_changed() {
    let mut raw = raw().await;
    let old = compile(&raw);
    let text = |text: &str| Cell::Text(text.to_owned());
    for table in &mut raw.tables {
        let held = table
            .rows
            .iter_mut()
            .filter(|row| row.cell("role") == Some(&text("risk_officer")));
        for (_, cell) in held.flat_map(|row| &mut row.cells) {
            if *cell == text("group:grp-credit-risk") {
                *cell = text("group:grp-security");
            }
        }
    }
    let diff = policy::diff(&old, &compile(&raw), &DiffOptions::new());
    let moved: Vec<(&str, &str)> = diff
        .flips
        .iter()
        .map(|flip| (flip.principal.as_str(), flip.action.as_str()))
        .collect();
    assert_eq!(
        moved,
        [
            ("group:grp-credit-risk", "data.open"),
            ("group:grp-security", "data.open"),
        ]
    );
}

#[tokio::test]
async fn a_universe_that_is_cut_says_where() {
    let raw = raw().await;
    let (old, new) = (compile(&raw), without(&raw, "AP-20"));
    let whole = policy::diff(&old, &new, &DiffOptions::new());
    let cut = policy::diff(&old, &new, &DiffOptions::new().most_cells(7));
    assert_eq!(cut.universe.decided, 7);
    assert_eq!(cut.universe.cells, whole.universe.cells);
    assert_eq!(cut.cut.as_ref().unwrap().bound, "cells");
    let few = policy::diff(&old, &new, &DiffOptions::new().most_flips(1));
    assert_eq!(few.flips, whole.flips[..1]);
    assert_eq!(few.cut.unwrap().bound, "flips");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_reported_cell_flips_and_no_cell_that_flips_is_missed(one in policies(), other in policies()) {
        let (old, new, nobody) = (snapshot(&one), snapshot(&other), GroupsOf::new());
        let diff = policy::diff(&old, &new, &DiffOptions::new());
        prop_assert!(diff.cut.is_none());
        for flip in &diff.flips {
            let on = flip.resource.replace('*', "other-0");
            let cell = (flip.principal.as_str(), flip.action.as_str(), on.as_str());
            let now = flip.at.unwrap_or_else(|| old.loaded_at());
            let [before, after] = [&old, &new].map(|tables| Ruling::of(&ask_at(tables, &nobody, cell, &flip.context, now)));
            prop_assert!(!before.grants_the_same(&after));
            prop_assert_eq!([&before, &after], [&flip.before, &flip.after]);
        }
        let jobs = [None, Some(1), Some(2), Some(77)];
        // Windows are tried at all moments that matter, the time of day only where it is not named.
        let by_day = diff.universe.untried.iter().any(|name| name == "time.hour_utc");
        let hours: &[i64] = if by_day { &[0] } else { &[0, 12, 20] };
        let resources = RESOURCES.into_iter().chain(["table:raw.z", "table:new.a.b"]);
        for (who, on) in resources.flat_map(|on| CALLERS.map(|who| (who, on))) {
            let what = if on.starts_with("secret") { "secret.get" } else { "table.read" };
            for (job, hour) in jobs.into_iter().flat_map(|job| hours.iter().map(move |hour| (job, hour))) {
                let context = job.map_or(Context::new(), |job| Context::new().with_job(job));
                let now = Timestamp::from_secs(hour * 3_600);
                let [before, after] = [&old, &new].map(|tables| Ruling::of(&ask_at(tables, &nobody, (who, what, on), &context, now)));
                let is_like = |flip: &Flip| {
                    let is_named = flip.resource == on || flip.resource.contains('*');
                    let is_asked = flip.principal == who && flip.action == what && is_named;
                    is_asked && flip.before.grants_the_same(&before) && flip.after.grants_the_same(&after)
                };
                let is_found = diff.flips.iter().any(is_like);
                prop_assert!(before.grants_the_same(&after) || is_found, "{who} {what} {on} {context:?} {hour}");
            }
        }
    }

    #[test]
    fn equal_rows_in_another_order_differ_in_nothing(rows in policies()) {
        let reversed: Vec<_> = rows.iter().rev().copied().collect();
        let diff = policy::diff(&snapshot(&rows), &snapshot(&reversed), &DiffOptions::new());
        prop_assert!(diff.flips.is_empty());
    }
}

fn entry(caller: &str, what: &str, on: &str, outcome: &str) -> Value {
    json!({ "seq": 1, "kind": "decision", "at": "2026-09-21T14:13:20.000Z", "outcome": outcome,
            "caller": caller, "action": what, "resource": on, "decision": "d-1" })
}

fn replay(entries: &[Value], draft: &Arc<Snapshot>) -> Replayed {
    let mut replay = Replay::new();
    for entry in entries {
        replay.add(&serde_json::from_value::<Entry>(entry.clone()).unwrap());
    }
    replay.on(draft, &groups())
}

#[tokio::test]
async fn a_real_log_flips_on_a_draft_alone_and_nothing_of_it_is_unreadable() {
    let world = World::new().with_secret("bureau-api-key").await;
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    let job = sign_in(&zt, "sp:sp-score-201").await.claiming(201, 2);
    assert!(
        maya.check("table.read", "table:gold.loan_scores")
            .unwrap()
            .is_allowed()
    );
    assert!(
        !maya
            .check("table.read", "table:raw.loan_applications")
            .unwrap()
            .is_allowed()
    );
    for _ in 0..3 {
        let _secret = job.secret("bureau-api-key").await.unwrap();
    }
    let jonas = sign_in(&zt, "user:jonas").await;
    assert!(jonas.plan(201).unwrap().is_runnable());
    zt.close(Duration::from_secs(5)).await.unwrap();

    let raw = raw().await;
    let decide = |draft: &Arc<Snapshot>| {
        let mut replay = Replay::new();
        let unreadable = audit::each(world.config().audit_folder(), |entry| replay.add(&entry));
        assert_eq!(unreadable.unwrap(), 0);
        replay.on(draft, &groups())
    };
    let same = decide(&compile(&raw));
    assert!(
        same.flips.is_empty() && same.left_out.is_empty(),
        "{same:?}"
    );
    assert_eq!((same.entries, same.replayed, same.questions), (6, 6, 4));
    assert_eq!(same.assumed_groups["user:maya"], ["group:grp-data-science"]);
    assert!(same.assumed_groups["sp:sp-score-201"].is_empty());

    let flips = decide(&without(&raw, "AP-07")).flips;
    assert_eq!(flips.len(), 1);
    let flip = &flips[0];
    assert_eq!((flip.caller.as_str(), flip.times), ("sp:sp-score-201", 3));
    assert_eq!(flip.context, Context::new().with_job(201).with_stage(2));
    assert_eq!(
        (flip.recorded.as_str(), &flip.recorded_policies[..]),
        ("ok", &["AP-07".to_owned()][..])
    );
    assert!(flip.first <= flip.last && flip.first.ends_with('Z'));
    assert_eq!(decide(&without(&raw, "AP-24")).flips[0].action, "job.plan");
}

#[tokio::test]
async fn what_cannot_be_asked_again_is_counted_and_named() {
    let mut refused = entry(
        "user:maya",
        "table.read",
        "table:gold.loan_scores",
        "refused",
    );
    refused["kind"] = json!("counted");
    refused["of"] = json!("decision");
    refused["count"] = json!(5);
    let mut fact = entry("user:maya", "table.read", "table:gold.loan_scores", "allow");
    fact["facts"] = json!([{ "name": "zone", "value": "private", "provenance": "asserted" }]);
    let mut no_decision = entry("user:maya", "policy.list", "*", "ok");
    no_decision["kind"] = json!("effect");
    no_decision.as_object_mut().unwrap().remove("decision");
    let entries = [
        entry("user:maya", "table.drop", "table:gold.loan_scores", "allow"),
        entry("user:maya", "table.read", "gold.loan_scores", "allow"),
        entry("user:maya", "table.read", "job:201", "allow"),
        refused,
        fact,
        no_decision,
        entry("user:maya", "table.read", "table:gold.loan_scores", "allow"),
    ];
    let found = replay(&entries, &compile(&raw().await));
    assert_eq!(
        (found.entries, found.replayed, found.flips.len()),
        (10, 1, 0)
    );
    let left: Vec<(&str, u64)> = found
        .left_out
        .iter()
        .map(|left| (left.reason.as_str(), left.times))
        .collect();
    assert_eq!(
        left,
        [
            ("`table.read` does not take a job", 1),
            (
                "not a resource: expected `kind:path`, such as `table:gold.loan_scores`",
                1
            ),
            ("refused for another reason than policy", 5),
            ("unknown action `table.drop`", 1),
            ("unknown fact `zone`", 1),
        ]
    );
}

#[tokio::test]
async fn a_renamed_caller_is_found_by_its_object_id_and_a_lost_one_matches_everybody_alone() {
    let mut renamed = entry(
        "user:maya-old",
        "model.infer",
        "model:car_loan_scorer",
        "allow",
    );
    renamed["oid"] = json!("b0000000-0000-4000-8000-000000000002");
    let lost = entry("user:gone", "model.infer", "model:car_loan_scorer", "allow");
    let found = replay(&[renamed, lost], &compile(&raw().await));
    assert_eq!(found.unknown_callers, ["user:gone"]);
    assert_eq!(found.flips.len(), 1);
    assert_eq!(found.flips[0].caller, "user:gone");
}

const DESCRIBED: &str = r#"
    [[Attributes]]
    namespace = "resource"
    name = "classification"
    type = "enum"
    values = ["public", "pii"]
    provenance = "store"
    [[Attributes]]
    namespace = "principal"
    name = "department"
    type = "text"
    provenance = "token"
    [[Resources]]
    resource = "table:lab.open.people"
    attributes = { classification = "pii" }
    [[Resources]]
    resource = "table:lab.shut.**"
    attributes = { classification = "pii" }
    [[Access_Policies]]
    id = "AP-90"
    principal = "role:data_scientist"
    action = "table.read"
    resource = "table:lab.**"
    effect = "allow"
    condition = "resource.classification == 'public' or principal.department == 'fraud'"
"#;

async fn described(change: impl FnOnce(String) -> String) -> Arc<Snapshot> {
    let world = World::new();
    world.edit(|tables| format!("{tables}\n{}\n", change(DESCRIBED.to_owned())));
    compile(&runtime::read_tables(world.tables()).await.unwrap())
}

#[tokio::test]
async fn what_the_tables_say_of_a_resource_is_tried_and_what_a_token_says_is_named() {
    let old = described(|tables| tables).await;
    let new = described(|tables| tables.replace("= \"pii\"", "= \"public\"")).await;
    let diff = policy::diff(&old, &new, &DiffOptions::new().with_groups(groups()));
    let flipped: BTreeSet<&str> = diff
        .flips
        .iter()
        .filter(|flip| flip.principal == "user:maya" && flip.grants())
        .map(|flip| flip.resource.as_str())
        .collect();
    let expected = [
        "table:lab.open.people",
        "table:lab.shut",
        "table:lab.shut.*",
        "table:lab.shut.*.*",
    ];
    assert_eq!(flipped, BTreeSet::from(expected));
    let untried = &diff.universe.untried;
    let names = |name: &str| untried.iter().any(|untried| untried == name);
    assert!(
        names("principal.department") && !names("resource.classification"),
        "{untried:?}"
    );
}

#[tokio::test]
async fn a_replay_asks_with_what_the_token_said_and_the_draft_says_the_rest_anew() {
    let draft = described(|tables| tables).await;
    let asked = |on: &str, outcome: &str, facts: Value| {
        let mut asked = entry("user:maya", "table.read", on, outcome);
        asked["facts"] = facts;
        asked
    };
    let token = |value: &str| {
        json!([
            { "name": "principal.department", "value": value, "provenance": "token" },
            { "name": "resource.classification", "value": "\"public\"", "provenance": "store" },
            { "name": "principal.level", "value": "3", "provenance": "token" },
        ])
    };
    let found = replay(
        &[
            asked("table:lab.open.people", "allow", token("\"fraud\"")),
            asked("table:lab.open.people", "allow", token("\"credit\"")),
            asked("table:lab.open.people", "allow", token("[secret]")),
        ],
        &draft,
    );
    assert_eq!(
        (found.questions, found.replayed, found.flips.len()),
        (2, 2, 1)
    );
    assert_eq!(found.left_out.len(), 1);
    assert_eq!(
        found.left_out[0].reason,
        "the value of `principal.department` is not in the log"
    );
}
