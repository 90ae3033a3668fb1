//! The control interface, as programs in other languages use it.

use serde_json::json;

use crate::client::{API, LOGIN, get, plain, secure, start};
use crate::tokens::claims;

#[tokio::test]
async fn it_does_what_the_library_does() {
    let sim = start();
    let post = async |path: &str, body: &str| plain(&sim, "POST", path, &[], body).await.unwrap();
    let overview = plain(&sim, "GET", "/control", &[], "")
        .await
        .unwrap()
        .json();
    assert_eq!(overview["https"], sim.https_addr().to_string());
    assert_eq!(overview["signs"], sim.current_key());
    let path = format!("/control/token?name=maya&version=1.0&scope=a+b&audience={API}");
    let token = post(&path, "").await.json();
    let all = claims(token["access_token"].as_str().unwrap());
    assert_eq!((&all["ver"], &all["scp"]), (&json!("1.0"), &json!("a b")));
    let old = sim.current_key();
    let new = post("/control/keys/rotate", "").await.json()["kid"].clone();
    assert_eq!(new, sim.current_key());
    post(&format!("/control/keys/retire?kid={old}"), "").await;
    assert!(!sim.published_keys().contains(&old));
    let before = sim.now();
    post("/control/time?seconds=100", "").await;
    assert!(sim.now() >= before + 100);
    let projected = post("/control/federated-token?name=sp-score-201", "").await;
    assert!(projected.json()["token"].is_string());
    for (wrong, status) in [
        ("/control/token?name=nobody", 400),
        ("/control/token", 400),
        ("/control/keys/eat", 400),
        ("/control/device/approve?code=X&user=maya", 400),
        ("/control/nothing", 404),
    ] {
        assert_eq!(post(wrong, "").await.status, status, "{wrong}");
    }
}

#[tokio::test]
async fn faults_are_scripted_and_requests_are_read() {
    let sim = start();
    let fault = json!({ "path": "/common/discovery", "fault": "status", "status": 429, "retry_after": 3, "times": 2 });
    let added = plain(&sim, "POST", "/control/faults", &[], &fault.to_string()).await;
    assert_eq!(added.unwrap().status, 200);
    let keys = "/common/discovery/v2.0/keys?x=1";
    assert_eq!(get(&sim, LOGIN, keys).await.status, 429);
    plain(&sim, "DELETE", "/control/faults", &[], "")
        .await
        .unwrap();
    assert_eq!(get(&sim, LOGIN, keys).await.status, 200);
    let seen = plain(&sim, "GET", "/control/requests", &[], "")
        .await
        .unwrap()
        .json();
    let seen = seen["requests"].as_array().unwrap();
    assert_eq!(seen.len(), 2, "control itself is not listed");
    assert_eq!(
        (&seen[0]["status"], &seen[0]["faulty"]),
        (&json!(429), &json!(true))
    );
    assert_eq!(
        (&seen[1]["host"], &seen[1]["query"]),
        (&json!(LOGIN), &json!("x=1"))
    );
    plain(&sim, "DELETE", "/control/requests", &[], "")
        .await
        .unwrap();
    assert_eq!(sim.requests().len(), 0);
    for wrong in [
        "",
        "{}",
        r#"{"path":"/","fault":"x"}"#,
        r#"{"path":"/","fault":"status"}"#,
        r#"{"path":"/","fault":"slow","seconds":-1}"#,
    ] {
        let refused = plain(&sim, "POST", "/control/faults", &[], wrong)
            .await
            .unwrap();
        assert_eq!(refused.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn no_page_of_another_site_and_no_azure_host_reaches_it() {
    let sim = start();
    for header in [
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let refused = plain(&sim, "POST", "/control/token?name=maya", &[header], "").await;
        assert_eq!(refused.unwrap().status, 403);
    }
    for host in [LOGIN, "localhost"] {
        let over_tls = secure(&sim, host, "GET", "/control", &[], "")
            .await
            .unwrap();
        assert_eq!(over_tls.status, 404, "{host}");
    }
}
