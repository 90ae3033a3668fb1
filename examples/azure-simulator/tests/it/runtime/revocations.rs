//! Rows of Revocations: what they end, and what they let in again.

use zt_azure_simulator::TokenOptions;
use zt_core::{Code, Runtime};

use super::office::{Office, end};
use crate::client::PROGRAM;
use crate::tokens::claims;

/// Entra dates tokens back by five minutes; a second more for the rest of one.
const BACKDATED_S: u64 = 301;

/// The row ends maya's session and refuses her token at the door; tomasz goes on if `spares_others`.
async fn ends(target: impl Fn(&str) -> String, spares_others: bool) {
    let office = Office::new("");
    let zt = office.open().await;
    let token = office.token("maya", &TokenOptions::new());
    let maya = zt.authenticate(&token).await.unwrap();
    let other = office.token("tomasz", &TokenOptions::new().by_client(OTHER_CLIENT));
    let tomasz = zt.authenticate(&other).await.unwrap();
    let ask = || maya.check("model.infer", "model:car_loan_scorer");
    assert!(ask().unwrap().is_allowed());

    office.add_rows(&format!(
        "[[Revocations]]\nid = \"RV-1\"\n{}",
        target(&token)
    ));
    assert!(ask().is_ok(), "not before the tables are read");
    zt.reload().await.unwrap();
    for error in [ask().unwrap_err(), office.refused(&zt, &token).await] {
        office.keep(&error);
        assert_eq!(error.code(), Code::InvalidToken);
        assert!(error.message().contains("`RV-1`"), "{error}");
        assert_eq!(error.public_message(), "invalid_token");
        assert_eq!(error.http_status(), 401);
    }
    assert_eq!(zt.authenticate(&other).await.is_ok(), spares_others);
    let decision = tomasz.check("audit.read", "audit:log");
    assert_eq!(decision.is_ok(), spares_others);
    let refusals = refusals(zt).await;
    for action in ["session", "authenticate"] {
        let has_it = refusals.iter().any(|one| one == action);
        assert!(has_it, "`{action}` is not in the log: {refusals:?}");
    }
    office.assert_no_leaks(&[]);
}

const OTHER_CLIENT: &str = "e0000000-0000-4000-8000-0000000000ff";

/// What was refused because of the row, as the log has it.
async fn refusals(zt: Runtime) -> Vec<String> {
    let records = end(zt).await.into_iter();
    let of_row = records.filter(|one| {
        let reason = one.detail.get("reason");
        one.outcome == "refused" && reason.is_some_and(|why| why.contains("`RV-1`"))
    });
    of_row.map(|one| one.action).collect()
}

#[tokio::test]
async fn a_row_on_a_principal_ends_their_sessions() {
    ends(|_| "principal = \"user:maya\"".to_owned(), true).await;
}

#[tokio::test]
async fn a_row_on_an_object_ends_its_sessions() {
    let row = "object = \"b0000000-0000-4000-8000-000000000002\"";
    ends(|_| row.to_owned(), true).await;
}

#[tokio::test]
async fn a_row_on_a_client_ends_the_sessions_made_through_it() {
    ends(|_| format!("client = \"{PROGRAM}\""), true).await;
}

#[tokio::test]
async fn a_row_on_a_token_ends_its_session() {
    let row = |token: &str| format!("token = {}", claims(token)["uti"]);
    ends(row, true).await;
}

#[tokio::test]
async fn a_row_on_everyone_ends_all_sessions() {
    let row = "principal = \"*\"\nnot_before = \"2099-01-01T00:00:00Z\"";
    ends(|_| row.to_owned(), false).await;
}

#[tokio::test]
async fn a_newer_token_gets_in() {
    let office = Office::new("");
    let zt = office.open().await;
    let old = office.token("maya", &TokenOptions::new());
    let session = zt.authenticate(&old).await.unwrap();
    let not_before = office.now();
    let row = "[[Revocations]]\nid = \"RV-1\"\nprincipal = \"user:maya\"";
    office.add_rows(&format!("{row}\nnot_before = \"{not_before}\""));
    zt.reload().await.unwrap();
    assert!(
        session
            .check("model.infer", "model:car_loan_scorer")
            .is_err()
    );
    office.advance(BACKDATED_S);
    let maya = office.sign_in(&zt, "maya").await;
    let decision = maya.check("model.infer", "model:car_loan_scorer");
    assert!(decision.unwrap().is_allowed());
    let refusal = office.refused(&zt, &old).await;
    assert!(refusal.message().contains("`RV-1`"), "{refusal}");
}

#[tokio::test]
async fn a_row_of_another_tenant_is_about_nobody_here() {
    let office = Office::new("");
    let zt = office.open().await;
    let token = office.token("maya", &TokenOptions::new());
    let maya = zt.authenticate(&token).await.unwrap();
    let row = "[[Revocations]]\nid = \"RV-1\"\nobject = \"b0000000-0000-4000-8000-000000000002\"";
    let elsewhere = "tenant = \"22222222-2222-4222-8222-222222222222\"";
    office.add_rows(&format!("{row}\n{elsewhere}"));
    zt.reload().await.unwrap();
    assert!(maya.check("model.infer", "model:car_loan_scorer").is_ok());
    assert!(zt.authenticate(&token).await.is_ok());
}
