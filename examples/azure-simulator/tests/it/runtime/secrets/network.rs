//! By which path a vault is reached: rows of Network_Rules, and what the vault says of the way.

use std::net::Ipv4Addr;
use std::time::Duration;

use zt_azure_simulator::NetworkInfo;
use zt_core::Code;
use zt_core::secrets::SlotState;

use super::super::office::Office;
use super::{HOST, KEY, Scene, TTL, VALUE};

const ROW: &str = "host = \"kv-brindlewick-prod.vault.azure.net\"";
const NO_ROW: &str = "host = \"kv-elsewhere.vault.azure.net\"";
const ENDPOINT: &str = "private_endpoint = \"pe-kv-brindlewick\"";

fn require(office: &Office) {
    office.edit_tables(ENDPOINT, &format!("{ENDPOINT}\nprivate_link = \"require\""));
}

fn slot(scene: &Scene) -> SlotState {
    let status = scene.zt.status();
    let mut slots = status.secrets.slots.iter();
    slots.find(|one| one.name == KEY).unwrap().state
}

#[tokio::test]
async fn a_vault_without_a_row_is_never_called() {
    let scene = Scene::open_after(|office| office.edit_tables(ROW, NO_ROW)).await;
    let error = scene.fails().await;
    assert_eq!(error.code(), Code::NetworkRefused);
    assert!(error.to_string().contains(HOST), "{error}");
    let handle = scene.job.secret_handle(KEY);
    assert_eq!(handle.get().await.unwrap_err().code(), Code::NetworkRefused);
    let refreshed = scene.job.refresh_secret(KEY).await;
    assert_eq!(refreshed.unwrap_err().code(), Code::NetworkRefused);
    assert_eq!((scene.requests(), scene.calls()), ((0, 0), 0));
    assert_eq!(slot(&scene), SlotState::Forbidden);
}

#[tokio::test]
async fn a_row_that_goes_takes_the_cached_value_along_and_one_that_comes_back_lets_it_be_read() {
    let scene = Scene::open().await;
    let handle = scene.job.secret_handle(KEY);
    assert_eq!(scene.reads(VALUE).await, None);
    let _held = handle.get().await.unwrap();
    scene.office.edit_tables(ROW, NO_ROW);
    assert_eq!(
        scene.reads(VALUE).await,
        None,
        "not before the tables are read"
    );
    scene.zt.reload().await.unwrap();
    let asked = scene.requests();
    assert_eq!(scene.fails().await.code(), Code::NetworkRefused);
    assert_eq!(handle.get().await.unwrap_err().code(), Code::NetworkRefused);
    assert_eq!(slot(&scene), SlotState::Forbidden);
    assert_eq!(scene.requests(), asked);
    scene.office.edit_tables(NO_ROW, ROW);
    scene.zt.reload().await.unwrap();
    assert_eq!(scene.reads(VALUE).await, None);
    assert!(handle.get().await.unwrap().reveal() == VALUE.as_bytes());
    assert_eq!(scene.requests().1, asked.1 + 1, "fetched anew");
}

/// What a vault may say of the way, other than what the row requires.
fn other_ways() -> Vec<(&'static str, NetworkInfo)> {
    let lie = "conn_type=PrivateLink;addr=10.20.4.5;act_addr_fam=InterNetworkV6;";
    vec![
        ("nothing", NetworkInfo::Absent),
        (
            "public",
            NetworkInfo::Public(Ipv4Addr::new(72, 68, 182, 20)),
        ),
        ("a lie", NetworkInfo::Text(lie.to_owned())),
        ("nonsense", NetworkInfo::Text("conn_type;;=".to_owned())),
        (
            "other endpoint",
            NetworkInfo::private_endpoint("pe-of-somebody"),
        ),
    ]
}

#[tokio::test]
async fn a_way_that_is_not_proven_sees_no_token() {
    for (name, info) in other_ways() {
        let scene = Scene::open_after(|office| {
            require(office);
            office.sim.vault(super::VAULT).set_network(info).unwrap();
        })
        .await;
        let error = scene.fails().await;
        assert_eq!(error.code(), Code::NetworkRefused, "{name}: {error}");
        assert!(error.to_string().contains("NR-01"), "{name}: {error}");
        assert_eq!(
            scene.requests(),
            (1, 0),
            "{name}: a request without a token"
        );
        scene.fails().await;
        assert_eq!(scene.requests().1, 0, "{name}");
        let proven = NetworkInfo::private_endpoint("pe-kv-brindlewick");
        scene.vault().set_network(proven).unwrap();
        scene.office.advance(1);
        let secret = scene.read().await.unwrap();
        assert_eq!(secret.path_proof(), "private_link", "{name}");
    }
}

#[tokio::test]
async fn a_way_that_is_not_proven_any_more_ends_no_value_and_brings_none() {
    for (name, info) in other_ways() {
        let scene = Scene::open_after(require).await;
        assert_eq!(scene.reads(VALUE).await, None);
        scene
            .vault()
            .set_secret(KEY, "zt-needle-by-another-way")
            .unwrap();
        scene.vault().set_network(info).unwrap();
        scene.office.advance(TTL + 1);
        let over = Some(Duration::from_secs(1));
        assert_eq!(scene.reads(VALUE).await, over, "{name}");
        let (_, with_token) = scene.requests();
        for _ in 0..3 {
            // The vault is known, so one request had a token before its way was.
            let refreshed = scene.job.refresh_secret(KEY).await;
            let error = refreshed.unwrap_err();
            assert_eq!(error.code(), Code::NetworkRefused, "{name}");
            assert_eq!(scene.requests().1, with_token, "{name}: none has one now");
            scene.office.advance(1);
        }
        let over = Some(Duration::from_secs(4));
        assert_eq!(scene.reads(VALUE).await, over, "{name}");
    }
}

#[tokio::test]
async fn without_a_demand_the_record_says_how_the_way_was() {
    for (info, expected) in [
        (NetworkInfo::Absent, "unproven"),
        (
            NetworkInfo::Public(Ipv4Addr::new(72, 68, 182, 20)),
            "public",
        ),
        (NetworkInfo::private_endpoint("pe-of-somebody"), "unproven"),
        (
            NetworkInfo::private_endpoint("pe-kv-brindlewick"),
            "private_link",
        ),
    ] {
        let scene = Scene::open().await;
        scene.vault().set_network(info).unwrap();
        assert_eq!(scene.read().await.unwrap().path_proof(), expected);
    }
}
