//! Everything that can go wrong with a vault, as a client meets it.

use std::time::{Duration, Instant};

use serde_json::json;
use zt_azure_simulator::{Denial, Fault, Misfit, NetworkInfo, Simulator};

use super::{HOST, WHO, ask, ask_as, get, open, refusal, token, vault};
use crate::client::{GRAPH, secure};

const ONE: &str = "kv-tests.vault.azure.net/secrets/one";
const INFO: &str = "x-ms-keyvault-network-info";

fn with_secret() -> Simulator {
    let sim = open();
    vault(&sim).set_secret("one", "zt-needle-x").unwrap();
    vault(&sim).set_secret("two", "zt-needle-x").unwrap();
    sim
}

async fn challenge(sim: &Simulator) -> u16 {
    let path = "/secrets/one?api-version=7.6";
    let answer = secure(sim, HOST, "GET", path, &[], "").await;
    answer.unwrap().status
}

#[tokio::test]
async fn a_good_token_is_refused_as_often_as_told() {
    let sim = with_secret();
    sim.fault(ONE, Fault::Unauthorized, 2);
    for _ in 0..2 {
        assert_eq!(challenge(&sim).await, 401);
        let refused = get(&sim, "/secrets/one").await;
        assert_eq!(refused.status, 401);
        let challenge = refused.header("www-authenticate").unwrap();
        assert!(
            challenge.contains("resource=\"https://vault.azure.net\", error=\"invalid_token\"")
        );
        assert!(refused.header(INFO).is_some());
    }
    assert_eq!(get(&sim, "/secrets/one").await.status, 200);
}

#[tokio::test]
async fn each_reason_of_a_refusal_is_told() {
    let sim = with_secret();
    for denial in Denial::all() {
        sim.fault(ONE, Fault::Forbidden(denial), 1);
        assert_eq!(challenge(&sim).await, 401, "the fault waits for a token");
        let refused = get(&sim, "/secrets/one").await;
        let expected = (403, "Forbidden".to_owned(), json!(denial.code()));
        assert_eq!(refusal(&refused), expected);
        assert!(refused.header(INFO).is_some());
        assert!(refused.header("x-ms-keyvault-rbac-assignment-id").is_none());
        if denial != Denial::SecretDisabled {
            let message = refused.json()["error"]["message"].to_string();
            for part in [r"\r\n", "oid=c0000000-", "appid=e0000000-", "10.20.4.5"] {
                assert!(message.contains(part), "{denial:?} {part}");
            }
        }
    }
    assert_eq!(get(&sim, "/secrets/one").await.status, 200);
}

#[tokio::test]
async fn a_secret_is_missing_once() {
    let sim = with_secret();
    sim.fault(ONE, Fault::NotFound, 1);
    assert_eq!(
        refusal(&get(&sim, "/secrets/one").await).1,
        "SecretNotFound"
    );
    assert_eq!(get(&sim, "/secrets/one").await.status, 200);
    sim.fault("/keys/one", Fault::NotFound, 1);
    assert_eq!(refusal(&get(&sim, "/keys/one").await).1, "KeyNotFound");
}

#[tokio::test]
async fn throttling_says_how_long_in_either_header() {
    let sim = with_secret();
    let seconds = Fault::Status {
        status: 429,
        retry_after: Some(7),
    };
    sim.fault(ONE, seconds, 1);
    let busy = get(&sim, "/secrets/one").await;
    assert_eq!((busy.status, busy.header("retry-after")), (429, Some("7")));
    assert!(busy.header(INFO).is_some());
    sim.fault(ONE, Fault::Throttled(Duration::from_millis(1500)), 1);
    let busy = get(&sim, "/secrets/one").await;
    assert_eq!((busy.status, busy.header("retry-after")), (429, None));
    for name in ["retry-after-ms", "x-ms-retry-after-ms"] {
        assert_eq!(busy.header(name), Some("1500"));
    }
    sim.fault("graph.microsoft.com", Fault::Throttled(Duration::ZERO), 1);
    let busy = secure(&sim, GRAPH, "GET", "/v1.0/x", &[], "")
        .await
        .unwrap();
    assert_eq!((busy.status, busy.header(INFO)), (429, None));
}

