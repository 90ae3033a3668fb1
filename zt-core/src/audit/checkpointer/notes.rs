//! The notes of a living log in their file: each names the one before it, and the older they are, the fewer are left.
//!
//! In: tree heads. Out: a file that is one chain of signed notes at every moment, also after a crash; it grows no longer once it
//! is full. Thinning signs what is left anew, each behind the one that is now before it: nobody else can, because the log's key
//! is in this process alone, and whoever takes notes away leaves a gap. A file that is not what was written is not thinned, or
//! the log itself would close that gap. Records are compared with what is left, so nothing that a note ever covered is uncovered:
//! the newest one stays.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};

use super::super::AuditError;
use super::super::chain::{Hash, ZERO, sha256};
use super::super::checkpoint::{Checkpoint, Endorsement, TreeHead};
use super::super::disk::{Disk, SegmentFile};
use super::super::folder::checkpoints_name;
use super::super::signature::ProcessKey;

/// So many notes fill a file, about 800 KB; half of them stay as they are.
pub(in super::super) const MOST: usize = 1024;

/// The file of one log.
pub(in super::super) struct Notes {
    key: ProcessKey,
    writer: String,
    path: PathBuf,
    disk: Arc<dyn Disk>,
    most: usize,
    /// What a thinned file would hold, oldest first; at most `most`.
    heads: Vec<TreeHead>,
    file: Option<Box<dyn SegmentFile>>,
    /// What of the file is on the disk; nothing while there is none.
    left: Left,
    /// What the file is instead if a rename that failed was done: then the next note comes with all others.
    unsure: Vec<Left>,
    /// Whether a part of a note may follow that could not be written.
    is_torn: bool,
    previous: Hash,
    /// Why the file could not be thinned.
    unthinned: Option<String>,
    /// That somebody else changed the file; for ever.
    changed: Option<String>,
}

impl Notes {
    /// None yet, of at most `most`.
    pub(in super::super) fn new(
        key: ProcessKey,
        writer: String,
        path: PathBuf,
        disk: Arc<dyn Disk>,
        most: usize,
    ) -> Self {
        Self {
            key,
            writer,
            path,
            disk,
            most,
            heads: Vec::new(),
            file: None,
            left: Left::of(""),
            unsure: Vec::new(),
            is_torn: false,
            previous: ZERO,
            unthinned: None,
            changed: None,
        }
    }

    /// Signs and keeps one more; on an error it may or may not be there, and the next one says as much.
    pub(in super::super) fn add(
        &mut self,
        head: TreeHead,
        endorsement: Option<&Endorsement>,
    ) -> Result<(), String> {
        let is_full = self.heads.len() >= self.most;
        if is_full {
            // Also if the file cannot be thinned now: then it is tried again when as many notes have come.
            self.heads = thinned(std::mem::take(&mut self.heads), self.most / 2);
        }
        if (is_full || !self.unsure.is_empty()) && self.changed.is_none() {
            match self.write_anew(&head, endorsement) {
                Ok(true) => {
                    self.unthinned = None;
                    self.heads.push(head);
                    return Ok(());
                }
                Ok(false) => {}
                Err(error) if !self.unsure.is_empty() => return Err(error),
                // Without room for a second file the first one goes on as it is.
                Err(error) => self.unthinned = Some(error),
            }
        }
        let note = self.sign(&head, self.previous, endorsement)?;
        let text = note.note();
        self.look();
        if let Err(error) = self.append(text.as_bytes()) {
            // What is behind the synced part may or may not be there: the next note starts where it ends.
            self.file = None;
            self.is_torn = true;
            return Err(self.failed(error));
        }
        self.is_torn = false;
        self.left.add(&text);
        self.previous = note.hash();
        self.heads.push(head);
        Ok(())
    }

