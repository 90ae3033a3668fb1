//! Copies of audit records in the table `zt_audit_event`.
//!
//! The key is writer and number; what is there already is left alone. A batch is one transaction, on the disk before it is
//! acknowledged (write-ahead log, `synchronous = full`). The file is made with mode 0600.

use std::fmt;
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Statement, Transaction, TransactionBehavior, params};
use zt_memory::fork::{Local, generation};

use crate::audit::{AuditSink, BatchLimit, Receipt, SinkBatch, SinkError, SinkRecord};
use crate::clock::Timestamp;
use crate::port::BoxFuture;

/// How long another process may hold the file.
const BUSY: Duration = Duration::from_secs(10);

const TABLE: &str = "
create table if not exists zt_audit_event (
    writer_id text not null,
    seq integer not null,
    occurred_at_us integer not null,
    kind text not null,
    outcome text not null,
    caller text,
    action text not null,
    resource text not null,
    decision_id text,
    policies text not null,
    snapshot_version integer,
    body text not null,
    hash blob not null,
    primary key (writer_id, seq)
) without rowid;
create index if not exists zt_audit_event_occurred on zt_audit_event (occurred_at_us);
";

const INSERT: &str = "
insert or ignore into zt_audit_event (writer_id, seq, occurred_at_us, kind, outcome, caller, action, resource, decision_id,
    policies, snapshot_version, body, hash)
values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
";

/// A database that audit records are copied to.
pub struct SqliteAuditSink {
    path: PathBuf,
    /// One batch at a time, of this process.
    turn: Local<Mutex<()>>,
    /// The process, by its generation and 1, in which a batch is being written; 0 while none is.
    writing: AtomicU64,
}

impl SqliteAuditSink {
    /// Copies to this file. It is made with the first record, and its folder must exist.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            turn: Local::new(),
            writing: AtomicU64::new(0),
        }
    }

    fn keep(&self, batch: &SinkBatch) -> Result<Receipt, SinkError> {
        let turn = self.turn.get_or_init(Mutex::default);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let own = generation().saturating_add(1);
        let before = self.writing.load(Ordering::Acquire);
        if before != 0 && before != own {
            // SQLite's own memory says that the parent's locks are ours: what we wrote could be lost.
            let what = "this process was forked while its parent wrote to the database; another one delivers its log";
            return Err(SinkError::unavailable(what));
        }
        self.writing.store(own, Ordering::Release);
        let kept = self.write(batch);
        self.writing.store(0, Ordering::Release);
        kept
    }

    /// Over a connection that is closed again: one that is open over a fork, and a file that somebody replaced, would take what
    /// nobody finds again.
    fn write(&self, batch: &SinkBatch) -> Result<Receipt, SinkError> {
        let mut connection = self.open()?;
        connection
            // At once for writing: one that read first is refused when another process wrote meanwhile, without a wait.
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|why| self.failed(&why))
            .and_then(|transaction| self.insert(transaction, batch))
    }

    fn open(&self) -> Result<Connection, SinkError> {
        create(&self.path).map_err(|why| self.failed(&why))?;
        let open = || -> rusqlite::Result<Connection> {
            let connection = Connection::open(&self.path)?;
            connection.busy_timeout(BUSY)?;
            connection.pragma_update(None, "journal_mode", "wal")?;
            connection.pragma_update(None, "synchronous", "full")?;
            connection.execute_batch(TABLE)?;
            Ok(connection)
        };
        open().map_err(|why| self.failed(&why))
    }

    fn insert(
        &self,
        transaction: Transaction<'_>,
        batch: &SinkBatch,
    ) -> Result<Receipt, SinkError> {
        if let Some(behind) = self.behind(&transaction, batch)? {
            return Ok(Receipt::up_to(behind));
        }
        let mut inserting = transaction
            .prepare(INSERT)
            .map_err(|why| self.failed(&why))?;
        for record in &batch.records {
            if !self.insert_one(&mut inserting, &batch.writer, record)? {
                self.compare(&transaction, &batch.writer, record)?;
            }
        }
        drop(inserting);
        transaction.commit().map_err(|why| self.failed(&why))?;
        Ok(Receipt::up_to(batch.last()))
    }

    /// The newest record of the log in the table, if something is missing between it and the batch.
    fn behind(
        &self,
        transaction: &Transaction<'_>,
        batch: &SinkBatch,
    ) -> Result<Option<u64>, SinkError> {
        let newest = "select coalesce(max(seq), 0) from zt_audit_event where writer_id = ?1";
        let newest: i64 = transaction
            .query_row(newest, params![batch.writer], |row| row.get(0))
            .map_err(|why| self.failed(&why))?;
        let newest = u64::try_from(newest).unwrap_or(0);
        let follows = batch.first() <= newest.saturating_add(1);
        Ok((!batch.is_start && !follows).then_some(newest))
    }

    /// Whether it was not there.
    fn insert_one(
        &self,
        inserting: &mut Statement<'_>,
        writer: &str,
        record: &SinkRecord,
    ) -> Result<bool, SinkError> {
        let entry = record.entry()?;
        let at = entry.timestamp().map_or(0, Timestamp::as_millis);
        let policies = serde_json::to_string(&entry.policies).unwrap_or_default();
        let version = entry.snapshot.as_ref().map(|snapshot| snapshot.version);
        let inserted = inserting.execute(params![
            writer,
            number(record.seq)?,
            at.saturating_mul(1000),
            entry.kind,
            entry.outcome,
            entry.caller,
            entry.action,
            entry.resource,
            entry.decision,
            policies,
            version.map(number).transpose()?,
            record.line,
            bytes(&record.hash),
        ]);
        Ok(inserted.map_err(|why| self.failed(&why))? > 0)
    }

    /// What is kept under a number must be the same record.
    fn compare(
        &self,
        transaction: &Transaction<'_>,
        writer: &str,
        record: &SinkRecord,
    ) -> Result<(), SinkError> {
        let kept = "select hash from zt_audit_event where writer_id = ?1 and seq = ?2";
        let kept: Vec<u8> = transaction
            .query_row(kept, params![writer, number(record.seq)?], |row| row.get(0))
            .map_err(|why| self.failed(&why))?;
        if kept == bytes(&record.hash) {
            return Ok(());
        }
        let what = format!(
            "`{}` has another record {} of `{writer}`: keep both as evidence",
            self.path.display(),
            record.seq
        );
        Err(SinkError::conflict(what))
    }

    fn failed(&self, why: &dyn fmt::Display) -> SinkError {
        SinkError::unavailable(format!("cannot write to `{}`: {why}", self.path.display()))
    }
}

impl AuditSink for SqliteAuditSink {
    fn deliver<'a>(&'a self, batch: &'a SinkBatch) -> BoxFuture<'a, Result<Receipt, SinkError>> {
        Box::pin(async move { self.keep(batch) })
    }

    fn most(&self) -> BatchLimit {
        BatchLimit::new(1000, 4 << 20)
    }
}

impl fmt::Debug for SqliteAuditSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteAuditSink")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Makes an empty file for its owner alone, which SQLite takes for a new database.
fn create(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn number(number: u64) -> Result<i64, SinkError> {
    i64::try_from(number).map_err(|_| SinkError::conflict("a number beyond 63 bits"))
}

/// The 32 bytes of a hash.
fn bytes(hex: &str) -> Vec<u8> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    hex.as_bytes().chunks(2).map_while(pair).collect()
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
