//! What executors tell of: judged one by one, and in the log before it counts as merged.

use std::fs;

use aws_lc_rs::digest::{SHA256, digest};
use zt_core::audit::{AuditOptions, Task};

use super::*;

fn infer() -> GrantRequest {
    GrantRequest::for_executors().with("model.infer", "model:car_loan_scorer")
}

async fn issue(job: &Session) -> (Grant, Executor) {
    let grant = job.grant(&infer()).await.unwrap();
    let executor = Executor::open(&grant, &[job.grant_key().unwrap()]).unwrap();
    (grant, executor)
}

fn statement(executor: &Executor) -> String {
    let asked = ("model.infer", "model:car_loan_scorer");
    executor.require(asked.0, asked.1).unwrap();
    drop(executor.require("secret.get", "secret:bureau-api-key"));
    executor.statement().unwrap().to_string()
}

/// Another text in a statement, chained as an executor chains it: nobody needs a key for that.
fn forged(statement: &str, from: &str, to: &str) -> String {
    assert!(statement.contains(from), "{statement}");
    let mut link = vec![0; 32];
    let mut text = String::new();
    for line in statement.replace(from, to).lines() {
        let body = line.rsplit_once(",\"hash\":").unwrap().0;
        let hash = digest(&SHA256, &[link.as_slice(), body.as_bytes()].concat());
        link = hash.as_ref().to_vec();
        let hash: String = link.iter().map(|byte| format!("{byte:02x}")).collect();
        text += &format!("{body},\"hash\":\"{hash}\"}}\n");
    }
    text
}

#[tokio::test]
async fn what_a_full_disk_kept_out_is_merged_by_the_next_call() {
    let world = world();
    let folder = world.config().audit_folder();
    let options = AuditOptions::new(&folder).with_segment_bytes(1024);
    let builder = RuntimeBuilder::new(world.config()).with_audit(options);
    let zt = builder.open().await.unwrap();
    let job = job(&zt).await.claiming(201, 2);
    let (grant, executor) = issue(&job).await;
    for number in 0..40 {
        drop(executor.require("table.read", &format!("table:raw.number_{number}")));
    }
    let text = statement(&executor);
    let gone = world.path().join("gone");
    fs::rename(&folder, &gone).unwrap();
    fs::write(&folder, "not a folder").unwrap();
    let why = job.merge(&grant, &[&text]).unwrap_err();
    assert_eq!(why.code(), Code::AuditUnavailable);
    fs::remove_file(&folder).unwrap();
    fs::rename(&gone, &folder).unwrap();
    let merged = job.merge(&grant, &[&text]).unwrap();
    assert_eq!(
        (merged.statements, merged.acts, merged.repeated),
        (1, 42, 0)
    );
    let again = job.merge(&grant, &[&text]).unwrap();
    assert_eq!((again.statements, again.repeated), (0, 1));
    let entries = close(zt).await;
    for seq in 2..44 {
        let seq = seq.to_string();
        let is_it = |one: &Entry| one.detail.get("executor_seq") == Some(&seq);
        assert!(entries.iter().any(is_it), "{seq}");
    }
}

