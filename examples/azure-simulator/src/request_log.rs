//! What was asked, so that a test can count fetches and see what left the client.

/// One request, without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// `GET`, `POST`.
    pub method: String,
    /// The host that was asked for, without the port.
    pub host: String,
    /// The path.
    pub path: String,
    /// The query, as it came.
    pub query: String,
    /// The group ids in the body of a `checkMemberGroups`; empty for every other request.
    pub group_ids: Vec<String>,
    /// The status that was answered; none if the connection was closed.
    pub status: Option<u16>,
    /// Whether a token was shown. Never the token.
    pub shows_token: bool,
    /// `x-ms-client-request-id`, by which a client finds its call in the log of a service.
    pub client_request_id: Option<String>,
    /// `api-version` of the query, where there is one.
    pub api_version: Option<String>,
    /// Whether a scripted fault changed the answer.
    pub is_faulty: bool,
}

/// As many as are kept; then the oldest go.
const MOST: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct RequestLog(Vec<Request>);

impl RequestLog {
    pub(crate) fn push(&mut self, request: Request) {
        if self.0.len() == MOST {
            self.0.remove(0);
        }
        self.0.push(request);
    }

    pub(crate) fn all(&self) -> Vec<Request> {
        self.0.clone()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
