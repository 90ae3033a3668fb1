//! The one thread that writes: frames records, groups them into one sync, rotates, and starts anew after a failure.
//!
//! A record leaves [`Writer::unsynced`] only when it is on the disk, or when its caller was told that it is not. So
//! what was accepted without waiting outlives a failed segment: it is chained again into the next one.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;

use super::AuditError;
use super::chain::{Hash, Link, hex};
use super::checkpoint::TreeHead;
use super::disk::{Disk, SegmentFile};
use super::folder::segment_name;
use super::record::to_fields;
use super::scan::{AfterFailure, FORMAT, Header};
use super::status::Status;
use super::tree::Tree;
use crate::clock::Clock;

/// Where the answer to a waiting caller goes.
pub(super) type Reply = SyncSender<Result<(), AuditError>>;

/// How much memory for text is kept between two groups of records.
const KEPT: usize = 4 << 20;

/// The state of one chain and its newest segment.
#[derive(Debug)]
pub(super) struct Writer {
    clock: Arc<dyn Clock>,
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    name: String,
    limit: u64,
    segment: Option<Segment>,
    failure: Option<Failure>,
    synced: Link,
    /// Over the records up to `synced`.
    tree: Tree,
    unsynced: Vec<Queued>,
    /// Their fields, one after another.
    text: Vec<u8>,
    /// How many of `unsynced` are in the segment's file.
    written: usize,
    /// The hashes of those.
    hashes: Vec<Hash>,
    /// What is about to be written.
    bytes: Vec<u8>,
    status: Arc<Status>,
}

#[derive(Debug)]
struct Segment {
    number: u32,
    file: Box<dyn SegmentFile>,
    header_bytes: u64,
    bytes: u64,
    synced_bytes: u64,
    head: Link,
}

/// A segment that is given up. It stays open for its lock: this writer is alive.
#[derive(Debug)]
struct Failure {
    segment: Segment,
    error: AuditError,
}

#[derive(Debug)]
struct Queued {
    /// Where its fields end in the text.
    end: usize,
    reply: Option<Reply>,
}

impl Writer {
    /// A writer that has written nothing; the first [`sync`](Self::sync) creates its first segment.
    pub(super) fn new(
        folder: PathBuf,
        name: String,
        limit: u64,
        clock: Arc<dyn Clock>,
        disk: Arc<dyn Disk>,
        status: Arc<Status>,
    ) -> Self {
        Self {
            clock,
            disk,
            folder,
            name,
            limit,
            segment: None,
            failure: None,
            synced: Link::START,
            tree: Tree::default(),
            unsynced: Vec::new(),
            text: Vec::new(),
            written: 0,
            hashes: Vec::new(),
            bytes: Vec::new(),
            status,
        }
    }

