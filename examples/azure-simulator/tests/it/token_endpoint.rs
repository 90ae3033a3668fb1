//! The grants that need no person: client credentials and on-behalf-of.

use serde_json::{Value, json};
use zt_azure_simulator::TokenOptions;

use crate::client::{API, LOGIN, Response, SCORING, SECRET, TENANT, get, post_form, start, token};
use crate::tokens::claims;

const CREDENTIALS: (&str, &str) = ("grant_type", "client_credentials");
const OBO: (&str, &str) = ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
const ON_BEHALF: (&str, &str) = ("requested_token_use", "on_behalf_of");
const ASSERTION_TYPE: (&str, &str) = (
    "client_assertion_type",
    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
);

/// The OAuth error and the number of AADSTS.
fn refusal(response: &Response) -> (String, u64) {
    let body = response.json();
    let number = body["error_codes"][0].as_u64().unwrap();
    let description = body["error_description"].as_str().unwrap();
    assert!(
        description.starts_with(&format!("AADSTS{number}: ")),
        "{description}"
    );
    assert!(body["trace_id"].is_string() && body["timestamp"].is_string());
    (body["error"].as_str().unwrap().to_owned(), number)
}

#[tokio::test]
async fn a_secret_gets_a_token_for_the_workload() {
    let sim = start();
    let scope = format!("api://{API}/.default");
    let form = [
        CREDENTIALS,
        ("client_id", SCORING),
        ("client_secret", SECRET),
        ("scope", &scope),
    ];
    let response = token(&sim, &form).await;
    assert_eq!(response.status, 200, "{}", response.text());
    let body = response.json();
    assert_eq!(body["token_type"], "Bearer");
    let all = claims(body["access_token"].as_str().unwrap());
    assert_eq!(all["aud"], API);
    assert_eq!(all["azpacr"], "1");
    assert_eq!(all["oid"], "c0000000-0000-4000-8000-000000000002");
    let left = all["exp"].as_i64().unwrap() - sim.now();
    let said = body["expires_in"].as_i64().unwrap();
    assert!((left - said).abs() <= 2, "{left} {said}");
}

#[tokio::test]
async fn a_federated_token_stands_in_for_a_secret() {
    let sim = start();
    let projected = sim.federated_token("sp-score-201").unwrap();
    let ask = async |client: &str, assertion: &str| {
        let form = [
            CREDENTIALS,
            ASSERTION_TYPE,
            ("client_id", client),
            ("client_assertion", assertion),
            ("scope", "https://vault.azure.net/.default"),
        ];
        token(&sim, &form).await
    };
    let response = ask(SCORING, &projected).await;
    assert_eq!(response.status, 200, "{}", response.text());
    let all = claims(response.json()["access_token"].as_str().unwrap());
    assert_eq!(all["aud"], "https://vault.azure.net");
    assert_eq!(all["ver"], "1.0");
    assert_eq!(all["appidacr"], "2");
    let other = "e0000000-0000-4000-8000-000000000003";
    assert_eq!(refusal(&ask(other, &projected).await).1, 700_213);
    let entras = sim.token_for("sp-score-201", &TokenOptions::new()).unwrap();
    assert_eq!(refusal(&ask(SCORING, &entras).await).1, 700_211);
}

#[tokio::test]
async fn what_a_client_does_wrong_has_entras_number() {
    let sim = start();
    let scope = format!("api://{API}/.default");
    let right = [
        CREDENTIALS,
        ("client_id", SCORING),
        ("client_secret", SECRET),
        ("scope", &scope),
    ];
    // A member of the right form with another value; empty is as if it were absent.
    for (name, value, error, number) in [
        ("client_secret", "", "invalid_client", 7_000_218),
        ("client_secret", "x", "invalid_client", 7_000_215),
        ("client_id", "", "invalid_request", 900_144),
        ("client_id", "nobody", "unauthorized_client", 700_016),
        ("scope", "", "invalid_request", 900_144),
        ("scope", "https://x/.default", "invalid_resource", 500_011),
        ("scope", "https://x/Some.Read", "invalid_scope", 1_002_012),
        ("grant_type", "password", "unsupported_grant_type", 70003),
    ] {
        let replaced = |&(own, kept)| (own, if own == name { value } else { kept });
        let form: Vec<(&str, &str)> = right.iter().map(replaced).collect();
        let response = token(&sim, &form).await;
        let status = if error == "invalid_client" { 401 } else { 400 };
        assert_eq!(response.status, status, "{name}={value}");
        assert_eq!(refusal(&response), (error.to_owned(), number), "{name}");
    }
    let elsewhere = post_form(&sim, "/nobody/oauth2/v2.0/token", &right).await;
    assert_eq!(refusal(&elsewhere).1, 90002);
    let log = sim.requests();
    assert!(!format!("{log:?}").contains(SECRET));
    assert_eq!(
        get(&sim, LOGIN, &format!("/{TENANT}/oauth2/v2.0/token"))
            .await
            .status,
        404
    );
}

