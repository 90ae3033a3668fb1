//! Audit records into a table of a Log Analytics workspace, through the Logs Ingestion API of Azure Monitor.
//!
//! In: records. Out: rows, in calls that stay below the service's limits; a call that is too large all the same is made again
//! with half of it. A record that fits no row is refused by name. The service does not deduplicate: readers take each
//! `WriterId` and `Seq` once.
//! Never: a token to a host outside of the cloud's own ingestion zone, a text of the service's answer beyond its error code.
//! Source: Microsoft Learn, "Logs Ingestion API in Azure Monitor", "Azure Monitor service limits": 1 MB a call, 64 KB a value,
//! status 204; role Monitoring Metrics Publisher on the data collection rule.

mod answer;
mod row;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_lc_rs::rand;
use zeroize::Zeroizing;

use crate::audit::{AuditSink, BatchLimit, Receipt, SinkBatch, SinkError};
use crate::error::{Code, Error, Result};
use crate::identity::{AccessToken, Cloud, CredentialError, TokenCredential};
use crate::network::{HttpClient, HttpError, HttpRequest};
use crate::port::BoxFuture;

use answer::Answer;
use row::{Page, page};

/// The version of the API.
const API_VERSION: &str = "2023-01-01";
/// The stream and, after `Custom-`, the table of the schema in `docs/azure-monitor`.
const STREAM: &str = "Custom-ZtAudit_CL";
/// The longest body, in bytes; the service takes 1 MB.
const MOST_BODY: usize = 1_000_000;
/// For one call.
const DEADLINE: Duration = Duration::from_secs(30);
/// An answer is empty, or an error of some lines.
const MOST_ANSWER: usize = 64 * 1024;

/// A stream of a data collection rule.
pub struct MonitorSink {
    http: Arc<dyn HttpClient>,
    credential: Arc<dyn TokenCredential>,
    scope: String,
    rule_url: String,
    stream: String,
    /// The longest body that is tried; lower once the service found one too large.
    most_body: AtomicUsize,
}

