//! Faults on demand: which answer goes wrong, how, and how often.
//!
//! In: the answer that would be sent. Out: what is sent instead, or a connection that closes.

mod body;
mod denial;
mod misfit;
mod rewrite;

use std::time::Duration;

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::asked::Asked;
pub(crate) use body::ScriptedBody;
pub use denial::Denial;
pub use misfit::Misfit;

/// How an answer goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The right answer, late.
    Slow(Duration),
    /// This status and an error body, with `Retry-After` in seconds.
    Status {
        /// The status.
        status: u16,
        /// Seconds of `Retry-After`.
        retry_after: Option<u64>,
    },
    /// Half the right body, then the connection closes.
    Truncated,
    /// A page of a captive portal, with status 200.
    Html,
    /// JSON that is not what was asked for, with status 200.
    WrongJson,
    /// A redirect to this URL.
    Redirect(String),
    /// A body of this many bytes, with status 200.
    Giant(usize),
    /// The right body, one byte at a time with a pause before each.
    Drip(Duration),
    /// The connection closes without an answer.
    Close,
    /// A key set without a key.
    NoKeys,
    /// The key set, said to be another cloud's.
    OtherCloud,
    /// 429 that says how long to wait in `retry-after-ms` and `x-ms-retry-after-ms` alone, in whole milliseconds.
    Throttled(Duration),
    /// 401 with `invalid_token`, however good the token is. As the others below, it waits for a request that shows a token.
    Unauthorized,
    /// 403 with this inner code, as a vault words it.
    Forbidden(Denial),
    /// 404, as for a secret or a key that is not there.
    NotFound,
    /// The right secret or key of a vault, under this id.
    OtherId(String),
    /// The right secret of a vault, but its value is a number.
    ValueNotText,
    /// The right list of a vault, but its next page is said to be at this URL.
    NextLink(String),
    /// A certificate that a client must refuse, for the next connections to a host; what is said of a path is for requests.
    Certificate(Misfit),
}

/// The faults to come, in the order in which they were asked for.
#[derive(Debug, Default)]
pub(crate) struct Script(Vec<Scripted>);

#[derive(Debug)]
struct Scripted {
    prefix: String,
    fault: Fault,
    times: u32,
}

impl Script {
    pub(crate) fn add(&mut self, prefix: &str, fault: Fault, times: u32) {
        self.0.push(Scripted {
            prefix: prefix.to_owned(),
            fault,
            times,
        });
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The fault for this request, which is used up by it.
    pub(crate) fn take(&mut self, asked: &Asked) -> Option<Fault> {
        let (path, whole) = (&asked.path, format!("{}{}", asked.host, asked.path));
        let at = self.0.iter().position(|scripted| {
            if !scripted.fault.fits(asked) {
                return false;
            }
            let from_root = scripted.prefix.starts_with('/');
            let asked = if from_root { path } else { &whole };
            asked.starts_with(&scripted.prefix)
        })?;
        self.use_up(at)
    }

    /// The certificate for this connection, if it is not the right one.
    pub(crate) fn take_certificate(&mut self, host: &str) -> Option<Misfit> {
        let at = self.0.iter().position(|scripted| {
            let is_certificate = matches!(scripted.fault, Fault::Certificate(_));
            is_certificate && host.starts_with(scripted.prefix.trim_end_matches('/'))
        })?;
        let Fault::Certificate(misfit) = self.use_up(at)? else {
            return None;
        };
        Some(misfit)
    }

    fn use_up(&mut self, at: usize) -> Option<Fault> {
        let scripted = self.0.get_mut(at)?;
        let fault = scripted.fault.clone();
        // `u32::MAX` is for ever.
        if scripted.times != u32::MAX {
            scripted.times = scripted.times.saturating_sub(1);
        }
        if scripted.times == 0 {
            self.0.remove(at);
        }
        Some(fault)
    }
}

impl Fault {
    /// Whether the service never hears of the request.
    pub(crate) const fn hides_request(&self) -> bool {
        self.refusal_status().is_some() || matches!(self, Self::Close | Self::Redirect(_))
    }

