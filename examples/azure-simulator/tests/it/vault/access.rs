//! Who is let in: the challenge, the token, the rights.

use serde_json::json;
use zt_azure_simulator::{Cloud, Options, Right, Simulator, TokenOptions};

use super::{HOST, WHO, ask, ask_as, get, open, refusal, token, vault};
use crate::client::{Response, TENANT, secure, start};

const PATH: &str = "/secrets/one?api-version=7.6";

async fn with(sim: &Simulator, host: &str, path: &str, headers: &[(&str, &str)]) -> Response {
    secure(sim, host, "GET", path, headers, "").await.unwrap()
}

#[tokio::test]
async fn who_shows_no_token_is_told_where_to_get_one() {
    let sim = open();
    for (host, login, resource) in [
        (HOST, "login.microsoftonline.com", "vault.azure.net"),
        (
            "kv-tests.vault.usgovcloudapi.net",
            "login.microsoftonline.us",
            "vault.usgovcloudapi.net",
        ),
        (
            "kv-tests.vault.azure.cn",
            "login.partner.microsoftonline.cn",
            "vault.azure.cn",
        ),
    ] {
        sim.make_vault(host).unwrap();
        let refused = with(&sim, host, PATH, &[]).await;
        assert_eq!(refusal(&refused).1, "Unauthorized");
        let expected = format!(
            "Bearer authorization=\"https://{login}/{TENANT}\", resource=\"https://{resource}\""
        );
        assert_eq!(refused.status, 401);
        assert_eq!(refused.header("www-authenticate"), Some(expected.as_str()));
    }
}

#[tokio::test]
async fn a_token_is_for_vaults_of_this_tenant_and_in_time() {
    let sim = open();
    vault(&sim).set_secret("one", "zt-needle-x").unwrap();
    let stranger = start();
    let for_vaults = || TokenOptions::new().for_audience("https://vault.azure.net");
    let foreign = sim.foreign_keys().unwrap();
    let wrong = [
        sim.token_for(WHO, &TokenOptions::new()).unwrap(),
        sim.token_for(
            WHO,
            &TokenOptions::new().for_audience("https://vault.azure.cn"),
        )
        .unwrap(),
        sim.token_for(WHO, &for_vaults().issued_at(0)).unwrap(),
        sim.token_for(WHO, &for_vaults().signed_with(&foreign))
            .unwrap(),
        sim.token_for(WHO, &for_vaults().with_claim("tid", json!("other")))
            .unwrap(),
        token(&stranger, WHO),
        "not-a-token".to_owned(),
    ];
    for token in wrong {
        let bearer = format!("Bearer {token}");
        let refused = with(&sim, HOST, PATH, &[("authorization", &bearer)]).await;
        assert_eq!(refused.status, 401);
        let challenge = refused.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Bearer authorization=\"https://login"));
        assert!(challenge.contains(", error=\"invalid_token\""));
        assert!(!refused.text().contains(&token) && !challenge.contains(&token));
    }
    assert_eq!(get(&sim, "/secrets/one").await.status, 200);
    let other_cloud = TokenOptions::new()
        .for_audience("https://vault.azure.cn")
        .with_cloud(Cloud::China);
    let bearer = format!("Bearer {}", sim.token_for(WHO, &other_cloud).unwrap());
    let chinese = sim.make_vault("kv-tests.vault.azure.cn").unwrap();
    chinese.set_secret("one", "zt-needle-y").unwrap();
    chinese.grant(WHO, &[Right::SecretsGet]).unwrap();
    let host = chinese.host().to_owned();
    let read = with(&sim, &host, PATH, &[("authorization", &bearer)]).await;
    assert!(read.json()["value"] == "zt-needle-y");
}

#[tokio::test]
async fn a_version_of_the_interface_is_named_and_known() {
    let sim = open();
    vault(&sim).set_secret("one", "zt-needle-x").unwrap();
    let bearer = format!("Bearer {}", token(&sim, WHO));
    let ask = async |query: &str| {
        let path = format!("/secrets/one{query}");
        with(&sim, HOST, &path, &[("authorization", &bearer)]).await
    };
    for version in ["7.2", "7.3", "7.4", "7.5", "7.6", "2025-07-01"] {
        let path = format!("?api-version={version}");
        assert_eq!(ask(&path).await.status, 200, "{version}");
    }
    for wrong in ["", "?api-version=", "?api-version=7.0"] {
        let refused = ask(wrong).await;
        let expected = (400, "BadParameter".to_owned(), json!(null));
        assert_eq!(refusal(&refused), expected, "{wrong}");
    }
}

