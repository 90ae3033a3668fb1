//! Secrets: values and versions, attributes, lists, deletion.

use serde_json::{Value, json};
use zt_azure_simulator::SecretOptions;

use super::{HOST, ask, get, open, refusal, vault};

const NEEDLE: &str = "zt-needle-of-a-test";

#[tokio::test]
async fn a_secret_is_read_by_its_name_and_by_its_version() {
    let sim = open();
    let old = vault(&sim).set_secret("db-password", NEEDLE).unwrap();
    let new = vault(&sim)
        .set_secret("DB-Password", "zt-needle-newer")
        .unwrap();
    let latest = get(&sim, "/secrets/db-PASSWORD").await;
    assert_eq!(latest.status, 200);
    let latest = latest.json();
    assert!(latest["value"] == "zt-needle-newer");
    assert_eq!(
        latest["id"],
        format!("https://{HOST}/secrets/db-password/{new}")
    );
    let first = get(&sim, &format!("/secrets/db-password/{old}")).await;
    assert!(first.json()["value"] == NEEDLE);
    assert_eq!(
        vault(&sim).secret_versions("db-password").unwrap(),
        [old.clone(), new]
    );
    let is_lower_hex = |char: char| char.is_ascii_digit() || ('a'..='f').contains(&char);
    assert_eq!(old.len(), 32);
    assert!(old.chars().all(is_lower_hex));
    let unknown = get(
        &sim,
        "/secrets/db-password/00000000000000000000000000000000",
    )
    .await;
    assert_eq!(refusal(&unknown).0, 404);
    let unknown = get(&sim, "/secrets/nothing").await;
    assert_eq!(
        refusal(&unknown),
        (404, "SecretNotFound".to_owned(), Value::Null)
    );
}

#[tokio::test]
async fn a_secret_is_set_with_everything_that_belongs_to_it() {
    let sim = open();
    let body = json!({
        "value": NEEDLE,
        "contentType": "text/plain",
        "tags": { "owner": "loans" },
        "attributes": { "enabled": true, "nbf": 100, "exp": 4_000_000_000_i64 },
    });
    let set = ask(&sim, "PUT", "/secrets/new-one", &body.to_string()).await;
    assert_eq!(set.status, 200);
    let read = get(&sim, "/secrets/new-one").await.json();
    assert!(set.json() == read);
    assert!(read["value"] == NEEDLE);
    let shown = (&read["contentType"], &read["tags"]["owner"]);
    assert_eq!(shown, (&json!("text/plain"), &json!("loans")));
    let attributes = &read["attributes"];
    assert_eq!(
        (&attributes["nbf"], &attributes["exp"]),
        (&json!(100), &json!(4_000_000_000_i64))
    );
    assert_eq!(attributes["enabled"], true);
    assert_eq!(attributes["recoveryLevel"], "Recoverable+Purgeable");
    assert_eq!(attributes["recoverableDays"], 90);
    let created = attributes["created"].as_i64().unwrap();
    assert!((sim.now() - created).abs() < 600);
}

#[tokio::test]
async fn attributes_are_patched_and_a_value_is_not() {
    let sim = open();
    let version = vault(&sim).set_secret("one", NEEDLE).unwrap();
    let patch = json!({ "attributes": { "exp": 5 }, "tags": { "a": "b" }, "contentType": "x", "value": "other" });
    let path = format!("/secrets/one/{version}");
    let patched = ask(&sim, "PATCH", &path, &patch.to_string()).await;
    assert_eq!(patched.status, 200);
    assert_eq!(patched.json().get("value"), None);
    let read = get(&sim, "/secrets/one").await.json();
    assert!(read["value"] == NEEDLE);
    assert_eq!(read["attributes"]["exp"], 5);
    assert_eq!(
        (&read["tags"], &read["contentType"]),
        (&json!({ "a": "b" }), &json!("x"))
    );
    let off = json!({ "attributes": { "enabled": false } }).to_string();
    assert_eq!(ask(&sim, "PATCH", &path, &off).await.status, 200);
    let refused = get(&sim, "/secrets/one").await;
    let expected = (403, "Forbidden".to_owned(), json!("SecretDisabled"));
    assert_eq!(refusal(&refused), expected);
}

