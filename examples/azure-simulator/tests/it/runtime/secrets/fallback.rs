//! A second vault for when the first gives no answer.

use zt_azure_simulator::{Fault, NetworkInfo, Right};
use zt_core::Code;

use super::super::office::{Office, end};
use super::{KEY, LONG, Scene, TTL, VALUE, VAULT};

const SECOND: &str = "kv-brindlewick-dr";
const URL: &str = "https://kv-brindlewick-dr.vault.azure.net";
const OTHER: &str = "zt-needle-of-the-second";

fn with_second(office: &Office) {
    let row = "name = \"bureau-api-key\"";
    office.edit_tables(row, &format!("{row}\nfallback_vault = \"{URL}\""));
    office.add_rows(
        "[[Network_Rules]]\nid = \"NR-DR\"\nhost = \"kv-brindlewick-dr.vault.azure.net\"\nmode = \"private_only\"\ncidrs = [\"10.30.4.0/26\"]",
    );
    let vault = office.sim.make_vault(SECOND).unwrap();
    vault
        .set_network(NetworkInfo::private_endpoint("pe-kv-dr"))
        .unwrap();
    vault.grant("sp-score-201", &[Right::SecretsGet]).unwrap();
}

#[tokio::test]
async fn the_second_vault_answers_while_the_first_is_down_and_then_the_first_again() {
    let scene = Scene::open_after(with_second).await;
    let second = scene.office.sim.vault(SECOND);
    second.set_secret(KEY, OTHER).unwrap();
    scene.spoil(Fault::Close);
    assert_eq!(scene.reads(OTHER).await, None);
    let counts = scene.zt.status().secrets.counts;
    assert_eq!((counts.fetches, counts.failovers), (2, 1));
    assert_eq!(scene.reads(OTHER).await, None);
    assert_eq!(scene.calls(), 2, "its value has a TTL as any other");

    scene.office.sim.clear_faults();
    scene.office.advance(LONG);
    assert_eq!(scene.reads(VALUE).await, None, "the first is asked first");
    assert_eq!(second.secret_gets(KEY), 1);
    let office = scene.office;
    drop(scene.job);
    let records = end(scene.zt).await;
    let released = records.iter().filter(|one| one.kind == "release");
    let vaults: Vec<_> = released
        .map(|one| one.detail.get("vault").cloned())
        .collect();
    assert_eq!(vaults, [Some(URL.to_owned()), None]);
    office.assert_no_leaks(&[OTHER, VALUE]);
}

#[tokio::test]
async fn what_the_second_vault_does_not_have_is_no_answer() {
    let scene = Scene::open_after(with_second).await;
    let second = scene.office.sim.vault(SECOND);
    assert_eq!(scene.reads(VALUE).await, None);
    scene.office.advance(TTL + 1);
    scene.spoil(Fault::Close);
    assert!(
        scene.reads(VALUE).await.is_some(),
        "a 404 there ends nothing"
    );
    assert_eq!(second.secret_gets(KEY), 1);
    scene.office.advance(10);
    assert!(scene.reads(VALUE).await.is_some());

    scene.zt.invalidate(KEY).unwrap();
    let error = scene.fails().await;
    assert_eq!(
        error.code(),
        Code::VaultUnavailable,
        "the first one's word: {error}"
    );
    scene.office.sim.clear_faults();
    scene.office.advance(LONG);
    assert_eq!(scene.reads(VALUE).await, None, "and no 'no' is remembered");
}

#[tokio::test]
async fn a_refusal_of_the_first_vault_is_the_answer() {
    let scene = Scene::open_after(with_second).await;
    let second = scene.office.sim.vault(SECOND);
    second.set_secret(KEY, OTHER).unwrap();
    scene
        .vault()
        .revoke("sp-score-201", &[Right::SecretsGet])
        .unwrap();
    assert_eq!(scene.fails().await.code(), Code::Config);
    scene.vault().delete_secret(KEY).unwrap();
    assert_eq!(scene.fails().await.code(), Code::Config);
    assert_eq!(second.secret_gets(KEY), 0, "no way around it");
}

#[tokio::test]
async fn while_the_gate_of_the_first_is_closed_the_second_answers_at_once() {
    let scene = Scene::open_after(with_second).await;
    let second = scene.office.sim.vault(SECOND);
    second.set_secret(KEY, OTHER).unwrap();
    let busy = Fault::Status {
        status: 429,
        retry_after: Some(60),
    };
    scene.spoil(busy);
    assert_eq!(scene.reads(OTHER).await, None);
    let host = format!("{VAULT}.vault.azure.net");
    let to_first = || {
        let all = scene.office.sim.requests();
        all.iter().filter(|one| one.host == host).count()
    };
    let asked = to_first();
    scene.zt.invalidate(KEY).unwrap();
    assert_eq!(scene.reads(OTHER).await, None);
    assert_eq!((to_first(), second.secret_gets(KEY)), (asked, 2));
}
