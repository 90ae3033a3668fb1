//! Where the log lies and how much it may hold back.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::{AuditError, AuditSink, CheckpointSigner, PublicKey, checkpointer, cursor};

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
    pub(super) former_keys: Vec<PublicKey>,
    pub(super) sinks: Vec<SinkOptions>,
    pub(super) remote_deadline: Duration,
    pub(super) most_lag: Option<Duration>,
    /// How long the opening and the first note wait for the audit key.
    pub(super) key_patience: Duration,
    /// How many notes fill a file of checkpoints.
    pub(super) most_notes: usize,
}

/// A sink and what it is for.
#[derive(Debug, Clone)]
pub(super) struct SinkOptions {
    pub(super) name: String,
    pub(super) sink: Arc<dyn AuditSink>,
    pub(super) is_remote: bool,
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
            former_keys: Vec::new(),
            sinks: Vec::new(),
            remote_deadline: Duration::from_secs(10),
            most_lag: None,
            key_patience: checkpointer::PATIENCE,
            most_notes: checkpointer::notes::MOST,
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
    /// for ever. A clock that leaps by more than this, or by more than 30 days, is believed once the folder is a week beyond the
    /// leap: until then age is measured from a day after the last record before it.
    pub fn with_retention(mut self, age: Duration) -> Self {
        self.retention = Some(age);
        self
    }

    /// An audit key that vouched before the signer's does, and has not leaked. Retention removes logs that it vouches for and that
    /// began before the first one of the signer's key; of a key that is neither named here nor the signer's it removes nothing.
    pub fn with_former_key(mut self, key: PublicKey) -> Self {
        self.former_keys.push(key);
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

    /// Copies every record to this sink too. Its name, lowercase letters, digits, `-` and `_`, is that of the folder with its
    /// cursors: who renames it has all records delivered again.
    pub fn with_sink(self, name: impl Into<String>, sink: Arc<dyn AuditSink>) -> Self {
        self.adding(name.into(), sink, false)
    }

    /// The same for a sink that records wait for which are appended as
    /// [`Durability::Remote`](super::Durability::Remote). With several of them each must have the record.
    pub fn with_remote_sink(self, name: impl Into<String>, sink: Arc<dyn AuditSink>) -> Self {
        self.adding(name.into(), sink, true)
    }

    /// The folders in which the sinks keep how far they have each log.
    pub(super) fn cursors(&self) -> Vec<PathBuf> {
        let sinks = self.sinks.iter();
        sinks
            .map(|sink| cursor::folder_of(&self.folder, &sink.name))
            .collect()
    }

    fn adding(mut self, name: String, sink: Arc<dyn AuditSink>, is_remote: bool) -> Self {
        self.sinks.push(SinkOptions {
            name,
            sink,
            is_remote,
        });
        self
    }

    /// How long a record waits for its acknowledgement by a remote sink; 10 s unless told.
    pub fn with_remote_deadline(mut self, deadline: Duration) -> Self {
        self.remote_deadline = deadline;
        self
    }

    /// Refuses every effect while a sink has lacked records for longer than this; never unless told.
    pub fn with_most_lag(mut self, most: Duration) -> Self {
        self.most_lag = Some(most);
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
        } else if self.remote_deadline.is_zero() {
            "the deadline of remote sinks is zero"
        } else if let Some(name) = self.unusable_name() {
            let what = format!(
                "the sink's name `{name}` is taken, or is not 1 to 32 of a to z, 0 to 9, `-` and `_`"
            );
            return Err(AuditError::Invalid { what });
        } else {
            return Ok(());
        };
        Err(AuditError::Invalid {
            what: wrong.to_owned(),
        })
    }

    /// A name that is no folder's, or that two sinks have.
    fn unusable_name(&self) -> Option<&str> {
        let is_good = |name: &str| {
            let is_plain = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
            (1..=32).contains(&name.len()) && name.bytes().all(is_plain)
        };
        let names = || self.sinks.iter().map(|sink| sink.name.as_str());
        names().find(|name| !is_good(name) || names().filter(|other| other == name).count() > 1)
    }
}