/// The API asks on behalf of its caller.
async fn on_behalf(
    sim: &zt_azure_simulator::Simulator,
    assertion: &str,
    more: &[(&str, &str)],
) -> Response {
    let mut form = vec![
        OBO,
        ON_BEHALF,
        ("client_id", API),
        ("client_secret", SECRET),
        ("scope", "https://vault.azure.net/user_impersonation"),
        ("assertion", assertion),
    ];
    form.extend(more);
    token(sim, &form).await
}

#[tokio::test]
async fn an_api_acts_on_behalf_of_its_caller() {
    let sim = start();
    let assertion = sim.token_for("maya", &TokenOptions::new()).unwrap();
    let response = on_behalf(&sim, &assertion, &[]).await;
    assert_eq!(response.status, 200, "{}", response.text());
    let all = claims(response.json()["access_token"].as_str().unwrap());
    assert_eq!(all["oid"], "b0000000-0000-4000-8000-000000000002");
    assert_eq!(all["aud"], "https://vault.azure.net");
    assert_eq!(all["appid"], API);
    assert_eq!(all["scp"], "user_impersonation");
}

#[tokio::test]
async fn only_a_persons_token_for_this_api_is_traded() {
    let sim = start();
    let workload = sim.token_for("sp-score-201", &TokenOptions::new()).unwrap();
    assert_eq!(refusal(&on_behalf(&sim, &workload, &[]).await).1, 7_000_114);
    let vault = TokenOptions::new().for_audience("https://vault.azure.net");
    let elsewhere = sim.token_for("maya", &vault).unwrap();
    assert_eq!(refusal(&on_behalf(&sim, &elsewhere, &[]).await).1, 500_131);
    let foreign = sim.foreign_keys().unwrap();
    let forged = TokenOptions::new().signed_with(&foreign);
    let forged = sim.token_for("maya", &forged).unwrap();
    assert_eq!(refusal(&on_behalf(&sim, &forged, &[]).await).1, 50013);
    let assertion = sim.token_for("maya", &TokenOptions::new()).unwrap();
    sim.change(|directory| directory.user_mut("maya").unwrap().enabled = false);
    assert_eq!(refusal(&on_behalf(&sim, &assertion, &[]).await).1, 50057);
}

#[tokio::test]
async fn a_step_up_is_asked_for_with_claims_and_then_given() {
    let sim = start();
    let assertion = sim.token_for("maya", &TokenOptions::new()).unwrap();
    let asks = json!({ "access_token": { "acrs": { "essential": true, "value": "c1" }, "xms_cc": { "values": ["cp1"] } } });
    let asks = asks.to_string();
    let response = on_behalf(&sim, &assertion, &[("claims", &asks)]).await;
    assert_eq!(
        refusal(&response),
        ("interaction_required".to_owned(), 50076)
    );
    let body = response.json();
    assert_eq!(body["suberror"], "basic_action");
    let claims: Value = serde_json::from_str(body["claims"].as_str().unwrap()).unwrap();
    assert_eq!(claims["access_token"]["acrs"]["value"], "c1");
    sim.change(|directory| {
        let maya = directory.user_mut("maya").unwrap();
        maya.contexts.push("c1".to_owned());
    });
    let response = on_behalf(&sim, &assertion, &[("claims", &asks)]).await;
    assert_eq!(response.status, 200, "{}", response.text());
    sim.change(|directory| {
        let maya = directory.user_mut("maya").unwrap();
        maya.interaction = Some(json!({ "access_token": { "polids": { "essential": true } } }));
    });
    let response = on_behalf(&sim, &assertion, &[]).await;
    assert!(
        response.json()["claims"]
            .as_str()
            .unwrap()
            .contains("polids")
    );
}
