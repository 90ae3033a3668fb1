//! What is asked of the vault, when, and by whom; and what becomes of what is held.

use std::sync::Arc;

use zt_azure_simulator::{Fault, KeyKind, Right};
use zt_core::envelope::KEY_COLUMN;
use zt_core::{Code, ErrorKind};

use super::super::office::end;
use super::{HOST, KEY, NEEDLE, OUTPUT, STALE, Scene, TTL, scores, without};

const ROW: &str = "host = \"kv-brindlewick-prod.vault.azure.net\"";
const NO_ROW: &str = "host = \"kv-elsewhere.vault.azure.net\"";

#[tokio::test]
async fn a_hundred_seals_cost_one_get_and_a_thousand_openers_of_their_rows_one_unwrap_for_each_key()
{
    let scene = Scene::open().await;
    let mut all = Vec::new();
    for _ in 0..100 {
        all.push(scene.seal().await.unwrap());
    }
    assert_eq!(scene.requests(), (1, 0, 0));
    for _ in 0..10 {
        for sealed in &all {
            scene.opens(sealed).await;
        }
    }
    assert_eq!(scene.requests(), (1, 100, 0));
    let status = scene.zt.status().data_keys;
    assert_eq!((status.held, status.hits, status.misses), (100, 900, 100));
    let text = all[0].to_csv();
    assert!(!text.contains("needle"));
    let entries = end(scene.zt).await;
    let opens: Vec<_> = entries
        .iter()
        .filter(|one| one.action == "data.open")
        .collect();
    let releases: Vec<_> = opens
        .iter()
        .filter(|one| one.detail.contains_key("keys"))
        .collect();
    assert_eq!(releases.len(), 1000, "every opener is recorded");
    let cached = releases.iter().filter(|one| one.detail["cached"] == "1");
    assert_eq!(cached.count(), 900);
    assert!(
        releases
            .iter()
            .all(|one| one.detail["path"] == "private_link")
    );
    assert!(
        releases
            .iter()
            .all(|one| one.detail.contains_key("client_request_id"))
    );
    scene.office.assert_no_leaks(&[NEEDLE]);
}

#[tokio::test]
async fn who_may_only_get_the_key_seals_and_opens_nothing() {
    let reader = Scene::open().await;
    without(
        &reader,
        "sp-score-201",
        &[Right::KeysWrap, Right::KeysUnwrap],
    );
    let writer = Scene::of(Arc::clone(&reader.office), "sp-score-201").await;
    let sealed = writer.seal().await.unwrap();
    let error = writer.does_not_open(&sealed).await;
    assert_eq!(error.code(), Code::Config);
    assert!(error.to_string().contains("keys/unwrapKey"), "{error}");
    assert!(
        error.to_string().contains(&format!("{HOST}/keys/{KEY}/")),
        "{error}"
    );
    reader.opens(&sealed).await;
    reader.office.assert_no_leaks(&[NEEDLE]);
}

#[tokio::test]
async fn a_vault_that_is_down_stops_neither_sealing_nor_opening_for_a_bounded_time() {
    let mut scene = Scene::open().await;
    let sealed = scene.seal().await.unwrap();
    scene.opens(&sealed).await;
    scene.spoil(Fault::Close);
    scene.later(TTL + 1).await;
    let another = scene.seal().await.unwrap();
    scene.opens(&sealed).await;
    let error = scene.does_not_open(&another).await;
    assert!(
        matches!(error.kind(), ErrorKind::Unavailable { .. }),
        "{error}"
    );
    scene.later(STALE).await;
    for error in [
        scene.does_not_seal().await,
        scene.does_not_open(&sealed).await,
    ] {
        assert!(
            matches!(error.kind(), ErrorKind::Unavailable { .. }),
            "{error}"
        );
    }
    scene.office.sim.clear_faults();
    scene.later(super::LONG).await;
    scene.opens(&sealed).await;
    scene.opens(&another).await;
    let entries = end(scene.zt).await;
    let stale = entries.iter().filter(|one| one.action == "data.open");
    let stale = stale.filter(|one| one.detail.get("stale_min").is_some_and(|min| min == "1"));
    assert_eq!(stale.count(), 1);
}

