//! The AuthZEN Authorization API 1.0: scenarios that others wrote, and what they do not say.

mod session;
mod small;

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use serde_json::{Value, json};
use zt_core::adapters::file::FileTables;
use zt_core::authzen::{Authzen, BadRequest, Call, Vocabulary};
use zt_core::clock::Timestamp;
use zt_core::id::PrincipalKind;
use zt_core::metadata::{MetadataSource, Snapshot};
use zt_core::policy::{Action, DecisionId, DecisionKind, Namespace};

use crate::world::sample;

/// A scenario: tables, settings, cases.
struct Scenario {
    snapshot: Arc<Snapshot>,
    settings: Authzen,
    folder: PathBuf,
}

static CERTIFICATION: LazyLock<Scenario> = LazyLock::new(|| Scenario::read("certification"));
static TODO_APP: LazyLock<Scenario> = LazyLock::new(|| Scenario::read("todo"));
static SEARCH_DEMO: LazyLock<Scenario> = LazyLock::new(|| Scenario::read("search"));

impl Scenario {
    fn read(name: &str) -> Self {
        let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/authzen");
        let folder = vectors.join(name);
        let settings = std::fs::read_to_string(folder.join("authzen.toml")).unwrap();
        Self {
            snapshot: compile(&folder.join("tables.toml")),
            settings: Authzen::from_toml(&settings).unwrap(),
            folder,
        }
    }

    fn cases(&self) -> Vec<Value> {
        let cases = std::fs::read(self.folder.join("cases.json")).unwrap();
        serde_json::from_slice(&cases).unwrap()
    }

    fn answer(&self, call: Call, request: &Value) -> Result<Value, BadRequest> {
        let answer = self
            .settings
            .on(&self.snapshot, now())
            .answer(call, request)?;
        Ok(answer.into_body())
    }

    /// Runs every case; how many there are.
    fn run(&self) -> usize {
        let cases = self.cases();
        for case in &cases {
            let answer = self.answer(call(case), &case["request"]);
            if case["status"] == 400 {
                assert_eq!(answer.unwrap_err().member(), case["member"], "{case}");
                continue;
            }
            let answer = answer.unwrap();
            if let Some(results) = case.get("results") {
                assert_eq!(answer["results"], *results, "{case}");
            } else if let Some(decisions) = case.get("decisions") {
                assert_eq!(json!(decisions_of(&answer)), *decisions, "{case}: {answer}");
                assert_eq!(answer.get("decision"), None);
            } else {
                assert_eq!(answer["decision"], case["decision"], "{case}: {answer}");
            }
        }
        cases.len()
    }
}

fn compile(file: &Path) -> Arc<Snapshot> {
    let executor = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let raw = executor.block_on(FileTables::new(file).load()).unwrap();
    Arc::new(Snapshot::compile(&raw, 1, now()).unwrap())
}

fn now() -> Timestamp {
    "2026-10-01T08:00:00Z".parse().unwrap()
}

fn call(case: &Value) -> Call {
    let path = format!("/access/v1/{}", case["call"].as_str().unwrap());
    Call::ALL
        .into_iter()
        .find(|call| call.path() == path)
        .unwrap()
}

fn decisions_of(answer: &Value) -> Vec<bool> {
    let answers = answer["evaluations"].as_array().unwrap();
    answers
        .iter()
        .map(|answer| answer["decision"].as_bool().unwrap())
        .collect()
}

fn record(id: &str) -> Value {
    json!({ "type": "record", "id": id })
}

fn question(subject: &str, action: &str, resource: &Value) -> Value {
    json!({
        "subject": { "type": "user", "id": subject },
        "action": { "name": action },
        "resource": resource,
    })
}

#[test]
fn the_certification_scenario_comes_out() {
    assert_eq!(CERTIFICATION.run(), 60);
}

#[test]
fn the_todo_scenario_comes_out() {
    assert_eq!(TODO_APP.run(), 43);
}

#[test]
fn the_search_demo_comes_out() {
    assert_eq!(SEARCH_DEMO.run(), 198);
}

