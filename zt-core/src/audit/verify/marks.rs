//! The checkpoints of one log, and whether its records are those that were signed.
//!
//! In: the notes of the folder and those that were kept elsewhere, then the log, record by record. Out: findings, and how
//! many records are under a checkpoint that nothing speaks against.

use std::collections::VecDeque;
use std::path::Path;

use super::super::chain::Hash;
use super::super::checkpoint::{Checkpoint, TreeHead};
use super::super::folder::checkpoints_name;
use super::super::signature::PublicKey;
use super::super::tree::Tree;
use super::super::{AuditError, Finding, FindingKind};
use super::notes::{Place, Read, read};
use super::{VerifyOptions, open};

/// What is signed about one log.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// Not yet reached, smallest first.
    due: VecDeque<Mark>,
    /// How many records are under the newest that was reached and holds.
    pub(super) signed: u64,
    /// And under the newest of those that was kept elsewhere.
    pub(super) kept: u64,
    pub(super) findings: Vec<Finding>,
    pub(super) notes: Vec<String>,
    /// Whether the last note is not complete.
    torn: Option<Place>,
    has_file: bool,
}

/// Whether one of the trusted keys vouches for this process key, in any of its notes. Without trusted keys nobody is asked.
fn is_vouched_for(notes: &[(Place, Checkpoint)], key: &PublicKey, trusted: &[PublicKey]) -> bool {
    let mut of_key = notes.iter().filter(|(_, note)| note.key == *key);
    trusted.is_empty()
        || of_key.any(|(_, note)| trusted.iter().any(|audit| note.is_endorsed_by(audit)))
}

/// A signed head.
#[derive(Debug)]
struct Mark {
    place: Place,
    head: TreeHead,
    /// Whether it was kept elsewhere.
    is_kept: bool,
    /// Whether keys are trusted and none of them vouches for who signed it.
    is_strange: bool,
}

impl Marks {
    /// Reads and verifies the notes about `writer`.
    pub(super) fn read(
        folder: &Path,
        writer: &str,
        has_file: bool,
        options: &VerifyOptions,
    ) -> Result<Self, AuditError> {
        let mut marks = Self {
            has_file,
            ..Self::default()
        };
        let mut good: Vec<(Place, Checkpoint)> = Vec::new();
        if has_file {
            let file = checkpoints_name(writer);
            let path = folder.join(&file);
            let notes = read(&mut open(&path)?, &file).map_err(|error| {
                AuditError::unavailable("read the audit checkpoints", &path, error)
            })?;
            marks.chain(writer, notes, &mut good);
        }
        let of_folder = good.len();
        for (place, kept) in options
            .kept
            .iter()
            .filter(|(_, kept)| kept.writer == writer)
        {
            if kept.is_signed() {
                good.push((place.clone(), kept.clone()));
            } else {
                marks.find(
                    place,
                    FindingKind::ForgedCheckpoint,
                    "the signature does not fit",
                );
            }
        }
        marks.keys(&good, &options.trusted);
        let mark = |(at, (place, checkpoint)): (usize, (Place, Checkpoint))| Mark {
            place,
            head: checkpoint.head,
            is_kept: at >= of_folder,
            is_strange: false,
        };
        let strangers: Vec<bool> = (good.iter())
            .map(|(_, note)| !is_vouched_for(&good, &note.key, &options.trusted))
            .collect();
        // What a stranger signed is compared with the log, and vouches for nothing.
        let mut due: Vec<Mark> = good.into_iter().enumerate().map(mark).collect();
        for (mark, is_strange) in due.iter_mut().zip(strangers) {
            mark.is_strange = is_strange;
        }
        due.sort_by_key(|mark| mark.head.size);
        marks.forks(&due);
        marks.due = due.into();
        Ok(marks)
    }

    /// Keeps the notes that are signed, and finds what is wrong with the others and between them.
    fn chain(
        &mut self,
        writer: &str,
        notes: Vec<(Place, Read)>,
        good: &mut Vec<(Place, Checkpoint)>,
    ) {
        let mut before: Option<(Hash, u64)> = Some(([0; 32], 0));
        for (place, note) in notes {
            let checkpoint = match note {
                Read::Note(checkpoint) => *checkpoint,
                Read::Malformed => {
                    let message = "the text is not a checkpoint as it was written";
                    self.find(&place, FindingKind::ForgedCheckpoint, message);
                    before = None;
                    continue;
                }
                Read::Torn => {
                    self.torn = Some(place);
                    continue;
                }
            };
            let next = (checkpoint.hash(), checkpoint.head.size);
            if checkpoint.writer != writer || !checkpoint.is_signed() {
                let message = if checkpoint.writer == writer {
                    "the signature of the checkpoint does not fit"
                } else {
                    "the checkpoint is that of another log"
                };
                self.find(&place, FindingKind::ForgedCheckpoint, message);
                before = None;
                continue;
            }
            match before.replace(next) {
                // One change is one finding: what follows a note that is not good has nobody before it.
                None => {}
                Some((hash, _)) if hash != checkpoint.previous => {
                    let message = "one or more checkpoints before this one are missing";
                    self.find(&place, FindingKind::MissingCheckpoint, message);
                }
                Some((_, size)) if size > checkpoint.head.size => {
                    let message = "the checkpoint is of fewer records than the one before";
                    self.find(&place, FindingKind::Fork, message);
                }
                Some(_) => {}
            }
            good.push((place, checkpoint));
        }
    }

