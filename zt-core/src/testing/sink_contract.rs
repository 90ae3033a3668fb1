//! The contract of [`AuditSink`], which every adapter keeps: ours and yours.
//!
//! Give [`run`] an empty sink that can be read back through [`Kept`]; it panics where the contract is broken.
#![expect(
    clippy::panic,
    reason = "a contract suite speaks by panicking, like any test"
)]

use crate::audit::{AuditSink, SinkBatch, SinkRecord, sample_log};

/// How the suite reads what a sink keeps.
pub trait Kept {
    /// The lines of a log that a reader of the sink sees, by number: each once, however often it was delivered.
    fn lines(&self, writer: &str) -> Vec<(u64, String)>;
}

const FIRST: &str = "20261001T080000Z-0123456789abcdef";
const SECOND: &str = "20261001T080001Z-fedcba9876543210";

/// Every part of the contract, one after the other.
///
/// # Panics
/// Where the sink breaks the contract.
pub async fn run<S: AuditSink + Kept>(sink: &S) {
    let (first, second) = (sample_log(FIRST, 2000), sample_log(SECOND, 3));
    let part = |from: usize, to: usize| first.get(from..to).unwrap_or_default().to_vec();
    // What was begun and not awaited disturbs nothing.
    drop(sink.deliver(&SinkBatch::new(FIRST, part(0, 3))));
    deliver(sink, FIRST, part(0, 3)).await;
    expect(sink, FIRST, &part(0, 3));
    // The same again, whole and in part.
    deliver(sink, FIRST, part(0, 3)).await;
    deliver(sink, FIRST, part(1, 5)).await;
    expect(sink, FIRST, &part(0, 5));
    // Another log in between.
    deliver(sink, SECOND, second.clone()).await;
    deliver(sink, FIRST, part(5, 6)).await;
    expect(sink, SECOND, &second);
    // More than is taken at once.
    let mut at = 6;
    while at < first.len() {
        let to = first.len().min(at.saturating_add(sink.most().records));
        deliver(sink, FIRST, part(at, to)).await;
        at = to;
    }
    expect(sink, FIRST, &first);
    deliver(sink, FIRST, part(0, 2)).await;
    expect(sink, FIRST, &first);
    expect(sink, SECOND, &second);
}

/// Delivers until everything is acknowledged, and not one record beyond.
async fn deliver<S: AuditSink>(sink: &S, writer: &str, records: Vec<SinkRecord>) {
    let mut left = records;
    while let Some(last) = left.last().map(|record| record.seq) {
        let batch = SinkBatch::new(writer, left.clone());
        match sink.deliver(&batch).await {
            Err(error) => panic!("{} to {last} of `{writer}` gave {error}", batch.first()),
            Ok(receipt) => {
                assert!(receipt.up_to <= last, "{receipt:?} is beyond {last}");
                assert!(receipt.up_to >= batch.first(), "{receipt:?} is no progress");
                assert_eq!(receipt.refused, []);
                left.retain(|record| record.seq > receipt.up_to);
            }
        }
    }
}

fn expect<S: Kept>(sink: &S, writer: &str, records: &[SinkRecord]) {
    let expected = records
        .iter()
        .map(|record| (record.seq, record.line.clone()));
    let (expected, kept): (Vec<_>, _) = (expected.collect(), sink.lines(writer));
    assert_eq!(kept.len(), expected.len(), "records of `{writer}`");
    for (kept, expected) in kept.iter().zip(&expected) {
        assert_eq!(kept, expected);
    }
}
