//! The thread that signs: turns tree heads into notes in `<writer>.checkpoints`, beside the thread that writes records.
//!
//! In: where the log stands on the disk, the newest alone if several come. Out: a synced note, or a failure in the log's
//! health. Never delays or loses a record. The audit key is asked on a second thread, until it has endorsed the process key;
//! notes before that carry no endorsement and are vouched for by the first one that does.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::AuditError;
use super::chain::{Hash, ZERO};
use super::checkpoint::{Checkpoint, Endorsement, TreeHead, statement};
use super::disk::{Disk, SegmentFile};
use super::folder::checkpoints_name;
use super::signature::{CheckpointSigner, ProcessKey, SignError, to_der};
use super::status::Status;

/// How long the first note waits for the endorsement, which a local key gives at once.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long until an audit key that did not sign is asked again.
const RETRY: Duration = Duration::from_secs(30);

/// The signing of one log.
#[derive(Debug)]
pub(super) struct Checkpointer {
    desk: Arc<Desk>,
}

/// What the threads share.
#[derive(Debug, Default)]
struct Desk {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    due: Option<TreeHead>,
    endorsement: Option<Endorsement>,
    is_ending: bool,
    has_ended: bool,
}

impl Checkpointer {
    /// Makes a process key and starts to sign for `writer`.
    pub(super) fn start(
        signer: Arc<dyn CheckpointSigner>,
        folder: &Path,
        writer: &str,
        disk: Arc<dyn Disk>,
        status: Arc<Status>,
    ) -> Result<Self, AuditError> {
        let invalid = |error: SignError| AuditError::Invalid {
            what: error.to_string(),
        };
        let key = ProcessKey::generate().map_err(invalid)?;
        let statement = statement(writer, key.public());
        let desk = Arc::new(Desk::default());
        let endorser = Endorser {
            desk: Arc::clone(&desk),
            signer,
            statement,
            status: Arc::clone(&status),
        };
        let clerk = Clerk {
            desk: Arc::clone(&desk),
            key,
            writer: writer.to_owned(),
            path: folder.join(checkpoints_name(writer)),
            disk,
            status,
            file: None,
            bytes: 0,
            previous: ZERO,
            has_waited: false,
        };
        let failed = |error| AuditError::unavailable("start a thread for", folder, error);
        let named = |name: &str| thread::Builder::new().name(name.to_owned());
        drop(
            named("zt-audit-key")
                .spawn(move || endorser.run())
                .map_err(failed)?,
        );
        drop(
            named("zt-audit-sign")
                .spawn(move || clerk.run())
                .map_err(failed)?,
        );
        Ok(Self { desk })
    }

    /// Asks for a checkpoint; returns at once.
    pub(super) fn offer(&self, head: TreeHead) {
        self.desk.lock().due = Some(head);
        self.desk.changed.notify_all();
    }

    /// Ends the signing; returns when the last note is on the disk or has failed, or after `timeout`.
    pub(super) fn end(&self, timeout: Duration) {
        let mut state = self.desk.lock();
        state.is_ending = true;
        self.desk.changed.notify_all();
        drop(
            self.desk
                .changed
                .wait_timeout_while(state, timeout, |state| !state.has_ended),
        );
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.end(Duration::ZERO);
    }
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest head that is due, or `None` when the log has ended.
    fn next(&self) -> Option<TreeHead> {
        let is_waiting = |state: &mut State| state.due.is_none() && !state.is_ending;
        let mut state = self
            .changed
            .wait_while(self.lock(), is_waiting)
            .unwrap_or_else(PoisonError::into_inner);
        state.due.take()
    }

    fn endorsement(&self, patience: Duration) -> Option<Endorsement> {
        let is_waiting = |state: &mut State| state.endorsement.is_none();
        let (state, _) = self
            .changed
            .wait_timeout_while(self.lock(), patience, is_waiting)
            .unwrap_or_else(PoisonError::into_inner);
        state.endorsement.clone()
    }
}

