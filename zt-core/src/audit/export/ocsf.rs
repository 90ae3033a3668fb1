//! OCSF 1.3, API Activity (6003). There is no class for a decision: allowed and denied are the profile Security Control's.

use serde_json::{Map, Value, json};

use super::super::Entry;
use super::{is_refusal, kind, millis};

/// One event.
pub(super) fn event(entry: &Entry) -> Value {
    let (activity_id, activity) = activity(&entry.action);
    let is_refusal = is_refusal(entry);
    let (status_id, status) = if is_refusal {
        (2, "Failure")
    } else {
        (1, "Success")
    };
    // What was allowed and then failed was not denied.
    let (action_id, action) = if is_refusal && entry.outcome != "failed" {
        (2, "Denied")
    } else {
        (1, "Allowed")
    };
    let (severity_id, severity) = if is_refusal {
        (2, "Low")
    } else {
        (1, "Informational")
    };
    let resource_type = entry.resource.split_once(':').map(|(kind, _)| kind);
    let mut event = json!({
        "class_uid": 6003,
        "class_name": "API Activity",
        "category_uid": 6,
        "category_name": "Application Activity",
        "activity_id": activity_id,
        "activity_name": activity,
        "type_uid": 600_300 + activity_id,
        "type_name": format!("API Activity: {activity}"),
        "time": millis(Some(&entry.at)),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "status_code": entry.outcome,
        "action_id": action_id,
        "action": action,
        "api": { "operation": entry.action },
        "actor": actor(entry),
        "src_endpoint": { "svc_name": "zt", "instance_uid": entry.writer },
        "resources": [{ "name": entry.resource, "type": resource_type }],
        "metadata": {
            "version": "1.3.0",
            "profiles": ["security_control"],
            "product": { "name": "zt", "vendor_name": "zt", "version": env!("CARGO_PKG_VERSION") },
            "log_name": kind(entry),
            "uid": format!("{}:{}", entry.writer, entry.seq),
            "sequence": entry.seq,
        },
        "unmapped": { "zt": zt(entry) },
    });
    counted(entry, &mut event);
    event
}

/// What only some records have.
fn counted(entry: &Entry, event: &mut Value) {
    let mut set = |name: &str, value: Option<Value>| {
        if let (Some(fields), Some(value)) = (event.as_object_mut(), value) {
            fields.insert(name.to_owned(), value);
        }
    };
    set("count", entry.count.map(Value::from));
    set(
        "start_time",
        millis(entry.first.as_deref()).map(Value::from),
    );
    set("end_time", millis(entry.last.as_deref()).map(Value::from));
    set(
        "status_detail",
        entry.detail.get("reason").map(|reason| json!(reason)),
    );
}

/// A user needs a name or an id; what the log says of itself has neither.
fn actor(entry: &Entry) -> Value {
    if entry.caller.is_some() || entry.oid.is_some() {
        json!({ "user": user(entry) })
    } else {
        json!({ "app_name": "zt" })
    }
}

fn user(entry: &Entry) -> Value {
    let mut user = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            user.insert(name.to_owned(), value);
        }
    };
    set("name", entry.caller.as_ref().map(|caller| json!(caller)));
    set("uid", entry.oid.as_ref().map(|oid| json!(oid)));
    set(
        "org",
        entry.tenant.as_ref().map(|tenant| json!({ "uid": tenant })),
    );
    Value::Object(user)
}

/// What the class has no place for.
fn zt(entry: &Entry) -> Value {
    json!({
        "kind": entry.kind,
        "decision": entry.decision,
        "policies": entry.policies,
        "snapshot": entry.snapshot,
        "facts": entry.facts,
        "detail": entry.detail,
        "near_misses": entry.near_misses,
        "omitted": entry.omitted,
        "hash": entry.hash,
    })
}

fn activity(action: &str) -> (u32, &'static str) {
    match action.rsplit('.').next().unwrap_or_default() {
        "create" => (1, "Create"),
        "read" | "list" | "explain" | "open" => (2, "Read"),
        "write" | "update" | "set" => (3, "Update"),
        "delete" | "remove" => (4, "Delete"),
        _ => (99, "Other"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exported(outcome: &str, caller: &str) -> Value {
        let line = format!(
            r#"{{"seq":3,"kind":"release","at":"2026-10-01T08:00:00.000Z","outcome":"{outcome}",{caller}"action":"secret.read","resource":"secret:a","hash":"00"}}"#
        );
        event(&serde_json::from_str(&line).unwrap())
    }

    #[test]
    fn an_actor_has_what_the_class_demands_of_one() {
        let known = exported("ok", r#""caller":"sp:sp-score-201","#);
        assert_eq!(known["actor"]["user"]["name"], "sp:sp-score-201");
        assert_eq!(exported("ok", "")["actor"], json!({ "app_name": "zt" }));
    }

    #[test]
    fn what_was_allowed_and_failed_was_not_denied() {
        let failed = exported("failed", "");
        assert_eq!(
            (&failed["status"], &failed["action"]),
            (&json!("Failure"), &json!("Allowed"))
        );
        let denied = exported("default_deny", "");
        assert_eq!(
            (&denied["status"], &denied["action"]),
            (&json!("Failure"), &json!("Denied"))
        );
    }
}
