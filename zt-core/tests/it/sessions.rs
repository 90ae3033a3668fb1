//! Sessions: what is handed out, what is refused, and what stands in the log before the answer.

use std::sync::Arc;
use std::time::Duration;

use zt_core::audit::{self, Entry};
use zt_core::clock::{Clock, SystemClock};
use zt_core::policy::DecisionKind;
use zt_core::runtime::{Runtime, RuntimeBuilder};
use zt_core::testing::{FaultyVault, ManualClock};
use zt_core::{Code, ErrorKind};

use crate::world::{NEEDLE, World, sign_in, token};

fn log(zt: &Runtime) -> Vec<Entry> {
    audit::tail(zt.audit_folder(), 1000, |_| true).unwrap()
}

#[tokio::test]
async fn the_job_reads_its_secret_in_its_stage_and_in_no_other() {
    let world = World::new().with_secret("bureau-api-key").await;
    let zt = world.open().await;
    let job = sign_in(&zt, "sp:sp-score-201").await;
    let secret = job.claiming(201, 2).secret("bureau-api-key").await.unwrap();
    assert!(secret.reveal() == NEEDLE.as_bytes());

    for (claimed, stage) in [(201, 1), (202, 2), (0, 0)] {
        let error = job
            .claiming(claimed, stage)
            .secret("bureau-api-key")
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied);
        assert_eq!(error.http_status(), 403);
        assert!(
            !error.to_string().contains("stage is"),
            "near misses are not for the caller"
        );
    }
    assert!(job.secret("bureau-api-key").await.unwrap_err().is_denied());
}

#[tokio::test]
async fn policy_is_checked_on_a_hit_as_on_a_miss() {
    let world = World::new().with_secret("bureau-api-key").await;
    let zt = world.open().await;
    let job = sign_in(&zt, "sp:sp-score-201").await.claiming(201, 2);
    assert!(job.secret("bureau-api-key").await.is_ok());
    world.edit(|tables| tables.replace("stage = 2 }               # only inside", "stage = 9 } #"));
    zt.reload().await.unwrap();
    assert!(job.secret("bureau-api-key").await.unwrap_err().is_denied());
}

#[tokio::test]
async fn who_is_denied_does_not_learn_whether_a_secret_exists() {
    let world = World::new();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    let declared = maya.secret("adb-token").await.unwrap_err();
    let invented = maya.secret("no-such-secret").await.unwrap_err();
    assert_eq!(declared.code(), invented.code());
    assert_eq!(declared.code(), Code::Denied);
}

#[tokio::test]
async fn a_deny_is_in_the_log_when_it_is_answered() {
    let world = World::new();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    let decision = maya
        .check("table.read", "table:raw.loan_applications")
        .unwrap();
    // Nothing flushes the log here: the record is on disk because the answer is out.
    let entry = log(&zt)
        .into_iter()
        .find(|entry| entry.kind == "decision")
        .unwrap();
    assert_eq!(entry.decision.unwrap(), decision.id().to_string());
    assert_eq!(entry.caller.unwrap(), "user:maya");
    assert_eq!(entry.outcome, "explicit_deny");
    assert_eq!(entry.policies, ["AP-02"]);
}

#[tokio::test]
async fn many_checks_answer_and_record_as_many_times_one() {
    let world = World::new();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    let tables = ["table:gold.loan_scores", "table:raw.loan_applications"];
    let decisions = maya.check_many("table.read", &tables).unwrap();
    let folder = zt.audit_folder();
    zt.close(Duration::from_secs(5)).await.unwrap();
    let entries = audit::tail(&folder, 1000, |entry| entry.kind == "decision").unwrap();
    assert_eq!((decisions.len(), entries.len()), (2, 2));
    for ((decision, table), entry) in decisions.iter().zip(tables).zip(entries) {
        assert_eq!(decision.request().resource.as_str(), table);
        assert_eq!(entry.decision.unwrap(), decision.id().to_string());
        assert_eq!(entry.outcome, decision.kind().as_str());
    }
    assert_eq!(decisions[1].kind(), DecisionKind::ExplicitDeny);
}

#[tokio::test]
async fn of_many_checks_with_a_malformed_resource_none_is_decided() {
    let world = World::new();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    let tables = ["table:raw.loan_applications", "table:raw."];
    let error = maya.check_many("table.read", &tables).unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert!(!log(&zt).iter().any(|entry| entry.kind == "decision"));
    assert!(maya.check_many("table.read", &[]).unwrap().is_empty());
}

