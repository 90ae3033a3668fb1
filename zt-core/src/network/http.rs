//! The port to HTTP: one exchange, bounded in bytes and in time. Requests can carry credentials, so what zt
//! holds of them is wiped, which the client library's own buffers are not, and no `Debug` shows a header's value or a body.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use zeroize::Zeroizing;

use super::PathProof;
use crate::port::BoxFuture;

/// Sends requests where the guard allows it.
///
/// An implementation follows no redirect, uses no proxy, retries nothing and keeps the deadline of the request: a server that
/// answers slowly, or in drips, ends in [`HttpError::Timeout`], and one that answers more than asked for in
/// [`HttpError::TooLong`].
pub trait HttpClient: Send + Sync + fmt::Debug {
    /// One request, one answer. Any status is an answer.
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>>;
}

/// A method that zt uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HttpMethod {
    /// Reads.
    Get,
    /// Asks with a body.
    Post,
    /// Replaces.
    Put,
    /// Changes a part.
    Patch,
    /// Removes.
    Delete,
}

impl HttpMethod {
    /// As it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// What is sent.
#[derive(Clone)]
#[non_exhaustive]
pub struct HttpRequest {
    /// How.
    pub method: HttpMethod,
    /// Where to, with scheme, host, path and query; no user, no fragment.
    pub url: String,
    /// Header fields: name in lowercase, value.
    pub headers: Vec<(String, Zeroizing<String>)>,
    /// The body; empty for none.
    pub body: Zeroizing<Vec<u8>>,
    /// The longest answer that is read, in bytes.
    pub most_bytes: usize,
    /// When the exchange must be over, connecting included.
    pub deadline: Duration,
}

impl HttpRequest {
    /// A `GET` of at most 512 KiB within 5 s.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            method: HttpMethod::Get,
            url: url.into(),
            headers: Vec::new(),
            body: Zeroizing::default(),
            most_bytes: 512 * 1024,
            deadline: Duration::from_secs(5),
        }
    }

    /// A `POST` of this body, of the media type `content_type`, with an answer of at most 512 KiB within 5 s.
    #[must_use]
    pub fn post(url: impl Into<String>, content_type: &str, body: Zeroizing<Vec<u8>>) -> Self {
        Self {
            method: HttpMethod::Post,
            body,
            ..Self::get(url).with_header("content-type", content_type)
        }
    }

    /// Adds a header field.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        let field = (name.to_ascii_lowercase(), Zeroizing::new(value.into()));
        self.headers.push(field);
        self
    }

    /// Shows this token to the server (RFC 6750 §2.1).
    #[must_use]
    pub fn with_bearer(self, token: &str) -> Self {
        self.with_header("authorization", format!("Bearer {token}"))
    }

    /// Reads at most this many bytes of the answer.
    #[must_use]
    pub const fn reading_at_most(mut self, bytes: usize) -> Self {
        self.most_bytes = bytes;
        self
    }

    /// Waits at most this long.
    #[must_use]
    pub const fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.headers.iter().map(|(name, _)| name.as_str());
        let bare = self.url.split(['?', '#']).next().unwrap_or_default();
        f.debug_struct("HttpRequest")
            .field("method", &self.method.as_str())
            .field("url", &bare)
            .field("headers", &names.collect::<Vec<_>>())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What came back.
#[derive(Clone)]
#[non_exhaustive]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// Header fields: name in lowercase, value; what is not text is left out.
    pub headers: Vec<(String, String)>,
    /// The body, whole.
    pub body: Zeroizing<Vec<u8>>,
    /// Who answered, where that is known.
    pub peer: Option<SocketAddr>,
    /// How the path was proven, where the client judges it.
    pub path: Option<PathProof>,
}

impl HttpResponse {
    /// An answer.
    #[must_use]
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Zeroizing::new(body.into()),
            peer: None,
            path: None,
        }
    }

    /// Adds a header field.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    /// The first header field of a name, which is written in lowercase.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    /// How long the server asks us to wait: `Retry-After` in seconds (RFC 9110 §10.2.3), an hour at most. The form with a
    /// date is not read; Azure does not send it.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let seconds = self.header("retry-after")?.trim().parse::<u64>().ok()?;
        Some(Duration::from_secs(seconds.min(3600)))
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

/// Why there is no answer. No text holds a query, a header's value or a body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The guard refused: nothing was sent.
    #[error("the connection to `{host}` is refused: {reason}")]
    Refused {
        /// Where to.
        host: String,
        /// Which rule refused, and what would allow it.
        reason: String,
    },
    /// The name does not resolve.
    #[error("`{host}` cannot be resolved")]
    Resolve {
        /// The name.
        host: String,
    },
    /// No connection.
    #[error("no connection to `{host}`")]
    Connect {
        /// Where to.
        host: String,
    },
    /// The certificate or the handshake is not acceptable.
    #[error("`{host}` does not prove to be that host: {reason}")]
    Tls {
        /// Where to.
        host: String,
        /// What is wrong, without text of the certificate.
        reason: String,
    },
    /// The deadline passed.
    #[error("`{host}` did not answer within {} s", .deadline.as_secs_f32())]
    Timeout {
        /// Where to.
        host: String,
        /// The deadline.
        deadline: Duration,
    },
    /// The answer is longer than asked for.
    #[error("`{host}` answers more than {most_bytes} bytes")]
    TooLong {
        /// Where to.
        host: String,
        /// The limit.
        most_bytes: usize,
    },
    /// The answer broke off, or is not HTTP.
    #[error("the answer of `{host}` broke off")]
    Broken {
        /// Where to.
        host: String,
    },
    /// The request itself is not one: a URL or a header that cannot be sent.
    #[error("not a request that can be sent: {reason}")]
    Malformed {
        /// What is wrong.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_debug_shows_what_a_request_carries() {
        let body = Zeroizing::new(b"client_secret=needle".to_vec());
        let request = HttpRequest::post(
            "https://login.example/token?code=needle",
            "text/plain",
            body,
        )
        .with_bearer("needle");
        let shown = format!("{request:?}");
        assert!(
            shown.contains("login.example/token") && !shown.contains("needle"),
            "{shown}"
        );
        let response = HttpResponse::new(200, *b"needle").with_header("x", "needle");
        assert!(!format!("{response:?}").contains("needle"));
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_bounded() {
        let answer = |value: &str| HttpResponse::new(429, []).with_header("Retry-After", value);
        let seconds = |value: &str| answer(value).retry_after().map(|wait| wait.as_secs());
        assert_eq!(seconds("7"), Some(7));
        assert_eq!(seconds("999999999"), Some(3600));
        assert_eq!(seconds("Fri, 31 Dec 1999 23:59:59 GMT"), None);
        assert_eq!(seconds("-1"), None);
    }
}
