//! A refusal as callers see it: a problem document (RFC 9457), the status of the error's kind, and the headers that tell a client
//! what to do (RFC 6750 section 3, RFC 9110 section 10.2.3).
//!
//! In: what went wrong. Out: what helps to act and tells an attacker nothing. The exact reason of what is not the caller's to
//! know goes to the log of the process, under the code.

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use zt_core::{Code, Error, ErrorKind};

use crate::http::set;
use crate::serve::say;

/// When to come back where nobody knows better, in seconds.
const SOON_S: u64 = 1;

/// Why there is no score.
#[derive(Debug)]
pub(crate) enum Problem {
    /// zt refused the caller, or cannot decide now.
    Refused(Error),
    /// zt refused the service itself: no fault of the caller's.
    Own(Error),
    /// The request is not one that can be answered, and why.
    Bad(String),
    /// The body is larger than it may be.
    TooLarge,
    /// Nothing is served under this name.
    NotServed,
    /// This caller has as many requests under way as may be.
    TooMany,
    /// The service has.
    Busy,
    /// It took too long.
    Late,
    /// A defect of the service.
    Defect(String),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl Problem {
    /// No bearer token, or more than one.
    pub(crate) fn no_token() -> Self {
        let message = "the request has no bearer token, or more than one";
        Self::Refused(Error::new(Code::MissingCredentials, message))
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Refused(error) => StatusCode::from_u16(error.http_status())
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            Self::Own(error) if is_passing(error) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Own(_) | Self::Defect(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Bad(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotServed => StatusCode::NOT_FOUND,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy | Self::Late => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::Refused(error) => error.public_message(),
            Self::Own(error) if is_passing(error) => "temporarily unavailable".to_owned(),
            Self::Own(_) | Self::Defect(_) => "internal error".to_owned(),
            Self::Bad(why) => why.clone(),
            Self::TooLarge => "the body is too large".to_owned(),
            Self::NotServed => "no such model".to_owned(),
            Self::TooMany => "too many requests of this caller are under way".to_owned(),
            Self::Busy => "too many requests are under way".to_owned(),
            Self::Late => "the answer took too long".to_owned(),
        }
    }

    const fn error(&self) -> Option<&Error> {
        match self {
            Self::Refused(error) | Self::Own(error) => Some(error),
            Self::Bad(_)
            | Self::TooLarge
            | Self::NotServed
            | Self::TooMany
            | Self::Busy
            | Self::Late
            | Self::Defect(_) => None,
        }
    }

    fn retry_after_s(&self, status: StatusCode) -> Option<u64> {
        let is_for_later = [
            StatusCode::SERVICE_UNAVAILABLE,
            StatusCode::TOO_MANY_REQUESTS,
        ];
        let told = self.error().and_then(Error::retry_after_s);
        told.or_else(|| is_for_later.contains(&status).then_some(SOON_S))
    }

    /// What an operator must know and a caller must not.
    fn log(&self, status: StatusCode) {
        match self {
            Self::Own(error) => say(&format!("the service itself: {error}")),
            Self::Refused(error) if status.is_server_error() => say(&error.to_string()),
            Self::Defect(why) => say(why),
            Self::Refused(_)
            | Self::Bad(_)
            | Self::TooLarge
            | Self::NotServed
            | Self::TooMany
            | Self::Busy
            | Self::Late => {}
        }
    }

    fn body(&self, status: StatusCode) -> Value {
        // `about:blank`: the title is that of the status, and the code says the rest.
        let mut body = json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "detail": self.detail(),
        });
        if let Some(error) = self.error() {
            set(&mut body, "code", error.code().as_str());
        }
        if let Self::Refused(error) = self
            && let Some(id) = error.decision_id()
        {
            set(&mut body, "decision", id.to_string());
        }
        body
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        self.log(status);
        let body = self.body(status).to_string();
        let kind = [(CONTENT_TYPE, "application/problem+json")];
        let mut response = (status, kind, body).into_response();
        let headers = response.headers_mut();
        if let Self::Refused(error) = &self
            && let Some(challenge) = error.challenge()
            && let Ok(challenge) = HeaderValue::from_str(&challenge.to_string())
        {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after_s(status) {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// Whether what stops the service itself may pass by itself.
fn is_passing(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unavailable { .. }) || error.code() == Code::Closed
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
        response
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap())
    }

    #[test]
    fn each_problem_has_its_status_and_what_a_client_needs() {
        let closed =
            Error::new(Code::VaultUnavailable, "429").with_retry_in(Duration::from_millis(1500));
        for (problem, status, retry, challenge) in [
            (Problem::no_token(), 401, None, Some("Bearer")),
            (
                Problem::Refused(Error::new(Code::TokenExpired, "it has")),
                401,
                None,
                Some("Bearer realm=\"\", error=\"invalid_token\""),
            ),
            (Problem::Refused(closed), 503, Some("2"), None),
            (Problem::TooMany, 429, Some("1"), None),
            (Problem::Busy, 503, Some("1"), None),
            (Problem::Late, 503, Some("1"), None),
            (Problem::NotServed, 404, None, None),
            (Problem::TooLarge, 413, None, None),
            (Problem::Bad("why".to_owned()), 400, None, None),
        ] {
            let told = format!("{problem:?}");
            let response = problem.into_response();
            assert_eq!(response.status().as_u16(), status, "{told}");
            assert_eq!(header(&response, "retry-after"), retry, "{told}");
            assert_eq!(header(&response, "www-authenticate"), challenge, "{told}");
            assert_eq!(
                header(&response, "content-type"),
                Some("application/problem+json")
            );
        }
    }

    #[test]
    fn what_the_service_itself_may_not_is_no_fault_of_the_caller() {
        let problem = Problem::Own(Error::new(
            Code::Denied,
            "AP-07 would allow: stage is 1, needs 2",
        ));
        let body = problem.body(problem.status());
        assert_eq!(
            (body["status"].clone(), body["detail"].clone()),
            (json!(500), json!("internal error"))
        );
        assert_eq!(body["code"], "ZT-1001");
        assert!(!body.to_string().contains("AP-07"));
    }
}
