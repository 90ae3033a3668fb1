//! The port to wherever records are kept beside the log: another disk, a database, a log workspace.
//!
//! In: lines of one log, in order and without a gap. Out: up to which of them the sink keeps them, or a [`SinkError`]. The
//! log in the folder is the truth: a sink that is down delays copies and nothing else. Records come at least once; a
//! record is the same as another exactly if writer and number are. The contract suite is `testing::sink_contract`.

use std::fmt;
use std::time::Duration;

use super::Entry;
use crate::port::BoxFuture;

/// A place that keeps copies of records.
///
/// Called from one thread at a time for each log that uses it, and again after a fork: what the parent opened is not the
/// child's to use. A future that is dropped may have delivered.
pub trait AuditSink: fmt::Debug + Send + Sync {
    /// Keeps these records, in order, durably before it says so. One attempt, within the adapter's own deadline. It may keep
    /// only the first of them and say so; the rest comes again.
    fn deliver<'a>(&'a self, batch: &'a SinkBatch) -> BoxFuture<'a, Result<Receipt, SinkError>>;

    /// How much it takes at a time.
    fn most(&self) -> BatchLimit {
        BatchLimit::default()
    }
}

/// How much a sink takes at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchLimit {
    /// Records.
    pub records: usize,
    /// Bytes of their lines. One record is delivered whatever its size.
    pub bytes: usize,
}

impl BatchLimit {
    /// At least one record.
    #[must_use]
    pub const fn new(records: usize, bytes: usize) -> Self {
        Self { records, bytes }
    }
}

impl Default for BatchLimit {
    /// 1,000 records, 1 MiB.
    fn default() -> Self {
        Self::new(1000, 1 << 20)
    }
}

/// Records of one log, in order and without a gap; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SinkBatch {
    /// The log's name.
    pub writer: String,
    /// The records.
    pub records: Vec<SinkRecord>,
    /// Whether the log has nothing before them any more: its first records, or the first that retention left. Then alone is a
    /// gap before them no reason to ask for what is missing.
    pub is_start: bool,
}

impl SinkBatch {
    /// These records of this log.
    #[must_use]
    pub fn new(writer: impl Into<String>, records: Vec<SinkRecord>) -> Self {
        Self {
            writer: writer.into(),
            records,
            is_start: false,
        }
    }

    /// Says that the log has nothing before them any more.
    #[must_use]
    pub const fn starting(mut self, is_start: bool) -> Self {
        self.is_start = is_start;
        self
    }

    /// The number of the first record; 0 for none.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.records.first().map_or(0, |record| record.seq)
    }

    /// The number of the last record; 0 for none.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.records.last().map_or(0, |record| record.seq)
    }
}

/// One record as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SinkRecord {
    /// Its number.
    pub seq: u64,
    /// The chain's hash at it, 64 lowercase hexadecimal digits.
    pub hash: String,
    /// The line, without the newline: a JSON object that holds both.
    pub line: String,
}

impl SinkRecord {
    /// A record.
    #[must_use]
    pub fn new(seq: u64, hash: impl Into<String>, line: impl Into<String>) -> Self {
        Self {
            seq,
            hash: hash.into(),
            line: line.into(),
        }
    }

    /// Its fields.
    ///
    /// # Errors
    /// [`SinkError::Conflict`] for a line that is no record.
    pub fn entry(&self) -> Result<Entry, SinkError> {
        serde_json::from_str(&self.line)
            .map_err(|_| SinkError::conflict(format!("line {} is not a record", self.seq)))
    }
}

/// What a sink keeps of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// Every record of the log up to this number is kept, or is in `refused`. A number below the first of the batch means
    /// that what came before is gone there: it is delivered again.
    pub up_to: u64,
    /// Records of the batch that the sink can never take, and why. They are set aside in a file and the log says so.
    pub refused: Vec<(u64, String)>,
}

impl Receipt {
    /// Everything up to this number is kept.
    #[must_use]
    pub const fn up_to(seq: u64) -> Self {
        Self {
            up_to: seq,
            refused: Vec::new(),
        }
    }

    /// Except this one, which can never be.
    #[must_use]
    pub fn refusing(mut self, seq: u64, reason: impl Into<String>) -> Self {
        self.refused.push((seq, reason.into()));
        self
    }
}

/// Nothing of the batch is acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// It may work later.
    #[error("{what}")]
    #[non_exhaustive]
    Unavailable {
        /// What is wrong. Never a secret.
        what: String,
        /// How long the sink asks to be left alone.
        retry_in: Option<Duration>,
    },
    /// It will not work before somebody changes something: a right, a rule, a setting. Tried again, seldom.
    #[error("{what}")]
    #[non_exhaustive]
    Refused {
        /// What is wrong, and what to do.
        what: String,
    },
    /// The sink keeps another record under the same writer and number, or the line is no record: this log is not what it
    /// was. Other logs go on.
    #[error("{what}")]
    #[non_exhaustive]
    Conflict {
        /// Which.
        what: String,
    },
}

impl SinkError {
    /// It may work later.
    #[must_use]
    pub fn unavailable(what: impl Into<String>) -> Self {
        Self::Unavailable {
            what: what.into(),
            retry_in: None,
        }
    }

    /// It may work after this time.
    #[must_use]
    pub fn unavailable_for(what: impl Into<String>, retry_in: Option<Duration>) -> Self {
        Self::Unavailable {
            what: what.into(),
            retry_in,
        }
    }

    /// It will not work before somebody changes something.
    #[must_use]
    pub fn refused(what: impl Into<String>) -> Self {
        Self::Refused { what: what.into() }
    }

    /// Another record is kept under the same number.
    #[must_use]
    pub fn conflict(what: impl Into<String>) -> Self {
        Self::Conflict { what: what.into() }
    }
}
