//! What a vault says about the way by which a request came in, and hosts that are no vault's.

use std::net::Ipv4Addr;

use zt_azure_simulator::NetworkInfo;

use super::{HOST, ask_as, get, open, refusal, token, vault};
use crate::client::secure;

const HEADER: &str = "x-ms-keyvault-network-info";

#[tokio::test]
async fn every_answer_tells_how_the_request_came_in() {
    let sim = open();
    vault(&sim).set_secret("one", "zt-needle-x").unwrap();
    let way = async || {
        let challenge = secure(&sim, HOST, "GET", "/secrets/one", &[], "").await;
        let challenge = challenge.unwrap();
        let refused = ask_as(&sim, "maya", "GET", "/secrets/one", "").await;
        let (missing, read) = (
            get(&sim, "/secrets/x").await,
            get(&sim, "/secrets/one").await,
        );
        let all = [challenge, refused, missing, read];
        let statuses = all.iter().map(|one| one.status).collect::<Vec<_>>();
        assert_eq!(statuses, [401, 403, 404, 200]);
        let ways = all.iter().map(|one| one.header(HEADER).map(str::to_owned));
        let ways: Vec<Option<String>> = ways.collect();
        assert!(ways.iter().all(|one| one == &ways[0]));
        ways[0].clone()
    };
    let endpoint = "/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/rg-brindlewick/providers/Microsoft.Network/privateEndpoints/pe-kv-tests";
    let private = format!(
        "conn_type=PrivateLink;private_endpoint={endpoint};addr=10.20.4.5;act_addr_fam=InterNetworkV6;"
    );
    assert_eq!(way().await, Some(private));
    let set = |info| vault(&sim).set_network(info).unwrap();
    set(NetworkInfo::Public(Ipv4Addr::new(72, 68, 182, 20)));
    let public = "conn_type=Ipv4;addr=72.68.182.20;act_addr_fam=InterNetwork;";
    assert_eq!(way().await.as_deref(), Some(public));
    set(NetworkInfo::PrivateLink {
        endpoint: "/x/pe-other".to_owned(),
        address: Ipv4Addr::new(10, 10, 1, 5),
    });
    let other = "conn_type=PrivateLink;private_endpoint=/x/pe-other;addr=10.10.1.5;act_addr_fam=InterNetworkV6;";
    assert_eq!(way().await.as_deref(), Some(other));
    set(NetworkInfo::Absent);
    assert_eq!(way().await, None);
    set(NetworkInfo::Text("conn_type=PrivateLink;;=".to_owned()));
    assert_eq!(way().await.as_deref(), Some("conn_type=PrivateLink;;="));
}

#[tokio::test]
async fn an_answer_carries_ids_to_find_it_by() {
    let sim = open();
    vault(&sim).set_secret("one", "zt-needle-x").unwrap();
    let bearer = format!("Bearer {}", token(&sim, super::WHO));
    let headers = [
        ("authorization", bearer.as_str()),
        ("x-ms-client-request-id", "our-id-1"),
    ];
    let path = "/secrets/one?api-version=7.6";
    let answer = secure(&sim, HOST, "GET", path, &headers, "").await.unwrap();
    assert_eq!(answer.header("x-ms-client-request-id"), Some("our-id-1"));
    assert_eq!(answer.header("x-ms-keyvault-region"), Some("westeurope"));
    assert_eq!(answer.header("x-ms-request-id").unwrap().len(), 36);
    assert!(answer.header("x-ms-keyvault-service-version").is_some());
}

#[tokio::test]
async fn a_vault_that_nobody_made_is_not_there() {
    let sim = open();
    let host = "kv-unknown.vault.azure.net";
    let answer = secure(&sim, host, "GET", "/secrets/one", &[], "").await;
    assert_eq!(refusal(&answer.unwrap()).1, "VaultNotSimulated");
    for name in ["", "a_b", "kv.vault.example", "a.b.vault.azure.net"] {
        assert!(sim.make_vault(name).is_err(), "{name}");
    }
    sim.make_vault("KV-Unknown").unwrap();
    let answer = secure(&sim, host, "GET", "/secrets/one", &[], "").await;
    assert_eq!(answer.unwrap().status, 401);
}
