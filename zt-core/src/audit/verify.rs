//! Recomputes every chain and tree of a folder, offline, and names the first record of each segment that is not what was
//! written, and every checkpoint that is not what was signed.
//!
//! Streams, several logs at a time: memory grows with the number of logs, of findings and of what logs say of each
//! other, not of records and checkpoints. Never changes anything. What it cannot detect is written in the [module documentation](super).

pub(super) mod claims;
pub(super) mod known;
mod log;
mod marks;
pub(super) mod notes;
#[cfg(test)]
mod tests;
mod unsigned;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::checkpoint::Checkpoint;
use super::folder::{Folder, segment_name, unpublished_of};
use super::lines::Lines;
use super::signature::PublicKey;
use super::{AuditError, Finding, FindingKind, Verification};
use claims::{Claims, Links, Retirement};
use known::newest_endorsed;
use log::Log;
use notes::{Place, Read};

/// How many logs are read at a time.
const MOST_THREADS: usize = 8;
/// How often a folder is read whose files go meanwhile.
const TRIES: u32 = 8;
/// How long the first pause between two of them is; each is twice as long as the one before.
const PAUSE: Duration = Duration::from_millis(5);

/// What an auditor brings along.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct VerifyOptions {
    trusted: Vec<PublicKey>,
    kept: Vec<(Place, Checkpoint)>,
    is_copy: bool,
}

impl VerifyOptions {
    /// Nothing: the folder is held against itself.
    pub const fn new() -> Self {
        Self {
            trusted: Vec::new(),
            kept: Vec::new(),
            is_copy: false,
        }
    }

    /// The folder is a copy that a sink made: records alone, so that no checkpoint is missed there. Those of the log itself
    /// can be brought by [`with_checkpoints`](Self::with_checkpoints).
    pub const fn of_copy(mut self) -> Self {
        self.is_copy = true;
        self
    }

    /// Trusts an audit key. With one or more of them, every log that has ended must be signed under one of them.
    pub fn with_key(mut self, key: PublicKey) -> Self {
        self.trusted.push(key);
        self
    }

    /// Brings checkpoints that were kept elsewhere, one note after another; `name` is what findings about them name. The
    /// logs must still hold what they sign.
    ///
    /// # Errors
    /// [`AuditError::Invalid`] if the text holds anything else.
    pub fn with_checkpoints(mut self, name: &str, text: &str) -> Result<Self, AuditError> {
        let notes = notes::read(&mut Lines::new(text.as_bytes()), name);
        for (place, read) in notes.unwrap_or_default() {
            let Read::Note(checkpoint) = read else {
                let what = format!("`{name}`: line {} starts no whole checkpoint", place.line);
                return Err(AuditError::Invalid { what });
            };
            self.kept.push((place, *checkpoint));
        }
        Ok(self)
    }
}

/// Verifies every log in `folder` against itself: [`verify_with`] nothing else.
///
/// # Errors
/// As [`verify_with`].
pub fn verify(folder: impl AsRef<Path>) -> Result<Verification, AuditError> {
    verify_with(folder, &VerifyOptions::new())
}

/// Verifies every log in `folder`: its chain, its tree and its checkpoints.
///
/// Reads all of it once; a log that is being written is verified up to where it is now.
///
/// # Errors
///
/// [`AuditError::Unavailable`] if the folder or a file cannot be read. Damage is no error but a [`Finding`].
pub fn verify_with(
    folder: impl AsRef<Path>,
    options: &VerifyOptions,
) -> Result<Verification, AuditError> {
    let folder = folder.as_ref();
    // The folder itself goes by no rule.
    drop(Folder::read(folder)?);
    while_files_go(|| verify_once(folder, options), thread::sleep)
}

/// Tries again where a file was listed and is gone: another process retired it, and what says so is there now. A removal may
/// take its time, so that each pause is longer than the one before.
fn while_files_go<T>(
    mut attempt: impl FnMut() -> Result<T, AuditError>,
    pause: impl Fn(Duration),
) -> Result<T, AuditError> {
    for number in 1..TRIES {
        match attempt() {
            Err(error) if error.is_gone() => pause(PAUSE * 2_u32.pow(number - 1)),
            other => return other,
        }
    }
    attempt()
}

