use super::*;
use crate::audit::{sample_log, sample_segments};
use crate::testing::sink_contract::{self, Kept};

const WRITER: &str = "20261001T080000Z-0123456789abcdef";

impl Kept for SqliteAuditSink {
    fn lines(&self, writer: &str) -> Vec<(u64, String)> {
        let connection = Connection::open(&self.path).unwrap();
        let mut statement = connection
            .prepare("select seq, body from zt_audit_event where writer_id = ?1 order by seq")
            .unwrap();
        let rows = statement.query_map([writer], |row| {
            let seq: i64 = row.get(0)?;
            Ok((u64::try_from(seq).unwrap(), row.get(1)?))
        });
        rows.unwrap().map(Result::unwrap).collect()
    }
}

fn sink(folder: &tempfile::TempDir) -> SqliteAuditSink {
    SqliteAuditSink::new(folder.path().join("audit.db"))
}

async fn deliver(sink: &SqliteAuditSink, records: &[SinkRecord]) -> Result<Receipt, SinkError> {
    let batch = SinkBatch::new(WRITER, records.to_vec());
    sink.deliver(&batch).await
}

#[tokio::test]
async fn the_database_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    sink_contract::run(&sink(&folder)).await;
}

#[tokio::test]
async fn columns_hold_what_the_record_says() {
    let folder = tempfile::tempdir().unwrap();
    let sink = sink(&folder);
    let log = sample_log(WRITER, 1);
    deliver(&sink, &log).await.unwrap();
    let connection = Connection::open(&sink.path).unwrap();
    let row = connection.query_row(
        "select kind, outcome, caller, action, policies, snapshot_version, occurred_at_us, length(hash), resource
         from zt_audit_event where seq = 2",
        [],
        |row| {
            let texts: [String; 5] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
            let numbers: [i64; 3] = [row.get(5)?, row.get(6)?, row.get(7)?];
            Ok((texts.join(" "), numbers, row.get::<_, String>(8)?))
        },
    );
    let (texts, numbers, resource) = row.unwrap();
    assert_eq!(texts, "release ok sp:sp-score-201 secret.read [\"AP-07\"]");
    assert_eq!(numbers, [7, 1_790_841_600_000_000, 32]);
    assert_eq!(resource, "secret:naïve \"0\" 🔑\u{1}");
    let mode: String = connection
        .query_row("pragma journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
}

#[tokio::test]
async fn another_record_under_the_same_number_is_a_conflict_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let sink = sink(&folder);
    let log = sample_log(WRITER, 5);
    deliver(&sink, &log[..4]).await.unwrap();
    let mut other = log.clone();
    other[2].hash = "f".repeat(64);
    let error = deliver(&sink, &other).await.unwrap_err();
    assert!(matches!(error, SinkError::Conflict { .. }), "{error}");
    assert_eq!(sink.lines(WRITER).len(), 4, "the batch is one transaction");
    deliver(&sink, &log).await.unwrap();
    assert_eq!(sink.lines(WRITER).len(), 6);
}

#[tokio::test]
async fn a_database_that_lacks_the_start_asks_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let sink = sink(&folder);
    let log = sample_log(WRITER, 9);
    assert_eq!(deliver(&sink, &log[4..]).await, Ok(Receipt::up_to(0)));
    deliver(&sink, &log[..3]).await.unwrap();
    assert_eq!(deliver(&sink, &log[4..]).await, Ok(Receipt::up_to(3)));
    assert_eq!(deliver(&sink, &log).await, Ok(Receipt::up_to(10)));
}

#[tokio::test]
async fn a_gap_before_a_segment_is_one_unless_the_log_begins_there() {
    let folder = tempfile::tempdir().unwrap();
    let sink = sink(&folder);
    let log = sample_segments(WRITER, &[2, 2, 2]);
    assert_eq!(deliver(&sink, &log[6..]).await, Ok(Receipt::up_to(0)));
    deliver(&sink, &log[..3]).await.unwrap();
    assert_eq!(deliver(&sink, &log[6..]).await, Ok(Receipt::up_to(3)));
    let left = SinkBatch::new(WRITER, log[6..].to_vec()).starting(true);
    assert_eq!(sink.deliver(&left).await, Ok(Receipt::up_to(9)));
}

#[tokio::test]
async fn what_is_no_database_is_an_error_that_names_it_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let sink = sink(&folder);
    let text = "not a database, but somebody's notes ".repeat(50);
    std::fs::write(&sink.path, &text).unwrap();
    let error = deliver(&sink, &sample_log(WRITER, 1)).await.unwrap_err();
    assert!(error.to_string().contains("audit.db"), "{error}");
    assert_eq!(std::fs::read_to_string(&sink.path).unwrap(), text);
}

#[cfg(unix)]
#[tokio::test]
async fn the_database_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let sink = sink(&folder);
    let log = sample_log(WRITER, 2);
    deliver(&sink, &log[..1]).await.unwrap();
    // While somebody reads, the write-ahead log stays.
    let reader = Connection::open(&sink.path).unwrap();
    let rows = "select count(*) from zt_audit_event";
    let count = |_| {
        reader
            .query_row(rows, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(count(()), 1);
    deliver(&sink, &log).await.unwrap();
    assert!(count(()) > 1);
    for file in ["audit.db", "audit.db-wal"] {
        let mode = std::fs::metadata(folder.path().join(file)).unwrap();
        assert_eq!(mode.permissions().mode() & 0o777, 0o600, "{file}");
    }
}

#[tokio::test]
async fn a_process_that_was_forked_within_a_batch_of_its_parent_acknowledges_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let sink = sink(&folder);
    let log = sample_log(WRITER, 2);
    // As the child of a fork finds it.
    let parent = generation().saturating_add(2);
    sink.writing.store(parent, Ordering::Release);
    let error = deliver(&sink, &log).await.unwrap_err().to_string();
    assert!(error.contains("forked while its parent wrote"), "{error}");
    assert!(!sink.path.exists());
    sink.writing.store(0, Ordering::Release);
    deliver(&sink, &log).await.unwrap();
}

#[tokio::test]
async fn an_old_copy_in_the_place_of_the_database_is_given_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let sink = sink(&folder);
    let log = sample_log(WRITER, 4);
    let (first, rest) = log.split_at(2);
    deliver(&sink, first).await.unwrap();
    let old = folder.path().join("old.db");
    std::fs::copy(&sink.path, &old).unwrap();
    deliver(&sink, rest).await.unwrap();
    let whole = sink.lines(WRITER);
    std::fs::rename(&old, &sink.path).unwrap();
    let (_, last) = log.split_at(log.len() - 1);
    let receipt = deliver(&sink, last).await.unwrap();
    assert!(receipt.up_to < last[0].seq, "it says what it has");
    deliver(&sink, &log).await.unwrap();
    assert_eq!(sink.lines(WRITER), whole);
}
