//! Reads a log onwards from a position, record by record, and checks the chain on the way.
//!
//! In: a position. Out: the records behind it, bounded by number and bytes, each with its own position. Only whole lines, only
//! what a segment's successor says is good, and only up to the number that is on the disk, where that is known. A file that was
//! listed and is gone is an error that [`AuditError::is_gone`] tells apart: retention, of whichever process, removed it.
//! Never: a record whose hash does not follow from the one before it.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::AuditError;
use super::chain::{self, Frame, Hash, Link};
use super::folder::{Folder, segment_name};
use super::lines::{LONGEST, Line, Lines};
use super::scan::{Header, parse};
use super::sink::{BatchLimit, SinkRecord};
use crate::clock::Timestamp;

/// A record and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) segment: u32,
    /// Of its first byte.
    pub(super) start: u64,
    /// Of the first byte behind it.
    pub(super) end: u64,
    pub(super) link: Link,
}

impl Position {
    /// As a cursor claims it; its end is not known.
    pub(super) const fn claimed(segment: u32, start: u64, seq: u64, hash: Hash) -> Self {
        Self {
            segment,
            start,
            end: start,
            link: Link { seq, hash },
        }
    }

    /// Before the first record.
    const fn before(segment: u32, link: Link) -> Self {
        Self {
            segment,
            start: 0,
            end: 0,
            link,
        }
    }
}

/// A record that was read.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) record: SinkRecord,
    pub(super) at: Option<Timestamp>,
    pub(super) position: Position,
}

/// One log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Log<'a> {
    pub(super) folder: &'a Path,
    pub(super) writer: &'a str,
}

