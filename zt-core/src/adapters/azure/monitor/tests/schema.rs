//! The schema that is shipped and the rows that are sent have the same columns.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::super::row::Row;

fn shipped(file: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/azure-monitor");
    serde_json::from_slice(&fs::read(folder.join(file)).unwrap()).unwrap()
}

fn columns(list: &Value) -> BTreeMap<String, String> {
    let text = |column: &Value, name: &str| column[name].as_str().unwrap().to_owned();
    let columns = list.as_array().unwrap().iter();
    columns
        .map(|column| (text(column, "name"), text(column, "type")))
        .collect()
}

/// A row in which nothing is left out.
fn full() -> Value {
    let policies = ["AP-07".to_owned()];
    let row = Row {
        time_generated: "2026-10-01T08:00:00.000Z",
        event_time: "2026-10-01T08:00:00.000Z",
        writer_id: "w",
        seq: 1,
        hash: "h",
        kind: "k",
        outcome: "o",
        caller: Some("c"),
        caller_tenant_id: Some("t"),
        caller_object_id: Some("i"),
        action: "a",
        resource: "r",
        decision_id: Some("d"),
        policies: &policies,
        snapshot_version: Some(7),
        repeats: Some(2),
        line: "l",
    };
    serde_json::to_value(row).unwrap()
}

#[test]
fn every_column_of_the_schema_is_sent_and_no_other() {
    let table = shipped("table.json");
    let schema = columns(&table["properties"]["schema"]["columns"]);
    let rule = shipped("data-collection-rule.json");
    let stream = columns(&rule["properties"]["streamDeclarations"]["Custom-ZtAudit_CL"]["columns"]);
    assert_eq!(schema, stream);
    let sent = full();
    let sent = sent.as_object().unwrap();
    assert!(sent.keys().eq(schema.keys()), "{sent:?}");
    for (name, value) in sent {
        let kind = match value {
            Value::Number(_) => "long",
            Value::Array(_) => "dynamic",
            Value::String(_) if name.ends_with("Time") || name == "TimeGenerated" => "datetime",
            Value::String(_) => "string",
            Value::Null | Value::Bool(_) | Value::Object(_) => "nothing that is sent",
        };
        assert_eq!(schema[name], kind, "{name}");
    }
}

#[test]
fn names_are_such_as_the_service_takes() {
    // Microsoft Learn, "Azure Monitor service limits" and "Logs Ingestion API in Azure Monitor".
    let reserved = [
        "_ResourceId",
        "id",
        "_SubscriptionId",
        "TenantId",
        "Type",
        "UniqueId",
        "Title",
    ];
    let sent = full();
    for name in sent.as_object().unwrap().keys() {
        assert!(name.len() <= 45 && name.starts_with(|c: char| c.is_ascii_alphabetic()));
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
        assert!(
            !reserved.iter().any(|own| own.eq_ignore_ascii_case(name)),
            "{name}"
        );
    }
    let rule = shipped("data-collection-rule.json");
    let flow = &rule["properties"]["dataFlows"][0];
    assert_eq!(flow["outputStream"], "Custom-ZtAudit_CL");
    assert_eq!(
        shipped("table.json")["properties"]["schema"]["name"],
        "ZtAudit_CL"
    );
}
