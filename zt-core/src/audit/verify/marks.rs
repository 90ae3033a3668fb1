//! The checkpoints of one log, and whether its records are those that were signed.
//!
//! In: the notes of the folder and those that were kept elsewhere, then the log, record by record. Out: findings, and how
//! many records are under a checkpoint that nothing speaks against. Memory is bounded for whatever the folder holds: each note
//! is verified, of too many old ones every second is not compared, because a later one covers the same records, and of the keys
//! that signed the first few are told apart.

use std::collections::{HashMap, VecDeque};
use std::path::Path;

use super::super::chain::{Hash, ZERO};
use super::super::checkpoint::{Checkpoint, TreeHead};
use super::super::folder::checkpoints_name;
use super::super::signature::PublicKey;
use super::super::tree::Tree;
use super::super::{AuditError, Finding, FindingKind};
use super::notes::{Place, Read, each};
use super::{VerifyOptions, open};

/// How many notes of the folder are compared with a log; four times what a writer leaves.
const MOST: usize = 4096;
/// How many keys that signed one log are told apart; there should be one.
const MOST_SIGNERS: usize = 16;
/// How many notes of one log that are not good are told one by one.
const MOST_FINDINGS: usize = 100;

/// What is signed about one log.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// Not yet reached, smallest first.
    due: VecDeque<Mark>,
    signers: Signers,
    /// How many records are under the newest that was reached and holds.
    pub(super) signed: u64,
    /// And under the newest of those that was kept elsewhere.
    pub(super) kept: u64,
    pub(super) findings: Vec<Finding>,
    pub(super) notes: Vec<String>,
    /// Findings that were not told.
    more: u64,
    /// Whether the last note is not complete.
    torn: Option<Place>,
    has_file: bool,
}

/// A signed head.
#[derive(Debug)]
struct Mark {
    place: Place,
    head: TreeHead,
    /// Whether it was kept elsewhere.
    is_kept: bool,
    /// Who signed it.
    signer: usize,
}

/// The process keys that signed, in the order of their first notes; the last of too many stands for the rest, a stranger.
#[derive(Debug, Default)]
struct Signers {
    all: Vec<Signer>,
    by_key: HashMap<PublicKey, usize>,
}

#[derive(Debug)]
struct Signer {
    /// Its first note.
    place: Place,
    /// Whether one of the trusted keys vouches for it, in any of its notes. Without trusted keys nobody is asked.
    is_vouched_for: bool,
}

impl Signers {
    /// Who signed this note.
    fn of(&mut self, place: &Place, note: &Checkpoint, trusted: &[PublicKey]) -> usize {
        let next = self.all.len().min(MOST_SIGNERS);
        let at = match self.by_key.get(&note.key) {
            Some(at) => *at,
            None if next < MOST_SIGNERS => *self.by_key.entry(note.key.clone()).or_insert(next),
            None => MOST_SIGNERS,
        };
        if at == self.all.len() {
            self.all.push(Signer {
                place: place.clone(),
                is_vouched_for: trusted.is_empty(),
            });
        }
        // Asked until one does.
        let signer = self.all.get_mut(at).filter(|_| at < MOST_SIGNERS);
        if let Some(signer) = signer.filter(|signer| !signer.is_vouched_for) {
            signer.is_vouched_for = trusted.iter().any(|audit| note.is_endorsed_by(audit));
        }
        at
    }

    /// What a stranger signed is compared with the log, and vouches for nothing.
    fn is_strange(&self, at: usize) -> bool {
        !self.all.get(at).is_some_and(|signer| signer.is_vouched_for)
    }
}

