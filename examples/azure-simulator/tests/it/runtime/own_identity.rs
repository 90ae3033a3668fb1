//! Sessions without a caller's token at hand: of the person in front of the program, of the process, on behalf of a caller.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use zt_azure_simulator::TokenOptions;
use zt_core::identity::{CallerKind, ClientProof};
use zt_core::{Code, Error, ErrorKind, Runtime};

use super::office::{Office, log, ready};
use crate::client::{API, PROGRAM, SECRET, TENANT};
use crate::tokens::claims;

const GRAPH_SCOPE: &str = "https://graph.microsoft.com/.default";

fn with_program() -> Office {
    Office::new(&format!("sign_in_client = \"{PROGRAM}\""))
}

#[tokio::test]
async fn the_person_in_front_of_the_program_signs_in_by_device_code() {
    let office = with_program();
    let zt = office.open().await;
    let mut shown = String::new();
    let maya = zt.sign_in(|waiting| {
        shown = waiting.user_code().to_owned();
        assert!(waiting.message().contains(waiting.user_code()));
        office.sim.approve(waiting.user_code(), "maya").unwrap();
        Ok(())
    });
    let maya = maya.await.unwrap();
    assert_eq!(maya.name(), "user:maya");
    let decision = maya.check("model.infer", "model:car_loan_scorer");
    assert!(decision.unwrap().is_allowed());
    office.assert_no_leaks(&[&shown]);
}

#[tokio::test]
async fn who_declines_or_is_too_late_does_not_sign_in() {
    let office = with_program();
    let zt = office.open().await;
    let mut codes = Vec::new();
    let declined = zt.sign_in(|waiting| {
        codes.push(waiting.user_code().to_owned());
        office.sim.decline(waiting.user_code()).unwrap();
        Ok(())
    });
    let declined = declined.await.unwrap_err();
    let late = zt.sign_in(|waiting| {
        codes.push(waiting.user_code().to_owned());
        office.advance(901);
        Ok(())
    });
    let late = late.await.unwrap_err();
    for error in [declined, late] {
        office.keep(&error);
        assert_eq!(
            (error.code(), error.http_status()),
            (Code::SignInFailed, 401)
        );
        assert_eq!(error.public_message(), "sign_in_failed");
    }
    let nobody = zt.sign_in(|waiting| {
        codes.push(waiting.user_code().to_owned());
        Err(Error::new(Code::Cancelled, "nobody is there"))
    });
    assert_eq!(nobody.await.unwrap_err().code(), Code::Cancelled);
    let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
    office.assert_no_leaks(&codes);
}

#[tokio::test]
async fn a_process_with_a_credential_of_its_own_is_that_workload() {
    let office = Office::new("");
    let builder = office.builder().unwrap();
    let builder = builder.with_credential(office.credential("sp-score-201"));
    let zt = builder.open().await.unwrap();
    ready(&zt).await;
    let job = zt.workload().await.unwrap();
    assert_eq!(job.name(), "sp:sp-score-201");
    let decision = job
        .claiming(201, 2)
        .check("secret.get", "secret:bureau-api-key");
    assert!(decision.unwrap().is_allowed());
    office.assert_no_leaks(&[]);
}

#[tokio::test]
async fn a_kept_token_that_was_revoked_is_asked_for_anew() {
    let office = Office::new("");
    let builder = office.builder().unwrap();
    let zt = builder.with_credential(office.credential("sp-score-201"));
    let zt = zt.open().await.unwrap();
    ready(&zt).await;
    let job = zt.workload().await.unwrap();
    let uti = job.caller().token().unwrap().uti.clone().unwrap();
    office.add_rows(&format!(
        "[[Revocations]]\nid = \"RV-1\"\ntoken = \"{uti}\""
    ));
    zt.reload().await.unwrap();
    assert!(job.check("audit.read", "audit:log").is_err());
    let again = zt.workload().await.unwrap();
    assert_ne!(again.caller().token().unwrap().uti, Some(uti));
}

