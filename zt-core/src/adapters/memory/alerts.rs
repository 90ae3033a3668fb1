//! Alerts in memory.

use std::sync::{Mutex, PoisonError};

use crate::monitor::{Alert, AlertError, AlertSink};
use crate::port::BoxFuture;

/// An [`AlertSink`] that keeps what it is told.
#[derive(Debug, Default)]
pub struct MemoryAlerts {
    alerts: Mutex<Vec<Alert>>,
}

impl MemoryAlerts {
    /// No alert yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All alerts so far, in order.
    #[must_use]
    pub fn all(&self) -> Vec<Alert> {
        self.alerts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl AlertSink for MemoryAlerts {
    fn deliver<'a>(&'a self, alerts: &'a [Alert]) -> BoxFuture<'a, Result<(), AlertError>> {
        Box::pin(async move {
            let mut kept = self.alerts.lock().unwrap_or_else(PoisonError::into_inner);
            kept.extend_from_slice(alerts);
            Ok(())
        })
    }
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests {
    use super::*;
    use crate::testing::alert_contract::{self, Delivered};

    impl Delivered for MemoryAlerts {
        fn rules(&self) -> Vec<String> {
            self.all().into_iter().map(|alert| alert.rule).collect()
        }
    }

    #[tokio::test]
    async fn the_memory_sink_keeps_the_contract() {
        alert_contract::run(&MemoryAlerts::new()).await;
    }
}
