//! The notes of a living log in their file: each names the one before it, and the older they are, the fewer are left.
//!
//! In: tree heads. Out: a file that is one chain of signed notes at every moment, also after a crash; it grows no longer once it
//! is full. Thinning signs what is left anew, each behind the one that is now before it: nobody else can, because the log's key
//! is in this process alone, and whoever takes notes away leaves a gap. Records are compared with what is left, so nothing that
//! a note ever covered is uncovered: the newest one stays.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::super::AuditError;
use super::super::chain::{Hash, ZERO};
use super::super::checkpoint::{Checkpoint, Endorsement, TreeHead};
use super::super::disk::{Disk, SegmentFile};
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
    /// What the file holds, oldest first.
    heads: Vec<TreeHead>,
    file: Option<Box<dyn SegmentFile>>,
    /// How much of the file is on the disk; 0 while there is none.
    bytes: u64,
    previous: Hash,
    /// Whether the name may be that of the file before or of the one behind: then the next note comes with all others.
    is_unsure: bool,
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
            bytes: 0,
            previous: ZERO,
            is_unsure: false,
        }
    }

    /// Signs and keeps one more; on an error it may or may not be there, and the next one says as much.
    pub(in super::super) fn add(
        &mut self,
        head: TreeHead,
        endorsement: Option<&Endorsement>,
    ) -> Result<(), String> {
        if self.is_unsure || self.heads.len() >= self.most {
            let written = self.write_anew(head.clone(), endorsement);
            // Without room for a second file the first one goes on as it is.
            if written.is_ok() || self.is_unsure {
                return written;
            }
        }
        let note = self.sign(&head, self.previous, endorsement)?;
        let text = note.note();
        if let Err(error) = self.append(text.as_bytes()) {
            // What is behind the synced part may or may not be there: the next note starts where it ends.
            self.file = None;
            return Err(self.failed(error));
        }
        self.bytes += length(&text);
        self.previous = note.hash();
        self.heads.push(head);
        Ok(())
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

    /// What is left of all notes, and this one, in a new file that takes the place of the old one.
    fn write_anew(
        &mut self,
        head: TreeHead,
        endorsement: Option<&Endorsement>,
    ) -> Result<(), String> {
        let mut heads = self.heads.clone();
        if heads.len() >= self.most {
            heads = thinned(heads, self.most / 2);
        }
        heads.push(head);
        let (mut text, mut previous) = (String::new(), ZERO);
        for head in &heads {
            let note = self.sign(head, previous, endorsement)?;
            text.push_str(&note.note());
            previous = note.hash();
        }
        let unpublished = self.path.with_extension("checkpoints.new");
        let written = self.disk.create(&unpublished).and_then(|mut file| {
            file.write(text.as_bytes())?;
            file.sync()?;
            Ok(file)
        });
        let file = written.map_err(|error| self.failed(error))?;
        // From here on the name may be that of either.
        self.is_unsure = true;
        self.disk
            .publish(&unpublished, &self.path)
            .map_err(|error| self.failed(error))?;
        self.is_unsure = false;
        self.file = Some(file);
        self.bytes = length(&text);
        self.previous = previous;
        self.heads = heads;
        Ok(())
    }

    fn append(&mut self, note: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none if self.bytes > 0 => none.insert(self.disk.reopen(&self.path, self.bytes)?),
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

fn length(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}
