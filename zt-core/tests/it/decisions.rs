//! The decisions of `expected.json`: the same file that Rust, Python and C read.

use std::sync::Arc;

use serde_json::Value;
use zt_core::adapters::file::FileTables;
use zt_core::clock::Timestamp;
use zt_core::id::PolicyId;
use zt_core::metadata::{Cell, MetadataSource, RawTables, Snapshot};
use zt_core::policy::{self, Columns, Context, Decision, DecisionId, DecisionKind, Request};

use crate::world::{World, sample, sign_in};

fn expected() -> Value {
    serde_json::from_slice(&std::fs::read(sample().join("expected.json")).unwrap()).unwrap()
}

fn context(case: &Value) -> Context {
    let number = |name: &str| {
        case["context"][name]
            .as_u64()
            .map(|n| u32::try_from(n).unwrap())
    };
    let mut context = Context::new();
    if let Some(job) = number("job") {
        context = context.with_job(job);
    }
    if let Some(stage) = number("stage") {
        context = context.with_stage(stage);
    }
    if let Some(author) = case["context"]["author"].as_str() {
        context = context.with_author(author.parse().unwrap());
    }
    context
}

async fn raw() -> RawTables {
    FileTables::new(sample().join("brindlewick.toml"))
        .load()
        .await
        .unwrap()
}

fn compile(raw: &RawTables) -> Arc<Snapshot> {
    Arc::new(Snapshot::compile(raw, 1, Timestamp::from_millis(0)).unwrap())
}

fn request(case: &Value, all: &Value) -> Request {
    let caller = case["caller"].as_str().unwrap();
    let groups = all["groups"][caller]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let groups: Vec<_> = groups
        .iter()
        .map(|id| id.as_str().unwrap().parse().unwrap())
        .collect();
    let action = case["action"].as_str().unwrap().parse().unwrap();
    let resource = case["resource"].as_str().unwrap().parse().unwrap();
    Request::new(Some(caller.parse().unwrap()), action, resource)
        .with_groups(Arc::from(groups))
        .with_context(context(case))
}

fn decide(snapshot: &Arc<Snapshot>, request: Request) -> Decision {
    policy::decide(snapshot, request, DecisionId::new(0, 0))
}

#[tokio::test]
async fn the_17_decisions_and_their_rows_come_out() {
    let (all, snapshot) = (expected(), compile(&raw().await));
    let cases = all["decisions"].as_array().unwrap();
    assert_eq!(cases.len(), 17);
    for case in cases {
        let decision = decide(&snapshot, request(case, &all));
        let rows: Vec<&str> = decision.policies().map(PolicyId::as_str).collect();
        assert_eq!(decision.kind().as_str(), case["decision"], "{case}");
        assert_eq!(serde_json::json!(rows), case["policies"], "{case}");
    }
}

#[tokio::test]
async fn without_its_deciding_row_each_becomes_a_default_deny() {
    let (all, raw) = (expected(), raw().await);
    let mut flipped = 0;
    for case in all["decisions"].as_array().unwrap() {
        for row in case["policies"].as_array().unwrap() {
            let id = Cell::Text(row.as_str().unwrap().to_owned());
            let mut without = raw.clone();
            let mut removed = 0;
            for table in without
                .tables
                .iter_mut()
                .filter(|table| table.name == "Access_Policies")
            {
                let before = table.rows.len();
                table.rows.retain(|row| row.cell("id") != Some(&id));
                removed += before - table.rows.len();
            }
            assert_eq!(removed, 1);
            let decision = decide(&compile(&without), request(case, &all));
            assert_eq!(decision.kind(), DecisionKind::DefaultDeny, "{case}");
            flipped += 1;
        }
    }
    assert_eq!(flipped, 9);
}

#[tokio::test]
async fn the_visible_columns_come_out() {
    let world = World::new();
    let zt = world.open().await;
    for case in expected()["visible_columns"].as_array().unwrap() {
        let session = sign_in(&zt, case["caller"].as_str().unwrap()).await;
        let permit = session
            .require("table.read", case["resource"].as_str().unwrap())
            .unwrap();
        let visible: Vec<String> = serde_json::from_value(case["visible"].clone()).unwrap();
        assert_eq!(*permit.columns(), Columns::Only(visible));
        assert!(!permit.columns().contains("y_pred_proba"));
    }
}

#[tokio::test]
async fn verified_tokens_give_the_same_17_decisions() {
    let world = World::new();
    let zt = world.open().await;
    for case in expected()["decisions"].as_array().unwrap() {
        let session = sign_in(&zt, case["caller"].as_str().unwrap()).await;
        let (action, resource) = (
            case["action"].as_str().unwrap(),
            case["resource"].as_str().unwrap(),
        );
        let decision = session.check_in(action, resource, context(case)).unwrap();
        assert_eq!(decision.kind().as_str(), case["decision"], "{case}");
    }
}

