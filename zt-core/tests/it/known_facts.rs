//! Attributes that a token or the tables say: they count where they must, and nothing that is asserted counts as one.

use std::time::Duration;

use serde_json::{Value as Json, json};
use zt_core::policy::{DecisionKind, ListQuery, Replay, Value};
use zt_core::runtime::Runtime;
use zt_core::testing::{self, TokenRequest};
use zt_core::{Code, Session, audit};

use crate::world::{World, sign_in};

const TABLES: &str = r#"
    [[Attributes]]
    namespace = "principal"
    name = "department"
    type = "enum"
    values = ["credit", "fraud"]
    provenance = "token"

    [[Attributes]]
    namespace = "principal"
    name = "clearance"
    type = "int"
    provenance = "store"

    [[Attributes]]
    namespace = "resource"
    name = "classification"
    type = "enum"
    values = ["public", "pii"]
    provenance = "store"

    [[Resources]]
    resource = "table:lab.**"
    attributes = { classification = "pii" }
    [[Resources]]
    resource = "table:lab.open.**"
    attributes = { classification = "public" }
    [[Resources]]
    resource = "table:lab.open.people"
    attributes = { classification = "pii" }

    [[Access_Policies]]
    id = "AP-90"
    principal = "role:data_scientist"
    action = "table.read"
    resource = "table:lab.**"
    effect = "allow"
    condition = "resource.classification == 'public' or principal.department == 'fraud' or principal.clearance >= 3"
"#;

fn world() -> World {
    let world = World::new();
    world.edit(|tables| format!("{tables}\n{TABLES}\n"));
    world
}

async fn with(
    zt: &Runtime,
    name: &str,
    more: impl FnOnce(TokenRequest) -> TokenRequest,
) -> Session {
    let (config, hour) = (zt.config(), Duration::from_secs(3600));
    let name = name.parse().unwrap();
    let token = testing::sign_in_with(config, &zt.snapshot(), &name, hour, more).unwrap();
    zt.authenticate(&token).await.unwrap()
}

async fn maya_of(zt: &Runtime, department: Json) -> Session {
    with(zt, "user:maya", |request| {
        request.with_claim("department", department)
    })
    .await
}

fn may(session: &Session, table: &str) -> bool {
    session.check("table.read", table).unwrap().is_allowed()
}

#[tokio::test]
async fn a_claim_of_the_token_is_a_fact_where_the_tables_ask_for_it() {
    let world = world();
    let zt = world.open().await;
    assert!(may(&maya_of(&zt, json!("fraud")).await, "table:lab.secret"));
    for other in [
        json!("credit"),
        json!("sales"),
        json!(7),
        json!(["fraud"]),
        json!(null),
    ] {
        assert!(
            !may(&maya_of(&zt, other.clone()).await, "table:lab.secret"),
            "{other}"
        );
    }
    assert!(!may(&sign_in(&zt, "user:maya").await, "table:lab.secret"));
}

#[tokio::test]
async fn what_the_process_asserts_is_no_claim_of_a_token() {
    let world = world();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    let claiming = maya.claiming_fact("department", Value::text("fraud"));
    let claiming = claiming.claiming_fact("clearance", Value::Int(9));
    let claiming = claiming.claiming_fact("classification", Value::text("public"));
    assert!(!may(&claiming, "table:lab.secret"));
}

#[tokio::test]
async fn of_several_rows_about_a_resource_the_nearest_says_what_it_is() {
    let world = world();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    for (table, expected) in [
        ("table:lab", false),
        ("table:lab.x", false),
        ("table:lab.open", true),
        ("table:LAB.Open.cars", true),
        ("table:lab.open.people", false),
        ("table:lab.open.people.old", true),
        ("table:lab.opened.x", false),
    ] {
        assert_eq!(may(&maya, table), expected, "{table}");
    }
}

#[tokio::test]
async fn what_the_tables_say_of_a_caller_ends_with_a_reload() {
    let world = world();
    world.edit(|tables| {
        let row = "id = \"user:maya\"";
        tables.replacen(row, &format!("{row}\nattributes = {{ clearance = 3 }}"), 1)
    });
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    assert!(may(&maya, "table:lab.secret"));
    world.edit(|tables| tables.replacen("clearance = 3", "clearance = 2", 1));
    zt.reload().await.unwrap();
    assert!(!may(&maya, "table:lab.secret"));
}

#[tokio::test]
async fn a_reload_that_declares_an_attribute_finds_its_claim_in_tokens_that_were_there_before() {
    let world = World::new();
    let zt = world.open().await;
    let maya = maya_of(&zt, json!("fraud")).await;
    assert!(!may(&maya, "table:lab.secret"));
    world.edit(|tables| format!("{tables}\n{TABLES}\n"));
    zt.reload().await.unwrap();
    assert!(may(&maya, "table:lab.secret"));
    // Another claim may say it.
    world.edit(|tables| {
        let claim = "provenance = \"token\"\n    claim = \"extension_department\"";
        tables.replacen("provenance = \"token\"", claim, 1)
    });
    zt.reload().await.unwrap();
    assert!(!may(&maya, "table:lab.secret"));
}

