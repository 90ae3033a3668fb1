//! What a new writer finds in the folder: the newest records of the others, and the torn tails of the killed ones.
//!
//! Nothing is changed before our own log says so: [`survey`] reads and keeps copies, [`Torn::cut`] runs after the
//! `audit.recovered` records are on the disk. A crash in between leaves the torn tail to the next writer.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::chain::{self, Link};
use super::disk::{Locked, owner_only};
use super::folder::{Folder, checkpoints_name, segment_name};
use super::lines::{LONGEST, Lines};
use super::scan::{Checker, Fault, LogLink, parse};
use super::verify::notes::{self, Read};
use super::verify::open;
use super::{AuditError, FindingKind};
use crate::clock::Timestamp;
use crate::durable::sync_folder;

/// How many other logs an `audit.open` record links.
const LINKS: usize = 8;

/// How many dead logs are checked from the start of their last segment; older ones only if their end is torn.
const CHECKED: usize = 16;

/// The state of the folder before a new log starts.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) links: Vec<LogLink>,
    pub(super) torn: Vec<Torn>,
    /// Files of checkpoints that wait for their names, of writers that may be gone.
    pub(super) unpublished: Vec<PathBuf>,
}

/// A torn tail, kept aside and about to be cut. Holds the segment's locks.
#[derive(Debug)]
pub(super) struct Torn {
    pub(super) file: String,
    pub(super) bytes_cut: u64,
    pub(super) last_good_seq: u64,
    pub(super) sha256: String,
    pub(super) kept_as: String,
    path: PathBuf,
    good_bytes: u64,
    _locks: Vec<Locked>,
}

/// Reads the end of every log in the folder.
pub(super) fn survey(folder: &Path) -> Result<Survey, AuditError> {
    let found = Folder::read(folder)?;
    let mut survey = Survey {
        unpublished: found.unpublished(folder),
        ..Survey::default()
    };
    for (rank, (writer, numbers)) in found.writers.iter().rev().enumerate() {
        let mut newest = numbers.iter().rev().copied();
        let Some(last) = newest.next() else { continue };
        let log = Log {
            folder,
            writer,
            last,
            before: newest.next(),
        };
        let head = match log.inspect(rank < CHECKED) {
            Ok((head, torn)) => {
                survey.torn.extend(torn);
                head
            }
            // Another account's log is its own business; `zt audit verify` by who may read it tells more. What is gone
            // since it was listed, another process removed by rule.
            Err(AuditError::Unavailable { source, .. })
                if matches!(
                    source.kind(),
                    io::ErrorKind::PermissionDenied | io::ErrorKind::NotFound
                ) =>
            {
                continue;
            }
            Err(error) => return Err(error),
        };
        if let Some(head) = head.filter(|_| survey.links.len() < LINKS) {
            survey.links.push(LogLink {
                writer: writer.clone(),
                seq: head.seq,
                head: chain::hex(&head.hash),
            });
        }
    }
    Ok(survey)
}

impl Survey {
    /// Removes what writers that were killed left of files of checkpoints; one that is alive holds its lock. What cannot be
    /// removed is named by who verifies the folder.
    pub(super) fn remove_unpublished(&self) {
        for path in &self.unpublished {
            let is_file = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file());
            let file = is_file.then(|| OpenOptions::new().write(true).open(path));
            if let Some(Ok(file)) = file
                && let Ok(_lock) = Locked::new(file)
            {
                drop(fs::remove_file(path));
            }
        }
    }
}

/// One other writer's log.
struct Log<'a> {
    folder: &'a Path,
    writer: &'a str,
    last: u32,
    before: Option<u32>,
}

