//! Recomputes every chain of a folder, offline, and names the first record of each segment that is not what was written.
//!
//! Streams: memory grows with the number of logs and findings, not of records. Never changes anything. What it cannot
//! detect is written in the [module documentation](super).

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, TryLockError};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::chain::{Link, hex};
use super::folder::{Folder, segment_name};
use super::lines::{Line, Lines};
use super::scan::{Checker, Fault, Header, LogLink, Stamp, parse};
use super::{AuditError, Entry, Finding, FindingKind, Head, Recovery, Verification};

/// Verifies every log in `folder`.
///
/// Reads all of it once; a log that is being written is verified up to where it is now.
///
/// # Errors
///
/// [`AuditError::Unavailable`] if the folder or a segment cannot be read. Damage is no error but a [`Finding`].
pub fn verify(folder: impl AsRef<Path>) -> Result<Verification, AuditError> {
    let folder = folder.as_ref();
    let found = Folder::read(folder)?;
    let mut verifier = Verifier {
        folder,
        claims: Claims::read(folder, &found)?,
        verification: Verification::default(),
    };
    for (writer, numbers) in &found.writers {
        verifier.log(writer, numbers)?;
    }
    verifier.broken_links();
    verifier.foreign(&found.foreign);
    Ok(verifier.verification)
}

/// What segments say about others, read ahead because it is needed before it is verified. A false claim is found when
/// its own record is verified.
#[derive(Debug, Default)]
struct Claims {
    good_bytes: HashMap<String, u64>,
    links: BTreeMap<String, BTreeMap<u64, Vec<Claim>>>,
}

#[derive(Debug)]
struct Claim {
    head: String,
    file: String,
    byte_offset: u64,
}

#[derive(Deserialize)]
struct Links {
    #[serde(default)]
    links: Vec<LogLink>,
}

impl Claims {
    fn read(folder: &Path, found: &Folder) -> Result<Self, AuditError> {
        let mut claims = Self::default();
        for (writer, numbers) in &found.writers {
            let mut before = None;
            for number in numbers {
                let file = segment_name(writer, *number);
                claims.read_segment(&folder.join(&file), &file, before.as_deref())?;
                before = Some(file);
            }
        }
        Ok(claims)
    }

    fn read_segment(
        &mut self,
        path: &Path,
        file: &str,
        before: Option<&str>,
    ) -> Result<(), AuditError> {
        let failed = |error| AuditError::unavailable("read the audit segment", path, error);
        let mut lines = open(path)?;
        if let Some(line) = lines.next().map_err(failed)? {
            let header: Option<Header> = serde_json::from_slice(line.bytes).ok();
            let failure = header.and_then(|header| header.after_failure);
            if let Some(failure) = failure.filter(|failure| Some(failure.file.as_str()) == before) {
                self.good_bytes.insert(failure.file, failure.good_bytes);
            }
        }
        let Some(line) = lines.next().map_err(failed)? else {
            return Ok(());
        };
        let Some((_, stamp)) = parse(line.bytes) else {
            return Ok(());
        };
        if !stamp.is_admin("audit.open") {
            return Ok(());
        }
        let links: Option<Links> = serde_json::from_slice(line.bytes).ok();
        for link in links.map(|links| links.links).unwrap_or_default() {
            let claim = Claim {
                head: link.head,
                file: file.to_owned(),
                byte_offset: line.offset,
            };
            let log = self.links.entry(link.writer).or_default();
            log.entry(link.seq).or_default().push(claim);
        }
        Ok(())
    }

    /// Crosses off the links that this record satisfies.
    fn satisfy(&mut self, writer: &str, link: Link) {
        let Some(claims) = self.links.get_mut(writer) else {
            return;
        };
        if let Some(at) = claims.get_mut(&link.seq) {
            let head = hex(&link.hash);
            at.retain(|claim| claim.head != head);
        }
    }
}

struct Verifier<'a> {
    folder: &'a Path,
    claims: Claims,
    verification: Verification,
}

/// How one segment ended.
struct Ending {
    link: Option<Link>,
    is_closed: bool,
    fault: Option<Fault>,
}

