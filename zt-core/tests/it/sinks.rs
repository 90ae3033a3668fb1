//! Sinks of the audit log by `zt.toml`: copies, what must be in one before its answer, a disk that is gone, a process that is killed.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use zt_core::adapters::file::FileAuditSink;
use zt_core::adapters::sqlite::SqliteAuditSink;
use zt_core::audit::{
    self, AuditLog, AuditOptions, AuditSink, Durability, Entry, Kind, Outcome, Record,
    Verification, VerifyOptions,
};
use zt_core::clock::{Clock as _, SystemClock};
use zt_core::runtime::{Runtime, RuntimeBuilder};
use zt_core::{Code, ErrorKind};

use crate::world::{NEEDLE, World, sign_in};

const REMOTE: &str = r#"
[[Access_Policies]]
id = "AP-95"
principal = "*"
action = "secret.get"
resource = "secret:**"
effect = "restrict"
obligations = { audit = "remote" }
"#;

const LONG: Duration = Duration::from_secs(60);

async fn world(settings: &str) -> World {
    let world = World::new().with_secret("bureau-api-key").await;
    world.edit(|tables| format!("{tables}\n{REMOTE}"));
    let file = world.path().join("zt.toml");
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(text.matches("[audit]\n").count(), 1);
    let text = text.replace("[audit]\n", &format!("[audit]\n{settings}\n"));
    fs::write(file, text).unwrap();
    world
}

/// The lines of a log's folder, or of a copy's.
fn lines(folder: &Path) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "jsonl") {
            let text = fs::read_to_string(path).unwrap();
            lines.extend(text.lines().map(str::to_owned));
        }
    }
    lines
}

fn in_database(file: &Path) -> BTreeSet<String> {
    let connection = rusqlite::Connection::open(file).unwrap();
    let mut bodies = connection
        .prepare("select body from zt_audit_event")
        .unwrap();
    let rows = bodies.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[tokio::test]
async fn every_record_is_in_every_sink_after_the_end_and_the_copy_verifies() {
    let world =
        world("file_sink = \"copy\"\nsqlite_sink = \"audit.db\"\nremote_sink = \"file\"").await;
    let zt = world.open().await;
    let job = sign_in(&zt, "sp:sp-score-201").await;
    let secret = job.claiming(201, 2).secret("bureau-api-key").await.unwrap();
    assert!(secret.reveal() == NEEDLE.as_bytes());
    job.secret("bureau-api-key").await.unwrap_err();
    let folder = zt.audit_folder();
    zt.close(LONG).await.unwrap();
    let log = lines(&folder);
    assert_eq!(lines(&world.path().join("copy")), log);
    assert_eq!(in_database(&world.path().join("audit.db")), log);
    let (own, copy) = (
        audit::verify(&folder).unwrap(),
        audit::verify_with(world.path().join("copy"), &VerifyOptions::new().of_copy()).unwrap(),
    );
    assert!(own.is_intact() && copy.is_intact());
    let heads = |found: &Verification| {
        let heads = found.heads.iter().cloned();
        heads
            .map(|head| (head.writer, head.seq, head.hash))
            .collect::<Vec<_>>()
    };
    assert_eq!(heads(&own), heads(&copy));
    let unsigned = audit::verify(world.path().join("copy")).unwrap();
    assert!(
        !unsigned.is_intact(),
        "it is no log whose checkpoints are there"
    );
    assert!(own.notes.is_empty(), "{:?}", own.notes);
}

#[tokio::test]
async fn a_secret_is_out_only_after_its_release_is_in_the_sink_so_that_the_disk_may_burn() {
    let world =
        world("sqlite_sink = \"audit.db\"\nremote_sink = \"sqlite\"\nremote_within_s = 60").await;
    let zt = world.open().await;
    let job = sign_in(&zt, "sp:sp-score-201").await.claiming(201, 2);
    for _ in 0..3 {
        drop(job.secret("bureau-api-key").await.unwrap());
    }
    fs::remove_dir_all(zt.audit_folder()).unwrap();
    drop(job);
    // What can be said of a log without a folder is not the question.
    drop(zt.close(LONG).await);
    let kept = in_database(&world.path().join("audit.db"));
    let released: Vec<Entry> = kept
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|entry: &Entry| entry.kind == "release")
        .collect();
    assert_eq!(released.len(), 3, "each of them, none counted");
}

#[tokio::test]
async fn where_no_sink_acknowledges_what_demands_it_is_refused_and_nothing_else() {
    for settings in ["", "file_sink = \"copy\""] {
        let world = world(settings).await;
        let zt = world.open().await;
        let job = sign_in(&zt, "sp:sp-score-201").await.claiming(201, 2);
        let error = job.secret("bureau-api-key").await.unwrap_err();
        assert_eq!(error.code(), Code::AuditUnavailable);
        assert!(matches!(error.kind(), ErrorKind::Unavailable { .. }));
        assert!(job.check("table.read", "table:gold.loan_scores").is_ok());
        zt.close(LONG).await.unwrap();
    }
}

