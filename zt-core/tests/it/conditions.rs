//! Conditions, declared attributes, time windows and shadow rows, from the tables to the audit log.

use std::sync::Arc;

use serde_json::Value as Json;
use zt_core::Runtime;
use zt_core::clock::Timestamp;
use zt_core::metadata::Snapshot;
use zt_core::policy::{
    self, Context, Decision, DecisionId, DecisionKind, Provenance, Request, Value,
};
use zt_core::runtime::{self, ConfigKey};

use crate::cli::{err, out, zt_with_input};
use crate::world::{NEEDLE, World, sign_in};

const TABLE: &str = "table:gold.loan_scores_extra";

const ATTRIBUTES: &str = r#"
[[Attributes]]
namespace = "context"
name = "zone"
type = "enum"
values = ["public", "private"]
provenance = "request"
sensitivity = "public"

[[Attributes]]
namespace = "context"
name = "pin"
type = "text"
provenance = "request"
sensitivity = "secret"

[[Attributes]]
namespace = "principal"
name = "clearance"
type = "int"
provenance = "store"
"#;

/// The sample world with the attributes above and one more policy about [`TABLE`] for everybody.
fn world(row: &str) -> World {
    let world = World::new();
    let policy = format!(
        "\n[[Access_Policies]]\nid = \"AP-X\"\nprincipal = \"*\"\naction = \"table.read\"\nresource = \"{TABLE}\"\n{row}\n"
    );
    world.edit(|tables| tables + ATTRIBUTES + &policy);
    world
}

async fn snapshot(row: &str) -> Arc<Snapshot> {
    runtime::tables(&world(row).config())
        .await
        .unwrap()
        .current()
}

fn request() -> Request {
    let caller = Some("user:maya".parse().unwrap());
    Request::new(
        caller,
        "table.read".parse().unwrap(),
        TABLE.parse().unwrap(),
    )
}

fn decide(snapshot: &Arc<Snapshot>, request: Request) -> Decision {
    policy::decide(snapshot, request, DecisionId::new(0, 0))
}

fn near(decision: &Decision) -> String {
    let misses = policy::explain(decision).near_misses;
    let own = misses.iter().find(|miss| miss.policy == "AP-X");
    own.unwrap().to_string()
}

fn in_zone(zone: &str) -> Context {
    Context::new().with("zone", Value::text(zone))
}

#[tokio::test]
async fn a_window_begins_with_its_first_and_ends_before_its_last_moment() {
    let window = "valid_from = \"2026-10-01T08:00:00Z\"\nvalid_to = \"2026-10-01T12:00:00+02:00\"";
    let allow = snapshot(&format!("effect = \"allow\"\n{window}")).await;
    let deny = snapshot(&format!("effect = \"deny\"\n{window}")).await;
    for (now, is_in) in [
        ("2026-10-01T07:59:59.999Z", false),
        ("2026-10-01T08:00:00Z", true),
        ("2026-10-01T09:59:59.999Z", true),
        ("2026-10-01T10:00:00Z", false),
    ] {
        let now: Timestamp = now.parse().unwrap();
        assert_eq!(
            decide(&allow, request().at(now)).is_allowed(),
            is_in,
            "{now}"
        );
        let is_denied = decide(&deny, request().at(now)).kind() == DecisionKind::ExplicitDeny;
        assert_eq!(is_denied, is_in, "{now}");
    }
    let late = decide(
        &allow,
        request().at("2026-10-01T10:00:00Z".parse().unwrap()),
    );
    assert_eq!(
        near(&late),
        "AP-X would allow: time.now is 2026-10-01T10:00:00.000Z, needs from 2026-10-01T08:00:00.000Z on and before 2026-10-01T10:00:00.000Z"
    );
}

#[tokio::test]
async fn without_a_time_a_window_grants_nothing_and_disarms_no_deny() {
    let allow = snapshot("effect = \"allow\"\nvalid_from = \"2000-01-01T00:00:00Z\"").await;
    assert_eq!(decide(&allow, request()).kind(), DecisionKind::DefaultDeny);
    let deny = snapshot("effect = \"deny\"\nvalid_to = \"2000-01-01T00:00:00Z\"").await;
    let denied = decide(&deny, request());
    assert_eq!(denied.kind(), DecisionKind::ExplicitDeny);
    assert_eq!(policy::explain(&denied).unknown, ["time.now"]);
}