    /// The status, where the service itself refuses.
    const fn refusal_status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            Self::Throttled(_) => Some(429),
            Self::Unauthorized => Some(401),
            Self::Forbidden(_) => Some(403),
            Self::NotFound => Some(404),
            Self::Slow(_)
            | Self::Truncated
            | Self::Html
            | Self::WrongJson
            | Self::Redirect(_)
            | Self::Giant(_)
            | Self::Drip(_)
            | Self::Close
            | Self::NoKeys
            | Self::OtherCloud
            | Self::OtherId(_)
            | Self::ValueNotText
            | Self::NextLink(_)
            | Self::Certificate(_) => None,
        }
    }

    /// Whether the service itself answers what is put in the place of its answer: then the answer carries its headers.
    pub(crate) const fn is_of_service(&self) -> bool {
        self.refusal_status().is_some() || matches!(self, Self::WrongJson | Self::Giant(_))
    }

    /// Whether this is a request that it can spoil.
    fn fits(&self, asked: &Asked) -> bool {
        let takes_list = matches!(self, Self::NextLink(_));
        let waits = matches!(
            self,
            Self::Unauthorized
                | Self::Forbidden(_)
                | Self::NotFound
                | Self::OtherId(_)
                | Self::ValueNotText
                | Self::NextLink(_)
        );
        !matches!(self, Self::Certificate(_))
            && (!waits || asked.bearer().is_some())
            && (!takes_list || crate::vault::is_list(asked))
    }

    /// The status that is sent in place of `right`; none where the connection closes.
    pub(crate) const fn status(&self, right: u16) -> Option<u16> {
        match self {
            Self::Close => None,
            Self::Status { .. }
            | Self::Throttled(_)
            | Self::Unauthorized
            | Self::Forbidden(_)
            | Self::NotFound => self.refusal_status(),
            Self::Redirect(_) => Some(302),
            Self::Html | Self::WrongJson | Self::Giant(_) | Self::NoKeys => Some(200),
            Self::Slow(_)
            | Self::Truncated
            | Self::Drip(_)
            | Self::OtherCloud
            | Self::OtherId(_)
            | Self::ValueNotText
            | Self::NextLink(_)
            | Self::Certificate(_) => Some(right),
        }
    }

    /// What is sent in place of this answer; nothing where the connection closes.
    pub(crate) async fn apply(self, right: Answer) -> Option<(Answer, ScriptedBody)> {
        let whole = |answer: Answer| {
            let body = ScriptedBody::whole(answer.body.clone());
            Some((answer, body))
        };
        match self {
            Self::Close => None,
            Self::Slow(wait) => {
                tokio::time::sleep(wait).await;
                whole(right)
            }
            Self::Status {
                status,
                retry_after,
            } => whole(refusal(status, retry_after)),
            Self::Throttled(wait) => whole(throttled(wait)),
            Self::Unauthorized => whole(refusal(401, None)),
            Self::Forbidden(_) => whole(refusal(403, None)),
            Self::NotFound => whole(refusal(404, None)),
            Self::OtherId(id) => whole(rewrite::other_id(right, &id)),
            Self::ValueNotText => whole(rewrite::value_not_text(right)),
            Self::NextLink(url) => whole(rewrite::next_link(right, &url)),
            Self::Certificate(_) => whole(right),
            Self::Html => whole(Answer::html(200, PORTAL.to_owned())),
            Self::WrongJson => whole(Answer::json(200, &json!({ "unexpected": [1, null] }))),
            Self::Redirect(to) => whole(Answer::empty(302).with_header("location", to)),
            Self::NoKeys => whole(Answer::json(200, &json!({ "keys": [] }))),
            Self::OtherCloud => whole(rewrite::of_another_cloud(right)),
            Self::Truncated => {
                let body = ScriptedBody::truncated(right.body.clone());
                Some((right, body))
            }
            Self::Giant(bytes) => {
                Some((Answer::json(200, &Value::Null), ScriptedBody::giant(bytes)))
            }
            Self::Drip(pause) => {
                let body = ScriptedBody::drip(right.body.clone(), pause);
                Some((right, body))
            }
        }
    }
}

fn refusal(status: u16, retry_after: Option<u64>) -> Answer {
    let body = json!({
        "error": { "code": "SimulatedFault", "message": "The simulator was told to answer like this." },
    });
    let answer = Answer::json(status, &body);
    match retry_after {
        Some(seconds) => answer.with_header("retry-after", seconds.to_string()),
        None => answer,
    }
}

fn throttled(wait: Duration) -> Answer {
    let milliseconds = wait.as_millis().to_string();
    refusal(429, None)
        .with_header("retry-after-ms", milliseconds.clone())
        .with_header("x-ms-retry-after-ms", milliseconds)
}

const PORTAL: &str =
    "<!doctype html><title>Sign in to the network</title><p>Please accept the terms of use.</p>";
