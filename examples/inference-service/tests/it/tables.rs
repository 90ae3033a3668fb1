//! New tables without a restart: in shadow first, flips counted, then taken or kept back.

use rustix::process::Signal;

use crate::ONE;
use crate::http::post;
use crate::world::World;

/// A watch that never looks by itself while a test runs, and a trial that ends with what the test asks.
const BY_HAND: [&str; 4] = ["--watch-s", "86400", "--shadow-s", "86400"];
const WITHDRAWN: &str = "zt_shadow_flips_total{action=\"model.infer\",direction=\"withdrawn\"}";

/// AP-01, which lets data scientists score, is another role's.
fn without_maya(tables: &str) -> String {
    let (before, after) = tables.split_once("id = \"AP-01\"").unwrap();
    format!(
        "{before}id = \"AP-01\"{}",
        after.replacen("role:data_scientist", "role:analyst", 1)
    )
}

#[test]
fn a_flip_is_counted_before_the_tables_are_taken_and_they_are_taken_without_a_restart() {
    let world = World::new();
    // The service's looks at itself would be decisions too.
    let bounds = [
        "--probe-s",
        "86400",
        "--shadow-decisions",
        "6",
        "--shadow-flips",
        "6",
    ];
    let service = world.serve(&[&BY_HAND[..], &bounds].concat());
    let maya = world.token("user:maya");
    assert_eq!(service.score(&maya, ONE).status, 200);
    assert_eq!(service.metric("zt_shadow_version"), Some(0));
    world.publish(&without_maya(&world.tables()));
    service.signal(Signal::HUP);
    let told = service.ready_when(|answer| answer.json()["metadata"].get("shadow").is_some());
    assert_eq!(told.status, 200, "a trial is no reason to be unready");
    assert_eq!(told.json()["metadata"]["shadow"]["version"], 2);

    let counted = service.score(&maya, ONE);
    assert_eq!(counted.status, 200, "what is in force answers: {counted:?}");
    assert_eq!(service.metric(WITHDRAWN), Some(1));
    assert_eq!(
        service.metric("zt_snapshot_version"),
        Some(1),
        "counted, not taken"
    );
    let shadow = &service.get("/readyz").json()["metadata"]["shadow"];
    assert_eq!(shadow["withdrawn"], 1);
    let told = shadow.to_string();
    assert!(
        !told.contains("user:") && !told.contains("AP-"),
        "whose, and by which rows, is not for probes: {told}"
    );

    for _ in 0..3 {
        let _answered_by_either = service.score(&maya, ONE);
    }
    service.ready_when(|_| service.metric("zt_snapshot_version") == Some(2));
    assert_eq!(
        service.score(&maya, ONE).status,
        403,
        "the same process decides by the new tables"
    );
    assert_eq!(
        service.metric("zt_shadow_trials_total{end=\"taken\"}"),
        Some(1)
    );
    let (status, said) = service.stop();
    assert!(
        status.success() && said.contains("version 2 is in force after"),
        "{said}"
    );
    let log = world.log();
    let acts = log
        .iter()
        .filter(|entry| ["shadow", "reload"].contains(&entry.action.as_str()));
    let acts: Vec<_> = acts
        .map(|act| (act.action.as_str(), act.outcome.as_str()))
        .collect();
    assert_eq!(acts, [("shadow", "ok"), ("reload", "ok")]);
}

#[test]
fn too_many_flips_keep_the_tables_back_until_a_second_person_takes_them() {
    let world = World::new();
    let service = world.serve(&BY_HAND);
    let maya = world.token("user:maya");
    world.publish(&without_maya(&world.tables()));
    let by_jonas = r#"{"author":"user:jonas"}"#;
    let priya = world.token("user:priya");
    let begun = post(service.operators, "/admin/reload", Some(&priya), by_jonas);
    assert_eq!(
        (begun.status, begun.json()["shadow"]["version"].as_u64()),
        (200, Some(2)),
        "{begun:?}"
    );
    assert_eq!(service.score(&maya, ONE).status, 200);
    let told = service.ready_when(|answer| {
        answer.json()["metadata"]["shadow"]
            .get("kept_back")
            .is_some()
    });
    assert_eq!(told.status, 200, "the last good tables serve on");
    let why = told.json()["metadata"]["shadow"]["kept_back"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(why.ends_with("at most 0 may"), "{why}");
    assert_eq!(service.metric("zt_shadow_kept_back"), Some(1));
    assert_eq!(service.metric("zt_snapshot_version"), Some(1));
    assert_eq!(service.score(&maya, ONE).status, 200);

    let now = r#"{"author":"user:jonas","now":true}"#;
    let taken = post(service.operators, "/admin/reload", Some(&priya), now);
    assert_eq!(
        (taken.status, taken.json()["version"].as_u64()),
        (200, Some(2)),
        "{taken:?}"
    );
    assert_eq!(service.score(&maya, ONE).status, 403);
    let (status, said) = service.stop();
    assert!(
        status.success() && said.contains("version 2 is kept back"),
        "{said}"
    );
    let log = world.log();
    let refused = log
        .iter()
        .find(|entry| entry.action == "reload" && entry.outcome == "refused")
        .unwrap();
    assert!(refused.detail["reason"].ends_with("at most 0 may"));
}

#[test]
fn a_change_of_the_folder_is_seen_by_itself() {
    let world = World::new();
    let service = world.serve(&["--watch-s", "1", "--shadow-s", "0"]);
    world.publish(&world.tables().replace("ttl_s = 600", "ttl_s = 60"));
    service.ready_when(|_| service.metric("zt_snapshot_version") == Some(2));
    let mistaken = world
        .tables()
        .replace("effect = \"deny\"", "effect = \"maybe\"");
    world.publish(&mistaken);
    let told = service.ready_when(|answer| answer.json()["metadata"].get("last_look").is_some());
    assert_eq!(told.status, 200, "the last good tables serve on");
    assert_eq!(service.metric("zt_snapshot_version"), Some(2));
}

#[test]
fn whom_a_revocation_shuts_out_cannot_keep_it_back_by_asking() {
    let world = World::new();
    // Two decisions of Maya's end the trial: none of them is a flip.
    let service = world.serve(
        &[
            &BY_HAND[..],
            &["--probe-s", "86400", "--shadow-decisions", "2"],
        ]
        .concat(),
    );
    let maya = world.token("user:maya");
    assert_eq!(service.score(&maya, ONE).status, 200);
    let revoked = "[[Revocations]]\nid = \"RV-01\"\nprincipal = \"user:maya\"\nwhy = \"left\"\n";
    world.publish(&format!("{}\n{revoked}", world.tables()));
    service.signal(Signal::HUP);
    service.ready_when(|answer| answer.json()["metadata"].get("shadow").is_some());
    assert_eq!(service.score(&maya, ONE).status, 200, "it is not in force");
    service.ready_when(|_| service.metric("zt_snapshot_version") == Some(2));
    assert_eq!(service.score(&maya, ONE).status, 401);
}
