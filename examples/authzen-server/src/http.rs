//! The HTTPS binding: paths, headers, status codes.
//!
//! In: HTTP requests. Out: JSON with 200, or a line of text with 400, 401, 413 or 503. `X-Request-ID` comes back whatever
//! happens.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::Value;
use zt_core::authzen::{Authzen, Call, NotABaseUrl, WELL_KNOWN};

use crate::audited::{Answering, NotAnswered};
use crate::pep::{Pep, Token};

/// The largest body of a request, in bytes.
pub const MOST_BYTES: usize = 1 << 20;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What every request sees.
#[derive(Clone)]
struct Service {
    answering: Arc<Answering>,
    token: Option<Arc<Token>>,
}

/// The service at this base URL. Without a token everybody may ask who reaches it.
///
/// # Errors
/// The base URL is none; see [`Authzen::metadata`].
pub fn router(
    answering: Arc<Answering>,
    token: Option<Token>,
    base_url: &str,
) -> Result<Router, NotABaseUrl> {
    let metadata = Authzen::metadata(base_url)?;
    let well_known = Authzen::metadata_path(base_url)?;
    let below = well_known.strip_prefix(WELL_KNOWN).unwrap_or_default();
    let service = Service {
        answering,
        token: token.map(Arc::new),
    };
    let mut calls = Router::new().without_v07_checks();
    for call in Call::ALL {
        let answer = move |State(service): State<Service>, headers: HeaderMap, body: Bytes| {
            service.answer(call, headers, body)
        };
        calls = calls.route(&format!("{below}{}", call.path()), post(answer));
    }
    let authentic = middleware::from_fn_with_state(service.clone(), authentic);
    let serve = move || async move { ([(CACHE_CONTROL, "max-age=300")], json(&metadata)) };
    Ok(calls
        .route_layer(authentic)
        .route(&well_known, get(serve))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(middleware::from_fn(with_request_id))
        .with_state(service))
}

impl Service {
    async fn answer(self, call: Call, headers: HeaderMap, body: Bytes) -> Response {
        if !is_json(&headers) {
            let message = "the header `Content-Type` is not `application/json`";
            return (StatusCode::BAD_REQUEST, message).into_response();
        }
        let pep = pep(&headers);
        let answer = move || self.answering.answer(call, &body, &pep);
        waiting(move || answer().map(|answer| json(&answer))).await
    }

    fn is_authentic(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else {
            return true;
        };
        let mut presented = headers.get_all(AUTHORIZATION).iter();
        let first = presented
            .next()
            .is_some_and(|one| token.is_in(one.as_bytes()));
        first && presented.next().is_none()
    }
}

/// Runs what may wait for the log where it holds up nobody else.
async fn waiting(
    work: impl FnOnce() -> Result<Response, NotAnswered> + Send + 'static,
) -> Response {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(response)) => response,
        Ok(Err(NotAnswered::Bad(bad))) => {
            (StatusCode::BAD_REQUEST, bad.to_string()).into_response()
        }
        Ok(Err(NotAnswered::Unavailable(why))) => {
            (StatusCode::SERVICE_UNAVAILABLE, why).into_response()
        }
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "the answer was lost").into_response(),
    }
}

/// Nobody's body is read before it is known who sends it.
async fn authentic(State(service): State<Service>, request: Request, next: Next) -> Response {
    if service.is_authentic(request.headers()) {
        return next.run(request).await;
    }
    waiting(move || service.answering.refuse().map(|()| unauthorized())).await
}

fn pep(headers: &HeaderMap) -> Pep {
    let id = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    Pep::new(id.map(str::to_owned))
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next());
    kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

fn json(body: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn unauthorized() -> Response {
    let scheme = [(WWW_AUTHENTICATE, "Bearer realm=\"authzen\"")];
    let message = "present the enforcement point's token";
    (StatusCode::UNAUTHORIZED, scheme, message).into_response()
}

/// The id of a request, in its response too.
async fn with_request_id(request: Request, next: Next) -> Response {
    let id = request.headers().get(REQUEST_ID).cloned();
    let mut response = next.run(request).await;
    if let Some(id) = id {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}
