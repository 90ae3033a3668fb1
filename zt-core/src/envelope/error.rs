//! What is wrong with data that is to be sealed or unsealed, by row and column; never a cell.
//!
//! In: where something was found. Out: the crate's [`Error`]: [`Code::SealIntegrity`] for damage and for another key,
//! [`Code::InvalidArgument`] for a batch that cannot be sealed. Rows are counted from 1.

use super::KEY_COLUMN;
use crate::error::{Code, Error};
use crate::text::shown;

/// Why a batch cannot be sealed or unsealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// A column that the rule seals is not there: maybe it was renamed, and would be stored in plain.
    #[error(
        "encryption rule `{}` seals column `{}`, and the batch has none of this name",
        shown(rule),
        shown(column)
    )]
    #[non_exhaustive]
    ColumnMissing {
        /// The rule.
        rule: String,
        /// The column.
        column: String,
        /// The nearest name that a column has.
        near: Option<String>,
    },
    /// What is to be sealed is sealed already.
    #[error("column `{}` is sealed already", shown(column))]
    #[non_exhaustive]
    AlreadySealed {
        /// The column.
        column: String,
    },
    /// The sealer has used up what one data key may do.
    #[error("this sealer has sealed all that one data key may: {limit}")]
    #[non_exhaustive]
    UsedUp {
        /// Which limit.
        limit: &'static str,
    },
    /// More data keys than an opener takes.
    #[error("the batch has more than {most} data keys")]
    #[non_exhaustive]
    TooManyKeys {
        /// So many are taken.
        most: usize,
    },
    /// The names of rule, table and key leave no room for the rest.
    #[error(
        "the names of rule, table and key are too long for `{KEY_COLUMN}`: at most {most} bytes in all"
    )]
    #[non_exhaustive]
    NamesTooLong {
        /// So long a key text may be, in bytes.
        most: usize,
    },
    /// There is no column with keys, or it does not hold text.
    #[error(
        "the batch has no column `{KEY_COLUMN}` of text: it is not sealed, or its keys are gone"
    )]
    NoKeys,
    /// A row has no key.
    #[error("row {row} has no key in `{KEY_COLUMN}`")]
    #[non_exhaustive]
    KeyMissing {
        /// The row.
        row: usize,
    },
    /// The key of a row is not what a sealer writes.
    #[error("the key of row {row} in `{KEY_COLUMN}` cannot be read: {what}")]
    #[non_exhaustive]
    KeyMalformed {
        /// The row.
        row: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// The key of a row was written by a later version of zt.
    #[error(
        "the key of row {row} in `{KEY_COLUMN}` has a version or an algorithm that this zt does not know"
    )]
    #[non_exhaustive]
    KeyVersion {
        /// The row.
        row: usize,
    },
    /// The row was sealed under another rule, for another table or under another key reference than the tables say.
    #[error(
        "row {row} was sealed for {what} `{}`, the tables say `{}`",
        shown(is),
        shown(needs)
    )]
    #[non_exhaustive]
    SealedFor {
        /// The row.
        row: usize,
        /// What differs: `rule`, `table` or `key`.
        what: &'static str,
        /// What the row says.
        is: String,
        /// What the tables say.
        needs: String,
    },
    /// The key encryption key does not unwrap the data key, or it is not the one that the row was sealed under.
    #[error(
        "the key of row {row} in `{KEY_COLUMN}` is not the one it was sealed under: it was changed, or wrapped by another key"
    )]
    #[non_exhaustive]
    WrongKey {
        /// The row.
        row: usize,
    },
    /// The opener was made for other rows.
    #[error("the key of row {row} is not one that this opener holds")]
    #[non_exhaustive]
    KeyNotHeld {
        /// The row.
        row: usize,
    },
    /// A column that must be sealed is not.
    #[error(
        "column `{}` is not sealed: it holds {kind} and not sealed text",
        shown(column)
    )]
    #[non_exhaustive]
    NotSealed {
        /// The column.
        column: String,
        /// What it holds.
        kind: &'static str,
    },
    /// A sealed column has an empty cell. A missing value is sealed too, so this one was taken away.
    #[error(
        "row {row} of column `{}` is empty; a missing value is sealed too",
        shown(column)
    )]
    #[non_exhaustive]
    CellMissing {
        /// The column.
        column: String,
        /// The row.
        row: usize,
    },
    /// A cell was sealed by a later version of zt.
    #[error(
        "row {row} of column `{}` is sealed in a version that this zt does not know",
        shown(column)
    )]
    #[non_exhaustive]
    CellVersion {
        /// The column.
        column: String,
        /// The row.
        row: usize,
    },
    /// A cell is not sealed text, or is cut.
    #[error(
        "row {row} of column `{}` is not sealed text: it is cut, or was never sealed",
        shown(column)
    )]
    #[non_exhaustive]
    CellMalformed {
        /// The column.
        column: String,
        /// The row.
        row: usize,
    },
    /// A cell does not open.
    #[error(
        "row {row} of column `{}` does not open: it was changed, or moved here from another column, table or key",
        shown(column)
    )]
    #[non_exhaustive]
    CellChanged {
        /// The column.
        column: String,
        /// The row.
        row: usize,
    },
    /// A cell opens and holds what no sealer of this version writes.
    #[error(
        "row {row} of column `{}` opens, and holds no value that this zt knows",
        shown(column)
    )]
    #[non_exhaustive]
    CellUnknown {
        /// The column.
        column: String,
        /// The row.
        row: usize,
    },
    /// The cells of a column have two types.
    #[error(
        "row {row} of column `{}` has another type than the rows before it",
        shown(column)
    )]
    #[non_exhaustive]
    MixedTypes {
        /// The column.
        column: String,
        /// The row.
        row: usize,
    },
    /// AWS-LC or the system's random numbers refused to work.
    #[error("the cryptographic library refused to work")]
    Crypto,
}

