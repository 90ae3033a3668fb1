use std::fs;
use std::path::Path;

use super::*;
use crate::audit::{sample_log, sample_segments, verify};
use crate::testing::sink_contract::{self, Kept};

const WRITER: &str = "20261001T080000Z-0123456789abcdef";

impl Kept for FileAuditSink {
    fn lines(&self, writer: &str) -> Vec<(u64, String)> {
        let file = self.folder.join(format!("{writer}-000001.jsonl"));
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = |line: &str| {
            let record: serde_json::Value = serde_json::from_str(line).ok()?;
            Some((record["seq"].as_u64()?, line.to_owned()))
        };
        text.lines().filter_map(line).collect()
    }
}

async fn deliver(sink: &FileAuditSink, records: &[SinkRecord]) -> Result<Receipt, SinkError> {
    let batch = SinkBatch::new(WRITER, records.to_vec());
    sink.deliver(&batch).await
}

#[tokio::test]
async fn the_copy_keeps_the_contract_and_verifies_like_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("new");
    sink_contract::run(&FileAuditSink::new(&place)).await;
    let verified = verify(&place).unwrap();
    assert!(verified.is_intact(), "{verified:?}");
    assert_eq!(verified.writers, 2);
}

#[tokio::test]
async fn a_torn_line_is_cut_and_comes_again() {
    let folder = tempfile::tempdir().unwrap();
    let log = sample_log(WRITER, 9);
    let sink = FileAuditSink::new(folder.path());
    deliver(&sink, &log[..5]).await.unwrap();
    let file = folder.path().join(format!("{WRITER}-000001.jsonl"));
    let whole = fs::read(&file).unwrap();
    for cut in [1, 40, whole.len() - 1] {
        fs::write(&file, &whole[..whole.len() - cut]).unwrap();
        for sink in [&sink, &FileAuditSink::new(folder.path())] {
            let receipt = deliver(sink, &log).await.unwrap();
            assert_eq!(receipt, Receipt::up_to(10));
        }
        assert!(verify(folder.path()).unwrap().is_intact(), "cut by {cut}");
        assert_eq!(sink.lines(WRITER).len(), 10, "cut by {cut}");
    }
}

#[tokio::test]
async fn a_copy_that_lacks_the_start_asks_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let log = sample_log(WRITER, 9);
    let sink = FileAuditSink::new(folder.path());
    assert_eq!(deliver(&sink, &log[4..]).await, Ok(Receipt::up_to(0)));
    deliver(&sink, &log[..3]).await.unwrap();
    assert_eq!(deliver(&sink, &log[4..]).await, Ok(Receipt::up_to(3)));
    assert_eq!(deliver(&sink, &log).await, Ok(Receipt::up_to(10)));
}

#[tokio::test]
async fn a_gap_before_a_segment_is_one_unless_the_log_begins_there() {
    let folder = tempfile::tempdir().unwrap();
    let log = sample_segments(WRITER, &[2, 2, 2]);
    let sink = FileAuditSink::new(folder.path());
    deliver(&sink, &log[..3]).await.unwrap();
    assert_eq!(deliver(&sink, &log[6..]).await, Ok(Receipt::up_to(3)));
    // What retention left; the gap is told by the log itself.
    let left = SinkBatch::new(WRITER, log[6..].to_vec()).starting(true);
    assert_eq!(sink.deliver(&left).await, Ok(Receipt::up_to(9)));
    let empty = tempfile::tempdir().unwrap();
    let sink = FileAuditSink::new(empty.path());
    assert_eq!(deliver(&sink, &log[6..]).await, Ok(Receipt::up_to(0)));
    assert_eq!(sink.deliver(&left).await, Ok(Receipt::up_to(9)));
}

#[tokio::test]
async fn another_record_under_the_same_number_is_a_conflict() {
    let folder = tempfile::tempdir().unwrap();
    let log = sample_log(WRITER, 3);
    let sink = FileAuditSink::new(folder.path());
    deliver(&sink, &log).await.unwrap();
    let mut other = log[3].clone();
    other.hash = "f".repeat(64);
    let error = deliver(&sink, &[other]).await.unwrap_err();
    assert!(matches!(error, SinkError::Conflict { .. }), "{error}");
    assert_eq!(sink.lines(WRITER)[3].1, log[3].line);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let sink = FileAuditSink::new(&file);
    let error = deliver(&sink, &sample_log(WRITER, 1)).await.unwrap_err();
    assert!(error.to_string().contains("file"), "{error}");
    assert!(matches!(error, SinkError::Unavailable { .. }));
}

#[cfg(unix)]
#[tokio::test]
async fn the_copy_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("a");
    deliver(&FileAuditSink::new(&place), &sample_log(WRITER, 1))
        .await
        .unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let file = place.join(format!("{WRITER}-000001.jsonl"));
    assert_eq!((mode(&place), mode(&file)), (0o700, 0o600));
}