#[tokio::test]
async fn a_release_is_in_the_log_when_the_value_is_out_and_repeats_are_counted() {
    let world = World::new().with_secret("bureau-api-key").await;
    let zt = world.open().await;
    let job = sign_in(&zt, "sp:sp-score-201").await.claiming(201, 2);
    let secret = job.secret("bureau-api-key").await.unwrap();
    let releases = |entries: &[Entry]| {
        entries
            .iter()
            .filter(|entry| entry.kind == "release")
            .cloned()
            .collect::<Vec<_>>()
    };
    let entries = releases(&log(&zt));
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].detail["version"], secret.version().to_string());
    assert_eq!(entries[0].detail["path"], "local");
    assert_eq!(entries[0].facts.len(), 2);
    assert_eq!(entries[0].facts[0].provenance, "asserted");
    for _ in 0..10 {
        assert!(job.secret("bureau-api-key").await.is_ok());
    }
    let folder = zt.audit_folder();
    zt.close(Duration::from_secs(5)).await.unwrap();
    let entries = audit::tail(&folder, 1000, |_| true).unwrap();
    assert_eq!(releases(&entries).len(), 1);
    let counted: u64 = entries.iter().filter_map(|entry| entry.count).sum();
    assert_eq!(counted, 10);
    assert!(audit::verify(&folder).unwrap().is_intact());
}

#[tokio::test]
async fn a_denied_record_holds_the_near_miss_that_the_caller_may_not_see() {
    let world = World::new();
    let zt = world.open().await;
    let job = sign_in(&zt, "sp:sp-score-201").await;
    let error = job
        .claiming(201, 1)
        .secret("bureau-api-key")
        .await
        .unwrap_err();
    let decision = error.decision().unwrap();
    assert!(job.explain(decision).unwrap_err().is_denied());
    let priya = sign_in(&zt, "user:priya").await;
    let seen = priya.explain(decision).unwrap();
    assert_eq!(
        seen.near_misses[0].to_string(),
        "AP-07 would allow: stage is 1, needs 2"
    );
    let id = decision.id().to_string();
    let entry = log(&zt)
        .into_iter()
        .find(|entry| entry.decision.as_ref() == Some(&id))
        .unwrap();
    assert_eq!(
        entry.near_misses,
        ["AP-07 would allow: stage is 1, needs 2"]
    );
}

#[tokio::test]
async fn only_who_may_read_the_log_reads_it() {
    let world = World::new();
    let zt = world.open().await;
    assert!(
        sign_in(&zt, "user:maya")
            .await
            .audit_tail(10)
            .unwrap_err()
            .is_denied()
    );
    let entries = sign_in(&zt, "user:priya").await.audit_tail(10).unwrap();
    assert!(
        entries
            .iter()
            .any(|entry| entry.caller.as_deref() == Some("user:maya"))
    );
}

#[tokio::test]
async fn who_runs_the_process_reads_the_log_without_near_misses() {
    let world = World::new();
    let zt = world.open().await;
    let job = sign_in(&zt, "sp:sp-score-201").await.claiming(201, 1);
    assert!(job.require("secret.get", "secret:bureau-api-key").is_err());
    assert!(log(&zt).iter().any(|entry| !entry.near_misses.is_empty()));
    let entries = zt.audit_tail(10).unwrap();
    assert!(
        entries
            .iter()
            .any(|entry| entry.resource == "secret:bureau-api-key")
    );
    assert!(entries.iter().all(|entry| entry.near_misses.is_empty()));
    assert!(zt.audit_tail(0).unwrap().is_empty());
    zt.clone().close(Duration::from_secs(5)).await.unwrap();
    assert_eq!(zt.audit_tail(10).unwrap_err().code(), Code::Closed);
}

#[tokio::test]
async fn a_session_ends_with_its_token() {
    let world = World::new().with_secret("bureau-api-key").await;
    let clock = Arc::new(ManualClock::new(SystemClock::new().now()));
    let held: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
    let zt = RuntimeBuilder::new(world.config())
        .with_clock(held)
        .open()
        .await
        .unwrap();
    let job = sign_in(&zt, "sp:sp-score-201").await.claiming(201, 2);
    assert!(job.secret("bureau-api-key").await.is_ok());
    clock.advance(Duration::from_secs(3600 + 61));
    assert_eq!(
        job.secret("bureau-api-key").await.unwrap_err().code(),
        Code::TokenExpired
    );
    assert_eq!(
        job.check("job.run", "job:201").unwrap_err().code(),
        Code::TokenExpired
    );
}

