//! Checks one segment record by record and names the first that is not what was written.

mod quick;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::FindingKind;
use super::chain::{self, Frame, Hash, Link};
use super::lines::Line;
use crate::clock::Timestamp;

/// The version of the format that this code writes and reads.
pub(super) const FORMAT: u32 = 1;

/// The first record of a segment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) kind: Cow<'static, str>,
    pub(super) at: String,
    pub(super) format: u32,
    pub(super) writer: String,
    pub(super) segment: u32,
    pub(super) pid: u32,
    pub(super) previous: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) after_failure: Option<AfterFailure>,
}

/// Why the segment before was given up, and how much of it counts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct AfterFailure {
    pub(super) file: String,
    pub(super) good_bytes: u64,
    pub(super) error: String,
}

/// The newest record of another writer, as an `audit.open` record names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LogLink {
    pub(super) writer: String,
    pub(super) seq: u64,
    pub(super) head: String,
}

/// What every record has.
#[derive(Debug, Deserialize)]
pub(super) struct Stamp<'a> {
    pub(super) seq: u64,
    #[serde(borrow)]
    pub(super) kind: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) at: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) action: Cow<'a, str>,
}

impl Stamp<'_> {
    pub(super) fn timestamp(&self) -> Option<Timestamp> {
        super::entry::timestamp(&self.at)
    }

    pub(super) fn is_admin(&self, action: &str) -> bool {
        self.kind == "admin" && self.action == action
    }
}

/// Why a record is not what was written.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub(super) kind: FindingKind,
    pub(super) line: u64,
    pub(super) byte_offset: u64,
    pub(super) seq: Option<u64>,
    pub(super) message: String,
}

/// Walks one segment.
#[derive(Debug)]
pub(super) struct Checker<'a> {
    writer: &'a str,
    segment: u32,
    /// Where the segment before ended, if that is known.
    before: Option<Link>,
    link: Option<Link>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(writer: &'a str, segment: u32, before: Option<Link>) -> Self {
        Self {
            writer,
            segment,
            before,
            link: None,
        }
    }

    /// The newest good record; `None` before the first.
    pub(super) const fn link(&self) -> Option<Link> {
        self.link
    }

    /// Checks the next line. After a fault the checker still stands at the last good record.
    pub(super) fn check<'l>(&mut self, line: &Line<'l>) -> Result<Stamp<'l>, Fault> {
        let fault = |kind, seq, message: String| Fault {
            kind,
            line: line.number,
            byte_offset: line.offset,
            seq,
            message,
        };
        let expected = self
            .link
            .or(self.before)
            .map(|link| link.seq.saturating_add(1));
        if line.is_too_long {
            let message = "a line longer than any record".to_owned();
            return Err(fault(FindingKind::Changed, expected, message));
        }
        if !line.is_whole {
            let message = "the last line is not complete".to_owned();
            return Err(fault(FindingKind::Torn, expected, message));
        }
        let Some((frame, stamp)) = parse(line.bytes) else {
            let message = "the line is not a record".to_owned();
            return Err(fault(FindingKind::Changed, expected, message));
        };
        let previous = match self.link {
            Some(link) => link.hash,
            None => self
                .check_header(line.bytes, &stamp)
                .map_err(|(kind, message)| fault(kind, expected.or(Some(stamp.seq)), message))?,
        };
        let is_bound = chain::hash(&previous, frame.body) == frame.hash;
        if let Some((kind, message)) = misplaced(expected, stamp.seq) {
            return Err(fault(kind, expected, message));
        }
        if !is_bound {
            let message = format!("record {} was changed", stamp.seq);
            return Err(fault(FindingKind::Changed, Some(stamp.seq), message));
        }
        self.link = Some(Link {
            seq: stamp.seq,
            hash: frame.hash,
        });
        Ok(stamp)
    }

    /// The hash that the header names as the one before it.
    fn check_header(&self, line: &[u8], stamp: &Stamp<'_>) -> Result<Hash, (FindingKind, String)> {
        let changed = |message: &str| (FindingKind::Changed, message.to_owned());
        let header: Header = serde_json::from_slice(line)
            .map_err(|_| changed("the segment does not start with its header"))?;
        if stamp.kind != "segment" || header.format != FORMAT {
            return Err(changed("the segment's format is not known"));
        }
        if header.writer != self.writer || header.segment != self.segment {
            return Err(changed("the header is that of another segment"));
        }
        let previous = chain::from_hex(header.previous.as_bytes())
            .ok_or_else(|| changed("the header does not name the hash before it"))?;
        match self.before {
            Some(before) if before.hash != previous => Err((
                FindingKind::WrongPrevious,
                "the header does not continue the segment before it".to_owned(),
            )),
            Some(_) | None => Ok(previous),
        }
    }
}

/// A line as a record, if it has the shape of one.
pub(super) fn parse(line: &[u8]) -> Option<(Frame<'_>, Stamp<'_>)> {
    let frame = Frame::parse(line)?;
    let stamp = match quick::stamp(frame.body) {
        Some(stamp) => stamp,
        None => serde_json::from_slice(line).ok()?,
    };
    Some((frame, stamp))
}

fn misplaced(expected: Option<u64>, seq: u64) -> Option<(FindingKind, String)> {
    let expected = expected?;
    match seq.checked_sub(expected) {
        Some(0) => None,
        Some(missing) => Some((
            FindingKind::Gap,
            format!("record {seq} stands where record {expected} should: {missing} missing"),
        )),
        None => Some((
            FindingKind::Repeated,
            format!("record {seq} stands where record {expected} should"),
        )),
    }
}

/// Whether the segment ends before its good part does.
pub(super) fn incomplete(
    link: Option<Link>,
    good_end: u64,
    good_bytes: Option<u64>,
) -> Option<Fault> {
    let message = match (link, good_bytes) {
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
        seq: link.map(|link| link.seq.saturating_add(1)),
        message,
    })
}
