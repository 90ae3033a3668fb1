//! What no scenario of others needs: groups, context and defaults, on tables of a few rows.

use std::sync::Arc;

use serde_json::{Value, json};
use zt_core::authzen::{Authzen, Vocabulary};
use zt_core::metadata::Snapshot;

use super::{compile, decisions_of, now};

const TABLES: &str = r#"
[world]
tenant = "11111111-1111-4111-8111-111111111111"

[[Principals]]
id = "user:alice"
oid = "b0000000-0000-4000-8000-000000000001"
[[Principals]]
id = "user:bob"
oid = "b0000000-0000-4000-8000-000000000002"
[[Principals]]
id = "group:guests"
oid = "a0000000-0000-4000-8000-000000000001"
[[Principals]]
id = "group:staff"
oid = "a0000000-0000-4000-8000-000000000002"

[[Attributes]]
namespace = "context"
name = "zone"
type = "text"
provenance = "request"

[[Access_Policies]]
id = "AP-1"
principal = "user:alice"
action = "table.read"
resource = "table:a"
effect = "allow"
[[Access_Policies]]
id = "AP-2"
principal = "group:guests"
action = "table.read"
resource = "table:a"
effect = "deny"
[[Access_Policies]]
id = "AP-3"
principal = "group:staff"
action = "table.read"
resource = "table:a"
effect = "allow"
[[Access_Policies]]
id = "AP-4"
principal = "*"
action = "table.read"
resource = "table:zoned"
effect = "allow"
condition = "context.zone == 'private'"
[[Access_Policies]]
id = "AP-5"
principal = "user:bob"
action = "table.read"
resource = "table:staged"
effect = "allow"
when = { job = 7, stage = 2 }
"#;

fn snapshot() -> Arc<Snapshot> {
    let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    std::fs::write(file.path(), TABLES).unwrap();
    compile(file.path())
}

fn of(kind: &str, id: &str) -> Value {
    json!({ "type": kind, "id": id })
}

fn reads(subject: &Value, table: &str) -> Value {
    json!({ "subject": subject, "action": { "name": "table.read" }, "resource": of("table", table) })
}

fn is_granted(settings: &Authzen, request: &Value) -> bool {
    let answer = settings.on(&snapshot(), now()).evaluation(request);
    answer.unwrap().into_body()["decision"] == true
}

#[test]
fn a_deny_on_a_group_stands_until_somebody_says_who_is_in_it() {
    let unsure = Authzen::new(Vocabulary::new());
    let alice = reads(&of("user", "alice"), "a");
    assert!(!is_granted(&unsure, &alice));
    assert!(is_granted(&unsure.clone().with_groups([].into()), &alice));
    let guests = vec!["group:guests".parse().unwrap()];
    let told = unsure.with_groups([("user:alice".parse().unwrap(), guests)].into());
    assert!(!is_granted(&told, &alice));
}

#[test]
fn a_group_is_a_member_who_may_be_in_others() {
    let none_else = Authzen::new(Vocabulary::new()).with_groups([].into());
    assert!(!is_granted(&none_else, &reads(&of("group", "staff"), "a")));
}

#[test]
fn what_a_question_says_itself_replaces_the_default_and_the_rest_is_inherited() {
    let settings = Authzen::new(Vocabulary::new()).with_groups([].into());
    let mut request = reads(&of("user", "bob"), "zoned");
    request["context"] = json!({ "zone": "private" });
    request["evaluations"] = json!([
        {},
        { "context": {} },
        { "context": { "zone": "public" } },
        { "context": null },
        { "subject": of("user", "alice"), "resource": of("table", "a") },
        { "resource": of("table", "a") },
        { "action": { "name": "table.write" } },
    ]);
    let answer = settings.on(&snapshot(), now()).evaluations(&request);
    assert_eq!(
        decisions_of(answer.unwrap().body()),
        [true, false, false, true, true, false, false]
    );
}

#[test]
fn job_and_stage_are_claimed_in_the_context() {
    let settings = Authzen::new(Vocabulary::new()).with_groups([].into());
    let mut request = reads(&of("user", "bob"), "staged");
    for (context, granted) in [
        (json!({ "job": 7, "stage": 2 }), true),
        (json!({ "job": 7 }), false),
        (json!({ "job": "7", "stage": 2 }), false),
        (json!({ "job": 4_294_967_303_u64, "stage": 2 }), false),
        (json!({ "job": -7, "stage": 2 }), false),
    ] {
        request["context"] = context;
        assert_eq!(is_granted(&settings, &request), granted, "{request}");
    }
}

#[test]
fn the_request_of_a_decision_holds_only_what_may_count() {
    let settings = Authzen::new(Vocabulary::new()).with_groups([].into());
    let mut request = reads(&of("user", "bob"), "zoned");
    request["subject"]["properties"] = json!({ "id": "user:alice", "kind": "sp", "further": 1 });
    request["context"] = json!({ "zone": "private", "time": "now", "job": 7 });
    let answer = settings
        .on(&snapshot(), now())
        .evaluation(&request)
        .unwrap();
    let asked = answer.decided()[0].decision.request();
    let names: Vec<&str> = asked
        .attributes
        .iter()
        .map(|(name, _, _)| name.as_str())
        .collect();
    assert_eq!(names, ["context.zone"]);
    assert_eq!(asked.context.job(), Some(7));
    assert_eq!(asked.now, Some(now()));
}
