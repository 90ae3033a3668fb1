//! `zt audit` as an auditor runs it, on a log that a runtime wrote and signed.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::cli::{err, out, zt};
use crate::world::{World, sign_in};

/// A world whose runtime answered some questions, one of them with a name that a spreadsheet would compute.
async fn asked() -> World {
    let world = World::new();
    let runtime = world.open().await;
    let maya = sign_in(&runtime, "user:maya").await;
    for table in ["raw.loan_applications", "gold.loan_scores", "gold.nothing"] {
        let _asked = maya.check("table.read", &format!("table:{table}")).unwrap();
    }
    runtime
        .close(std::time::Duration::from_secs(30))
        .await
        .unwrap();
    let found = zt_core::audit::verify(world.path().join(".zt/audit")).unwrap();
    assert!(found.is_intact() && found.unsigned() == 0, "{found:?}");
    world
}

fn file(world: &World, name: &str, text: &str) -> String {
    let path = world.path().join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn of_log(world: &World, end: &str) -> PathBuf {
    let files = fs::read_dir(world.path().join(".zt/audit")).unwrap();
    let mut paths = files.map(|entry| entry.unwrap().path());
    paths
        .find(|path| path.to_str().unwrap().ends_with(end))
        .unwrap()
}

#[tokio::test]
async fn a_signed_log_verifies_under_its_key_and_a_cut_one_does_not() {
    let world = asked().await;
    let key = file(&world, "audit.pem", &out(&zt(&world, &["audit", "key"])));
    let kept = fs::read_to_string(of_log(&world, ".checkpoints")).unwrap();
    let kept = file(&world, "kept.txt", &kept);
    let arguments = ["audit", "verify", "--key", &key, "--checkpoint", &kept];
    let said = out(&zt(&world, &arguments));
    assert!(
        said.starts_with("intact: ") && !said.contains("under no checkpoint"),
        "{said}"
    );
    let report: Value =
        serde_json::from_str(&out(&zt(&world, &["audit", "verify", "--json"]))).unwrap();
    assert_eq!(
        (&report["intact"], &report["unsigned"]),
        (&true.into(), &0.into())
    );
    let writers = out(&zt(&world, &["audit", "writers"]));
    assert!(writers.contains("closed at "), "{writers}");
    let segment = of_log(&world, ".jsonl");
    let text = fs::read_to_string(&segment).unwrap();
    let cut: String = text.split_inclusive('\n').take(3).collect();
    fs::write(&segment, cut).unwrap();
    let output = zt(&world, &["audit", "verify"]);
    assert_eq!(output.status.code(), Some(1));
    let said = out(&output);
    assert!(
        said.contains("the log was cut: it ends at record 3"),
        "{said}"
    );
    fs::remove_file(of_log(&world, ".checkpoints")).unwrap();
    let output = zt(&world, &arguments);
    assert!(out(&output).contains("kept.txt"), "{}", out(&output));
    let output = zt(&world, &["audit", "verify", "--key", &kept]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("holds no P-256 public key"));
}

#[tokio::test]
async fn records_are_found_copied_and_proven() {
    let world = asked().await;
    let of_maya = [
        "audit",
        "query",
        "--caller",
        "user:maya",
        "--action",
        "table.*",
        "--json",
    ];
    let found = out(&zt(&world, &of_maya));
    let entries: Vec<Value> = found
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(entries.len(), 3);
    let denied = zt(&world, &["audit", "query", "--outcome", "explicit_deny"]);
    assert_eq!(
        out(&denied)
            .lines()
            .filter(|line| line.contains(" explicit_deny "))
            .count(),
        1
    );
    let none = zt(&world, &["audit", "query", "--until", "2020-01-01"]);
    assert_eq!((none.status.code(), out(&none).as_str()), (Some(1), ""));
    let wrong = zt(&world, &["audit", "query", "--since", "yesterday"]);
    assert!(err(&wrong).contains("`yesterday` is no time"));

    let decision = entries[0]["decision"].as_str().unwrap();
    let bundle = out(&zt(&world, &["audit", "prove", decision]));
    let bundle = file(&world, "bundle.json", &bundle);
    let key = file(&world, "audit.pem", &out(&zt(&world, &["audit", "key"])));
    let proven = zt(&world, &["audit", "verify-bundle", &bundle, "--key", &key]);
    assert!(
        out(&proven).starts_with("proven: record "),
        "{}",
        err(&proven)
    );
    let text = fs::read_to_string(&bundle)
        .unwrap()
        .replace("user:maya", "user:mayo");
    let spoilt = file(&world, "spoilt.json", &text);
    let refused = zt(&world, &["audit", "verify-bundle", &spoilt, "--key", &key]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(out(&refused).starts_with("not proven: the record is not what was hashed"));
    let nobody = zt(&world, &["audit", "prove", "d-nobody"]);
    assert!(err(&nobody).contains("no record is `d-nobody`"));
}

#[tokio::test]
async fn every_export_holds_every_record() {
    let world = asked().await;
    let export = |format: &str| out(&zt(&world, &["audit", "export", "--format", format]));
    let json = |text: String| -> Vec<Value> {
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let records = json(export("jsonl"));
    assert!(records.len() > 4);
    let events = json(export("ocsf"));
    let logs = json(export("otel"));
    let table = export("csv");
    let mut rows = csv::Reader::from_reader(table.as_bytes());
    let names = rows.headers().unwrap().clone();
    let rows: Vec<_> = rows.records().map(Result::unwrap).collect();
    assert_eq!([events.len(), logs.len(), rows.len()], [records.len(); 3]);
    for (at, record) in records.iter().enumerate() {
        let cell = |name: &str| &rows[at][names.iter().position(|column| column == name).unwrap()];
        assert_eq!(cell("hash"), record["hash"].as_str().unwrap());
        assert_eq!(cell("resource"), record["resource"].as_str().unwrap());
        let event = &events[at];
        assert_eq!(event["class_uid"], 6003);
        assert_eq!(
            event["type_uid"].as_u64(),
            event["activity_id"].as_u64().map(|id| 600_300 + id)
        );
        assert_eq!(event["api"]["operation"], record["action"]);
        assert_eq!(event["unmapped"]["zt"]["hash"], record["hash"]);
        assert_eq!(event["actor"]["user"]["name"], record["caller"]);
        let log = &logs[at]["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0];
        let kind = format!("zt.{}", record["kind"].as_str().unwrap());
        assert_eq!(log["eventName"], Value::from(kind));
        let millis = event["time"].as_i64().unwrap();
        assert_eq!(log["timeUnixNano"], Value::from(format!("{millis}000000")));
        let is_denied = record["outcome"].as_str().unwrap().ends_with("deny");
        assert_eq!(event["status_id"] == 2, is_denied, "{event}");
        assert_eq!(log["severityText"] == "WARN", is_denied, "{log}");
    }
    let to = world.path().join("out.csv");
    let export = [
        "audit",
        "export",
        "--format",
        "csv",
        "--to",
        to.to_str().unwrap(),
    ];
    assert_eq!(
        out(&zt(&world, &export)),
        format!("{} records\n", records.len())
    );
    assert_eq!(fs::read_to_string(&to).unwrap(), table);
    assert_eq!(
        zt(&world, &export).status.code(),
        Some(2),
        "an export replaces nothing"
    );
}

#[test]
fn there_is_no_key_before_somebody_signed() {
    let world = World::new();
    let _none = fs::remove_file(world.path().join(".zt/audit.key"));
    let output = zt(&world, &["audit", "key"]);
    assert!(
        err(&output).contains("there is no audit key"),
        "{}",
        err(&output)
    );
}
