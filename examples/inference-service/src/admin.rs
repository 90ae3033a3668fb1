//! The door of the operators: probes, metrics, and the word to reload.
//!
//! In: requests of the orchestrator, the scraper and administrators. Out: what callers must not see, which is why it has an
//! address of its own. Probes and metrics need no token, so that they answer when identity does not; to reload is a right.

use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use zt_core::id::PrincipalId;
use zt_core::{Code, Error};

use crate::http::{authenticate, json, set};
use crate::problem::Problem;
use crate::service::Service;

/// Who may bring new tables into force: the second person, who approves what somebody else proposed.
const APPROVE: (&str, &str) = ("metadata.approve", "metadata:tables");
/// The largest body of a word to reload, in bytes.
const MOST_BYTES: usize = 1 << 12;

/// The service for operators.
pub(crate) fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/admin/reload", post(reload))
        .with_state(service)
}

/// The process answers: it asks nobody, so that a dependency that is down restarts nothing.
async fn healthz() -> &'static str {
    "ok\n"
}

async fn readyz(State(service): State<Arc<Service>>) -> Response {
    let (is_ready, body) = service.ready();
    let status = match is_ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, json(&body)).into_response()
}

async fn metrics(State(service): State<Arc<Service>>) -> Response {
    let text = service.zt.metrics_text() + &service.counters.text();
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

/// The word to reload.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    /// Who proposed the change: not the one who says this word.
    author: String,
    /// Whether the tables are taken at once, untried, kept back ones too.
    #[serde(default)]
    now: bool,
}

async fn reload(State(service): State<Arc<Service>>, request: Request) -> Response {
    match try_reload(&service, request).await {
        Ok(body) => json(&body),
        Err(problem) => problem.into_response(),
    }
}

async fn try_reload(service: &Service, request: Request) -> Result<Value, Problem> {
    let session = authenticate(service, request.headers()).await?;
    let body = to_bytes(request.into_body(), MOST_BYTES).await;
    let body = body.map_err(|_| Problem::TooLarge)?;
    let word: Word = serde_json::from_slice(&body)
        .map_err(|why| Problem::Bad(format!("the body is no word to reload: {why}")))?;
    let author: PrincipalId = (word.author.parse())
        .map_err(|_| Problem::Bad("`author` is no principal, such as `user:jonas`".to_owned()))?;
    let session = session.claiming_author(author);
    let decide = move || session.require(APPROVE.0, APPROVE.1);
    let decided = tokio::task::spawn_blocking(decide).await;
    let _permit =
        decided.map_err(|why| Problem::Defect(format!("a decision was lost: {why}")))??;
    match word.now {
        true => service.changes.take_now(service).await,
        false => service.changes.look(service).await,
    }
    .map_err(not_reloaded)?;
    service.changes.wake();
    let mut told = json!({ "version": service.zt.snapshot().version() });
    if let Some(shadow) = service.zt.in_shadow() {
        set(&mut told, "shadow", service.changes.describe(&shadow));
    }
    Ok(told)
}

/// Whoever may reload may know what is wrong with the tables.
fn not_reloaded(why: Error) -> Problem {
    if why.code() == Code::InvalidMetadata {
        return Problem::Bad(why.to_string());
    }
    Problem::Own(why)
}
