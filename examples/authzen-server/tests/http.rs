//! The HTTP side of the certification scenario, and what a service owes beyond it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;
use zt_authzen_server::{Answering, MOST_BYTES, Token, router};
use zt_core::audit;

const BASE: &str = "https://pdp.example.com";
const EVALUATION: &str = "/access/v1/evaluation";
const TOKEN: &str = "zt-needle-pep-token";

fn scenario() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../zt-core/tests/vectors/authzen/certification")
}

/// The scenario in a folder of the test's own.
struct Service {
    folder: TempDir,
    answering: Arc<Answering>,
    router: Router,
}

struct Response {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Response {
    fn json(&self) -> Value {
        assert_eq!(self.headers["content-type"], "application/json");
        serde_json::from_slice(&self.body).unwrap()
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

impl Service {
    async fn open(token: Option<&str>, base: &str) -> Self {
        let folder = TempDir::new().unwrap();
        for file in ["zt.toml", "tables.toml", "authzen.toml"] {
            fs::copy(scenario().join(file), folder.path().join(file)).unwrap();
        }
        let answering = Arc::new(Answering::open(folder.path()).await.unwrap());
        let token = token.map(|token| Token::new(token).unwrap());
        let router = router(Arc::clone(&answering), token, base).unwrap();
        Self {
            folder,
            answering,
            router,
        }
    }

    async fn send(&self, request: Request<Body>) -> Response {
        let response = self.router.clone().oneshot(request).await.unwrap();
        Response {
            status: response.status(),
            headers: response.headers().clone(),
            body: to_bytes(response.into_body(), usize::MAX)
                .await
                .unwrap()
                .to_vec(),
        }
    }

    async fn post(&self, path: &str, body: &Value) -> Response {
        self.send(request(path, body.to_string())).await
    }

    /// What the log says after everything is written.
    async fn log(&self) -> Vec<audit::Entry> {
        self.answering.close().await.unwrap();
        audit::tail(self.folder.path().join(".zt/audit"), 1000, |_| true).unwrap()
    }
}

fn request(path: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::post(path).header("content-type", "application/json");
    request.body(body.into()).unwrap()
}

fn alice_reads() -> Value {
    json!({
        "subject": { "type": "user", "id": "alice" },
        "action": { "name": "read" },
        "resource": { "type": "record", "id": "record-1" },
    })
}

#[tokio::test]
async fn every_case_of_the_scenario_comes_out_over_http() {
    let service = Service::open(None, BASE).await;
    let cases = fs::read(scenario().join("cases.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_slice(&cases).unwrap();
    for case in &cases {
        let path = format!("/access/v1/{}", case["call"].as_str().unwrap());
        let response = service.post(&path, &case["request"]).await;
        if case["status"] == 400 {
            assert_eq!(response.status, StatusCode::BAD_REQUEST, "{case}");
            assert!(
                response
                    .text()
                    .starts_with(case["member"].as_str().unwrap())
            );
            continue;
        }
        assert_eq!(response.status, StatusCode::OK, "{case}");
        let answer = response.json();
        if let Some(results) = case.get("results") {
            assert_eq!(answer["results"], *results, "{case}");
        } else if let Some(decisions) = case.get("decisions") {
            let answers = answer["evaluations"].as_array().unwrap();
            let made = answers.iter().map(|one| &one["decision"]);
            assert!(made.eq(decisions.as_array().unwrap()), "{case}");
        } else {
            assert_eq!(answer["decision"], case["decision"], "{case}");
        }
    }
    assert_eq!(cases.len(), 60);
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_a_bad_request() {
    let service = Service::open(None, BASE).await;
    for (body, part) in [
        ("", "is empty"),
        ("{", "not usable JSON"),
        ("[]", "is an array"),
        ("\"x\"", "is a string"),
        (r#"{"subject":1,"subject":2}"#, "`subject` stands twice"),
    ] {
        let response = service.send(request(EVALUATION, body)).await;
        assert_eq!(response.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(response.text().contains(part), "{}", response.text());
    }
}

#[tokio::test]
async fn the_content_type_is_json_or_the_request_is_bad() {
    let service = Service::open(None, BASE).await;
    let with = |kind: Option<&str>| {
        let request = kind
            .into_iter()
            .fold(Request::post(EVALUATION), |request, kind| {
                request.header("content-type", kind)
            });
        request.body(Body::from(alice_reads().to_string())).unwrap()
    };
    for wrong in [
        None,
        Some("text/plain"),
        Some("application/jsonx"),
        Some(""),
    ] {
        let status = service.send(with(wrong)).await.status;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong:?}");
    }
    for right in ["application/json", "Application/JSON; charset=utf-8"] {
        assert_eq!(service.send(with(Some(right))).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn the_id_of_a_request_comes_back_whatever_happens() {
    const ID: &str = "bfe9eb29-ab87-4ca3-be83-a1d5d8305716";
    let service = Service::open(Some(TOKEN), BASE).await;
    let (right, wrong) = (format!("Bearer {TOKEN}"), "Bearer x".to_owned());
    let (asked, large) = (alice_reads().to_string(), "x".repeat(MOST_BYTES + 1));
    for (method, path, token, body, status) in [
        ("POST", EVALUATION, &right, asked.as_str(), 200),
        ("POST", EVALUATION, &right, "{}", 400),
        ("POST", EVALUATION, &wrong, "", 401),
        ("POST", EVALUATION, &right, &large, 413),
        ("GET", EVALUATION, &right, "", 405),
        ("POST", "/elsewhere", &right, "", 404),
    ] {
        let mut sent = request(path, body.to_owned());
        *sent.method_mut() = method.parse().unwrap();
        let headers = sent.headers_mut();
        headers.insert("authorization", token.parse().unwrap());
        headers.insert("x-request-id", ID.parse().unwrap());
        let response = service.send(sent).await;
        assert_eq!(response.status, status);
        assert_eq!(response.headers["x-request-id"], ID, "{status}");
    }
    let without = service.send(request(EVALUATION, asked)).await;
    assert_eq!(without.headers.get("x-request-id"), None);
}

#[tokio::test]
async fn the_same_request_has_the_same_decision_each_time() {
    let service = Service::open(None, BASE).await;
    for _ in 0..5 {
        let answer = service.post(EVALUATION, &alice_reads()).await.json();
        assert_eq!(answer["decision"], true);
    }
}

#[tokio::test]
async fn without_the_token_nobody_is_answered_and_the_refusal_is_logged() {
    let service = Service::open(Some(TOKEN), BASE).await;
    let ask = |tokens: &[&str]| {
        let mut request = request(EVALUATION, alice_reads().to_string());
        for token in tokens {
            request
                .headers_mut()
                .append("authorization", token.parse().unwrap());
        }
        request
    };
    let bearer = format!("Bearer {TOKEN}");
    for tokens in [
        &[][..],
        &["Bearer wrong"],
        &["Basic x"],
        &[&bearer, "Bearer wrong"],
    ] {
        let response = service.send(ask(tokens)).await;
        assert_eq!(response.status, StatusCode::UNAUTHORIZED, "{tokens:?}");
        assert!(
            response.headers["www-authenticate"]
                .to_str()
                .unwrap()
                .starts_with("Bearer")
        );
        assert!(!response.text().contains("decision"));
    }
    assert_eq!(service.send(ask(&[&bearer])).await.status, StatusCode::OK);
    let log = service.log().await;
    let is_refusal =
        |entry: &&audit::Entry| entry.resource == "authzen" && entry.outcome == "refused";
    assert!(log.iter().any(|entry| is_refusal(&entry)));
    assert!(!format!("{log:?}").contains(TOKEN));
}

#[tokio::test]
async fn metadata_stand_at_the_well_known_uri_of_the_base_url() {
    let service = Service::open(Some(TOKEN), BASE).await;
    let get = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    let response = service
        .send(get("/.well-known/authzen-configuration"))
        .await;
    assert_eq!(response.status, StatusCode::OK);
    let metadata = response.json();
    assert_eq!(metadata["policy_decision_point"], BASE);
    for (name, path) in [
        ("access_evaluation_endpoint", EVALUATION),
        ("access_evaluations_endpoint", "/access/v1/evaluations"),
        ("search_subject_endpoint", "/access/v1/search/subject"),
        ("search_resource_endpoint", "/access/v1/search/resource"),
        ("search_action_endpoint", "/access/v1/search/action"),
    ] {
        assert_eq!(metadata[name], format!("{BASE}{path}"));
    }
    let tenant = Service::open(None, "https://pdp.example.com/:tenant/1").await;
    let response = tenant
        .send(get("/.well-known/authzen-configuration/:tenant/1"))
        .await;
    let endpoint = response.json()["access_evaluation_endpoint"].clone();
    assert_eq!(
        endpoint,
        "https://pdp.example.com/:tenant/1/access/v1/evaluation"
    );
    let answer = tenant
        .post("/:tenant/1/access/v1/evaluation", &alice_reads())
        .await;
    assert_eq!(answer.json()["decision"], true);
}

#[tokio::test]
async fn every_answer_stands_in_the_log_under_the_id_that_it_told() {
    let service = Service::open(None, BASE).await;
    let mut batch = alice_reads();
    batch["evaluations"] = json!([{}, { "action": { "name": "write" }, "resource": { "type": "record", "id": "record-2" } }]);
    let mut asked = request("/access/v1/evaluations", batch.to_string());
    asked
        .headers_mut()
        .insert("x-request-id", "r-1".parse().unwrap());
    let answer = service.send(asked).await.json();
    let search = json!({ "subject": { "type": "user", "id": "alice" }, "resource": { "type": "record", "id": "record-1" } });
    service
        .post("/access/v1/search/action", &search)
        .await
        .json();
    let log = service.log().await;
    for (at, outcome) in ["allow", "explicit_deny"].into_iter().enumerate() {
        let id = answer["evaluations"][at]["context"]["id"].as_str();
        let entry = log
            .iter()
            .find(|entry| entry.decision.as_deref() == id)
            .unwrap();
        assert_eq!(entry.outcome, outcome);
        assert_eq!(entry.caller.as_deref(), Some("user:alice"));
        assert_eq!(
            entry.detail.get("request_id").map(String::as_str),
            Some("r-1")
        );
    }
    let searched = log
        .iter()
        .find(|entry| entry.action == "authzen.search")
        .unwrap();
    assert_eq!(searched.detail.get("listed").map(String::as_str), Some("2"));
    assert!(
        audit::verify(service.folder.path().join(".zt/audit"))
            .unwrap()
            .is_intact()
    );
}

#[tokio::test]
async fn without_a_log_there_is_no_answer() {
    let service = Service::open(None, BASE).await;
    service.answering.close().await.unwrap();
    let response = service.post(EVALUATION, &alice_reads()).await;
    assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!response.text().contains("decision"));
}

#[tokio::test]
async fn changed_tables_count_after_a_reload_and_bad_ones_never() {
    let service = Service::open(None, BASE).await;
    let file = service.folder.path().join("tables.toml");
    let tables = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        tables.replace("id = \"CS-1\"", "id = \"CS-1\"\nmode = \"off\""),
    )
    .unwrap();
    service.answering.reload().await.unwrap();
    let reads =
        || async { service.post(EVALUATION, &alice_reads()).await.json()["decision"].clone() };
    assert_eq!(reads().await, false);
    fs::write(&file, "what?").unwrap();
    assert!(service.answering.reload().await.is_err());
    assert_eq!(reads().await, false);
    fs::write(&file, &tables).unwrap();
    fs::write(service.folder.path().join("authzen.toml"), "explain = true").unwrap();
    assert!(
        service.answering.reload().await.is_err(),
        "settings are read first"
    );
    assert_eq!(reads().await, false);
}
