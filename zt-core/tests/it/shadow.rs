//! Tables tried in shadow: what would change is counted before it does, and no answer knows of it.

use std::time::Duration;

use zt_core::audit::{self, Entry};
use zt_core::policy::Action;
use zt_core::runtime::{Runtime, ShadowEnd};
use zt_core::{Code, Session};

use crate::world::{World, sign_in};

const MODEL: &str = "model:car_loan_scorer";
const SCORES: &str = "table:gold.loan_scores";

/// Maya, who may score, loses that; Elin, an analyst, gains it.
fn swapped(tables: &str) -> String {
    let (before, after) = tables.split_once("id = \"AP-01\"").unwrap();
    let after = after.replacen("role:data_scientist", "role:analyst", 1);
    format!("{before}id = \"AP-01\"{after}")
}

fn is_allowed(session: &Session, action: &str, resource: &str) -> bool {
    session.check(action, resource).unwrap().is_allowed()
}

async fn admin_acts(world: &World, zt: Runtime) -> Vec<Entry> {
    let folder = zt.audit_folder();
    zt.close(Duration::from_secs(5)).await.unwrap();
    assert!(
        audit::verify(world.path().join(".zt/audit"))
            .unwrap()
            .is_intact()
    );
    let is_act = |entry: &Entry| ["shadow", "reload"].contains(&entry.action.as_str());
    audit::tail(folder, 1000, is_act).unwrap()
}

#[tokio::test]
async fn a_flip_is_counted_before_the_tables_are_taken_and_changes_no_answer() {
    let world = World::new();
    let zt = world.open().await;
    let (maya, elin) = (
        sign_in(&zt, "user:maya").await,
        sign_in(&zt, "user:elin").await,
    );
    world.edit(|tables| swapped(&tables));
    let shadow = zt.shadow().await.unwrap().unwrap();
    assert_eq!(
        (shadow.snapshot().version(), zt.snapshot().version()),
        (2, 1)
    );
    for _ in 0..3 {
        assert!(is_allowed(&maya, "model.infer", MODEL));
    }
    assert!(!is_allowed(&elin, "model.infer", MODEL));
    assert!(is_allowed(&maya, "table.read", SCORES), "alike under both");

    let counts = shadow.counts();
    assert_eq!((counts.decisions, counts.flips()), (5, 4));
    assert_eq!(
        (counts.withdrawn, counts.granted, counts.reshaped),
        (3, 1, 0)
    );
    let by_action = shadow.by_action();
    let (action, of_infer) = by_action[0];
    assert_eq!((action, of_infer.decisions), (Action::ModelInfer, 4));
    assert_eq!(by_action.len(), 2);
    let flips: Vec<String> = shadow.flips().iter().map(ToString::to_string).collect();
    assert_eq!(
        flips,
        [
            "user:maya model.infer model:car_loan_scorer: allow by AP-01 -> default_deny",
            "user:elin model.infer model:car_loan_scorer: default_deny -> allow by AP-01",
        ]
    );
    let text = zt.metrics_text();
    assert!(text.contains("zt_shadow_version 2\n"));
    assert!(
        text.contains("zt_shadow_flips_total{action=\"model.infer\",direction=\"withdrawn\"} 3\n")
    );

    let end = zt.take_shadow(&shadow, 4).await.unwrap();
    assert!(matches!(end, ShadowEnd::Taken(taken) if taken.version() == 2));
    assert!(zt.in_shadow().is_none() && zt.shadow().await.unwrap().is_none());
    assert!(!is_allowed(&maya, "model.infer", MODEL), "at once");
    assert!(is_allowed(&elin, "model.infer", MODEL));
    assert_eq!(shadow.counts(), counts, "nothing is compared any more");

    let acts = admin_acts(&world, zt).await;
    let told: Vec<_> = acts
        .iter()
        .map(|act| (act.action.as_str(), act.outcome.as_str()))
        .collect();
    assert_eq!(told, [("shadow", "ok"), ("reload", "ok")]);
    assert_eq!(acts[1].detail["withdrawn"], "3");
    assert_eq!(acts[1].detail["compared"], "5");
}

#[tokio::test]
async fn no_decision_of_a_trial_stands_in_the_log_as_an_answer() {
    let world = World::new();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    world.edit(|tables| tables.replace("AP-01", "AP-91").replace("AP-03", "AP-93"));
    let shadow = zt.shadow().await.unwrap().unwrap();
    assert!(is_allowed(&maya, "model.infer", MODEL));
    assert_eq!(shadow.counts().flips(), 0, "another row says the same");
    let _outdated = zt.take_shadow(&shadow, 0).await.unwrap();
    let folder = zt.audit_folder();
    zt.close(Duration::from_secs(5)).await.unwrap();
    let answers = audit::tail(folder, 1000, |entry| entry.action == "model.infer").unwrap();
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].policies, ["AP-01"]);
}

