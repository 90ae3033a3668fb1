//! Grants between sessions: who may issue, what they prove, what comes back into the log.

mod accounts;
mod keys;
mod proven;
mod records;
mod worlds;

use std::sync::Arc;
use std::time::Duration;

use zt_core::audit::{self, Entry, Statement};
use zt_core::batch::{Batch, Cells, Column};
use zt_core::clock::{Clock as _, SystemClock, Timestamp};
use zt_core::grant::{Executor, Grant};
use zt_core::policy::Context;
use zt_core::runtime::{self, Runtime, RuntimeBuilder};
use zt_core::session::GrantRequest;
use zt_core::testing::ManualClock;
use zt_core::{Code, Error, ErrorKind, Session};

use crate::world::{World, sign_in};

const OUTPUT: &str = "loan_scores_delta";
const KEY: (&str, &str) = ("secret.get", "secret:bureau-api-key");

/// The world, where the bureau's key needs a proven stage.
fn world() -> World {
    let world = World::new();
    world.edit(|tables| {
        let asserted = "when = { job = 201, stage = 2 }               # only";
        assert!(tables.contains(asserted));
        tables.replace(
            asserted,
            "when = { job = 201, stage = 2, proven = true }  # only",
        )
    });
    world
}

async fn job(zt: &Runtime) -> Session {
    sign_in(zt, "sp:sp-score-201").await
}

async fn orchestrator(zt: &Runtime) -> Session {
    sign_in(zt, "sp:mi-adf-brindlewick").await
}

fn for_stage(stage: Option<u32>) -> GrantRequest {
    GrantRequest::for_stage("sp:sp-score-201".parse().unwrap(), 201, stage)
}

fn for_executors() -> GrantRequest {
    GrantRequest::for_executors()
        .with("model.infer", "model:car_loan_scorer")
        .with("data.seal", "output:loan_scores_delta")
}

async fn rsa_key(world: &World) {
    let id = world.id_of("scores-kek").await;
    let vault = runtime::local_vault(&world.config()).unwrap();
    vault.create_rsa_key(&id).unwrap();
}

async fn close(zt: Runtime) -> Vec<Entry> {
    let folder = zt.audit_folder();
    zt.close(Duration::from_secs(5)).await.unwrap();
    assert!(audit::verify(&folder).unwrap().is_intact());
    audit::tail(&folder, 1000, |_| true).unwrap()
}

fn code<T: std::fmt::Debug>(outcome: Result<T, Error>) -> Code {
    outcome.unwrap_err().code()
}

#[tokio::test]
async fn a_grant_of_the_orchestrator_proves_the_stage_and_a_claim_does_not() {
    let world = world();
    let zt = world.open().await;
    let job = job(&zt).await;
    let claimed = job.claiming(201, 2);
    assert!(!claimed.check(KEY.0, KEY.1).unwrap().is_allowed());
    let grant = orchestrator(&zt)
        .await
        .grant(&for_stage(Some(2)))
        .await
        .unwrap();
    let proven = job.with_grant(&grant).unwrap();
    assert!(proven.context().is_proven());
    assert!(proven.check(KEY.0, KEY.1).unwrap().is_allowed());
    // Another word on job or stage takes the proof away.
    assert!(
        !proven
            .claiming(201, 1)
            .check(KEY.0, KEY.1)
            .unwrap()
            .is_allowed()
    );
    assert!(
        !proven
            .claiming(201, 1)
            .claiming(201, 2)
            .check(KEY.0, KEY.1)
            .unwrap()
            .is_allowed()
    );
    let entries = close(zt).await;
    let allowed = entries
        .iter()
        .find(|one| one.action == KEY.0 && one.outcome == "allow");
    let facts = &allowed.unwrap().facts;
    assert!(
        facts.iter().all(|fact| fact.provenance == "proven"),
        "{facts:?}"
    );
    let asserted = entries
        .iter()
        .find(|one| one.action == KEY.0 && one.outcome != "allow");
    let facts = &asserted.unwrap().facts;
    assert!(
        facts.iter().any(|fact| fact.provenance == "asserted"),
        "{facts:?}"
    );
    assert!(
        entries
            .iter()
            .any(|one| one.action == "grant.present" && one.outcome == "ok")
    );
    let issued = entries
        .iter()
        .find(|one| one.action == "grant.issue" && one.kind == "effect");
    assert_eq!(issued.unwrap().detail["subject"], "sp:sp-score-201");
}

