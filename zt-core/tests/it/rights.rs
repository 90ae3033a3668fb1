//! What bounds a right: groups of groups, roles in one place and for a while, activations; and what an allow asks for.

use std::sync::Arc;
use std::time::Duration;

use zt_core::batch::{Batch, Cells, Column};
use zt_core::clock::{Clock as _, SystemClock, Timestamp};
use zt_core::id::PolicyId;
use zt_core::policy::{Action, AuditLevel, Decision, DecisionKind, Mask};
use zt_core::runtime::{Runtime, RuntimeBuilder};
use zt_core::testing::ManualClock;
use zt_core::{Code, Session, audit};

use crate::world::{World, sign_in, token};

const SCORES: &str = "table:gold.loan_scores";

/// The sample world with more rows.
fn world_with(rows: &str) -> World {
    let world = World::new();
    world.edit(|tables| format!("{tables}\n{rows}\n"));
    world
}

fn kind(session: &Session, action: &str, resource: &str) -> DecisionKind {
    session.check(action, resource).unwrap().kind()
}

fn by(decision: &Decision) -> Vec<&str> {
    decision.policies().map(PolicyId::as_str).collect()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A runtime and somebody who has signed in, after which the clock jumps to a moment and stands there.
async fn signed_in_at(world: &World, who: &str, now: &str) -> (Arc<ManualClock>, Runtime, Session) {
    let clock = Arc::new(ManualClock::new(SystemClock::new().now()));
    let builder = RuntimeBuilder::new(world.config()).with_clock(Arc::clone(&clock) as _);
    let zt = builder.open().await.unwrap();
    let session = sign_in(&zt, who).await;
    clock.jump_to(at(now));
    (clock, zt, session)
}

#[tokio::test]
async fn a_row_of_many_principals_actions_and_resources_speaks_of_each_of_them() {
    let world = world_with(
        r#"
        [[Access_Policies]]
        id = "AP-90"
        principal = ["user:priya", "role:analyst"]
        action = ["table.read", "table.write"]
        resource = ["table:lab.**", "table:gold.notes"]
        effect = "allow""#,
    );
    let zt = world.open().await;
    for who in ["user:priya", "user:elin"] {
        let session = sign_in(&zt, who).await;
        for action in ["table.read", "table.write"] {
            for resource in ["table:lab.a.b", "table:gold.notes"] {
                assert_eq!(kind(&session, action, resource), DecisionKind::Allow);
            }
        }
        assert!(kind(&session, "table.read", "table:gold.other") != DecisionKind::Allow);
    }
    let maya = sign_in(&zt, "user:maya").await;
    assert!(kind(&maya, "table.read", "table:lab.a") != DecisionKind::Allow);
}

#[tokio::test]
async fn whoever_is_in_a_group_is_in_the_groups_of_that_group_too() {
    let rows = r#"
        [[Principals]]
        id = "group:everybody"
        oid = "a0000000-0000-4000-8000-0000000000f1"
        [[Principals]]
        id = "group:staff"
        oid = "a0000000-0000-4000-8000-0000000000f2"
        [[Memberships]]
        member = "group:grp-data-science"
        group = "group:staff"
        [[Memberships]]
        member = "group:staff"
        group = "group:everybody"
        [[Access_Policies]]
        id = "AP-90"
        principal = "group:everybody"
        action = "table.read"
        resource = "table:canteen.menu"
        effect = "allow""#;
    let world = world_with(rows);
    let zt = world.open().await;
    let (maya, elin) = (
        sign_in(&zt, "user:maya").await,
        sign_in(&zt, "user:elin").await,
    );
    assert_eq!(
        kind(&maya, "table.read", "table:canteen.menu"),
        DecisionKind::Allow
    );
    assert_eq!(
        kind(&elin, "table.read", "table:canteen.menu"),
        DecisionKind::DefaultDeny
    );
    // One link less, and she is in no such group any more.
    world.edit(|tables| tables.replacen("member = \"group:staff\"", "member = \"user:elin\"", 1));
    zt.reload().await.unwrap();
    assert_eq!(
        kind(&maya, "table.read", "table:canteen.menu"),
        DecisionKind::DefaultDeny
    );
    assert_eq!(
        kind(&elin, "table.read", "table:canteen.menu"),
        DecisionKind::Allow
    );
}

#[tokio::test]
async fn a_role_counts_in_its_scope_and_in_its_time_alone() {
    let world = world_with(
        r#"
        [[Role_Bindings]]
        role = "data_engineer"
        principal = "user:elin"
        scope = ["table:lab.**", "job:202"]
        valid_from = "2026-10-01T08:00:00Z"
        valid_to = "2026-10-01T10:00:00Z"
        [[Access_Policies]]
        id = "AP-90"
        principal = "role:data_engineer"
        action = "table.read"
        resource = "table:**"
        effect = "allow""#,
    );
    let (clock, _zt, elin) = signed_in_at(&world, "user:elin", "2026-10-01T07:30:00Z").await;
    let job = |number| kind(&elin, "job.run", &format!("job:{number}"));
    assert_eq!(job(202), DecisionKind::DefaultDeny);
    let early = elin.check("table.read", "table:lab.x").unwrap();
    assert_eq!(early.lease(), Some(at("2026-10-01T08:00:00Z")));
    clock.jump_to(at("2026-10-01T08:00:00Z"));
    assert_eq!(job(202), DecisionKind::Allow);
    assert_eq!(job(201), DecisionKind::DefaultDeny);
    assert_eq!(
        kind(&elin, "table.read", "table:lab.x"),
        DecisionKind::Allow
    );
    assert_eq!(
        kind(&elin, "table.read", "table:other.x"),
        DecisionKind::DefaultDeny
    );
    let now = elin.check("table.read", "table:lab.x").unwrap();
    assert_eq!(now.lease(), Some(at("2026-10-01T10:00:00Z")));
    let held = |resource: &str| {
        let decision = elin.check("table.read", resource).unwrap();
        let holds = zt_core::policy::explain(&decision).holds;
        holds.contains(&"role:data_engineer".to_owned())
    };
    assert!(held("table:lab.x") && !held("table:other.x"));
}

const JIT: &str = r#"
    [[Access_Policies]]
    id = "AP-90"
    kind = "jit"
    principal = "role:data_scientist"
    action = "table.read"
    resource = "table:incident.**"
    effect = "allow"
    [[Policy_Activations]]
    policy = "AP-90"
    principal = "user:maya"
    from = "2026-10-01T08:00:00Z"
    to = "2026-10-01T10:00:00Z"
    reason = "duplicate applications"
    ticket = "INC-4711"
    approver = "user:priya""#;

#[tokio::test]
async fn a_just_in_time_right_begins_and_ends_by_itself_and_says_why_it_was_given() {
    let world = world_with(JIT);
    let (clock, zt, maya) = signed_in_at(&world, "user:maya", "2026-10-01T07:59:59Z").await;
    let read = || maya.check("table.read", "table:incident.x").unwrap();
    assert_eq!(read().kind(), DecisionKind::DefaultDeny);
    let missed = zt_core::policy::explain(&read())
        .near_misses
        .remove(0)
        .to_string();
    assert_eq!(missed, "AP-90 would allow: row is not activated (jit)");
    clock.jump_to(at("2026-10-01T08:00:00Z"));
    assert_eq!(by(&read()), ["AP-90"]);
    assert_eq!(read().lease(), Some(at("2026-10-01T10:00:00Z")));
    let told = zt_core::policy::explain(&read()).activations;
    assert_eq!(
        told,
        [
            "AP-90 for user:maya until 2026-10-01T10:00:00.000Z: duplicate applications (INC-4711, approved by user:priya)"
        ]
    );
    clock.jump_to(at("2026-10-01T10:00:00Z"));
    assert_eq!(read().kind(), DecisionKind::DefaultDeny);
    zt.clone().close(Duration::from_secs(5)).await.unwrap();
    let log = audit::tail(zt.audit_folder(), 100, |_| true).unwrap();
    let allowed = log
        .iter()
        .find(|entry| entry.outcome == "allow" && entry.action == "table.read");
    assert!(allowed.unwrap().detail["activations"].contains("INC-4711"));
}

#[tokio::test]
async fn an_activation_is_for_its_principal_and_for_nobody_else_with_the_role() {
    let other = JIT.replace("principal = \"user:maya\"", "principal = \"user:jonas\"");
    let world = world_with(&other);
    // Maya has the role and no activation, Jonas the activation and not the role.
    for who in ["user:maya", "user:jonas"] {
        let (_, _zt, session) = signed_in_at(&world, who, "2026-10-01T09:00:00Z").await;
        assert_eq!(
            kind(&session, "table.read", "table:incident.x"),
            DecisionKind::DefaultDeny
        );
    }
}

#[tokio::test]
async fn what_is_done_by_breaking_the_glass_is_on_disk_each_time() {
    let rows = JIT
        .replace("kind = \"jit\"", "kind = \"break_glass\"")
        .replace("approver = \"user:priya\"", "");
    let world = world_with(&rows);
    let (_, zt, maya) = signed_in_at(&world, "user:maya", "2026-10-01T09:00:00Z").await;
    for _ in 0..5 {
        let decision = maya.check("table.read", "table:incident.x").unwrap();
        assert_eq!(decision.obligations().audit, AuditLevel::Durable);
    }
    // Not closed, not flushed: what is durable is there.
    let is_it = |entry: &audit::Entry| entry.resource == "table:incident.x";
    let log = audit::tail(zt.audit_folder(), 100, is_it).unwrap();
    assert_eq!(log.len(), 5);
    assert!(log.iter().all(|entry| entry.kind == "decision"));
}

fn restrict(more: &str) -> String {
    format!(
        r#"
        [[Access_Policies]]
        id = "AP-91"
        principal = "*"
        action = "table.read"
        resource = "table:gold.**"
        effect = "restrict"
        {more}"#
    )
}

fn scores(rows: usize) -> Batch {
    let text = |value: &str| Cells::Text(vec![Some(value.to_owned()); rows]);
    Batch::new(vec![
        Column::new("id", Cells::Integer(vec![Some(1); rows])),
        Column::new("salary_range", text("20K - 40K")),
        Column::new("y_pred_proba", Cells::Number(vec![Some(0.5); rows])),
    ])
    .unwrap()
}

#[tokio::test]
async fn a_restriction_grants_nothing_and_binds_every_allow() {
    let world = world_with(&restrict("masks = { SALARY_RANGE = \"null\" }"));
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    let decision = maya.check("table.read", SCORES).unwrap();
    assert_eq!(by(&decision), ["AP-03"]);
    let under: Vec<&str> = decision.restrictions().map(PolicyId::as_str).collect();
    assert_eq!(under, ["AP-91"]);
    assert_eq!(decision.masks().of("salary_range"), Some(Mask::Null));
    let seen = maya
        .require("table.read", SCORES)
        .unwrap()
        .apply(&scores(2))
        .unwrap();
    assert!(*seen.column("salary_range").unwrap().cells() == Cells::Text(vec![None, None]));
    let priya = sign_in(&zt, "user:priya").await;
    assert_eq!(
        kind(&priya, "table.read", SCORES),
        DecisionKind::DefaultDeny
    );
}

#[tokio::test]
async fn a_restriction_stands_when_a_fact_is_unknown() {
    let condition = "masks = { salary_range = \"redact\" }\nwhen = { job = 7 }";
    let world = world_with(&restrict(condition));
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    let mask = |session: &Session| {
        let decision = session.check("table.read", SCORES).unwrap();
        decision.masks().of("salary_range")
    };
    assert_eq!(mask(&maya), Some(Mask::Redact), "nobody said which job");
    assert_eq!(mask(&maya.claiming(7, 1)), Some(Mask::Redact));
    assert_eq!(mask(&maya.claiming(8, 1)), None);
}

#[tokio::test]
async fn more_rows_than_may_be_shown_are_an_error_and_not_a_part_of_them() {
    let rows = format!(
        "{}\n{}",
        restrict("obligations = { max_rows = 3 }"),
        restrict("obligations = { max_rows = 2 }").replace("AP-91", "AP-92")
    );
    let world = world_with(&rows);
    let zt = world.open().await;
    let permit = sign_in(&zt, "user:maya")
        .await
        .require("table.read", SCORES)
        .unwrap();
    assert_eq!(permit.obligations().max_rows, Some(2), "the least of both");
    assert_eq!(permit.apply(&scores(2)).unwrap().rows(), 2);
    let error = permit.apply(&scores(3)).unwrap_err();
    assert_eq!(error.code(), Code::ObligationUnmet);
    assert!(error.is_denied() && error.http_status() == 403);
    let expected = "3 rows, and at most 2 may be shown at once (AP-91, AP-92)";
    assert_eq!(error.message(), expected);
    assert!(
        error
            .public_message()
            .starts_with("access denied, decision ")
    );
}

#[tokio::test]
async fn what_must_be_sealed_is_not_shown_in_plain() {
    let world = World::new().with_key("scores-kek").await;
    let rule = "obligations = { encrypt = \"ER-01\" }";
    let more = restrict(rule)
        .replace("table.read", "*")
        .replace("table:gold.**", "**");
    let more = more.replace(
        "action = \"*\"",
        "action = [\"table.read\", \"data.seal\", \"data.open\"]",
    );
    let more = more.replace(
        "resource = \"**\"",
        "resource = [\"table:gold.**\", \"output:*\"]",
    );
    world.edit(|tables| format!("{tables}\n{more}\n"));
    let zt = world.open().await;
    let jonas = sign_in(&zt, "user:maya").await;
    let permit = jonas.require("table.read", SCORES).unwrap();
    let error = permit.apply(&scores(1)).unwrap_err();
    assert_eq!(error.code(), Code::ObligationUnmet);
    assert!(error.message().contains("stands in plain"), "{error}");
    // Sealed under that rule, the same rows may be shown as they are.
    let sealer = sign_in(&zt, "sp:sp-score-201").await.claiming(201, 2);
    let rows = Batch::from_csv(
        &b"id,salary_range,debt_to_income_ratio,y_pred_proba,y_pred,scored_at\n1,a,0.1,0.2,1,x\n"[..],
    );
    let sealed = sealer
        .sealer("loan_scores_delta")
        .await
        .unwrap()
        .seal(&rows.unwrap())
        .unwrap();
    assert!(permit.apply(&sealed).is_ok());
    // And nobody opens what must stay sealed.
    let ines = sign_in(&zt, "user:ines").await;
    let error = ines.opener("loan_scores_delta", &sealed).await.unwrap_err();
    assert_eq!(error.code(), Code::ObligationUnmet);
    assert!(
        error.message().contains("must not be shown in plain"),
        "{error}"
    );
}

#[tokio::test]
async fn durable_decisions_are_written_and_not_counted() {
    let world = world_with(&restrict("obligations = { audit = \"durable\" }"));
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    for _ in 0..3 {
        assert!(maya.check("table.read", SCORES).unwrap().is_allowed());
    }
    let log = audit::tail(zt.audit_folder(), 100, |entry| entry.resource == SCORES).unwrap();
    assert_eq!(log.len(), 3);
    assert_eq!(log[0].detail["restrictions"], "AP-91");
}

#[tokio::test]
async fn a_refused_caller_learns_whom_the_rows_say_to_ask() {
    let world = World::new();
    world.edit(|tables| {
        tables.replacen(
            "why = \"raw applications",
            "owner = \"the data office, ext. 4711\"\nreason_admin = \"audit finding 7\"\nwhy = \"raw applications",
            1,
        )
    });
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    let error = maya
        .require("table.read", "table:raw.loan_applications")
        .unwrap_err();
    assert!(
        error
            .help()
            .unwrap()
            .ends_with("; ask the data office, ext. 4711")
    );
    assert!(
        !error.to_string().contains("audit finding"),
        "that is for few"
    );
    let explained = zt_core::policy::explain(error.decision().unwrap());
    assert_eq!(explained.reasons, ["AP-02: audit finding 7"]);
    assert!(!token(&zt, "user:maya").is_empty());
}

const ROWS: &str = r#"
    [[Attributes]]
    namespace = "row"
    name = "y_pred"
    type = "int"
    provenance = "store"
    [[Access_Policies]]
    id = "AP-93"
    principal = "*"
    action = ["table.read", "data.open", "data.seal"]
    resource = ["table:gold.**", "output:*"]
    effect = "restrict"
    rows = "row.y_pred == 1""#;

#[tokio::test]
async fn a_restriction_of_rows_holds_for_reading_unsealing_and_sealing() {
    let world = World::new().with_key("scores-kek").await;
    let zt = world.open().await;
    let rows = Batch::new(vec![
        Column::new("id", Cells::Integer(vec![Some(1), Some(2), Some(3)])),
        Column::new("salary_range", Cells::Text(vec![Some("a".to_owned()); 3])),
        Column::new("debt_to_income_ratio", Cells::Number(vec![Some(0.1); 3])),
        Column::new("y_pred_proba", Cells::Number(vec![Some(0.2); 3])),
        Column::new("y_pred", Cells::Integer(vec![Some(1), Some(0), None])),
    ]);
    let rows = rows.unwrap();
    let job = sign_in(&zt, "sp:sp-score-201").await.claiming(201, 2);
    let sealed = job
        .sealer("loan_scores_delta")
        .await
        .unwrap()
        .seal(&rows)
        .unwrap();
    world.edit(|tables| format!("{tables}\n{ROWS}\n"));
    zt.reload().await.unwrap();
    let maya = sign_in(&zt, "user:maya")
        .await
        .require("table.read", SCORES)
        .unwrap();
    assert_eq!(maya.row_filter().to_string(), "row.y_pred == 1");
    zt.clone().close(Duration::from_secs(5)).await.unwrap();
    let log = audit::tail(zt.audit_folder(), 100, |entry| entry.resource == SCORES).unwrap();
    assert_eq!(log[0].detail["rows"], "row.y_pred == 1");
    let zt = world.open().await;
    let job = sign_in(&zt, "sp:sp-score-201").await.claiming(201, 2);
    assert_eq!(maya.apply(&rows).unwrap().rows(), 1);
    let without = rows.select(&["id"]).unwrap();
    assert!(
        maya.apply(&without).is_err(),
        "the column is not there to look at"
    );
    let ines = sign_in(&zt, "user:ines").await;
    let opener = ines.opener("loan_scores_delta", &sealed).await.unwrap();
    assert_eq!(opener.unseal(&sealed).unwrap().rows(), 1);
    let error = job.sealer("loan_scores_delta").await.unwrap_err();
    assert_eq!(error.code(), Code::Denied);
    assert!(
        error
            .message()
            .contains("covers only some (row.y_pred == 1)"),
        "{error}"
    );
}

#[tokio::test]
async fn a_resource_at_hand_is_checked_as_its_text_is_and_stays_right_after_a_reload() {
    let world = World::new();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    let scores = maya.locate("table:Gold.Loan_Scores").unwrap();
    let may = || {
        maya.check_at(Action::TableRead, &scores)
            .unwrap()
            .is_allowed()
    };
    assert!(may());
    world.edit(|tables| tables.replacen("id = \"AP-03\"", "id = \"AP-03\"\nmode = \"off\"", 1));
    zt.reload().await.unwrap();
    assert!(!may());
    let error = maya.check_at(Action::SecretGet, &scores).unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert!(maya.locate("gold.loan_scores").is_err());
}