impl Log<'_> {
    /// The logs of a folder whose writers are gone, oldest first, without `own`, and the number of each one's last segment.
    /// While a writer lives it holds its newest segment, or the one before.
    pub(super) fn dead(folder: &Path, own: &str) -> Result<Vec<(String, u32)>, AuditError> {
        let found = Folder::read(folder)?;
        let mut dead = Vec::new();
        for (writer, numbers) in found.writers {
            let Some(last) = numbers.last().copied().filter(|_| writer != own) else {
                continue;
            };
            match is_dead(folder, &writer, &numbers) {
                Ok(true) => dead.push((writer, last)),
                Ok(false) => {}
                // Retention begins with the oldest: where the newest segment is gone, all of them are.
                Err(error) if error.is_gone() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(dead)
    }

    /// Whether nothing stands behind a position, where this is the last segment.
    pub(super) fn is_end(self, at: &Position, last: u32) -> Result<bool, AuditError> {
        let path = self.path(last);
        let file = fs::metadata(&path).map_err(|error| unreadable(&path, error))?;
        Ok(at.segment == last && at.end == file.len())
    }

    /// The number of the last whole record of the last segment; `None` if that cannot be told.
    pub(super) fn last(self, last: u32) -> Result<Option<u64>, AuditError> {
        let path = self.path(last);
        let read = || -> io::Result<Vec<u8>> {
            let mut file = File::open(&path)?;
            let most = u64::try_from(2 * LONGEST).unwrap_or(u64::MAX);
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
            let mut bytes = Vec::new();
            file.take(most).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read().map_err(|error| unreadable(&path, error))?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
        let lines = bytes.get(..whole).unwrap_or_default();
        let line = lines.rsplit(|byte| *byte == b'\n').next();
        Ok(line.and_then(parse).map(|(_, stamp)| stamp.seq))
    }

    /// Before the first record that the folder holds; `None` if it holds none. Where the oldest segments were removed, the
    /// first that is left says where it continues.
    pub(super) fn start(self) -> Result<Option<Position>, AuditError> {
        let found = Folder::read(self.folder)?;
        let numbers = found.writers.get(self.writer);
        let Some(first) = numbers.and_then(|numbers| numbers.first()).copied() else {
            return Ok(None);
        };
        if first == 1 {
            return Ok(Some(Position::before(1, Link::START)));
        }
        let path = self.path(first);
        let mut lines = open(&path, 0)?;
        let line = lines.next().map_err(|error| unreadable(&path, error))?;
        let header = line.and_then(|line| {
            let (_, stamp) = parse(line.bytes)?;
            let header: Header = serde_json::from_slice(line.bytes).ok()?;
            let hash = chain::from_hex(header.previous.as_bytes())?;
            let seq = stamp.seq.checked_sub(1)?;
            Some(Link { seq, hash })
        });
        let link = header.ok_or_else(|| damaged(&path, 0, None, "it has no header"))?;
        Ok(Some(Position::before(first, link)))
    }

    /// The position that was claimed, if the log has that very record there.
    pub(super) fn confirm(self, claimed: &Position) -> Result<Option<Position>, AuditError> {
        let path = self.path(claimed.segment);
        match fs::metadata(&path) {
            Ok(file) if file.len() > claimed.start => {}
            Ok(_) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(&path, error)),
        }
        let mut lines = open(&path, claimed.start)?;
        let line = lines.next().map_err(|error| unreadable(&path, error))?;
        let confirmed = line.filter(|line| line.is_whole).and_then(|line| {
            let (frame, stamp) = parse(line.bytes)?;
            let is_it = stamp.seq == claimed.link.seq && frame.hash == claimed.link.hash;
            is_it.then(|| Position {
                end: claimed.start.saturating_add(line.end),
                ..*claimed
            })
        });
        Ok(confirmed)
    }

    /// The position that was claimed, also if what was before it is gone by rule and the log continues just there.
    pub(super) fn resume(self, claimed: &Position) -> Result<Option<Position>, AuditError> {
        if let Some(confirmed) = self.confirm(claimed)? {
            return Ok(Some(confirmed));
        }
        if self.has(claimed.segment) {
            return Ok(None);
        }
        Ok(self.start()?.filter(|start| start.link == claimed.link))
    }

    /// The position of the record with this number, from the start of the log; `None` if it has none.
    pub(super) fn find(self, seq: u64) -> Result<Option<Position>, AuditError> {
        let mut at = self.start()?;
        let most = BatchLimit::default();
        while let Some(position) = at.filter(|position| position.link.seq < seq) {
            let read = self.read(&position, most, Some(seq))?;
            at = read.last().map(|last| last.position);
        }
        Ok(at.filter(|position| position.link.seq == seq))
    }

    /// What stands behind a position, at most up to the record with the number `up_to`.
    pub(super) fn read(
        self,
        from: &Position,
        most: BatchLimit,
        up_to: Option<u64>,
    ) -> Result<Vec<Followed>, AuditError> {
        let mut read = Reading {
            most,
            up_to: up_to.unwrap_or(u64::MAX),
            at: *from,
            bytes: 0,
            records: Vec::new(),
        };
        loop {
            // First, so that what a later segment says of this one is known before anything of it is taken.
            let good_bytes = self.good_bytes(read.at.segment)?;
            let path = self.path(read.at.segment);
            let is_over = read.segment(&path, good_bytes)?;
            if is_over || good_bytes.is_none() {
                return Ok(read.records);
            }
            read.at.segment = read.at.segment.saturating_add(1);
            (read.at.start, read.at.end) = (0, 0);
        }
    }

    /// How many bytes of a segment count, if there is a next one; `None` while it is the last.
    fn good_bytes(self, segment: u32) -> Result<Option<u64>, AuditError> {
        let path = self.path(segment.saturating_add(1));
        let mut lines = match open(&path, 0) {
            Ok(lines) => lines,
            Err(error) if error.is_gone() => return Ok(None),
            Err(error) => return Err(error),
        };
        let line = lines.next().map_err(|error| unreadable(&path, error))?;
        let header: Option<Header> = line.and_then(|line| serde_json::from_slice(line.bytes).ok());
        let file = segment_name(self.writer, segment);
        let failure = header.and_then(|header| header.after_failure);
        let failure = failure.filter(|failure| failure.file == file);
        Ok(Some(failure.map_or(u64::MAX, |failure| failure.good_bytes)))
    }

    /// Whether a record that stands here is the first that the folder holds of the log.
    pub(super) fn is_start(self, at: &Position) -> Result<bool, AuditError> {
        if at.start > 0 {
            return Ok(false);
        }
        let found = Folder::read(self.folder)?;
        let numbers = found.writers.get(self.writer);
        let first = numbers.and_then(|numbers| numbers.first());
        Ok(first.is_none_or(|first| *first >= at.segment))
    }

    /// Whether the segment is there.
    pub(super) fn has(self, segment: u32) -> bool {
        self.path(segment).exists()
    }

    pub(super) fn path(self, segment: u32) -> PathBuf {
        self.folder.join(segment_name(self.writer, segment))
    }
}

/// What was read so far.
struct Reading {
    most: BatchLimit,
    up_to: u64,
    at: Position,
    bytes: usize,
    records: Vec<Followed>,
}

impl Reading {
    /// Takes what fits of one segment; returns whether reading is over: a limit, or a line that is not there yet.
    fn segment(&mut self, path: &Path, good_bytes: Option<u64>) -> Result<bool, AuditError> {
        let base = self.at.end;
        let mut lines = open(path, base)?;
        while let Some(line) = lines.next().map_err(|error| unreadable(path, error))? {
            let end = base.saturating_add(line.end);
            if good_bytes.is_some_and(|good_bytes| end > good_bytes) {
                return Ok(false);
            }
            // The last line of the last segment may still be written, or was when its writer was killed.
            let is_coming = !line.is_whole && good_bytes.is_none();
            if is_coming || self.at.link.seq >= self.up_to {
                return Ok(true);
            }
            let is_first = self.records.is_empty();
            let is_full = self.records.len() >= self.most.records
                || self.bytes.saturating_add(line.bytes.len()) > self.most.bytes;
            if is_full && !is_first {
                return Ok(true);
            }
            let start = base.saturating_add(line.offset);
            let Some(followed) = self.follow(&line, start, end) else {
                if !is_first {
                    // What stands before the damage is good; the next call starts at it.
                    return Ok(true);
                }
                let seq = Some(self.at.link.seq.saturating_add(1));
                let what = "it does not continue the record before it";
                return Err(damaged(path, start, seq, what));
            };
            self.bytes = self.bytes.saturating_add(line.bytes.len());
            self.at = followed.position;
            self.records.push(followed);
        }
        Ok(self.at.link.seq >= self.up_to)
    }

    /// The next record of the chain; `None` if the line is not it.
    fn follow(&self, line: &Line<'_>, start: u64, end: u64) -> Option<Followed> {
        let whole = line.is_whole.then_some(line.bytes)?;
        let (Frame { body, hash }, stamp) = parse(whole)?;
        let follows = self.at.link.seq.checked_add(1) == Some(stamp.seq)
            && chain::hash(&self.at.link.hash, body) == hash;
        let text = std::str::from_utf8(line.bytes).ok().filter(|_| follows)?;
        let seq = stamp.seq;
        Some(Followed {
            record: SinkRecord::new(seq, chain::hex(&hash), text),
            at: stamp.timestamp(),
            position: Position {
                segment: self.at.segment,
                start,
                end,
                link: Link { seq, hash },
            },
        })
    }
}

/// Looks whether somebody holds the newest segments, and holds them no longer than that.
fn is_dead(folder: &Path, writer: &str, numbers: &[u32]) -> Result<bool, AuditError> {
    for (age, number) in numbers.iter().rev().take(2).enumerate() {
        let path = folder.join(segment_name(writer, *number));
        let file = match File::open(&path) {
            Ok(file) => file,
            // The one before the newest, removed by rule: nobody holds it.
            Err(error) if age > 0 && error.kind() == io::ErrorKind::NotFound => return Ok(true),
            // Another account's log is its own business.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(false),
            Err(error) => return Err(unreadable(&path, error)),
        };
        match file.try_lock() {
            // By name: a child that is forked just now has a copy of the file.
            Ok(()) => file.unlock().map_err(|error| unreadable(&path, error))?,
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(unreadable(&path, error)),
        }
    }
    Ok(true)
}

fn open(path: &Path, offset: u64) -> Result<Lines<BufReader<File>>, AuditError> {
    let opened = File::open(path).and_then(|mut file| {
        file.seek(SeekFrom::Start(offset))?;
        Ok(Lines::new(BufReader::new(file)))
    });
    opened.map_err(|error| unreadable(path, error))
}

fn unreadable(path: &Path, error: io::Error) -> AuditError {
    AuditError::unavailable("read the audit segment", path, error)
}

fn damaged(path: &Path, byte_offset: u64, seq: Option<u64>, what: &str) -> AuditError {
    AuditError::Tampered {
        file: path.to_path_buf(),
        line: line_at(path, byte_offset).unwrap_or(0),
        seq,
        byte_offset,
        what: what.to_owned(),
    }
}

/// The number of the line that starts at this byte, from 1.
fn line_at(path: &Path, byte_offset: u64) -> io::Result<u64> {
    let mut reader = BufReader::new(File::open(path)?.take(byte_offset));
    let mut number = 1;
    loop {
        let chunk = reader.fill_buf()?;
        if chunk.is_empty() {
            return Ok(number);
        }
        let newlines = chunk.iter().filter(|byte| **byte == b'\n').count();
        number += u64::try_from(newlines).unwrap_or(0);
        let used = chunk.len();
        reader.consume(used);
    }
}
