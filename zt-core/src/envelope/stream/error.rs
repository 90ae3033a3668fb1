//! What is wrong with a file that is to be sealed or unsealed, by segment; never a byte of it.

use std::io;

use crate::error::{Code, Error};
use crate::text::shown;

/// Why a file cannot be sealed or unsealed. Segments are counted from 1.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The name cannot stand in a header.
    #[error("a sealed file has a name of 1 to {most} bytes without control characters")]
    #[non_exhaustive]
    Name {
        /// So many bytes it may have.
        most: usize,
    },
    /// The bytes do not begin as a sealed file does.
    #[error("this is not a sealed file: {what}")]
    #[non_exhaustive]
    NotSealed {
        /// What is wrong.
        what: &'static str,
    },
    /// A later version of zt sealed it.
    #[error("the file is sealed in a version that this zt does not know")]
    Version,
    /// It was sealed under another name.
    #[error(
        "the file was sealed as `{}`, and is opened as `{}`: another file lies in its place",
        shown(is),
        shown(needs)
    )]
    #[non_exhaustive]
    SealedAs {
        /// The name in it.
        is: String,
        /// The name that was asked for.
        needs: String,
    },
    /// The header was changed, or the key is not the one that it was sealed under.
    #[error("the header of the file was changed, or is of another file or key")]
    HeaderChanged,
    /// The opener holds other data keys.
    #[error("the key of the file is not one that this opener holds")]
    KeyNotHeld,
    /// Its end is missing.
    #[error("the file is cut: its end is missing after segment {segments}")]
    #[non_exhaustive]
    Cut {
        /// So many whole segments are there.
        segments: u64,
    },
    /// Something follows its end.
    #[error("the file ends with segment {segment}, and more follows: something was added")]
    #[non_exhaustive]
    Longer {
        /// The last segment.
        segment: u64,
    },
    /// A segment lies where another one belongs.
    #[error("segment {segment} of the file is its segment {from}: it was moved or repeated")]
    #[non_exhaustive]
    Moved {
        /// Where it lies.
        segment: u64,
        /// Where it belongs.
        from: u64,
    },
    /// A segment does not open.
    #[error("segment {segment} of the file does not open: it was changed, or is of another file")]
    #[non_exhaustive]
    Changed {
        /// The segment.
        segment: u64,
    },
    /// The last segment does not open, and is not whole.
    #[error(
        "the last segment of the file, {segment}, does not open: it was cut or changed, or is of another file"
    )]
    #[non_exhaustive]
    CutOrChanged {
        /// The segment.
        segment: u64,
    },
    /// It has more segments than one key may seal.
    #[error("the file is too long: at most 2^32 segments of 64 KiB")]
    TooLong,
    /// The right shows a part, and a file is opened whole.
    #[error("a file is opened whole, and the right covers only some columns or rows")]
    NotWhole,
    /// What is to be sealed or unsealed cannot be read.
    #[error("the file cannot be read")]
    Read(#[source] io::Error),
    /// What was sealed or unsealed cannot be written.
    #[error("the file cannot be written")]
    Write(#[source] io::Error),
}

impl FileError {
    const fn code(&self) -> Code {
        match self {
            Self::Name { .. } | Self::TooLong | Self::Read(_) | Self::Write(_) => {
                Code::InvalidArgument
            }
            Self::NotWhole => Code::ObligationUnmet,
            Self::NotSealed { .. }
            | Self::Version
            | Self::SealedAs { .. }
            | Self::HeaderChanged
            | Self::KeyNotHeld
            | Self::Cut { .. }
            | Self::Longer { .. }
            | Self::Moved { .. }
            | Self::Changed { .. }
            | Self::CutOrChanged { .. } => Code::SealIntegrity,
        }
    }

    const fn help(&self) -> Option<&'static str> {
        match self {
            Self::Name { .. } => Some("give it a shorter or plainer name"),
            Self::Version => Some("use a newer zt"),
            Self::SealedAs { .. } => Some("open it under the name that it was sealed as"),
            Self::KeyNotHeld => Some("make an opener for this file"),
            Self::TooLong => Some("seal it in parts"),
            Self::NotWhole => Some("a right to every column and row opens files"),
            Self::NotSealed { .. }
            | Self::HeaderChanged
            | Self::Cut { .. }
            | Self::Longer { .. }
            | Self::Moved { .. }
            | Self::Changed { .. }
            | Self::CutOrChanged { .. } => Some("fetch the file again from where it was sealed"),
            Self::Read(_) | Self::Write(_) => None,
        }
    }
}

impl From<FileError> for Error {
    fn from(why: FileError) -> Self {
        let error = Self::new(why.code(), why.to_string());
        let error = match why.help() {
            Some(help) => error.with_help(help),
            None => error,
        };
        match why {
            FileError::Read(source) | FileError::Write(source) => error.with_source(source),
            FileError::Name { .. }
            | FileError::NotSealed { .. }
            | FileError::Version
            | FileError::SealedAs { .. }
            | FileError::HeaderChanged
            | FileError::KeyNotHeld
            | FileError::Cut { .. }
            | FileError::Longer { .. }
            | FileError::Moved { .. }
            | FileError::Changed { .. }
            | FileError::CutOrChanged { .. }
            | FileError::TooLong
            | FileError::NotWhole => error,
        }
    }
}
