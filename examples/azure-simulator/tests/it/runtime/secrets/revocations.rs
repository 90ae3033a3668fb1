//! Rights that are withdrawn, in the tables and at the vault.

use zt_azure_simulator::Right;
use zt_core::Code;

use super::super::office::end;
use super::{KEY, Scene, VALUE};

const GRANT: &str = "resource = \"secret:bureau-api-key\"\neffect = \"allow\"";
const DENIAL: &str = "resource = \"secret:bureau-api-key\"\neffect = \"deny\"";

#[tokio::test]
async fn a_grant_that_leaves_the_tables_ends_with_the_next_read() {
    let scene = Scene::open().await;
    let handle = scene.job.secret_handle(KEY);
    for _ in 0..3 {
        scene.reads(VALUE).await;
        let _held = handle.get().await.unwrap();
    }
    let asked = scene.requests();
    scene.office.edit_tables(GRANT, DENIAL);
    scene.zt.reload().await.unwrap();
    assert_eq!(handle.get().await.unwrap_err().code(), Code::Denied);
    assert_eq!(scene.fails().await.code(), Code::Denied);
    let refreshed = scene.job.refresh_secret(KEY).await;
    assert_eq!(refreshed.unwrap_err().code(), Code::Denied);
    scene.office.edit_tables(DENIAL, GRANT);
    scene.zt.reload().await.unwrap();
    assert!(handle.get().await.unwrap().reveal() == VALUE.as_bytes());
    assert_eq!(scene.reads(VALUE).await, None);
    assert_eq!(
        scene.requests(),
        asked,
        "the value was not flushed for that"
    );
}

#[tokio::test]
async fn the_right_belongs_to_the_stage_and_the_caller() {
    let scene = Scene::open().await;
    scene.reads(VALUE).await;
    let bare = scene.office.sign_in(&scene.zt, "sp-score-201").await;
    let others = [
        bare.clone(),
        bare.claiming(201, 1),
        bare.claiming(202, 2),
        scene
            .office
            .sign_in(&scene.zt, "maya")
            .await
            .claiming(201, 2),
    ];
    for other in others {
        let error = other.secret(KEY).await.unwrap_err();
        assert_eq!(error.code(), Code::Denied);
        let handle = other.secret_handle(KEY);
        assert_eq!(handle.get().await.unwrap_err().code(), Code::Denied);
    }
}

#[tokio::test]
async fn a_right_that_the_vault_withdraws_ends_the_value_with_the_next_refresh() {
    let scene = Scene::open().await;
    let handle = scene.job.secret_handle(KEY);
    scene.reads(VALUE).await;
    let _held = handle.get().await.unwrap();
    scene
        .vault()
        .revoke("sp-score-201", &[Right::SecretsGet])
        .unwrap();
    assert_eq!(scene.reads(VALUE).await, None, "within its TTL");
    let refreshed = scene.job.refresh_secret(KEY).await.unwrap_err();
    assert_eq!(refreshed.code(), Code::Config);
    assert!(
        refreshed.to_string().contains("ForbiddenByRbac"),
        "{refreshed}"
    );
    assert_eq!(scene.fails().await.code(), Code::Config);
    assert_eq!(handle.get().await.unwrap_err().code(), Code::Config);
    scene
        .vault()
        .grant("sp-score-201", &[Right::SecretsGet])
        .unwrap();
    assert_eq!(
        scene.fails().await.code(),
        Code::Config,
        "believed for 30 s"
    );
    scene.office.advance(31);
    assert_eq!(scene.reads(VALUE).await, None);
    let office = scene.office;
    drop((scene.job, handle));
    let records = end(scene.zt).await;
    let failed = records.iter().filter(|one| one.outcome == "failed");
    let named = failed.filter(|one| one.detail.contains_key("client_request_id"));
    assert!(
        named.count() > 0,
        "the record names the call that was refused"
    );
    office.assert_no_leaks(&[VALUE]);
}
