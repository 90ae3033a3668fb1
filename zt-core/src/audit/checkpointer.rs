//! The thread that signs: turns tree heads into notes in `<writer>.checkpoints`, beside the thread that writes records.
//!
//! In: where the log stands on the disk, the newest alone if several come. Out: a synced note, or a failure in the log's
//! health. Never delays or loses a record. The audit key is asked on a second thread, until it has endorsed the process key;
//! notes before that carry no endorsement and are vouched for by the first one that does.

pub(super) mod notes;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::AuditError;
use super::checkpoint::{Endorsement, TreeHead, statement};
use super::disk::Disk;
use super::folder::checkpoints_name;
use super::options::AuditOptions;
use super::signature::{CheckpointSigner, ProcessKey, PublicKey, SignError, to_der};
use super::status::Status;
use notes::Notes;

/// How long the first note waits for the endorsement, which a local key gives at once, and the opening for the key's name.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// How long until an audit key that did not sign is asked again.
const RETRY: Duration = Duration::from_secs(30);

/// The signing of one log.
#[derive(Debug)]
pub(super) struct Checkpointer {
    desk: Arc<Desk>,
    patience: Duration,
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
    /// What the audit key answered last when it was asked who it is.
    audit_key: Option<Result<PublicKey, SignError>>,
    endorsement: Option<Endorsement>,
    /// Whether the audit key is asked at this moment, or is about to be.
    is_asked: bool,
    /// Whether it will never be asked again.
    is_over: bool,
    /// What waits for an endorsed note of so many records.
    awaiting: Option<(u64, Deed)>,
    /// Whether that is being done.
    is_doing: bool,
    /// Whether it must not go on.
    must_stop: bool,
    is_ending: bool,
    /// Until when the end may wait for the audit key.
    patient_until: Option<Instant>,
    has_ended: bool,
}

/// What may be done only under an endorsed note.
struct Deed(Box<dyn FnOnce(MustStop<'_>) + Send>);

/// Tells who does it whether it must not go on.
type MustStop<'a> = &'a dyn Fn() -> bool;

impl fmt::Debug for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deed")
    }
}

