//! Tokens that are refused although they are valid: at the door, and in sessions that are open.

use std::time::Duration;

use zt_core::{Code, Runtime, audit, runtime};

use crate::world::{World, token};

const MAYA: &str = "b0000000-0000-4000-8000-000000000002";

fn with_row(world: &World, row: &str) {
    world.edit(|tables| format!("{tables}\n[[Revocations]]\nid = \"RV-1\"\n{row}\n"));
}

/// A moment at which every token of the test has been issued.
const LATER: &str = "not_before = \"2099-01-01T00:00:00Z\"";
/// One before all of them.
const EARLIER: &str = "not_before = \"2020-01-01T00:00:00Z\"";

#[tokio::test]
async fn a_row_ends_the_sessions_that_are_open() {
    let world = World::new();
    let zt = world.open().await;
    let (maya, jonas) = (token(&zt, "user:maya"), token(&zt, "user:jonas"));
    let session = zt.authenticate(&maya).await.unwrap();
    let other = zt.authenticate(&jonas).await.unwrap();
    let table = "table:gold.loan_scores";
    assert!(session.check("table.read", table).unwrap().is_allowed());
    with_row(&world, &format!("principal = \"user:maya\"\n{LATER}"));
    // Not before the tables are read.
    assert!(session.check("table.read", table).is_ok());
    zt.reload().await.unwrap();
    for _ in 0..2 {
        let error = session.check("table.read", table).unwrap_err();
        assert_eq!(error.code(), Code::InvalidToken);
        assert_eq!(error.public_message(), "invalid_token");
    }
    assert!(session.secret("bureau-api-key").await.is_err());
    assert_eq!(
        zt.authenticate(&maya).await.unwrap_err().code(),
        Code::InvalidToken
    );
    assert!(other.check("table.read", table).is_ok());
    assert!(zt.authenticate(&jonas).await.is_ok());
    let folder = zt.audit_folder();
    zt.close(Duration::from_secs(5)).await.unwrap();
    let refused = audit::tail(folder, 100, |entry| entry.outcome == "refused").unwrap();
    let names_the_row = |entry: &audit::Entry| {
        entry
            .detail
            .get("reason")
            .is_some_and(|reason| reason.contains("RV-1"))
    };
    assert!(refused.iter().filter(|entry| names_the_row(entry)).count() >= 2);
}

#[tokio::test]
async fn a_row_that_is_gone_lets_the_session_go_on() {
    let world = World::new();
    let zt = world.open().await;
    let session = zt.authenticate(&token(&zt, "user:maya")).await.unwrap();
    with_row(&world, &format!("object = \"{MAYA}\""));
    zt.reload().await.unwrap();
    assert!(
        session
            .check("table.read", "table:gold.loan_scores")
            .is_err()
    );
    world.edit(|tables| tables.split("[[Revocations]]").next().unwrap().to_owned());
    zt.reload().await.unwrap();
    assert!(
        session
            .check("table.read", "table:gold.loan_scores")
            .is_ok()
    );
}

async fn enters(zt: &Runtime, token: &str) -> bool {
    zt.authenticate(token).await.is_ok()
}

#[tokio::test]
async fn each_target_refuses_its_tokens_and_no_others() {
    let world = World::new();
    let zt = world.open().await;
    let (maya, jonas) = (token(&zt, "user:maya"), token(&zt, "user:jonas"));
    let session = zt.authenticate(&maya).await.unwrap();
    let info = session.caller().token().unwrap();
    let uti = info.uti.clone().unwrap();
    let tenant = session.caller().tenant();
    drop(session);
    zt.close(Duration::from_secs(5)).await.unwrap();
    for (row, is_maya_in, is_jonas_in) in [
        (format!("principal = \"user:maya\"\n{LATER}"), false, true),
        (format!("principal = \"user:maya\"\n{EARLIER}"), true, true),
        ("principal = \"user:maya\"".to_owned(), false, true),
        (format!("principal = \"*\"\n{LATER}"), false, false),
        (format!("principal = \"*\"\n{EARLIER}"), true, true),
        (format!("object = \"{MAYA}\"\n{LATER}"), false, true),
        (
            format!("object = \"{MAYA}\"\ntenant = \"{tenant}\""),
            false,
            true,
        ),
        (
            format!("object = \"{MAYA}\"\ntenant = \"22222222-2222-4222-8222-222222222222\""),
            true,
            true,
        ),
        (format!("token = \"{uti}\""), false, true),
        ("token = \"somebody-elses\"".to_owned(), true, true),
    ] {
        let world = World::new();
        with_row(&world, &row);
        let zt = world.open().await;
        assert_eq!(enters(&zt, &maya).await, is_maya_in, "{row}");
        assert_eq!(enters(&zt, &jonas).await, is_jonas_in, "{row}");
    }
}

#[tokio::test]
async fn an_application_is_refused_by_its_client_id() {
    let world = World::new();
    let zt = world.open().await;
    let maya = token(&zt, "user:maya");
    let session = zt.authenticate(&maya).await.unwrap();
    let client = session.caller().client().unwrap().id;
    with_row(&world, &format!("client = \"{client}\"\n{LATER}"));
    zt.reload().await.unwrap();
    assert!(!enters(&zt, &maya).await);
    // Workloads are clients of their own.
    assert!(enters(&zt, &token(&zt, "sp:sp-score-201")).await);
}

#[tokio::test]
async fn a_row_that_cannot_be_meant_is_refused() {
    for (row, why) in [
        ("principal = \"*\"", "nobody could ever sign in again"),
        (
            "principal = \"group:grp-security\"",
            "groups hold no tokens",
        ),
        ("principal = \"user:nobody\"", "no row of Principals has it"),
        ("object = \"x\"", "not a GUID"),
        ("", "exactly one of"),
        (
            "token = \"a\"\nclient = \"e0000000-0000-4000-8000-0000000000aa\"",
            "exactly one of",
        ),
        ("token = \"a\"\nnot_before = \"yesterday\"", "not_before"),
    ] {
        let world = World::new();
        with_row(&world, row);
        let error = runtime::tables(&world.config()).await.unwrap_err();
        let told: Vec<String> = error
            .report()
            .unwrap()
            .problems()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert!(
            told.iter().any(|problem| problem.contains(why)),
            "{row}: {told:?}"
        );
    }
}