#[tokio::test]
async fn a_near_miss_says_what_is_and_what_is_needed() {
    let (all, snapshot) = (expected(), compile(&raw().await));
    let explanation = |caller: &str, action: &str, resource: &str, context: Value| {
        let case = serde_json::json!({
            "caller": caller, "action": action, "resource": resource, "context": context,
        });
        policy::explain(&decide(&snapshot, request(&case, &all)))
    };
    let near = |explanation: &policy::Explanation| explanation.near_misses[0].to_string();

    let stage = explanation(
        "sp:sp-score-201",
        "secret.get",
        "secret:bureau-api-key",
        serde_json::json!({ "job": 201, "stage": 1 }),
    );
    assert_eq!(near(&stage), "AP-07 would allow: stage is 1, needs 2");
    assert_eq!(stage.near_misses.len(), 1);

    let unknown = explanation(
        "sp:sp-score-201",
        "secret.get",
        "secret:bureau-api-key",
        serde_json::json!({}),
    );
    assert_eq!(
        near(&unknown),
        "AP-07 would allow: job is unknown, needs 201; stage is unknown, needs 2"
    );

    let person = explanation(
        "user:maya",
        "data.open",
        "output:loan_scores_delta",
        serde_json::json!({}),
    );
    assert_eq!(
        near(&person),
        "AP-16 would allow: caller is not role:risk_officer"
    );

    let resource = explanation(
        "sp:mi-adf-brindlewick",
        "job.run",
        "job:202",
        serde_json::json!({}),
    );
    assert!(resource.near_misses.iter().any(|miss| {
        miss.to_string() == "AP-06 would allow: resource is job:202, needs job:201"
    }));

    let author = explanation(
        "user:priya",
        "metadata.approve",
        "metadata:Access_Policies",
        serde_json::json!({ "author": "user:priya" }),
    );
    assert_eq!(
        near(&author),
        "AP-11 would allow: author is user:priya, needs someone else than the caller"
    );
}

#[tokio::test]
async fn an_unknown_never_disarms_a_deny_and_the_explanation_says_so() {
    let mut raw = raw().await;
    for table in raw
        .tables
        .iter_mut()
        .filter(|table| table.name == "Access_Policies")
    {
        for row in table
            .rows
            .iter_mut()
            .filter(|row| row.cell("id") == Some(&Cell::Text("AP-02".to_owned())))
        {
            row.cells.push((
                "when".to_owned(),
                Cell::Map(vec![("job".to_owned(), Cell::Integer(7))]),
            ));
        }
    }
    let (all, snapshot) = (expected(), compile(&raw));
    let ask = |context: Value| {
        let case = serde_json::json!({
            "caller": "user:maya", "action": "table.read",
            "resource": "table:raw.loan_applications", "context": context,
        });
        decide(&snapshot, request(&case, &all))
    };
    let unknown = ask(serde_json::json!({}));
    assert_eq!(unknown.kind(), DecisionKind::ExplicitDeny);
    assert_eq!(policy::explain(&unknown).unknown, ["job"]);
    assert!(
        policy::explain(&unknown)
            .to_string()
            .contains("unknown, so the deny stands: job")
    );
    assert_eq!(
        ask(serde_json::json!({ "job": 8 })).kind(),
        DecisionKind::DefaultDeny
    );
}

#[tokio::test]
async fn too_many_groups_to_name_grant_nothing_and_disarm_no_deny() {
    let snapshot = compile(&raw().await);
    let ask = |caller: &str, action: &str, resource: &str| {
        let caller = Some(caller.parse().unwrap());
        let request = Request::new(caller, action.parse().unwrap(), resource.parse().unwrap());
        decide(&snapshot, request.with_incomplete_groups())
    };
    let granted_by_group = ask("user:maya", "model.infer", "model:car_loan_scorer");
    assert_eq!(granted_by_group.kind(), DecisionKind::DefaultDeny);
    let denied_by_group = ask("user:maya", "table.read", "table:raw.loan_applications");
    assert_eq!(denied_by_group.kind(), DecisionKind::ExplicitDeny);
    assert_eq!(policy::explain(&denied_by_group).unknown, ["groups"]);
    let granted_to_itself = ask("sp:mi-adf-brindlewick", "job.run", "job:201");
    assert_eq!(granted_to_itself.kind(), DecisionKind::Allow);
}