impl Checkpointer {
    /// Makes a process key and starts to sign for `writer`.
    pub(super) fn start(
        signer: Arc<dyn CheckpointSigner>,
        options: &AuditOptions,
        writer: &str,
        disk: Arc<dyn Disk>,
        status: Arc<Status>,
    ) -> Result<Self, AuditError> {
        let invalid = |error: SignError| AuditError::Invalid {
            what: error.to_string(),
        };
        let (folder, patience) = (options.folder(), options.key_patience);
        let key = ProcessKey::generate().map_err(invalid)?;
        let statement = statement(writer, key.public());
        let desk = Arc::new(Desk::default());
        desk.lock().is_asked = true;
        let endorser = Endorser {
            desk: Arc::clone(&desk),
            signer,
            statement,
            status: Arc::clone(&status),
        };
        let path = folder.join(checkpoints_name(writer));
        let clerk = Clerk {
            desk: Arc::clone(&desk),
            notes: Notes::new(key, writer.to_owned(), path, disk, options.most_notes),
            patience,
            status,
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
        Ok(Self { desk, patience })
    }

    /// The audit key's public part, as it tells the thread that asks it; waits for it for a time.
    pub(super) fn audit_key(&self) -> Result<PublicKey, SignError> {
        let is_waiting = |state: &mut State| state.audit_key.is_none();
        let changed = &self.desk.changed;
        let (state, _) = changed
            .wait_timeout_while(self.desk.lock(), self.patience, is_waiting)
            .unwrap_or_else(PoisonError::into_inner);
        let waited = self.patience.as_secs();
        let late = || {
            Err(SignError::new(format!(
                "it has not answered within {waited} s"
            )))
        };
        state.audit_key.clone().unwrap_or_else(late)
    }

    /// Asks for a checkpoint; returns at once.
    pub(super) fn offer(&self, head: TreeHead) {
        self.desk.lock().due = Some(head);
        self.desk.changed.notify_all();
    }

    /// Has this done once a note of so many records, which the audit key vouches for, is on the disk; never otherwise. It is
    /// told whether it must stop.
    pub(super) fn when_endorsed(
        &self,
        size: u64,
        deed: impl FnOnce(MustStop<'_>) + Send + 'static,
    ) {
        self.desk.lock().awaiting = Some((size, Deed(Box::new(deed))));
    }

    /// Ends the signing; returns when the last note is on the disk or has failed, or after `timeout`. An audit key that has
    /// not answered yet is given most of that time.
    pub(super) fn end(&self, timeout: Duration) {
        let mut state = self.desk.lock();
        state.is_ending = true;
        // Also one that did not answer before is asked once more.
        state.is_asked |= state.endorsement.is_none() && !state.is_over;
        state.patient_until = Some(Instant::now() + timeout / 4 * 3);
        self.desk.changed.notify_all();
        drop(
            self.desk
                .changed
                .wait_timeout_while(state, timeout, |state| !state.has_ended),
        );
    }

    /// Waits until what waited for an endorsed note is done; after `timeout` it is told to stop, and is not begun any more.
    pub(super) fn settle(&self, timeout: Duration) {
        let is_doing = |state: &mut State| state.is_doing;
        let changed = &self.desk.changed;
        let (mut state, _) = changed
            .wait_timeout_while(self.desk.lock(), timeout, is_doing)
            .unwrap_or_else(PoisonError::into_inner);
        state.must_stop = true;
    }

    /// Whether the end was asked for.
    #[cfg(test)]
    pub(super) fn is_ending(&self) -> bool {
        self.desk.lock().is_ending
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.end(Duration::ZERO);
        self.settle(Duration::ZERO);
    }
}

impl State {
    /// What the audit key answered. While the log ends it is asked once more, unless it was asked since the end began: whoever
    /// waits for the last answer must not see a moment in which nobody is asked.
    fn answered(&mut self, is_last: bool, endorsement: Option<Endorsement>) {
        self.is_over = is_last || endorsement.is_some();
        self.is_asked = !self.is_over && self.is_ending;
        self.endorsement = endorsement;
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
        let is_waiting = |state: &mut State| state.endorsement.is_none() && !state.is_ending;
        let (state, _) = self
            .changed
            .wait_timeout_while(self.lock(), patience, is_waiting)
            .unwrap_or_else(PoisonError::into_inner);
        state.endorsement.clone()
    }

    /// The endorsement that an audit key gives while the log ends; one that has refused is not waited for.
    fn last_endorsement(&self) -> Option<Endorsement> {
        let mut state = self.lock();
        while state.endorsement.is_none() && state.is_asked {
            let until = state.patient_until.unwrap_or_else(Instant::now);
            let rest = until.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                break;
            }
            let waited = self.changed.wait_timeout(state, rest);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        state.endorsement.clone()
    }

    /// What waits for an endorsed note of at most so many records.
    fn deed(&self, size: u64) -> Option<Deed> {
        let mut state = self.lock();
        let due = state.awaiting.take_if(|(least, _)| *least <= size);
        state.is_doing |= due.is_some();
        due.map(|(_, deed)| deed)
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
            let is_last = {
                let mut state = self.desk.lock();
                state.is_asked = true;
                state.is_ending
            };
            let answer = self.endorse();
            if let Err(error) = &answer {
                self.status.not_signed(error.to_string());
            }
            let mut state = self.desk.lock();
            state.answered(is_last, answer.ok());
            self.desk.changed.notify_all();
            if state.is_over {
                return;
            }
            let again = Instant::now() + RETRY;
            while !state.is_ending {
                let rest = again.saturating_duration_since(Instant::now());
                if rest.is_zero() {
                    break;
                }
                let waited = self.desk.changed.wait_timeout(state, rest);
                (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn endorse(&self) -> Result<Endorsement, SignError> {
        let key = self.signer.public_key();
        self.desk.lock().audit_key = Some(key.clone());
        self.desk.changed.notify_all();
        let key = key?;
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
    notes: Notes,
    patience: Duration,
    status: Arc<Status>,
}

impl Clerk {
    fn run(mut self) {
        let _on_exit = OnExit(Arc::clone(&self.desk));
        let mut patience = self.patience;
        let mut unendorsed = None;
        while let Some(head) = self.desk.next() {
            let endorsement = self.desk.endorsement(patience);
            patience = Duration::ZERO;
            unendorsed = endorsement.is_none().then(|| head.clone());
            self.note(head, endorsement.as_ref());
        }
        // The last word of a log that ends before its audit key has answered: nobody could vouch for it later.
        if let Some(head) = unendorsed
            && let Some(endorsement) = self.desk.last_endorsement()
        {
            self.note(head, Some(&endorsement));
        }
    }

    fn note(&mut self, head: TreeHead, endorsement: Option<&Endorsement>) {
        let size = head.size;
        let is_endorsed = endorsement.is_some();
        match self.notes.add(head, endorsement) {
            Ok(()) => {
                let trouble = self.notes.trouble();
                self.status.signed(size, is_endorsed, trouble);
                if is_endorsed && let Some(Deed(deed)) = self.desk.deed(size) {
                    // Beside the notes, which do not wait for it; what the log's end interrupts, the next one does.
                    let thread = thread::Builder::new().name("zt-audit-retire".to_owned());
                    let done = Done(Arc::clone(&self.desk));
                    let work = move || deed(&|| done.0.lock().must_stop);
                    if let Err(error) = thread.spawn(work) {
                        self.status
                            .not_signed(format!("cannot start a thread: {error}"));
                    }
                }
            }
            Err(error) => self.status.not_signed(error),
        }
    }
}

/// Lets go of who waits for the deed, however it ended.
struct Done(Arc<Desk>);

impl Drop for Done {
    fn drop(&mut self) {
        self.0.lock().is_doing = false;
        self.0.changed.notify_all();
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
