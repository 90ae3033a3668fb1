//! The `zt` command as people run it.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::world::{NEEDLE, World, sample};

pub(crate) fn zt(world: &World, arguments: &[&str]) -> Output {
    zt_with_input(world, arguments, "")
}

pub(crate) fn zt_with_input(world: &World, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zt"));
    command
        .arg("-C")
        .arg(world.path())
        .args(arguments)
        .env_remove("ZT_FOLDER");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that needs no input may have ended already.
    let _written = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("zt-needle-") && !said.contains("panicked"));
    output
}

pub(crate) fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn check_answers_the_17_decisions() {
    let world = World::new();
    let all: Value =
        serde_json::from_slice(&std::fs::read(sample().join("expected.json")).unwrap()).unwrap();
    for case in all["decisions"].as_array().unwrap() {
        let text = |name: &str| case[name].as_str().unwrap().to_owned();
        let (caller, action, resource) = (text("caller"), text("action"), text("resource"));
        let mut arguments = vec!["check", "--as", &caller, &action, &resource, "--json"];
        let facts: Vec<(String, String)> = case["context"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| {
                (
                    format!("--{name}"),
                    value.to_string().trim_matches('"').to_owned(),
                )
            })
            .collect();
        for (name, value) in &facts {
            arguments.extend([name.as_str(), value.as_str()]);
        }
        let output = zt(&world, &arguments);
        let answer: Value = serde_json::from_str(&out(&output)).unwrap();
        assert_eq!(answer["decision"], case["decision"], "{case}");
        assert_eq!(answer["policies"], case["policies"], "{case}");
        assert_eq!(
            output.status.code(),
            Some(i32::from(case["decision"] != "allow"))
        );
    }
    assert!(
        !world.path().join(".zt/audit").exists(),
        "a simulation writes no log"
    );
}

#[test]
fn explain_prints_the_near_miss() {
    let arguments = [
        "explain",
        "--as",
        "sp-score-201",
        "secret.get",
        "secret:bureau-api-key",
        "--job",
        "201",
        "--stage",
        "1",
    ];
    let output = zt(&World::new(), &arguments);
    assert_eq!(
        out(&output),
        "sp:sp-score-201 secret.get secret:bureau-api-key: default_deny\n  \
         stated: job=201, stage=1\n  \
         caller holds: sp:sp-score-201, role:scoring_job\n  \
         AP-07 would allow: stage is 1, needs 2\n"
    );
}

