//! A restriction asks for a stronger sign-in: the challenge, what a client does with it, and clients that cannot.

use std::sync::Arc;

use serde_json::{Value, json};
use zt_azure_simulator::TokenOptions;
use zt_core::Code;
use zt_core::adapters::azure::GuardedHttp;
use zt_core::clock::SystemClock;
use zt_core::identity::{Cloud, DeviceCode};
use zt_core::network::Guard;

use super::office::{Office, end};
use crate::client::{API, LOGIN, PROGRAM, TENANT};

const ASK: (&str, &str) = ("model.infer", "model:car_loan_scorer");

fn strict() -> Office {
    let office = Office::new("");
    office.add_rows(
        r#"[[Access_Policies]]
id = "AP-90"
principal = "*"
action = "model.infer"
resource = "model:*"
effect = "restrict"
obligations = { step_up = "c1" }"#,
    );
    office
}

/// The program of somebody who was challenged: another sign-in with these claims.
fn program(office: &Office, claims: &str) -> DeviceCode {
    let guard = Guard::for_identity(Cloud::Public).dialling(LOGIN, office.sim.https_addr());
    let http = GuardedHttp::trusting_only(guard, office.sim.ca_pem().as_bytes()).unwrap();
    let (tenant, client) = (TENANT.parse().unwrap(), PROGRAM.parse().unwrap());
    let (clock, scope) = (Arc::new(SystemClock::new()), format!("{API}/.default"));
    DeviceCode::new(Arc::new(http), clock, Cloud::Public, tenant, client, scope)
        .unwrap()
        .with_claims(claims)
}

#[tokio::test]
async fn a_challenge_sent_back_to_the_issuer_gives_a_token_that_passes() {
    let office = strict();
    let zt = office.open().await;
    let weak = office.token("maya", &TokenOptions::new().with_capable_client());
    let maya = zt.authenticate(&weak).await.unwrap();
    let refusal = maya.require(ASK.0, ASK.1).unwrap_err();
    office.keep(&refusal);
    assert_eq!(
        (refusal.code(), refusal.http_status()),
        (Code::StepUpRequired, 401)
    );
    assert_eq!(refusal.public_message(), "insufficient_user_authentication");
    let challenge = refusal.challenge().unwrap();
    let header = challenge.to_string();
    assert!(header.contains("error=\"insufficient_claims\""), "{header}");
    let claims = challenge.claims_request().unwrap();
    let asked: Value = serde_json::from_str(claims).unwrap();
    let acrs = json!({ "essential": true, "value": "c1" });
    assert_eq!(asked, json!({ "access_token": { "acrs": acrs } }));

    let sign_in = program(&office, claims).start().await.unwrap();
    office.sim.change(|directory| {
        let maya = directory.user_mut("maya").unwrap();
        maya.contexts.push("c1".to_owned());
    });
    office.sim.approve(sign_in.user_code(), "maya").unwrap();
    let token = sign_in.wait().await.unwrap();
    let maya = zt.authenticate(token.reveal()).await.unwrap();
    assert!(maya.require(ASK.0, ASK.1).is_ok());
    let decision = end(zt).await.into_iter().rfind(|one| one.action == ASK.0);
    assert_eq!(decision.unwrap().outcome, "allow");
    office.assert_no_leaks(&[token.reveal()]);
}

#[tokio::test]
async fn a_client_that_cannot_answer_a_challenge_gets_a_plain_refusal() {
    let office = strict();
    let zt = office.open().await;
    let maya = office.sign_in(&zt, "maya").await;
    let refusal = maya.require(ASK.0, ASK.1).unwrap_err();
    assert_eq!(
        (refusal.code(), refusal.http_status()),
        (Code::StepUpRequired, 403)
    );
    assert_eq!(refusal.challenge(), None);
    let strong = office.token("maya", &TokenOptions::new().with_contexts(&["c1", "c3"]));
    let maya = zt.authenticate(&strong).await.unwrap();
    assert!(maya.require(ASK.0, ASK.1).is_ok());
}

#[tokio::test]
async fn another_context_does_not_pass_and_who_may_not_is_not_asked() {
    let office = strict();
    let zt = office.open().await;
    let capable = TokenOptions::new().with_capable_client();
    let other = capable.clone().with_contexts(&["c2", "c10", "C1"]);
    let maya = zt
        .authenticate(&office.token("maya", &other))
        .await
        .unwrap();
    let refusal = maya.require(ASK.0, ASK.1).unwrap_err();
    assert_eq!(refusal.code(), Code::StepUpRequired);
    let elin = zt
        .authenticate(&office.token("elin", &capable))
        .await
        .unwrap();
    let refusal = elin.require(ASK.0, ASK.1).unwrap_err();
    assert_eq!((refusal.code(), refusal.http_status()), (Code::Denied, 403));
    assert_eq!(refusal.challenge(), None);
}