#[tokio::test]
async fn a_proven_context_proves_nothing_in_the_hands_of_another_session() {
    let world = world();
    let zt = world.open().await;
    let job = job(&zt).await;
    let grant = orchestrator(&zt)
        .await
        .grant(&for_stage(Some(2)))
        .await
        .unwrap();
    let proven = job.with_grant(&grant).unwrap();
    let stolen: Context = proven.context().clone();
    assert!(
        !job.check_in(KEY.0, KEY.1, stolen.clone())
            .unwrap()
            .is_allowed()
    );
    assert!(proven.check_in(KEY.0, KEY.1, stolen).unwrap().is_allowed());
    let own = Context::new().with_job(201).with_stage(2);
    assert!(!proven.check_in(KEY.0, KEY.1, own).unwrap().is_allowed());
}

#[tokio::test]
async fn a_grant_proves_exactly_the_stage_that_it_names() {
    let world = world();
    let zt = world.open().await;
    let (job, orchestrator) = (job(&zt).await, orchestrator(&zt).await);
    for stage in [None, Some(1), Some(3)] {
        let grant = orchestrator.grant(&for_stage(stage)).await.unwrap();
        // The claim from before is gone too.
        let proven = job.claiming(201, 2).with_grant(&grant).unwrap();
        assert_eq!(proven.context().stage(), stage);
        assert!(!proven.check(KEY.0, KEY.1).unwrap().is_allowed());
    }
}

#[tokio::test]
async fn who_may_not_vouch_does_not() {
    let world = world();
    let zt = world.open().await;
    let job = job(&zt).await;
    let maya = sign_in(&zt, "user:maya").await;
    assert_eq!(code(maya.grant(&for_stage(Some(2))).await), Code::Denied);
    let other = GrantRequest::for_stage("sp:sp-train-202".parse().unwrap(), 201, Some(2));
    assert_eq!(code(job.grant(&other).await), Code::Denied);
    // A job that no row lets the orchestrator vouch for.
    let adf = orchestrator(&zt).await;
    let far = GrantRequest::for_stage("sp:sp-score-201".parse().unwrap(), 202, Some(1));
    assert_eq!(code(adf.grant(&far).await), Code::Denied);
    for (subject, expected) in [
        ("sp:mi-adf-brindlewick", Code::InvalidArgument),
        ("group:grp-security", Code::NotFound),
        ("sp:nobody", Code::NotFound),
    ] {
        let request = GrantRequest::for_stage(subject.parse().unwrap(), 201, Some(2));
        assert_eq!(code(adf.grant(&request).await), expected, "{subject}");
    }
    let grant = adf.grant(&for_stage(Some(2))).await.unwrap();
    let why = maya.with_grant(&grant).unwrap_err();
    assert_eq!(why.code(), Code::GrantOfAnother);
    assert_eq!(why.kind(), ErrorKind::Unauthenticated);
    let entries = close(zt).await;
    assert!(
        entries
            .iter()
            .any(|one| one.action == "grant.present" && one.outcome == "refused")
    );
}

#[tokio::test]
async fn a_caller_cannot_prove_its_own_word() {
    let world = world();
    // Even one whom the policy lets vouch for everything.
    world.edit(|tables| {
        format!(
            "{tables}\n[[Access_Policies]]\nid = \"AP-90\"\nprincipal = \"role:scoring_job\"\n\
             action = \"grant.issue\"\nresource = \"job:*\"\neffect = \"allow\"\n"
        )
    });
    rsa_key(&world).await;
    let zt = world.open().await;
    let job = job(&zt).await.claiming(201, 2);
    assert_eq!(
        code(job.grant(&for_stage(Some(2))).await),
        Code::InvalidArgument
    );
    let executors = job.grant(&for_executors()).await.unwrap();
    assert_eq!(code(job.with_grant(&executors)), Code::InvalidGrant);
}