#[tokio::test]
async fn expired_and_early_secrets_are_served_and_disabled_ones_are_not() {
    let sim = open();
    let vault = vault(&sim);
    let (past, future) = (sim.now() - 100, sim.now() + 100);
    vault
        .set_secret_with("expired", NEEDLE, SecretOptions::new().expires(past))
        .unwrap();
    vault
        .set_secret_with("early", NEEDLE, SecretOptions::new().not_before(future))
        .unwrap();
    vault
        .set_secret_with("off", NEEDLE, SecretOptions::new().disabled())
        .unwrap();
    for name in ["expired", "early"] {
        let read = get(&sim, &format!("/secrets/{name}")).await;
        assert!(read.json()["value"] == NEEDLE, "{name}");
    }
    let off = get(&sim, "/secrets/off").await;
    assert_eq!(refusal(&off).2, "SecretDisabled");
    vault.enable_secret("off", true).unwrap();
    vault.expire_secret("off", Some(past)).unwrap();
    vault.delay_secret("off", Some(future)).unwrap();
    let on = get(&sim, "/secrets/off").await.json();
    assert!(on["value"] == NEEDLE);
    let attributes = &on["attributes"];
    assert_eq!(
        (&attributes["exp"], &attributes["nbf"]),
        (&json!(past), &json!(future))
    );
    vault.enable_secret("off", false).unwrap();
    assert_eq!(get(&sim, "/secrets/off").await.status, 403);
}

#[tokio::test]
async fn lists_come_in_pages_without_values() {
    let sim = open();
    for at in 0..60 {
        vault(&sim)
            .set_secret(&format!("s{at:02}"), NEEDLE)
            .unwrap();
    }
    let mut path = "/secrets".to_owned();
    let mut sizes = Vec::new();
    let mut names = Vec::new();
    loop {
        let page = get(&sim, &path).await;
        assert!(!page.text().contains("zt-needle"));
        let page = page.json();
        let items = page["value"].as_array().unwrap();
        sizes.push(items.len());
        for item in items {
            let id = item["id"].as_str().unwrap();
            names.push(
                id.strip_prefix(&format!("https://{HOST}/secrets/"))
                    .unwrap()
                    .to_owned(),
            );
        }
        let Some(next) = page["nextLink"].as_str() else {
            break;
        };
        let rest = next.strip_prefix(&format!("https://{HOST}:443")).unwrap();
        assert!(rest.contains("$skiptoken="));
        path = rest.replace("api-version=7.6&", "");
    }
    assert_eq!(sizes, [25, 25, 10]);
    let expected: Vec<String> = (0..60).map(|at| format!("s{at:02}")).collect();
    assert_eq!(names, expected);
    let two = get(&sim, "/secrets?maxresults=2").await.json();
    assert_eq!(two["value"].as_array().unwrap().len(), 2);
    assert!(two["nextLink"].as_str().unwrap().contains("maxresults=2"));
    for wrong in [
        "maxresults=0",
        "maxresults=26",
        "maxresults=x",
        "$skiptoken=%21",
    ] {
        let refused = get(&sim, &format!("/secrets?{wrong}")).await;
        assert_eq!(refusal(&refused).1, "BadParameter", "{wrong}");
    }
}

#[tokio::test]
async fn versions_are_listed_each_with_its_own_attributes() {
    let sim = open();
    let old = vault(&sim)
        .set_secret_with("one", NEEDLE, SecretOptions::new().disabled())
        .unwrap();
    let new = vault(&sim).set_secret("one", NEEDLE).unwrap();
    let page = get(&sim, "/secrets/one/versions").await;
    assert!(!page.text().contains("zt-needle"));
    let page = page.json();
    let listed = page["value"].as_array().unwrap();
    assert_eq!(listed.len(), 2);
    for (version, is_enabled) in [(old, false), (new, true)] {
        let id = format!("https://{HOST}/secrets/one/{version}");
        let item = listed.iter().find(|item| item["id"] == id).unwrap();
        assert_eq!(item["attributes"]["enabled"], is_enabled);
    }
    assert_eq!(get(&sim, "/secrets/two/versions").await.status, 404);
}

