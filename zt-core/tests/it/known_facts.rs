//! Attributes that a token or the tables say: they count where they must, and nothing that is asserted counts as one.

use std::time::Duration;

use serde_json::{Value as Json, json};
use zt_core::identity::Challenge;
use zt_core::policy::{self, DecisionKind, ListQuery, Replay, Value};
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

/// Everybody needs a second factor to read there, and data scientists a context too.
fn world_of_step_ups() -> World {
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
    world
}

#[tokio::test]
async fn a_challenge_is_for_clients_that_understand_it() {
    let world = world_of_step_ups();
    let zt = world.open().await;
    let scores = "table:gold.loan_scores";
    let maya = with(&zt, "user:maya", |request| request).await;
    let error = maya.require("table.read", scores).unwrap_err();
    assert_eq!(error.code(), Code::StepUpRequired);
    // Others would not know what to do with one: to them it is a plain refusal.
    assert_eq!((error.http_status(), error.challenge()), (403, None));
    let capable = with(&zt, "user:maya", |request| {
        request.with_claim("xms_cc", json!(["CP1"]))
    })
    .await;
    let asked = capable.require("table.read", scores).unwrap_err();
    assert_eq!(asked.http_status(), 401);
    assert_eq!(asked.challenge(), Some(Challenge::auth_context("c2")));
}