#[test]
fn the_same_question_has_the_same_answer() {
    for case in CERTIFICATION.cases() {
        let ask = || CERTIFICATION.answer(call(&case), &case["request"]);
        assert_eq!(ask(), ask(), "{case}");
    }
}

#[test]
fn every_result_of_a_search_is_granted_when_it_is_asked_for() {
    let mut asked = 0;
    for case in SEARCH_DEMO.cases() {
        for result in case["results"].as_array().unwrap() {
            let mut request = case["request"].clone();
            let sought = case["call"].as_str().unwrap().trim_start_matches("search/");
            request[sought] = result.clone();
            let answer = SEARCH_DEMO.answer(Call::Evaluation, &request).unwrap();
            assert_eq!(answer["decision"], true, "{request}");
            asked += 1;
        }
    }
    assert_eq!(asked, 348);
}

#[test]
fn a_batch_ends_where_its_semantic_says() {
    // alice: true, true, false (archived), true
    let records = ["record-1", "record-1", "record-2", "record-1"];
    let items: Vec<Value> = records
        .iter()
        .map(|id| json!({ "resource": record(id) }))
        .collect();
    let mut malformed = items.clone();
    malformed[1] = json!({ "resource": { "type": "record" } });
    for (semantic, questions, expected) in [
        (None, &items, vec![true, true, false, true]),
        (Some("execute_all"), &items, vec![true, true, false, true]),
        (Some("deny_on_first_deny"), &items, vec![true, true, false]),
        (Some("permit_on_first_permit"), &items, vec![true]),
        // What cannot be decided counts as a deny.
        (
            Some("execute_all"),
            &malformed,
            vec![true, false, false, true],
        ),
        (Some("deny_on_first_deny"), &malformed, vec![true, false]),
    ] {
        let mut request = question("alice", "write", &Value::Null);
        request["evaluations"] = json!(questions);
        if let Some(semantic) = semantic {
            request["options"] = json!({ "evaluations_semantic": semantic, "another": 1 });
        }
        let answer = CERTIFICATION.answer(Call::Evaluations, &request).unwrap();
        assert_eq!(decisions_of(&answer), expected, "{semantic:?}");
    }
    let denied_first: Vec<Value> = items.iter().rev().skip(1).cloned().collect();
    let mut request = question("alice", "write", &Value::Null);
    request["evaluations"] = json!(denied_first);
    request["options"] = json!({ "evaluations_semantic": "permit_on_first_permit" });
    let answer = CERTIFICATION.answer(Call::Evaluations, &request).unwrap();
    assert_eq!(decisions_of(&answer), [false, true]);
}

#[test]
fn a_malformed_batch_names_its_member() {
    let item = json!({ "resource": record("record-1") });
    let many = vec![item.clone(); 1001];
    let with = |name: &str, value: Value| {
        let mut request = question("alice", "read", &Value::Null);
        request["evaluations"] = json!([item]);
        request[name] = value;
        request
    };
    for (request, message) in [
        (
            with("options", json!({ "evaluations_semantic": "first" })),
            "`options.evaluations_semantic` is `first`, expected one of `execute_all`, \
             `deny_on_first_deny`, `permit_on_first_permit`",
        ),
        (
            with("options", json!({ "evaluations_semantic": 1 })),
            "`options.evaluations_semantic` is a number, expected a string",
        ),
        (
            with("options", json!("x")),
            "`options` is a string, expected an object",
        ),
        (
            with("evaluations", json!({})),
            "`evaluations` is an object, expected an array",
        ),
        (
            with("evaluations", json!(many)),
            "`evaluations` has 1001 questions, at most 1000",
        ),
        (
            with("subject", json!({ "type": "user" })),
            "`subject.id` is missing",
        ),
        (
            with("context", json!([])),
            "`context` is an array, expected an object",
        ),
    ] {
        let error = CERTIFICATION.answer(Call::Evaluations, &request);
        assert_eq!(error.unwrap_err().to_string(), message);
    }
    let items = json!({ "evaluations": [7, question("alice", "read", &record("record-1"))] });
    let answer = CERTIFICATION.answer(Call::Evaluations, &items).unwrap();
    assert_eq!(decisions_of(&answer), [false, true]);
    assert_eq!(answer["evaluations"][0]["context"]["error"]["status"], 400);
}