/// The note before, in a file.
#[derive(Debug)]
struct Before {
    hash: Hash,
    head: TreeHead,
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
        let mut all: Vec<Mark> = Vec::new();
        if has_file {
            let file = checkpoints_name(writer);
            let path = folder.join(&file);
            let mut before = Some(Before::none());
            let visit = |place, read| {
                let good = marks.chain(writer, &place, read, &mut before);
                all.extend(good.map(|note| marks.mark(place, *note, false, &options.trusted)));
                thin(&mut all);
            };
            each(&mut open(&path)?, &file, visit).map_err(|error| {
                AuditError::unavailable("read the audit checkpoints", &path, error)
            })?;
        }
        let of_log = |(_, kept): &&(Place, Checkpoint)| kept.writer == writer;
        for (place, kept) in options.kept.iter().filter(of_log) {
            if kept.is_signed() {
                all.push(marks.mark(place.clone(), kept.clone(), true, &options.trusted));
            } else {
                let message = "the signature does not fit";
                marks.find_one(place, FindingKind::ForgedCheckpoint, message);
            }
        }
        marks.keys();
        all.sort_by_key(|mark| mark.head.size);
        marks.forks(&all);
        marks.due = all.into();
        Ok(marks)
    }

    fn mark(
        &mut self,
        place: Place,
        note: Checkpoint,
        is_kept: bool,
        trusted: &[PublicKey],
    ) -> Mark {
        let signer = self.signers.of(&place, &note, trusted);
        Mark {
            place,
            head: note.head,
            is_kept,
            signer,
        }
    }

    /// Keeps a note of the folder that is signed, and finds what is wrong with it and the one before.
    fn chain(
        &mut self,
        writer: &str,
        place: &Place,
        read: Read,
        before: &mut Option<Before>,
    ) -> Option<Box<Checkpoint>> {
        let note = match read {
            Read::Note(note) => note,
            Read::Malformed => {
                let message = "the text is not a checkpoint as it was written";
                self.find_one(place, FindingKind::ForgedCheckpoint, message);
                *before = None;
                return None;
            }
            Read::Torn => {
                self.torn = Some(place.clone());
                return None;
            }
        };
        if note.writer != writer || !note.is_signed() {
            let message = if note.writer == writer {
                "the signature of the checkpoint does not fit"
            } else {
                "the checkpoint is that of another log"
            };
            self.find_one(place, FindingKind::ForgedCheckpoint, message);
            *before = None;
            return None;
        }
        let next = Before {
            hash: note.hash(),
            head: note.head.clone(),
        };
        // One change is one finding: what follows a note that is not good has nobody before it.
        if let Some(before) = before.replace(next) {
            if before.hash != note.previous {
                let message = "one or more checkpoints before this one are missing";
                self.find_one(place, FindingKind::MissingCheckpoint, message);
            } else if before.head.size > note.head.size {
                let message = "the checkpoint is of fewer records than the one before";
                self.find_one(place, FindingKind::Fork, message);
            } else if contradict(&before.head, &note.head) {
                self.find_one(place, FindingKind::Fork, CONTRADICT);
            }
        }
        Some(note)
    }

    /// One key signs a log, and an audit key that is trusted vouches for it in one of the notes.
    fn keys(&mut self) {
        let second = self.signers.all.get(1);
        if let Some(place) = second.map(|signer| signer.place.clone()) {
            let message = "the checkpoint is signed by another key than the first of the log";
            self.find(&place, FindingKind::Fork, message);
        }
        let mut signers = self.signers.all.iter();
        let stranger = signers.find(|signer| !signer.is_vouched_for);
        if let Some(place) = stranger.map(|signer| signer.place.clone()) {
            let message = "no trusted audit key vouches for the key that signed the checkpoint";
            self.find(&place, FindingKind::UnknownKey, message);
        }
    }

    fn forks(&mut self, sorted: &[Mark]) {
        let fork = sorted.windows(2).find_map(|pair| match pair {
            // Of those of the folder one was found already.
            [a, b] if (a.is_kept || b.is_kept) && contradict(&a.head, &b.head) => Some(&b.place),
            _ => None,
        });
        if let Some(place) = fork {
            self.find(place, FindingKind::Fork, CONTRADICT);
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
            signer,
        }) = self.due_within(tree.size())
        {
            if head.root == tree.root() && head.head == *chain {
                if !self.signers.is_strange(signer) {
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
        if self.more > 0 {
            self.notes.push(format!(
                "and {} more findings about the checkpoints of this log",
                self.more
            ));
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

    /// Finds one of what there may be any number of: those must not hide what is found once.
    fn find_one(&mut self, place: &Place, what: FindingKind, message: &str) {
        if self.findings.len() < MOST_FINDINGS {
            self.find(place, what, message);
        } else {
            self.more += 1;
        }
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

impl Before {
    /// Before the first note.
    const fn none() -> Self {
        Self {
            hash: ZERO,
            head: TreeHead {
                size: 0,
                root: ZERO,
                head: ZERO,
                at: String::new(),
            },
        }
    }
}

const CONTRADICT: &str = "two signed checkpoints of as many records contradict each other";

/// Whether two heads are of as many records, and not of the same. Nobody signs an empty log.
fn contradict(one: &TreeHead, other: &TreeHead) -> bool {
    let is_same = one.root == other.root && one.head == other.head;
    one.size == other.size && one.size > 0 && !is_same
}

/// Leaves out every second of too many; a later one, and the last of all stays, covers the same records.
fn thin(marks: &mut Vec<Mark>) {
    if marks.len() < MOST {
        return;
    }
    let half = marks.len() / 2;
    let mut at = 0;
    marks.retain(|_| {
        at += 1;
        at > half || at % 2 == 1
    });
}
