//! An audit key in the simulated Key Vault: over real sockets, through Azure's own SDK, as whoever the process is.

use std::time::Duration;

use zt_azure_simulator::{KeyKind, Right};
use zt_core::audit::{PublicKey, VerifyOptions, verify_with};
use zt_core::envelope::DeterministicKey;
use zt_core::id::SecretRef;
use zt_core::secrets::SecretId;
use zt_core::{Code, Runtime, runtime};

use super::office::{Office, ready, until};

const VAULT: &str = "kv-brindlewick-prod";
/// Whom the simulated metadata endpoint gives tokens for.
const MACHINE: &str = "mi-adf-brindlewick";
const SETTING: &str = "[audit]\ncheckpoint_vault_key = \"https://kv-brindlewick-prod.vault.azure.net/keys/checkpoints\"";

fn office() -> Office {
    let office = Office::new(SETTING);
    let vault = office.sim.vault(VAULT);
    vault.make_key("checkpoints", KeyKind::P256).unwrap();
    vault.ready_key("checkpoints").unwrap();
    vault
        .grant("zt", &[Right::KeysGet, Right::KeysSign])
        .unwrap();
    office
}

async fn open(office: &Office) -> Runtime {
    let builder = office.builder().unwrap();
    let builder = builder.with_credential(office.credential("zt"));
    let zt = builder.open().await.unwrap();
    ready(&zt).await;
    zt
}

/// What `zt audit key` would print.
fn published(office: &Office) -> PublicKey {
    let point = office.sim.vault(VAULT).key_point("checkpoints").unwrap();
    PublicKey::from_point(&point).unwrap()
}

#[tokio::test]
async fn the_key_in_the_vault_vouches_for_the_whole_log() {
    let office = office();
    let vault = office.sim.vault(VAULT);
    let zt = open(&office).await;
    let folder = zt.audit_folder();
    zt.close(Duration::from_secs(60)).await.unwrap();
    assert!(!office.path(".zt/audit.key").exists());
    let trusted = VerifyOptions::new().with_key(published(&office));
    let found = verify_with(&folder, &trusted).unwrap();
    assert!(found.is_intact(), "{found:?}");
    // A tool is the machine's managed identity, and asks the vault too.
    vault.grant(MACHINE, &[Right::KeysGet]).unwrap();
    let config = runtime::Config::load(office.path("")).unwrap();
    let told = runtime::audit_key(&config).await.unwrap();
    assert_eq!(told, Some(published(&office)));
    assert_eq!(found.unsigned(), 0, "{found:?}");
    office.assert_no_leaks(&[]);
}

#[tokio::test]
async fn a_vault_that_refuses_to_sign_delays_nothing_and_shows() {
    let office = office();
    office
        .sim
        .vault(VAULT)
        .revoke("zt", &[Right::KeysSign])
        .unwrap();
    let zt = open(&office).await;
    until("the failure shows", || {
        zt.status().audit.checkpoint_error.is_some()
    })
    .await;
    let why = zt.status().audit.checkpoint_error.unwrap();
    assert!(why.contains("ForbiddenByRbac"), "{why}");
    office.sign_in(&zt, "maya").await;
    let folder = zt.audit_folder();
    zt.close(Duration::from_secs(60)).await.unwrap();
    let trusted = VerifyOptions::new().with_key(published(&office));
    let found = verify_with(&folder, &trusted).unwrap();
    assert!(!found.is_intact(), "no checkpoint is vouched for");
    office.assert_no_leaks(&[]);
}

#[tokio::test]
async fn a_setting_that_names_no_key_or_two_is_refused() {
    for (setting, expected) in [
        (
            "checkpoint_vault_key = \"checkpoints\"",
            "must be `https://VAULT/keys/NAME`",
        ),
        (
            "checkpoint_vault_key = \"http://kv-brindlewick-prod.vault.azure.net/keys/a\"",
            "must be `https://VAULT/keys/NAME`",
        ),
        (
            "checkpoint_vault_key = \"https://kv-brindlewick-prod.vault.azure.net/keys/a/1\"",
            "VERSION",
        ),
        (
            "checkpoint_vault_key = \"https://kv-brindlewick-prod.vault.azure.net/keys/a.b\"",
            "must be",
        ),
        (
            "checkpoint_key = \"audit.key\"\ncheckpoint_vault_key = \"https://kv-brindlewick-prod.vault.azure.net/keys/a\"",
            "one key vouches",
        ),
    ] {
        let office = Office::new(&format!("[audit]\n{setting}"));
        let error = office.builder().unwrap().open().await.unwrap_err();
        assert_eq!(error.code(), Code::Config, "{setting}");
        assert!(error.to_string().contains(expected), "{error}");
        let config = runtime::Config::load(office.path("")).unwrap();
        assert!(runtime::audit_key(&config).await.is_err());
    }
}

#[tokio::test]
async fn a_tool_wraps_the_key_of_deterministic_columns_in_the_vault() {
    let office = Office::new("[vault]\nstore = \"key_vault\"");
    let vault = office.sim.vault(VAULT);
    vault.ready_key("scores-kek").unwrap();
    let snapshot = {
        let config = runtime::Config::load(office.path("")).unwrap();
        runtime::tables(&config).await.unwrap().current()
    };
    let config = runtime::Config::load(office.path("")).unwrap();
    let keys = runtime::key_wrapper(&config, &snapshot).unwrap();
    let row = snapshot
        .secret_reference(&SecretRef::new("scores-kek"))
        .unwrap();
    let id = SecretId::new(row.vault.clone(), row.name.clone());
    let reference = SecretRef::new("scores-kek");
    vault.grant(MACHINE, &[Right::KeysGet]).unwrap();
    let made = DeterministicKey::create(&*keys, &id, "ER-01", &reference)
        .await
        .unwrap();
    // Who only wraps cannot wrap it again under another version: that needs the key itself.
    vault.revoke(MACHINE, &[Right::KeysUnwrap]).unwrap();
    assert!(made.rewrap(&*keys, &id).await.is_err());
    vault.grant(MACHINE, &[Right::KeysUnwrap]).unwrap();
    let again = made.rewrap(&*keys, &id).await.unwrap();
    assert_ne!(made.to_string(), again.to_string());
}
