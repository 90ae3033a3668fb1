//! What goes well: a read, its record, repeats without a call, versions, refreshes, events, and how the process says it is.

use std::time::Duration;

use zt_core::Code;
use zt_core::audit::Entry;
use zt_core::secrets::{SecretVersion, SlotState};

use super::super::office::end;
use super::{HOST, KEY, Scene, TTL, VALUE};

/// The records of values that were handed out, oldest first.
fn releases(records: &[Entry]) -> Vec<&Entry> {
    let is_one = |one: &&Entry| one.kind == "release" && one.outcome == "ok";
    records.iter().filter(is_one).collect()
}

#[tokio::test]
async fn a_read_is_one_call_and_its_record_names_it() {
    let scene = Scene::open().await;
    let secret = scene.read().await.unwrap();
    assert!(secret.reveal() == VALUE.as_bytes());
    assert_eq!(
        (secret.path_proof(), secret.stale_for()),
        ("private_link", None)
    );
    assert_eq!(scene.requests(), (2, 1), "a challenge, and the value");
    assert_eq!(scene.reads(VALUE).await, None);
    let handle = scene.job.secret_handle(KEY);
    for _ in 0..10 {
        assert!(handle.get().await.unwrap().reveal() == VALUE.as_bytes());
    }
    assert_eq!(scene.requests(), (2, 1), "repeats make no call");

    let seen = scene.office.sim.requests();
    let call = seen.iter().find(|one| one.host == HOST && one.shows_token);
    let call = call.unwrap().clone();
    let peer = scene.office.sim.https_addr().to_string();
    let office = scene.office;
    drop((scene.job, handle));
    let records = end(scene.zt).await;
    let released = releases(&records);
    let first = released.first().unwrap();
    assert_eq!(first.caller.as_deref(), Some("sp:sp-score-201"));
    assert_eq!(first.resource, "secret:bureau-api-key");
    assert_eq!(first.policies, ["AP-07"]);
    let detail = |name: &str| first.detail.get(name).cloned();
    assert_eq!(detail("path").as_deref(), Some("private_link"));
    assert_eq!(detail("peer"), Some(peer));
    assert_eq!(detail("client_request_id"), call.client_request_id);
    assert!(detail("client_request_id").is_some());
    assert_eq!(detail("version"), Some(secret.version().to_string()));
    assert!(
        detail("private_endpoint")
            .unwrap()
            .ends_with("/pe-kv-brindlewick")
    );
    for name in ["request_id", "rbac_assignment", "region"] {
        assert!(detail(name).is_some_and(|text| !text.is_empty()), "{name}");
    }
    let counted = records.iter().filter(|one| one.kind == "counted");
    let counted = counted.filter(|one| one.of.as_deref() == Some("release"));
    let repeats: u64 = counted.filter_map(|one| one.count).sum();
    assert_eq!((released.len(), repeats), (1, 11));
    office.assert_no_leaks(&[VALUE]);
}

#[tokio::test]
async fn an_older_version_is_read_by_its_name_and_kept() {
    let scene = Scene::open().await;
    let vault = scene.vault();
    let old: SecretVersion = vault.secret_versions(KEY).unwrap()[0].parse().unwrap();
    vault.set_secret(KEY, "zt-needle-second").unwrap();
    assert_eq!(scene.reads("zt-needle-second").await, None);
    for _ in 0..2 {
        let secret = scene.job.secret_version(KEY, old).await.unwrap();
        assert!(secret.reveal() == VALUE.as_bytes());
        assert_eq!(secret.version(), old);
    }
    assert_eq!(vault.secret_gets(KEY), 2);
    let none = SecretVersion::from_u128(7);
    let error = scene.job.secret_version(KEY, none).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    let stranger = scene.office.sign_in(&scene.zt, "sp-train-202").await;
    let error = stranger.secret_version(KEY, old).await.unwrap_err();
    assert_eq!(error.code(), Code::Denied);
}