#[tokio::test]
async fn acts_that_no_executor_can_have_done_do_not_come_into_the_log() {
    let world = world();
    let start = SystemClock::new().now();
    let clock = Arc::new(ManualClock::new(start));
    let builder = RuntimeBuilder::new(world.config()).with_clock(Arc::clone(&clock) as _);
    let zt = builder.open().await.unwrap();
    let job = job(&zt).await.claiming(201, 2);
    let grant = job.grant(&infer()).await.unwrap();
    let trusted = [job.grant_key().unwrap()];
    let executor = Executor::open_with(&grant, &trusted, Arc::clone(&clock) as _).unwrap();
    let text = statement(&executor);
    assert_eq!(forged(&text, "}", "}"), text);
    let allowed = "\"outcome\":\"allow\",\"action\":\"model.infer\"";
    let at = format!("\"first_ms\":{}", start.as_millis());
    let last = format!("\"last_ms\":{}", start.as_millis());
    let chain: Statement = text.parse().unwrap();
    for (from, to) in [
        (allowed, "\"outcome\":\"allow\",\"action\":\"secret.get\""),
        (allowed, "\"outcome\":\"ok\",\"action\":\"executor.merged\""),
        (
            allowed,
            "\"outcome\":\"allow\",\"action\":\"executor.columns\"",
        ),
        (
            "\"kind\":\"decision\",\"outcome\":\"allow\"",
            "\"kind\":\"effect\",\"outcome\":\"ok\"",
        ),
        ("model:car_loan_scorer", "model:another"),
        ("secret.get", "audit.cursor_rejected"),
        (&at, "\"first_ms\":0"),
        (&last, &format!("\"last_ms\":{}", i64::MAX)),
        (&last, "\"last_ms\":0"),
        ("\"count\":1", "\"count\":0"),
        ("\"count\":1", &format!("\"count\":{}", u64::MAX)),
        (chain.chain(), "executor"),
        (grant.id(), "d-0"),
    ] {
        let forged = forged(&text, from, to);
        assert_eq!(
            code(job.merge(&grant, &[forged])),
            Code::AuditIntegrity,
            "{to}"
        );
    }
    clock.advance(Duration::from_secs(5));
    assert_eq!(job.merge(&grant, &[&text]).unwrap().acts, 2);
    let entries = close(zt).await;
    let acts: Vec<&Entry> = (entries.iter())
        .filter(|one| one.detail.contains_key("executor"))
        .collect();
    assert_eq!(acts.len(), 2);
    for act in acts {
        assert_eq!(act.action, "executor.act");
        assert_eq!(act.at, start.after(Duration::from_secs(5)).to_string());
        assert_eq!(act.detail["first"], start.to_string());
    }
    assert!(entries.iter().any(|one| one.action == "executor.refused"));
}

#[tokio::test]
async fn one_bad_account_keeps_no_other_out() {
    let world = world();
    let zt = world.open().await;
    let job = job(&zt).await.claiming(201, 2);
    let (grant, executor) = issue(&job).await;
    let text = statement(&executor);
    assert_eq!(
        code(job.merge(&grant, &["x", text.as_str()])),
        Code::AuditIntegrity
    );
    // The bad one did not keep it out.
    assert_eq!(job.merge(&grant, &[text]).unwrap().repeated, 1);
    let entries = close(zt).await;
    let refused = entries.iter().find(|one| one.action == "executor.refused");
    assert_eq!(refused.unwrap().detail["grant"], grant.id());
    let count = |action: &str| entries.iter().filter(|one| one.action == action).count();
    assert_eq!((count("executor.merged"), count("executor.act")), (1, 2));
}

#[tokio::test]
async fn another_account_under_a_known_name_is_not_there_already() {
    let world = world();
    let zt = world.open().await;
    let job = job(&zt).await.claiming(201, 2);
    let (grant, executor) = issue(&job).await;
    let short = statement(&executor);
    drop(executor.require("table.read", "table:gold.loan_scores"));
    let long = executor.statement().unwrap();
    assert_eq!(job.merge(&grant, &[short]).unwrap().statements, 1);
    let merged = job.merge(&grant, &[long]).unwrap();
    assert_eq!((merged.statements, merged.acts, merged.repeated), (1, 3, 0));
}

#[tokio::test]
async fn an_executor_that_began_and_never_told_of_its_end_is_incomplete() {
    let world = world();
    let zt = world.open().await;
    let job = job(&zt).await.claiming(201, 2);
    let (grant, executor) = issue(&job).await;
    executor
        .require("model.infer", "model:car_loan_scorer")
        .unwrap();
    let begun = executor.interim().unwrap();
    let (_, other) = (
        0,
        Executor::open(&grant, &[job.grant_key().unwrap()]).unwrap(),
    );
    let whole = [other.interim().unwrap(), other.statement().unwrap()];
    let merged = job.merge(&grant, &[&begun, &whole[0], &whole[1]]).unwrap();
    assert_eq!((merged.statements, merged.incomplete), (2, 1));
    let entries = close(zt).await;
    let heads = entries.iter().filter(|one| one.action == "executor.merged");
    let whole: Vec<&str> = heads.map(|one| one.detail["whole"].as_str()).collect();
    assert_eq!(whole, ["false", "true"]);
}