impl Log<'_> {
    /// The newest good record, and what is torn behind it.
    fn inspect(&self, is_thorough: bool) -> Result<(Option<Link>, Option<Torn>), AuditError> {
        let path = self.path(self.last);
        let failed = |error| AuditError::unavailable("read the audit segment", &path, error);
        let file = File::open(&path).map_err(failed)?;
        let end = End::read(&file).map_err(failed)?;
        let Some(locks) = self.lock(&file).map_err(failed)? else {
            // Alive: a record that we link must not vanish in a power cut that our link survives.
            if end.head.is_some() {
                file.sync_data().map_err(failed)?;
            }
            return Ok((end.head, None));
        };
        if end.is_clean && (end.is_closed || !is_thorough) {
            return Ok((end.head, None));
        }
        let scan = scan(&file, self.writer, self.last).map_err(failed)?;
        let Some(fault) = scan.fault else {
            return Ok((scan.head, None));
        };
        let is_end = matches!(fault.kind, FindingKind::Torn | FindingKind::Changed);
        let is_lost = scan.has_zeros && !self.is_signed_beyond(scan.head);
        if !is_end || (scan.is_followed && !is_lost) {
            return Err(AuditError::Tampered {
                file: path,
                line: fault.line,
                seq: fault.seq,
                byte_offset: fault.byte_offset,
                what: fault.message,
            });
        }
        let torn = self.keep(&file, scan.good_bytes, scan.head, locks)?;
        Ok((scan.head, Some(torn)))
    }

    /// Whether a checkpoint is of more records than these: then they were on the disk once, and no power cut took them.
    fn is_signed_beyond(&self, head: Option<Link>) -> bool {
        let file = checkpoints_name(self.writer);
        let mut is_beyond = false;
        let visit = |_, read| match read {
            Read::Note(note) => is_beyond |= note.head.size > head.map_or(0, |head| head.seq),
            Read::Malformed | Read::Torn => {}
        };
        match open(&self.folder.join(&file)).map(|mut lines| notes::each(&mut lines, &file, visit))
        {
            Ok(Ok(())) => is_beyond,
            // Without the file nothing was signed; one that cannot be read clears nobody.
            Err(AuditError::Unavailable { source, .. }) => source.kind() != io::ErrorKind::NotFound,
            Ok(Err(_)) | Err(_) => true,
        }
    }

    /// Locks the last two segments, or finds the writer alive: while it changes segments it holds at least one.
    fn lock(&self, last: &File) -> io::Result<Option<Vec<Locked>>> {
        let mut files = vec![last.try_clone()?];
        if let Some(before) = self.before {
            files.push(File::open(self.path(before))?);
        }
        let mut locks = Vec::new();
        for file in files {
            match Locked::new(file) {
                Ok(locked) => locks.push(locked),
                Err(fs::TryLockError::WouldBlock) => return Ok(None),
                Err(fs::TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok(Some(locks))
    }

    /// Copies the torn bytes beside the segment; an equal copy of an interrupted recovery is used again.
    fn keep(
        &self,
        mut file: &File,
        good_bytes: u64,
        head: Option<Link>,
        locks: Vec<Locked>,
    ) -> Result<Torn, AuditError> {
        let path = self.path(self.last);
        let failed = |error| AuditError::unavailable("keep the torn end of", &path, error);
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(good_bytes)).map_err(failed)?;
        file.read_to_end(&mut bytes).map_err(failed)?;
        let name = segment_name(self.writer, self.last);
        let kept_as = keep_bytes(self.folder, &name, &bytes).map_err(failed)?;
        Ok(Torn {
            bytes_cut: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            last_good_seq: head.map_or(0, |head| head.seq),
            sha256: chain::hex(&chain::sha256(&bytes)),
            file: name,
            kept_as,
            path,
            good_bytes,
            _locks: locks,
        })
    }

    fn path(&self, number: u32) -> PathBuf {
        self.folder.join(segment_name(self.writer, number))
    }
}

impl Torn {
    /// Cuts the segment at its last good record; removes it if there is none.
    pub(super) fn cut(&self) -> Result<(), AuditError> {
        let cut = || -> io::Result<()> {
            if self.good_bytes == 0 {
                fs::remove_file(&self.path)?;
            } else {
                let file = OpenOptions::new().write(true).open(&self.path)?;
                file.set_len(self.good_bytes)?;
                file.sync_all()?;
            }
            self.path.parent().map_or(Ok(()), sync_folder)
        };
        cut().map_err(|error| AuditError::unavailable("cut the torn end of", &self.path, error))
    }
}

fn keep_bytes(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<String> {
    let mut number = 1_u32;
    loop {
        let kept_as = format!("{name}.torn-{number}");
        let path = folder.join(&kept_as);
        match owner_only().create_new(true).open(&path) {
            Ok(mut file) => {
                io::Write::write_all(&mut file, bytes)?;
                file.sync_all()?;
                sync_folder(folder)?;
                return Ok(kept_as);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if fs::read(&path)? == bytes {
                    return Ok(kept_as);
                }
                number = number.saturating_add(1);
            }
            Err(error) => return Err(error),
        }
    }
}

/// A whole segment, checked on its own.
struct Scan {
    head: Option<Link>,
    good_bytes: u64,
    fault: Option<Fault>,
    /// Whether anything that looks like a record stands behind the fault.
    is_followed: bool,
    /// Whether the fault holds zeros, which no record does: of bytes that were written and not synced, a power cut may take
    /// earlier ones and leave later ones, and what it took reads as zeros.
    has_zeros: bool,
}

fn scan(mut file: &File, writer: &str, number: u32) -> io::Result<Scan> {
    file.seek(SeekFrom::Start(0))?;
    let mut lines = Lines::new(BufReader::new(file));
    let mut checker = Checker::new(writer, number, None);
    let mut scan = Scan {
        head: None,
        good_bytes: 0,
        fault: None,
        is_followed: false,
        has_zeros: false,
    };
    while let Some(line) = lines.next()? {
        if scan.fault.is_some() {
            scan.is_followed |= line.is_whole && parse(line.bytes).is_some();
            continue;
        }
        match checker.check(&line) {
            Ok(_) => scan.good_bytes = line.end,
            Err(fault) => {
                scan.has_zeros = line.has_zero();
                scan.fault = Some(fault);
            }
        }
    }
    if scan.good_bytes == 0 && scan.fault.is_none() {
        scan.fault = Some(Fault {
            kind: FindingKind::Torn,
            line: 1,
            byte_offset: 0,
            seq: None,
            message: "the segment is empty".to_owned(),
        });
    }
    scan.head = checker.link();
    Ok(scan)
}

/// The last complete record of a file, read from its end and not checked.
pub(super) struct End {
    head: Option<Link>,
    pub(super) at: Option<Timestamp>,
    pub(super) is_closed: bool,
    is_clean: bool,
}

impl End {
    pub(super) fn read(file: &File) -> io::Result<Self> {
        // Few bytes hold the last record nearly always; a folder has many logs.
        let few = Self::within(file, 8 << 10)?;
        if few.head.is_some() {
            return Ok(few);
        }
        Self::within(file, u64::try_from(2 * LONGEST).unwrap_or(u64::MAX))
    }

    fn within(mut file: &File, most: u64) -> io::Result<Self> {
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(most)))?;
        let mut bytes = Vec::new();
        file.take(most).read_to_end(&mut bytes)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
        let is_whole = whole + 1 == bytes.len();
        let line = bytes.get(..whole).unwrap_or_default();
        let line = line.rsplit(|byte| *byte == b'\n').next();
        let record = line.and_then(parse);
        Ok(Self {
            is_clean: is_whole && record.is_some(),
            is_closed: record
                .as_ref()
                .is_some_and(|(_, stamp)| stamp.is_admin("audit.close")),
            at: record.as_ref().and_then(|(_, stamp)| stamp.timestamp()),
            head: record.map(|(frame, stamp)| Link {
                seq: stamp.seq,
                hash: frame.hash,
            }),
        })
    }
}
