//! One log, from its first segment to its last.

use std::path::Path;

use super::super::chain::{Link, from_hex, hex};
use super::super::disk::is_locked;
use super::super::entry::timestamp;
use super::super::folder::segment_name;
use super::super::lines::Line;
use super::super::retire::Retired;
use super::super::scan::{Checker, Fault, Stamp, incomplete};
use super::super::tree::Tree;
use super::super::{AuditError, Entry, Finding, FindingKind, Head, Recovery, Verification};
use super::claims::{Claims, Links, Retirement};
use super::marks::Marks;
use super::unsigned::Tail;
use super::{VerifyOptions, open};
use crate::clock::{Timestamp, civil};

/// What is known about one log before it is read.
pub(super) struct Log<'a> {
    pub(super) folder: &'a Path,
    pub(super) writer: &'a str,
    pub(super) numbers: &'a [u32],
    pub(super) claims: &'a Claims,
    pub(super) options: &'a VerifyOptions,
    /// Whether to tell where each segment ends.
    pub(super) keeps_ends: bool,
}

/// What one log says.
pub(super) struct Report {
    pub(super) verification: Verification,
    /// Claims about it that nothing in it satisfies.
    pub(super) links: Links,
    /// The claim that its beginning relies on.
    pub(super) retirement: Option<Retirement>,
    /// Whether a checkpoint that was kept elsewhere speaks of records that are gone by that claim.
    pub(super) misses_kept: bool,
    /// How many records are under a checkpoint that was kept elsewhere.
    pub(super) kept: u64,
    /// Its verified records that say that something was removed by rule.
    pub(super) removals: Vec<u64>,
    /// Where each segment ends, if that was asked for and nothing before is wrong.
    pub(super) ends: Vec<Retired>,
}

/// The state of one verification.
struct Reader<'a> {
    log: &'a Log<'a>,
    report: Report,
    marks: Marks,
    tree: Tree,
    /// When the newest record was written, and whether it closes the log.
    newest: (String, bool),
    /// Reads when records were written.
    clock: civil::Reader,
    says_signed: bool,
    /// The records that are under no checkpoint.
    tail: Tail,
    has_fault: bool,
}

/// How one segment ended.
struct Ending {
    link: Option<Link>,
    fault: Option<Fault>,
}

impl Log<'_> {
    pub(super) fn verify(&self, links: Links, has_file: bool) -> Result<Report, AuditError> {
        // Read first: a living writer signs what is on the disk, never what will be.
        let marks = Marks::read(self.folder, self.writer, has_file, self.options)?;
        let mut reader = Reader {
            log: self,
            report: Report {
                verification: Verification {
                    writers: 1,
                    ..Verification::default()
                },
                links,
                retirement: None,
                misses_kept: false,
                kept: 0,
                removals: Vec::new(),
                ends: Vec::new(),
            },
            marks,
            tree: Tree::default(),
            newest: (String::new(), false),
            clock: civil::Reader::default(),
            says_signed: false,
            tail: Tail::default(),
            has_fault: false,
        };
        reader.run()?;
        Ok(reader.report)
    }
}