impl SealError {
    const fn code(&self) -> Code {
        match self {
            Self::ColumnMissing { .. }
            | Self::AlreadySealed { .. }
            | Self::UsedUp { .. }
            | Self::TooManyKeys { .. }
            | Self::NamesTooLong { .. } => Code::InvalidArgument,
            Self::Crypto => Code::Internal,
            Self::NoKeys
            | Self::KeyMissing { .. }
            | Self::KeyMalformed { .. }
            | Self::KeyVersion { .. }
            | Self::SealedFor { .. }
            | Self::WrongKey { .. }
            | Self::KeyNotHeld { .. }
            | Self::NotSealed { .. }
            | Self::CellMissing { .. }
            | Self::CellVersion { .. }
            | Self::CellMalformed { .. }
            | Self::CellChanged { .. }
            | Self::CellUnknown { .. }
            | Self::MixedTypes { .. } => Code::SealIntegrity,
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::ColumnMissing { near, .. } => {
                let meant = near
                    .as_ref()
                    .map(|near| format!("did you mean `{}`? ", shown(near)));
                let meant = meant.unwrap_or_default();
                return Some(format!("{meant}a renamed column would be stored in plain"));
            }
            Self::AlreadySealed { .. } => "seal plain rows",
            Self::UsedUp { .. } => "make a new sealer",
            Self::TooManyKeys { .. } => "open the rows in parts",
            Self::NamesTooLong { .. } => "give the rule, the table or the key a shorter name",
            Self::KeyNotHeld { .. } => "make an opener for these rows",
            Self::KeyVersion { .. } | Self::CellVersion { .. } => "use a newer zt",
            Self::SealedFor { .. } => "open it through the output that it was sealed for",
            Self::NoKeys
            | Self::KeyMissing { .. }
            | Self::KeyMalformed { .. }
            | Self::WrongKey { .. }
            | Self::NotSealed { .. }
            | Self::CellMissing { .. }
            | Self::CellMalformed { .. }
            | Self::CellChanged { .. }
            | Self::CellUnknown { .. }
            | Self::MixedTypes { .. } => "fetch the rows again from where they were sealed",
            Self::Crypto => return None,
        };
        Some(help.to_owned())
    }
}

impl From<SealError> for Error {
    fn from(why: SealError) -> Self {
        let error = Self::new(why.code(), why.to_string());
        match why.help() {
            Some(help) => error.with_help(help),
            None => error,
        }
    }
}
