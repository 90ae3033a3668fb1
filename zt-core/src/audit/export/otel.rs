//! OpenTelemetry: the log data model in OTLP/JSON, one request with one log record a line.

use serde_json::{Value, json};

use super::super::Entry;
use super::{is_refusal, kind, millis};

/// One line.
pub(super) fn logs(entry: &Entry) -> Value {
    let nanos = |millis: Option<i64>| format!("{}", i128::from(millis.unwrap_or(0)) * 1_000_000);
    let (number, text) = match (entry.outcome.as_str(), is_refusal(entry)) {
        ("failed", _) => (17, "ERROR"),
        (_, true) => (13, "WARN"),
        (_, false) => (9, "INFO"),
    };
    let body = format!("{} on {}: {}", entry.action, entry.resource, entry.outcome);
    json!({
        "resourceLogs": [{
            "resource": { "attributes": [
                attribute("service.name", "zt"),
                attribute("service.instance.id", &entry.writer),
            ] },
            "scopeLogs": [{
                "scope": { "name": "zt.audit", "version": env!("CARGO_PKG_VERSION") },
                "logRecords": [{
                    "timeUnixNano": nanos(millis(Some(&entry.at))),
                    "observedTimeUnixNano": nanos(millis(Some(&entry.at))),
                    "severityNumber": number,
                    "severityText": text,
                    "eventName": format!("zt.{}", kind(entry)),
                    "body": { "stringValue": body },
                    "attributes": attributes(entry),
                }],
            }],
        }],
    })
}

fn attributes(entry: &Entry) -> Vec<Value> {
    let mut all = vec![
        attribute("zt.outcome", &entry.outcome),
        attribute("zt.action", &entry.action),
        attribute("zt.resource", &entry.resource),
        attribute("zt.seq", &entry.seq.to_string()),
        attribute("zt.hash", &entry.hash),
    ];
    let optional = [
        ("user.name", &entry.caller),
        ("user.id", &entry.oid),
        ("zt.tenant", &entry.tenant),
        ("zt.decision", &entry.decision),
        ("zt.first", &entry.first),
        ("zt.last", &entry.last),
    ];
    for (name, value) in optional {
        all.extend(value.as_ref().map(|value| attribute(name, value)));
    }
    if let Some(count) = entry.count {
        all.push(json!({ "key": "zt.count", "value": { "intValue": count.to_string() } }));
    }
    if let Some(snapshot) = &entry.snapshot {
        all.push(attribute(
            "zt.snapshot.version",
            &snapshot.version.to_string(),
        ));
        all.push(attribute("zt.snapshot.content", &snapshot.content));
    }
    if !entry.policies.is_empty() {
        let values = entry
            .policies
            .iter()
            .map(|row| json!({ "stringValue": row }));
        let values: Vec<Value> = values.collect();
        all.push(json!({ "key": "zt.policies", "value": { "arrayValue": { "values": values } } }));
    }
    for fact in &entry.facts {
        all.push(attribute(&format!("zt.fact.{}", fact.name), &fact.value));
    }
    for (name, value) in &entry.detail {
        all.push(attribute(&format!("zt.detail.{name}"), value));
    }
    all
}

fn attribute(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}
