//! The port to wherever people are told: a file, a log workspace, a pager.
//!
//! In: alerts, in order. Out: nothing, or an [`AlertError`]. The alerts stand in the audit log before they come here, so a
//! sink that fails loses no fact. The contract suite of this port is `testing::alert_contract`.

use std::fmt;
use std::sync::Arc;

use super::Alert;
use crate::error::{Code, Error};
use crate::port::BoxFuture;

/// Where alerts go.
///
/// Called from many threads at once. After `Ok` all the alerts are kept, in their order; after an error or when the future
/// is dropped, some may be: who reports again may be told twice, and never not at all.
pub trait AlertSink: fmt::Debug + Send + Sync {
    /// Delivers alerts. One attempt, within the adapter's own deadline.
    fn deliver<'a>(&'a self, alerts: &'a [Alert]) -> BoxFuture<'a, Result<(), AlertError>>;
}

/// Alerts were not delivered.
#[derive(Debug, Clone, thiserror::Error)]
#[error("alerts cannot be delivered: {what}")]
#[non_exhaustive]
pub struct AlertError {
    what: String,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl AlertError {
    /// Not delivered because of this, such as `cannot open \`alerts.jsonl\``. Never a secret.
    #[must_use]
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            source: None,
        }
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }
}

impl From<AlertError> for Error {
    fn from(error: AlertError) -> Self {
        Self::new(Code::AlertsUnavailable, error.to_string())
            .with_help(
                "the alerts stand in the audit log; make the sink writable and report the window again",
            )
            .with_source(error)
    }
}
