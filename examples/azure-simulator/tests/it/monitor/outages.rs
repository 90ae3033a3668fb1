//! A runtime of zt whose audit log goes to Azure Monitor, through its real guarded client over TLS.

use std::fs;
use std::time::Duration;

use zt_azure_simulator::Fault;
use zt_core::audit::SinkHealth;
use zt_core::runtime::Runtime;
use zt_core::{Code, Session};

use super::*;
use crate::runtime::office::{Office, ready, until};

const RULES: &str = r#"
[[Network_Rules]]
id = "NR-91"
host = "zt-audit-a1b2.westeurope-1.ingest.monitor.azure.com"
mode = "private_only"
cidrs = ["10.20.9.0/26"]

[[Access_Policies]]
id = "AP-95"
principal = "*"
action = "*"
resource = "**"
effect = "restrict"
obligations = { audit = "remote" }
"#;

struct Scene {
    office: Office,
    zt: Runtime,
    job: Session,
}

/// A record waits so many seconds for the table.
async fn open(rows: &str, within_s: u64) -> Scene {
    let office = Office::new("");
    office.add_rows(rows);
    let text = office.config("");
    let (endpoint, rule) = (LogsIngestion::ENDPOINT, LogsIngestion::RULE);
    office.configure(&format!(
        "{text}\n[audit]\nmonitor_endpoint = \"{endpoint}\"\nmonitor_rule = \"{rule}\"\nremote_sink = \"monitor\"\nremote_within_s = {within_s}\n"
    ));
    let zt = opened(&office).await;
    let job = office.sign_in(&zt, "sp-score-201").await.claiming(201, 2);
    Scene { office, zt, job }
}

async fn opened(office: &Office) -> Runtime {
    let builder = office.builder().unwrap();
    let builder = builder.with_credential(office.credential("sp-score-201"));
    let zt = builder.open().await.unwrap();
    ready(&zt).await;
    zt
}

impl Scene {
    fn health(&self) -> SinkHealth {
        self.zt.status().audit.sinks.remove(0)
    }

    /// A decision that must be in the table before its answer.
    async fn decides(&self) -> zt_core::Result<()> {
        let job = self.job.clone();
        let asked = move || job.check("secret.get", "secret:bureau-api-key").map(drop);
        tokio::task::spawn_blocking(asked).await.unwrap()
    }

    fn spoil(&self, fault: Fault, times: u32) {
        let host = format!("{}/dataCollectionRules", LogsIngestion::HOST);
        self.office.sim.fault(&host, fault, times);
    }

    /// Decides until it is let through; the clock is moved past every pause.
    async fn decides_at_last(&self) {
        let mut decided = self.decides().await;
        for _ in 0..1200 {
            if decided.is_ok() {
                break;
            }
            self.office.advance(400);
            tokio::time::sleep(Duration::from_millis(20)).await;
            decided = self.decides().await;
        }
        decided.unwrap();
    }
}

/// Every line of the log's folder.
fn log(office: &Office) -> Vec<String> {
    let mut lines = Vec::new();
    for entry in fs::read_dir(office.path(".zt/audit")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "jsonl") {
            let text = fs::read_to_string(path).unwrap();
            lines.extend(text.lines().map(str::to_owned));
        }
    }
    lines.sort();
    lines
}