#[test]
fn a_word_that_nobody_knows_is_denied_and_named() {
    let known = question("alice", "read", &record("record-1"));
    for (member, value, message) in [
        (
            "action",
            json!({ "name": "fly" }),
            "the action `fly` is not known",
        ),
        (
            "subject",
            json!({ "type": "spaceship", "id": "x" }),
            "the subject type `spaceship` is not known",
        ),
        (
            "subject",
            json!({ "type": "user", "id": "a b" }),
            "the subject `a b` is not known",
        ),
        (
            "resource",
            json!({ "type": "table", "id": "x" }),
            "the resource type `table` is not known",
        ),
        (
            "resource",
            record("a..b"),
            "the resource `a..b` is not known",
        ),
        ("resource", record("*"), "the resource `*` is not known"),
    ] {
        let mut request = known.clone();
        request[member] = value;
        let answer = CERTIFICATION.answer(Call::Evaluation, &request).unwrap();
        let error = json!({ "status": 404, "message": message });
        assert_eq!(
            answer,
            json!({ "decision": false, "context": { "error": error } })
        );
    }
}

#[test]
fn an_answer_says_which_rows_decided_and_nothing_that_tells_what_to_claim() {
    let answer = |subject, action, id| {
        let request = question(subject, action, &record(id));
        CERTIFICATION.answer(Call::Evaluation, &request).unwrap()
    };
    assert_eq!(
        answer("alice", "read", "record-1"),
        json!({ "decision": true, "context": { "id": "00000000-0", "kind": "allow", "policies": ["CS-1"] } })
    );
    assert_eq!(
        answer("alice", "write", "record-2"),
        json!({ "decision": false, "context": {
            "id": "00000000-0", "kind": "explicit_deny", "policies": ["CS-5"], "why": "the record is archived",
        } })
    );
    assert_eq!(
        answer("bob", "write", "record-1"),
        json!({ "decision": false, "context": { "id": "00000000-0", "kind": "default_deny", "policies": [] } })
    );
}

#[test]
fn near_misses_are_told_to_whom_the_settings_name_alone() {
    let request = question("alice", "delete", &record("record-1"));
    let explaining = CERTIFICATION.settings.clone().explaining();
    let answer = explaining
        .on(&CERTIFICATION.snapshot, now())
        .evaluation(&request);
    let answer = answer.unwrap().into_body();
    let misses = answer["context"]["near_misses"].as_array().unwrap();
    let soft = |miss: &Value| miss.as_str().unwrap().contains("action.soft is unknown");
    assert!(misses.iter().any(soft), "{misses:?}");
    let silent = CERTIFICATION.answer(Call::Evaluation, &request).unwrap();
    assert_eq!(silent["context"].get("near_misses"), None);
}

/// May a subject with these settings write the archived record, by a role that is asserted?
fn admin_writes(settings: &Authzen) -> bool {
    let mut request = question("alice", "write", &record("record-2"));
    request["subject"]["properties"] = json!({ "role": "admin" });
    let answer = settings
        .on(&CERTIFICATION.snapshot, now())
        .evaluation(&request);
    answer.unwrap().into_body()["decision"] == true
}

fn own_words() -> Authzen {
    let words = Vocabulary::empty()
        .with_subject_type("user", PrincipalKind::User)
        .with_action("write", Action::TableWrite)
        .with_resource_type_below("record", "table:records".parse().unwrap())
        .telling_action_as("verb");
    let status = json!({ "status": "archived" });
    Authzen::new(words).with_resource(
        "table:records.record-2".parse().unwrap(),
        status.as_object().unwrap().clone(),
    )
}

#[test]
fn an_asserted_property_does_not_count_as_known_from_a_store() {
    assert!(!admin_writes(&own_words()));
    assert!(!admin_writes(&own_words().trusting(Namespace::Resource)));
    assert!(admin_writes(&own_words().trusting(Namespace::Principal)));
}

