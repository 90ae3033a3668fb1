//! Who signs in with which token, and what they may do then: the sample world's expected answers, without pinned keys.

use serde_json::Value;
use zt_azure_simulator::{Fault, TokenOptions};
use zt_core::identity::{KeyState, TokenVersion};
use zt_core::policy::Decision;
use zt_core::{Code, ErrorKind, Runtime, Session};

use super::office::{Office, log, only_health, ready, until};
use crate::client::{API, TENANT};

const EXPECTED: &str = include_str!("../../../../world/expected.json");

/// What the sample world expects of decisions.
pub(crate) fn expected() -> Vec<Value> {
    let all: Value = serde_json::from_str(EXPECTED).unwrap();
    all["decisions"].as_array().unwrap().clone()
}

/// Decides one of them.
fn decide(session: &Session, case: &Value) -> Decision {
    let context = &case["context"];
    let number = |name: &str| context[name].as_u64().map(|n| u32::try_from(n).unwrap());
    let mut session = session.clone();
    if let Some(job) = number("job") {
        session = session.claiming(job, number("stage").unwrap_or(0));
    }
    if let Some(author) = context["author"].as_str() {
        session = session.claiming_author(author.parse().unwrap());
    }
    let text = |name: &str| case[name].as_str().unwrap();
    session.check(text("action"), text("resource")).unwrap()
}

/// Asks everything that the sample world has an answer to, each caller with such a token.
pub(crate) async fn answers_are_right(office: &Office, zt: &Runtime, options: &TokenOptions) {
    for case in expected() {
        let caller = case["caller"].as_str().unwrap();
        let (_, name) = caller.split_once(':').unwrap();
        let token = office.token(name, options);
        let session = zt.authenticate(&token).await.unwrap();
        assert_eq!(session.name(), caller);
        let decision = decide(&session, &case);
        assert_eq!(decision.kind().as_str(), case["decision"], "{case}");
        let policies: Vec<String> = decision.policies().map(ToString::to_string).collect();
        assert_eq!(serde_json::json!(policies), case["policies"], "{case}");
    }
}

#[tokio::test]
async fn everybody_of_the_sample_world_gets_the_expected_answers() {
    let office = Office::new("");
    let zt = office.open().await;
    answers_are_right(&office, &zt, &TokenOptions::new()).await;
    assert_eq!(office.sim.count(&format!("/{TENANT}/v2.0/")), 1);
    assert_eq!(office.sim.count(&format!("/{TENANT}/discovery/v2.0/")), 1);
    assert_eq!(office.sim.count("/v1.0/"), 0, "nobody asks Graph");
    office.assert_no_leaks(&[]);
}

#[tokio::test]
async fn tokens_of_format_1_get_the_same_answers_where_an_app_id_uri_is_set() {
    let office = Office::new(&format!("app_id_uri = \"api://{API}\""));
    let zt = office.open().await;
    let v1 = TokenOptions::new().in_v1_form(true);
    answers_are_right(&office, &zt, &v1).await;
    answers_are_right(&office, &zt, &TokenOptions::new()).await;
    let health = zt.key_health();
    let versions: Vec<TokenVersion> = health.iter().map(|keys| keys.version).collect();
    assert_eq!(versions, [TokenVersion::V2, TokenVersion::V1]);
    office.assert_no_leaks(&[]);

    let strict = Office::new("");
    let zt = strict.open().await;
    let refusal = strict.refused(&zt, &strict.token("maya", &v1)).await;
    assert_eq!(refusal.code(), Code::InvalidToken);
    assert_eq!(refusal.public_message(), "invalid_token");
}

#[tokio::test]
async fn a_runtime_is_not_ready_until_the_issuer_answers() {
    let office = Office::new("");
    let down = Fault::Status {
        status: 503,
        retry_after: None,
    };
    office.sim.fault("/", down, u32::MAX);
    let zt = office.builder().unwrap().open().await.unwrap();
    let token = office.token("maya", &TokenOptions::new());
    assert_eq!(zt.ready().unwrap_err().code(), Code::KeysUnavailable);
    until("the first fetch fails", || only_health(&zt).failures == 1).await;
    let health = only_health(&zt);
    assert_eq!((health.state, health.keys), (KeyState::Empty, 0));
    let reason = zt.ready().unwrap_err();
    assert!(reason.message().contains("status 503"), "{reason}");

    let refusal = office.refused(&zt, &token).await;
    assert!(matches!(
        refusal.kind(),
        ErrorKind::Unavailable { retry_in: Some(_) }
    ));
    assert_eq!((refusal.http_status(), refusal.challenge()), (503, None));

    office.sim.clear_faults();
    office.advance(10);
    ready(&zt).await;
    let health = only_health(&zt);
    assert_eq!((health.state, health.failures), (KeyState::Fresh, 0));
    assert!(health.keys >= 2 && health.error.is_none());
    assert!(zt.authenticate(&token).await.is_ok(), "the same token");
    let news = || -> Vec<String> {
        let records = log(&zt).into_iter();
        let of_keys = records.filter(|entry| entry.action == "issuer-keys");
        of_keys.map(|entry| entry.outcome).collect()
    };
    // It fails, keys come, it has recovered.
    until("all is recorded", || news() == ["failed", "ok", "ok"]).await;
    office.assert_no_leaks(&[]);
}

#[tokio::test]
async fn tokens_for_others_of_others_and_past_their_time_are_refused() {
    let office = Office::new("");
    let zt = office.open().await;
    let now = office.now().as_secs();
    let plain = TokenOptions::new;
    let cases = [
        plain().for_audience("https://graph.microsoft.com"),
        plain().with_cloud(zt_azure_simulator::Cloud::UsGov),
        plain().with_claim("tid", "22222222-2222-4222-8222-222222222222".into()),
        plain().with_claim("scp", Value::Null),
        plain().with_claim("oid", Value::Null),
        plain().with_claim("cnf", serde_json::json!({ "jwk": {} })),
        plain().issued_at(now + 3600),
        plain().issued_at(now - 7200),
    ];
    for options in cases {
        let refusal = office.refused(&zt, &office.token("maya", &options)).await;
        assert_eq!(refusal.kind(), ErrorKind::Unauthenticated, "{options:?}");
        assert_eq!(refusal.http_status(), 401);
        assert!(refusal.challenge().is_some());
    }
    let good = office.token("maya", &plain());
    let (head, tail) = good.rsplit_once('.').unwrap();
    let forged: String = tail.chars().rev().collect();
    let refusal = office.refused(&zt, &format!("{head}.{forged}")).await;
    assert_eq!(refusal.code(), Code::InvalidToken);
    assert!(zt.authenticate(&format!("Bearer {good}")).await.is_ok());
    office.assert_no_leaks(&[]);
}
