//! Keys that come and go at the issuer while callers sign in.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use zt_azure_simulator::TokenOptions;
use zt_core::audit::Entry;
use zt_core::{Code, ErrorKind};

use super::office::{Office, end, only_health, until};
use crate::client::{API, TENANT};

/// Longer than the shortest time between a fetch and one for an unknown key.
const GAP_S: u64 = 31;

fn key_sets() -> String {
    format!("/{TENANT}/discovery/v2.0/")
}

#[tokio::test]
async fn after_a_rotation_the_next_token_is_accepted_at_once() {
    let office = Office::new("");
    let zt = office.open().await;
    let before = office.sign_in(&zt, "maya").await;
    for rotation in 1..=3 {
        office.advance(GAP_S);
        let kid = office.sim.rotate().unwrap();
        let token = office.token("jonas", &TokenOptions::new());
        let jonas = zt.authenticate(&token).await.unwrap();
        assert_eq!(&*jonas.caller().token().unwrap().kid, kid);
        assert_eq!(office.sim.count(&key_sets()), 1 + rotation);
    }
    let decision = before.check("model.infer", "model:car_loan_scorer");
    assert!(decision.unwrap().is_allowed(), "an older session goes on");
    office.assert_no_leaks(&[]);
}

#[tokio::test]
async fn a_key_published_ahead_costs_no_fetch_when_it_signs() {
    let office = Office::new("");
    let ahead = office.sim.publish_ahead().unwrap();
    let zt = office.open().await;
    assert_eq!(office.sim.rotate().unwrap(), ahead);
    let maya = office.sign_in(&zt, "maya").await;
    assert_eq!(&*maya.caller().token().unwrap().kid, ahead);
    assert_eq!(office.sim.count(&key_sets()), 1);
}

#[tokio::test]
async fn a_key_that_signs_unannounced_is_refused_no_longer_than_until_the_next_fetch() {
    let office = Office::new("");
    let zt = office.open().await;
    office.sim.rotate().unwrap();
    let token = office.token("maya", &TokenOptions::new());
    // The set is seconds old, and strangers must not make us fetch more often.
    let refusal = office.refused(&zt, &token).await;
    assert_eq!(refusal.code(), Code::InvalidToken);
    assert_eq!(office.sim.count(&key_sets()), 1);
    office.advance(GAP_S);
    assert!(zt.authenticate(&token).await.is_ok());
}

#[tokio::test]
async fn a_retired_key_is_dropped_by_a_purge_and_its_callers_with_it() {
    let office = Office::new("");
    let zt = office.open().await;
    let old = office.sim.current_key();
    let token = office.token("maya", &TokenOptions::new());
    zt.authenticate(&token).await.unwrap();
    office.advance(GAP_S);
    office.sim.rotate().unwrap();
    office.sim.retire(&old).unwrap();
    office.sign_in(&zt, "jonas").await;
    let still = zt.authenticate(&token).await;
    assert!(still.is_ok(), "one set without a key proves little");

    zt.purge_keys().unwrap();
    let refusal = office.refused(&zt, &token).await;
    assert_eq!(refusal.kind(), ErrorKind::Unauthenticated);
    office.sign_in(&zt, "jonas").await;
    let records = end(zt).await;
    assert!(records.iter().any(|entry| entry.action == "purge-keys"));
    let dropped = |entry: &Entry| entry.detail.get("dropped") == Some(&old);
    assert!(records.iter().any(dropped), "the log names the key");
}

#[tokio::test]
async fn a_purge_drops_what_the_issuer_retired_since_the_last_fetch() {
    let office = Office::new("");
    let zt = office.open().await;
    let stolen = office.sim.current_key();
    office.sim.rotate().unwrap();
    office.sim.retire(&stolen).unwrap();
    let forged = office.token("priya", &TokenOptions::new().signed_with(&stolen));
    assert!(zt.authenticate(&forged).await.is_ok(), "nobody knows yet");
    office.advance(1);
    zt.purge_keys().unwrap();
    let is_fetched = || only_health(&zt).age == Some(Duration::ZERO);
    until("the set is fetched", is_fetched).await;
    let refusal = office.refused(&zt, &forged).await;
    assert_eq!(refusal.kind(), ErrorKind::Unauthenticated, "{refusal}");
    office.sign_in(&zt, "priya").await;
}

