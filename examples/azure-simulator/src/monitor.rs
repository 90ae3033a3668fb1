//! The Logs Ingestion API of Azure Monitor: data collection rules that take rows of their streams.
//!
//! In: `POST /dataCollectionRules/{immutableId}/streams/{stream}`. Out: 204, with the rows kept, or what the service refuses.
//! The service deduplicates nothing, drops columns that the stream does not have, and cuts values over 64 KB.
//! Source: Microsoft Learn, "Logs Ingestion API in Azure Monitor", "Azure Monitor service limits".

mod handle;
mod store;

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::asked::Asked;
use crate::cloud::Cloud;
use crate::directory::MONITOR;
use crate::random;
use crate::state::State;

pub use handle::LogsIngestion;
use store::Rule;
pub(crate) use store::Rules;

const API_VERSION: &str = "2023-01-01";
/// 1 MB.
const MOST_BODY: usize = 1_000_000;
/// 64 KB.
const MOST_VALUE: usize = 65_536;

/// Why a request is refused: status, code, message.
type Refusal = (u16, &'static str, String);

pub(crate) fn answer(state: &State, asked: &Asked, cloud: Cloud) -> Answer {
    let answer = match take(state, asked, cloud) {
        Ok(()) => Answer::empty(204),
        Err((status, code, message)) => {
            let body = json!({ "error": { "code": code, "message": message } });
            Answer::json(status, &body)
        }
    };
    let id = asked.header("x-ms-client-request-id");
    let id = id.map_or_else(random::guid, str::to_owned);
    answer.with_header("x-ms-client-request-id", id)
}

fn take(state: &State, asked: &Asked, cloud: Cloud) -> Result<(), Refusal> {
    let caller = caller(state, asked, cloud)?;
    let segments = asked.segments();
    let (id, stream) = match (asked.method.as_str(), segments.as_slice()) {
        ("POST", ["dataCollectionRules", id, "streams", stream]) => (*id, *stream),
        _ => {
            return Err((
                404,
                "ResourceNotFound",
                "there is no such resource".to_owned(),
            ));
        }
    };
    if asked.query.get("api-version") != Some(API_VERSION) {
        let message = "the api-version is missing or not supported".to_owned();
        return Err((400, "InvalidApiVersion", message));
    }
    let mut rules = state.rules();
    let Some(rule) = rules.find_mut(&asked.host, id) else {
        let message = format!("Data collection rule with immutable Id '{id}' not found.");
        return Err((404, "NotFound", message));
    };
    if !rule.publishers.contains(&caller) {
        let message = "The authentication token provided does not have access to ingest data for the data collection rule.";
        return Err((403, "OperationFailed", message.to_owned()));
    }
    let rows = read(rule, asked, stream)?;
    rule.keep(stream, rows);
    Ok(())
}

/// The object id that the token names.
fn caller(state: &State, asked: &Asked, cloud: Cloud) -> Result<String, Refusal> {
    let refused = |why: &str| (401, "InvalidAuthenticationToken", why.to_owned());
    let token = asked.bearer();
    let token = token.ok_or_else(|| refused("the request has no token"))?;
    let claims = state.verified(token);
    let claims = claims.ok_or_else(|| refused("the token is not valid"))?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let expected = format!("https://{}", cloud.monitor_host());
    let audience = text("aud").trim_end_matches('/');
    if audience != expected && audience != MONITOR {
        return Err(refused("the token is for another audience"));
    }
    Ok(text("oid").to_owned())
}

/// The rows of the body, as the table keeps them.
fn read(rule: &Rule, asked: &Asked, stream: &str) -> Result<Vec<Value>, Refusal> {
    let Some(columns) = rule.streams.get(stream) else {
        let message = format!("The stream '{stream}' was not found in the data collection rule.");
        return Err((400, "InvalidStream", message));
    };
    let is_json = asked
        .header("content-type")
        .is_some_and(|kind| kind.split(';').next() == Some("application/json"));
    if !is_json {
        let message = "the content type must be application/json".to_owned();
        return Err((415, "UnsupportedMediaType", message));
    }
    if asked.body.len() > MOST_BODY {
        let message = "Maximum allowed content length: 1048576 bytes".to_owned();
        return Err((413, "ContentLengthLimitExceeded", message));
    }
    let invalid = || {
        (
            400,
            "InvalidPayload",
            "the body is not an array of objects".to_owned(),
        )
    };
    let rows: Vec<Value> = serde_json::from_slice(&asked.body).map_err(|_| invalid())?;
    let row = |row: Value| {
        let Value::Object(row) = row else {
            return Err(invalid());
        };
        let known = row.into_iter().filter(|(name, _)| columns.contains(name));
        Ok(known.map(|(name, value)| (name, cut(value))).collect())
    };
    rows.into_iter().map(row).collect()
}

fn cut(value: Value) -> Value {
    let Some(text) = value.as_str().filter(|text| text.len() > MOST_VALUE) else {
        return value;
    };
    let end = (0..=MOST_VALUE)
        .rev()
        .find(|end| text.is_char_boundary(*end));
    let kept = text.get(..end.unwrap_or(0)).unwrap_or_default();
    Value::String(kept.to_owned())
}
