//! Refusals as Entra words them: an OAuth error, an AADSTS number, ids to ask support about.
//!
//! Source: Microsoft Learn, "Microsoft Entra authentication and authorization error codes".

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::{random, time};

/// Why there is no token.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: u16,
    error: &'static str,
    code: u32,
    message: String,
    suberror: Option<&'static str>,
    claims: Option<Value>,
}

impl Refusal {
    pub(crate) fn new(error: &'static str, code: u32, message: impl Into<String>) -> Self {
        // RFC 6749 §5.2: a client that did not prove itself is answered 401.
        let status = if error == "invalid_client" { 401 } else { 400 };
        Self {
            status,
            error,
            code,
            message: message.into(),
            suberror: None,
            claims: None,
        }
    }

    /// Somebody must sign in again: with these claims.
    pub(crate) fn interaction(claims: Value) -> Self {
        let message = "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access the resource.";
        Self {
            suberror: Some("basic_action"),
            claims: Some(claims),
            ..Self::new("interaction_required", 50076, message)
        }
    }

    /// The parameter is missing.
    pub(crate) fn missing(parameter: &str) -> Self {
        let message =
            format!("The request body must contain the following parameter: '{parameter}'.");
        Self::new("invalid_request", 900_144, message)
    }

    pub(crate) fn answer(self, now: i64) -> Answer {
        let (trace, correlation) = (random::guid(), random::guid());
        let timestamp = time::text(now);
        let description = format!(
            "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}",
            self.code, self.message
        );
        let mut body = json!({
            "error": self.error,
            "error_description": description,
            "error_codes": [self.code],
            "timestamp": timestamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.code),
        });
        if let Value::Object(members) = &mut body {
            if let Some(suberror) = self.suberror {
                members.insert("suberror".to_owned(), suberror.into());
            }
            // Text of JSON, not JSON.
            if let Some(claims) = self.claims {
                members.insert("claims".to_owned(), claims.to_string().into());
            }
        }
        Answer::json(self.status, &body)
    }
}