#[test]
fn plan_prints_a_tree_and_answers_whether_the_job_may_run() {
    let world = World::new();
    let output = zt(&world, &["plan", "201"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let said = out(&output);
    for line in [
        "job 201 score-car-loans is runnable: nothing missing",
        "  cluster   score-small: Standard_D4ds_v5, 1 to 4 workers, ON_DEMAND_AZURE",
        "stage 2 Inference, after 1 Succeeded",
        "  runtime   ir-managed-vnet (Managed)",
        "  needs     table.read  table:raw.loan_applications         allow by AP-12",
        "  secrets   bureau-api-key                                  allow by AP-07",
        "              port 443 for secret bureau-api-key, key scores-kek",
        "              port 1433, 11000-11999 for hosts, output loan_scores_sql",
        "              ER-01 seals y_pred_proba, salary_range, debt_to_income_ratio under scores-kek",
    ] {
        assert!(said.lines().any(|said| said == line), "{line}\n{said}");
    }
    assert!(said.lines().all(|line| line.len() <= 100), "{said}");

    let output = zt(&world, &["plan", "202"]);
    assert_eq!(output.status.code(), Some(1));
    let said = out(&output);
    assert!(
        said.starts_with("job 202 retrain-car-loan-scorer is not runnable: job has no stages\n")
    );
    assert!(
        said.ends_with("\n\nmissing\n  1. job has no stages\n"),
        "{said}"
    );

    let output = zt(&world, &["plan", "203"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("`job:203`: no row of Jobs has it"));
    assert!(err(&output).contains("the jobs are 201, 202"));
    assert!(
        !world.path().join(".zt/audit").exists(),
        "a simulation writes no log"
    );
}

#[test]
fn plan_as_somebody_asks_their_right_first() {
    let world = World::new();
    let output = zt(&world, &["plan", "203", "--as", "maya"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        out(&output),
        "user:maya job.plan job:203: default_deny\n",
        "who may not plan does not learn which jobs there are"
    );
    let refused: Value = serde_json::from_str(&out(&zt(
        &world,
        &["plan", "201", "--as", "maya", "--json"],
    )))
    .unwrap();
    assert_eq!(refused["decision"], "default_deny");

    let output = zt(&world, &["plan", "201", "--as", "jonas", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let plan: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(plan["runnable"], true);
    let data_science = ["--as", "maya", "--group", "group:grp-data-engineering"];
    let output = zt(
        &world,
        &[&["plan", "202"], data_science.as_slice()].concat(),
    );
    assert!(out(&output).contains("not runnable: job has no stages"));
}

#[test]
fn a_question_that_cannot_be_answered_says_what_was_meant() {
    let world = World::new();
    let output = zt(&world, &["check", "--as", "mya", "table.read", "table:x"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        err(&output)
            .contains("`mya`: no user or service principal has this name; did you mean `maya`?")
    );
    let output = zt(&world, &["check", "--as", "maya", "tabel.read", "table:x"]);
    assert!(err(&output).contains("did you mean `table.read`?"));
}

#[test]
fn lint_prints_every_problem_and_answers_no() {
    let world = World::new();
    assert_eq!(zt(&world, &["lint"]).status.code(), Some(0));
    world.edit(|tables| {
        tables
            .replace("effect = \"deny\"", "effect = \"dney\"")
            .replace("ttl_s = 600", "ttl = 600")
    });
    let output = zt(&world, &["lint"]);
    assert_eq!(output.status.code(), Some(1));
    let said = out(&output);
    assert!(
        said.contains("did you mean `deny`?") && said.contains("did you mean `ttl_s`?"),
        "{said}"
    );
    assert!(said.ends_with("2 problems\n"));
    let json: Value = serde_json::from_str(&out(&zt(&world, &["lint", "--json"]))).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 2);
}

#[test]
fn the_vault_is_set_listed_and_emptied_without_a_value_on_the_screen() {
    let world = World::new();
    let output = zt_with_input(&world, &["vault", "set", "bureau-api-key"], NEEDLE);
    assert!(
        out(&output).starts_with("bureau-api-key is set, version "),
        "{}",
        err(&output)
    );
    assert!(
        out(&zt(&world, &["vault", "list"])).contains("bureau-api-key https://kv-brindlewick-prod")
    );
    let file = std::fs::read(world.config().vault_file()).unwrap();
    assert!(
        !file
            .windows(NEEDLE.len())
            .any(|window| window == NEEDLE.as_bytes())
    );
    assert_eq!(
        zt(&world, &["vault", "remove", "bureau-api-key"])
            .status
            .code(),
        Some(0)
    );
    assert_eq!(
        zt(&world, &["vault", "remove", "bureau-api-key"])
            .status
            .code(),
        Some(2)
    );
    let unknown = zt_with_input(&world, &["vault", "set", "bureau-api-kye"], NEEDLE);
    assert!(err(&unknown).contains("did you mean `bureau-api-key`?"));
    let key = zt_with_input(&world, &["vault", "set", "scores-kek"], NEEDLE);
    assert!(err(&key).contains("is a key"));
    assert!(err(&key).contains("`zt vault create-key` makes a new version of a key"));
    let long = zt_with_input(&world, &["vault", "set", "adb-token"], &"x".repeat(30_000));
    assert_eq!(long.status.code(), Some(2));
}

#[test]
fn a_key_is_created_listed_as_one_and_recorded() {
    let world = World::new();
    let create = |reference: &str| zt(&world, &["vault", "create-key", reference]);
    let first = out(&create("scores-kek"));
    assert!(
        first.starts_with("scores-kek is created, version "),
        "{first}"
    );
    assert_ne!(first, out(&create("scores-kek")), "a new version each time");
    let list = out(&zt(&world, &["vault", "list"]));
    assert!(
        list.starts_with("scores-kek https://kv-brindlewick-prod.vault.azure.net key\n"),
        "{list}"
    );
    assert_eq!(list.lines().count(), 3);
    assert!(err(&create("bureau-api-key")).contains("`bureau-api-key` is a secret"));
    assert!(err(&create("scores-kke")).contains("did you mean `scores-kek`?"));
    let tail = out(&zt(&world, &["audit", "tail"]));
    let lines = tail
        .lines()
        .filter(|line| line.contains("vault.create_key secret:scores-kek"));
    assert_eq!(lines.count(), 4, "{tail}");
}

#[tokio::test]
async fn audit_verifies_and_tails_what_a_runtime_wrote() {
    let world = World::new();
    let zt_runtime = world.open().await;
    let maya = crate::world::sign_in(&zt_runtime, "user:maya").await;
    assert!(
        !maya
            .check("table.read", "table:raw.loan_applications")
            .unwrap()
            .is_allowed()
    );
    zt_runtime
        .close(std::time::Duration::from_secs(5))
        .await
        .unwrap();
    assert!(out(&zt(&world, &["audit", "verify"])).starts_with("intact: "));
    let tail = out(&zt(&world, &["audit", "tail", "--denied"]));
    assert!(
        tail.contains("explicit_deny user:maya table.read table:raw.loan_applications by AP-02"),
        "{tail}"
    );
    assert_eq!(tail.lines().filter(|line| line.contains("deny")).count(), 1);

    let segment = std::fs::read_dir(world.path().join(".zt/audit"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|end| end == "jsonl"))
        .unwrap();
    let mut bytes = std::fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let output = zt(&world, &["audit", "verify"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(out(&output).contains("not intact"));
}

#[test]
fn a_dev_token_is_printed_in_development_and_refused_in_production() {
    let world = World::new();
    let token = out(&zt(&world, &["dev-token", "maya"]));
    assert_eq!(token.trim().split('.').count(), 3);
    let toml = "tables = \"brindlewick.toml\"\n[identity]\naudience = \"d0000000-0000-4000-8000-000000000001\"\n";
    std::fs::write(world.path().join("zt.toml"), toml).unwrap();
    let output = zt(&world, &["dev-token", "maya"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("a production `zt.toml` has no development issuer"));
}

#[test]
fn lint_names_what_smells_and_is_strict_when_asked() {
    let world = World::new();
    assert_eq!(zt(&world, &["lint", "--strict"]).status.code(), Some(0));
    world.edit(|tables| {
        tables
            + r#"
[[Access_Policies]]
id = "AP-90"
principal = "role:data_scientist"
action = "table.read"
resource = "table:raw.loan_applications"
effect = "allow"
"#
    });
    let output = zt(&world, &["lint"]);
    assert_eq!(output.status.code(), Some(0));
    let said = out(&output);
    assert!(
        said.contains("shadowed Access_Policies AP-90: it can never allow: AP-02 denies all of it"),
        "{said}"
    );
    assert!(said.contains("1 smell"), "{said}");
    assert_eq!(zt(&world, &["lint", "--strict"]).status.code(), Some(1));
    let json: Value = serde_json::from_str(&out(&zt(&world, &["lint", "--json"]))).unwrap();
    assert_eq!(json[0]["lint"], "shadowed");
    assert_eq!(json[0]["rows"], serde_json::json!(["AP-90", "AP-02"]));
}

#[test]
fn check_says_what_an_allow_does_not_show_and_what_is_missing() {
    let world = World::new();
    world.edit(|tables| {
        tables
            + r#"
[[Attributes]]
namespace = "row"
name = "y_pred"
type = "int"
provenance = "store"

[[Access_Policies]]
id = "AP-X"
principal = "*"
action = "table.read"
resource = "table:gold.**"
effect = "restrict"
rows = "row.y_pred == 1"
obligations = { max_rows = 10, step_up = "mfa" }
"#
    });
    let check = |more: &[&str]| {
        let arguments = [
            "check",
            "--as",
            "maya",
            "table.read",
            "table:gold.loan_scores",
        ];
        out(&zt(&world, &[arguments.as_slice(), more].concat()))
    };
    let weak = check(&[]);
    assert_eq!(
        weak.trim(),
        "explicit_deny by AP-X, until signed in with mfa"
    );
    let strong = check(&["--claim", "mfa=true"]);
    let expected = "allow by AP-03, rows where row.y_pred == 1, at most 10 rows";
    assert_eq!(strong.trim(), expected);
    let json: Value = serde_json::from_str(&check(&["--claim", "mfa=true", "--json"])).unwrap();
    assert_eq!(json["rows"]["column"], "y_pred");
    assert_eq!(json["obligations"]["max_rows"], 10);
    assert_eq!(json["restrictions"][0], "AP-X");
}

#[test]
fn check_takes_facts_and_a_moment() {
    let world = World::new();
    world.edit(|tables| {
        tables
            + r#"
[[Attributes]]
namespace = "context"
name = "zone"
type = "enum"
values = ["public", "private"]
provenance = "request"

[[Access_Policies]]
id = "AP-X"
principal = "*"
action = "table.read"
resource = "table:gold.extra"
effect = "allow"
condition = "context.zone == 'private'"
valid_to = "2026-10-01T00:00:00Z"
"#
    });
    let check = |more: &[&str]| {
        let mut arguments = vec!["check", "--as", "maya", "table.read", "table:gold.extra"];
        arguments.extend(more);
        zt(&world, &arguments)
    };
    let before = ["--at", "2026-09-30T23:59:59Z", "--context"];
    let with = |fact| check(&[before.as_slice(), &[fact]].concat());
    assert_eq!(out(&with("zone=private")).trim(), "allow by AP-X");
    assert_eq!(out(&with("zone=public")).trim(), "default_deny");
    let late = check(&["--at", "2026-10-01T00:00:00Z", "--context", "zone=private"]);
    assert_eq!(out(&late).trim(), "default_deny");
    assert!(err(&with("zoen=private")).contains("did you mean `context.zone`?"));
    let wrong = err(&with("zone=elsewhere"));
    assert!(wrong.contains("one of public, private") && !wrong.contains("elsewhere"));
}

#[test]
fn check_takes_what_a_token_would_say_and_shows_it_once() {
    let world = World::new();
    world.edit(|tables| {
        tables
            + r#"
[[Attributes]]
namespace = "principal"
name = "department"
type = "enum"
values = ["credit", "fraud"]
provenance = "token"
claim = "dept"

[[Access_Policies]]
id = "AP-X"
principal = "*"
action = "table.read"
resource = "table:gold.extra"
effect = "allow"
condition = "principal.department == 'fraud' and principal.mfa"
"#
    });
    let ask = |command: &str, claims: &[&str]| {
        let mut arguments = vec![command, "--as", "maya", "table.read", "table:gold.extra"];
        arguments.extend(claims.iter().flat_map(|claim| ["--claim", *claim]));
        zt(&world, &arguments)
    };
    let both = ["dept=fraud", "mfa=true"];
    assert_eq!(out(&ask("check", &both)).trim(), "allow by AP-X");
    assert_eq!(out(&ask("check", &both[..1])).trim(), "default_deny");
    let explained = out(&ask("explain", &both));
    let stated = "stated: principal.department=\"fraud\", principal.mfa=true\n";
    assert!(explained.contains(stated), "{explained}");
    // Who the caller is, no claim of this kind says.
    for (wrong, said) in [
        ("dpet=fraud", "did you mean `dept`?"),
        ("dept=sales", "one of credit, fraud"),
        ("id=user:priya", "no attribute is read from this claim"),
        ("department=fraud", "no attribute is read from this claim"),
        ("mfa=yes", "of type bool"),
    ] {
        let refused = err(&ask("check", &[wrong]));
        assert!(
            refused.contains(said) && !refused.contains("sales"),
            "{refused}"
        );
    }
}

#[test]
fn list_answers_the_three_questions() {
    let world = World::new();
    let output = zt(&world, &["list", "--as", "maya", "table.read"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert_eq!(
        out(&output),
        "table:gold.loan_scores allow by AP-03\n\
         assumed: user:maya in group:grp-data-science; no other caller in a group\n"
    );
    let output = zt(&world, &["list", "job.run", "--on", "job:202"]);
    let said = out(&output);
    assert!(
        said.starts_with("group:grp-data-engineering allow by AP-05\nuser:jonas allow by AP-05\n"),
        "{said}"
    );
    let output = zt(
        &world,
        &[
            "list",
            "--as",
            "elin",
            "--on",
            "table:gold.loan_scores",
            "--json",
        ],
    );
    let page: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(page["cells"][0]["action"], "table.read");
    assert_eq!(page["cells"][0]["limited"], true);
    assert_eq!(page["cells"][0]["columns"]["only"][1], "y_pred");
    assert_eq!(page["next"], Value::Null);

    let output = zt(&world, &["list", "--as", "maya", "secret.get"]);
    assert_eq!(output.status.code(), Some(1), "nothing is allowed");
    assert!(out(&output).starts_with("nothing\n"));
    let output = zt(&world, &["list", "table.read"]);
    assert_eq!(output.status.code(), Some(2));
    let output = zt(&world, &["list", "--as", "maya", "tabel.read"]);
    assert!(err(&output).contains("did you mean `table.read`?"));
}

#[test]
fn diff_prints_what_changes_and_answers_whether_anything_does() {
    let world = World::new();
    let old = sample().join("brindlewick.toml");
    let (old, new) = (old.to_str().unwrap(), world.tables());
    let new = new.to_str().unwrap();
    let output = zt(&world, &["diff", old, new]);
    assert_eq!(output.status.code(), Some(0));
    assert!(out(&output).starts_with("nothing changes\n"));
    world.edit(|tables| {
        let (before, after) = tables.split_once("id = \"AP-07\"").unwrap();
        let after = after.replacen("effect = \"allow\"", "effect = \"deny\"", 1);
        format!("{before}id = \"AP-07\"{after}")
    });
    let output = zt(&world, &["diff", old, new]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        out(&output).starts_with(
            "sp:sp-score-201 secret.get secret:bureau-api-key\n    under job=201 stage=2\n    \
             before allow by AP-07\n    after  explicit_deny by AP-07\n1 change\n"
        ),
        "{}",
        out(&output)
    );
    let json: Value =
        serde_json::from_str(&out(&zt(&world, &["diff", old, new, "--json"]))).unwrap();
    assert_eq!(json["flips"][0]["before"]["decision"], "allow");
    assert_eq!(json["cut"], Value::Null);
    let output = zt(&world, &["diff", old, new, "--most-cells", "1"]);
    assert_eq!(
        output.status.code(),
        Some(2),
        "nothing found, but not all was seen"
    );
    let output = zt(&world, &["diff", old, "nowhere.toml"]);
    assert_eq!(output.status.code(), Some(2));
}

#[tokio::test]
async fn replay_asks_the_log_again_on_a_draft() {
    let world = World::new();
    let zt_runtime = world.open().await;
    let maya = crate::world::sign_in(&zt_runtime, "user:maya").await;
    for table in ["table:gold.loan_scores", "table:raw.loan_applications"] {
        let _decision = maya.check("table.read", table).unwrap();
    }
    zt_runtime
        .close(std::time::Duration::from_secs(5))
        .await
        .unwrap();
    let draft = world.tables();
    let draft = draft.to_str().unwrap();
    let output = zt(&world, &["replay", draft]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let said = out(&output);
    assert!(
        said.contains("nothing changes\n2 of 2 recorded decisions decided again"),
        "{said}"
    );
    assert!(
        said.contains("assumed: user:maya is in group:grp-data-science\n"),
        "{said}"
    );

    world.edit(|tables| {
        tables.replace(
            "id = \"AP-03\"\nprincipal = \"role:data_scientist\"",
            "id = \"AP-03\"\nprincipal = \"role:analyst\"",
        )
    });
    let log = world.config().audit_folder();
    let output = zt(
        &world,
        &["replay", draft, "--audit", log.to_str().unwrap(), "--json"],
    );
    assert_eq!(output.status.code(), Some(1));
    let json: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(json["flips"].as_array().unwrap().len(), 1);
    assert_eq!(json["flips"][0]["recorded"], "allow");
    assert_eq!(json["flips"][0]["after"]["decision"], "default_deny");
    assert_eq!(json["unreadable_lines"], 0);
    let output = zt(&world, &["replay", draft, "--audit", "nowhere"]);
    assert_eq!(output.status.code(), Some(2));
}
