//! Where the log lies and how much it may hold back.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::{AuditError, CheckpointSigner};

/// Settings of an [`AuditLog`](super::AuditLog). The defaults suit a service.
#[derive(Debug, Clone)]
#[must_use]
pub struct AuditOptions {
    pub(super) folder: PathBuf,
    pub(super) segment_bytes: u64,
    pub(super) queue_records: usize,
    pub(super) queue_bytes: usize,
    pub(super) counted_keys: usize,
    pub(super) deadline: Duration,
    pub(super) heartbeat: Duration,
    pub(super) signer: Option<Arc<dyn CheckpointSigner>>,
    pub(super) retention: Option<Duration>,
}

impl AuditOptions {
    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A log in `folder`, which is created with mode 0700 if it is missing.
    pub fn new(folder: impl AsRef<Path>) -> Self {
        Self {
            folder: folder.as_ref().to_path_buf(),
            segment_bytes: 64 << 20,
            queue_records: 8192,
            queue_bytes: 16 << 20,
            counted_keys: 4096,
            deadline: Duration::from_secs(2),
            heartbeat: Duration::from_secs(60),
            signer: None,
            retention: None,
        }
    }

    /// Starts a new segment before one would grow over `bytes`; 64 MiB unless told. A record is never split.
    pub fn with_segment_bytes(mut self, bytes: u64) -> Self {
        self.segment_bytes = bytes;
        self
    }

    /// How many records may wait for the disk, 8192 unless told, and how many bytes of text, 16 MiB unless told.
    pub fn with_queue(mut self, records: usize, bytes: usize) -> Self {
        self.queue_records = records;
        self.queue_bytes = bytes;
        self
    }

    /// How many distinct records may be collapsed at a time, 4096 unless told.
    pub fn with_counted_keys(mut self, keys: usize) -> Self {
        self.counted_keys = keys;
        self
    }

    /// How long an append waits for room in the queue, and a durable one again for the disk; 2 s unless told.
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Signs checkpoints under this audit key every 10 s, every 10 000 records, and at close; without it, none.
    pub fn with_signer(mut self, signer: Arc<dyn CheckpointSigner>) -> Self {
        self.signer = Some(signer);
        self
    }

    /// Removes closed and signed segments of the folder that are older than this, when the log is opened; else they stay
    /// for ever.
    pub fn with_retention(mut self, age: Duration) -> Self {
        self.retention = Some(age);
        self
    }

    /// Whether checkpoints are signed.
    #[must_use]
    pub const fn is_signed(&self) -> bool {
        self.signer.is_some()
    }

    /// Whether old segments are removed.
    #[must_use]
    pub const fn has_retention(&self) -> bool {
        self.retention.is_some()
    }

    /// How long the log may be silent before it writes that it is alive; 60 s unless told.
    pub fn with_heartbeat(mut self, every: Duration) -> Self {
        self.heartbeat = every;
        self
    }

    pub(super) fn check(&self) -> Result<(), AuditError> {
        let wrong = if self.segment_bytes < 1024 {
            "the size limit of an audit segment is below 1024 bytes"
        } else if self.queue_records == 0 || self.queue_bytes == 0 {
            "the queue of the audit log has no room"
        } else if self.deadline.is_zero() {
            "the deadline of the audit log is zero"
        } else if self.heartbeat.is_zero() {
            "the heartbeat of the audit log is zero"
        } else {
            return Ok(());
        };
        Err(AuditError::Invalid {
            what: wrong.to_owned(),
        })
    }
}