impl MonitorSink {
    /// Sends to the data collection rule with this immutable id, `dcr-…`, at its logs ingestion endpoint or that of a data
    /// collection endpoint, `https://NAME.REGION.ingest.monitor.azure.com`. The identity of `credential` needs the role
    /// Monitoring Metrics Publisher on the rule; the endpoint's host needs a row of Network_Rules.
    ///
    /// # Errors
    /// [`Code::Config`] for an endpoint outside of the cloud's own zone, and for what is no immutable id.
    pub fn new(
        http: Arc<dyn HttpClient>,
        credential: Arc<dyn TokenCredential>,
        cloud: Cloud,
        endpoint: &str,
        rule: &str,
    ) -> Result<Self> {
        let Some(zone) = cloud.monitor_host() else {
            let message = format!("no Azure Monitor of the cloud `{cloud}` is known");
            return Err(Error::new(Code::Config, message));
        };
        let host = endpoint.strip_prefix("https://").unwrap_or_default();
        let host = host.strip_suffix('/').unwrap_or(host);
        let is_plain =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
        if !host.bytes().all(is_plain) || !cloud.takes_in_logs(host) {
            let message = "the endpoint of Azure Monitor is not one of this cloud";
            let help =
                format!("expected `https://NAME.REGION.ingest.{zone}`, as the portal shows it");
            return Err(Error::new(Code::Config, message).with_help(help));
        }
        let digits = rule.strip_prefix("dcr-").unwrap_or_default();
        if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            let message = "the data collection rule is not named by its immutable id";
            let help =
                "expected `dcr-` and 32 hexadecimal digits, `immutableId` in the rule's JSON view";
            return Err(Error::new(Code::Config, message).with_help(help));
        }
        Ok(Self {
            http,
            credential,
            scope: format!("https://{zone}/.default"),
            rule_url: format!("https://{host}/dataCollectionRules/{rule}"),
            stream: STREAM.to_owned(),
            most_body: AtomicUsize::new(MOST_BODY),
        })
    }

    /// Sends to this stream of the rule; `Custom-ZtAudit_CL` unless told.
    ///
    /// # Errors
    /// [`Code::Config`] for what is not `Custom-` and letters, digits and `_`.
    pub fn with_stream(mut self, stream: &str) -> Result<Self> {
        let name = stream.strip_prefix("Custom-").unwrap_or_default();
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        if !(1..=100).contains(&name.len()) || !name.bytes().all(is_plain) {
            let message = "the stream of Azure Monitor is not the name of one";
            return Err(
                Error::new(Code::Config, message).with_help("expected such as `Custom-ZtAudit_CL`")
            );
        }
        stream.clone_into(&mut self.stream);
        Ok(self)
    }

    async fn keep(&self, batch: &SinkBatch) -> std::result::Result<Receipt, SinkError> {
        let mut most = (self.most_body.load(Ordering::Relaxed), usize::MAX);
        loop {
            let Page {
                body,
                rows,
                last,
                receipt,
            } = page(batch, most)?;
            if rows == 0 {
                return Ok(receipt);
            }
            let bytes = body.len();
            match self.send(body).await? {
                Answer::Taken => return Ok(receipt),
                Answer::TooLarge if rows == 1 => {
                    let reason = format!("the service takes no row of {bytes} bytes");
                    return Ok(receipt.refusing(last, reason));
                }
                Answer::TooLarge => {
                    most = (most.0, rows / 2);
                    // The next batches need not learn it anew.
                    self.most_body
                        .fetch_min((bytes / 2).max(MOST_BODY / 64), Ordering::Relaxed);
                }
                Answer::Unauthorized => {
                    let what = "Azure Monitor does not accept the token of zt's own identity, nor a new one";
                    return Err(SinkError::refused(what));
                }
                Answer::Failed(error) => return Err(error),
            }
        }
    }

    /// One call; a second one only for a token that ended before its time.
    async fn send(&self, body: Vec<u8>) -> std::result::Result<Answer, SinkError> {
        let body = Zeroizing::new(body);
        let answer = self.call(&body).await?;
        if !matches!(answer, Answer::Unauthorized) {
            return Ok(answer);
        }
        self.credential.forget();
        self.call(&body).await
    }

    async fn call(&self, body: &Zeroizing<Vec<u8>>) -> std::result::Result<Answer, SinkError> {
        let token = self.token().await?;
        let id = request_id();
        let url = format!(
            "{}/streams/{}?api-version={API_VERSION}",
            self.rule_url, self.stream
        );
        let request = HttpRequest::post(url, "application/json", body.clone())
            .with_bearer(token.reveal())
            .with_header("x-ms-client-request-id", id.as_str())
            .reading_at_most(MOST_ANSWER)
            .within(DEADLINE);
        match self.http.send(request).await {
            Ok(response) => Ok(Answer::read(&response, &id)),
            Err(error) => Err(unsent(&error)),
        }
    }

    async fn token(&self) -> std::result::Result<AccessToken, SinkError> {
        let token = self.credential.get_token(&self.scope).await;
        token.map_err(|error| {
            let what = error.to_string();
            match error {
                CredentialError::Unavailable { retry_in, .. } => {
                    SinkError::unavailable_for(what, retry_in)
                }
                CredentialError::NotSetUp { .. }
                | CredentialError::Refused { .. }
                | CredentialError::ClaimsRequired { .. } => SinkError::refused(what),
            }
        })
    }
}

impl AuditSink for MonitorSink {
    fn deliver<'a>(
        &'a self,
        batch: &'a SinkBatch,
    ) -> BoxFuture<'a, std::result::Result<Receipt, SinkError>> {
        Box::pin(self.keep(batch))
    }

    fn most(&self) -> BatchLimit {
        BatchLimit::new(2000, 600_000)
    }
}

impl fmt::Debug for MonitorSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MonitorSink")
            .field("rule", &self.rule_url)
            .field("stream", &self.stream)
            .field("credential", &self.credential.name())
            .finish_non_exhaustive()
    }
}

/// A guard's refusal stays until somebody adds a row; everything else may pass.
fn unsent(error: &HttpError) -> SinkError {
    let what = error.to_string();
    match error {
        HttpError::Refused { .. } | HttpError::Malformed { .. } => SinkError::refused(what),
        HttpError::Resolve { .. }
        | HttpError::Connect { .. }
        | HttpError::Tls { .. }
        | HttpError::Timeout { .. }
        | HttpError::TooLong { .. }
        | HttpError::Broken { .. } => SinkError::unavailable(what),
    }
}

/// What support finds the call by.
fn request_id() -> String {
    let mut bits = [0; 16];
    // Without randomness the call has the id of nobody, which harms nothing.
    let _is_filled = rand::fill(&mut bits);
    crate::id::Guid::from_u128(u128::from_be_bytes(bits)).to_string()
}