#[tokio::test]
async fn tables_that_change_too_much_are_kept_back_until_somebody_takes_them_by_hand() {
    let world = World::new();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    world.edit(|tables| swapped(&tables));
    let shadow = zt.shadow().await.unwrap().unwrap();
    assert!(is_allowed(&maya, "model.infer", MODEL));
    assert!(matches!(
        zt.take_shadow(&shadow, 0).await.unwrap(),
        ShadowEnd::KeptBack
    ));
    assert_eq!(
        shadow.kept_back(),
        Some("1 of 1 decisions would change, at most 0 may")
    );
    assert_eq!(zt.snapshot().version(), 1);
    assert!(is_allowed(&maya, "model.infer", MODEL));

    let again = zt.shadow().await.unwrap().unwrap();
    assert!(
        again.kept_back().is_some(),
        "the same tables are not tried again"
    );
    assert_eq!(again.counts().decisions, 1, "nor compared");
    assert!(matches!(
        zt.take_shadow(&again, 99).await.unwrap(),
        ShadowEnd::KeptBack
    ));
    assert!(zt.metrics_text().contains("zt_shadow_kept_back 1\n"));

    assert_eq!(zt.reload().await.unwrap().version(), 2);
    assert!(zt.in_shadow().is_none());
    assert!(!is_allowed(&maya, "model.infer", MODEL));
    let acts = admin_acts(&world, zt).await;
    let told: Vec<_> = acts
        .iter()
        .map(|act| (act.action.as_str(), act.outcome.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("shadow", "ok"),
            ("reload", "refused"),
            ("shadow", "ok"),
            ("reload", "ok")
        ]
    );
    assert!(acts[1].detail["reason"].contains("1 of 1"));
}

#[tokio::test]
async fn a_caller_whom_the_tables_in_shadow_revoke_is_answered_and_counted() {
    let world = World::new();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    world.edit(|tables| {
        format!(
            "{tables}\n[[Revocations]]\nid = \"RV-01\"\nprincipal = \"user:maya\"\nwhy = \"left\"\n"
        )
    });
    let shadow = zt.shadow().await.unwrap().unwrap();
    assert!(is_allowed(&maya, "model.infer", MODEL));
    assert!(
        !is_allowed(&maya, "job.run", "job:201"),
        "denied either way"
    );
    let counts = shadow.counts();
    assert_eq!(
        (counts.decisions, counts.ended, counts.flips()),
        (2, 2, 0),
        "whom tables shut out keeps none of them back"
    );
    assert!(
        shadow.flips()[0]
            .to_string()
            .ends_with("allow by AP-01 -> the session ends")
    );
    let end = zt.take_shadow(&shadow, 0).await.unwrap();
    assert!(matches!(end, ShadowEnd::Taken(_)));
    assert!(maya.check("model.infer", MODEL).is_err());
    zt.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn fewer_columns_are_a_flip_of_their_own() {
    let world = World::new();
    let zt = world.open().await;
    let elin = sign_in(&zt, "user:elin").await;
    world.edit(|tables| {
        tables.replace(
            "columns = [\"id\", \"y_pred\", \"scored_at\"]       #",
            "columns = [\"id\", \"y_pred\"] #",
        )
    });
    let shadow = zt.shadow().await.unwrap().unwrap();
    assert!(is_allowed(&elin, "table.read", SCORES));
    let counts = shadow.counts();
    assert_eq!((counts.reshaped, counts.flips()), (1, 1));
    zt.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn a_trial_ends_with_its_tables() {
    let world = World::new();
    let zt = world.open().await;
    let before = std::fs::read_to_string(world.tables()).unwrap();
    world.edit(|tables| tables.replace("ttl_s = 600", "ttl_s = 60"));
    let first = zt.shadow().await.unwrap().unwrap();
    world.edit(|tables| tables.replace("ttl_s = 60\n", "ttl_s = 61\n"));
    let second = zt.shadow().await.unwrap().unwrap();
    assert_ne!(first.snapshot().hash(), second.snapshot().hash());
    assert!(matches!(
        zt.take_shadow(&first, 0).await.unwrap(),
        ShadowEnd::Outdated
    ));
    std::fs::write(world.tables(), before).unwrap();
    assert!(zt.shadow().await.unwrap().is_none());
    assert!(matches!(
        zt.take_shadow(&second, 0).await.unwrap(),
        ShadowEnd::Outdated
    ));
    assert_eq!(zt.snapshot().version(), 1);
    assert!(
        zt.metrics_text()
            .contains("zt_shadow_trials_total{end=\"outdated\"} 2\n")
    );
    zt.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn a_mistake_is_recorded_once_however_often_somebody_looks() {
    let world = World::new();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    world.edit(|tables| tables.replace("effect = \"deny\"", "effect = \"maybe\""));
    for _ in 0..3 {
        assert_eq!(zt.shadow().await.unwrap_err().code(), Code::InvalidMetadata);
    }
    assert!(
        is_allowed(&maya, "model.infer", MODEL),
        "the last good tables stay"
    );
    world.edit(|tables| tables.replace("effect = \"maybe\"", "effect = \"deny\""));
    assert!(zt.shadow().await.unwrap().is_none());
    let acts = admin_acts(&world, zt).await;
    assert_eq!(acts.len(), 1);
    assert_eq!(
        (acts[0].action.as_str(), acts[0].outcome.as_str()),
        ("reload", "refused")
    );
}

#[tokio::test]
async fn tables_of_another_tenant_are_not_even_tried() {
    let world = World::new();
    let zt = world.open().await;
    let tenant = zt.snapshot().tables().world[0].tenant.to_string();
    world.edit(|tables| tables.replace(&tenant, "99999999-9999-4999-8999-999999999999"));
    assert_eq!(zt.shadow().await.unwrap_err().code(), Code::Config);
    assert!(zt.in_shadow().is_none());
    zt.close(Duration::from_secs(5)).await.unwrap();
}
