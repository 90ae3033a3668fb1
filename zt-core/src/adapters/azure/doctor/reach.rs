//! One try of the path: a request without a token where the row's ports speak HTTPS, else a connection.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpStream;

use super::GuardedHttp;
use crate::metadata::NetworkRule;
use crate::network::doctor::Reached;
use crate::network::private_link::Service;
use crate::network::{HttpClient as _, HttpError, HttpRequest};

/// The port that is tried: that of HTTPS where the row opens it, else the row's first.
pub(super) fn port_of(rule: &NetworkRule) -> u16 {
    let mut ports = rule.ports.iter();
    let opens = ports.any(|range| (range.first..=range.last).contains(&HTTPS));
    match rule.ports.first() {
        Some(first) if !opens => first.first,
        Some(_) | None => HTTPS,
    }
}

pub(super) fn url_of(host: &str, port: u16) -> String {
    format!("https://{host}:{port}/")
}

/// A vault answers a list of its secrets with a challenge, and its word on the path stands beside it.
pub(super) async fn ask(http: &GuardedHttp, url: &str, service: Option<&Service>) -> Reached {
    let is_vault = service.is_some_and(Service::is_key_vault);
    let path = if is_vault {
        "secrets?api-version=7.4"
    } else {
        ""
    };
    let request = HttpRequest::get(format!("{url}{path}")).within(TRY);
    match http.send(request).await {
        Ok(answer) => Reached::Answered {
            status: answer.status,
            code: code_of(&answer.body),
            path: answer.path,
        },
        Err(error) => Reached::Failed(error),
    }
}

/// What a service of Azure calls its refusal (Microsoft REST API guidelines, "error condition responses").
fn code_of(body: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let inner = answer.pointer("/error/innererror/code");
    let code = inner.or_else(|| answer.pointer("/error/code"))?.as_str()?;
    let is_word = code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_word.then(|| code.to_owned())
}

/// A connection to addresses that the guard admitted.
pub(super) async fn connect(host: &str, admitted: &[SocketAddr]) -> Reached {
    let host = host.to_owned();
    match tokio::time::timeout(TRY, TcpStream::connect(admitted)).await {
        Ok(Ok(_)) => Reached::Connected,
        Ok(Err(_)) => Reached::Failed(HttpError::Connect { host }),
        Err(_) => Reached::Failed(HttpError::Timeout {
            host,
            deadline: TRY,
        }),
    }
}

pub(super) const HTTPS: u16 = 443;
const TRY: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_read_by_its_inner_word() {
        let code = |body: &str| code_of(body.as_bytes());
        let inner =
            r#"{"error":{"code":"Forbidden","innererror":{"code":"ForbiddenByConnection"}}}"#;
        assert_eq!(code(inner).as_deref(), Some("ForbiddenByConnection"));
        assert_eq!(
            code(r#"{"error":{"code":"Unauthorized"}}"#).as_deref(),
            Some("Unauthorized")
        );
        for nothing in [
            "",
            "<html>",
            "{}",
            r#"{"error":"x"}"#,
            r#"{"error":{"code":"a b"}}"#,
            r#"{"error":{"code":7}}"#,
        ] {
            assert_eq!(code(nothing), None, "{nothing}");
        }
    }
}
