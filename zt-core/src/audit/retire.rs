//! Removes old segments by rule, in a way that an auditor can follow.
//!
//! In: the folder, before a new log is opened in it, and an age. Out: records `audit.retired` for the new log, each with where
//! the removed part ended: number, hash and tree, from which the rest verifies on. Files go once those records are under a
//! checkpoint that the audit key vouches for: what goes earlier could never be told from tampering. Never removed: what is younger, what no checkpoint covers, what a sink lacks, what does not verify, the end of a log
//! that was not closed, and anything of the newest log.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::cursor::{Cursor, SINKS};
use super::folder::{Folder, segment_name};
use super::record::to_fields;
use super::recover::End;
use super::scan::Header;
use super::verify::claims::{Claims, Retirement};
use super::verify::{Known, know, open};
use super::{AuditError, Kind, Outcome, Record};
use crate::clock::Timestamp;
use crate::durable::sync_folder;

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
    /// Sinks that this configuration does not name, and that lack what could go otherwise.
    waits_for: BTreeSet<String>,
}

/// What the folder says, and what of it was verified.
struct Look<'a> {
    folder: &'a Path,
    found: &'a Folder,
    claims: &'a Claims,
    known: BTreeMap<String, Known>,
}

impl Look<'_> {
    fn know(&mut self, writer: &str) -> Result<&Known, AuditError> {
        if !self.known.contains_key(writer) {
            let known = know(self.folder, self.found, self.claims, writer)?;
            self.known.insert(writer.to_owned(), known);
        }
        Ok(self.known.entry(writer.to_owned()).or_default())
    }

    /// Whether a verified record of another log, under a checkpoint, says that this part was removed.
    fn is_vouched_for(&mut self, said: &Retirement) -> Result<bool, AuditError> {
        for (by, seq) in &said.by {
            let known = self.know(by)?;
            if *by != said.retired.writer && known.removals.contains(seq) && known.signed >= *seq {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Plan {
    /// What is older than `age` and may go; what one of the sinks lacks, whose folders of cursors these are, may not, nor what
    /// a sink of another configuration lacks.
    pub(super) fn make(
        folder: &Path,
        now: Timestamp,
        age: Duration,
        sinks: &[PathBuf],
    ) -> Result<Self, AuditError> {
        let found = Folder::read(folder)?;
        let claims = Claims::read(folder, &found)?;
        let others = other_sinks(folder, sinks)?;
        let mut look = Look {
            folder,
            found: &found,
            claims: &claims,
            known: BTreeMap::new(),
        };
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        let limit = Timestamp::from_millis(now.as_millis().saturating_sub(age));
        let mut plan = Self::default();
        let newest = found.writers.keys().next_back();
        for (writer, numbers) in &found.writers {
            let left = plan.leftovers(&mut look, writer, numbers)?;
            if Some(writer) == newest || !has_old(folder, writer, left, limit) {
                continue;
            }
            let known = look.know(writer)?;
            let shipped = Cursor::acknowledged_by_all(sinks, writer);
            let is_over = |end: &&Retired| {
                let is_last = numbers.last() == Some(&end.segment);
                let is_old = super::entry::timestamp(&end.last).is_some_and(|at| at < limit);
                let may_go = end.seq <= known.signed.min(shipped);
                is_old && may_go && (!is_last || end.is_closed)
            };
            let Some(end) = known.ends.iter().take_while(is_over).last() else {
                continue;
            };
            let lacking = others
                .iter()
                .filter(|sink| Cursor::acknowledged_by(sink, writer) < end.seq);
            let before = plan.waits_for.len();
            plan.waits_for
                .extend(lacking.filter_map(|sink| name_of(sink)));
            if plan.waits_for.len() == before {
                plan.retire(folder, numbers, end, known, &claims);
            }
        }
        Ok(plan)
    }

    /// What an interrupted removal left goes, if what said so holds; the others of the log.
    fn leftovers<'a>(
        &mut self,
        look: &mut Look<'_>,
        writer: &str,
        numbers: &'a [u32],
    ) -> Result<&'a [u32], AuditError> {
        let Some(said) = look.claims.retired.get(writer) else {
            return Ok(numbers);
        };
        let (gone, left) =
            numbers.split_at(numbers.partition_point(|n| *n <= said.retired.segment));
        if gone.is_empty() || !look.is_vouched_for(said)? {
            // It is planned anew, as if nobody had said it.
            return Ok(numbers);
        }
        let files = gone.iter().map(|number| segment_name(writer, *number));
        self.files.extend(files.map(|file| look.folder.join(file)));
        Ok(left)
    }

    fn retire(
        &mut self,
        folder: &Path,
        numbers: &[u32],
        end: &Retired,
        known: &Known,
        claims: &Claims,
    ) {
        for number in numbers.iter().filter(|number| **number <= end.segment) {
            let file = folder.join(segment_name(&end.writer, *number));
            if !self.files.contains(&file) {
                self.files.push(file);
            }
        }
        // What the removed records say about removals before them is said again; what was not verified is not.
        let is_going = |(by, seq): &(String, u64)| {
            *by == end.writer && *seq <= end.seq && known.removals.contains(seq)
        };
        let said = claims.retired.values();
        let said = said.filter(|said| said.by.iter().any(is_going));
        self.records.extend(said.map(|said| said.retired.clone()));
        self.records.push(end.clone());
    }

    /// What an operator must know: retention waits for a sink that nobody delivers to.
    pub(super) fn blocked(&self) -> Option<String> {
        let names: Vec<&str> = self.waits_for.iter().map(String::as_str).collect();
        (!names.is_empty()).then(|| {
            format!(
                "retention waits for sinks that lack records and are not configured here: {}; \
                 of one that is gone for good, remove its folder under `{SINKS}`",
                names.join(", ")
            )
        })
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

/// The folders of cursors that other configurations made.
fn other_sinks(folder: &Path, own: &[PathBuf]) -> Result<Vec<PathBuf>, AuditError> {
    let place = folder.join(SINKS);
    let failed = |error| AuditError::unavailable("read the cursors of the sinks", &place, error);
    let entries = match fs::read_dir(&place) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut others = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() && !own.contains(&path) {
            others.push(path);
        }
    }
    Ok(others)
}

fn name_of(sink: &Path) -> Option<String> {
    let name = sink.file_name()?.to_string_lossy();
    Some(format!("`{}`", crate::text::shown(&name)))
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