/// A workload without an app role of this application.
#[tokio::test]
async fn an_identity_that_was_granted_nothing_here_is_refused() {
    let office = Office::new("");
    let builder = office.builder().unwrap();
    let builder = builder.with_credential(office.credential("zt"));
    let zt = builder.open().await.unwrap();
    ready(&zt).await;
    let refusal = zt.workload().await.unwrap_err();
    office.keep(&refusal);
    assert_eq!(refusal.kind(), ErrorKind::Unauthenticated);
    assert!(refusal.to_string().contains("app role"), "{refusal}");
}

/// Runs one of the tests below in a process whose environment is ours.
fn alone(name: &str, variables: &[(&str, &str)]) {
    super::office::alone(&format!("own_identity::{name}"), variables);
}

#[test]
fn a_virtual_machine_is_its_managed_identity() {
    alone("on_a_machine", &[]);
}

#[tokio::test]
#[ignore = "in a process of its own"]
async fn on_a_machine() {
    let office = Office::new("");
    let zt = office.open().await;
    let machine = zt.workload().await.unwrap();
    assert_eq!(machine.name(), "sp:mi-adf-brindlewick");
    assert_eq!(machine.caller().kind(), CallerKind::ServicePrincipal);
    let decision = machine.check("job.run", "job:201").unwrap();
    assert!(decision.is_allowed());
    let again = zt.workload().await.unwrap();
    assert_eq!(
        again.caller().token().unwrap().uti,
        machine.caller().token().unwrap().uti
    );
    office.assert_no_leaks(&[]);
}

#[test]
fn a_process_without_any_identity_is_told_what_was_tried() {
    alone("without_identity", &[]);
}

#[tokio::test]
#[ignore = "in a process of its own"]
async fn without_identity() {
    let office = Office::new("");
    office.sim.change(|directory| {
        directory.tenants[0]
            .service_principals
            .retain(|one| one.managed.is_none());
    });
    let zt = office.open().await;
    let refusal = zt.workload().await.unwrap_err();
    office.keep(&refusal);
    assert_eq!(refusal.code(), Code::NoOwnIdentity);
    let said = refusal.to_string();
    for tried in [
        "client secret of the environment: AZURE_TENANT_ID is not set",
        "workload identity: AZURE_TENANT_ID is not set",
        "managed identity: no identity is assigned to this machine",
        "Azure CLI: ",
        "Azure Developer CLI: ",
        "run `az login`",
    ] {
        assert!(said.contains(tried), "`{tried}` does not stand in: {said}");
    }
    assert_eq!(refusal.public_message(), "internal error");
    office.sign_in(&zt, "maya").await;
}

#[test]
fn a_service_principal_of_the_environment_reads_groups_and_acts_for_callers() {
    let variables = [
        ("AZURE_TENANT_ID", TENANT),
        ("AZURE_CLIENT_ID", API),
        ("AZURE_CLIENT_SECRET", SECRET),
    ];
    alone("as_service_principal", &variables);
}

#[tokio::test]
#[ignore = "in a process of its own"]
async fn as_service_principal() {
    let office = Office::new("groups = \"graph\"");
    let zt = office.open().await;
    let token = office.token("maya", &TokenOptions::new().with_groups_overage());
    let maya = zt.authenticate(&token).await.unwrap();
    let decision = maya.check("model.infer", "model:car_loan_scorer");
    assert!(decision.unwrap().is_allowed(), "Graph was asked");
    let further = zt.on_behalf_of(&maya, &token, GRAPH_SCOPE).await.unwrap();
    assert_eq!(claims(further.reveal())["scp"], "user_impersonation");
    office.assert_no_leaks(&[further.reveal()]);
}

/// A runtime whose application can prove itself.
async fn proven(office: &Office) -> Runtime {
    let builder = office.builder().unwrap();
    let proof = ClientProof::Secret(SECRET.to_owned().into());
    let zt = builder.with_client_proof(proof).open().await.unwrap();
    ready(&zt).await;
    zt
}

