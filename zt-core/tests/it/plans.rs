//! Run plans: what each stage needs, where it runs, and every gap at once.

use std::collections::BTreeSet;
use std::fs;

use proptest::prelude::*;
use serde_json::Value;
use zt_core::audit;
use zt_core::metadata::StageOutcome;
use zt_core::plan::{Gap, RunPlan};
use zt_core::{Code, Runtime};

use crate::world::{NEEDLE, World, sample, sign_in};

fn expected() -> Value {
    serde_json::from_slice(&fs::read(sample().join("expected.json")).unwrap()).unwrap()
}

async fn plan_of(world: &World, job: u32) -> RunPlan {
    let zt = world.open().await;
    sign_in(&zt, "user:jonas").await.plan(job).unwrap()
}

/// The sentences of what job 201 lacks after a change of the tables.
async fn gaps_after(change: impl FnOnce(String) -> String) -> Vec<String> {
    let world = World::new();
    world.edit(change);
    let plan = plan_of(&world, 201).await;
    assert_eq!(plan.is_runnable(), plan.missing.is_empty());
    plan.missing.iter().map(ToString::to_string).collect()
}

/// The tables without the row that has this line.
fn without(tables: &str, line: &str) -> String {
    let line = format!("\n{line}\n");
    let left = rows_but(tables, |row| row.contains(&line));
    assert_eq!(left.matches("[[").count() + 1, tables.matches("[[").count());
    left
}

fn rows_but(tables: &str, goes: impl Fn(&str) -> bool) -> String {
    let rows: Vec<&str> = tables.split("[[").filter(|row| !goes(row)).collect();
    rows.join("[[")
}

/// The same with another text in one place, which must be there.
fn with(tables: &str, from: &str, to: &str) -> String {
    assert!(tables.contains(from), "{from}");
    tables.replacen(from, to, 1)
}

fn without_vault_rule(tables: &str) -> String {
    without(tables, "id = \"NR-01\"")
        .replace("[\"NR-01\", ", "[")
        .replace(", \"NR-01\"", "")
}

fn log(zt: &Runtime) -> Vec<audit::Entry> {
    audit::tail(zt.audit_folder(), 1000, |_| true).unwrap()
}

#[tokio::test]
async fn the_sample_job_is_runnable_and_each_stage_has_its_runtime() {
    let world = World::new();
    let zt = world.open().await;
    let expected = expected();
    for caller in ["sp:mi-adf-brindlewick", "user:jonas"] {
        let plan = sign_in(&zt, caller).await.plan(201).unwrap();
        assert_eq!(plan.missing, [], "{caller}");
        assert!(plan.is_runnable());
        assert_eq!(plan.outcome(), expected["plan_201"]);
        for (stage, runtime) in expected["runtime_of_stage"].as_object().unwrap() {
            let number: u32 = stage.strip_prefix("201/").unwrap().parse().unwrap();
            let stage = plan.stages.iter().find(|stage| stage.number == number);
            assert_eq!(
                stage.unwrap().runtime.as_ref().unwrap().name,
                runtime.as_str().unwrap()
            );
        }
        assert_eq!(plan.stages.len(), 3);
        assert_eq!(plan.snapshot.hash, zt.snapshot().hash().to_string());
    }
}

#[tokio::test]
async fn a_stage_runs_as_its_own_identity_else_as_the_jobs() {
    let plan = plan_of(&World::new(), 201).await;
    let runs_as: Vec<&str> = plan
        .stages
        .iter()
        .map(|stage| stage.runs_as.as_str())
        .collect();
    assert_eq!(
        runs_as,
        [
            "sp:mi-adf-brindlewick",
            "sp:sp-score-201",
            "sp:mi-adf-brindlewick"
        ]
    );
    let clusters: Vec<Option<&str>> = plan
        .stages
        .iter()
        .map(|stage| stage.cluster.as_deref())
        .collect();
    assert_eq!(clusters, [None, Some("score-small"), None]);
}

