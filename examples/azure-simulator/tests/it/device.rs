//! Device codes, from the program's side and from the person's.

use std::time::Duration;

use zt_azure_simulator::{Options, Simulator};

use crate::client::{API, PROGRAM, Response, TENANT, plain, post_form, start, token};
use crate::tokens::claims;

const GRANT: (&str, &str) = ("grant_type", "urn:ietf:params:oauth:grant-type:device_code");

struct Begun {
    device_code: String,
    user_code: String,
}

async fn begin(sim: &Simulator) -> Begun {
    let scope = format!("api://{API}/.default offline_access");
    let path = format!("/{TENANT}/oauth2/v2.0/devicecode");
    let form = [("client_id", PROGRAM), ("scope", scope.as_str())];
    let response = post_form(sim, &path, &form).await;
    assert_eq!(response.status, 200, "{}", response.text());
    let body = response.json();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    assert!(text("verification_uri").starts_with("https://"));
    assert!(text("message").contains(&text("user_code")));
    assert_eq!(body["expires_in"], 900);
    Begun {
        device_code: text("device_code"),
        user_code: text("user_code"),
    }
}

async fn poll(sim: &Simulator, device_code: &str) -> Response {
    let form = [GRANT, ("client_id", PROGRAM), ("device_code", device_code)];
    token(sim, &form).await
}

async fn error(sim: &Simulator, device_code: &str) -> String {
    let response = poll(sim, device_code).await;
    assert_eq!(response.status, 400);
    response.json()["error"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_person_signs_in_elsewhere_and_the_program_gets_one_token() {
    let sim = start();
    let begun = begin(&sim).await;
    assert_eq!(
        error(&sim, &begun.device_code).await,
        "authorization_pending"
    );
    assert_eq!(sim.waiting_codes(), [begun.user_code.as_str()]);
    sim.approve(&begun.user_code.to_lowercase(), "maya")
        .unwrap();
    let response = poll(&sim, &begun.device_code).await;
    assert_eq!(response.status, 200, "{}", response.text());
    let all = claims(response.json()["access_token"].as_str().unwrap());
    assert_eq!(all["oid"], "b0000000-0000-4000-8000-000000000002");
    assert_eq!(all["azp"], PROGRAM);
    assert_eq!(all["azpacr"], "0");
    assert_eq!(
        error(&sim, &begun.device_code).await,
        "bad_verification_code"
    );
}

#[tokio::test]
async fn who_asks_for_openid_is_told_who_signed_in() {
    let sim = start();
    let path = format!("/{TENANT}/oauth2/v2.0/devicecode");
    let scope = format!("api://{API}/.default openid profile");
    let form = [("client_id", PROGRAM), ("scope", scope.as_str())];
    let begun = post_form(&sim, &path, &form).await.json();
    sim.approve(begun["user_code"].as_str().unwrap(), "maya")
        .unwrap();
    let code = begun["device_code"].as_str().unwrap();
    let answer = poll(&sim, code).await.json();
    let all = claims(answer["id_token"].as_str().unwrap());
    assert_eq!(all["aud"], PROGRAM);
    assert_eq!(all["preferred_username"], "maya@brindlewick.example");
    assert!(answer["client_info"].is_string());
}

#[tokio::test]
async fn who_asks_too_often_is_slowed_down_for_good() {
    let sim = start();
    let begun = begin(&sim).await;
    assert_eq!(
        error(&sim, &begun.device_code).await,
        "authorization_pending"
    );
    assert_eq!(error(&sim, &begun.device_code).await, "slow_down");
    sim.advance(Duration::from_secs(6));
    assert_eq!(
        error(&sim, &begun.device_code).await,
        "slow_down",
        "ten seconds now"
    );
    sim.advance(Duration::from_secs(16));
    assert_eq!(
        error(&sim, &begun.device_code).await,
        "authorization_pending"
    );
}

#[tokio::test]
async fn a_code_is_declined_expires_or_is_somebody_elses() {
    let sim = start();
    let declined = begin(&sim).await;
    sim.decline(&declined.user_code).unwrap();
    assert!(sim.approve(&declined.user_code, "maya").is_err());
    assert_eq!(
        error(&sim, &declined.device_code).await,
        "authorization_declined"
    );
    let late = begin(&sim).await;
    sim.advance(Duration::from_secs(901));
    assert_eq!(error(&sim, &late.device_code).await, "expired_token");
    assert_eq!(error(&sim, "nothing").await, "bad_verification_code");
    let form = [("client_id", API), ("scope", "openid")];
    let path = format!("/{TENANT}/oauth2/v2.0/devicecode");
    let confidential = post_form(&sim, &path, &form).await;
    assert_eq!(confidential.json()["error_codes"][0], 7_000_218);
}

#[tokio::test]
async fn the_page_settles_codes_but_not_for_other_sites() {
    let options = Options::new();
    let sim = Simulator::start(options).unwrap();
    let page = plain(&sim, "GET", "/device", &[], "").await.unwrap();
    assert!(page.text().contains("Maya Lindqvist"));
    assert!(page.header("content-security-policy").is_some());
    let begun = begin(&sim).await;
    let form = format!("user_code={}&user=maya&answer=approve", begun.user_code);
    let evil = [("origin", "https://evil.example")];
    let refused = plain(&sim, "POST", "/device", &evil, &form).await.unwrap();
    assert_eq!(refused.status, 403);
    let done = plain(&sim, "POST", "/device", &[], &form).await.unwrap();
    assert!(done.text().contains("Done."), "{}", done.text());
    assert_eq!(poll(&sim, &begun.device_code).await.status, 200);
    let wrong = plain(
        &sim,
        "POST",
        "/device",
        &[],
        "user_code=%3Cb%3E&user=%3Ci%3E&answer=approve",
    );
    let wrong = wrong.await.unwrap();
    assert!(wrong.text().contains("&lt;i&gt;") && !wrong.text().contains("<i>"));
}
