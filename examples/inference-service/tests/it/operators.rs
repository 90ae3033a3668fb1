//! What operators see: probes, metrics, and who may reload.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::ONE;
use crate::http::{get, post};
use crate::world::World;

#[test]
fn probes_answer_at_their_own_door_alone() {
    let world = World::new();
    let service = world.serve(&[]);
    assert_eq!(service.get("/healthz").status, 200);
    let ready = service.ready_when(|answer| answer.status == 200).json();
    for part in ["metadata", "identity", "vault", "audit"] {
        assert_eq!(ready[part]["ready"], true, "{ready}");
    }
    for path in ["/healthz", "/readyz", "/metrics", "/admin/reload"] {
        assert_eq!(get(service.callers, path).status, 404, "{path}");
    }
}

#[test]
fn a_vault_without_the_secret_is_unready_and_heals() {
    let world = World::without_secret("");
    let service = world.serve(&["--probe-s", "1"]);
    let ready = service.ready_when(|answer| answer.status == 503).json();
    assert_eq!(ready["vault"]["ready"], false, "{ready}");
    assert!(
        ready["vault"]["reason"]
            .as_str()
            .unwrap()
            .contains("bureau-api-key"),
        "{ready}"
    );
    assert_eq!(ready["metadata"]["ready"], true);
    let refused = service.score(&world.token("user:maya"), ONE);
    assert_eq!(
        (refused.status, refused.json()["detail"].as_str()),
        (500, Some("internal error"))
    );
    assert_eq!(
        service.get("/healthz").status,
        200,
        "a restart would mend nothing"
    );
    world.set_secret();
    service.ready_when(|answer| answer.status == 200);
    assert_eq!(service.score(&world.token("user:maya"), ONE).status, 200);
}

#[test]
fn a_service_without_an_identity_of_its_own_says_so() {
    let world = World::new();
    fs::write(world.token_file(), "no token").unwrap();
    let service = world.serve(&["--probe-s", "1"]);
    let ready = service.ready_when(|answer| answer.status == 503).json();
    let why = ready["identity"]["reason"].as_str().unwrap();
    assert!(why.contains("holds no token"), "{ready}");
    fs::write(world.token_file(), world.token("sp:sp-score-201")).unwrap();
    service.ready_when(|answer| answer.status == 200);
}

#[test]
fn tables_that_nobody_can_confirm_are_unready_until_they_are_back() {
    let world = World::with_settings("\n[metadata]\nmax_staleness_s = 6\n");
    let service = world.serve(&["--watch-s", "1", "--shadow-s", "1"]);
    let before = world.tables();
    service.ready_when(|answer| answer.status == 200);
    world.publish(&before.replace("effect = \"deny\"", "effect = \"maybe\""));
    let is_stale = |told: &Value| told["metadata"]["ready"] == false;
    let told = service.ready_when(|answer| answer.status == 503 && is_stale(&answer.json()));
    let told = told.json();
    assert_eq!(told["metadata"]["ready"], false, "{told}");
    assert!(
        told["metadata"]["last_look"]
            .as_str()
            .unwrap()
            .contains("maybe"),
        "{told}"
    );
    assert_eq!(
        service.score(&world.token("user:maya"), ONE).json()["code"],
        "ZT-4004"
    );
    assert!(service.metric("zt_service_bad_looks_total").unwrap() > 0);
    world.publish(&before);
    service.ready_when(|answer| answer.status == 200);
    assert_eq!(service.score(&world.token("user:maya"), ONE).status, 200);
}

#[test]
fn every_metric_stands_in_the_book() {
    let world = World::new();
    let service = world.serve(&[]);
    assert_eq!(service.score(&world.token("user:maya"), ONE).status, 200);
    let metrics = service.get("/metrics");
    assert_eq!(
        metrics.header("content-type"),
        Some("text/plain; version=0.0.4")
    );
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src");
    let read = |page: &str| fs::read_to_string(book.join(page)).unwrap();
    let pages = read("operations.md") + &read("service.md");
    let types = metrics
        .body
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "));
    let names: Vec<&str> = types.map(|line| line.split(' ').next().unwrap()).collect();
    assert!(names.len() > 40);
    for name in &names {
        assert!(
            pages.contains(&format!("| `{name}` |")),
            "{name} stands nowhere"
        );
    }
    for line in metrics.body.lines().filter(|line| !line.starts_with('#')) {
        let sample = line.split(['{', ' ']).next().unwrap();
        let family = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| sample.strip_suffix(end));
        assert!(
            names.contains(&sample) || family.is_some_and(|name| names.contains(&name)),
            "{line}"
        );
    }
    assert_eq!(
        service.metric("zt_service_requests_total{status=\"200\"}"),
        Some(1)
    );
    assert_eq!(service.metric("zt_service_rows_scored_total"), Some(1));
}

#[test]
fn to_reload_is_a_right_of_a_second_person() {
    let world = World::new();
    let service = world.serve(&[]);
    let reload = |who: Option<&str>, body: &str| {
        let token = who.map(|who| world.token(who));
        post(service.operators, "/admin/reload", token.as_deref(), body)
    };
    let by_jonas = r#"{"author":"user:jonas"}"#;
    assert_eq!(reload(None, by_jonas).status, 401);
    assert_eq!(reload(Some("user:maya"), by_jonas).status, 403);
    assert_eq!(
        reload(Some("user:priya"), r#"{"author":"user:priya"}"#).status,
        403,
        "four eyes"
    );
    assert_eq!(reload(Some("user:priya"), "{}").status, 400);
    let done = reload(Some("user:priya"), by_jonas);
    assert_eq!(
        (done.status, done.json()["version"].as_u64()),
        (200, Some(1)),
        "{done:?}"
    );
}
