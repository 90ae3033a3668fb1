//! What the Logs Ingestion API said, read strictly: 204 is an acknowledgement, nothing else is.

use serde::Deserialize;

use crate::audit::SinkError;
use crate::network::HttpResponse;

/// An answer to a call.
#[derive(Debug)]
pub(super) enum Answer {
    /// Taken in.
    Taken,
    /// The body is larger than the service takes.
    TooLarge,
    /// The token is not accepted.
    Unauthorized,
    /// Anything else.
    Failed(SinkError),
}

#[derive(Deserialize)]
struct Refused {
    error: Named,
}

#[derive(Deserialize)]
struct Named {
    code: String,
}

impl Answer {
    pub(super) fn read(response: &HttpResponse, id: &str) -> Self {
        match response.status {
            204 => Self::Taken,
            401 => Self::Unauthorized,
            413 => Self::TooLarge,
            400 => refused(
                response,
                id,
                "the stream and its columns are not those of docs/azure-monitor; deploy them, or correct `audit.monitor_stream`",
            ),
            403 => refused(
                response,
                id,
                "grant the role Monitoring Metrics Publisher on the data collection rule to zt's own identity; it takes up to half an hour to work",
            ),
            404 => refused(
                response,
                id,
                "there is no such data collection rule at this endpoint; compare `audit.monitor_rule` with its immutable id",
            ),
            408 | 429 | 500..=599 => Self::Failed(SinkError::unavailable_for(
                format!("Azure Monitor answers with status {}", response.status),
                response.retry_after(),
            )),
            // A captive portal, a proxy's page: not Azure Monitor.
            200..=399 => Self::Failed(SinkError::unavailable(format!(
                "the answer with status {} is not one of Azure Monitor",
                response.status
            ))),
            _ => refused(response, id, "it does not take the request"),
        }
    }
}

fn refused(response: &HttpResponse, id: &str, what_to_do: &str) -> Answer {
    let code = serde_json::from_slice::<Refused>(&response.body)
        .map(|body| body.error.code)
        .unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    // A code is one word; whatever else stands there does not come into our texts.
    let code = if (1..=64).contains(&code.len()) && code.bytes().all(is_plain) {
        format!(" `{code}`")
    } else {
        String::new()
    };
    Answer::Failed(SinkError::refused(format!(
        "Azure Monitor answers with status {}{code} to request {id}: {what_to_do}",
        response.status
    )))
}
