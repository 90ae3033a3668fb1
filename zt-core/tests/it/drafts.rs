//! The draft of a missing row: exactly as wide as what was asked, and it works.

use crate::world::{World, sign_in};

#[tokio::test]
async fn the_draft_allows_what_was_refused_and_no_more() {
    let world = World::new();
    let zt = world.open().await;
    let job = sign_in(&zt, "sp:sp-score-201").await;
    let asked = |stage| {
        job.claiming(201, stage)
            .check("secret.get", "secret:adb-token")
    };
    let draft = asked(2).unwrap().draft().unwrap();
    assert_eq!(
        draft,
        "[[Access_Policies]]\nid = \"AP-30\"\nprincipal = \"sp:sp-score-201\"\naction = \"secret.get\"\n\
         resource = \"secret:adb-token\"\neffect = \"allow\"\nwhen = { job = 201, stage = 2 }\n"
    );
    world.edit(|tables| format!("{tables}\n{draft}"));
    zt.reload().await.unwrap();
    assert!(asked(2).unwrap().is_allowed());
    assert!(!asked(1).unwrap().is_allowed());
    let maya = sign_in(&zt, "user:maya").await;
    let other = maya.check("secret.get", "secret:adb-token").unwrap();
    assert!(!other.is_allowed());
    assert!(other.draft().unwrap().contains("id = \"AP-31\""));
}

#[tokio::test]
async fn the_draft_of_what_was_proven_asks_for_the_proof() {
    let world = World::new();
    let zt = world.open().await;
    let subject = "sp:sp-score-201".parse().unwrap();
    let request = zt_core::session::GrantRequest::for_stage(subject, 201, Some(2));
    let adf = sign_in(&zt, "sp:mi-adf-brindlewick").await;
    let grant = adf.grant(&request).await.unwrap();
    let job = sign_in(&zt, "sp:sp-score-201").await;
    let refused = |job: &zt_core::Session| job.check("secret.get", "secret:adb-token").unwrap();
    let draft = refused(&job.with_grant(&grant).unwrap()).draft().unwrap();
    assert!(
        draft.contains("when = { job = 201, stage = 2, proven = true }"),
        "{draft}"
    );
    world.edit(|tables| format!("{tables}\n{draft}"));
    zt.reload().await.unwrap();
    assert!(refused(&job.with_grant(&grant).unwrap()).is_allowed());
    assert!(!refused(&job.claiming(201, 2)).is_allowed());
}

#[tokio::test]
async fn against_a_deny_or_for_an_allow_there_is_no_draft() {
    let world = World::new();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    for (action, resource) in [
        ("table.read", "table:raw.loan_applications"),
        ("model.infer", "model:car_loan_scorer"),
    ] {
        assert_eq!(maya.check(action, resource).unwrap().draft(), None);
    }
}

#[tokio::test]
async fn a_refusal_carries_its_draft() {
    let world = World::new();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    let error = maya.require("job.run", "job:201").unwrap_err();
    assert!(error.help().unwrap().contains("ask role:security_admin"));
    let draft = error.decision().unwrap().draft().unwrap();
    assert!(draft.contains("principal = \"user:maya\""), "{draft}");
}
