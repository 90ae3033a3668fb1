//! Faults on demand: which answer goes wrong, how, and how often.
//!
//! In: the answer that would be sent. Out: what is sent instead, or a connection that closes.

mod body;

use std::time::Duration;

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::asked::Asked;
use crate::cloud::Cloud;
pub(crate) use body::ScriptedBody;

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
            let from_root = scripted.prefix.starts_with('/');
            let asked = if from_root { path } else { &whole };
            asked.starts_with(&scripted.prefix)
        })?;
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
    pub(crate) fn hides_request(&self) -> bool {
        matches!(self, Self::Close | Self::Status { .. } | Self::Redirect(_))
    }

    /// The status that is sent in place of `right`; none where the connection closes.
    pub(crate) const fn status(&self, right: u16) -> Option<u16> {
        match self {
            Self::Close => None,
            Self::Status { status, .. } => Some(*status),
            Self::Redirect(_) => Some(302),
            Self::Html | Self::WrongJson | Self::Giant(_) | Self::NoKeys => Some(200),
            Self::Slow(_) | Self::Truncated | Self::Drip(_) | Self::OtherCloud => Some(right),
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
            Self::Html => whole(Answer::html(200, PORTAL.to_owned())),
            Self::WrongJson => whole(Answer::json(200, &json!({ "unexpected": [1, null] }))),
            Self::Redirect(to) => whole(Answer::empty(302).with_header("location", to)),
            Self::NoKeys => whole(Answer::json(200, &json!({ "keys": [] }))),
            Self::OtherCloud => whole(of_another_cloud(right)),
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

/// The same keys under the name and the issuer of Azure Government.
fn of_another_cloud(answer: Answer) -> Answer {
    let Ok(mut set) = serde_json::from_slice::<Value>(&answer.body) else {
        return answer;
    };
    if let Some(Value::Array(keys)) = set.get_mut("keys") {
        for key in keys.iter_mut().filter_map(Value::as_object_mut) {
            let cloud = Cloud::UsGov;
            key.insert(
                "cloud_instance_name".to_owned(),
                cloud.instance_name().into(),
            );
            if key.contains_key("issuer") {
                key.insert("issuer".to_owned(), cloud.v2_issuer("{tenantid}").into());
            }
        }
    }
    Answer::json(answer.status, &set)
}

const PORTAL: &str =
    "<!doctype html><title>Sign in to the network</title><p>Please accept the terms of use.</p>";