#[tokio::test]
async fn a_near_miss_lists_the_tests_that_fail_and_what_would_pass() {
    let row = "effect = \"allow\"\ncondition = \"context.zone == 'private' and principal.clearance >= 3 and action.name == 'table.read'\"";
    let snapshot = snapshot(row).await;
    let public = decide(&snapshot, request().with_context(in_zone("public")));
    assert_eq!(
        near(&public),
        "AP-X would allow: context.zone is \"public\", needs \"private\"; principal.clearance is unknown, needs at least 3"
    );
    let cleared = |known| {
        let request = request().with_context(in_zone("private"));
        decide(
            &snapshot,
            request.with_attribute("principal.clearance", Value::Int(3), known),
        )
    };
    assert!(cleared(Provenance::Store).is_allowed());
    for known in [Provenance::Request, Provenance::Token] {
        assert_eq!(
            near(&cleared(known)),
            "AP-X would allow: principal.clearance is unknown, needs at least 3",
            "{known:?} is not the store"
        );
    }
}

#[tokio::test]
async fn of_alternatives_the_nearest_is_explained_and_a_negation_turned_round() {
    let row = "effect = \"allow\"\ncondition = \"context.job == 1 and context.stage == 2 or not (context.zone == 'public' or context.job == 9)\"";
    let decision = decide(
        &snapshot(row).await,
        request().with_context(in_zone("public").with_job(8)),
    );
    assert_eq!(
        near(&decision),
        "AP-X would allow: context.zone is \"public\", needs anything but \"public\""
    );
}

#[tokio::test]
async fn a_deny_whose_condition_is_unknown_stands_and_says_why() {
    let row = "effect = \"deny\"\ncondition = \"context.zone != 'private'\"";
    let snapshot = snapshot(row).await;
    let unknown = decide(&snapshot, request());
    assert_eq!(unknown.kind(), DecisionKind::ExplicitDeny);
    let text = policy::explain(&unknown).to_string();
    assert!(
        text.contains("unknown, so the deny stands: context.zone"),
        "{text}"
    );
    let invented = decide(&snapshot, request().with_context(in_zone("elsewhere")));
    assert_eq!(
        invented.kind(),
        DecisionKind::ExplicitDeny,
        "not a word of the enum"
    );
    let known = decide(&snapshot, request().with_context(in_zone("private")));
    assert_eq!(known.kind(), DecisionKind::DefaultDeny);
}

async fn open(world: &World) -> Runtime {
    world.open().await
}

/// The records of the audit log about [`TABLE`].
fn records(world: &World) -> Vec<Json> {
    let mut found = Vec::new();
    let mut folders = vec![world.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                let lines = text.lines().filter(|line| line.contains(TABLE));
                found.extend(lines.filter_map(|line| serde_json::from_str::<Json>(line).ok()));
            }
        }
    }
    found
}

#[tokio::test]
async fn the_log_holds_facts_with_provenance_and_never_a_secret_one() {
    let row = format!(
        "effect = \"allow\"\ncondition = \"context.zone == 'private' and context.pin == '{}'\"",
        "needed"
    );
    let world = world(&row);
    let zt = open(&world).await;
    let session = sign_in(&zt, "user:maya").await;
    let session = session
        .claiming_fact("zone", Value::text("public"))
        .claiming_fact("pin", Value::text(NEEDLE))
        .claiming_fact("undeclared", Value::text(NEEDLE));
    let decision = session.check("table.read", TABLE).unwrap();
    assert_eq!(decision.kind(), DecisionKind::DefaultDeny);
    let explained = policy::explain(&decision);
    assert_eq!(
        near(&decision),
        "AP-X would allow: context.zone is \"public\", needs \"private\"; context.pin is [secret], needs [secret]"
    );
    let shown = format!(
        "{explained} {explained:?} {session:?} {decision:?} {:?}",
        decision.request()
    );
    assert!(
        !shown.contains(NEEDLE) && !shown.contains("needed"),
        "{shown}"
    );
    zt.close(std::time::Duration::from_secs(5)).await.unwrap();
    let records = records(&world);
    assert_eq!(records.len(), 1);
    let text = records[0].to_string();
    assert!(!text.contains(NEEDLE) && !text.contains("needed"), "{text}");
    for (name, value) in [
        ("context.pin", "[secret]"),
        ("context.undeclared", "[undeclared]"),
        ("context.zone", "\"public\""),
    ] {
        let facts = records[0]["facts"].as_array().unwrap();
        let fact = facts.iter().find(|fact| fact["name"] == name).unwrap();
        assert_eq!(
            (fact["value"].as_str(), fact["provenance"].as_str()),
            (Some(value), Some("asserted"))
        );
    }
}