#[tokio::test]
async fn what_is_deleted_can_be_recovered_until_it_is_purged() {
    let sim = open();
    vault(&sim).set_secret("one", NEEDLE).unwrap();
    let deleted = ask(&sim, "DELETE", "/secrets/one", "").await;
    assert_eq!(deleted.status, 200);
    assert!(!deleted.text().contains("zt-needle"));
    let shown = deleted.json();
    assert_eq!(
        shown["recoveryId"],
        format!("https://{HOST}/deletedsecrets/one")
    );
    let (at, purge) = (
        shown["deletedDate"].as_i64().unwrap(),
        shown["scheduledPurgeDate"].as_i64().unwrap(),
    );
    assert_eq!(purge - at, 90 * 86_400);
    assert_eq!(get(&sim, "/secrets/one").await.status, 404);
    assert_eq!(get(&sim, "/deletedsecrets/one").await.json(), shown);
    let listed = get(&sim, "/deletedsecrets").await.json();
    assert_eq!(listed["value"].as_array().unwrap().len(), 1);
    let value = json!({ "value": NEEDLE }).to_string();
    let again = ask(&sim, "PUT", "/secrets/ONE", &value).await;
    let inner = json!("ObjectIsDeletedButRecoverable");
    assert_eq!(refusal(&again), (409, "Conflict".to_owned(), inner));
    let recovered = ask(&sim, "POST", "/deletedsecrets/one/recover", "").await;
    assert_eq!(recovered.status, 200);
    assert!(get(&sim, "/secrets/one").await.json()["value"] == NEEDLE);
    assert_eq!(get(&sim, "/deletedsecrets/one").await.status, 404);
    let latest = vault(&sim).secret_versions("one").unwrap();
    assert_eq!(vault(&sim).delete_secret("one").unwrap(), latest[0]);
    let purged = ask(&sim, "DELETE", "/deletedsecrets/one", "").await;
    assert_eq!(purged.status, 204);
    for (method, path) in [
        ("POST", "/deletedsecrets/one/recover"),
        ("DELETE", "/deletedsecrets/one"),
        ("DELETE", "/secrets/one"),
    ] {
        assert_eq!(ask(&sim, method, path, "").await.status, 404, "{path}");
    }
    assert_eq!(ask(&sim, "PUT", "/secrets/one", &value).await.status, 200);
}

#[tokio::test]
async fn what_a_vault_does_not_take() {
    let sim = open();
    let put = async |value: Value| ask(&sim, "PUT", "/secrets/one", &value.to_string()).await;
    let fits = put(json!({ "value": "x".repeat(25_600) })).await;
    assert_eq!(fits.status, 200);
    for wrong in [
        json!({ "value": "x".repeat(25_601) }),
        json!({}),
        json!({ "value": 7 }),
    ] {
        assert_eq!(refusal(&put(wrong).await).1, "BadParameter");
    }
    let not_json = ask(&sim, "PUT", "/secrets/one", "{").await;
    assert_eq!(refusal(&not_json).1, "BadParameter");
    for name in ["a_b", "a.b", "%2e%2e", &"x".repeat(128)] {
        let refused = get(&sim, &format!("/secrets/{name}")).await;
        assert_eq!(refusal(&refused).1, "BadParameter", "{name}");
    }
    let other = get(&sim, "/certificates/one").await;
    assert_eq!(refusal(&other).1, "NotSimulated");
    assert!(vault(&sim).set_secret("a b", "x").is_err());
    assert!(vault(&sim).set_secret("a", &"x".repeat(25_601)).is_err());
}