#[tokio::test]
async fn a_token_for_a_service_behind_names_the_caller() {
    let office = Office::new("");
    let zt = proven(&office).await;
    let token = office.token("maya", &TokenOptions::new());
    let maya = zt.authenticate(&token).await.unwrap();
    let header = format!("Bearer {token}");
    let further = zt.on_behalf_of(&maya, &header, GRAPH_SCOPE).await.unwrap();
    let all = claims(further.reveal());
    assert_eq!(all["oid"], "b0000000-0000-4000-8000-000000000002");
    assert_eq!(all["aud"], "https://graph.microsoft.com");
    let records = log(&zt);
    let record = records
        .iter()
        .find(|one| one.action == "on-behalf-of")
        .unwrap();
    assert_eq!(record.caller.as_deref(), Some("user:maya"));
    assert_eq!(
        (record.outcome.as_str(), record.resource.as_str()),
        ("ok", GRAPH_SCOPE)
    );
    office.assert_no_leaks(&[further.reveal()]);
}

#[tokio::test]
async fn nobody_acts_with_another_callers_token_or_for_a_workload() {
    let office = Office::new("");
    let zt = proven(&office).await;
    let token = office.token("maya", &TokenOptions::new());
    let maya = zt.authenticate(&token).await.unwrap();
    let others = office.token("priya", &TokenOptions::new());
    let refusal = zt
        .on_behalf_of(&maya, &others, GRAPH_SCOPE)
        .await
        .unwrap_err();
    office.keep(&refusal);
    assert_eq!(refusal.code(), Code::InvalidToken);
    assert_eq!(
        office.sim.count(&format!("/{TENANT}/oauth2/")),
        0,
        "nothing left"
    );

    let token = office.token("sp-score-201", &TokenOptions::new());
    let job = zt.authenticate(&token).await.unwrap();
    let refusal = zt
        .on_behalf_of(&job, &token, GRAPH_SCOPE)
        .await
        .unwrap_err();
    office.keep(&refusal);
    assert!(!refusal.is_transient(), "{refusal}");
    assert_eq!(
        office.sim.count(&format!("/{TENANT}/oauth2/")),
        0,
        "nothing left"
    );
    office.assert_no_leaks(&[]);
}

#[tokio::test]
async fn what_the_tenant_asks_of_the_caller_is_handed_on() {
    let office = Office::new("");
    let zt = proven(&office).await;
    let asked = json!({ "access_token": { "polids": { "essential": true, "values": ["p-1"] } } });
    office.sim.change(|directory| {
        let maya = directory.user_mut("maya").unwrap();
        maya.interaction = Some(asked.clone());
    });
    let token = office.token("maya", &TokenOptions::new().with_capable_client());
    let maya = zt.authenticate(&token).await.unwrap();
    let refusal = zt
        .on_behalf_of(&maya, &token, GRAPH_SCOPE)
        .await
        .unwrap_err();
    office.keep(&refusal);
    assert_eq!(
        (refusal.code(), refusal.http_status()),
        (Code::InteractionRequired, 401)
    );
    let challenge = refusal.challenge().unwrap();
    let claims: Value = serde_json::from_str(challenge.claims_request().unwrap()).unwrap();
    assert_eq!(claims, asked);
    let records = log(&zt);
    let record = records
        .iter()
        .find(|one| one.action == "on-behalf-of")
        .unwrap();
    assert_eq!(record.outcome, "failed");
    assert!(
        maya.check("model.infer", "model:car_loan_scorer").is_ok(),
        "the session stands"
    );
    office.assert_no_leaks(&[]);
}

#[tokio::test]
async fn without_a_proof_nobody_is_acted_for() {
    let office = Office::new("");
    let wrong = ClientProof::Secret("another-secret".to_owned().into());
    let zt = office.builder().unwrap().with_client_proof(wrong);
    let zt = Arc::new(zt.open().await.unwrap());
    ready(&zt).await;
    let token = office.token("maya", &TokenOptions::new());
    let maya = zt.authenticate(&token).await.unwrap();
    let refusal = zt
        .on_behalf_of(&maya, &token, GRAPH_SCOPE)
        .await
        .unwrap_err();
    office.keep(&refusal);
    assert_eq!(refusal.code(), Code::NoOwnIdentity);
    assert!(refusal.to_string().contains("AADSTS7000215"), "{refusal}");
    office.assert_no_leaks(&["another-secret"]);
    let in_time = zt.as_ref().clone().close(Duration::from_secs(60));
    assert!(in_time.await.is_ok());
}
