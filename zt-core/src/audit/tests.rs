//! The log as a whole: what it promises, under every failure that can be simulated.

mod checkpoints;
mod closing;
mod damage;
mod exhaustive;
pub(super) mod faulty;
mod heartbeat;
mod kill;
mod kill_between;
mod leaps;
mod meddling;
mod recovery;
mod removal;
mod retention;
mod retiring_keys;
mod storage;
mod thinning;
mod writing;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::clock::{SystemClock, Timestamp};

pub(super) const LONG: Duration = Duration::from_secs(60);

pub(super) fn options(folder: &Path) -> AuditOptions {
    // A loaded machine may take its time; no test depends on the deadline.
    let mut options = AuditOptions::new(folder).with_deadline(LONG);
    options.key_patience = LONG;
    options
}

/// Of a log that hardly waits for its audit key.
fn impatient(folder: &Path) -> AuditOptions {
    let mut options = options(folder);
    options.key_patience = Duration::from_millis(10);
    options
}

pub(super) fn open(folder: &Path) -> AuditLog {
    AuditLog::open(options(folder), Arc::new(SystemClock::new())).unwrap()
}

pub(super) fn record(number: usize) -> Record {
    record_at(Timestamp::from_secs(1_790_000_000), number)
}

fn record_at(at: Timestamp, number: usize) -> Record {
    Record::new(
        Kind::Release,
        at,
        "secret.read",
        "secret:sql-loans-password",
        Outcome::Ok,
    )
    .with_caller("sp:sp-score-201")
    .with_detail("number", number.to_string())
}

/// A log of one writer with so many records; not closed, as if it had been killed between two records.
fn killed(folder: &Path, records: usize) -> PathBuf {
    let log = open(folder);
    for number in 0..records {
        log.append(record(number), Durability::Ordered).unwrap();
    }
    log.flush().unwrap();
    segment(folder, log.writer(), 1)
}

fn segment(folder: &Path, writer: &str, number: u32) -> PathBuf {
    folder.join(folder::segment_name(writer, number))
}

fn lines(path: &Path) -> Vec<Vec<u8>> {
    let bytes = fs::read(path).unwrap();
    bytes
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect()
}

fn rewrite(path: &Path, lines: &[Vec<u8>]) {
    fs::write(path, lines.concat()).unwrap();
}

fn kinds(verification: &Verification) -> Vec<(FindingKind, u64)> {
    let findings = verification.findings.iter();
    findings.map(|found| (found.what, found.line)).collect()
}

/// The numbers of the test's own records in the folder, oldest first.
pub(super) fn numbers(folder: &Path) -> Vec<usize> {
    let entries = tail(folder, usize::MAX, |entry| entry.action == "secret.read").unwrap();
    let number = |entry: &Entry| entry.detail["number"].parse().unwrap();
    entries.iter().map(number).collect()
}