impl Reader<'_> {
    fn run(&mut self) -> Result<(), AuditError> {
        let (mut before, mut expected) = self.start();
        let mut head = before.filter(|link| link.seq > 0);
        // A removal by rule that was interrupted leaves segments that count no more.
        let from = expected;
        for number in self.log.numbers.iter().filter(|number| **number >= from) {
            if *number != expected {
                self.missing_segment(expected, *number, before);
                before = None;
            }
            expected = number.saturating_add(1);
            let ending = self.segment(*number, before)?;
            head = ending.link.or(head);
            // Behind a fault the next segment is checked on its own, so that one change is one finding.
            before = ending.link.filter(|_| ending.fault.is_none());
            if let Some(link) = before {
                self.keep_end(*number, link);
            }
            if let Some(fault) = ending.fault {
                let is_last = self.log.numbers.last() == Some(number);
                self.fault(&segment_name(self.log.writer, *number), fault, is_last);
            }
        }
        self.end(head);
        Ok(())
    }

    /// Where the log starts: at its first record, or behind what was removed by rule.
    fn start(&mut self) -> (Option<Link>, u32) {
        let of_log = self.log.claims.retired(self.log.writer, self.log.numbers);
        let begun = of_log.and_then(|retirement| {
            let retired = &retirement.retired;
            let link = Link {
                seq: retired.seq,
                hash: from_hex(retired.head.as_bytes())?,
            };
            let peaks = retired.peaks.iter().map(|peak| from_hex(peak.as_bytes()));
            let tree = Tree::of(retired.seq, peaks.collect::<Option<_>>()?)?;
            Some((retirement, link, tree))
        });
        let Some((retirement, link, tree)) = begun else {
            return (Some(Link::START), 1);
        };
        let retired = &retirement.retired;
        let by = retirement
            .by
            .last()
            .map(|(by, seq)| format!("record {seq} of `{by}`"));
        self.report.verification.notes.push(format!(
            "records 1 to {} of `{}` were removed by retention at {}, as {} says",
            retired.seq,
            retired.writer,
            retirement.at,
            by.unwrap_or_default()
        ));
        self.newest = (retired.last.clone(), retired.is_closed);
        // Only what was signed is removed by rule.
        self.says_signed = true;
        self.report.retirement = Some(retirement.clone());
        self.report.links.forget_before(retired.seq);
        self.report.links.satisfy(link);
        self.report.misses_kept = self.marks.skip_before(retired.seq);
        self.marks.reach(&tree, &link.hash);
        self.tree = tree;
        (Some(link), retired.segment.saturating_add(1))
    }

    fn keep_end(&mut self, segment: u32, link: Link) {
        if self.log.keeps_ends && !self.has_fault {
            // A clock that was set back makes nothing older.
            let gone = self.report.retirement.as_ref();
            let gone = gone.and_then(|said| timestamp(&said.retired.last));
            let newest = self.report.verification.last.max(gone);
            self.report.ends.push(Retired {
                writer: self.log.writer.to_owned(),
                segment,
                seq: link.seq,
                head: hex(&link.hash),
                peaks: self.tree.peaks().iter().map(|peak| hex(peak)).collect(),
                last: newest.map_or_else(|| self.newest.0.clone(), |at| at.to_string()),
                is_closed: self.newest.1,
            });
        }
    }

    fn segment(&mut self, number: u32, before: Option<Link>) -> Result<Ending, AuditError> {
        let file = segment_name(self.log.writer, number);
        let path = self.log.folder.join(&file);
        let failed = |error| AuditError::unavailable("read the audit segment", &path, error);
        let good_bytes = self.log.claims.good_bytes.get(&file).copied();
        let mut lines = open(&path)?;
        let mut checker = Checker::new(self.log.writer, number, before);
        let mut fault = None;
        let mut good_end = 0;
        let mut has_more = false;
        self.report.verification.segments += 1;
        while let Some(line) = lines.next().map_err(failed)? {
            let is_given_up = good_bytes.is_some_and(|good| line.offset >= good);
            if is_given_up || fault.is_some() {
                // Not part of the chain, or no longer known to be; what a link saw there was there all the same.
                has_more |= is_given_up;
                self.report.links.satisfy_unchecked(&line);
                continue;
            }
            match checker.check(&line) {
                Ok(stamp) => {
                    good_end = line.end;
                    if self.newest.1 {
                        self.behind_close(&file, &line, stamp.seq);
                    }
                    self.record(&line, &stamp, checker.link());
                }
                Err(found) => {
                    fault = Some(found);
                    self.report.links.satisfy_unchecked(&line);
                }
            }
        }
        let link = checker.link();
        let fault = fault.or_else(|| incomplete(link, good_end, good_bytes));
        if has_more {
            self.report.verification.notes.push(format!(
                "`{file}`: what follows its first {good_end} bytes was given up after a failure and recorded as such"
            ));
        }
        Ok(Ending { link, fault })
    }

    /// A writer ends with the record that closes its log: what stands behind it, nobody but somebody else wrote.
    fn behind_close(&mut self, file: &str, line: &Line<'_>, seq: u64) {
        self.report.verification.findings.push(Finding {
            file: file.to_owned(),
            line: line.number,
            seq: Some(seq),
            byte_offset: line.offset,
            what: FindingKind::BehindClose,
            message: format!("record {seq} stands behind the one that closed the log"),
        });
    }

    fn record(&mut self, line: &Line<'_>, stamp: &Stamp<'_>, link: Option<Link>) {
        let verification = &mut self.report.verification;
        verification.records += 1;
        let at = self.clock.millis(stamp.at.as_bytes());
        let at = at.map(Timestamp::from_millis).or_else(|| stamp.timestamp());
        if let Some(at) = at {
            let first = verification.first.map_or(at, |first| first.min(at));
            let last = verification.last.map_or(at, |last| last.max(at));
            verification.first = Some(first);
            verification.last = Some(last);
        }
        stamp.at.as_ref().clone_into(&mut self.newest.0);
        self.newest.1 = stamp.is_admin("audit.close");
        if let Some(link) = link {
            self.report.links.satisfy(link);
            // Behind a fault no tree is known.
            if (self.marks.is_open() || self.log.keeps_ends) && !self.has_fault {
                self.tree.push(&link.hash);
                self.marks.reach(&self.tree, &link.hash);
            }
        }
        if link.is_some_and(|link| self.marks.signed >= link.seq) {
            self.tail = Tail::default();
        }
        if let Some(at) = at {
            self.tail.add(at.as_millis());
        }
        if stamp.kind != "admin" {
            return;
        }
        let Ok(entry) = serde_json::from_slice::<Entry>(line.bytes) else {
            return;
        };
        if entry.action == "audit.recovered" {
            self.recovered(entry);
        } else if entry.action == "audit.retired" {
            self.report.removals.push(stamp.seq);
        } else if entry.action == "audit.open" {
            self.says_signed |= entry.detail.contains_key("checkpoints");
        }
    }

    fn recovered(&mut self, mut entry: Entry) {
        let mut detail = |name: &str| entry.detail.remove(name).unwrap_or_default();
        let recovery = Recovery {
            writer: self.log.writer.to_owned(),
            file: detail("file"),
            kept_as: detail("kept_as"),
            bytes_cut: detail("bytes_cut").parse().unwrap_or(0),
            last_good_seq: detail("last_good_seq").parse().unwrap_or(0),
            at: entry.at,
        };
        self.report.verification.recoveries.push(recovery);
    }

    fn fault(&mut self, file: &str, fault: Fault, is_last: bool) {
        if is_last && fault.kind == FindingKind::Torn && is_locked(&self.log.folder.join(file)) {
            let note = format!("`{file}` is being written: its last line is not complete yet");
            self.report.verification.notes.push(note);
            return;
        }
        self.has_fault = true;
        self.report.verification.findings.push(Finding {
            file: file.to_owned(),
            line: fault.line,
            seq: fault.seq,
            byte_offset: fault.byte_offset,
            what: fault.kind,
            message: fault.message,
        });
    }

    fn missing_segment(&mut self, from: u32, to: u32, before: Option<Link>) {
        let missing = to.saturating_sub(from);
        self.has_fault = true;
        self.report.verification.findings.push(Finding {
            file: segment_name(self.log.writer, from),
            line: 0,
            seq: before.map(|link| link.seq.saturating_add(1)),
            byte_offset: 0,
            what: FindingKind::MissingSegment,
            message: format!(
                "missing segments before `{}`: {missing}",
                segment_name(self.log.writer, to)
            ),
        });
    }

    fn end(&mut self, head: Option<Link>) {
        let (at, is_closed) = std::mem::take(&mut self.newest);
        let last = self.log.numbers.last();
        let is_alive = last.is_some_and(|number| {
            let file = segment_name(self.log.writer, *number);
            is_locked(&self.log.folder.join(file))
        });
        let seq = head.map_or(0, |head| head.seq);
        self.marks.end(seq, self.has_fault, is_alive, is_closed);
        self.unsigned(seq, is_alive, is_closed);
        let verification = &mut self.report.verification;
        self.report.kept = self.marks.kept;
        verification.findings.append(&mut self.marks.findings);
        verification.notes.append(&mut self.marks.notes);
        if let Some(link) = head {
            verification.heads.push(Head {
                writer: self.log.writer.to_owned(),
                seq: link.seq,
                hash: hex(&link.hash),
                is_closed,
                at,
                is_alive,
                signed: self.marks.signed,
            });
        }
    }

    /// Finds checkpoints that must have been there.
    fn unsigned(&mut self, seq: u64, is_alive: bool, is_closed: bool) {
        let signed = self.marks.signed;
        if self.has_fault || is_alive || self.log.options.is_copy {
            return;
        }
        if !self.log.options.trusted.is_empty() && signed == 0 {
            let message = "no record of the log is under a checkpoint";
            self.marks
                .missing(self.log.writer, message, FindingKind::Unsigned);
        } else if self.says_signed
            && !is_closed
            && self.tail.is_too_long(seq.saturating_sub(signed))
        {
            let message = format!(
                "the log ended without being closed, and its last {} records are under no checkpoint, more than a writer \
                 leaves that is killed: they may be forged, or its checkpoints could not be written",
                seq.saturating_sub(signed)
            );
            self.marks
                .missing(self.log.writer, &message, FindingKind::MissingCheckpoint);
        } else if self.says_signed && is_closed && signed < seq {
            let message = if self.marks.has_file() {
                "the log was closed, and the checkpoint of its end is missing"
            } else {
                "the log was signed, and its checkpoints are missing"
            };
            self.marks
                .missing(self.log.writer, message, FindingKind::MissingCheckpoint);
        }
    }
}
