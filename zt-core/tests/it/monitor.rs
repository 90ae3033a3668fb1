//! Metrics of the sample's loans, the rules that fire on them, and where the alerts stand.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use serde_json::Value;
use zt_core::adapters::memory::{MemoryAlerts, MemoryReference};
use zt_core::audit::{self, Entry};
use zt_core::batch::{Batch, Cells, Column};
use zt_core::metadata::MlModel;
use zt_core::monitor::{
    Alert, AlertError, AlertSink, Evaluation, Metrics, ReferenceError, ReferenceSource,
};
use zt_core::port::BoxFuture;
use zt_core::runtime::RuntimeBuilder;
use zt_core::{Code, Error, Runtime, Session};

use crate::world::{NEEDLE, World, sample, sign_in};

fn loans() -> Batch {
    let bytes = fs::read(sample().join("data/loans.csv")).unwrap();
    Batch::from_csv(bytes.as_slice()).unwrap()
}

fn expected() -> Value {
    let text = fs::read_to_string(sample().join("expected.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The job that may report about the model.
async fn scorer(zt: &Runtime) -> Session {
    sign_in(zt, "sp:sp-score-201").await.claiming(201, 2)
}

async fn with_sink(world: &World) -> (Runtime, Arc<MemoryAlerts>) {
    let sink = Arc::new(MemoryAlerts::new());
    let port: Arc<dyn AlertSink> = Arc::<MemoryAlerts>::clone(&sink);
    let builder = RuntimeBuilder::new(world.config()).with_alert_sink(port);
    (builder.open().await.unwrap(), sink)
}

/// The records of what was done, after the log was closed.
async fn effects(zt: Runtime) -> Vec<Entry> {
    done_and_failed(zt).await.0
}

/// The same, with the reasons of what was allowed and failed, which are counted.
async fn done_and_failed(zt: Runtime) -> (Vec<Entry>, Vec<String>) {
    let folder = zt.audit_folder();
    zt.close(Duration::from_secs(5)).await.unwrap();
    assert!(audit::verify(&folder).unwrap().is_intact());
    let done = audit::tail(&folder, 100, |entry| entry.kind == "effect");
    let failed = audit::tail(&folder, 100, |entry| {
        entry.of.as_deref() == Some("effect") && entry.outcome == "failed"
    });
    let failed = failed.unwrap().into_iter();
    let mut reasons: Vec<_> = failed.map(|entry| entry.detail["reason"].clone()).collect();
    reasons.sort();
    (done.unwrap(), reasons)
}

fn fired(evaluation: &Evaluation, window: u64) -> Vec<&str> {
    let of_window = |alert: &&Alert| alert.window == Some(window);
    let alerts = evaluation.alerts().iter().filter(of_window);
    alerts.map(|alert| alert.rule.as_str()).collect()
}

fn reason(evaluation: &Evaluation, rule: &str) -> String {
    let found = evaluation.states().iter().find(|state| state.rule == rule);
    let state = &found.unwrap().state;
    state
        .no_data()
        .map_or_else(|| state.to_string(), ToString::to_string)
}

#[tokio::test]
async fn the_first_window_is_silent_and_the_second_fires_four_rules() {
    let world = World::with_data();
    let (zt, sink) = with_sink(&world).await;
    let job = scorer(&zt).await;
    let evaluation = job.log_batch("car_loan_scorer", &loans()).await.unwrap();
    let expected = expected();
    for window in [0, 1] {
        let rules: Vec<&str> = expected["alerts"][format!("window {window}")]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| rule.as_str().unwrap())
            .collect();
        assert_eq!(fired(&evaluation, window), rules, "{evaluation}");
    }
    assert_eq!(sink.all(), evaluation.alerts());
    assert_eq!(evaluation.states().len(), 8, "four rules, two windows");
    assert!(
        !evaluation
            .states()
            .iter()
            .any(|state| state.state.no_data().is_some())
    );

    let effects = effects(zt).await;
    assert_eq!(effects.len(), 2, "a record for each window");
    let second = &effects[1];
    assert_eq!(second.caller.as_deref(), Some("sp:sp-score-201"));
    assert_eq!(
        (second.action.as_str(), second.outcome.as_str()),
        ("metric.report", "ok")
    );
    assert_eq!(second.policies, ["AP-25"]);
    assert_eq!(second.detail["rows"], "5001-10000");
    assert_eq!(second.detail["AL-01"], "fired 0.9146");
    assert_eq!(effects[0].detail["AL-01"], "ok 0.941");
    assert_eq!(effects[0].detail["rows"], "1-5000");
}

/// The value of a rule in each window.
async fn values(job: &Session, rows: &Batch) -> Vec<(String, u64, f64)> {
    let evaluation = job.log_batch("car_loan_scorer", rows).await.unwrap();
    let states = evaluation.states().iter();
    states
        .map(|state| {
            let name = match &state.column {
                Some(column) => format!("{} {column}", state.metric),
                None => state.metric.to_string(),
            };
            (
                name,
                state.window.unwrap().index,
                state.state.value().unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn every_metric_is_that_of_the_golden_file() {
    let columns = [
        "debt_to_income_ratio",
        "driver_tenure",
        "y_pred_proba",
        "loan_length",
    ];
    let world = World::with_data();
    world.edit(|mut tables| {
        for (at, column) in columns.iter().enumerate() {
            tables.push_str(&format!(
                "[[Alert_Rules]]\nid = \"AL-1{at}\"\nmodel = \"car_loan_scorer\"\n\
                 metric = \"psi/reference-deciles\"\ncolumn = \"{column}\"\nfires = \"above\"\n\
                 threshold = 9\nwindow_rows = 5000\nseverity = 4\n"
            ));
        }
        tables
    });
    let zt = world.open().await;
    let found = values(&scorer(&zt).await, &loans()).await;
    let expected = expected();
    let mut compared = 0;
    for (name, window, value) in &found {
        let golden = &expected["windows"][usize::try_from(*window).unwrap()];
        let golden = match name.split_once(' ') {
            Some(("null_rate", column)) => &golden["null_rate"][column],
            Some((_, column)) => &golden["psi"][column],
            None => &golden[name.as_str()],
        };
        let golden = golden.as_f64().unwrap();
        assert!(
            (value - golden).abs() < 1e-6,
            "{name} in window {window}: {value}, not {golden}"
        );
        compared += 1;
    }
    assert_eq!(
        compared, 16,
        "five columns, nulls, accuracy and ROC, two windows"
    );
}

#[tokio::test]
async fn the_order_of_rows_within_a_window_does_not_matter() {
    let world = World::with_data();
    let zt = world.open().await;
    let job = scorer(&zt).await;
    let rows = loans().slice(5000..10_000);
    let reversed = rows.columns().iter().map(|column| {
        let Cells::Text(cells) = column.cells() else {
            panic!("CSV has text alone");
        };
        let cells = cells.iter().rev().cloned().collect();
        Column::new(column.name(), Cells::Text(cells))
    });
    let reversed = Batch::new(reversed.collect()).unwrap();
    assert_eq!(values(&job, &rows).await, values(&job, &reversed).await);
}

#[tokio::test]
async fn fewer_rows_than_a_rule_needs_are_a_state_of_their_own() {
    let world = World::with_data();
    let (zt, sink) = with_sink(&world).await;
    let job = scorer(&zt).await;
    let late = loans().slice(5000..6000);
    let evaluation = job.log_batch("car_loan_scorer", &late).await.unwrap();
    assert_eq!(
        reason(&evaluation, "AL-01"),
        "1000 rows count, the rule needs 2500"
    );
    assert_eq!(
        reason(&evaluation, "AL-02"),
        "1000 rows count, the rule needs 2500"
    );
    assert_eq!(fired(&evaluation, 0), ["AL-03", "AL-04"], "these need 500");

    let empty = loans().slice(0..0);
    let evaluation = job
        .log_batch("model:car_loan_scorer", &empty)
        .await
        .unwrap();
    assert!(
        evaluation
            .states()
            .iter()
            .all(|state| state.state.no_data().is_some())
    );
    assert!(
        evaluation
            .to_string()
            .starts_with("AL-01 accuracy, window 0: no_data: the window is empty\n")
    );
    assert_eq!(sink.all().len(), 2);
    let effects = effects(zt).await;
    assert_eq!(effects[1].detail["AL-01"], "no_data: the window is empty");
}

#[tokio::test]
async fn rows_whose_label_is_still_unknown_do_not_count() {
    let world = World::with_data();
    let zt = world.open().await;
    let rows = loans().slice(5000..10_000);
    let without = rows.into_columns().into_iter().map(|column| {
        let cells = column.cells().all_null();
        if column.is_called("repaid") {
            Column::new("repaid", cells)
        } else {
            column
        }
    });
    let without = Batch::new(without.collect()).unwrap();
    let job = scorer(&zt).await;
    let evaluation = job.log_batch("car_loan_scorer", &without).await.unwrap();
    assert_eq!(reason(&evaluation, "AL-01"), "every row lacks a value");
    assert_eq!(reason(&evaluation, "AL-02"), "every row lacks a value");
    assert_eq!(
        fired(&evaluation, 0),
        ["AL-03", "AL-04"],
        "drift needs no label"
    );
}

#[tokio::test]
async fn a_value_that_a_service_reports_is_evaluated_too() {
    let world = World::new();
    let (zt, sink) = with_sink(&world).await;
    let adf = sign_in(&zt, "sp:mi-adf-brindlewick").await;
    let five_minutes = Duration::from_secs(300);
    let metrics = Metrics::new(1000)
        .with("latency_p95_ms", 250.0)
        .with("denied_decisions", 6.0)
        .over(five_minutes);
    let evaluation = adf.log_metrics("job:201", &metrics).await.unwrap();
    assert_eq!(
        evaluation.to_string(),
        "AL-05 latency_p95_ms: ok 250\nAL-06 denied_decisions: fired 6",
        "exactly at the threshold is not above it"
    );
    let alert = &evaluation.alerts()[0];
    assert_eq!(
        (alert.pipeline, alert.window, alert.rows),
        (Some(201), None, 1000)
    );
    assert_eq!(sink.all().len(), 1);

    let job = scorer(&zt).await;
    let metrics = Metrics::new(5000).with("accuracy", 0.9146).with_column(
        "null_rate",
        "SALARY_RANGE",
        f64::NAN,
    );
    let evaluation = job.log_metrics("car_loan_scorer", &metrics).await.unwrap();
    assert_eq!(evaluation.alerts()[0].rule, "AL-01");
    assert_eq!(reason(&evaluation, "AL-02"), "not reported");
    assert_eq!(reason(&evaluation, "AL-04"), "not a finite number");
    let few = Metrics::new(2500).with("accuracy", 0.929);
    let evaluation = job.log_metrics("car_loan_scorer", &few).await.unwrap();
    assert_eq!(
        reason(&evaluation, "AL-01"),
        "ok 0.929",
        "confidence keeps it from firing"
    );

    let effects = effects(zt).await;
    assert_eq!(effects[0].resource, "job:201");
    assert_eq!(effects[0].policies, ["AP-26"]);
    assert_eq!(effects[0].detail["AL-06"], "fired 6");
    assert_eq!(effects[1].detail["AL-02"], "no_data: not reported");
}

#[tokio::test]
async fn of_a_reported_roc_auc_the_rows_with_a_label_count() {
    let world = World::new();
    let (zt, sink) = with_sink(&world).await;
    let job = scorer(&zt).await;
    let metrics = Metrics::new(5000).with("roc_auc", 0.1);
    let few = metrics.clone().with_classes(1, 1);
    let evaluation = job.log_metrics("car_loan_scorer", &few).await.unwrap();
    assert_eq!(
        reason(&evaluation, "AL-02"),
        "2 rows count, the rule needs 2500"
    );
    assert!(sink.all().is_empty());
    for (positive, negative) in [(2500, 2501), (u64::MAX, 1)] {
        let more = metrics.clone().with_classes(positive, negative);
        let error = job.log_metrics("car_loan_scorer", &more).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{error}");
    }
}

#[tokio::test]
async fn who_may_not_report_is_refused_before_anything_is_read() {
    let world = World::new();
    let source = Arc::new(MemoryReference::new());
    let port = Arc::<MemoryReference>::clone(&source);
    let builder = RuntimeBuilder::new(world.config()).with_reference(port);
    let zt = builder.open().await.unwrap();
    let maya = sign_in(&zt, "user:maya").await;
    let elsewhere = sign_in(&zt, "sp:sp-score-201").await.claiming(202, 1);
    for session in [&maya, &elsewhere] {
        let error = session
            .log_batch("car_loan_scorer", &loans())
            .await
            .unwrap_err();
        assert!(error.is_denied(), "{error}");
        assert!(error.decision().is_some());
        let metrics = Metrics::new(1).with("acuracy", 2.0);
        let error = session
            .log_metrics("no_such_model", &metrics)
            .await
            .unwrap_err();
        assert!(error.is_denied(), "whether it exists is not told: {error}");
    }
    assert_eq!(source.loads(), 0);
    assert!(effects(zt).await.is_empty());
    let denies = audit::tail(world.config().audit_folder(), 100, |entry| {
        entry.action == "metric.report" && entry.outcome == "default_deny"
    });
    assert!(denies.unwrap().len() >= 4);
}

async fn refusal(zt: &Runtime, rows: &Batch) -> Error {
    let job = scorer(zt).await;
    job.log_batch("car_loan_scorer", rows).await.unwrap_err()
}

#[tokio::test]
async fn a_batch_that_does_not_fit_is_refused_whole_and_recorded() {
    let world = World::with_data();
    let zt = world.open().await;
    let names = |names: &[&str]| loans().slice(0..10).select(names).unwrap();
    let error = refusal(
        &zt,
        &names(&["y_pred", "y_pred_proba", "car_value", "salary_range"]),
    )
    .await;
    assert_eq!(error.code(), Code::InvalidArgument);
    assert_eq!(error.message(), "no column is called `repaid`");
    let csv = format!("repaid,y_pred,y_pred_proba,car_valu,salary_range\n1,1,{NEEDLE},1,x\n");
    let error = refusal(&zt, &Batch::from_csv(csv.as_bytes()).unwrap()).await;
    assert_eq!(
        error.message(),
        "row 1 of column `y_pred_proba` is not a number"
    );
    let csv = "repaid,y_pred,y_pred_proba,car_valu,salary_range\n1,1,0.5,1,x\n";
    let error = refusal(&zt, &Batch::from_csv(csv.as_bytes()).unwrap()).await;
    assert_eq!(
        error.message(),
        "no column is called `car_value`; did you mean `car_valu`?"
    );
    let job = scorer(&zt).await;
    let metrics = Metrics::new(1).with("accuracy", 94.0);
    let error = job
        .log_metrics("car_loan_scorer", &metrics)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    let error = job.log_batch("job:201", &loans()).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    let (done, failed) = done_and_failed(zt).await;
    assert!(done.is_empty(), "nothing was evaluated");
    let expected = [
        "no column is called `car_value`; did you mean `car_valu`?",
        "no column is called `repaid`",
        "row 1 of column `y_pred_proba` is not a number",
        "the value of `accuracy` is not a share from 0 to 1",
    ];
    assert_eq!(failed, expected);
    assert!(!world.config().alerts_file().exists());
}

#[tokio::test]
async fn a_model_or_job_that_no_row_has_is_told_to_who_may_know() {
    let world = World::new();
    world.edit(|tables| {
        tables
            .replacen(
                "resource = \"model:car_loan_scorer\"\neffect = \"allow\"\nwhen = { job = 201 }",
                "resource = \"model:**\"\neffect = \"allow\"\nwhen = { job = 201 }",
                1,
            )
            .replacen(
                "resource = \"job:201\"\neffect = \"allow\"\n# engineers",
                "resource = \"job:*\"\neffect = \"allow\"\n# engineers",
                1,
            )
    });
    let zt = world.open().await;
    let metrics = Metrics::new(1);
    let job = scorer(&zt).await;
    let error = job
        .log_metrics("car_loan_score", &metrics)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    assert!(
        error.message().ends_with("did you mean `car_loan_scorer`?"),
        "{error}"
    );
    let adf = sign_in(&zt, "sp:mi-adf-brindlewick").await;
    let error = adf.log_metrics("job:999", &metrics).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    let unwatched = adf.log_metrics("job:202", &metrics).await.unwrap();
    assert_eq!(unwatched.to_string(), "no rule watches this");
    let effects = effects(zt).await;
    assert_eq!(
        effects.last().unwrap().resource,
        "job:202",
        "and yet it is recorded"
    );
}

#[tokio::test]
async fn a_job_has_one_spelling_so_that_no_deny_is_passed_by() {
    let world = World::new();
    world.edit(|tables| {
        let row = |id: &str, resource: &str, effect: &str| {
            format!(
                "\n[[Access_Policies]]\nid = \"{id}\"\nprincipal = \"sp:mi-adf-brindlewick\"\n\
                 action = \"metric.report\"\nresource = \"{resource}\"\neffect = \"{effect}\"\n"
            )
        };
        tables + &row("AP-98", "job:*", "allow") + &row("AP-99", "job:201", "deny")
    });
    let (zt, sink) = with_sink(&world).await;
    let adf = sign_in(&zt, "sp:mi-adf-brindlewick").await;
    let metrics = Metrics::new(1000)
        .with("denied_decisions", 6.0)
        .over(Duration::from_secs(300));
    let error = adf.log_metrics("job:201", &metrics).await.unwrap_err();
    assert!(error.is_denied(), "{error}");
    for other in ["job:0201", "job:+201"] {
        let error = adf.log_metrics(other, &metrics).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{other}: {error}");
    }
    assert!(sink.all().is_empty());
    // Nor may a row name a job as nobody can ask for it: this deny would never speak.
    world.edit(|tables| tables + "\n[[Access_Policies]]\nid = \"AP-97\"\nprincipal = \"*\"\naction = \"metric.report\"\nresource = \"job:0202\"\neffect = \"deny\"\n");
    assert_eq!(zt.reload().await.unwrap_err().code(), Code::InvalidMetadata);
}

#[derive(Debug)]
struct Deaf;

impl AlertSink for Deaf {
    fn deliver<'a>(&'a self, _: &'a [Alert]) -> BoxFuture<'a, Result<(), AlertError>> {
        Box::pin(async { Err(AlertError::new("nobody listens")) })
    }
}

#[tokio::test]
async fn an_alert_that_cannot_be_delivered_stands_in_the_audit_log() {
    let world = World::with_data();
    let builder = RuntimeBuilder::new(world.config()).with_alert_sink(Arc::new(Deaf));
    let zt = builder.open().await.unwrap();
    let job = scorer(&zt).await;
    let silent = loans().slice(0..5000);
    assert!(job.log_batch("car_loan_scorer", &silent).await.is_ok());
    let error = job
        .log_batch("car_loan_scorer", &loans())
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::AlertsUnavailable);
    assert!(error.is_transient());
    assert_eq!(
        error.message(),
        "alerts cannot be delivered: nobody listens"
    );
    let (done, failed) = done_and_failed(zt).await;
    let states: Vec<&str> = done
        .iter()
        .map(|entry| entry.detail["AL-01"].as_str())
        .collect();
    assert_eq!(states, ["ok 0.941", "ok 0.941", "fired 0.9146"]);
    assert_eq!(failed, ["alerts cannot be delivered: nobody listens"]);
}

/// Looks into the audit log when it is told.
#[derive(Debug)]
struct Looks {
    folder: PathBuf,
    seen: Mutex<Vec<String>>,
}

impl AlertSink for Looks {
    fn deliver<'a>(&'a self, alerts: &'a [Alert]) -> BoxFuture<'a, Result<(), AlertError>> {
        let done = audit::tail(&self.folder, 100, |entry| entry.kind == "effect").unwrap();
        let states = alerts
            .iter()
            .filter_map(|alert| done.last()?.detail.get(&alert.rule));
        self.seen.lock().unwrap().extend(states.cloned());
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test]
async fn an_alert_is_on_the_disk_of_the_audit_log_before_it_leaves() {
    let world = World::new();
    let sink = Arc::new(Looks {
        folder: world.config().audit_folder(),
        seen: Mutex::default(),
    });
    let port: Arc<dyn AlertSink> = Arc::<Looks>::clone(&sink);
    let builder = RuntimeBuilder::new(world.config()).with_alert_sink(port);
    let zt = builder.open().await.unwrap();
    let metrics = Metrics::new(5000).with("accuracy", 0.5);
    let job = scorer(&zt).await;
    job.log_metrics("car_loan_scorer", &metrics).await.unwrap();
    assert_eq!(*sink.seen.lock().unwrap(), ["fired 0.5"]);
}

#[tokio::test]
async fn no_rule_takes_the_place_of_another_detail_of_its_record() {
    let long = "a".repeat(129);
    for id in ["rows", "rules", "uti", &long] {
        let world = World::new();
        world.edit(|tables| tables.replacen("id = \"AL-01\"", &format!("id = \"{id}\""), 1));
        let why = RuntimeBuilder::new(world.config())
            .open()
            .await
            .unwrap_err();
        assert_eq!(why.code(), Code::InvalidMetadata, "{id}: {why}");
        assert!(why.to_string().contains("Alert_Rules"), "{why}");
    }
}

#[tokio::test]
async fn no_rule_is_left_out_of_the_audit_log_however_many_there_are() {
    let world = World::new();
    world.edit(|mut tables| {
        for at in 0..60 {
            tables.push_str(&format!(
                "[[Alert_Rules]]\nid = \"MANY-{at}\"\npipeline = 201\nmetric = \"latency_p99_ms\"\n\
                 fires = \"above\"\nthreshold = {at}\nwindow_rows = 10\nseverity = 4\n"
            ));
        }
        tables
    });
    let (zt, sink) = with_sink(&world).await;
    let adf = sign_in(&zt, "sp:mi-adf-brindlewick").await;
    let metrics = Metrics::new(10).with("latency_p99_ms", 30.0);
    adf.log_metrics("job:201", &metrics).await.unwrap();
    assert_eq!(sink.all().len(), 30);
    let effects = effects(zt).await;
    for at in 0..60 {
        let rule = format!("MANY-{at}");
        let states: Vec<_> = effects
            .iter()
            .filter_map(|entry| entry.detail.get(&rule))
            .collect();
        assert_eq!(
            states,
            [if at < 30 { "fired 30" } else { "ok 30" }],
            "{rule}"
        );
    }
    assert!(effects.iter().all(|entry| entry.omitted == 0));
}

/// Takes so long that the tables change meanwhile.
#[derive(Debug)]
struct Slow {
    inner: MemoryReference,
    runtime: OnceLock<Runtime>,
}

impl ReferenceSource for Slow {
    fn load<'a>(&'a self, model: &'a MlModel) -> BoxFuture<'a, Result<Batch, ReferenceError>> {
        Box::pin(async move {
            self.runtime.get().unwrap().reload().await.unwrap();
            self.inner.load(model).await
        })
    }
}

#[tokio::test]
async fn a_right_that_is_withdrawn_while_the_reference_is_read_is_gone() {
    let world = World::new();
    let (zt, job) = slow(&world).await;
    world.edit(|tables| {
        tables.replacen(
            "role:scoring_job\"\naction = \"metric.report",
            "role:data_engineer\"\naction = \"metric.report",
            1,
        )
    });
    let error = job
        .log_batch("car_loan_scorer", &loans())
        .await
        .unwrap_err();
    assert!(error.is_denied(), "{error}");
    assert!(effects(zt).await.is_empty());
}

#[tokio::test]
async fn rules_that_change_while_the_reference_is_read_are_asked_anew() {
    let world = World::new();
    let (_zt, job) = slow(&world).await;
    world.edit(|tables| tables.replacen("threshold = 0.2\n", "threshold = 2\n", 1));
    let evaluation = job.log_batch("car_loan_scorer", &loans()).await.unwrap();
    assert_eq!(evaluation.snapshot, 2);
    assert_eq!(fired(&evaluation, 1), ["AL-01", "AL-02", "AL-04"]);
}

/// A runtime that reads its tables again whenever it reads a reference.
async fn slow(world: &World) -> (Runtime, Session) {
    let bytes = fs::read(sample().join("data/loans_reference.csv")).unwrap();
    let reference = Batch::from_csv(bytes.as_slice()).unwrap();
    let source = Arc::new(Slow {
        inner: MemoryReference::new().with("car_loan_scorer", reference),
        runtime: OnceLock::new(),
    });
    let port: Arc<dyn ReferenceSource> = Arc::<Slow>::clone(&source);
    let builder = RuntimeBuilder::new(world.config()).with_reference(port);
    let zt = builder.open().await.unwrap();
    assert!(source.runtime.set(zt.clone()).is_ok());
    let job = scorer(&zt).await;
    (zt, job)
}

#[tokio::test]
async fn a_folder_in_the_place_of_the_alerts_file_is_an_error() {
    let world = World::with_data();
    fs::create_dir_all(world.config().alerts_file()).unwrap();
    let zt = world.open().await;
    let error = refusal(&zt, &loans()).await;
    assert_eq!(error.code(), Code::AlertsUnavailable);
    assert!(error.message().contains("alerts.jsonl"), "{error}");
}

#[tokio::test]
async fn the_default_sink_is_a_file_of_json_lines() {
    let world = World::with_data();
    let zt = world.open().await;
    let job = scorer(&zt).await;
    let mut evaluation = job.log_batch("car_loan_scorer", &loans()).await.unwrap();
    let text = fs::read_to_string(world.config().alerts_file()).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let rules: Vec<&str> = lines
        .iter()
        .map(|line| line["rule"].as_str().unwrap())
        .collect();
    assert_eq!(rules, ["AL-01", "AL-02", "AL-03", "AL-04"]);
    let first = &lines[0];
    assert_eq!(first["model"], "car_loan_scorer");
    assert_eq!(first["value"], 0.9146);
    assert_eq!(first["fires"], "below");
    assert_eq!(
        (&first["rows"], &first["window"], &first["snapshot"]),
        (&5000.into(), &1.into(), &1.into())
    );
    assert!(first["bound"].as_f64().unwrap() < 0.93 && first["confidence"] == 0.95);
    assert_eq!(first["at"], evaluation.at.to_string());
    assert!(lines[1].get("confidence").is_none(), "that rule has none");

    evaluation = job.log_batch("car_loan_scorer", &loans()).await.unwrap();
    assert_eq!(evaluation.alerts().len(), 4);
    let text = fs::read_to_string(world.config().alerts_file()).unwrap();
    assert_eq!(text.lines().count(), 8, "appended");
}

#[tokio::test]
async fn reference_data_of_another_digest_are_refused() {
    let world = World::with_data();
    let pinned = "reference = \"data/loans_reference.csv\"\nsha256 = \"DIGEST\"\n#";
    let digest = "0".repeat(64);
    world.edit(|tables| {
        tables.replacen(
            "reference = \"data/loans_reference.csv\"",
            &pinned.replace("DIGEST", &digest),
            1,
        )
    });
    let zt = world.open().await;
    let error = refusal(&zt, &loans()).await;
    assert_eq!(error.code(), Code::InvalidMetadata);
    let is = error
        .message()
        .rsplit_once("SHA-256 is ")
        .unwrap()
        .1
        .to_owned();
    assert_eq!(is.len(), 64);

    world.edit(|tables| tables.replacen(&digest, &is, 1));
    zt.reload().await.unwrap();
    let job = scorer(&zt).await;
    let evaluation = job.log_batch("car_loan_scorer", &loans()).await.unwrap();
    assert_eq!(evaluation.alerts().len(), 4, "the file of the row is taken");
    assert_eq!(evaluation.snapshot, 2);
}

#[cfg(unix)]
#[tokio::test]
async fn reference_data_outside_the_folder_are_refused() {
    let outside = World::with_data();
    let world = World::with_data();
    let reference = world.path().join("data/loans_reference.csv");
    fs::remove_file(&reference).unwrap();
    let zt = world.open().await;
    let error = refusal(&zt, &loans()).await;
    assert_eq!(error.code(), Code::NotFound);
    std::os::unix::fs::symlink(outside.path().join("data/loans_reference.csv"), &reference)
        .unwrap();
    let error = refusal(&zt, &loans()).await;
    assert_eq!(error.code(), Code::InvalidMetadata);
    assert!(
        error.message().contains("leads out of the folder"),
        "{error}"
    );
}
