//! What a verification says: how much was checked, where each log ends, and everything that is wrong.

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use crate::clock::Timestamp;

/// What [`verify`](super::verify()) found.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
#[must_use = "a verification that nobody reads proves nothing"]
pub struct Verification {
    /// How many logs.
    pub writers: u64,
    /// How many segments.
    pub segments: u64,
    /// How many good records, those that start a segment included.
    pub records: u64,
    /// When the earliest record was written.
    pub first: Option<Timestamp>,
    /// When the latest record was written.
    pub last: Option<Timestamp>,
    /// Where each log ends, oldest log first. Keep them elsewhere: a later cut then shows.
    pub heads: Vec<Head>,
    /// Torn ends that a later log cut and recorded.
    pub recoveries: Vec<Recovery>,
    /// Everything that is wrong.
    pub findings: Vec<Finding>,
    /// What is worth knowing and not wrong: files that are no segments, given up ends, a log being written.
    pub notes: Vec<String>,
}

impl Verification {
    /// Whether every record is what was written and none is known to be missing.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.findings.is_empty()
    }

    /// The logs without a closing record: still being written, killed, or cut.
    pub fn open_logs(&self) -> impl Iterator<Item = &Head> {
        self.heads.iter().filter(|head| !head.is_closed)
    }

    /// How many records at the ends of the logs are under no checkpoint.
    #[must_use]
    pub fn unsigned(&self) -> u64 {
        let heads = self.heads.iter();
        heads.map(|head| head.seq.saturating_sub(head.signed)).sum()
    }
}

/// As `zt audit verify --json` prints it.
impl Serialize for Verification {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut report = serializer.serialize_struct("Verification", 9)?;
        report.serialize_field("intact", &self.is_intact())?;
        report.serialize_field("writers", &self.writers)?;
        report.serialize_field("segments", &self.segments)?;
        report.serialize_field("records", &self.records)?;
        report.serialize_field("unsigned", &self.unsigned())?;
        report.serialize_field("heads", &self.heads)?;
        report.serialize_field("recoveries", &self.recoveries)?;
        report.serialize_field("findings", &self.findings)?;
        report.serialize_field("notes", &self.notes)?;
        report.end()
    }
}

/// The newest good record of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Head {
    /// The log.
    pub writer: String,
    /// The record's number.
    pub seq: u64,
    /// The chain's hash there.
    pub hash: String,
    /// Whether it says that the log was closed.
    pub is_closed: bool,
    /// When it was written, RFC 3339: the last sign of life of a log that has neither a closing record nor a process.
    pub at: String,
    /// Whether a process holds the log open.
    pub is_alive: bool,
    /// How many of its records are under a checkpoint; those behind it are not signed yet.
    pub signed: u64,
}

/// A torn end that was cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Recovery {
    /// The log that recorded it.
    pub writer: String,
    /// When.
    pub at: String,
    /// Which segment was cut.
    pub file: String,
    /// Where the cut bytes were kept.
    pub kept_as: String,
    /// How many bytes.
    pub bytes_cut: u64,
    /// The newest record that stayed.
    pub last_good_seq: u64,
}

/// Something that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The segment.
    pub file: String,
    /// The line, from 1; 0 if the whole segment is meant.
    pub line: u64,
    /// The number of the record that should stand there, where it can be told.
    pub seq: Option<u64>,
    /// Where the line starts, in bytes.
    pub byte_offset: u64,
    /// The kind of damage.
    pub what: FindingKind,
    /// In words.
    pub message: String,
}

/// The kind of damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingKind {
    /// The record's bytes are not those that were hashed.
    Changed,
    /// One or more records before this one are missing.
    Gap,
    /// A record stands where a later one should.
    Repeated,
    /// A segment is missing.
    MissingSegment,
    /// A segment does not continue the one before it.
    WrongPrevious,
    /// The last line is not complete: a killed writer, or a cut.
    Torn,
    /// A record stands behind the one that closed the log.
    BehindClose,
    /// Another log says that this record existed.
    BrokenLink,
    /// The log ends before a record that was signed.
    Cut,
    /// A valid chain, and not the one that was signed: somebody computed its hashes anew.
    Rewritten,
    /// A checkpoint was changed, or nobody signed it.
    ForgedCheckpoint,
    /// A checkpoint that must have been there is not.
    MissingCheckpoint,
    /// No trusted audit key vouches for who signed.
    UnknownKey,
    /// Two signed checkpoints contradict each other.
    Fork,
    /// Keys are trusted, and no checkpoint covers the log.
    Unsigned,
}
