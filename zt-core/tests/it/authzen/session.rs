//! Enforcement points that sign in: their right is asked, and everything stands in the log.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use zt_core::audit;
use zt_core::authzen::Call;
use zt_core::clock::{Clock as _, SystemClock};
use zt_core::runtime::RuntimeBuilder;
use zt_core::testing::ManualClock;
use zt_core::{Code, Runtime};

use super::{reads_scores, with_groups};
use crate::world::{World, sign_in};

fn entries(zt: &Runtime, kind: &str, action: &str) -> Vec<audit::Entry> {
    let is_meant = |entry: &audit::Entry| entry.kind == kind && entry.action == action;
    audit::tail(zt.audit_folder(), 100, is_meant).unwrap()
}

#[tokio::test]
async fn an_answer_stands_in_the_log_about_the_subject_and_names_who_asked() {
    let world = World::new();
    let zt = world.open().await;
    let pep = sign_in(&zt, "user:priya").await;
    let answer = pep.authzen(&with_groups(), Call::Evaluation, &reads_scores("maya"));
    let answer = answer.unwrap();
    assert_eq!(answer["decision"], true);
    let refused = pep.authzen(&with_groups(), Call::Evaluation, &reads_scores("jonas"));
    assert_eq!(refused.unwrap()["decision"], false);
    pep.audit_tail(1).unwrap();
    let logged = entries(&zt, "decision", "table.read");
    assert_eq!(logged.len(), 2);
    let first = &logged[0];
    assert_eq!(first.caller.as_deref(), Some("user:maya"));
    assert_eq!(first.decision.as_deref(), answer["context"]["id"].as_str());
    assert_eq!(first.outcome, "allow");
    assert_eq!(
        first.detail.get("asked_by").map(String::as_str),
        Some("user:priya")
    );
    assert_eq!(first.oid, None, "the subject did not sign in");
    assert_eq!(
        logged[1].outcome, "refused",
        "a limited right that was not granted is no allow"
    );
}

#[tokio::test]
async fn a_refusal_is_on_disk_before_it_is_answered() {
    let world = World::new();
    let zt = world.open().await;
    let pep = sign_in(&zt, "user:priya").await;
    let refused = pep.authzen(&with_groups(), Call::Evaluation, &reads_scores("tomasz"));
    assert_eq!(refused.unwrap()["decision"], false);
    // Nobody has flushed the log.
    let logged = entries(&zt, "decision", "table.read");
    assert_eq!(logged[0].outcome, "default_deny");
}

#[tokio::test]
async fn who_may_not_see_others_rights_gets_no_answer() {
    let world = World::new();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    for request in [reads_scores("maya"), reads_scores("jonas")] {
        let error = maya
            .authzen(&with_groups(), Call::Evaluation, &request)
            .unwrap_err();
        assert!(error.is_denied(), "{error}");
    }
    let search = json!({
        "subject": { "type": "user", "id": "maya" },
        "action": { "name": "table.read" },
        "resource": { "type": "table" },
    });
    let answer = maya
        .authzen(&with_groups(), Call::SearchResource, &search)
        .unwrap();
    assert_eq!(answer["results"], json!([]), "it may ask about no table");
    let pep = sign_in(&zt, "user:priya").await;
    let answer = pep
        .authzen(&with_groups(), Call::SearchResource, &search)
        .unwrap();
    assert!(!answer["results"].as_array().unwrap().is_empty());
    pep.audit_tail(1).unwrap();
    let searches = entries(&zt, "effect", "authzen.search");
    assert_eq!(searches.len(), 2);
    assert_eq!(searches[1].caller.as_deref(), Some("user:priya"));
    assert_eq!(
        searches[1].detail.get("subject").map(String::as_str),
        Some("user:maya")
    );
    let error = maya.authzen(&with_groups(), Call::SearchSubject, &reads_scores("x"));
    assert!(error.unwrap_err().is_denied());
}

#[tokio::test]
async fn a_malformed_request_is_invalid_and_stands_nowhere() {
    let world = World::new();
    let zt = world.open().await;
    let pep = sign_in(&zt, "user:priya").await;
    let error = pep
        .authzen(&with_groups(), Call::Evaluation, &Value::Null)
        .unwrap_err();
    assert_eq!(error.http_status(), 400);
    assert_eq!(error.message(), "the request is null, expected an object");
    assert!(entries(&zt, "decision", "table.read").is_empty());
}

/// A runtime under a clock of the test's own, and how a search ends after so much time.
async fn search_after(settings: &str, passed: Duration) -> zt_core::Result<Value> {
    let world = World::new();
    let file = world.path().join("zt.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(file, format!("{text}\n[metadata]\n{settings}\n")).unwrap();
    let clock = Arc::new(ManualClock::new(SystemClock::new().now()));
    let zt = RuntimeBuilder::new(world.config())
        .with_clock(Arc::<ManualClock>::clone(&clock))
        .open()
        .await
        .unwrap();
    let pep = sign_in(&zt, "user:priya").await;
    clock.advance(passed);
    let search = json!({
        "subject": { "type": "user", "id": "maya" },
        "action": { "name": "table.read" },
        "resource": { "type": "table" },
    });
    pep.authzen(&with_groups(), Call::SearchResource, &search)
}

#[tokio::test]
async fn an_ended_token_and_stale_tables_are_errors_and_not_an_empty_search() {
    let now = search_after("max_staleness_s = 60", Duration::ZERO).await;
    assert!(!now.unwrap()["results"].as_array().unwrap().is_empty());
    let stale = search_after("max_staleness_s = 60", Duration::from_secs(61)).await;
    assert_eq!(stale.unwrap_err().code(), Code::MetadataStale);
    let ended = search_after("", Duration::from_secs(2 * 3600)).await;
    assert_eq!(ended.unwrap_err().code(), Code::TokenExpired);
}