#[tokio::test]
async fn the_log_says_what_the_deciding_rows_looked_at_and_how_it_is_known() {
    let world = world();
    let zt = world.open().await;
    assert!(may(&maya_of(&zt, json!("fraud")).await, "table:lab.secret"));
    zt.clone().close(Duration::from_secs(5)).await.unwrap();
    let log = audit::tail(zt.audit_folder(), 100, |entry| {
        entry.resource == "table:lab.secret"
    });
    let facts = format!("{:?}", log.unwrap()[0].facts);
    assert!(
        facts.contains("principal.department") && facts.contains("fraud"),
        "{facts}"
    );
    assert!(
        facts.contains("token") && facts.contains("store"),
        "{facts}"
    );
}

#[tokio::test]
async fn a_step_up_is_asked_for_until_the_token_proves_it() {
    let world = World::new();
    world.edit(|tables| {
        let rows = r#"
            [[Access_Policies]]
            id = "AP-91"
            principal = "*"
            action = "table.read"
            resource = "table:gold.**"
            effect = "restrict"
            obligations = { step_up = "mfa" }
            [[Access_Policies]]
            id = "AP-92"
            principal = "role:data_scientist"
            action = "table.read"
            resource = "table:gold.loan_scores"
            effect = "restrict"
            obligations = { step_up = "c2" }"#;
        format!("{tables}\n{rows}\n")
    });
    let zt = world.open().await;
    let scores = "table:gold.loan_scores";
    let needs = |session: &Session| -> Vec<String> {
        let decision = session.check("table.read", scores).unwrap();
        assert_eq!(
            decision.kind() == DecisionKind::Allow,
            decision.step_up().is_empty()
        );
        decision.step_up().iter().map(ToString::to_string).collect()
    };
    // A token that says nothing of how its owner signed in proves nothing.
    let maya = with(&zt, "user:maya", |request| request.with_methods(&[])).await;
    assert_eq!(needs(&maya), ["mfa", "c2"]);
    let error = maya.require("table.read", scores).unwrap_err();
    assert_eq!(error.code(), Code::StepUpRequired);
    assert_eq!(error.http_status(), 401);
    assert!(
        error
            .message()
            .contains("only after signing in with mfa and c2"),
        "{error}"
    );
    assert_eq!(error.public_message(), "insufficient_user_authentication");
    let password = with(&zt, "user:maya", |request| request.with_methods(&["pwd"])).await;
    assert_eq!(needs(&password), ["mfa", "c2"]);
    let mfa = with(&zt, "user:maya", |request| {
        request.with_methods(&["pwd", "mfa"])
    })
    .await;
    assert_eq!(needs(&mfa), ["c2"]);
    let both = with(&zt, "user:maya", |request| {
        let request = request.with_methods(&["pwd", "mfa"]);
        request.with_claim("acrs", json!(["c1", "c2"]))
    });
    assert!(needs(&both.await).is_empty());
    // Who may not anyway is not told to sign in again.
    let priya = sign_in(&zt, "user:priya").await;
    let refused = priya.check("table.read", scores).unwrap();
    assert_eq!(
        (refused.kind(), refused.step_up().len()),
        (DecisionKind::DefaultDeny, 0)
    );
}

/// What the log says was known of the last decision about a table.
async fn recorded(zt: &Runtime, table: &str) -> Vec<(String, String, String)> {
    zt.clone().close(Duration::from_secs(5)).await.unwrap();
    let log = audit::tail(zt.audit_folder(), 100, |entry| entry.resource == table).unwrap();
    let facts = log.last().unwrap().facts.iter().cloned();
    facts
        .map(|fact| (fact.name, fact.value, fact.provenance))
        .collect()
}

#[tokio::test]
async fn a_default_is_not_recorded_as_proven() {
    let world = world();
    world.edit(|tables| {
        let provenance = "values = [\"credit\", \"fraud\"]\n    provenance = \"token\"";
        let with_default = format!("{provenance}\n    default = \"fraud\"");
        tables.replacen(provenance, &with_default, 1)
    });
    let zt = world.open().await;
    assert!(may(&sign_in(&zt, "user:maya").await, "table:lab.secret"));
    let of = |name: &str, value: &str, known: &str| {
        (name.to_owned(), value.to_owned(), known.to_owned())
    };
    assert_eq!(
        recorded(&zt, "table:lab.secret").await,
        [
            of("principal.department", "\"fraud\"", "default"),
            of("resource.classification", "\"pii\"", "store"),
        ]
    );
}

#[tokio::test]
async fn a_list_of_ones_own_rights_has_what_a_check_allows_by_the_token() {
    let world = world();
    let zt = world.open().await;
    let lab = |session: &Session| {
        let query = ListQuery::new().of_action("table.read".parse().unwrap());
        let page = session.list(&query).unwrap();
        let mut cells = page.cells.iter();
        cells.any(|cell| cell.resource.name() == "table:lab.open.people")
    };
    assert!(lab(&maya_of(&zt, json!("fraud")).await));
    assert!(!lab(&sign_in(&zt, "user:maya").await));
}

#[tokio::test]
async fn a_replay_of_the_log_finds_what_the_token_said() {
    let world = world();
    let zt = world.open().await;
    assert!(may(&maya_of(&zt, json!("fraud")).await, "table:lab.secret"));
    assert!(!may(
        &maya_of(&zt, json!("credit")).await,
        "table:lab.secret"
    ));
    zt.clone().close(Duration::from_secs(5)).await.unwrap();
    let mut replay = Replay::new();
    audit::each(zt.audit_folder(), |entry| replay.add(&entry)).unwrap();
    let found = replay.on(&zt.snapshot(), world.config().development_groups());
    assert!(
        found.flips.is_empty() && found.left_out.is_empty(),
        "{found:?}"
    );
    assert_eq!(found.replayed, 2);
}