/// The values of `context.pin` in the log.
fn pins(world: &World) -> Vec<String> {
    let records = records(world).into_iter();
    let facts = records.flat_map(|record| record["facts"].as_array().cloned().unwrap_or_default());
    let pins = facts.filter(|fact| fact["name"] == "context.pin");
    pins.map(|fact| fact["value"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_secret_fact_is_found_again_by_its_pseudonym_and_is_not_learnt() {
    let world = world("effect = \"allow\"\ncondition = \"context.pin == 'needed'\"");
    let ask = async |pins: &[&str]| {
        let config = world.config();
        let config = config.set(ConfigKey::AuditSecretValues, "pseudonym");
        let zt = runtime::RuntimeBuilder::new(config.unwrap());
        let zt = zt.open().await.unwrap();
        let session = sign_in(&zt, "user:maya").await;
        for pin in pins {
            let session = session.claiming_fact("pin", Value::text(pin));
            let decision = session.check("table.read", TABLE).unwrap();
            assert!(!near(&decision).contains("[secret:"), "{}", near(&decision));
        }
        zt.close(std::time::Duration::from_secs(5)).await.unwrap();
    };
    ask(&[NEEDLE, "other", NEEDLE]).await;
    let first = pins(&world);
    assert_eq!(first.len(), 3, "{first:?}");
    assert!(first[0] == first[2] && first[0] != first[1]);
    assert!(first.iter().all(|pin| pin.starts_with("[secret:")));

    let found = |arguments: &[&str], input: &str| {
        let all = [&["audit", "query", "--json"], arguments].concat();
        let said = out(&zt_with_input(&world, &all, input));
        said.lines().count()
    };
    assert_eq!(found(&["--fact", "context.pin=other"], ""), 1);
    assert_eq!(found(&["--fact", "context.pin=\"other\""], ""), 1);
    assert_eq!(found(&["--fact", "context.pin"], &format!("{NEEDLE}\n")), 2);
    assert_eq!(found(&["--fact", "context.pin=third"], ""), 0);
    assert_eq!(found(&["--fact", "context.zone=other"], ""), 0);
    let said = out(&zt_with_input(
        &world,
        &["audit", "pseudonym", "context.pin"],
        "other",
    ));
    assert!(said.contains(&first[1]), "{said}");

    let rotated = zt_with_input(&world, &["audit", "rotate-pseudonyms"], "");
    assert!(rotated.status.success());
    ask(&["other"]).await;
    let new = pins(&world).into_iter().filter(|pin| !first.contains(pin));
    assert_eq!(new.count(), 1);
    assert_eq!(found(&["--fact", "context.pin=other"], ""), 2);
    // Away from the keys a value is found by nobody.
    std::fs::remove_file(world.path().join(".zt/pseudonym.keys")).unwrap();
    assert_eq!(found(&["--fact", "context.pin=other"], ""), 0);
    let said = zt_with_input(&world, &["audit", "pseudonym", "context.pin"], "other");
    assert!(err(&said).contains("there are no keys of pseudonyms"));
}

#[tokio::test]
async fn a_shadow_row_decides_nothing_and_stands_in_the_log() {
    let world = world("effect = \"allow\"\nmode = \"shadow\"");
    let zt = open(&world).await;
    let session = sign_in(&zt, "user:maya").await;
    let decision = session.check("table.read", TABLE).unwrap();
    assert_eq!(decision.kind(), DecisionKind::DefaultDeny);
    assert_eq!(decision.would().unwrap().to_string(), "allow by AP-X");
    assert!(
        policy::explain(&decision)
            .to_string()
            .contains("with shadow rows: allow by AP-X")
    );
    zt.close(std::time::Duration::from_secs(5)).await.unwrap();
    let records = records(&world);
    assert_eq!(records[0]["detail"]["would_decide"], "allow");
    assert_eq!(records[0]["detail"]["would_policies"], "AP-X");
}

#[tokio::test]
async fn a_row_that_is_off_does_nothing_at_all() {
    for effect in ["allow", "deny"] {
        let snapshot = snapshot(&format!("effect = \"{effect}\"\nmode = \"off\"")).await;
        let decision = decide(&snapshot, request());
        assert_eq!(decision.kind(), DecisionKind::DefaultDeny);
        assert_eq!(decision.would(), None);
        assert!(!policy::explain(&decision).to_string().contains("AP-X"));
    }
}

#[tokio::test]
async fn a_session_decides_at_the_time_of_its_clock() {
    let world = world("effect = \"allow\"\nvalid_from = \"2000-01-01T00:00:00Z\"");
    let zt = open(&world).await;
    let session = sign_in(&zt, "user:maya").await;
    let decision = session.check("table.read", TABLE).unwrap();
    assert!(decision.is_allowed());
    assert!(decision.request().now.is_some());
}