/// The thread that asks the audit key.
struct Endorser {
    desk: Arc<Desk>,
    signer: Arc<dyn CheckpointSigner>,
    statement: String,
    status: Arc<Status>,
}

impl Endorser {
    fn run(self) {
        loop {
            match self.endorse() {
                Ok(endorsement) => {
                    self.desk.lock().endorsement = Some(endorsement);
                    self.desk.changed.notify_all();
                    return;
                }
                Err(error) => self.status.not_signed(error.to_string()),
            }
            let again = Instant::now() + RETRY;
            let mut state = self.desk.lock();
            while !state.is_ending {
                let rest = again.saturating_duration_since(Instant::now());
                if rest.is_zero() {
                    break;
                }
                let waited = self.desk.changed.wait_timeout(state, rest);
                (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
            }
            if state.is_ending {
                return;
            }
        }
    }

    fn endorse(&self) -> Result<Endorsement, SignError> {
        let key = self.signer.public_key()?;
        let signature = to_der(&self.signer.sign(self.statement.as_bytes())?);
        if !key.verifies(self.statement.as_bytes(), &signature) {
            return Err(SignError::new("its signature does not fit its public key"));
        }
        Ok(Endorsement {
            key_id: key.id(),
            signature,
        })
    }
}

/// The thread that signs and writes notes.
struct Clerk {
    desk: Arc<Desk>,
    key: ProcessKey,
    writer: String,
    path: PathBuf,
    disk: Arc<dyn Disk>,
    status: Arc<Status>,
    file: Option<Box<dyn SegmentFile>>,
    /// How much of the file is on the disk; 0 while there is none.
    bytes: u64,
    previous: Hash,
    has_waited: bool,
}

impl Clerk {
    fn run(mut self) {
        let _on_exit = OnExit(Arc::clone(&self.desk));
        while let Some(head) = self.desk.next() {
            let size = head.size;
            match self.checkpoint(head) {
                Ok(is_endorsed) => self.status.signed(size, is_endorsed),
                Err(error) => self.status.not_signed(error),
            }
        }
    }

    /// Signs and keeps one note; whether the audit key vouches for it.
    fn checkpoint(&mut self, head: TreeHead) -> Result<bool, String> {
        let patience = if self.has_waited {
            Duration::ZERO
        } else {
            PATIENCE
        };
        self.has_waited = true;
        let endorsement = self.desk.endorsement(patience);
        let is_endorsed = endorsement.is_some();
        let signed = Checkpoint::sign(&self.writer, head, self.previous, &self.key, endorsement);
        let signed = signed.map_err(|error| error.to_string())?;
        let note = signed.note();
        let kept = self.keep(note.as_bytes());
        if let Err(error) = kept {
            // What is behind the synced part may or may not be there: the next note starts where it ends.
            self.file = None;
            let failed = AuditError::unavailable("write the audit checkpoints", &self.path, error);
            return Err(failed.to_string());
        }
        self.bytes += u64::try_from(note.len()).unwrap_or(u64::MAX);
        self.previous = signed.hash();
        Ok(is_endorsed)
    }

    fn keep(&mut self, note: &[u8]) -> std::io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none if self.bytes > 0 => none.insert(self.disk.reopen(&self.path, self.bytes)?),
            none => {
                let unpublished = self.path.with_extension("checkpoints.new");
                let mut file = self.disk.create(&unpublished)?;
                file.write(note)?;
                file.sync()?;
                self.disk.publish(&unpublished, &self.path)?;
                *none = Some(file);
                return Ok(());
            }
        };
        file.write(note)?;
        file.sync()
    }
}

/// Lets go of who waits for the end, when the thread ends by a panic too.
struct OnExit(Arc<Desk>);

impl Drop for OnExit {
    fn drop(&mut self) {
        self.0.lock().has_ended = true;
        self.0.changed.notify_all();
    }
}
