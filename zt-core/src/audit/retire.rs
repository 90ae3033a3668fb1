//! Removes old segments by rule, in a way that an auditor can follow.
//!
//! In: the folder, before a new log is opened in it, and an age. Out: records `audit.retired` for the new log, each with where
//! the removed part ended: number, hash and tree, from which the rest verifies on. Files go after those records are on the
//! disk. Never removed: what is younger, what no checkpoint covers, what a sink lacks, what does not verify, the end of a log
//! that was not closed, and anything of the newest log.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::cursor::Cursor;
use super::disk::sync_folder;
use super::folder::{Folder, segment_name};
use super::record::to_fields;
use super::recover::End;
use super::scan::Header;
use super::verify::claims::Claims;
use super::verify::{ends, open};
use super::{AuditError, Kind, Outcome, Record};
use crate::clock::Timestamp;

/// What a record `audit.retired` says about the segments that it stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Retired {
    pub(super) writer: String,
    /// The last segment that is gone.
    pub(super) segment: u32,
    /// Its last record.
    pub(super) seq: u64,
    /// The chain's hash there.
    pub(super) head: String,
    /// The tree over the records up to it, as the roots of its perfect subtrees.
    pub(super) peaks: Vec<String>,
    /// When that record was written.
    pub(super) last: String,
    /// Whether it closed the log.
    pub(super) is_closed: bool,
}

/// What is going to be removed.
#[derive(Debug, Default)]
pub(super) struct Plan {
    records: Vec<Retired>,
    files: Vec<PathBuf>,
}

impl Plan {
    /// What is older than `age` and may go; what one of the sinks lacks, whose folders of cursors these are, may not.
    pub(super) fn make(
        folder: &Path,
        now: Timestamp,
        age: Duration,
        sinks: &[PathBuf],
    ) -> Result<Self, AuditError> {
        let found = Folder::read(folder)?;
        let claims = Claims::read(folder, &found)?;
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        let limit = Timestamp::from_millis(now.as_millis().saturating_sub(age));
        let mut plan = Self::default();
        // What an interrupted removal left.
        for (writer, numbers) in &found.writers {
            let gone = claims
                .retired
                .get(writer)
                .map_or(0, |gone| gone.retired.segment);
            for number in numbers.iter().filter(|number| **number <= gone) {
                plan.files.push(folder.join(segment_name(writer, *number)));
            }
        }
        let newest = found.writers.keys().next_back();
        for (writer, numbers) in &found.writers {
            if Some(writer) == newest || !has_old(folder, writer, numbers, limit) {
                continue;
            }
            let shipped = Cursor::acknowledged_by_all(sinks, writer);
            let (ends, signed) = ends(folder, &found, &claims, writer)?;
            let is_over = |end: &Retired| {
                let is_last = numbers.last() == Some(&end.segment);
                let is_old = super::entry::timestamp(&end.last).is_some_and(|at| at < limit);
                is_old && end.seq <= signed.min(shipped) && (!is_last || end.is_closed)
            };
            if let Some(end) = ends.into_iter().take_while(is_over).last() {
                plan.retire(folder, numbers, end, &claims);
            }
        }
        Ok(plan)
    }

    fn retire(&mut self, folder: &Path, numbers: &[u32], end: Retired, claims: &Claims) {
        for number in numbers.iter().filter(|number| **number <= end.segment) {
            self.files
                .push(folder.join(segment_name(&end.writer, *number)));
        }
        // What the removed records say about removals before them is said again.
        let said = claims.retired.values();
        let said = said.filter(|said| said.by.0 == end.writer && said.by.1 <= end.seq);
        self.records.extend(said.map(|said| said.retired.clone()));
        self.records.push(end);
    }

    /// The records to write before anything is removed.
    pub(super) fn records(
        &self,
        at: Timestamp,
    ) -> impl Iterator<Item = Result<String, AuditError>> {
        #[derive(Serialize)]
        struct Line<'a> {
            retired: &'a Retired,
        }
        self.records.iter().map(move |retired| {
            let resource = format!("audit:{}", retired.writer);
            let record = Record::new(Kind::Admin, at, "audit.retired", resource, Outcome::Ok);
            let (record, line) = (record.fields(None)?, to_fields(&Line { retired })?);
            Ok(format!("{record},{line}"))
        })
    }

    /// Removes the files, oldest first; what another process has removed is gone.
    pub(super) fn remove(&self, folder: &Path) -> Result<(), AuditError> {
        let failed = |path: &Path, error| {
            AuditError::unavailable("remove the retired audit segment", path, error)
        };
        for file in &self.files {
            match fs::remove_file(file) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(file, error)),
            }
        }
        if self.files.is_empty() {
            return Ok(());
        }
        sync_folder(folder).map_err(|error| failed(folder, error))
    }
}

/// Whether the first segment of a log seems to be old; a look, so that nothing young is read whole.
fn has_old(folder: &Path, writer: &str, numbers: &[u32], limit: Timestamp) -> bool {
    let end = match numbers {
        [] => None,
        // The second starts after the first has ended.
        [_, second, ..] => {
            let first_line = open(&folder.join(segment_name(writer, *second)));
            first_line.ok().and_then(|mut lines| {
                let line = lines.next().ok().flatten()?;
                let header: Header = serde_json::from_slice(line.bytes).ok()?;
                super::entry::timestamp(&header.at)
            })
        }
        [only] => {
            let file = File::open(folder.join(segment_name(writer, *only))).ok();
            let end = file.and_then(|file| End::read(&file).ok());
            end.filter(|end| end.is_closed).and_then(|end| end.at)
        }
    };
    end.is_some_and(|at| at < limit)
}