fn in_table(sim: &Simulator) -> Vec<String> {
    let mut lines: Vec<String> = distinct(sim).into_iter().map(|(.., line)| line).collect();
    lines.sort();
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_in_the_table_before_its_answer_and_survives_the_disk() {
    let scene = open(RULES, 60).await;
    scene.decides().await.unwrap();
    fs::remove_dir_all(scene.office.path(".zt/audit")).unwrap();
    let rows = scene.office.sim.logs_ingestion().rows();
    let decided = rows
        .iter()
        .find(|row| row["Action"] == "secret.get")
        .unwrap();
    assert_eq!(decided["Outcome"], "allow");
    assert_eq!(decided["Caller"], "sp:sp-score-201");
    let seqs: Vec<u64> = distinct(&scene.office.sim)
        .iter()
        .map(|(_, seq, _)| *seq)
        .collect();
    assert!(seqs.iter().zip(1..).all(|(seq, expected)| *seq == expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_outage_ends_with_every_record_in_the_table() {
    let scene = open(RULES, 1).await;
    let status = |status, retry_after| Fault::Status {
        status,
        retry_after,
    };
    for fault in [
        status(429, Some(30)),
        status(500, None),
        status(503, Some(2)),
        Fault::Close,
        Fault::Html,
        Fault::WrongJson,
        Fault::Giant(1 << 20),
        Fault::Redirect("https://elsewhere.invalid/".to_owned()),
        Fault::Unauthorized,
    ] {
        scene.spoil(fault, 1);
        scene.decides_at_last().await;
    }
    assert!(scene.health().is_delivering);
    let office = scene.office;
    drop(scene.job);
    scene.zt.close(Duration::from_secs(60)).await.unwrap();
    assert_eq!(in_table(&office.sim), log(&office));
    assert_eq!(
        fs::read_dir(office.path(".zt/audit/sinks/monitor"))
            .unwrap()
            .count(),
        2
    );
    office.assert_no_leaks(&[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_never_takes_is_refused_set_aside_and_named() {
    let scene = open(RULES, 60).await;
    scene.decides().await.unwrap();
    let status = 413;
    let retry_after = None;
    scene.spoil(
        Fault::Status {
            status,
            retry_after,
        },
        u32::MAX,
    );
    let error = scene.decides().await.unwrap_err();
    assert!(error.message().contains("set aside"), "{error}");
    let aside = fs::read_to_string(scene.office.path(".zt/audit/sinks/monitor/refused.jsonl"));
    assert!(aside.unwrap().contains("secret.get"));
    scene.office.sim.clear_faults();
    scene.decides().await.unwrap();
    let rows = scene.office.sim.logs_ingestion().rows();
    assert_eq!(
        rows.iter()
            .filter(|row| row["Action"] == "secret.get")
            .count(),
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_role_is_missing_the_decision_is_refused_and_the_log_keeps_the_rest() {
    let scene = open(RULES, 60).await;
    scene.decides().await.unwrap();
    scene
        .office
        .sim
        .logs_ingestion()
        .revoke("sp-score-201")
        .unwrap();
    let error = scene.decides().await.unwrap_err();
    assert_eq!(error.code(), Code::AuditUnavailable);
    scene.office.keep(&error);
    let health = scene.health();
    let why = health.last_error.clone().unwrap();
    assert!(why.contains("Monitoring Metrics Publisher"), "{why}");
    assert!(!health.is_delivering && health.behind > 0, "{health:?}");
    // The process ends; the next one delivers what it left.
    let office = scene.office;
    drop(scene.job);
    let undelivered = scene.zt.close(Duration::from_secs(60)).await.unwrap_err();
    assert!(
        undelivered.message().contains("`monitor` lacks"),
        "{undelivered}"
    );
    office.sim.logs_ingestion().grant("sp-score-201").unwrap();
    let next = opened(&office).await;
    until("everything is delivered", || {
        office.advance(60);
        in_table(&office.sim).len() == log(&office).len()
    })
    .await;
    assert_eq!(next.status().audit.sinks[0].behind, 0);
    office.assert_no_leaks(&[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_row_of_network_rules_nothing_is_sent() {
    let rows = RULES.replace("westeurope-1", "northeurope-1");
    let scene = open(&rows, 60).await;
    let error = scene.decides().await.unwrap_err();
    assert_eq!(error.code(), Code::AuditUnavailable);
    let why = scene.health().last_error.unwrap();
    assert!(why.contains("Network_Rules"), "{why}");
    let hosts = scene.office.sim.requests();
    assert!(
        hosts
            .iter()
            .all(|request| request.host != LogsIngestion::HOST)
    );
}