fn verify_once(folder: &Path, options: &VerifyOptions) -> Result<Verification, AuditError> {
    let found = Folder::read(folder)?;
    let mut claims = Claims::read(folder, &found);
    if let Some((_, error)) = claims.unread.pop_first() {
        return Err(error);
    }
    claims.choose(&found, |by| vouched(folder, &found, by, options))?;
    let mut links = std::mem::take(&mut claims.links);
    let jobs: Vec<(&str, &[u32], Mutex<Links>)> = writers(&found, &claims, options)
        .into_iter()
        .map(|writer| {
            let numbers = found.writers.get(writer).map_or(&[][..], Vec::as_slice);
            let of_log = links.remove(writer).unwrap_or_default();
            (writer, numbers, Mutex::new(of_log))
        })
        .collect();
    let run = |at: usize| {
        let (writer, numbers, links) = jobs.get(at)?;
        let log = Log {
            folder,
            writer,
            numbers,
            claims: &claims,
            options,
            keeps_ends: false,
        };
        let links = std::mem::take(&mut *links.lock().unwrap_or_else(PoisonError::into_inner));
        Some(log.verify(links, found.signed.contains(*writer)))
    };
    let mut verification = Verification::default();
    let mut broken = Vec::new();
    let (mut retirements, mut removals) = (Vec::new(), BTreeSet::new());
    let mut kept = BTreeMap::new();
    for (report, (writer, ..)) in parallel(jobs.len(), run).into_iter().zip(&jobs) {
        let report = report?;
        verification.add(report.verification);
        kept.insert((*writer).to_owned(), report.kept);
        let misses_kept = report.misses_kept;
        retirements.extend(report.retirement.map(|claim| (claim, misses_kept)));
        let own = report.removals.into_iter();
        removals.extend(own.map(|seq| ((*writer).to_owned(), seq)));
        broken.push(((*writer).to_owned(), report.links));
    }
    broken.extend(links);
    verification.broken_links(broken);
    verification.unfounded(&retirements, &removals);
    if options.trusted.is_empty() {
        verification.unkept_retirements(&retirements, &removals, &kept);
    } else {
        verification.unsigned_retirements(&retirements, &removals);
    }
    verification.foreign(&found);
    Ok(verification)
}

/// How many records of a log somebody vouches for: a trusted key, where there is one; else who made a note that was kept
/// elsewhere, or the key that the log's own notes name. A choice is made by it; what was chosen is verified.
fn vouched(
    folder: &Path,
    found: &Folder,
    writer: &str,
    options: &VerifyOptions,
) -> Result<u64, AuditError> {
    let trusted = &options.trusted;
    let is_trusted = |note: &Checkpoint| {
        let is_endorsed = || trusted.iter().any(|key| note.is_endorsed_by(key));
        (trusted.is_empty() || is_endorsed()) && note.is_signed()
    };
    let kept = options.kept.iter().map(|(_, kept)| kept);
    let kept = kept.filter(|kept| kept.writer == writer && is_trusted(kept));
    let newest = newest_endorsed(folder, found, writer)?.filter(is_trusted);
    let all = kept.chain(&newest).map(|note| note.head.size);
    Ok(all.max().unwrap_or(0))
}

/// Every log that has segments, checkpoints here or elsewhere, or was removed by rule.
fn writers<'a>(found: &'a Folder, claims: &'a Claims, options: &'a VerifyOptions) -> Vec<&'a str> {
    let kept = options.kept.iter().map(|(_, kept)| kept.writer.as_str());
    let mut all: Vec<&str> = found.writers.keys().map(String::as_str).collect();
    all.extend(found.signed.iter().map(String::as_str));
    all.extend(claims.retired_logs());
    all.extend(kept);
    all.sort_unstable();
    all.dedup();
    all
}

/// Runs so many jobs on a few threads; the answers stand in the order of the jobs.
fn parallel<T: Send>(jobs: usize, run: impl Fn(usize) -> Option<T> + Sync) -> Vec<T> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(jobs));
    thread::scope(|scope| {
        for _ in 0..jobs.min(cores).min(MOST_THREADS) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(answer) = run(at) else { return };
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.push((at, answer));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, answer)| answer).collect()
}

/// The verified records that say that something was removed by rule: log and number.
type Removals = BTreeSet<(String, u64)>;

impl Retirement {
    /// The verified records of other logs that say so.
    fn founded_by<'a>(&'a self, removals: &'a Removals) -> impl Iterator<Item = &'a (String, u64)> {
        let own = &self.retired.writer;
        let said = self.by.iter();
        said.filter(move |by| by.0 != *own && removals.contains(by))
    }
}