impl Verifier<'_> {
    fn log(&mut self, writer: &str, numbers: &[u32]) -> Result<(), AuditError> {
        let mut before = Some(Link::START);
        let mut expected = 1;
        let mut head = None;
        self.verification.writers += 1;
        for number in numbers {
            if *number != expected {
                self.missing_segment(writer, expected, *number, before);
                before = None;
            }
            expected = number.saturating_add(1);
            let is_last = numbers.last() == Some(number);
            let ending = self.segment(writer, *number, before)?;
            head = ending.link.map(|link| (link, ending.is_closed)).or(head);
            // Behind a fault the next segment is checked on its own, so that one change is one finding.
            before = ending.link.filter(|_| ending.fault.is_none());
            if let Some(fault) = ending.fault {
                self.fault(&segment_name(writer, *number), fault, is_last);
            }
        }
        if let Some((link, is_closed)) = head {
            self.verification.heads.push(Head {
                writer: writer.to_owned(),
                seq: link.seq,
                hash: hex(&link.hash),
                is_closed,
            });
        }
        Ok(())
    }

    fn segment(
        &mut self,
        writer: &str,
        number: u32,
        before: Option<Link>,
    ) -> Result<Ending, AuditError> {
        let file = segment_name(writer, number);
        let path = self.folder.join(&file);
        let failed = |error| AuditError::unavailable("read the audit segment", &path, error);
        let good_bytes = self.claims.good_bytes.get(&file).copied();
        let mut lines = open(&path)?;
        let mut checker = Checker::new(writer, number, before);
        let mut ending = Ending {
            link: None,
            is_closed: false,
            fault: None,
        };
        let mut good_end = 0;
        let mut has_more = false;
        self.verification.segments += 1;
        while let Some(line) = lines.next().map_err(failed)? {
            let is_given_up = good_bytes.is_some_and(|good| line.offset >= good);
            if is_given_up || ending.fault.is_some() {
                // Not part of the chain, or no longer known to be; what a link saw there was there all the same.
                has_more |= is_given_up;
                self.satisfy_unchecked(writer, &line);
                continue;
            }
            match checker.check(&line) {
                Ok(stamp) => {
                    good_end = line.end;
                    ending.is_closed = stamp.is_admin("audit.close");
                    self.record(writer, &line, &stamp);
                    if let Some(link) = checker.link() {
                        self.claims.satisfy(writer, link);
                    }
                }
                Err(fault) => {
                    ending.fault = Some(fault);
                    self.satisfy_unchecked(writer, &line);
                }
            }
        }
        ending.link = checker.link();
        if ending.fault.is_none() {
            ending.fault = incomplete(&ending, good_end, good_bytes);
        }
        if has_more {
            self.verification.notes.push(format!(
                "`{file}`: what follows its first {good_end} bytes was given up after a failure and recorded as such"
            ));
        }
        Ok(ending)
    }

    fn satisfy_unchecked(&mut self, writer: &str, line: &Line<'_>) {
        if let Some((frame, stamp)) = parse(line.bytes) {
            let link = Link {
                seq: stamp.seq,
                hash: frame.hash,
            };
            self.claims.satisfy(writer, link);
        }
    }

    fn record(&mut self, writer: &str, line: &Line<'_>, stamp: &Stamp<'_>) {
        self.verification.records += 1;
        if let Some(at) = stamp.timestamp() {
            let first = self.verification.first.map_or(at, |first| first.min(at));
            let last = self.verification.last.map_or(at, |last| last.max(at));
            self.verification.first = Some(first);
            self.verification.last = Some(last);
        }
        if stamp.is_admin("audit.recovered")
            && let Ok(mut entry) = serde_json::from_slice::<Entry>(line.bytes)
        {
            let mut detail = |name: &str| entry.detail.remove(name).unwrap_or_default();
            let recovery = Recovery {
                writer: writer.to_owned(),
                file: detail("file"),
                kept_as: detail("kept_as"),
                bytes_cut: detail("bytes_cut").parse().unwrap_or(0),
                last_good_seq: detail("last_good_seq").parse().unwrap_or(0),
                at: entry.at,
            };
            self.verification.recoveries.push(recovery);
        }
    }

    fn fault(&mut self, file: &str, fault: Fault, is_last: bool) {
        if is_last && fault.kind == FindingKind::Torn && is_locked(&self.folder.join(file)) {
            let note = format!("`{file}` is being written: its last line is not complete yet");
            self.verification.notes.push(note);
            return;
        }
        self.verification.findings.push(Finding {
            file: file.to_owned(),
            line: fault.line,
            seq: fault.seq,
            byte_offset: fault.byte_offset,
            what: fault.kind,
            message: fault.message,
        });
    }

    fn missing_segment(&mut self, writer: &str, from: u32, to: u32, before: Option<Link>) {
        let missing = to.saturating_sub(from);
        self.verification.findings.push(Finding {
            file: segment_name(writer, from),
            line: 0,
            seq: before.map(|link| link.seq + 1),
            byte_offset: 0,
            what: FindingKind::MissingSegment,
            message: format!(
                "missing segments before `{}`: {missing}",
                segment_name(writer, to)
            ),
        });
    }

    fn broken_links(&mut self) {
        for (writer, claims) in std::mem::take(&mut self.claims.links) {
            for (seq, claims) in claims {
                for claim in claims {
                    self.verification.findings.push(Finding {
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
    }

    fn foreign(&mut self, names: &[String]) {
        for name in names.iter().filter(|name| !name.contains(".jsonl.torn-")) {
            let note = if name.ends_with(".jsonl.new") {
                format!("`{name}` is a segment that was never started")
            } else {
                format!("`{name}` is not part of the log and was not checked")
            };
            self.verification.notes.push(note);
        }
    }
}

fn incomplete(ending: &Ending, good_end: u64, good_bytes: Option<u64>) -> Option<Fault> {
    let message = match (ending.link, good_bytes) {
        (None, _) => "the segment is empty".to_owned(),
        (Some(_), Some(good)) if good != good_end => {
            format!("the segment's good part should end at byte {good}")
        }
        (Some(_), _) => return None,
    };
    Some(Fault {
        kind: FindingKind::Torn,
        line: 0,
        byte_offset: good_end,
        seq: ending.link.map(|link| link.seq + 1),
        message,
    })
}

pub(super) fn open(path: &Path) -> Result<Lines<BufReader<File>>, AuditError> {
    let file = File::open(path)
        .map_err(|error| AuditError::unavailable("read the audit segment", path, error))?;
    Ok(Lines::new(BufReader::with_capacity(1 << 16, file)))
}

fn is_locked(path: &PathBuf) -> bool {
    File::open(path)
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}
