//! Reads the newest records of all logs in a folder, for people to look at. Does not verify.

use std::path::Path;

use super::folder::{Folder, segment_name};
use super::verify::open;
use super::{AuditError, Entry};
use crate::clock::Timestamp;

/// The newest `n` records that `filter` keeps, oldest first, ordered by time, then log, then number.
///
/// Records that start a segment are left out, lines that are no records are passed over. Reads each log from its newest
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
        for number in numbers.iter().rev() {
            let path = folder.join(segment_name(writer, *number));
            read(&path, writer, &filter, &mut of_writer)?;
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

fn read(
    path: &Path,
    writer: &str,
    filter: impl Fn(&Entry) -> bool,
    newest: &mut Newest,
) -> Result<(), AuditError> {
    let mut lines = open(path)?;
    loop {
        let line = lines
            .next()
            .map_err(|error| AuditError::unavailable("read the audit segment", path, error))?;
        let Some(line) = line else { return Ok(()) };
        let Ok(mut entry) = serde_json::from_slice::<Entry>(line.bytes) else {
            continue;
        };
        writer.clone_into(&mut entry.writer);
        if entry.kind != "segment" && filter(&entry) {
            newest.add(entry);
        }
    }
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