#[tokio::test]
async fn a_refresh_and_an_invalidation_ask_the_vault_and_a_ttl_ends() {
    let scene = Scene::open().await;
    let gets = || scene.vault().secret_gets(KEY);
    scene.reads(VALUE).await;
    scene.vault().set_secret(KEY, "zt-needle-2").unwrap();
    scene.reads(VALUE).await;
    let refreshed = scene.job.refresh_secret(KEY).await.unwrap();
    assert!(refreshed.reveal() == b"zt-needle-2");
    assert_eq!(gets(), 2);
    scene.vault().set_secret(KEY, "zt-needle-3").unwrap();
    let early = scene.job.refresh_secret(KEY).await.unwrap();
    assert!(early.reveal() == b"zt-needle-2", "once a second");
    scene.zt.invalidate(KEY).unwrap();
    scene.reads("zt-needle-3").await;
    assert_eq!(gets(), 3);
    scene.vault().set_secret(KEY, "zt-needle-4").unwrap();
    scene.office.advance(TTL);
    assert_eq!(scene.reads("zt-needle-4").await, None);
    assert_eq!(gets(), 4);
    let error = scene.zt.invalidate("no-such-row").unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
}

#[tokio::test]
async fn an_event_brings_the_new_version() {
    let scene = Scene::open().await;
    scene.reads(VALUE).await;
    let version = scene.vault().set_secret(KEY, "zt-needle-rotated").unwrap();
    let event = serde_json::json!([{
        "eventType": "Microsoft.KeyVault.SecretNewVersionCreated",
        "data": { "Id": format!("https://{HOST}/secrets/{KEY}/{version}") },
    }]);
    let delivery = scene
        .zt
        .on_secret_event(event.to_string().as_bytes())
        .unwrap();
    assert_eq!((delivery.taken.len(), delivery.ignored), (1, 0));
    scene.reads_at_last("zt-needle-rotated").await;
    assert_eq!(scene.vault().secret_gets(KEY), 2);
    let forged = event.to_string().replace(KEY, "of-nobody");
    let delivery = scene.zt.on_secret_event(forged.as_bytes()).unwrap();
    assert_eq!((delivery.taken.len(), delivery.ignored), (0, 1));
    assert_eq!(scene.vault().secret_gets(KEY), 2);
}

#[tokio::test]
async fn a_job_warms_what_it_may_read_and_nothing_else() {
    let scene = Scene::open().await;
    let names = [KEY, "sql-loans-password", "no-such-row"];
    let warmed = scene
        .job
        .warm(&names, Duration::from_secs(60))
        .await
        .unwrap();
    assert_eq!(warmed.ready, 1);
    let refused: Vec<_> = warmed
        .failed
        .iter()
        .map(|(at, why)| (*at, why.code()))
        .collect();
    assert_eq!(refused, [(1, Code::Denied), (2, Code::Denied)]);
    assert_eq!(scene.requests(), (2, 1));
    assert_eq!(scene.reads(VALUE).await, None);
    assert_eq!(scene.requests(), (2, 1));
}

#[tokio::test]
async fn the_status_names_the_slot_and_the_gate() {
    let scene = Scene::open().await;
    let version = scene.read().await.unwrap().version().to_string();
    scene.office.advance(7);
    let status = scene.zt.status();
    let slot = status.secrets.slots.iter().find(|one| one.name == KEY);
    let slot = slot.unwrap();
    assert_eq!((slot.state, slot.age_s), (SlotState::Fresh, Some(7)));
    assert_eq!(slot.version.as_ref(), Some(&version));
    assert_eq!((slot.failures, slot.last_error.as_deref()), (0, None));
    let gates = &status.secrets.gates;
    assert_eq!((gates.len(), gates[0].state), (1, "open"));
    assert_eq!(gates[0].vault, format!("https://{HOST}"));
    assert_eq!(status.secrets.counts.fetches, 1);
    let whole = format!("{status:?}{}", serde_json::to_string(&status).unwrap());
    assert!(!whole.contains("zt-needle-"));
}
