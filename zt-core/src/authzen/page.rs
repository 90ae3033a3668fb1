//! Pages of a search: the limit that was asked for, and a token that continues where the last page ended.
//!
//! In: the member `page`. Out: where to begin and how many. A token is bound to its question: sent with another one it is
//! refused. It holds no secret and grants nothing; whoever changes one asks what it may ask anyway.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::request::optional_object;
use super::{BadRequest, json as form};

/// A page holds no more results than this, whatever was asked.
const MOST_RESULTS: u64 = 1_000;
/// The version of the token's form.
const VERSION: u64 = 1;

/// What a search is asked to answer with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    /// Whether the request has a `page`, and so the answer.
    is_asked: bool,
    limit: Option<u64>,
    question: String,
    /// The last candidate that earlier pages looked at.
    after: Option<String>,
}

impl Page {
    /// Of a request to this endpoint.
    pub(super) fn read(endpoint: &str, members: &Map<String, Value>) -> Result<Self, BadRequest> {
        let question = mark(endpoint, members);
        let Some(page) = optional_object(members, "page", "page")? else {
            return Ok(Self {
                is_asked: false,
                limit: None,
                question,
                after: None,
            });
        };
        let limit =
            match page.get("limit") {
                None | Some(Value::Null) => None,
                Some(limit) => Some(limit.as_u64().ok_or_else(|| {
                    BadRequest::new("page.limit", "is not a whole number from 0 on")
                })?),
            };
        let token = match page.get("token") {
            None | Some(Value::Null) => None,
            Some(Value::String(token)) if token.is_empty() => None,
            Some(Value::String(token)) => Some(token),
            Some(other) => {
                let reason = format!("is {}, expected a string", form::kind(other));
                return Err(BadRequest::new("page.token", reason));
            }
        };
        let first = Self {
            is_asked: true,
            limit,
            question,
            after: None,
        };
        match token {
            Some(token) => first.continued(token),
            None => Ok(first),
        }
    }

    /// The page behind the one that gave this token. What it does not repeat counts as before.
    fn continued(self, token: &str) -> Result<Self, BadRequest> {
        let wrong = |reason: &str| BadRequest::new("page.token", reason);
        type Token = (u64, String, Option<u64>, Option<String>);
        let read = || {
            let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
            let (version, question, limit, after): Token = serde_json::from_slice(&bytes).ok()?;
            (version == VERSION).then_some((question, limit, after))
        };
        let (question, limit, after) =
            read().ok_or_else(|| wrong("is not one that a search here gave"))?;
        if question != self.question {
            return Err(wrong(
                "belongs to another search: subject, action, resource and context stay as they were",
            ));
        }
        if self.limit.is_some() && self.limit != limit {
            let reason = "differs from the one that the search began with";
            return Err(BadRequest::new("page.limit", reason));
        }
        Ok(Self {
            limit,
            after,
            ..self
        })
    }

    /// Whether an earlier page has looked at this candidate.
    pub(super) fn is_past(&self, candidate: &str) -> bool {
        self.after
            .as_deref()
            .is_some_and(|after| candidate <= after)
    }

    /// How many results the page takes.
    pub(super) fn limit(&self) -> usize {
        let limit = self.limit.unwrap_or(MOST_RESULTS).min(MOST_RESULTS);
        usize::try_from(limit).unwrap_or(usize::MAX)
    }

    /// The answer's member `page`, where there is one: it was asked for, or there is more. `last` is the last candidate of
    /// this page when there is more; none of it when the page is empty.
    pub(super) fn answer(&self, count: usize, more: Option<Option<String>>) -> Option<Value> {
        if !self.is_asked && more.is_none() {
            return None;
        }
        let token = more.map_or_else(String::new, |last| {
            let after = last.or_else(|| self.after.clone());
            let token = json!([VERSION, self.question, self.limit, after]);
            URL_SAFE_NO_PAD.encode(token.to_string())
        });
        Some(json!({ "next_token": token, "count": count }))
    }
}

/// Tells questions apart.
fn mark(endpoint: &str, members: &Map<String, Value>) -> String {
    let mut bytes = endpoint.as_bytes().to_vec();
    for name in ["subject", "action", "resource", "context"] {
        bytes.push(b'\n');
        if let Some(value) = members.get(name) {
            form::canonical(value, &mut bytes);
        }
    }
    let hash = digest::digest(&digest::SHA256, &bytes);
    URL_SAFE_NO_PAD.encode(hash.as_ref())
}