    /// What is wrong with the file although the newest note is in it.
    pub(in super::super) fn trouble(&self) -> Option<String> {
        let all = [&self.changed, &self.unthinned];
        let all: Vec<&str> = all.into_iter().flatten().map(String::as_str).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    fn sign(
        &self,
        head: &TreeHead,
        previous: Hash,
        endorsement: Option<&Endorsement>,
    ) -> Result<Checkpoint, String> {
        let endorsement = endorsement.cloned();
        Checkpoint::sign(&self.writer, head.clone(), previous, &self.key, endorsement)
            .map_err(|error| error.to_string())
    }

    /// What is left of all notes, and this one, in a new file that takes the place of the old one; `false` if that is not what
    /// was written, and stays.
    fn write_anew(
        &mut self,
        head: &TreeHead,
        endorsement: Option<&Endorsement>,
    ) -> Result<bool, String> {
        let unpublished = self.path.with_extension("checkpoints.new");
        let mut file = self
            .disk
            .create(&unpublished)
            .map_err(|error| self.failed(error))?;
        let (mut text, mut previous) = (String::new(), ZERO);
        for head in self.heads.iter().chain([head]) {
            let note = self.sign(head, previous, endorsement)?;
            text.push_str(&note.note());
            previous = note.hash();
        }
        file.write(text.as_bytes())
            .and_then(|()| file.sync())
            .map_err(|error| self.failed(error))?;
        if !self.is_as_left().map_err(|error| self.failed(error))? {
            // Without it the next log that opens removes it.
            drop(fs::remove_file(&unpublished));
            self.change(
                self.disk
                    .length(&self.path)
                    .map_err(|error| self.failed(error))?,
            );
            return Ok(false);
        }
        // From here on the name may be that of either.
        self.unsure.push(Left::of(&text));
        self.disk
            .publish(&unpublished, &self.path)
            .map_err(|error| self.failed(error))?;
        self.unsure.clear();
        self.is_torn = false;
        self.file = Some(file);
        self.left = Left::of(&text);
        self.previous = previous;
        Ok(true)
    }

    fn append(&mut self, note: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none if self.left.bytes > 0 => {
                none.insert(self.disk.reopen(&self.path, self.left.bytes)?)
            }
            none => {
                let unpublished = self.path.with_extension("checkpoints.new");
                let mut file = self.disk.create(&unpublished)?;
                file.write(note)?;
                file.sync()?;
                self.disk.publish(&unpublished, &self.path)?;
                *none = Some(file);
                return Ok(());
            }
        };
        file.write(note)?;
        file.sync()
    }

    /// Notices what changes the length, so that nothing of it is written over.
    fn look(&mut self) {
        // Who cannot ask cannot write either, and says so.
        let Ok(length) = self.disk.length(&self.path) else {
            return;
        };
        if length < self.left.bytes || (length > self.left.bytes && !self.is_torn) {
            self.change(length);
        }
    }

    /// Whether the file is what this log wrote.
    fn is_as_left(&mut self) -> io::Result<bool> {
        let bytes = self.disk.read(&self.path)?;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let is_it = |left: &&Left| {
            let is_length = left.bytes == length || (self.is_torn && left.bytes < length);
            let end = usize::try_from(left.bytes).ok();
            let written = end.and_then(|end| bytes.get(..end));
            is_length && written.is_some_and(|written| left.is(written))
        };
        let found = [&self.left].into_iter().chain(&self.unsure).find(is_it);
        let Some(found) = found.cloned() else {
            return Ok(false);
        };
        self.left = found;
        self.unsure.clear();
        Ok(true)
    }

    /// The file is that of somebody else as well: it is never thinned again, and what follows is behind all that is there, so
    /// that who verifies it finds what was done to it.
    fn change(&mut self, length: u64) {
        self.file = None;
        self.unsure.clear();
        self.is_torn = false;
        self.left.bytes = length;
        let file = checkpoints_name(&self.writer);
        self.changed = Some(format!(
            "somebody else changed `{file}` while its log was written: `zt audit verify` tells what is missing or forged"
        ));
    }

    fn failed(&self, error: io::Error) -> String {
        AuditError::unavailable("write the audit checkpoints", &self.path, error).to_string()
    }
}

/// Without every second of those that are not among the `newest`; the first of all stays.
fn thinned(heads: Vec<TreeHead>, newest: usize) -> Vec<TreeHead> {
    let old = heads.len().saturating_sub(newest);
    let heads = heads.into_iter().enumerate();
    let stay = heads.filter(|(at, _)| *at >= old || at % 2 == 0);
    stay.map(|(_, head)| head).collect()
}

/// What was written into a file.
#[derive(Clone)]
struct Left {
    bytes: u64,
    sha256: Context,
}

impl Left {
    fn of(text: &str) -> Self {
        let mut left = Self {
            bytes: 0,
            sha256: Context::new(&SHA256),
        };
        left.add(text);
        left
    }

    fn add(&mut self, text: &str) {
        self.bytes += u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.sha256.update(text.as_bytes());
    }

    fn is(&self, bytes: &[u8]) -> bool {
        self.sha256.clone().finish().as_ref() == sha256(bytes)
    }
}