#[test]
fn what_the_store_knows_counts_before_what_is_asserted() {
    let role = json!({ "role": "clerk" });
    let known = own_words().trusting(Namespace::Principal).with_principal(
        "user:alice".parse().unwrap(),
        role.as_object().unwrap().clone(),
    );
    assert!(!admin_writes(&known));
}

#[test]
fn a_property_cannot_pass_for_the_name_of_the_action_or_for_who_asks() {
    let mut request = question("alice", "delete", &record("record-1"));
    request["action"]["properties"] = json!({ "verb": "write", "name": "table.read" });
    request["subject"]["properties"] = json!({ "id": "user:bob", "kind": "sp" });
    let answer = CERTIFICATION.answer(Call::Evaluation, &request).unwrap();
    assert_eq!(answer["decision"], false);
    request["action"]["name"] = json!("write");
    request["action"]["properties"] = json!({ "verb": "delete" });
    let answer = CERTIFICATION.answer(Call::Evaluation, &request).unwrap();
    assert_eq!(answer["decision"], true);
}

#[test]
fn a_property_of_the_wrong_type_is_unknown_and_disarms_no_deny() {
    let mut request = question("alice", "write", &record("record-7"));
    for status in [
        json!("active"),
        json!(null),
        json!(1),
        json!("gone"),
        json!([]),
    ] {
        let is_known = status == "active";
        request["resource"]["properties"] = json!({ "status": status });
        let answer = CERTIFICATION.answer(Call::Evaluation, &request).unwrap();
        assert_eq!(answer["decision"], is_known, "{status}");
        let kind = if is_known { "allow" } else { "explicit_deny" };
        assert_eq!(answer["context"]["kind"], kind, "{status}");
    }
}

fn brindlewick() -> Arc<Snapshot> {
    compile(&sample().join("brindlewick.toml"))
}

fn reads_scores(subject: &str) -> Value {
    json!({
        "subject": { "type": "user", "id": subject },
        "action": { "name": "table.read" },
        "resource": { "type": "table", "id": "gold.loan_scores" },
    })
}

fn with_groups() -> Authzen {
    let of = |user: &str, group: &str| (user.parse().unwrap(), vec![group.parse().unwrap()]);
    Authzen::new(Vocabulary::new()).with_groups(
        [
            of("user:elin", "group:grp-credit-analysts"),
            of("user:jonas", "group:grp-data-engineering"),
            of("user:maya", "group:grp-data-science"),
        ]
        .into(),
    )
}

