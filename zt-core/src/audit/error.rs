//! What can go wrong with the log, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Code, Error};

/// A failure of the audit log. Cheap to clone: one failed sync is the answer to every waiter of its group.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The log cannot be written or read now. Nothing that was acknowledged is lost.
    #[error("cannot {what} `{}`: {source}", path.display())]
    #[non_exhaustive]
    Unavailable {
        /// What was tried: `sync the audit segment`.
        what: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// The operating system's answer.
        source: Arc<io::Error>,
    },
    /// A segment was changed, or is damaged elsewhere than at its end.
    #[error("audit segment `{}` is not what was written: line {line}, byte {byte_offset}: {what}", file.display())]
    #[non_exhaustive]
    Tampered {
        /// The segment.
        file: PathBuf,
        /// The line of the first bad record, from 1.
        line: u64,
        /// The number of the bad record, where it can be told.
        seq: Option<u64>,
        /// Where the bad record starts, in bytes from the start of the file.
        byte_offset: u64,
        /// What is wrong with it.
        what: String,
    },
    /// The log was closed before.
    #[error("the audit log is closed")]
    Closed,
    /// The log did not answer in time; the record may or may not be kept.
    #[error("the audit log did not {what} in time")]
    #[non_exhaustive]
    Timeout {
        /// What was waited for: `take the record`.
        what: &'static str,
    },
    /// The record is on the disk, and a sink that must have it before the answer has not acknowledged it.
    #[error("the audit sink `{sink}` did not acknowledge the record: {reason}")]
    #[non_exhaustive]
    Unacknowledged {
        /// The sink's name.
        sink: String,
        /// What it said.
        reason: String,
    },
    /// A sink has lacked records for longer than the options allow, so that no effect is let through.
    #[error("the audit sink `{sink}` has lacked records for {} s", behind.as_secs())]
    #[non_exhaustive]
    Behind {
        /// The sink's name.
        sink: String,
        /// For how long.
        behind: Duration,
    },
    /// The log is closed and whole, and sinks lack its last records.
    #[error("the audit log is closed, and its sinks do not have all of it: {what} records")]
    #[non_exhaustive]
    Undelivered {
        /// Which, and how many: `` `monitor` lacks 12 ``.
        what: String,
    },
    /// There is no such record, or it cannot be proven.
    #[error("{what}")]
    #[non_exhaustive]
    NotFound {
        /// Which, and why not.
        what: String,
    },
    /// What an executor sent is not what it did.
    #[error("the statement of an executor is not what was written: {why}")]
    #[non_exhaustive]
    Statement {
        /// What is wrong with it.
        why: String,
    },
    /// An option or a record is malformed.
    #[error("{what}")]
    #[non_exhaustive]
    Invalid {
        /// Which, and what it should be.
        what: String,
    },
}

impl AuditError {
    pub(super) fn unavailable(what: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Unavailable {
            what,
            path: path.to_path_buf(),
            source: Arc::new(source),
        }
    }

    /// Whether a file is not there any more: retention, of whichever process, removes those that were listed a moment ago.
    pub(super) fn is_gone(&self) -> bool {
        self.gone().is_some()
    }

    /// Which file that is.
    pub(super) fn gone(&self) -> Option<&Path> {
        let Self::Unavailable { path, source, .. } = self else {
            return None;
        };
        (source.kind() == io::ErrorKind::NotFound).then_some(path)
    }

    fn help(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => {
                "check that the audit folder exists, is writable and has free space; the next append tries again"
            }
            Self::Tampered { .. } => {
                "move the audit folder aside as evidence, start with an empty one, then run `zt audit verify` on the old"
            }
            Self::Closed => "append before the runtime is closed, or open a new one",
            Self::Timeout { .. } => {
                "check that the disk of the audit folder is not overloaded, then try again"
            }
            Self::Unacknowledged { .. } | Self::Behind { .. } => {
                "see the sinks of the audit log in `zt status`; they are tried again by themselves"
            }
            Self::Undelivered { .. } => {
                "keep the audit folder: the next log that is opened in it with these sinks delivers the rest"
            }
            Self::NotFound { .. } => {
                "`zt audit query` prints what there is, and `zt audit verify` whether it is intact"
            }
            Self::Statement { .. } => "pass it on as it was made; keep it as evidence otherwise",
            Self::Invalid { .. } => "correct the audit settings",
        }
    }
}

impl From<AuditError> for Error {
    fn from(error: AuditError) -> Self {
        let code = match error {
            AuditError::Unavailable { .. }
            | AuditError::Timeout { .. }
            | AuditError::Unacknowledged { .. }
            | AuditError::Behind { .. }
            | AuditError::Undelivered { .. } => Code::AuditUnavailable,
            AuditError::Closed => Code::Closed,
            AuditError::Tampered { .. } | AuditError::Statement { .. } => Code::AuditIntegrity,
            AuditError::NotFound { .. } => Code::NotFound,
            AuditError::Invalid { .. } => Code::Config,
        };
        Self::new(code, error.to_string())
            .with_help(error.help())
            .with_source(error)
    }
}
