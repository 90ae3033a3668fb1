//! Vaults through the control interface, as programs in other languages use it.

use serde_json::{Value, json};
use zt_azure_simulator::Simulator;

use super::{HOST, WHO, ask_as, get, open, refusal, vault};
use crate::client::{plain, secure};

async fn control(sim: &Simulator, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let path = format!("/control/vaults{path}");
    let answer = plain(sim, method, &path, &[], &body.to_string()).await;
    let answer = answer.unwrap();
    (answer.status, answer.json())
}

#[tokio::test]
async fn it_does_with_vaults_what_the_library_does() {
    let sim = open();
    let post = async |path: &str, body: Value| {
        let (status, answer) = control(&sim, "POST", path, &body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    };
    let made = post("/kv-new", Value::Null).await;
    assert_eq!(made["host"], "kv-new.vault.azure.net");
    assert_eq!(sim.vaults().len(), 3);
    let secret = json!({ "value": "zt-needle-c", "contentType": "x", "attributes": { "exp": 5 } });
    let version = post("/kv-tests/secrets/one", secret).await["version"].clone();
    let read = get(&sim, "/secrets/one").await.json();
    assert!(read["value"] == "zt-needle-c");
    assert_eq!(
        read["id"],
        format!("https://{HOST}/secrets/one/{}", version.as_str().unwrap())
    );
    assert_eq!(
        (&read["contentType"], &read["attributes"]["exp"]),
        (&json!("x"), &json!(5))
    );
    let (_, gets) = control(&sim, "GET", "/kv-tests/secrets/one/gets", &Value::Null).await;
    assert_eq!(gets["gets"], 1);

    let off = json!({ "enabled": false, "exp": null, "nbf": 9 });
    assert_eq!(
        control(&sim, "PATCH", "/kv-tests/secrets/one", &off)
            .await
            .0,
        200
    );
    assert_eq!(
        refusal(&get(&sim, "/secrets/one").await).2,
        "SecretDisabled"
    );
    let on = json!({ "enabled": true });
    control(&sim, "PATCH", "/kv-tests/secrets/one", &on).await;
    let attributes = get(&sim, "/secrets/one").await.json()["attributes"].clone();
    assert_eq!(
        (attributes.get("exp"), &attributes["nbf"]),
        (None, &json!(9))
    );
}

#[tokio::test]
async fn rights_keys_and_deletion_are_told_to_it_too() {
    let sim = open();
    let post = async |path: &str, body: Value| {
        let (status, answer) = control(&sim, "POST", path, &body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    };
    vault(&sim).set_secret("one", "zt-needle-c").unwrap();
    let off = json!({ "enabled": false });
    let grant = json!({ "who": "maya", "rights": ["secrets/get", "keys/get"], "on": "one" });
    post("/kv-tests/grant", grant.clone()).await;
    assert_eq!(
        ask_as(&sim, "maya", "GET", "/secrets/one", "").await.status,
        200
    );
    post("/kv-tests/revoke", grant).await;
    assert_eq!(
        ask_as(&sim, "maya", "GET", "/secrets/one", "").await.status,
        403
    );

    post("/kv-tests/keys/kek", json!({ "kty": "EC", "crv": "P-256" })).await;
    assert_eq!(get(&sim, "/keys/kek").await.json()["key"]["kty"], "EC");
    assert_eq!(
        control(&sim, "PATCH", "/kv-tests/keys/kek", &off).await.0,
        200
    );

    control(&sim, "DELETE", "/kv-tests/secrets/one", &Value::Null).await;
    assert_eq!(get(&sim, "/secrets/one").await.status, 404);
    post("/kv-tests/secrets/one/recover", Value::Null).await;
    assert_eq!(get(&sim, "/secrets/one").await.status, 200);
    control(
        &sim,
        "DELETE",
        "/kv-tests/secrets/one?purge=true",
        &Value::Null,
    )
    .await;
    assert_eq!(get(&sim, "/deletedsecrets/one").await.status, 404);
}

#[tokio::test]
async fn it_tells_what_there_is_and_no_value() {
    let sim = open();
    let (_, all) = control(&sim, "GET", "", &Value::Null).await;
    assert!(!all.to_string().contains("zt-needle"));
    let all = all["vaults"].as_array().unwrap().clone();
    let sample = all
        .iter()
        .find(|one| one["host"] == "kv-brindlewick-prod.vault.azure.net");
    let sample = sample.unwrap();
    assert_eq!(sample["secrets"].as_array().unwrap().len(), 3);
    assert_eq!(sample["keys"][0]["name"], "scores-kek");
    assert!(
        sample["network_info"]
            .as_str()
            .unwrap()
            .contains("/pe-kv-brindlewick;")
    );
}

#[tokio::test]
async fn it_says_how_a_vault_is_reached() {
    let sim = open();
    for (body, expected) in [
        (
            json!({ "way": "public", "address": "192.0.2.1" }),
            Some("conn_type=Ipv4;addr=192.0.2.1;act_addr_fam=InterNetwork;"),
        ),
        (
            json!({ "way": "private_link", "endpoint": "/x/pe", "address": "10.0.0.1" }),
            Some(
                "conn_type=PrivateLink;private_endpoint=/x/pe;addr=10.0.0.1;act_addr_fam=InterNetworkV6;",
            ),
        ),
        (json!({ "way": "absent" }), None),
        (json!({ "way": "text", "text": "lies" }), Some("lies")),
    ] {
        assert_eq!(
            control(&sim, "POST", "/kv-tests/network", &body).await.0,
            200
        );
        let answer = secure(&sim, HOST, "GET", "/secrets", &[], "")
            .await
            .unwrap();
        assert_eq!(answer.header("x-ms-keyvault-network-info"), expected);
    }
}

#[tokio::test]
async fn faults_of_vaults_are_scripted_too() {
    let sim = open();
    vault(&sim).set_secret("one", "zt-needle-x").unwrap();
    let one = format!("{HOST}/secrets/one");
    let script = async |fault: Value| {
        let mut body = fault;
        body["path"] = one.as_str().into();
        let added = plain(&sim, "POST", "/control/faults", &[], &body.to_string()).await;
        added.unwrap().status
    };
    for (fault, status) in [
        (json!({ "fault": "throttled", "milliseconds": 5 }), 429),
        (json!({ "fault": "unauthorized" }), 401),
        (
            json!({ "fault": "forbidden", "code": "ForbiddenByFirewall" }),
            403,
        ),
        (json!({ "fault": "not_found" }), 404),
        (
            json!({ "fault": "other_id", "id": "https://x/secrets/y/z" }),
            200,
        ),
        (json!({ "fault": "value_not_text" }), 200),
    ] {
        assert_eq!(script(fault.clone()).await, 200);
        let answer = get(&sim, "/secrets/one").await;
        assert_eq!(answer.status, status, "{fault}");
        assert!(sim.requests().last().unwrap().is_faulty);
    }
    assert_eq!(
        script(json!({ "fault": "certificate", "certificate": "expired" })).await,
        200
    );
    let path = "/secrets/one";
    assert!(
        secure(&sim, HOST, "GET", path, &[], "").await.is_ok(),
        "a path is none of a connection"
    );
    let body = json!({ "path": HOST, "fault": "certificate", "certificate": "expired" });
    plain(&sim, "POST", "/control/faults", &[], &body.to_string())
        .await
        .unwrap();
    assert!(secure(&sim, HOST, "GET", path, &[], "").await.is_err());
    for wrong in [
        json!({ "fault": "forbidden", "code": "x" }),
        json!({ "fault": "forbidden" }),
        json!({ "fault": "certificate", "certificate": "x" }),
        json!({ "fault": "other_id" }),
        json!({ "fault": "next_link" }),
    ] {
        assert_eq!(script(wrong.clone()).await, 400, "{wrong}");
    }
}

#[tokio::test]
async fn what_it_does_not_take() {
    let sim = open();
    for (method, path, body, status) in [
        ("POST", "/a_b", json!({}), 400),
        ("POST", "/kv-none/secrets/one", json!({ "value": "x" }), 400),
        ("POST", "/kv-tests/secrets/one", json!({}), 400),
        (
            "PATCH",
            "/kv-tests/secrets/one",
            json!({ "enabled": true }),
            400,
        ),
        ("DELETE", "/kv-tests/secrets/one", json!({}), 400),
        ("POST", "/kv-tests/keys/k", json!({ "kty": "oct" }), 400),
        (
            "POST",
            "/kv-tests/grant",
            json!({ "who": WHO, "rights": ["x"] }),
            400,
        ),
        (
            "POST",
            "/kv-tests/grant",
            json!({ "who": "x", "rights": [] }),
            400,
        ),
        ("POST", "/kv-tests/network", json!({ "way": "x" }), 400),
        (
            "POST",
            "/kv-tests/network",
            json!({ "way": "public", "address": "x" }),
            400,
        ),
        ("POST", "/kv-tests/nothing", json!({}), 404),
        ("GET", "/kv-tests", json!({}), 404),
    ] {
        assert_eq!(
            control(&sim, method, path, &body).await.0,
            status,
            "{method} {path}"
        );
    }
}
