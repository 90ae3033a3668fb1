//! An issuer that answers wrongly, late or not at all: who is known stays known, and a restart works from the kept keys.

use std::time::Duration;

use zt_azure_simulator::{Fault, TokenOptions};
use zt_core::Code;
use zt_core::audit::Entry;
use zt_core::identity::KeyState;

use super::office::{Office, log, only_health, until};
use crate::client::TENANT;

/// Past a refresh, whatever its spread.
const REFRESH_S: u64 = 3970;

fn faults() -> Vec<Fault> {
    vec![
        Fault::Slow(Duration::from_secs(30)),
        Fault::Status {
            status: 500,
            retry_after: Some(5),
        },
        Fault::Truncated,
        Fault::Html,
        Fault::WrongJson,
        Fault::Redirect("https://evil.example/keys".to_owned()),
        Fault::Giant(64 * 1024 * 1024),
        Fault::Drip(Duration::from_secs(1)),
        Fault::Close,
    ]
}

/// One fault until it is taken back; meanwhile people sign in and go on.
async fn nobody_is_signed_out(prefix: &str, fault: Fault) {
    let office = Office::new("");
    let zt = office.open().await;
    // One that outlives the refresh.
    let long = TokenOptions::new().with_lifetime(Duration::from_secs(5400));
    let maya = zt.authenticate(&office.token("maya", &long)).await.unwrap();
    let name = format!("{fault:?}");
    // Else the issuer answers that nothing changed, which no fault can spoil.
    office.sim.publish_ahead().unwrap();
    office.sim.fault(prefix, fault, u32::MAX);
    if prefix.contains("openid-configuration") {
        // The document is young; an answer that is none makes it be fetched again.
        let sets = format!("/{TENANT}/discovery/v2.0/");
        let (status, retry_after) = (500, None);
        office.sim.fault(
            &sets,
            Fault::Status {
                status,
                retry_after,
            },
            1,
        );
    }
    office.advance(REFRESH_S);
    let again = office.sign_in(&zt, "maya").await;
    until(&name, || only_health(&zt).failures > 0).await;
    if prefix.contains("openid-configuration") {
        office.advance(10);
        until(&name, || only_health(&zt).failures > 1).await;
    }
    let health = only_health(&zt);
    assert_eq!(health.state, KeyState::Stale, "{name}");
    assert!(health.error.is_some(), "{name}");
    assert!(zt.ready().is_ok(), "{name}: old keys are keys");
    for session in [&maya, &again] {
        let decision = session.check("model.infer", "model:car_loan_scorer");
        assert!(decision.is_ok_and(|found| found.is_allowed()), "{name}");
    }
    office.sign_in(&zt, "jonas").await;

    office.sim.clear_faults();
    office.advance(310);
    until(&name, || only_health(&zt).state == KeyState::Fresh).await;
    office.sign_in(&zt, "priya").await;
    until(&name, || recovery_is_recorded(&log(&zt))).await;
    office.assert_no_leaks(&[]);
}

fn recovery_is_recorded(records: &[Entry]) -> bool {
    let mut news = records
        .iter()
        .filter(|entry| entry.action == "issuer-keys" && entry.detail.contains_key("reason"))
        .map(|entry| entry.outcome.as_str());
    news.next() == Some("failed") && news.next() == Some("ok") && news.next().is_none()
}

async fn all_at_once(prefix: String, faults: Vec<Fault>) {
    let mut tests = Vec::new();
    for fault in faults {
        let prefix = prefix.clone();
        tests.push(tokio::spawn(async move {
            nobody_is_signed_out(&prefix, fault).await;
        }));
    }
    for test in tests {
        test.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_fault_of_the_key_set_signs_anybody_out() {
    let mut faults = faults();
    faults.extend([Fault::NoKeys, Fault::OtherCloud]);
    all_at_once(format!("/{TENANT}/discovery/v2.0/"), faults).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_fault_of_the_discovery_document_signs_anybody_out() {
    let document = format!("/{TENANT}/v2.0/.well-known/openid-configuration");
    all_at_once(document, faults()).await;
}

#[tokio::test]
async fn keys_that_nobody_could_confirm_for_a_day_prove_nothing() {
    let office = Office::new("");
    let zt = office.open().await;
    office.sign_in(&zt, "maya").await;
    office.sim.fault("/", Fault::Close, u32::MAX);
    office.advance(23 * 3600);
    office.sign_in(&zt, "maya").await;
    office.advance(3600);
    let token = office.token("maya", &TokenOptions::new());
    let refusal = office.refused(&zt, &token).await;
    assert_eq!(refusal.code(), Code::KeysUnavailable);
    assert_eq!(zt.ready().unwrap_err().code(), Code::KeysUnavailable);
    office.sim.clear_faults();
    office.advance(310);
    until("the keys are back", || zt.ready().is_ok()).await;
    assert!(zt.authenticate(&token).await.is_ok());
}

/// A runtime that has kept its keys and ended.
async fn ended() -> Office {
    let office = Office::new("");
    let zt = office.open().await;
    office.sign_in(&zt, "maya").await;
    let kept = kept(&office);
    until("the keys are kept", || kept.exists()).await;
    zt.close(Duration::from_secs(60)).await.unwrap();
    office.sim.fault("/", Fault::Close, u32::MAX);
    office
}

fn kept(office: &Office) -> std::path::PathBuf {
    office.path(&format!(".zt/issuer-keys/public-{TENANT}-2.0.json"))
}

#[tokio::test]
async fn a_restart_during_an_outage_works_from_the_kept_keys() {
    let office = ended().await;
    let zt = office.builder().unwrap().open().await.unwrap();
    office.sign_in(&zt, "maya").await;
    assert!(zt.ready().is_ok());
    until("it asks beside", || only_health(&zt).failures > 0).await;
    office.sign_in(&zt, "jonas").await;
    office.assert_no_leaks(&[]);
}

#[tokio::test]
async fn kept_keys_that_were_changed_are_not_used() {
    let office = ended().await;
    let file = kept(&office);
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.len() - 3;
    bytes[last] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let zt = office.builder().unwrap().open().await.unwrap();
    let token = office.token("maya", &TokenOptions::new());
    assert_eq!(zt.ready().unwrap_err().code(), Code::KeysUnavailable);
    let refusal = office.refused(&zt, &token).await;
    assert_eq!(refusal.code(), Code::KeysUnavailable);
    office.sim.clear_faults();
    office.advance(310);
    until("the issuer is back", || zt.ready().is_ok()).await;
    assert!(zt.authenticate(&token).await.is_ok());
}

#[tokio::test]
async fn kept_keys_of_more_than_a_day_ago_are_not_used() {
    let office = ended().await;
    office.advance(24 * 3600);
    let zt = office.builder().unwrap().open().await.unwrap();
    let token = office.token("maya", &TokenOptions::new());
    let refusal = office.refused(&zt, &token).await;
    assert_eq!(refusal.code(), Code::KeysUnavailable);
}