impl Verification {
    fn add(&mut self, log: Self) {
        self.writers += log.writers;
        self.segments += log.segments;
        self.records += log.records;
        self.first = [self.first, log.first].into_iter().flatten().min();
        self.last = self.last.max(log.last);
        self.heads.extend(log.heads);
        self.recoveries.extend(log.recoveries);
        self.findings.extend(log.findings);
        self.notes.extend(log.notes);
    }

    fn broken_links(&mut self, broken: Vec<(String, Links)>) {
        for (writer, links) in broken {
            for (seq, claim) in links.broken() {
                self.findings.push(Finding {
                    file: claim.file,
                    line: 2,
                    seq: Some(seq),
                    byte_offset: claim.byte_offset,
                    what: FindingKind::BrokenLink,
                    message: format!(
                        "record {seq} of log `{writer}` existed when this log was opened, and is gone or changed"
                    ),
                });
            }
        }
    }

    /// What a removal relies on must be a record that was verified, of another log: else a claim could vouch for what removes
    /// its own log.
    fn unfounded(&mut self, retirements: &[(Retirement, bool)], removals: &Removals) {
        for (retirement, _) in retirements {
            if retirement.founded_by(removals).next().is_some() {
                continue;
            }
            let removed = &retirement.retired.writer;
            let by = retirement.by.last();
            let by = by.map(|(by, seq)| format!("record {seq} of `{by}`"));
            self.gone(
                removed,
                None,
                format!(
                    "the beginning of log `{removed}` is missing, and {}, which would say why, is not verified",
                    by.unwrap_or_default()
                ),
            );
        }
    }

    /// Who trusts keys believes a removal only where a key vouches for the record of it.
    fn unsigned_retirements(&mut self, retirements: &[(Retirement, bool)], removals: &Removals) {
        for (retirement, _) in retirements {
            let is_signed = |(by, seq): &(String, u64)| {
                let mut heads = self.heads.iter();
                heads.any(|head| head.writer == *by && head.signed >= *seq)
            };
            if !retirement.founded_by(removals).any(is_signed) {
                let seq = retirement.retired.seq;
                self.gone(
                    &retirement.retired.writer,
                    Some(1),
                    format!("records 1 to {seq} are gone, and no record that says why is under a checkpoint"),
                );
            }
        }
    }

    /// Who kept checkpoints, and trusts no key, does not let a removal pass over them that they do not cover themselves.
    fn unkept_retirements(
        &mut self,
        retirements: &[(Retirement, bool)],
        removals: &Removals,
        kept: &BTreeMap<String, u64>,
    ) {
        for (retirement, _) in retirements.iter().filter(|(_, misses_kept)| *misses_kept) {
            let is_kept = |(by, seq): &(String, u64)| kept.get(by).is_some_and(|kept| kept >= seq);
            if !retirement.founded_by(removals).any(is_kept) {
                let seq = retirement.retired.seq;
                self.gone(
                    &retirement.retired.writer,
                    Some(1),
                    format!(
                        "records 1 to {seq}, which a kept checkpoint speaks of, are gone, and none covers a record that says \
                         why: bring the audit key, or newer checkpoints"
                    ),
                );
            }
        }
    }

    fn gone(&mut self, writer: &str, seq: Option<u64>, message: String) {
        self.findings.push(Finding {
            file: segment_name(writer, 1),
            line: 0,
            seq,
            byte_offset: 0,
            what: FindingKind::MissingSegment,
            message,
        });
    }

    fn foreign(&mut self, found: &Folder) {
        let has_begun =
            |writer: String| found.writers.contains_key(&writer) || found.signed.contains(&writer);
        let names = found.foreign.iter();
        for name in names.filter(|name| !name.contains(".jsonl.torn-")) {
            let note = if unpublished_of(name).is_some_and(has_begun) {
                format!("`{name}` has not taken the place of the log's checkpoints")
            } else if name.ends_with(".jsonl.new") || name.ends_with(".checkpoints.new") {
                format!("`{name}` was never started")
            } else {
                format!("`{name}` is not part of the log and was not checked")
            };
            self.notes.push(note);
        }
    }
}

/// A segment that was listed; `None` if another process has removed it by rule since.
pub(super) fn open_listed(path: &Path) -> Result<Option<Lines<BufReader<File>>>, AuditError> {
    match open(path) {
        Ok(lines) => Ok(Some(lines)),
        Err(error) if error.is_gone() => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn open(path: &Path) -> Result<Lines<BufReader<File>>, AuditError> {
    let file = File::open(path)
        .map_err(|error| AuditError::unavailable("read the audit segment", path, error))?;
    Ok(Lines::new(BufReader::with_capacity(1 << 16, file)))
}