#[tokio::test]
async fn a_right_is_held_by_a_principal_in_a_vault() {
    let sim = open();
    let vault = vault(&sim);
    vault.set_secret("one", "zt-needle-x").unwrap();
    vault.set_secret("two", "zt-needle-x").unwrap();
    let get = async |name: &str| {
        let path = format!("/secrets/{name}");
        ask_as(&sim, "maya", "GET", &path, "").await
    };
    let refused = get("one").await;
    let expected = (403, "Forbidden".to_owned(), json!("ForbiddenByRbac"));
    assert_eq!(refusal(&refused), expected);
    // The escapes are what a reader of the raw body stumbles over.
    assert!(refused.text().contains(r"\r\n"));
    let message = refused.json()["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    for part in [
        "oid=b0000000-0000-4000-8000-000000000002",
        "appid=",
        "Client address: 10.20.4.5",
        "'Microsoft.KeyVault/vaults/secrets/getSecret/action'",
        "Vault: kv-tests;location=westeurope",
    ] {
        assert!(message.contains(part), "{part}");
    }
    vault.grant_on("ONE", "maya", &[Right::SecretsGet]).unwrap();
    let allowed = get("one").await;
    assert_eq!(allowed.status, 200);
    let assignment = allowed.header("x-ms-keyvault-rbac-assignment-id").unwrap();
    assert_eq!(assignment.len(), 32);
    assert_eq!(get("two").await.status, 403);
    vault.grant("maya", &[Right::SecretsGet]).unwrap();
    vault
        .revoke_on("one", "maya", &[Right::SecretsGet])
        .unwrap();
    assert_eq!(get("two").await.status, 200);
    vault.revoke("maya", &[Right::SecretsGet]).unwrap();
    assert_eq!(get("one").await.status, 403);
    assert!(vault.grant("nobody", &[Right::SecretsGet]).is_err());
    assert!(sim.vault("kv-none").grant("maya", &[]).is_err());
}

#[tokio::test]
async fn each_operation_on_secrets_takes_its_own_right() {
    let sim = open();
    let vault = vault(&sim);
    vault.set_secret("one", "zt-needle-x").unwrap();
    let value = r#"{"value":"zt-needle-x"}"#;
    for (right, method, path, body) in [
        (Right::SecretsGet, "GET", "/secrets/one", ""),
        (Right::SecretsList, "GET", "/secrets", ""),
        (Right::SecretsList, "GET", "/secrets/one/versions", ""),
        (Right::SecretsSet, "PUT", "/secrets/one", value),
        (Right::SecretsSet, "PATCH", "/secrets/one", "{}"),
        (Right::SecretsDelete, "DELETE", "/secrets/one", ""),
        (Right::SecretsList, "GET", "/deletedsecrets", ""),
        (Right::SecretsGet, "GET", "/deletedsecrets/one", ""),
        (
            Right::SecretsRecover,
            "POST",
            "/deletedsecrets/one/recover",
            "",
        ),
        (Right::SecretsDelete, "DELETE", "/secrets/one", ""),
        (Right::SecretsPurge, "DELETE", "/deletedsecrets/one", ""),
    ] {
        let others: Vec<Right> = Right::all().filter(|&other| other != right).collect();
        vault.grant("elin", &others).unwrap();
        let refused = ask_as(&sim, "elin", method, path, body).await;
        assert_eq!(refused.status, 403, "{method} {path}");
        vault.revoke("elin", &others).unwrap();
        vault.grant("elin", &[right]).unwrap();
        let done = ask_as(&sim, "elin", method, path, body).await;
        assert!((200..300).contains(&done.status), "{method} {path}");
        vault.revoke("elin", &[right]).unwrap();
    }
}

#[tokio::test]
async fn requests_to_vaults_are_told_apart_in_the_log() {
    let sim = open();
    let vault = vault(&sim);
    vault.set_secret("one", "zt-needle-x").unwrap();
    with(&sim, HOST, PATH, &[]).await;
    get(&sim, "/secrets/one").await;
    ask_as(&sim, "maya", "GET", "/secrets/ONE/", "").await;
    get(&sim, "/secrets/one/versions").await;
    ask(&sim, "PUT", "/secrets/one", r#"{"value":"zt-needle-y"}"#).await;
    let seen = sim.requests();
    let seen: Vec<_> = seen
        .iter()
        .map(|one| (one.host.as_str(), one.status, one.shows_token))
        .collect();
    let expected = [
        (401, false),
        (200, true),
        (403, true),
        (200, true),
        (200, true),
    ];
    assert_eq!(
        seen,
        expected.map(|(status, shows)| (HOST, Some(status), shows))
    );
    assert_eq!(sim.requests()[0].api_version.as_deref(), Some("7.6"));
    assert_eq!((vault.secret_gets("one"), vault.secret_gets("two")), (2, 0));
    assert_eq!(sim.vault("kv-brindlewick-prod").secret_gets("one"), 0);
    let shown = format!("{:?}", sim.requests());
    assert!(!shown.contains("zt-needle") && !shown.contains("eyJ"));
    sim.clear_requests();
    assert_eq!(vault.secret_gets("one"), 0);
}

#[tokio::test]
async fn the_sample_vault_is_what_the_sample_tables_need() {
    let sim = Simulator::start(Options::new()).unwrap();
    let host = "kv-brindlewick-prod.vault.azure.net";
    assert_eq!(sim.vaults(), [host]);
    let read = async |who: &str, name: &str| {
        let bearer = format!("Bearer {}", token(&sim, who));
        let path = format!("/secrets/{name}?api-version=7.6");
        with(&sim, host, &path, &[("authorization", &bearer)]).await
    };
    for (who, name, status) in [
        ("sp-score-201", "bureau-api-key", 200),
        ("sp-score-201", "adb-token", 403),
        ("mi-adf-brindlewick", "adb-token", 200),
        ("mi-adf-brindlewick", "sql-loans-password", 200),
        ("mi-adf-brindlewick", "bureau-api-key", 403),
        ("sp-train-202", "adb-token", 403),
        ("zt", "sql-loans-password", 200),
    ] {
        let answer = read(who, name).await;
        assert_eq!(answer.status, status, "{who} {name}");
        if status == 200 {
            let value = &answer.json()["value"];
            assert!(value.as_str().unwrap().contains("zt-needle-"));
        }
    }
}