#[tokio::test]
async fn a_grant_of_another_runtime_counts_where_its_key_is_trusted() {
    let (one, two) = (world(), world());
    let append = |world: &World, line: &str| {
        let path = world.path().join("zt.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.replace("[identity]\n", &format!("[identity]\n{line}\n"));
        std::fs::write(path, text).unwrap();
    };
    append(&one, "grant_key = \".zt/grant.key\"");
    let issuing = one.open().await;
    let adf = orchestrator(&issuing).await;
    let grant = adf.grant(&for_stage(Some(2))).await.unwrap();
    let zt = two.open().await;
    let job_there = job(&zt).await;
    assert_eq!(code(job_there.with_grant(&grant)), Code::InvalidGrant);
    let key = adf.grant_key().unwrap();
    append(&two, &format!("grant_keys = \"{key}\""));
    let zt = two.open().await;
    let proven = job(&zt).await.with_grant(&grant).unwrap();
    assert!(proven.check(KEY.0, KEY.1).unwrap().is_allowed());
    // The key is kept: it signs after a restart too.
    drop(issuing);
    let again = one.open().await;
    assert_eq!(orchestrator(&again).await.grant_key().unwrap(), key);
    // The same name for somebody else.
    two.edit(|tables| {
        tables.replace(
            "c0000000-0000-4000-8000-000000000002",
            "c0000000-0000-4000-8000-0000000000ff",
        )
    });
    let zt = two.open().await;
    assert_eq!(
        code(job(&zt).await.with_grant(&grant)),
        Code::GrantOfAnother
    );
    let wrong = World::new();
    append(&wrong, "grant_keys = \"zt\"");
    let why = RuntimeBuilder::new(wrong.config())
        .open()
        .await
        .unwrap_err();
    assert_eq!(why.code(), Code::Config);
}

#[tokio::test]
async fn with_the_grant_the_session_ends_and_no_clock_revives_it() {
    let world = world();
    let start = SystemClock::new().now();
    let clock = Arc::new(ManualClock::new(start));
    let builder = RuntimeBuilder::new(world.config()).with_clock(Arc::clone(&clock) as _);
    let zt = builder.open().await.unwrap();
    let job = job(&zt).await;
    let request = for_stage(Some(2)).lasting(Duration::from_secs(60));
    let grant = orchestrator(&zt).await.grant(&request).await.unwrap();
    let proven = job.with_grant(&grant).unwrap();
    assert!(proven.check(KEY.0, KEY.1).unwrap().is_allowed());
    clock.jump_to(Timestamp::from_millis(start.as_millis() + 60_000));
    assert_eq!(code(proven.check(KEY.0, KEY.1)), Code::GrantExpired);
    assert_eq!(code(job.with_grant(&grant)), Code::GrantExpired);
    clock.jump_to(Timestamp::from_millis(start.as_millis() - 61_000));
    assert_eq!(code(job.with_grant(&grant)), Code::GrantNotYetValid);
    clock.jump_to(start);
    clock.advance(Duration::from_secs(60));
    clock.jump_to(Timestamp::from_millis(start.as_millis() - 1000));
    // The wall clock was set back; the tick was not.
    assert_eq!(code(proven.check(KEY.0, KEY.1)), Code::GrantExpired);
    assert!(
        !job.claiming(201, 2)
            .check(KEY.0, KEY.1)
            .unwrap()
            .is_allowed()
    );
}

#[tokio::test]
async fn a_grant_outlives_neither_the_token_nor_an_hour() {
    let world = world();
    let zt = world.open().await;
    let adf = orchestrator(&zt).await;
    let hour = for_stage(Some(2)).lasting(Duration::from_secs(3600));
    let grant = adf.grant(&hour).await.unwrap();
    assert!(grant.expires_at() <= adf.caller().expires_at().unwrap());
    for wrong in [Duration::from_secs(3601), Duration::ZERO] {
        let request = for_stage(Some(2)).lasting(wrong);
        assert_eq!(code(adf.grant(&request).await), Code::InvalidArgument);
    }
}

#[tokio::test]
async fn what_the_session_may_not_no_executor_may() {
    let world = world();
    rsa_key(&world).await;
    let zt = world.open().await;
    let job = job(&zt).await;
    // No job, no grant.
    assert_eq!(
        code(job.grant(&for_executors()).await),
        Code::InvalidArgument
    );
    let job = job.claiming(201, 2);
    let grant = job.grant(&for_executors()).await.unwrap();
    assert_eq!(grant.rights().len(), 2);
    for (action, resource, expected) in [
        ("table.read", "table:gold.loan_scores", Code::Denied),
        ("table.write", "table:raw.loan_applications", Code::Denied),
        ("data.seal", "output:loan_scores_sql", Code::Denied),
        ("secret.get", "secret:bureau-api-key", Code::InvalidArgument),
        (
            "data.open",
            "output:loan_scores_delta",
            Code::InvalidArgument,
        ),
        ("grant.issue", "job:201", Code::InvalidArgument),
        (
            "model.infer",
            "table:gold.loan_scores",
            Code::InvalidArgument,
        ),
        (
            "table.reap",
            "table:gold.loan_scores",
            Code::InvalidArgument,
        ),
        ("table.read", "table:nothing.*", Code::Denied),
        ("model.infer", "model:no*", Code::InvalidArgument),
    ] {
        let request = for_executors().with(action, resource);
        assert_eq!(
            code(job.grant(&request).await),
            expected,
            "{action} {resource}"
        );
    }
    // Another job's session has no such right, and neither has who may not delegate.
    assert_eq!(
        code(job.claiming(202, 1).grant(&for_executors()).await),
        Code::Denied
    );
    let maya = sign_in(&zt, "user:maya").await.claiming(201, 2);
    let infer = GrantRequest::for_executors().with("model.infer", "model:car_loan_scorer");
    assert_eq!(code(maya.grant(&infer).await), Code::Denied);
}

#[tokio::test]
async fn a_pattern_becomes_the_resources_that_are_allowed() {
    let world = world();
    let zt = world.open().await;
    let job = job(&zt).await.claiming(201, 2);
    let request = GrantRequest::for_executors().with("table.read", "table:**");
    let grant = job.grant(&request).await.unwrap();
    let rights: Vec<String> = grant.rights().iter().map(ToString::to_string).collect();
    assert_eq!(rights, ["table.read table:raw.loan_applications"]);
}

#[tokio::test]
async fn obligations_that_executors_do_not_carry_out_are_refused_and_columns_are_held() {
    let world = world();
    world.edit(|tables| {
        let row = |id: &str, who: &str, action: &str, resource: &str| {
            format!(
                "\n[[Access_Policies]]\nid = \"{id}\"\nprincipal = \"{who}\"\naction = \"{action}\"\n\
                 resource = \"{resource}\"\neffect = \"allow\"\n"
            )
        };
        let analyst = row("AP-90", "role:analyst", "grant.delegate", "job:201");
        let engineer = row("AP-91", "role:data_engineer", "grant.delegate", "job:201");
        format!("{tables}{analyst}{engineer}")
    });
    let zt = world.open().await;
    let read = GrantRequest::for_executors().with("table.read", "table:gold.loan_scores");
    let elin = sign_in(&zt, "user:elin").await.claiming(201, 2);
    let grant = elin.grant(&read).await.unwrap();
    assert_eq!(grant.columns().unwrap(), ["id", "y_pred", "scored_at"]);
    let narrow = read.clone().of_columns(["id"]);
    assert_eq!(
        elin.grant(&narrow).await.unwrap().columns().unwrap(),
        ["id"]
    );
    let wide = read.clone().of_columns(["id", "y_pred_proba"]);
    assert_eq!(code(elin.grant(&wide).await), Code::ObligationUnmet);
    // Jonas sees a masked column.
    let jonas = sign_in(&zt, "user:jonas").await.claiming(201, 2);
    assert_eq!(code(jonas.grant(&read).await), Code::ObligationUnmet);
}

fn scores() -> Batch {
    let number = |cells: &[f64]| Cells::Number(cells.iter().copied().map(Some).collect());
    Batch::new(vec![
        Column::new("id", Cells::Integer(vec![Some(70000), Some(70001)])),
        Column::new("y_pred_proba", number(&[0.97, 0.2])),
        Column::new(
            "salary_range",
            Cells::Text(vec![Some("20K - 40K".to_owned()), None]),
        ),
        Column::new("debt_to_income_ratio", number(&[0.7, 0.1])),
    ])
    .unwrap()
}

#[tokio::test]
async fn what_an_executor_sealed_the_risk_officer_opens_and_its_acts_are_in_the_log() {
    let world = world();
    rsa_key(&world).await;
    let zt = world.open().await;
    let job = job(&zt).await.claiming(201, 2);
    let grant = job.grant(&for_executors()).await.unwrap();
    // Only text travels.
    let (text, key) = (
        grant.as_str().to_owned(),
        job.grant_key().unwrap().to_string(),
    );
    let there = Grant::parse(&text).unwrap();
    let executor = Executor::open(&there, &[key.parse().unwrap()]).unwrap();
    executor
        .require("model.infer", "model:car_loan_scorer")
        .unwrap();
    let sealed = executor.sealer(OUTPUT).unwrap().seal(&scores()).unwrap();
    executor.sealed(OUTPUT, 2).unwrap();
    drop(executor.require("secret.get", "secret:bureau-api-key"));
    let statement: Statement = executor.statement().unwrap().to_string().parse().unwrap();

    let ines = sign_in(&zt, "user:ines").await;
    let opened = ines
        .opener(OUTPUT, &sealed)
        .await
        .unwrap()
        .unseal(&sealed)
        .unwrap();
    assert!(opened == scores());

    let merged = job.merge(&grant, std::slice::from_ref(&statement)).unwrap();
    assert_eq!((merged.statements, merged.acts, merged.repeated), (1, 4, 0));
    let again = job.merge(&grant, std::slice::from_ref(&statement)).unwrap();
    assert_eq!((again.statements, again.acts, again.repeated), (0, 0, 1));
    // Not by who is not its subject, and not under another grant.
    assert_eq!(
        code(ines.merge::<Statement>(&grant, &[])),
        Code::GrantOfAnother
    );
    let other = job.grant(&for_executors()).await.unwrap();
    assert_eq!(code(job.merge(&other, &[statement])), Code::AuditIntegrity);
    let entries = close(zt).await;
    let head = entries
        .iter()
        .find(|one| one.action == "executor.merged")
        .unwrap();
    assert_eq!(head.detail["grant"], grant.id());
    assert_eq!(head.detail["count"], "4");
    let of_chain = |one: &&Entry| one.detail.contains_key("executor");
    let acts: Vec<&Entry> = entries.iter().filter(of_chain).collect();
    assert_eq!(acts.len(), 4);
    assert!(
        acts.iter()
            .any(|one| one.detail["asked"] == "secret.get" && one.outcome == "refused")
    );
    assert!(acts.iter().any(|one| one.detail["asked"] == "data.seal"
        && one.detail.get("rows").is_some_and(|rows| rows == "2")));
    assert!(
        acts.iter()
            .all(|one| one.caller.as_deref() == Some("sp:sp-score-201"))
    );
}

#[tokio::test]
async fn sealing_on_executors_needs_a_key_with_a_public_half() {
    let world = World::new().with_key("scores-kek").await;
    let zt = world.open().await;
    let job = job(&zt).await.claiming(201, 2);
    let why = job.grant(&for_executors()).await.unwrap_err();
    assert_eq!(why.code(), Code::InvalidArgument);
    assert!(why.help().unwrap().contains("--rsa"), "{why}");
    // What was sealed under the key of AES still opens when the next version is of RSA.
    let sealed = job.sealer(OUTPUT).await.unwrap().seal(&scores()).unwrap();
    rsa_key(&world).await;
    job.grant(&for_executors()).await.unwrap();
    let ines = sign_in(&zt, "user:ines").await;
    let opened = ines
        .opener(OUTPUT, &sealed)
        .await
        .unwrap()
        .unseal(&sealed)
        .unwrap();
    assert!(opened == scores());
    let newer = job.sealer(OUTPUT).await.unwrap().seal(&scores()).unwrap();
    assert!(
        ines.opener(OUTPUT, &newer)
            .await
            .unwrap()
            .unseal(&newer)
            .unwrap()
            == scores()
    );
}
