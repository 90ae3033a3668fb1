//! The door of the callers: one path, and what every request of it is held to.
//!
//! In: `POST /v1/models/{name}/score` with a bearer token. Out: JSON, or a problem document. Nobody's body is read before it is
//! known who sends it and that they may score.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Path, Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::Value;
use tokio::sync::Semaphore;
use zt_core::Session;

use crate::problem::Problem;
use crate::service::Service;

/// What every request sees.
#[derive(Clone)]
struct Door {
    service: Arc<Service>,
    places: Arc<Semaphore>,
}

/// The service for callers.
pub(crate) fn router(service: Arc<Service>) -> Router {
    let places = Arc::new(Semaphore::new(service.options.limits.most_in_flight));
    let door = Door { service, places };
    let held = middleware::from_fn_with_state(door.clone(), held);
    Router::new()
        .route("/v1/models/{name}/score", post(score))
        .layer(held)
        .with_state(door)
}

/// Room, time and counters for each request, whatever becomes of it.
async fn held(State(door): State<Door>, request: Request, next: Next) -> Response {
    let counters = &door.service.counters;
    let (began, _under_way) = (Instant::now(), counters.begin());
    let limit = door.service.options.limits.timeout_s;
    let mut response = match door.places.try_acquire() {
        Err(_) => Problem::Busy.into_response(),
        Ok(_place) => match tokio::time::timeout(limit, next.run(request)).await {
            Ok(response) => response,
            Err(_) => Problem::Late.into_response(),
        },
    };
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    counters.answered(response.status().as_u16(), began.elapsed());
    response
}

async fn score(State(door): State<Door>, Path(model): Path<String>, request: Request) -> Response {
    match answer(&door.service, model, request).await {
        Ok(body) => json(&body),
        Err(problem) => problem.into_response(),
    }
}

async fn answer(service: &Arc<Service>, model: String, request: Request) -> Result<Value, Problem> {
    let session = authenticate(service, request.headers()).await?;
    let _place = service.in_flight.take(&session).ok_or(Problem::TooMany)?;
    let admitted = service.admit(session, model).await?;
    let limit = service.options.limits.most_bytes;
    let body = to_bytes(request.into_body(), limit).await;
    let body = body.map_err(|_| Problem::TooLarge)?;
    service.score(&admitted, &body).await
}

/// The session of the request's one bearer token.
///
/// # Errors
/// There is none, or zt refuses it.
pub(crate) async fn authenticate(
    service: &Service,
    headers: &HeaderMap,
) -> Result<Session, Problem> {
    let mut presented = headers.get_all(AUTHORIZATION).iter();
    let (Some(one), None) = (presented.next(), presented.next()) else {
        return Err(Problem::no_token());
    };
    let token = one.to_str().map_err(|_| Problem::no_token())?;
    let (scheme, _) = token.split_once(' ').ok_or_else(Problem::no_token)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Problem::no_token());
    }
    Ok(service.zt.authenticate(token).await?)
}

pub(crate) fn json(body: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// Sets a member of an object.
pub(crate) fn set(object: &mut Value, name: &str, value: impl Into<Value>) {
    if let Value::Object(members) = object {
        members.insert(name.to_owned(), value.into());
    }
}
