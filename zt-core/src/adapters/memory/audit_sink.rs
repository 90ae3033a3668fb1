//! Copies of audit records in memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::audit::{AuditSink, Receipt, SinkBatch, SinkError, SinkRecord};
use crate::port::BoxFuture;

type Records = BTreeMap<(String, u64), SinkRecord>;

/// An [`AuditSink`] that keeps what it is given, each record once.
#[derive(Debug, Default)]
pub struct MemoryAuditSink {
    records: Mutex<Records>,
}

impl MemoryAuditSink {
    /// No record yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All records of a log so far, by number.
    #[must_use]
    pub fn of(&self, writer: &str) -> Vec<SinkRecord> {
        let records = self.lock();
        let own = records.iter().filter(|((of, _), _)| of == writer);
        own.map(|(_, record)| record.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, batch: &SinkBatch) -> Result<Receipt, SinkError> {
        let mut records = self.lock();
        for record in &batch.records {
            let key = (batch.writer.clone(), record.seq);
            let kept = records.entry(key).or_insert_with(|| record.clone());
            if kept.hash != record.hash {
                let what = format!(
                    "another record {} of `{}` is kept",
                    record.seq, batch.writer
                );
                return Err(SinkError::conflict(what));
            }
        }
        Ok(Receipt::up_to(batch.last()))
    }
}

impl AuditSink for MemoryAuditSink {
    fn deliver<'a>(&'a self, batch: &'a SinkBatch) -> BoxFuture<'a, Result<Receipt, SinkError>> {
        Box::pin(async move { self.keep(batch) })
    }
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests {
    use super::*;
    use crate::testing::sink_contract::{self, Kept};

    impl Kept for MemoryAuditSink {
        fn lines(&self, writer: &str) -> Vec<(u64, String)> {
            let lines = self.of(writer).into_iter();
            lines.map(|record| (record.seq, record.line)).collect()
        }
    }

    #[tokio::test]
    async fn the_memory_sink_keeps_the_contract() {
        sink_contract::run(&MemoryAuditSink::new()).await;
    }
}
