//! Reads the newest records of all logs in a folder, for people to look at. Does not verify.

use std::io::{self, BufRead};
use std::path::Path;

use super::folder::{Folder, segment_name};
use super::lines::Lines;
use super::scan::{AfterFailure, Header};
use super::verify::open_listed;
use super::{AuditError, Entry};
use crate::clock::Timestamp;

/// The newest `n` records that `filter` keeps, oldest first, ordered by time, then log, then number.
///
/// Records that start a segment are left out, and so is what a failed segment holds behind its good part; lines that
/// are no records are passed over. Reads each log from its newest
/// segment back until it has `n`; holds at most about `2 n` records per call.
///
/// # Errors
///
/// [`AuditError::Unavailable`] if the folder or a segment cannot be read.
pub fn tail(
    folder: impl AsRef<Path>,
    n: usize,
    filter: impl Fn(&Entry) -> bool,
) -> Result<Vec<Entry>, AuditError> {
    let folder = folder.as_ref();
    let mut newest = Newest::new(n);
    for (writer, numbers) in &Folder::read(folder)?.writers {
        let mut of_writer = Newest::new(n);
        let mut given_up = None;
        for number in numbers.iter().rev() {
            let file = segment_name(writer, *number);
            let failure = given_up
                .take()
                .filter(|failure: &AfterFailure| failure.file == file);
            let good_bytes = failure.map_or(u64::MAX, |failure| failure.good_bytes);
            let Some(mut lines) = open_listed(&folder.join(&file))? else {
                continue;
            };
            given_up = read(&mut lines, good_bytes, |line| {
                let Some(mut entry) = line else { return };
                writer.clone_into(&mut entry.writer);
                if filter(&entry) {
                    of_writer.add(entry);
                }
            })
            .map_err(|error| AuditError::unavailable("read the audit segment", folder, error))?;
            // Older segments hold only older records.
            if of_writer.entries.len() >= n {
                break;
            }
        }
        for entry in of_writer.finish() {
            newest.add(entry);
        }
    }
    Ok(newest.finish())
}

/// Hands every record of every log in `folder` to `visit`, each log from its newest segment back; returns how many lines
/// are no records. For what must see all of a log in bounded memory. As [`tail`], it does not verify.
///
/// # Errors
///
/// [`AuditError::Unavailable`] if the folder or a segment cannot be read.
pub fn each(folder: impl AsRef<Path>, mut visit: impl FnMut(Entry)) -> Result<u64, AuditError> {
    let folder = folder.as_ref();
    let mut unreadable = 0;
    for (writer, numbers) in &Folder::read(folder)?.writers {
        let mut given_up = None;
        for number in numbers.iter().rev() {
            let file = segment_name(writer, *number);
            let failure = given_up
                .take()
                .filter(|failure: &AfterFailure| failure.file == file);
            let good_bytes = failure.map_or(u64::MAX, |failure| failure.good_bytes);
            let Some(mut lines) = open_listed(&folder.join(&file))? else {
                continue;
            };
            let mut counted = 0;
            given_up = read(&mut lines, good_bytes, |line| match line {
                Some(mut entry) => {
                    writer.clone_into(&mut entry.writer);
                    visit(entry);
                }
                None => counted += 1,
            })
            .map_err(|error| AuditError::unavailable("read the audit segment", folder, error))?;
            unreadable += counted;
        }
    }
    Ok(unreadable)
}

/// Hands on the records of one segment up to `good_bytes`, none for a line that is no record, and returns what it says about the segment before.
fn read(
    lines: &mut Lines<impl BufRead>,
    good_bytes: u64,
    mut keep: impl FnMut(Option<Entry>),
) -> io::Result<Option<AfterFailure>> {
    let mut given_up = None;
    while let Some(line) = lines.next()? {
        if line.end > good_bytes {
            break;
        }
        if line.number == 1 {
            let header: Option<Header> = serde_json::from_slice(line.bytes).ok();
            given_up = header.and_then(|header| header.after_failure);
        }
        match serde_json::from_slice::<Entry>(line.bytes) {
            Ok(entry) if entry.kind == "segment" => {}
            line => keep(line.ok()),
        }
    }
    Ok(given_up)
}

/// Keeps the newest `most`.
struct Newest {
    most: usize,
    entries: Vec<Entry>,
}

impl Newest {
    const fn new(most: usize) -> Self {
        Self {
            most,
            entries: Vec::new(),
        }
    }

    fn add(&mut self, entry: Entry) {
        self.entries.push(entry);
        if self.entries.len() >= self.most.saturating_mul(2).saturating_add(64) {
            self.shrink();
        }
    }

    fn finish(mut self) -> Vec<Entry> {
        self.shrink();
        self.entries
    }

    fn shrink(&mut self) {
        self.entries
            .sort_by_cached_key(|entry| (at(entry), entry.writer.clone(), entry.seq));
        let surplus = self.entries.len().saturating_sub(self.most);
        self.entries.drain(..surplus);
    }
}

fn at(entry: &Entry) -> Timestamp {
    // What has no time is shown as the oldest, not left out.
    entry
        .timestamp()
        .unwrap_or(Timestamp::from_millis(i64::MIN))
}