    /// One key signs a log, and an audit key that is trusted vouches for it in one of the notes.
    fn keys(&mut self, good: &[(Place, Checkpoint)], trusted: &[PublicKey]) {
        let Some((_, first)) = good.first() else {
            return;
        };
        if let Some((place, _)) = good.iter().find(|(_, note)| note.key != first.key) {
            let message = "the checkpoint is signed by another key than the first of the log";
            self.find(place, FindingKind::Fork, message);
        }
        let stranger = good
            .iter()
            .find(|(_, note)| !is_vouched_for(good, &note.key, trusted));
        if let Some((place, _)) = stranger {
            let message = "no trusted audit key vouches for the key that signed the checkpoint";
            self.find(place, FindingKind::UnknownKey, message);
        }
    }

    fn forks(&mut self, sorted: &[Mark]) {
        let fork = sorted.windows(2).find_map(|pair| match pair {
            [a, b] if a.head.size == b.head.size => {
                (a.head.root != b.head.root || a.head.head != b.head.head).then_some(&b.place)
            }
            _ => None,
        });
        if let Some(place) = fork {
            let message = "two signed checkpoints of as many records contradict each other";
            self.find(place, FindingKind::Fork, message);
        }
    }

    /// Whether any checkpoint lies ahead: else nobody needs the tree.
    pub(super) fn is_open(&self) -> bool {
        !self.due.is_empty()
    }

    /// Passes over the checkpoints of records that were removed by rule; whether one of them was kept elsewhere.
    pub(super) fn skip_before(&mut self, size: u64) -> bool {
        let mut misses_kept = false;
        while let Some(mark) = self.due_within(size.saturating_sub(1)) {
            misses_kept |= mark.is_kept;
        }
        self.signed = size;
        misses_kept
    }

    /// The next checkpoint, if it is of at most so many records.
    fn due_within(&mut self, size: u64) -> Option<Mark> {
        let is_due = self.due.front().is_some_and(|mark| mark.head.size <= size);
        is_due.then(|| self.due.pop_front()).flatten()
    }

    /// Compares with the log at this record.
    pub(super) fn reach(&mut self, tree: &Tree, chain: &Hash) {
        while let Some(Mark {
            place,
            head,
            is_kept,
            is_strange,
        }) = self.due_within(tree.size())
        {
            if head.root == tree.root() && head.head == *chain {
                if !is_strange {
                    self.signed = head.size;
                }
                if is_kept {
                    self.kept = head.size;
                }
                continue;
            }
            let message = format!(
                "record {} or one before it is not what was signed, and the hashes behind it were computed anew",
                head.size
            );
            self.find(&place, FindingKind::Rewritten, &message);
            self.due.clear();
        }
    }

    /// What is left when the log ends at record `seq`; `has_fault` says that it was not compared to its end.
    pub(super) fn end(&mut self, seq: u64, has_fault: bool, is_alive: bool, is_closed: bool) {
        if let Some(Mark { place, head, .. }) = self.due.pop_back() {
            if has_fault {
                self.notes.push(format!(
                    "`{}`: checkpoints of more than {} records could not be compared",
                    place.file, self.signed
                ));
            } else {
                let message = format!(
                    "the log was cut: it ends at record {seq}, and record {} was signed",
                    head.size
                );
                self.find(&place, FindingKind::Cut, &message);
            }
        }
        if let Some(place) = self.torn.take() {
            if is_closed && !is_alive {
                let message = "what follows the last checkpoint of a closed log is none";
                return self.find(&place, FindingKind::ForgedCheckpoint, message);
            }
            let why = if is_alive {
                "is being written"
            } else {
                "was being written when the process ended"
            };
            let note = format!("`{}`: its last checkpoint {why}", place.file);
            self.notes.push(note);
        }
    }

    /// A log that says of itself that it is signed, has ended and is not.
    pub(super) fn missing(&mut self, writer: &str, message: &str, kind: FindingKind) {
        let place = Place {
            file: checkpoints_name(writer),
            line: 0,
            byte_offset: 0,
        };
        // Forged or broken checkpoints were named already.
        if self.findings.is_empty() {
            self.find(&place, kind, message);
        }
    }

    /// Whether there is a file of checkpoints.
    pub(super) const fn has_file(&self) -> bool {
        self.has_file
    }

    fn find(&mut self, place: &Place, what: FindingKind, message: &str) {
        self.findings.push(Finding {
            file: place.file.clone(),
            line: place.line,
            seq: None,
            byte_offset: place.byte_offset,
            what,
            message: message.to_owned(),
        });
    }
}