#[test]
fn a_limited_right_is_granted_only_to_whoever_enforces_the_limits() {
    let snapshot = brindlewick();
    let ask = |settings: &Authzen, subject| {
        let answer = settings
            .on(&snapshot, now())
            .evaluation(&reads_scores(subject));
        answer.unwrap()
    };
    let careless = ask(&with_groups(), "jonas");
    assert_eq!(careless.body()["decision"], false);
    assert!(careless.body()["context"]["refused"].is_string());
    assert!(careless.decided()[0].decision.is_allowed() && !careless.decided()[0].granted);
    let enforcing = with_groups().enforcing_obligations();
    let answer = ask(&enforcing, "jonas").into_body();
    assert_eq!(answer["decision"], true);
    assert_eq!(
        answer["context"]["obligations"],
        json!({
            "columns": { "only": ["id", "y_pred", "scored_at", "salary_range"] },
            "masks": { "salary_range": "redact" },
        })
    );
    for settings in [&with_groups(), &enforcing] {
        let answer = ask(settings, "maya").into_body();
        assert_eq!(answer["decision"], true);
        assert_eq!(answer["context"].get("obligations"), None);
    }
    let search = json!({
        "subject": { "type": "user" },
        "action": { "name": "table.read" },
        "resource": { "type": "table", "id": "gold.loan_scores" },
    });
    let found = |settings: &Authzen| {
        let answer = settings.on(&snapshot, now()).search_subject(&search);
        let body = answer.unwrap().into_body();
        let results = body["results"].as_array().unwrap().clone();
        let ids = results
            .iter()
            .map(|one| one["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(found(&with_groups()), ["maya"]);
    assert_eq!(found(&enforcing), ["elin", "jonas", "maya"]);
}

#[test]
fn what_limits_a_right_is_told_and_what_is_told_limits_it() {
    let snapshot = brindlewick();
    let (careless, enforcing) = (with_groups(), with_groups().enforcing_obligations());
    let (mut limited, mut whole) = (0, 0);
    for row in &snapshot.tables().principals {
        let of = row.id.as_str().split_once(':').unwrap();
        for policy in &snapshot.tables().access_policies {
            let Some(on) = policy.resources[0].exact() else {
                continue;
            };
            let request = json!({
                "subject": { "type": of.0, "id": of.1 },
                "action": { "name": policy.actions[0].to_string() },
                "resource": { "type": on.kind().as_str(), "id": on.path() },
            });
            let ask = |settings: &Authzen| {
                let answer = settings.on(&snapshot, now()).evaluation(&request);
                answer.unwrap().into_body()
            };
            let (cautious, answer) = (ask(&careless), ask(&enforcing));
            let is_limited = answer["context"]["obligations"].is_object();
            assert!(answer["decision"] == true || !is_limited, "{request}");
            assert_eq!(
                cautious["decision"] == true,
                answer["decision"] == true && !is_limited
            );
            assert_eq!(cautious["context"]["refused"].is_string(), is_limited);
            limited += usize::from(is_limited);
            whole += usize::from(cautious["decision"] == true);
        }
    }
    assert!(limited > 0 && whole > 0, "{limited} {whole}");
}

#[test]
fn restrictions_are_told_as_obligations_and_a_missing_sign_in_as_a_hint() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("tables.toml");
    let world = std::fs::read_to_string(sample().join("brindlewick.toml")).unwrap();
    let tables = |obligations: &str| {
        let row = format!(
            "\n[[Access_Policies]]\nid = \"AP-91\"\nprincipal = \"*\"\naction = \"table.read\"\n\
             resource = \"table:gold.**\"\neffect = \"restrict\"\nobligations = {{ {obligations} }}\n"
        );
        std::fs::write(&file, format!("{world}{row}")).unwrap();
        compile(&file)
    };
    let ask = |snapshot: &Arc<Snapshot>, settings: &Authzen| {
        let answer = settings
            .on(snapshot, now())
            .evaluation(&reads_scores("maya"));
        answer.unwrap().into_body()
    };
    let limited = tables("max_rows = 10, encrypt = \"ER-01\"");
    let answer = ask(&limited, &with_groups().enforcing_obligations());
    let expected = json!({ "max_rows": 10, "encrypt": ["ER-01"] });
    assert_eq!(answer["context"]["obligations"], expected);
    assert_eq!(answer["decision"], true);
    assert_eq!(ask(&limited, &with_groups())["decision"], false);
    // What the log does is no matter of the enforcement point.
    assert_eq!(
        ask(&tables("audit = \"durable\""), &with_groups())["decision"],
        true
    );
    for (demanded, hint) in [("mfa", "amr_values"), ("c2", "acr_values")] {
        let weak = tables(&format!("step_up = \"{demanded}\""));
        let answer = ask(&weak, &with_groups());
        assert_eq!(answer["decision"], false);
        assert_eq!(answer["context"][hint], demanded);
    }
}

#[test]
fn a_subject_without_a_row_holds_what_everybody_holds() {
    let ask = |subject: &str, action: &str, on: Value| {
        let answer = TODO_APP.answer(Call::Evaluation, &question(subject, action, &on));
        answer.unwrap()["decision"] == true
    };
    let todo = json!({ "type": "todo", "id": "todo-1" });
    assert!(ask("somebody", "can_read_todos", todo.clone()));
    assert!(!ask("somebody", "can_create_todo", todo));
}

#[test]
fn groups_that_nobody_told_grant_nothing() {
    let snapshot = brindlewick();
    let unsure = Authzen::new(Vocabulary::new());
    let answer = unsure
        .on(&snapshot, now())
        .evaluation(&reads_scores("maya"));
    assert_eq!(answer.unwrap().into_body()["decision"], false);
    let mut member = reads_scores("grp-data-science");
    member["subject"]["type"] = json!("group");
    let answer = unsure.on(&snapshot, now()).evaluation(&member);
    assert_eq!(answer.unwrap().into_body()["decision"], true);
}

#[test]
fn a_time_in_the_context_is_no_clock() {
    let tables = std::fs::read_to_string(CERTIFICATION.folder.join("tables.toml")).unwrap();
    let row = "id = \"CS-1\"";
    let ended = format!("{row}\nvalid_to = \"2026-01-01T00:00:00Z\"");
    let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    std::fs::write(file.path(), tables.replacen(row, &ended, 1)).unwrap();
    let snapshot = compile(file.path());
    let mut request = question("alice", "read", &record("record-1"));
    request["context"] =
        json!({ "time": "2025-06-27T18:03:00-07:00", "now": "2025-06-27T18:03:00Z" });
    let at = |now: Timestamp| {
        let answer = CERTIFICATION
            .settings
            .on(&snapshot, now)
            .evaluation(&request);
        answer.unwrap().into_body()["decision"] == true
    };
    assert!(!at(now()));
    assert!(at("2025-06-27T18:03:00Z".parse().unwrap()));
}

#[test]
fn decisions_come_with_the_answer_under_the_names_that_it_tells() {
    let sitting = CERTIFICATION.settings.on(&CERTIFICATION.snapshot, now());
    let sitting = sitting.numbering(|| DecisionId::new(7, 9));
    let mut request = question("alice", "read", &Value::Null);
    request["evaluations"] =
        json!([{ "resource": record("record-1") }, {}, { "resource": record("a b") }]);
    let answer = sitting.evaluations(&request).unwrap();
    let decided = answer.decided();
    assert_eq!(decided.len(), 1, "what was not decided has no decision");
    assert_eq!(decided[0].decision.kind(), DecisionKind::Allow);
    let told = &answer.body()["evaluations"][0]["context"]["id"];
    assert_eq!(*told, decided[0].decision.id().to_string());
    let searched = json!({ "subject": { "type": "user" }, "action": { "name": "read" }, "resource": record("record-1") });
    let answer = sitting.search_subject(&searched).unwrap();
    assert_eq!(answer.searched().unwrap().listed, 2);
    assert!(answer.decided().is_empty());
}

/// All pages of a search, and how many there were.
fn pages(scenario: &Scenario, call: Call, request: &Value, limit: u64) -> (Vec<Value>, usize) {
    let mut request = request.clone();
    request["page"] = json!({ "limit": limit });
    let (mut results, mut count) = (Vec::new(), 0);
    loop {
        let answer = scenario.answer(call, &request).unwrap();
        let page = answer["results"].as_array().unwrap();
        assert!(page.len() as u64 <= limit);
        assert!(count < 100, "the pages have no end");
        assert_eq!(answer["page"]["count"], page.len());
        results.extend(page.iter().cloned());
        count += 1;
        let token = answer["page"]["next_token"].as_str().unwrap();
        if token.is_empty() {
            return (results, count);
        }
        request["page"] = json!({ "token": token });
    }
}

#[test]
fn pages_of_any_size_add_up_to_the_whole() {
    for (at, case) in SEARCH_DEMO.cases().iter().enumerate() {
        let limit = at as u64 % 7 + 1;
        let (results, count) = pages(&SEARCH_DEMO, call(case), &case["request"], limit);
        let expected = case["results"].as_array().unwrap();
        assert_eq!(results, *expected, "{case}");
        assert_eq!(count as u64, (expected.len() as u64).div_ceil(limit).max(1));
    }
}

#[test]
fn a_token_belongs_to_its_search() {
    let first = json!({
        "subject": { "type": "user", "id": "alice" },
        "action": { "name": "view" },
        "resource": { "type": "record" },
        "page": { "limit": 3 },
    });
    let answer = SEARCH_DEMO.answer(Call::SearchResource, &first).unwrap();
    let token = answer["page"]["next_token"].as_str().unwrap();
    let again = |change: &dyn Fn(&mut Value)| {
        let mut request = first.clone();
        request["page"] = json!({ "token": token });
        change(&mut request);
        SEARCH_DEMO.answer(Call::SearchResource, &request)
    };
    assert_eq!(again(&|_| {}).unwrap()["results"][0]["id"], "104");
    assert!(again(&|request| request["page"]["limit"] = json!(3)).is_ok());
    let member = |error: Result<Value, BadRequest>| error.unwrap_err().member().to_owned();
    let bob = json!({ "type": "user", "id": "bob" });
    for change in [
        &(|request: &mut Value| request["subject"] = bob.clone()) as &dyn Fn(&mut Value),
        &|request| request["action"]["name"] = json!("edit"),
        &|request| request["context"] = json!({ "job": 1 }),
        &|request| request["page"]["token"] = json!("bm9uZQ"),
        &|request| request["page"]["token"] = json!("*"),
        &|request| request["page"]["token"] = json!(1),
    ] {
        assert_eq!(member(again(change)), "`page.token`");
    }
    assert_eq!(
        member(again(&|request| request["page"]["limit"] = json!(4))),
        "`page.limit`"
    );
    for limit in [json!(-1), json!(1.5), json!("3")] {
        let with = |request: &mut Value| request["page"] = json!({ "limit": limit });
        assert_eq!(member(again(&with)), "`page.limit`");
    }
}

#[test]
fn a_search_without_a_page_has_none_when_it_is_complete() {
    let mut request = json!({
        "subject": { "type": "user", "id": "alice" },
        "action": { "name": "view" },
        "resource": { "type": "record" },
    });
    let answer = SEARCH_DEMO.answer(Call::SearchResource, &request).unwrap();
    assert_eq!(answer.get("page"), None);
    request["page"] = json!({ "limit": 0 });
    let answer = SEARCH_DEMO.answer(Call::SearchResource, &request).unwrap();
    assert_eq!(answer["results"], json!([]));
    assert_ne!(answer["page"]["next_token"], "");
}

/// Any JSON, with the names that requests have.
fn anything() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "user",
        "alice",
        "record",
        "record-1",
        "read",
        "fly",
        "",
        "\u{0}",
        "é",
        "execute_all",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.prop_map(Value::from),
    ];
    let name = prop::sample::select(vec![
        "subject",
        "action",
        "resource",
        "context",
        "type",
        "id",
        "name",
        "properties",
        "page",
        "limit",
        "token",
        "evaluations",
        "options",
        "evaluations_semantic",
        "soft",
        "status",
    ]);
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6).prop_map(|members| {
                let members = members.into_iter();
                Value::Object(
                    members
                        .map(|(name, value)| (name.to_owned(), value))
                        .collect(),
                )
            }),
        ]
    })
}

/// A right question with one member replaced by anything.
fn nearly_right() -> impl Strategy<Value = Value> {
    let member = prop::sample::select(vec!["subject", "action", "resource", "context", "page"]);
    (member, anything()).prop_map(|(member, value)| {
        let mut request = question("bob", "write", &record("record-1"));
        request[member] = value;
        request
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_json_has_an_answer_of_the_right_form_or_names_its_member(
        request in prop_oneof![anything(), nearly_right()],
    ) {
        for call in Call::ALL {
            let Ok(answer) = CERTIFICATION.answer(call, &request) else { continue };
            let is_search = answer["results"].is_array();
            let is_batch = answer["evaluations"].is_array();
            prop_assert!(is_search || is_batch || answer["decision"].is_boolean(), "{}", answer);
        }
    }

    #[test]
    fn nothing_beside_the_question_turns_a_deny_into_a_permit(context in anything(), further in anything()) {
        let mut request = question("bob", "write", &record("record-1"));
        request["context"] = context;
        request["further"] = further;
        if let Ok(answer) = CERTIFICATION.answer(Call::Evaluation, &request) {
            prop_assert_eq!(&answer["decision"], &json!(false));
        }
    }
}
