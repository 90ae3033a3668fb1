//! What a deny or a restriction says of who keeps the proof in the pocket.

use zt_core::policy::AuditLevel;

use super::*;

fn row(effect: &str, condition: &str) -> String {
    format!(
        "\n[[Access_Policies]]\nid = \"AP-90\"\nprincipal = \"role:scoring_job\"\naction = \"model.infer\"\n\
         resource = \"model:car_loan_scorer\"\neffect = \"{effect}\"\ncondition = \"{condition}\"\n"
    )
}

async fn answers(rows: &str) -> [bool; 3] {
    let world = world();
    world.edit(|tables| format!("{tables}{rows}"));
    let zt = world.open().await;
    let job = job(&zt).await;
    let grant = orchestrator(&zt)
        .await
        .grant(&for_stage(Some(2)))
        .await
        .unwrap();
    let asked = |session: &Session| {
        let decision = session
            .check("model.infer", "model:car_loan_scorer")
            .unwrap();
        decision.is_allowed() && decision.obligations().audit == AuditLevel::Ordered
    };
    let claiming = job.claiming(201, 2);
    let elsewhere = job
        .claiming(201, 1)
        .with_grant(&grant)
        .unwrap()
        .claiming(201, 2);
    [
        asked(&claiming),
        asked(&elsewhere),
        asked(&job.with_grant(&grant).unwrap()),
    ]
}

#[tokio::test]
async fn no_deny_and_no_restriction_is_disarmed_by_keeping_a_grant_back() {
    assert_eq!(answers("").await, [true; 3]);
    let deny = row("deny", "context.job == 201 and context.proven");
    assert_eq!(answers(&deny).await, [false; 3]);
    let restrict =
        row("restrict", "context.proven == true") + "obligations = { audit = \"durable\" }\n";
    assert_eq!(answers(&restrict).await, [false; 3]);
    // What is meant for who merely claims.
    let deny = row("deny", "not context.proven");
    assert_eq!(answers(&deny).await, [false, false, true]);
}