    /// Takes a record, whose fields `write` appends. With `reply` the caller is told whether it is on the disk.
    pub(super) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>), reply: Option<Reply>) {
        write(&mut self.text);
        let end = self.text.len();
        self.unsynced.push(Queued { end, reply });
    }

    /// Its name, as in its file names.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// How many records are taken and not on the disk.
    pub(super) const fn unsynced(&self) -> usize {
        self.unsynced.len()
    }

    /// How many bytes of fields are taken and not handed to the operating system.
    pub(super) fn unwritten(&self) -> usize {
        self.text.len() - start_of(&self.unsynced, self.written)
    }

    /// Why nothing is written, if so.
    pub(super) fn error(&self) -> Option<&AuditError> {
        self.failure.as_ref().map(|failure| &failure.error)
    }

    /// Where the log stands on the disk; `at` is now.
    pub(super) fn tree_head(&self) -> TreeHead {
        TreeHead {
            size: self.tree.size(),
            root: self.tree.root(),
            head: self.synced.hash,
            at: self.clock.now().to_string(),
        }
    }

    /// How many records are on the disk.
    pub(super) const fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Hands everything taken to the operating system, without waiting for the disk.
    pub(super) fn write(&mut self) -> Result<(), AuditError> {
        self.try_write().map_err(|error| self.fail(error))
    }

    /// Brings everything taken to the disk and answers who waits.
    pub(super) fn sync(&mut self) -> Result<(), AuditError> {
        self.try_write()
            .and_then(|()| self.try_sync())
            .map_err(|error| self.fail(error))
    }

    fn try_write(&mut self) -> Result<(), AuditError> {
        if self.segment.is_none() {
            self.start_segment()?;
        }
        loop {
            let is_full = self.fill()?;
            if !is_full {
                return Ok(());
            }
            self.try_sync()?;
            self.start_segment()?;
        }
    }

    /// Writes what fits into the segment in one go; returns whether the limit stopped it.
    fn fill(&mut self) -> Result<bool, AuditError> {
        let Some(segment) = &mut self.segment else {
            return Ok(true);
        };
        let bytes = &mut self.bytes;
        bytes.clear();
        let mut head = segment.head;
        let before = self.hashes.len();
        let mut is_full = false;
        // A new segment takes at least one record, however small the limit.
        let mut is_fresh = segment.bytes == segment.header_bytes;
        let mut start = start_of(&self.unsynced, self.written);
        for queued in self.unsynced.iter().skip(self.written) {
            let length_before = bytes.len();
            let fields = self.text.get(start..queued.end).unwrap_or_default();
            let next = head.append(fields, bytes);
            if !is_fresh && segment.bytes + length(bytes) > self.limit {
                bytes.truncate(length_before);
                is_full = true;
                break;
            }
            is_fresh = false;
            head = next;
            start = queued.end;
            self.hashes.push(next.hash);
        }
        if !bytes.is_empty() {
            segment.file.write(bytes).map_err(|error| {
                let path = self.folder.join(segment_name(&self.name, segment.number));
                AuditError::unavailable("write the audit segment", &path, error)
            })?;
        }
        segment.bytes += length(bytes);
        segment.head = head;
        self.written += self.hashes.len() - before;
        bytes.shrink_to(KEPT);
        Ok(is_full)
    }

    fn try_sync(&mut self) -> Result<(), AuditError> {
        let Some(segment) = &mut self.segment else {
            return Ok(());
        };
        if segment.synced_bytes < segment.bytes {
            segment.file.sync().map_err(|error| {
                let path = self.folder.join(segment_name(&self.name, segment.number));
                AuditError::unavailable("sync the audit segment", &path, error)
            })?;
            self.status.syncs.fetch_add(1, Ordering::AcqRel);
        }
        segment.synced_bytes = segment.bytes;
        self.synced = segment.head;
        for hash in self.hashes.drain(..) {
            self.tree.push(&hash);
        }
        let written = u64::try_from(self.written).unwrap_or(u64::MAX);
        self.status.records.fetch_add(written, Ordering::AcqRel);
        let gone = start_of(&self.unsynced, self.written);
        for queued in self.unsynced.drain(..self.written) {
            answer(queued.reply, Ok(()));
        }
        drop(self.text.drain(..gone));
        self.text.shrink_to(KEPT);
        for queued in &mut self.unsynced {
            queued.end -= gone;
        }
        self.written = 0;
        Ok(())
    }

    /// Creates the next segment under another name, and gives it its own once its header is on the disk: a segment that
    /// others can see is locked by its living writer and starts with a whole record.
    fn start_segment(&mut self) -> Result<(), AuditError> {
        let before = self
            .segment
            .as_ref()
            .or_else(|| self.failure.as_ref().map(|failure| &failure.segment));
        let number = before.map_or(1, |segment| segment.number.saturating_add(1));
        let header = Header {
            kind: "segment".into(),
            at: self.clock.now().to_string(),
            format: FORMAT,
            writer: self.name.clone(),
            segment: number,
            pid: std::process::id(),
            previous: hex(&self.synced.hash),
            after_failure: self.failure.as_ref().map(|failure| AfterFailure {
                file: segment_name(&self.name, failure.segment.number),
                good_bytes: failure.segment.synced_bytes,
                error: failure.error.to_string(),
            }),
        };
        let mut line = Vec::new();
        let head = self.synced.append(&to_fields(&header)?, &mut line);
        let name = segment_name(&self.name, number);
        let path = self.folder.join(&name);
        let unpublished = self.folder.join(format!("{name}.new"));
        let failed = |error| AuditError::unavailable("create the audit segment", &path, error);
        let mut file = self.disk.create(&unpublished).map_err(failed)?;
        file.write(&line).map_err(failed)?;
        file.sync().map_err(failed)?;
        self.disk.publish(&unpublished, &path).map_err(failed)?;
        self.synced = head;
        self.tree.push(&head.hash);
        self.status.records.fetch_add(1, Ordering::AcqRel);
        self.status.syncs.fetch_add(1, Ordering::AcqRel);
        self.status.is_failed.store(false, Ordering::Release);
        self.failure = None;
        self.segment = Some(Segment {
            number,
            file,
            header_bytes: length(&line),
            bytes: length(&line),
            synced_bytes: length(&line),
            head,
        });
        Ok(())
    }

    /// Gives up the segment, tells who waits, and keeps what was accepted for the next segment.
    fn fail(&mut self, error: AuditError) -> AuditError {
        if let Some(segment) = self.segment.take() {
            self.failure = Some(Failure {
                segment,
                error: error.clone(),
            });
        }
        self.written = 0;
        self.hashes.clear();
        // Before any answer: who learns of the failure must not have a next record accepted as if nothing happened.
        self.status.is_failed.store(true, Ordering::Release);
        *self.status.last_error() = Some(error.to_string());
        let text = std::mem::take(&mut self.text);
        let mut start = 0;
        for Queued { end, reply } in std::mem::take(&mut self.unsynced) {
            if reply.is_none() {
                let fields = text.get(start..end).unwrap_or_default();
                self.push(|text| text.extend_from_slice(fields), None);
            }
            answer(reply, Err(error.clone()));
            start = end;
        }
        error
    }
}

/// Where the fields of this one start, of records whose fields stand one after another.
fn start_of(records: &[Queued], at: usize) -> usize {
    let before = at.checked_sub(1).and_then(|before| records.get(before));
    before.map_or(0, |before| before.end)
}

/// Answers a caller; one that stopped waiting is gone, and that is no error of the log.
pub(super) fn answer(reply: Option<Reply>, result: Result<(), AuditError>) {
    if let Some(reply) = reply {
        drop(reply.try_send(result));
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