#[tokio::test]
async fn a_malformed_question_is_an_error_that_says_what_was_meant() {
    let world = World::new();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    let message = |action: &str, resource: &str| {
        let error = maya.check(action, resource).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        error.message().to_owned()
    };
    assert_eq!(
        message("tabel.read", "table:x"),
        "`tabel.read`: not an action; did you mean `table.read`?"
    );
    assert_eq!(
        message("table.read", "secret:x"),
        "`secret:x`: `table.read` does not take a secret"
    );
    assert!(message("table.read", "x").starts_with("`x`: expected `kind:path`"));
    assert!(message("table.read", &format!("table:{}\u{0}", "a".repeat(5000))).len() < 200);
}

#[tokio::test]
async fn a_wrong_token_is_refused_with_one_text_and_logged_with_its_reason() {
    let world = World::new();
    let zt = world.open().await;
    let good = token(&zt, "user:maya");
    let truncated = good.get(..good.len() - 20).unwrap();
    let giant = "a".repeat(1024 * 1024);
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.e30.";
    let mut ids = Vec::new();
    for wrong in [truncated, &giant, none, "Bearer", "a.b.c", "\u{0}"] {
        let error = zt.authenticate(wrong).await.unwrap_err();
        assert_eq!(error.public_message(), "invalid_token");
        assert!(!error.to_string().contains(wrong) || wrong.len() < 10);
        ids.push(error.decision_id().unwrap().to_string());
    }
    assert_eq!(
        zt.authenticate("").await.unwrap_err().code(),
        Code::MissingCredentials
    );
    let folder = zt.audit_folder();
    zt.close(Duration::from_secs(5)).await.unwrap();
    let entries = audit::tail(folder, 100, |entry| entry.outcome == "refused").unwrap();
    assert!(
        !entries.is_empty()
            && entries
                .iter()
                .all(|entry| entry.detail.contains_key("reason"))
    );
    // Who was refused can name the record that says why.
    for id in ids {
        assert!(
            entries
                .iter()
                .any(|entry| entry.decision.as_ref() == Some(&id)),
            "{id}"
        );
    }
}

#[tokio::test]
async fn an_object_id_without_a_row_is_verified_and_holds_nothing() {
    let world = World::new();
    let zt = world.open().await;
    let token = token(&zt, "user:maya");
    world.edit(|tables| {
        tables.replace(
            "b0000000-0000-4000-8000-000000000002",
            "b0000000-0000-4000-8000-0000000000ff",
        )
    });
    zt.reload().await.unwrap();
    let stranger = zt.authenticate(&token).await.unwrap();
    assert_eq!(stranger.name(), "oid:b0000000-0000-4000-8000-000000000002");
    // The group in the token still counts; the person does not.
    assert!(
        stranger
            .check("model.infer", "model:car_loan_scorer")
            .unwrap()
            .is_allowed()
    );
    assert!(
        stranger
            .check("job.run", "job:201")
            .is_ok_and(|decision| !decision.is_allowed())
    );
}

#[tokio::test]
async fn a_thousand_readers_make_one_vault_call() {
    let world = World::new().with_secret("bureau-api-key").await;
    let vault = zt_core::runtime::local_vault(&world.config()).unwrap();
    let counted = Arc::new(FaultyVault::new(Arc::new(vault)));
    let held: Arc<dyn zt_core::secrets::SecretVault> = Arc::<FaultyVault>::clone(&counted);
    let zt = RuntimeBuilder::new(world.config())
        .with_vault(held)
        .open()
        .await
        .unwrap();
    let job = sign_in(&zt, "sp:sp-score-201").await.claiming(201, 2);
    let readers: Vec<_> = (0..1000)
        .map(|_| {
            let job = job.clone();
            tokio::spawn(async move { job.secret("bureau-api-key").await.map(|_| ()) })
        })
        .collect();
    for reader in readers {
        reader.await.unwrap().unwrap();
    }
    assert_eq!(counted.calls(), 1);
}
