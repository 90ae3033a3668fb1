//! Metadata and key sets.

use serde_json::Value;

use crate::client::{LOGIN, TENANT, get, secure, start};

const KEYS: &str = "/organizations/discovery/v2.0/keys";

fn kids(set: &Value) -> Vec<String> {
    let keys = set["keys"].as_array().unwrap();
    keys.iter()
        .map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn metadata_are_those_of_the_cloud_the_tenant_and_the_version() {
    let sim = start();
    for (host, path, issuer, keys, instance) in [
        (
            LOGIN,
            format!("/{TENANT}/v2.0"),
            format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
            format!("https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys"),
            "microsoftonline.com",
        ),
        (
            LOGIN,
            format!("/{TENANT}"),
            format!("https://sts.windows.net/{TENANT}/"),
            format!("https://login.microsoftonline.com/{TENANT}/discovery/keys"),
            "microsoftonline.com",
        ),
        (
            "login.microsoftonline.us",
            "/organizations/v2.0".to_owned(),
            "https://login.microsoftonline.us/{tenantid}/v2.0".to_owned(),
            "https://login.microsoftonline.us/organizations/discovery/v2.0/keys".to_owned(),
            "microsoftonline.us",
        ),
        (
            "login.partner.microsoftonline.cn",
            "/common".to_owned(),
            "https://sts.chinacloudapi.cn/{tenantid}/".to_owned(),
            "https://login.partner.microsoftonline.cn/common/discovery/keys".to_owned(),
            "partner.microsoftonline.cn",
        ),
    ] {
        let path = format!("{path}/.well-known/openid-configuration");
        let document = get(&sim, host, &path).await.json();
        assert_eq!(document["issuer"], issuer);
        assert_eq!(document["jwks_uri"], keys);
        assert_eq!(document["cloud_instance_name"], instance);
    }
    let path = format!("/{TENANT}/v2.0/.well-known/openid-configuration?appid=a%26b");
    let document = get(&sim, LOGIN, &path).await.json();
    assert!(
        document["jwks_uri"]
            .as_str()
            .unwrap()
            .ends_with("/keys?appid=a%26b")
    );
    let unknown = get(&sim, LOGIN, "/nobody/v2.0/.well-known/openid-configuration").await;
    assert_eq!(unknown.status, 400);
    assert_eq!(unknown.json()["error_codes"][0], 90002);
}

#[tokio::test]
async fn keys_say_whose_they_are_and_not_which_algorithm() {
    let sim = start();
    let set = get(&sim, LOGIN, KEYS).await.json();
    let keys = set["keys"].as_array().unwrap();
    assert!(keys.len() >= 2);
    for key in keys {
        assert_eq!(key["kty"], "RSA");
        assert_eq!(key["use"], "sig");
        assert_eq!(key["x5t"], key["kid"]);
        assert_eq!(
            key["issuer"],
            "https://login.microsoftonline.com/{tenantid}/v2.0"
        );
        assert_eq!(key["cloud_instance_name"], "microsoftonline.com");
        assert_eq!(key.get("alg"), None);
    }
    let v1 = get(&sim, LOGIN, "/organizations/discovery/keys")
        .await
        .json();
    assert_eq!(v1["keys"][0].get("issuer"), None);
    assert_eq!(kids(&v1), kids(&set));
}

#[tokio::test]
async fn a_known_set_is_not_sent_again_until_it_changes() {
    let sim = start();
    let first = get(&sim, LOGIN, KEYS).await;
    let tag = first.header("etag").unwrap().to_owned();
    let again = || async {
        secure(&sim, LOGIN, "GET", KEYS, &[("if-none-match", &tag)], "")
            .await
            .unwrap()
    };
    assert_eq!(again().await.status, 304);
    sim.publish_ahead().unwrap();
    assert_eq!(again().await.status, 200);
}

#[tokio::test]
async fn keys_are_published_used_and_retired_one_after_the_other() {
    let sim = start();
    let published = || async { kids(&get(&sim, LOGIN, KEYS).await.json()) };
    let first = sim.current_key();
    let ahead = sim.publish_ahead().unwrap();
    assert_eq!(sim.current_key(), first, "published, but not used yet");
    assert!(published().await.contains(&ahead));
    assert_eq!(sim.rotate().unwrap(), ahead);
    assert_eq!(sim.current_key(), ahead);
    let newer = sim.rotate().unwrap();
    assert_ne!(newer, ahead);
    sim.retire(&first).unwrap();
    assert!(!published().await.contains(&first));
    assert!(sim.retire(&first).is_err());
    sim.retire(&newer).unwrap();
    assert_eq!(sim.current_key(), ahead);
    let foreign = sim.foreign_keys().unwrap();
    let set = get(&sim, LOGIN, KEYS).await.json();
    let keys = set["keys"].as_array().unwrap();
    let listed = keys.iter().find(|key| key["kid"] == foreign).unwrap();
    assert_eq!(listed["cloud_instance_name"], "microsoftonline.us");
    assert_eq!(
        listed["issuer"],
        "https://login.microsoftonline.com/{tenantid}/v2.0"
    );
}

#[tokio::test]
async fn a_client_whose_authority_is_this_machine_stays_on_it() {
    let sim = start();
    let path = "/organizations/v2.0/.well-known/openid-configuration";
    let document = get(&sim, "localhost", path).await.json();
    let here = format!(
        "https://localhost:{}/organizations/",
        sim.https_addr().port()
    );
    for name in [
        "jwks_uri",
        "token_endpoint",
        "device_authorization_endpoint",
    ] {
        let url = document[name].as_str().unwrap();
        assert!(url.starts_with(&here), "{url}");
    }
    let issuer = document["issuer"].as_str().unwrap();
    assert!(issuer.starts_with("https://login.microsoftonline.com/"));
}

#[tokio::test]
async fn msal_finds_the_cloud_of_an_authority() {
    let sim = start();
    let path = "/common/discovery/instance?api-version=1.1";
    let document = get(&sim, LOGIN, path).await.json();
    assert_eq!(document["metadata"][0]["preferred_network"], LOGIN);
}