#[tokio::test]
async fn a_step_up_is_asked_for_until_the_token_proves_it() {
    let world = world_of_step_ups();
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

const TOKEN_RULES: &str = r#"
    [[Attributes]]
    namespace = "context"
    name = "device"
    type = "text"
    provenance = "token"
    sensitivity = "secret"

    [[Attributes]]
    namespace = "principal"
    name = "level"
    type = "int"
    provenance = "token"

    [[Attributes]]
    namespace = "principal"
    name = "share"
    type = "decimal"
    provenance = "token"

    [[Attributes]]
    namespace = "principal"
    name = "since"
    type = "datetime"
    provenance = "token"

    [[Attributes]]
    namespace = "principal"
    name = "sites"
    type = "set"
    provenance = "token"

    [[Access_Policies]]
    id = "AP-91"
    principal = "*"
    action = "table.read"
    resource = "table:lab.device"
    effect = "allow"
    condition = "context.device == 'zt-mark-of-a-device'"
    [[Access_Policies]]
    id = "AP-92"
    principal = "*"
    action = "table.read"
    resource = "table:lab.level"
    effect = "allow"
    condition = "has principal.level or has principal.share or has principal.since or has principal.sites"
    [[Access_Policies]]
    id = "AP-93"
    principal = "*"
    action = "table.read"
    resource = "table:lab.own"
    effect = "allow"
    condition = "principal.mfa or principal.client_id == 'x' or principal.tenant == 'x' or principal.id == 'user:priya'"
    [[Access_Policies]]
    id = "AP-94"
    principal = "*"
    action = "table.read"
    resource = "table:lab.shut"
    effect = "deny"
    condition = "principal.level < 3"
    [[Access_Policies]]
    id = "AP-95"
    principal = "*"
    action = "table.read"
    resource = "table:lab.shut"
    effect = "allow"
"#;

fn rules() -> World {
    let world = world();
    world.edit(|tables| format!("{tables}\n{TOKEN_RULES}\n"));
    world
}

#[tokio::test]
async fn a_secret_claim_decides_and_is_shown_nowhere() {
    const MARK: &str = "zt-mark-of-a-device";
    let world = rules();
    let zt = world.open().await;
    let claiming = |request: TokenRequest| request.with_claim("device", json!(MARK));
    let maya = with(&zt, "user:maya", claiming).await;
    let decision = maya.check("table.read", "table:lab.device").unwrap();
    assert!(decision.is_allowed());
    let refused = maya.require("table.read", "table:lab.secret").unwrap_err();
    let explained = policy::explain(&decision);
    let shown = [
        format!("{:?} {}", maya.caller(), maya.caller()),
        format!("{maya:?} {decision:?} {:?}", decision.request()),
        format!("{refused:?} {refused}"),
        format!(
            "{explained:?} {}",
            serde_json::to_string(&explained).unwrap()
        ),
    ];
    assert!(
        explained
            .facts
            .contains(&"context.device=[secret]".to_owned())
    );
    let of = recorded(&zt, "table:lab.device").await;
    let device = ("context.device", "[secret]", "token");
    let of: Vec<(&str, &str, &str)> = of
        .iter()
        .map(|(name, value, known)| (name.as_str(), value.as_str(), known.as_str()))
        .collect();
    assert_eq!(of, [device]);
    for shown in shown {
        assert!(!shown.contains(MARK), "{shown}");
    }
}

#[tokio::test]
async fn a_fact_of_the_session_that_a_token_must_say_is_not_asserted() {
    let world = rules();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    let asserted = maya.claiming_fact("device", Value::text("zt-mark-of-a-device"));
    assert!(!may(&asserted, "table:lab.device"));
}

#[tokio::test]
async fn claims_of_odd_types_leave_their_attributes_unknown_and_disarm_no_deny() {
    let world = rules();
    let zt = world.open().await;
    for odd in [
        json!(null),
        json!({ "a": 1 }),
        json!([1, 2]),
        json!([["a"]]),
        json!([null]),
        json!(1.5),
        json!(18_446_744_073_709_551_615_u64),
        json!(true),
        json!("cafe\u{301}"),
    ] {
        let maya = with(&zt, "user:maya", |request| {
            let names = ["level", "share", "since", "sites"].into_iter();
            names.fold(request, |request, name| {
                request.with_claim(name, odd.clone())
            })
        })
        .await;
        assert!(!may(&maya, "table:lab.level"), "{odd}");
        assert!(!may(&maya, "table:lab.shut"), "{odd}");
    }
    for (name, value) in [
        ("level", json!(3)),
        ("level", json!("3")),
        ("share", json!("0.5")),
        ("since", json!(1_790_000_000)),
        ("since", json!("2026-10-01T08:00:00Z")),
        ("sites", json!(["a"])),
    ] {
        let maya = with(&zt, "user:maya", |request| {
            request.with_claim(name, value.clone())
        })
        .await;
        assert!(may(&maya, "table:lab.level"), "{name} {value}");
        assert_eq!(
            may(&maya, "table:lab.shut"),
            name == "level",
            "{name} {value}"
        );
    }
}

#[tokio::test]
async fn claims_beyond_the_bound_are_unknown_and_the_caller_is_who_it_is() {
    let world = rules();
    let zt = world.open().await;
    let long = "x".repeat(10_000);
    let maya = with(&zt, "user:maya", |request| {
        let request = request.with_claim("aaa", json!(long));
        request.with_claim("level", json!(3))
    });
    assert!(may(&maya.await, "table:lab.shut"));
    let many: Vec<String> = (0..3_000).map(|_| String::new()).collect();
    let maya = with(&zt, "user:maya", |request| {
        request.with_claim("sites", json!(many))
    });
    assert!(!may(&maya.await, "table:lab.level"));
}

#[tokio::test]
async fn a_claim_that_is_called_like_a_built_in_attribute_says_nothing_of_it() {
    let world = rules();
    let zt = world.open().await;
    let maya = with(&zt, "user:maya", |request| {
        let names = ["", "principal."].into_iter();
        names.fold(request.with_methods(&["pwd"]), |request, space| {
            request
                .with_claim(&format!("{space}mfa"), json!(true))
                .with_claim(&format!("{space}client_id"), json!("x"))
                .with_claim(&format!("{space}tenant"), json!("x"))
                .with_claim(&format!("{space}id"), json!("user:priya"))
                .with_claim(&format!("{space}clearance"), json!(9))
        })
    })
    .await;
    assert!(!may(&maya, "table:lab.own"));
    assert!(!may(&maya, "table:lab.secret"));
    let mfa = with(&zt, "user:maya", |request| {
        request.with_methods(&["pwd", "mfa"])
    })
    .await;
    assert!(may(&mfa, "table:lab.own"));
}

#[tokio::test]
async fn a_caller_whose_row_is_removed_loses_what_the_tables_said_of_it() {
    let world = world();
    let maya = "id = \"user:maya\"";
    world.edit(|tables| {
        let row = format!("{maya}\nattributes = {{ clearance = 3 }}");
        let everybody = TABLES.replace("role:data_scientist", "*");
        let tables = tables.replacen(TABLES, &everybody, 1);
        tables.replacen(maya, &row, 1)
    });
    let zt = world.open().await;
    let session = sign_in(&zt, "user:maya").await;
    assert!(may(&session, "table:lab.secret"));
    // The row is another person's now: neither the old name nor its attributes are the caller's.
    world.edit(|tables| {
        let row = tables.find(maya).unwrap();
        let (before, after) = tables.split_at(row);
        let oid = "b0000000-0000-4000-8000-000000000002";
        assert!(after.contains(oid));
        format!(
            "{before}{}",
            after.replacen(oid, "b0000000-0000-4000-8000-00000000dead", 1)
        )
    });
    zt.reload().await.unwrap();
    assert!(!may(&session, "table:lab.secret"));
    assert!(may(&session, "table:lab.open"));
}