#[tokio::test]
async fn endpoints_are_the_union_of_hosts_vaults_output_and_key_each_with_its_reasons() {
    let plan = plan_of(&World::new(), 201).await;
    let because = |stage: usize, host: &str| -> String {
        let endpoints = &plan.stages[stage].endpoints;
        let endpoint = endpoints.iter().find(|one| one.host.starts_with(host));
        endpoint.map_or_else(String::new, |one| {
            let reasons: Vec<String> = one.because.iter().map(ToString::to_string).collect();
            reasons.join(", ")
        })
    };
    assert_eq!(because(0, "kv-"), "secret sql-loans-password");
    assert_eq!(because(1, "kv-"), "secret bureau-api-key, key scores-kek");
    assert_eq!(
        because(1, "stbrindlewick"),
        "hosts, output loan_scores_delta"
    );
    assert_eq!(because(2, "sql-"), "hosts, output loan_scores_sql");
    assert_eq!(
        because(2, "kv-"),
        "",
        "stage 3 copies what is sealed already"
    );
    let sql = &plan.stages[2].endpoints[0].route.as_ref().unwrap();
    assert_eq!(sql.rule, "NR-04");
    assert_eq!(sql.ports.len(), 2);
    let lake = plan.stages[2].endpoints[1].route.as_ref().unwrap();
    assert_eq!(lake.ports[0].to_string(), "443");
}

#[tokio::test]
async fn an_output_of_another_host_and_a_sealed_one_that_is_opened_add_their_endpoints() {
    let gaps = gaps_after(|tables| {
        let tables = with(
            &tables,
            "location = \"sql-brindlewick.database.windows.net/",
            "location = \"sql-other.database.windows.net/",
        );
        let tables = with(
            &tables,
            "needs = [\"table.read table:gold.loan_scores\"",
            "needs = [\"data.open output:loan_scores_delta\", \"table.read table:gold.loan_scores\"",
        );
        without_vault_rule(&tables)
    })
    .await;
    assert_eq!(
        gaps[2..],
        [
            "stage 3: `sp:mi-adf-brindlewick` may not `data.open` on `output:loan_scores_delta`: no policy allows it",
            "stage 3: no row of Network_Rules is about `kv-brindlewick-prod.vault.azure.net` (key scores-kek)",
            "stage 3: no row of Network_Rules is about `sql-other.database.windows.net` (output loan_scores_sql)",
        ]
    );
}

#[tokio::test]
async fn a_job_without_stages_says_so() {
    let plan = plan_of(&World::new(), 202).await;
    assert_eq!(plan.missing, [Gap::NoStages { job: 202 }]);
    assert_eq!(plan.missing[0].to_string(), "job has no stages");
    assert_eq!(plan.outcome(), expected()["plan_202"]);
    assert_eq!(plan.cluster.unwrap().name, "train-spot");
}

#[tokio::test]
async fn who_may_not_plan_is_refused_learns_nothing_and_stands_in_the_log() {
    let world = World::new();
    let zt = world.open().await;
    let maya = sign_in(&zt, "user:maya").await;
    let error = maya.plan(201).unwrap_err();
    assert!(error.is_denied());
    assert!(
        error
            .message()
            .contains("`user:maya` may not `job.plan` on `job:201`")
    );
    assert_eq!(maya.plan(999).unwrap_err().code(), Code::Denied);
    // The orchestrator of 201 is not that of 202.
    let adf = sign_in(&zt, "sp:mi-adf-brindlewick").await;
    assert!(adf.plan(202).unwrap_err().is_denied());
    let log = log(&zt);
    let refused = |caller: &str, job: &str| {
        let entry = log
            .iter()
            .find(|entry| entry.caller.as_deref() == Some(caller) && entry.resource == job);
        entry.unwrap().clone()
    };
    for (caller, job) in [
        ("user:maya", "job:201"),
        ("user:maya", "job:999"),
        ("sp:mi-adf-brindlewick", "job:202"),
    ] {
        let entry = refused(caller, job);
        assert_eq!(
            (entry.kind.as_str(), entry.outcome.as_str()),
            ("decision", "default_deny")
        );
        assert_eq!(entry.action, "job.plan");
    }
}