#[tokio::test]
async fn the_record_of_an_issue_says_what_was_issued() {
    let world = world();
    let rights = ["model:car_loan_scorer"];
    let zt = world.open().await;
    let job = job(&zt).await.claiming(201, 2);
    let request = GrantRequest::for_executors();
    let request = rights
        .iter()
        .fold(request, |request, model| request.with("model.infer", model));
    job.grant(&request.of_columns(["id"])).await.unwrap();
    let entries = close(zt).await;
    let is_it = |one: &&Entry| one.action == "grant.delegate" && one.kind == "effect";
    let detail = &entries.iter().find(is_it).unwrap().detail;
    let told: Vec<&str> = (detail.iter())
        .filter(|(name, _)| name.starts_with("right_"))
        .flat_map(|(_, texts)| texts.split(", "))
        .collect();
    for model in &rights {
        assert!(told.contains(&format!("model.infer {model}").as_str()));
    }
    let facts = (detail["rights"].as_str(), detail["columns"].as_str());
    assert_eq!(facts, ("1", "id"));
    assert!(detail.contains_key("mark"));
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn a_right_whose_uses_are_recorded_first_does_not_travel() {
    for resource in ["model:car_loan_scorer", "output:loan_scores_delta"] {
        for level in ["durable", "remote"] {
            let world = world();
            let action = if resource.starts_with("model") {
                "model.infer"
            } else {
                "data.seal"
            };
            world.edit(|tables| {
                format!(
                    "{tables}\n[[Access_Policies]]\nid = \"AP-90\"\nprincipal = \"role:scoring_job\"\naction = \"{action}\"\n\
                     resource = \"{resource}\"\neffect = \"restrict\"\nobligations = {{ audit = \"{level}\" }}\n"
                )
            });
            rsa_key(&world).await;
            // Without a sink that acknowledges, not even the refusal could be answered.
            let sink = Arc::new(zt_core::adapters::sqlite::SqliteAuditSink::new(
                world.path().join("sink.db"),
            ));
            let options = AuditOptions::new(world.config().audit_folder());
            let builder = RuntimeBuilder::new(world.config())
                .with_audit(options.with_remote_sink("sqlite", sink));
            let zt = builder.open().await.unwrap();
            let job = job(&zt).await.claiming(201, 2);
            let request = GrantRequest::for_executors().with(action, resource);
            assert_eq!(
                code(job.grant(&request).await),
                Code::ObligationUnmet,
                "{action} {level}"
            );
            // The sink's database is looked at when nobody writes to it.
            zt.close(Duration::from_secs(60)).await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_account_says_which_try_it_is_of_and_a_later_one_is_counted() {
    let world = world();
    let zt = world.open().await;
    let job = job(&zt).await.claiming(201, 2);
    let grant = job.grant(&infer()).await.unwrap();
    let trusted = [job.grant_key().unwrap()];
    let of_attempt = |attempt| {
        let task = Task {
            stage: 7,
            partition: 3,
            attempt,
        };
        statement(&Executor::open(&grant, &trusted).unwrap().of_task(task))
    };
    let told = [of_attempt(0), of_attempt(1), of_attempt(2)];
    let merged = job.merge(&grant, &told).unwrap();
    // All of them stand there: each try is a chain of its own.
    assert_eq!((merged.statements, merged.retried), (3, 2));
    let read: Statement = told[1].parse().unwrap();
    assert_eq!(read.task().unwrap().attempt, 1);
    let other = forged(&told[2], "\"attempt\":2", "\"attempt\":-2");
    assert_eq!(code(job.merge(&grant, &[other])), Code::AuditIntegrity);
    let entries = close(zt).await;
    let merged = entries.iter().filter(|one| one.action == "executor.merged");
    let attempts: Vec<&str> = merged.map(|one| one.detail["attempt"].as_str()).collect();
    assert_eq!(attempts, ["0", "1", "2"]);
}
