//! The tamper-evident log: who asked what, which rows decided, what was handed out; names only, never a value.
//!
//! In: a [`Record`] and how durable it must be. Out: a folder of hash-chained JSON Lines files that [`verify`] checks
//! offline and [`tail`] reads. No audit, no access: an append that cannot be kept is an error, and the caller refuses.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! use std::sync::Arc;
//! use std::time::Duration;
//! use zt_core::audit::{AuditLog, AuditOptions, Durability, Kind, Outcome, Record, tail, verify};
//! use zt_core::clock::{Clock, SystemClock};
//!
//! let clock = Arc::new(SystemClock::new());
//! let now = clock.now();
//! let log = AuditLog::open(AuditOptions::new(folder), clock)?;
//! let record = Record::new(Kind::Release, now, "secret.read", "secret:bureau-api-key", Outcome::Ok)
//!     .with_caller("sp:sp-score-201")
//!     .with_detail("version", "v3");
//! log.append(record, Durability::Durable)?; // on the disk now; on an error, refuse the secret
//! log.close(Duration::from_secs(5))?;
//!
//! assert!(verify(folder)?.is_intact());
//! assert_eq!(tail(folder, 10, |entry| entry.kind == "release")?.len(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Format
//!
//! A folder holds the logs of any number of writers. A writer is one [`AuditLog`], named `YYYYMMDDTHHMMSSZ-` and 16
//! random hexadecimal digits; its segments are `<writer>-<NNNNNN>.jsonl`, numbered from 1. A line is one record, a JSON
//! object of less than 1 MiB that ends in `,"hash":"<64 hexadecimal digits>"}` and a newline, where
//!
//! > hash = SHA-256(hash of the record before, 32 raw bytes || the line's bytes before its last `,"hash":"`)
//!
//! and 32 zero bytes stand before a writer's first record. `seq` starts at 1 and has no gap, across segments.
//!
//! - A segment's first record has kind `segment`: `format` (1), `writer`, `segment`, `pid`, and `previous`, the hash
//!   before it. Its own `seq` is the first of the segment.
//! - A writer's second record has kind `admin`, action `audit.open`; its `links` name the newest records (`writer`,
//!   `seq`, `head`: the hash) of up to eight other writers of the folder, newest first. A cut of a linked log below
//!   that record shows.
//! - A `segment` record with `after_failure` (`file`, `good_bytes`, `error`) says that writing or syncing the segment
//!   before failed: only its first `good_bytes` bytes belong to the chain, what follows was never acknowledged, and
//!   what had been accepted stands again in the new segment.
//! - Kind `counted` stands for `count` equal records of kind `of` between `first` and `last`.
//! - A killed writer can leave a torn last line. The next writer keeps the bytes as `<segment>.torn-<n>`, cuts them and
//!   says so in its own log: kind `admin`, action `audit.recovered`.
//!
//! An auditor needs no zt (a segment before an `after_failure` is read up to `good_bytes` only):
//!
//! ```python
//! import hashlib, json, pathlib, sys
//! good, chains, closed = {}, {}, set()
//! segments = sorted(pathlib.Path(sys.argv[1]).glob("*Z-*.jsonl"))
//! for path in segments:
//!     failure = json.loads(path.open("rb").readline()).get("after_failure")
//!     if failure:
//!         good[failure["file"]] = failure["good_bytes"]
//! for path in segments:
//!     seq, head = chains.get(path.name[:33], (0, bytes(32)))
//!     for number, line in enumerate(path.read_bytes()[: good.get(path.name)].splitlines(True), 1):
//!         body, _, end = line.rpartition(b',"hash":"')
//!         seq, head = seq + 1, hashlib.sha256(head + body).digest()
//!         if end != head.hex().encode() + b'"}\n' or json.loads(line)["seq"] != seq:
//!             sys.exit(f"{path.name}:{number}: record {seq} is not what was written")
//!         if path.name[:33] in closed:
//!             sys.exit(f"{path.name}:{number}: record {seq} stands behind the end of a closed log")
//!         record = json.loads(line)
//!         if (record["kind"], record.get("action")) == ("admin", "audit.close"):
//!             closed.add(path.name[:33])
//!     chains[path.name[:33]] = (seq, head)
//! print({writer: (seq, head.hex()) for writer, (seq, head) in chains.items()})
//! ```
//!
//! # Checkpoints
//!
//! With a [`CheckpointSigner`] a log signs where it stands into `<writer>.checkpoints`: the head of a Merkle tree over its
//! records (RFC 6962), as C2SP notes. [`verify_with`] holds the records against them, [`prove`] makes a [`Bundle`] that proves
//! one record to somebody without the log.
//!
//! # What is and is not detected
//!
//! A changed, removed, inserted or moved record, and a removed segment with one after it, are found by the chain alone; a log
//! that was cut or computed anew by its checkpoints, by the link of a later log, or by checkpoints and heads
//! ([`Verification::heads`]) that are kept elsewhere. `docs/src/audit-log.md` has the table.

mod acts;
mod chain;
mod checkpoint;
mod checkpointer;
mod counted;
mod cursor;
mod disk;
mod entry;
mod error;
mod export;
mod filter;
mod folder;
mod follow;
mod json;
mod lines;
mod live;
mod log;
mod options;
mod proof;
mod pseudonym;
mod queue;
mod read;
mod record;
mod recover;
mod retire;
#[cfg(any(test, feature = "testing"))]
mod sample;
mod scan;
mod sha256;
mod ship;
mod signature;
mod sink;
mod status;
mod tail;
mod tally;
#[cfg(test)]
mod tests;
mod tree;
mod verification;
mod verify;
mod worker;
mod writer;

pub(crate) use acts::{Act, Acts, Bounds, COLUMNS, MALFORMED};
pub use acts::{Statement, Task};
pub use entry::{Entry, Fact, SnapshotRef};
pub use error::AuditError;
pub use export::{ExportFormat, export};
pub use filter::{FactFilter, Filter};
pub use log::{AuditLog, Durability, Health};
pub use options::AuditOptions;
pub use proof::{Bundle, Newer, NotProven, prove};
pub(crate) use pseudonym::KEY_BYTES;
pub use pseudonym::Pseudonyms;
pub use read::each_forward;
pub use record::{Kind, Outcome, Record};
#[cfg(any(test, feature = "testing"))]
pub(crate) use sample::sample_log;
#[cfg(test)]
pub(crate) use sample::sample_segments;
pub use ship::SinkHealth;
pub use signature::{CheckpointSigner, PublicKey, SignError};
pub use sink::{AuditSink, BatchLimit, Receipt, SinkBatch, SinkError, SinkRecord};
pub use tail::{each, tail};
pub use tally::Tally;
pub use verification::{Finding, FindingKind, Head, Recovery, Verification};
pub use verify::{VerifyOptions, verify, verify_with};