#[tokio::test]
async fn a_rotation_rewrites_nothing() {
    let mut scene = Scene::open().await;
    let old = scene.seal().await.unwrap();
    let second = scene.rotate(KeyKind::Rsa3072);
    scene.zt.invalidate(KEY).unwrap();
    let new = scene.seal().await.unwrap();
    scene.rotate(KeyKind::Rsa2048);
    scene.later(TTL + 1).await;
    let newest = scene.seal().await.unwrap();
    for sealed in [&old, &new, &newest] {
        scene.opens(sealed).await;
    }
    assert!(old.column(KEY_COLUMN).is_some());
    let entries = end(scene.zt).await;
    let seals = entries.iter().filter(|one| one.action == "data.seal");
    let versions: Vec<_> = seals.filter_map(|one| one.detail.get("version")).collect();
    assert_eq!(versions.len(), 3);
    assert_eq!(*versions[1], second);
    assert!(versions[0] != versions[1] && versions[1] != versions[2]);
}

#[tokio::test]
async fn an_expired_key_opens_and_a_disabled_one_does_neither() {
    let mut scene = Scene::open().await;
    let sealed = scene.seal().await.unwrap();
    let now = scene.office.now().as_secs();
    scene.vault().expire_key(KEY, Some(now + 10)).unwrap();
    scene.zt.invalidate(KEY).unwrap();
    scene.seal().await.unwrap();
    scene.later(11).await;
    let error = scene.does_not_seal().await;
    assert_eq!(error.code(), Code::NotFound);
    assert!(
        error.message().contains("expired"),
        "within its TTL: {error}"
    );
    scene.opens(&sealed).await;
    scene.vault().expire_key(KEY, None).unwrap();
    scene.vault().enable_key(KEY, false).unwrap();
    scene.later(TTL + 1).await;
    for error in [
        scene.does_not_seal().await,
        scene.does_not_open(&sealed).await,
    ] {
        assert_eq!(error.code(), Code::NotFound, "{error}");
        assert!(error.message().contains("is disabled"), "{error}");
    }
    scene.vault().enable_key(KEY, true).unwrap();
    scene.later(TTL + 1).await;
    scene
        .vault()
        .delay_key(KEY, Some(scene.office.now().as_secs() + 100))
        .unwrap();
    scene.opens(&sealed).await;
    let error = scene.does_not_seal().await;
    assert!(error.message().contains("wraps nothing before"), "{error}");
}

#[tokio::test]
async fn a_right_that_is_withdrawn_at_the_vault_ends_within_the_ttl_and_at_our_policy_at_once() {
    let mut scene = Scene::open().await;
    let sealed = scene.seal().await.unwrap();
    scene.opens(&sealed).await;
    without(&scene, "zt", &[Right::KeysUnwrap]);
    scene.opens(&sealed).await;
    scene.later(TTL + 1).await;
    assert_eq!(scene.does_not_open(&sealed).await.code(), Code::Config);
    assert_eq!(scene.zt.status().data_keys.held, 0);
    scene.vault().grant("zt", &[Right::KeysUnwrap]).unwrap();
    scene.later(TTL + 1).await;
    scene.opens(&sealed).await;

    let before = scene.requests();
    scene.office.add_rows(&format!(
        "[[Access_Policies]]\nid = \"AP-99\"\nprincipal = \"*\"\naction = \"data.open\"\nresource = \"output:{OUTPUT}\"\neffect = \"deny\""
    ));
    scene.zt.reload().await.unwrap();
    assert!(scene.does_not_open(&sealed).await.is_denied());
    assert_eq!(scene.requests(), before, "who is denied asks nobody");
}

#[tokio::test]
async fn a_vault_without_a_row_is_never_asked_and_what_it_gave_is_wiped() {
    let scene = Scene::open().await;
    let sealed = scene.seal().await.unwrap();
    scene.opens(&sealed).await;
    scene.office.edit_tables(ROW, NO_ROW);
    scene.zt.reload().await.unwrap();
    let before = scene.requests();
    for error in [
        scene.does_not_seal().await,
        scene.does_not_open(&sealed).await,
    ] {
        assert_eq!(error.code(), Code::NetworkRefused, "{error}");
    }
    assert_eq!(scene.zt.status().data_keys.held, 0);
    assert_eq!(scene.requests(), before);
    scene.office.edit_tables(NO_ROW, ROW);
    scene.zt.reload().await.unwrap();
    scene.opens(&sealed).await;
    assert_eq!(scene.requests().1, before.1 + 1);
}

#[tokio::test]
async fn a_closed_runtime_holds_nothing() {
    let scene = Scene::open().await;
    let sealed = scene.seal().await.unwrap();
    scene.opens(&sealed).await;
    let (zt, ines) = (scene.zt.clone(), scene.ines);
    end(scene.zt).await;
    assert_eq!(zt.status().data_keys.held, 0);
    let error = ines.opener(OUTPUT, &sealed).await.unwrap_err();
    assert_eq!(error.code(), Code::Closed);
    assert_eq!(scores().to_csv().matches("needle").count(), 1);
}