#[tokio::test]
async fn an_unknown_job_is_named_with_those_that_there_are() {
    let world = World::new();
    let zt = world.open().await;
    let error = sign_in(&zt, "user:jonas").await.plan(203).unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    assert_eq!(error.message(), "`job:203`: no row of Jobs has it");
    assert_eq!(error.help(), Some("the jobs are 201, 202"));
}

#[tokio::test]
async fn a_plan_is_one_effect_in_the_log_and_its_inner_decisions_none() {
    let world = World::new();
    let zt = world.open().await;
    let jonas = sign_in(&zt, "user:jonas").await;
    let _runnable = jonas.plan(201).unwrap();
    let _lacking = jonas.plan(202).unwrap();
    let closing = zt.clone();
    closing
        .close(std::time::Duration::from_secs(5))
        .await
        .unwrap();
    let plans: Vec<audit::Entry> = log(&zt)
        .into_iter()
        .filter(|entry| entry.action == "job.plan")
        .collect();
    let said: Vec<(&str, &str, &str, &str)> = plans
        .iter()
        .map(|entry| {
            let detail = |name: &str| entry.detail[name].as_str();
            (
                entry.kind.as_str(),
                entry.resource.as_str(),
                detail("runnable"),
                detail("missing"),
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            ("effect", "job:201", "yes", "0"),
            ("effect", "job:202", "no", "1")
        ]
    );
    assert_eq!(plans[0].policies, ["AP-24"]);
    assert!(
        log(&zt).iter().all(|entry| entry.action != "secret.get"),
        "a forecast is no decision"
    );
    assert_eq!(
        jonas.plan(201).unwrap_err().code(),
        Code::Closed,
        "no audit, no plan"
    );
}

const NO_BUREAU_KEY: &str = "stage 2: `sp:sp-score-201` may not `secret.get` on `secret:bureau-api-key`: no policy allows it";
const NO_PASSWORD: &str = "stage 1: `sp:mi-adf-brindlewick` may not `secret.get` on `secret:sql-loans-password`: no policy allows it";
const NO_APPLICATIONS: &str = "stage 2: `sp:sp-score-201` may not `table.read` on `table:raw.loan_applications`: no policy allows it";
const NO_WAY_TO_THE_BUREAU: &str = "stage 2: no integration runtime reaches all its hosts; `ir-managed-vnet` lacks `api.creditbureau.example` (NR-07); \
     `ir-onprem` lacks `adb-1000000000000001.1.azuredatabricks.net` (NR-02), `api.creditbureau.example` (NR-07); \
     `ir-onprem-wide` lacks `adb-1000000000000001.1.azuredatabricks.net` (NR-02), `api.creditbureau.example` (NR-07)";
const NO_VAULT_1: &str = "stage 1: no row of Network_Rules is about `kv-brindlewick-prod.vault.azure.net` (secret sql-loans-password)";
const NO_VAULT_2: &str = "stage 2: no row of Network_Rules is about `kv-brindlewick-prod.vault.azure.net` (secret bureau-api-key, key scores-kek)";

fn without_policy(id: &'static str) -> impl FnOnce(String) -> String {
    move |tables| without(&tables, &format!("id = \"{id}\""))
}

fn without_the_way_to_the_bureau(tables: &str) -> String {
    with(tables, "\"NR-04\", \"NR-07\"]", "\"NR-04\"]")
}

#[tokio::test]
async fn whatever_is_taken_away_is_exactly_the_gap() {
    assert_eq!(gaps_after(without_policy("AP-07")).await, [NO_BUREAU_KEY]);
    assert_eq!(gaps_after(without_policy("AP-14")).await, [NO_PASSWORD]);
    assert_eq!(gaps_after(without_policy("AP-12")).await, [NO_APPLICATIONS]);
    assert_eq!(
        gaps_after(|tables| without_the_way_to_the_bureau(&tables)).await,
        [NO_WAY_TO_THE_BUREAU]
    );
    assert_eq!(
        gaps_after(|tables| without_vault_rule(&tables)).await,
        [NO_VAULT_1, NO_VAULT_2]
    );
}

#[tokio::test]
async fn all_gaps_come_at_once_in_the_order_of_the_stages() {
    let gaps = gaps_after(|tables| {
        let tables = ["AP-07", "AP-14", "AP-12"]
            .iter()
            .fold(tables, |tables, id| {
                without(&tables, &format!("id = \"{id}\""))
            });
        without_vault_rule(&without_the_way_to_the_bureau(&tables))
    })
    .await;
    assert_eq!(
        gaps,
        [
            NO_PASSWORD,
            NO_VAULT_1,
            NO_APPLICATIONS,
            NO_BUREAU_KEY,
            NO_VAULT_2,
            NO_WAY_TO_THE_BUREAU
        ]
    );
}

#[tokio::test]
async fn a_deny_is_named_with_its_row_and_its_reason() {
    let deny = "\n[[Access_Policies]]\nid = \"AP-90\"\nprincipal = \"role:scoring_job\"\naction = \"table.read\"\n\
                resource = \"table:raw.*\"\neffect = \"deny\"\nwhy = \"frozen until the audit ends\"\n";
    let gaps = gaps_after(|tables| tables + deny).await;
    assert_eq!(
        gaps,
        [
            "stage 2: `sp:sp-score-201` may not `table.read` on `table:raw.loan_applications`: explicit_deny by AP-90: \
          frozen until the audit ends"
        ]
    );
}

#[tokio::test]
async fn what_else_would_stop_a_stage_is_a_gap_too() {
    let key =
        gaps_after(|tables| with(&tables, "secrets = []", "secrets = [\"scores-kek\"]")).await;
    assert_eq!(
        key,
        [
            "stage 3: `scores-kek` is a key: it never leaves the vault and cannot be read as a secret"
        ]
    );
    let cluster = gaps_after(|tables| with(&tables, "cluster = \"score-small\"\n", "")).await;
    assert_eq!(
        cluster,
        ["stage 2: it runs code, and job 201 names no row of Cluster_Profiles"]
    );
    let plain = gaps_after(|tables| with(&tables, "encryption = \"ER-01\"\n", "")).await;
    assert_eq!(
        plain,
        [
            "stage 2: it needs `data.seal` on `output:loan_scores_delta`, which names no row of Encryption_Rules"
        ]
    );
    let nodes = gaps_after(|tables| with(&tables, "nodes = 2", "nodes = 0")).await;
    assert_eq!(
        nodes,
        [
            "stage 1: no integration runtime reaches all its hosts; `ir-onprem` has no nodes; \
          `ir-managed-vnet` lacks `loans-db.onprem.brindlewick.example` (NR-05 is for `ir-onprem` alone); \
          `ir-onprem-wide` lacks `loans-db.onprem.brindlewick.example` (NR-05 is for `ir-onprem` alone)"
        ]
    );
    let none = gaps_after(|tables| {
        let tables = with(&tables, "runtime = \"ir-onprem\"\n", "");
        rows_but(&tables, |row| row.starts_with("Integration_Runtimes]]"))
    })
    .await;
    assert_eq!(
        none[0],
        "stage 1: Integration_Runtimes has no row that could reach its hosts"
    );
    assert_eq!(none.len(), 3);
}

#[tokio::test]
async fn a_right_to_seal_some_columns_is_a_gap_as_it_is_for_a_sealer() {
    let seal =
        "action = \"data.seal\"\nresource = \"output:loan_scores_delta\"\neffect = \"allow\"\n";
    let partial = format!("{seal}columns = [\"y_pred\"]\n");
    let gaps = gaps_after(|tables| with(&tables, seal, &partial)).await;
    assert_eq!(
        gaps,
        [
            "stage 2: `sp:sp-score-201` may not `data.seal` on `output:loan_scores_delta`: \
             allow by AP-17 does not cover all columns"
        ]
    );
}

#[tokio::test]
async fn a_secret_among_the_needs_is_planned_as_a_secret_and_refused_once() {
    let needs = "\"model.infer model:car_loan_scorer\"";
    let also = |reference: &str| format!("{needs}, \"secret.get secret:{reference}\"");
    for secrets in ["secrets = [\"bureau-api-key\"]", "secrets = []"] {
        let gaps = gaps_after(|tables| {
            let tables = with(&tables, needs, &also("bureau-api-key"));
            let tables = with(&tables, "secrets = [\"bureau-api-key\"]", secrets);
            let tables = without(&tables, "id = \"AP-07\"");
            without_vault_rule(&tables)
        })
        .await;
        let of_stage: Vec<&String> = gaps.iter().filter(|gap| gap.contains("stage 2")).collect();
        assert_eq!(
            of_stage,
            [
                "stage 2: `sp:sp-score-201` may not `secret.get` on `secret:bureau-api-key`: no policy allows it",
                "stage 2: no row of Network_Rules is about `kv-brindlewick-prod.vault.azure.net` \
                 (secret bureau-api-key, key scores-kek)",
            ],
            "{secrets}"
        );
    }
    let key = gaps_after(|tables| with(&tables, needs, &also("scores-kek"))).await;
    assert!(key.iter().any(|gap| gap.contains("is a key")), "{key:?}");
}

#[tokio::test]
async fn what_a_right_shows_only_in_part_stands_in_the_plan() {
    let world = World::new();
    world.edit(|tables| {
        let row = "resource = \"table:gold.loan_scores\"\neffect = \"allow\"\nwhen = { job = 201, stage = 3 }\n";
        with(
            &tables,
            row,
            &format!("{row}columns = [\"id\", \"salary_range\"]\nmasks = {{ salary_range = \"redact\" }}\nwhy = \"pay stays here\"\n"),
        )
    });
    let plan = plan_of(&world, 201).await;
    assert!(plan.is_runnable());
    let json = serde_json::to_value(&plan).unwrap();
    let need = &json["stages"][2]["needs"][0];
    assert_eq!(
        need["columns"]["only"],
        serde_json::json!(["id", "salary_range"])
    );
    assert_eq!(
        need["masks"],
        serde_json::json!({ "salary_range": "redact" })
    );
    let text = plan.to_string();
    assert!(text.contains("allow by AP-18: pay stays here\n"), "{text}");
    assert!(text.contains("columns id, salary_range\n"), "{text}");
    assert!(text.contains("masked: salary_range redact\n"), "{text}");
}

#[tokio::test]
async fn groups_count_only_where_the_stage_runs_as_the_caller() {
    let world = World::new();
    world.edit(|tables| {
        with(
            &tables,
            "id = \"AP-15\"\nprincipal = \"role:orchestrator\"",
            "id = \"AP-15\"\nprincipal = \"group:grp-data-engineering\"",
        )
    });
    let config = world.path().join("zt.toml");
    let text = fs::read_to_string(&config).unwrap();
    let groups = "\"sp:mi-adf-brindlewick\" = [\"group:grp-data-engineering\"]\n";
    fs::write(&config, format!("{}\n{groups}", text.trim_end())).unwrap();
    let zt = world.open().await;
    let own = sign_in(&zt, "sp:mi-adf-brindlewick")
        .await
        .plan(201)
        .unwrap();
    assert_eq!(own.missing, []);
    // Jonas is in that group himself, and lends it to nobody.
    let other = sign_in(&zt, "user:jonas").await.plan(201).unwrap();
    assert_eq!(
        other.missing[0].to_string(),
        "stage 1: `sp:mi-adf-brindlewick` may not `table.write` on `table:raw.loan_applications`: no policy allows it"
    );
    assert_eq!(other.missing.len(), 1);
}

#[tokio::test]
async fn what_the_caller_claims_changes_no_forecast() {
    let world = World::new();
    let zt = world.open().await;
    let adf = sign_in(&zt, "sp:mi-adf-brindlewick").await;
    assert_eq!(
        adf.plan(201).unwrap(),
        adf.claiming(202, 9).plan(201).unwrap()
    );
}

#[tokio::test]
async fn stages_come_after_what_they_wait_for_whatever_the_order_of_rows() {
    let diamond = |rows: &[&str]| {
        let stages = [5, 2, 3, 1]
            .map(|id| format!("\n[[Stages]]\njob_id = 202\nid = {id}\ntype = \"Step\"\n"));
        let rows = rows
            .iter()
            .map(|row| format!("\n[[Pipeline_Dependencies]]\njob_id = 202\n{row}\n"));
        stages.into_iter().chain(rows).collect::<String>()
    };
    let rows = [
        "stage = 3\nafter = 5\ncondition = \"Failed\"",
        "stage = 2\nafter = 5",
        "stage = 1\nafter = 3\ncondition = \"Completed\"",
        "stage = 1\nafter = 2",
    ];
    let mut reversed = rows;
    reversed.reverse();
    for rows in [rows, reversed] {
        let world = World::new();
        world.edit(|tables| tables + &diamond(&rows));
        let plan = plan_of(&world, 202).await;
        assert!(plan.is_runnable(), "{plan}");
        let order: Vec<u32> = plan.stages.iter().map(|stage| stage.number).collect();
        assert_eq!(order, [5, 2, 3, 1]);
        let last: Vec<(u32, StageOutcome)> = plan.stages[3]
            .after
            .iter()
            .map(|after| (after.stage, after.condition))
            .collect();
        assert_eq!(
            last,
            [(2, StageOutcome::Succeeded), (3, StageOutcome::Completed)]
        );
        assert!(
            plan.to_string()
                .contains("stage 1 Step, after 2 Succeeded and 3 Completed\n")
        );
    }
}

#[tokio::test]
async fn the_json_has_the_documented_fields_and_no_secret() {
    fn fields(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                found.extend(map.keys().cloned());
                map.values().for_each(|value| fields(value, found));
            }
            Value::Array(list) => list.iter().for_each(|value| fields(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let world = World::new().with_secret("bureau-api-key").await;
    let mut found = BTreeSet::new();
    let mut plans = vec![plan_of(&world, 201).await, plan_of(&world, 202).await];
    world.edit(|tables| {
        let tables = without(&tables, "id = \"AP-12\"");
        let tables = with(&tables, "secrets = []", "secrets = [\"scores-kek\"]");
        let tables = with(&tables, "cluster = \"score-small\"\n", "");
        without_vault_rule(&without_the_way_to_the_bureau(&tables))
    });
    plans.push(plan_of(&world, 201).await);
    for plan in &plans {
        let json = serde_json::to_value(plan).unwrap();
        fields(&json, &mut found);
        for said in [json.to_string(), plan.to_string(), format!("{plan:?}")] {
            assert!(!said.contains(NEEDLE));
        }
    }
    let known = "access action after availability because cluster columns condition decision encryption \
                 endpoints format group_id has_no_nodes host job key kind location masks max_workers min_workers \
                 missing mode model name nearest needs node_type number only output policies policy_id ports priority \
                 private_endpoint reference reserved_for resource rotate_days route rule run_as runnable runs_as \
                 runtime script secret secrets snapshot stage stages table ttl_s type unreached vault version why \
                 zone hash";
    let known: BTreeSet<String> = known.split_whitespace().map(str::to_owned).collect();
    assert_eq!(found, known);
    let page = include_str!("../../../docs/src/plan.md");
    for field in &found {
        assert!(page.contains(&format!("`{field}`")), "plan.md: {field}");
    }
}

/// A runtime without its name: whether it is managed, which of four rows it reaches.
type Shape = (bool, [bool; 4]);

fn tables_with(runtimes: &[Shape], hosts: [bool; 4], reserved: Option<usize>) -> String {
    let mut tables =
        "[[Principals]]\nid = \"sp:a\"\noid = \"00000000-0000-4000-8000-000000000001\"\n\
                      [[Jobs]]\njob_id = 1\nname = \"j\"\nrun_as = \"sp:a\"\n"
            .to_owned();
    let chosen = |flags: &[bool; 4], name: &dyn Fn(usize) -> String| {
        let names = (0..4).filter(|at| flags[*at]).map(name);
        names.collect::<Vec<_>>().join(", ")
    };
    let hosts = chosen(&hosts, &|at| format!("\"h{at}.example\""));
    tables += &format!("[[Stages]]\njob_id = 1\nid = 1\ntype = \"T\"\nhosts = [{hosts}]\n");
    for at in 0..4 {
        tables += &format!(
            "[[Network_Rules]]\nid = \"N{at}\"\nhost = \"h{at}.example\"\nmode = \"ncc\"\n"
        );
        if at == 0
            && let Some(runtime) = reserved
        {
            tables += &format!("runtime = \"r{runtime}\"\n");
        }
    }
    for (at, (managed, reaches)) in runtimes.iter().enumerate() {
        let kind = if *managed { "Managed" } else { "SelfHosted" };
        let reaches = chosen(reaches, &|at| format!("\"N{at}\""));
        tables += &format!(
            "[[Integration_Runtimes]]\nname = \"r{at}\"\nkind = \"{kind}\"\nreaches = [{reaches}]\n"
        );
    }
    tables
}

fn planned(tables: &str) -> RunPlan {
    use std::sync::Arc;
    use zt_core::policy::{self, DecisionId};
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("tables.toml");
    fs::write(&file, tables).unwrap();
    let source = zt_core::adapters::file::FileTables::new(&file);
    let raw = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(zt_core::metadata::MetadataSource::load(&source))
        .unwrap();
    let at = zt_core::clock::Timestamp::from_millis(0);
    let snapshot = Arc::new(zt_core::metadata::Snapshot::compile(&raw, 1, at).unwrap());
    let decide = |request| policy::decide(&snapshot, request, DecisionId::new(0, 0));
    zt_core::plan::resolve(&snapshot, 1, decide).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn the_runtime_is_the_managed_the_narrowest_the_first_that_reaches_all(
        runtimes in prop::collection::vec(any::<Shape>(), 1..7),
        hosts in any::<[bool; 4]>(),
        reserved in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let reserved = reserved.map(|at| at.index(runtimes.len()));
        let plan = planned(&tables_with(&runtimes, hosts, reserved));
        let reaches = |runtime: usize, host: usize| {
            runtimes[runtime].1[host] && (host != 0 || reserved.is_none_or(|only| only == runtime))
        };
        let mut best: Option<(bool, usize, usize)> = None;
        for (at, (managed, rows)) in runtimes.iter().enumerate() {
            if (0..4).all(|host| !hosts[host] || reaches(at, host)) {
                let rank = (!managed, rows.iter().filter(|row| **row).count(), at);
                best = Some(best.map_or(rank, |best| best.min(rank)));
            }
        }
        let chosen = plan.stages[0].runtime.as_ref().map(|runtime| runtime.name.clone());
        prop_assert_eq!(chosen, best.map(|(_, _, at)| format!("r{at}")));
        prop_assert_eq!(plan.is_runnable(), best.is_some());
        if let Some(Gap::NoRuntime { nearest, .. }) = plan.missing.first() {
            let lacks = |at: usize| (0..4).filter(|host| hosts[*host] && !reaches(at, *host)).count();
            let fewest = (0..runtimes.len()).map(lacks).min();
            prop_assert_eq!(nearest.first().map(|first| first.unreached.len()), fewest);
        }
    }
}

#[tokio::test]
async fn the_narrower_runtime_wins_and_managed_comes_first() {
    let runtime = async |change: &dyn Fn(&str) -> String| {
        let world = World::new();
        world.edit(|tables| change(&with(&tables, "runtime = \"ir-onprem\"\n", "")));
        let plan = plan_of(&world, 201).await;
        plan.stages[0].runtime.clone().unwrap().name
    };
    assert_eq!(runtime(&str::to_owned).await, "ir-onprem");
    let wide_is_as_narrow = |tables: &str| {
        with(
            tables,
            "\"NR-03\", \"NR-01\", \"NR-04\"]",
            "\"NR-03\", \"NR-01\"]",
        )
    };
    assert_eq!(
        runtime(&wide_is_as_narrow).await,
        "ir-onprem",
        "then the name"
    );
    let managed_reaches_it = |tables: &str| {
        with(
            tables,
            "\"NR-04\", \"NR-07\"]",
            "\"NR-04\", \"NR-07\", \"NR-05\"]",
        )
    };
    assert_eq!(runtime(&managed_reaches_it).await, "ir-managed-vnet");
}

#[test]
fn a_stage_that_connects_nowhere_needs_no_runtime() {
    let plan = planned(&tables_with(&[], [false; 4], None));
    assert!(plan.is_runnable());
    assert_eq!(plan.stages[0].runtime, None);
}
