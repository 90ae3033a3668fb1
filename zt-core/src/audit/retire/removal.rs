//! What goes, file by file, oldest first.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::super::AuditError;
use super::super::cursor::{Cursor, SINKS};
use super::super::disk::Disk;
use super::super::folder::segment_name;
use crate::durable::sync_folder;

/// The first segments of one log.
#[derive(Debug)]
pub(super) struct Part {
    writer: String,
    /// Their last record.
    seq: u64,
    numbers: Vec<u32>,
}

/// What goes of all logs.
#[derive(Debug, Default)]
pub(super) struct Removal {
    parts: Vec<Part>,
    /// The folders of the cursors of this configuration's sinks.
    sinks: Vec<PathBuf>,
}

impl Removal {
    pub(super) fn new(sinks: &[PathBuf]) -> Self {
        Self {
            parts: Vec::new(),
            sinks: sinks.to_vec(),
        }
    }

    pub(super) fn add(&mut self, writer: &str, seq: u64, numbers: &[u32]) {
        self.parts.push(Part {
            writer: writer.to_owned(),
            seq,
            numbers: numbers.to_vec(),
        });
    }

    /// Removes the files until `is_over`; what another process has removed is gone. Before each the cursors are asked again: a
    /// sink may have come since. Where one lacks what would go, or a file cannot be removed, the rest of that log stays.
    pub(super) fn run(
        &self,
        folder: &Path,
        disk: &dyn Disk,
        is_over: &dyn Fn() -> bool,
    ) -> Result<(), String> {
        let (mut waits_for, mut failed) = (BTreeSet::new(), Vec::new());
        let mut staying: BTreeSet<&str> = BTreeSet::new();
        let mut has_removed = false;
        for (part, number) in self.files() {
            if is_over() {
                break;
            }
            let name = segment_name(&part.writer, number);
            if staying.contains(part.writer.as_str()) {
                continue;
            }
            let done = self.lacking(folder, part).and_then(|lacking| {
                waits_for.extend(lacking.iter().filter_map(|sink| name_of(sink)));
                if lacking.is_empty() {
                    has_removed = true;
                    let path = folder.join(&name);
                    return disk.remove(&path).map(|()| true).map_err(|error| {
                        AuditError::unavailable("remove the retired audit segment", &path, error)
                    });
                }
                Ok(false)
            });
            if !done.as_ref().is_ok_and(|is_gone| *is_gone) {
                staying.insert(&part.writer);
            }
            failed.extend(done.err().map(|error| error.to_string()));
        }
        if has_removed && let Err(error) = sync_folder(folder) {
            let error = AuditError::unavailable("remove retired audit segments in", folder, error);
            failed.push(error.to_string());
        }
        failed.extend(waiting(&waits_for));
        if failed.is_empty() {
            Ok(())
        } else {
            Err(failed.join("; "))
        }
    }

    fn files(&self) -> impl Iterator<Item = (&Part, u32)> {
        let of = |part| -> Vec<(&Part, u32)> {
            let part: &Part = part;
            part.numbers.iter().map(|number| (part, *number)).collect()
        };
        self.parts.iter().flat_map(of)
    }

    /// The sinks that lack records of a part.
    fn lacking(&self, folder: &Path, part: &Part) -> Result<Vec<PathBuf>, AuditError> {
        let mut sinks = other_sinks(folder, &self.sinks)?;
        sinks.extend_from_slice(&self.sinks);
        sinks.retain(|sink| Cursor::acknowledged_by(sink, &part.writer) < part.seq);
        Ok(sinks)
    }
}

/// The folders of cursors that other configurations made.
pub(super) fn other_sinks(folder: &Path, own: &[PathBuf]) -> Result<Vec<PathBuf>, AuditError> {
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

pub(super) fn name_of(sink: &Path) -> Option<String> {
    let name = sink.file_name()?.to_string_lossy();
    Some(format!("`{}`", crate::text::shown(&name)))
}

/// What an operator is told of sinks that retention waits for.
pub(super) fn waiting(sinks: &BTreeSet<String>) -> Option<String> {
    let names: Vec<&str> = sinks.iter().map(String::as_str).collect();
    (!names.is_empty()).then(|| {
        format!(
            "retention waits for sinks that lack records and are not configured here: {}; \
             of one that is gone for good, remove its folder under `{SINKS}`",
            names.join(", ")
        )
    })
}