#[tokio::test]
async fn outages_are_of_one_vault_or_of_one_path() {
    let sim = with_secret();
    let down = || Fault::Status {
        status: 503,
        retry_after: None,
    };
    sim.fault(ONE, down(), u32::MAX);
    assert_eq!(get(&sim, "/secrets/two").await.status, 200);
    assert_eq!(get(&sim, "/secrets/one").await.status, 503);
    sim.clear_faults();
    sim.fault(HOST, down(), u32::MAX);
    assert_eq!(get(&sim, "/secrets/two").await.status, 503);
    let other = "kv-brindlewick-prod.vault.azure.net";
    let answer = secure(&sim, other, "GET", "/secrets/two", &[], "").await;
    assert_eq!(answer.unwrap().status, 401);
    sim.clear_faults();
    sim.fault(ONE, Fault::Slow(Duration::from_millis(200)), 1);
    let started = Instant::now();
    assert_eq!(get(&sim, "/secrets/one").await.status, 200);
    assert!(started.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn answers_break_off_or_hold_what_nobody_asked_for() {
    let sim = with_secret();
    let bearer = format!("Bearer {}", token(&sim, WHO));
    let path = "/secrets/one?api-version=7.6";
    let headers = [("authorization", bearer.as_str())];
    for fault in [Fault::Truncated, Fault::Close] {
        sim.fault(ONE, fault, 1);
        let cut = secure(&sim, HOST, "GET", path, &headers, "").await;
        assert!(cut.is_err());
    }
    sim.fault(ONE, Fault::Html, 1);
    let page = get(&sim, "/secrets/one").await;
    assert!(page.header("content-type").unwrap().contains("html"));
    assert_eq!(page.header(INFO), None, "a portal is no vault");
    sim.fault(ONE, Fault::WrongJson, 1);
    let other = get(&sim, "/secrets/one").await;
    assert!(other.json().get("value").is_none() && other.header(INFO).is_some());
    sim.fault(ONE, Fault::Giant(3_000_000), 1);
    let giant = get(&sim, "/secrets/one").await;
    assert_eq!(giant.body.len(), 3_000_000);
    sim.fault(ONE, Fault::ValueNotText, 1);
    let number = get(&sim, "/secrets/one").await;
    assert_eq!(number.json()["value"], 7);
    assert_eq!(
        number.header("content-length"),
        Some(number.body.len().to_string().as_str())
    );
}

#[tokio::test]
async fn an_answer_is_said_to_be_somebody_elses() {
    let sim = with_secret();
    for id in [
        format!("https://{HOST}/secrets/two/0123456789abcdef0123456789abcdef"),
        "https://kv-other.vault.azure.net/secrets/one/0123456789abcdef0123456789abcdef".to_owned(),
    ] {
        sim.fault(ONE, Fault::OtherId(id.clone()), 1);
        let read = get(&sim, "/secrets/one").await;
        assert_eq!((read.status, &read.json()["id"]), (200, &json!(id)));
        assert!(read.json()["value"] == "zt-needle-x");
    }
    let right = get(&sim, "/secrets/one").await.json()["id"].clone();
    assert!(right.as_str().unwrap().contains("/secrets/one/"));
}

#[tokio::test]
async fn a_list_leads_to_another_host() {
    let sim = with_secret();
    let url = "https://evil.example/secrets?api-version=7.6&$skiptoken=x";
    sim.fault(HOST, Fault::NextLink(url.to_owned()), 1);
    assert_eq!(get(&sim, "/secrets/one").await.json().get("nextLink"), None);
    let page = get(&sim, "/secrets").await.json();
    assert_eq!(page["nextLink"], url);
    assert_eq!(get(&sim, "/secrets").await.json()["nextLink"], json!(null));
}

#[tokio::test]
async fn a_certificate_is_wrong_for_one_host_and_so_often() {
    let sim = with_secret();
    sim.make_vault("kv-second").unwrap();
    let connect = async |host: &str| {
        let answer = secure(&sim, host, "GET", "/secrets/one", &[], "").await;
        answer
            .map(|answer| answer.status)
            .map_err(|why| why.to_string())
    };
    for (misfit, said) in [
        (Misfit::OtherName, "not valid for name"),
        (Misfit::Expired, "expired"),
        (Misfit::UnknownAuthority, "UnknownIssuer"),
    ] {
        sim.fault(HOST, Fault::Certificate(misfit), 1);
        assert_eq!(connect("kv-second.vault.azure.net").await, Ok(401));
        let refused = connect(HOST).await.unwrap_err();
        assert!(refused.contains(said), "{refused}");
        assert_eq!(connect(HOST).await, Ok(401));
    }
}

#[tokio::test]
async fn what_a_vault_says_of_its_network_stays_with_a_fault() {
    let sim = with_secret();
    vault(&sim).set_network(NetworkInfo::Absent).unwrap();
    sim.fault(ONE, Fault::Forbidden(Denial::ForbiddenByConnection), 1);
    let refused = ask_as(&sim, "maya", "GET", "/secrets/one", "").await;
    assert_eq!((refused.status, refused.header(INFO)), (403, None));
    sim.fault(ONE, Fault::Unauthorized, 1);
    let write = ask(&sim, "PUT", "/secrets/one", r#"{"value":"zt-needle-y"}"#).await;
    assert_eq!(write.status, 401);
    assert_eq!(vault(&sim).secret_versions("one").unwrap().len(), 1);
}