#[tokio::test]
async fn a_sink_that_cannot_be_written_stops_nothing_but_what_demands_it_and_shows_in_the_status() {
    let settings = "file_sink = \"in-the-way\"\nsqlite_sink = \"no/such/folder/audit.db\"\nremote_sink = \"file\"\nremote_within_s = 1";
    let world = world(settings).await;
    fs::write(world.path().join("in-the-way"), "a file").unwrap();
    let zt = world.open().await;
    let job = sign_in(&zt, "sp:sp-score-201").await.claiming(201, 2);
    let error = job.secret("bureau-api-key").await.unwrap_err();
    assert_eq!(error.code(), Code::AuditUnavailable);
    assert!(error.message().contains("in-the-way"), "{error}");
    assert!(job.check("table.read", "table:gold.loan_scores").is_ok());
    let sinks = zt.status().audit.sinks;
    assert_eq!(
        sinks.iter().map(|sink| &*sink.name).collect::<Vec<_>>(),
        ["file", "sqlite"]
    );
    assert!(sinks[0].is_remote && !sinks[0].is_delivering && sinks[0].behind > 0);
    let undelivered = zt.close(LONG).await.unwrap_err();
    assert!(
        undelivered.message().contains("`file` lacks"),
        "{undelivered}"
    );

    fs::remove_file(world.path().join("in-the-way")).unwrap();
    fs::create_dir_all(world.path().join("no/such/folder")).unwrap();
    let next = world.open().await;
    while next.status().audit.sinks.iter().any(|sink| sink.behind > 0) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let folder = next.audit_folder();
    next.close(LONG).await.unwrap();
    assert_eq!(lines(&world.path().join("in-the-way")), lines(&folder));
}

#[tokio::test]
async fn settings_that_do_not_fit_together_are_refused_before_a_log_is_made() {
    for (settings, part) in [
        ("remote_sink = \"file\"", "`audit.remote_sink`"),
        (
            "file_sink = \"a\"\nremote_sink = \"sqlite\"",
            "`audit.remote_sink`",
        ),
        ("file_sink = \".zt/audit\"", "`audit.file_sink`"),
        ("monitor_rule = \"dcr-1\"", "`audit.monitor_endpoint`"),
        (
            "monitor_endpoint = \"https://evil.example\"\nmonitor_rule = \"dcr-00000000000000000000000000000001\"",
            "Azure Monitor",
        ),
        ("remote_within_s = 0", "remote_within_s"),
    ] {
        let world = world(settings).await;
        let opened = match zt_core::runtime::Config::load_with(world.path(), |_| None) {
            Ok(config) => RuntimeBuilder::new(config).open().await,
            Err(error) => Err(error),
        };
        let error = opened.unwrap_err();
        assert_eq!(error.code(), Code::Config, "{settings}");
        assert!(error.message().contains(part), "{settings}: {error}");
        assert!(!world.path().join(".zt/audit").exists(), "{settings}");
    }
}

#[tokio::test]
async fn the_command_shows_how_the_sinks_are() {
    let world = world("file_sink = \"copy\"").await;
    let file = world.path().join("zt.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(file, format!("{text}\n[status]\nfolder = \".zt/status\"\n")).unwrap();
    let zt: Runtime = world.open().await;
    let show = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zt"));
        command.arg("--folder").arg(world.path()).args(["status"]);
        let output = command.output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let line = loop {
        let shown = show();
        if let Some(line) = shown.lines().find(|line| line.contains("  sink  ")) {
            break line.to_owned();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(line.contains("file delivering"), "{line}");
    zt.close(LONG).await.unwrap();
}

const FOLDER: &str = "ZT_SINK_KILL_TEST_FOLDER";

fn open(folder: &Path) -> (AuditLog, PathBuf, PathBuf) {
    let (copy, database) = (folder.join("copy"), folder.join("audit.db"));
    let file: Arc<dyn AuditSink> = Arc::new(FileAuditSink::new(&copy));
    let sqlite: Arc<dyn AuditSink> = Arc::new(SqliteAuditSink::new(&database));
    let options = AuditOptions::new(folder.join("log"))
        .with_segment_bytes(8192)
        .with_deadline(LONG)
        .with_sink("file", file)
        .with_remote_sink("sqlite", sqlite)
        .with_remote_deadline(LONG);
    let log = AuditLog::open(options, Arc::new(SystemClock::new())).unwrap();
    (log, copy, database)
}

/// Killed at whatever moment: in the log, between delivery and cursor, in a transaction, in a line of the copy.
#[test]
fn after_every_kill_the_sinks_have_all_of_the_log_and_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeSet::new();
    for round in 0..8_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture"])
            .arg("sinks::child_that_writes_until_it_is_killed")
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut said = output.lines().map_while(Result::ok).filter_map(|line| {
            let (_, text) = line.rsplit_once("acknowledged ")?;
            Some(text.to_owned())
        });
        for _ in 0..3 + round * 5 {
            acknowledged.insert(said.next().unwrap());
        }
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged.extend(said);
    }
    let (log, copy, database) = open(folder.path());
    while log.health().sinks.iter().any(|sink| sink.behind > 0) {
        std::thread::sleep(Duration::from_millis(10));
    }
    log.close(LONG).unwrap();
    assert!(
        audit::verify(folder.path().join("log"))
            .unwrap()
            .is_intact()
    );
    let of_log = lines(&folder.path().join("log"));
    assert_eq!(in_database(&database), of_log);
    assert_eq!(lines(&copy), of_log);
    let copied = audit::verify(&copy).unwrap();
    assert!(copied.is_intact(), "{copied:?}");
    for number in acknowledged {
        let text = format!("\"number\":\"{number}\"");
        assert!(
            of_log.iter().any(|line| line.contains(&text)),
            "{number} is lost"
        );
    }
}

#[test]
#[ignore = "the child of the test above"]
fn child_that_writes_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let (log, ..) = open(Path::new(&folder));
    let now = SystemClock::new().now();
    for number in 0.. {
        let name = format!("{}-{number}", std::process::id());
        let record = Record::new(Kind::Release, now, "secret.read", "secret:s", Outcome::Ok);
        let record = record.with_detail("number", &name);
        log.append(record, Durability::Remote).unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "acknowledged {name}").unwrap();
        out.flush().unwrap();
    }
}