#[tokio::test]
async fn keys_of_another_cloud_in_the_set_never_verify() {
    let office = Office::new("");
    let foreign = office.sim.foreign_keys().unwrap();
    let zt = office.open().await;
    let options = TokenOptions::new().signed_with(&foreign);
    for wait in [0, GAP_S, GAP_S, 3600] {
        office.advance(wait);
        let refusal = office.refused(&zt, &office.token("priya", &options)).await;
        assert_eq!(refusal.kind(), ErrorKind::Unauthenticated, "{refusal}");
    }
    let cloud = options.with_cloud(zt_azure_simulator::Cloud::UsGov);
    let refusal = office.refused(&zt, &office.token("priya", &cloud)).await;
    assert_eq!(refusal.kind(), ErrorKind::Unauthenticated, "{refusal}");
    office.sign_in(&zt, "priya").await;
}

#[tokio::test]
async fn strangers_keys_cost_one_fetch_in_thirty_seconds() {
    let office = Office::new("");
    let zt = office.open().await;
    office.advance(GAP_S);
    for _ in 0..5 {
        let stranger = Office::new("");
        let forged = stranger.token("priya", &TokenOptions::new());
        let refusal = office.refused(&zt, &forged).await;
        assert_eq!(refusal.code(), Code::InvalidToken);
        office.sign_in(&zt, "maya").await;
    }
    assert_eq!(office.sim.count(&key_sets()), 2);
}

/// Each tenant and format has a set of its own; a new key in one of them must not stop the callers of the others.
#[tokio::test]
async fn a_rotation_reaches_the_callers_of_every_tenant_and_format() {
    let office = super::tenants::three_tenants();
    let v1 = TokenOptions::new().in_v1_form(true);
    let settings = super::tenants::SETTINGS;
    office.configure(&office.config(&format!("{settings}\napp_id_uri = \"api://{API}\"")));
    let zt = office.open().await;
    let v2 = TokenOptions::new();
    for _ in 0..2 {
        office.advance(GAP_S);
        office.sim.rotate().unwrap();
        for (name, options) in [("maya", &v2), ("maya", &v1), ("pia", &v2), ("pia", &v1)] {
            let token = office.token(name, options);
            let caller = zt.authenticate(&token).await;
            assert!(caller.is_ok(), "{name} {options:?}: {caller:?}");
        }
    }
}

/// Tells the callers to end, also when the test fails.
struct Over(Arc<AtomicBool>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 10)]
async fn ten_callers_at_once_are_not_refused_during_rotations() {
    let office = Arc::new(Office::new(""));
    let zt = office.open().await;
    let over = Over(Arc::default());
    let callers = (0..10).map(|caller| {
        let (office, zt, is_over) = (Arc::clone(&office), zt.clone(), Arc::clone(&over.0));
        tokio::spawn(async move {
            let names = ["maya", "jonas", "elin", "priya", "tomasz"];
            let mut count = 0_usize;
            while !is_over.load(Ordering::Acquire) || count < 10 {
                let name = names[(caller + count) % names.len()];
                let token = office.token(name, &TokenOptions::new());
                let session = zt.authenticate(&token).await;
                let session = session.map_err(|why| why.to_string())?;
                assert_eq!(session.name(), format!("user:{name}"));
                count += 1;
                tokio::task::yield_now().await;
            }
            Ok::<usize, String>(count)
        })
    });
    let callers: Vec<_> = callers.collect();
    // An hour has twelve fetches for unknown keys at most, and after the first few they are five minutes apart.
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        office.advance(301);
        let kid = office.sim.rotate().unwrap();
        let token = office.token("ines", &TokenOptions::new().signed_with(&kid));
        let ines = zt.authenticate(&token).await;
        assert!(ines.is_ok(), "{ines:?}");
    }
    drop(over);
    for caller in callers {
        assert!(caller.await.unwrap().unwrap() >= 10);
    }
    assert_eq!(only_health(&zt).failures, 0);
}
