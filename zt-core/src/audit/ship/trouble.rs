//! Why a round did not end well: the log, the sink, or the place of the cursors.

use std::fmt;
use std::io;
use std::path::Path;

use super::super::AuditError;
use super::super::sink::SinkError;

#[derive(Debug)]
pub(super) enum Trouble {
    Log(AuditError),
    Sink(SinkError),
    Place(io::Error),
}

impl Trouble {
    pub(super) const fn place(error: io::Error) -> Self {
        Self::Place(error)
    }

    /// Whether another log would fare no better.
    pub(super) const fn is_of_sink(&self) -> bool {
        match self {
            Self::Sink(SinkError::Conflict { .. }) | Self::Log(_) => false,
            Self::Sink(_) | Self::Place(_) => true,
        }
    }
}

impl Trouble {
    /// Whether a file of the log is gone by rule: the next look tells what is left.
    pub(super) fn is_gone(&self) -> bool {
        self.gone().is_some()
    }

    /// Which file that is.
    pub(super) fn gone(&self) -> Option<&Path> {
        match self {
            Self::Log(error) => error.gone(),
            Self::Sink(_) | Self::Place(_) => None,
        }
    }

    /// Whether no later attempt fares better: what cannot be read now may be read then.
    pub(super) const fn is_damage(&self) -> bool {
        match self {
            Self::Sink(SinkError::Conflict { .. }) | Self::Log(AuditError::Tampered { .. }) => true,
            Self::Sink(_) | Self::Place(_) | Self::Log(_) => false,
        }
    }
}

impl From<AuditError> for Trouble {
    fn from(error: AuditError) -> Self {
        Self::Log(error)
    }
}

impl From<SinkError> for Trouble {
    fn from(error: SinkError) -> Self {
        Self::Sink(error)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log(error) => error.fmt(f),
            Self::Sink(error) => error.fmt(f),
            Self::Place(error) => write!(f, "the cursor cannot be kept: {error}"),
        }
    }
}
