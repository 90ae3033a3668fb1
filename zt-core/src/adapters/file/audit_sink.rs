//! A copy of audit logs in another folder: a mounted volume, a share.
//!
//! The copy has the same files with the same bytes as the log, so `zt audit verify --copy` checks it as it checks the log.
//! What stands there already is known from the last line of a log's newest file, and not written again. A line that a killed
//! process left torn is cut: it was never acknowledged, and comes again. Files are made with mode 0600, the folder with 0700.

mod tail;

use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use zt_memory::fork::Local;

use crate::audit::{AuditSink, Receipt, SinkBatch, SinkError, SinkRecord};
use crate::port::BoxFuture;
use tail::Tail;

/// A folder that audit logs are copied to.
#[derive(Debug)]
pub struct FileAuditSink {
    folder: PathBuf,
    /// Of the log that was written last. Of this process: a child that is forked during a delivery would wait for ever.
    tail: Local<Mutex<Option<Tail>>>,
}

impl FileAuditSink {
    /// Copies to this folder. It is made with the first record.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            tail: Local::new(),
        }
    }

    fn keep(&self, batch: &SinkBatch) -> Result<Receipt, SinkError> {
        let failed = |error: io::Error| {
            let folder = self.folder.display();
            SinkError::unavailable(format!("cannot write to `{folder}`: {error}"))
        };
        let mut place = self.lock();
        // Taken, so that after a failure the files are looked at again.
        let known = place.take();
        let known = known.filter(|tail| tail.is_of(&batch.writer) && tail.is_current());
        let mut tail = match known {
            Some(tail) => tail,
            None => Tail::find(&self.folder, &batch.writer).map_err(failed)?,
        };
        let mut is_whole = true;
        for (place, record) in batch.records.iter().enumerate() {
            // Only what the log itself has no more may be missing here.
            let may_gap = batch.is_start && place == 0;
            match Next::of(&tail, record, may_gap)? {
                Next::Known => {}
                Next::Line => tail.push(record),
                Next::Segment(number) => {
                    tail.flush().map_err(failed)?;
                    tail.start(number).map_err(failed)?;
                    tail.push(record);
                }
                Next::Gap => {
                    is_whole = false;
                    break;
                }
            }
        }
        tail.flush().map_err(failed)?;
        let up_to = if is_whole { batch.last() } else { tail.seq() };
        *place = Some(tail);
        Ok(Receipt::up_to(up_to))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Tail>> {
        let tail = self.tail.get_or_init(Mutex::default);
        tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AuditSink for FileAuditSink {
    fn deliver<'a>(&'a self, batch: &'a SinkBatch) -> BoxFuture<'a, Result<Receipt, SinkError>> {
        Box::pin(async move { self.keep(batch) })
    }
}

/// What a record is to the copy.
enum Next {
    /// It stands there.
    Known,
    /// The next line of the newest file.
    Line,
    /// The first line of this segment.
    Segment(u32),
    /// Something is missing before it.
    Gap,
}

impl Next {
    fn of(tail: &Tail, record: &SinkRecord, may_gap: bool) -> Result<Self, SinkError> {
        if record.seq < tail.seq() {
            return Ok(Self::Known);
        }
        if record.seq == tail.seq() {
            if tail.hash() == record.hash {
                return Ok(Self::Known);
            }
            let what = format!(
                "the copy `{}` has another record {}: keep both as evidence",
                tail.path().display(),
                record.seq
            );
            return Err(SinkError::conflict(what));
        }
        if record.seq != tail.seq().saturating_add(1) && !may_gap {
            return Ok(Self::Gap);
        }
        Ok(tail::segment_of(&record.line).map_or(Self::Line, Self::Segment))
    }
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
