//! What is wrong with data that is to be sealed or unsealed, by row and column; never a cell.
//!
//! In: where something was found. Out: the crate's [`Error`]: [`Code::SealIntegrity`] for damage and for another key,
//! [`Code::InvalidArgument`] for a batch that cannot be sealed. Rows are counted from 1; 0 is a file.

mod help;

use super::KEY_COLUMN;
use crate::text::shown;

/// Whose key it is; row 0 is a file.
fn place(row: usize) -> String {
    match row {
        0 => "the file".to_owned(),
        row => format!("row {row} in `{KEY_COLUMN}`"),
    }
}

/// What was sealed; row 0 is a file.
fn whole(row: usize) -> String {
    match row {
        0 => "the file".to_owned(),
        row => format!("row {row}"),
    }
}

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
    #[error("the key of {} cannot be read: {what}", place(*row))]
    #[non_exhaustive]
    KeyMalformed {
        /// The row.
        row: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// The key of a row was written by a later version of zt.
    #[error(
        "the key of {} has a version or an algorithm that this zt does not know",
        place(*row)
    )]
    #[non_exhaustive]
    KeyVersion {
        /// The row.
        row: usize,
    },
    /// The row was sealed under another rule, for another table or under another key reference than the tables say.
    #[error(
        "{} was sealed for {what} `{}`, the tables say `{}`",
        whole(*row),
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
        "the key of {} is not the one it was sealed under: it was changed, or wrapped by another key",
        place(*row)
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
    /// A cell opens as one of another column of its row.
    #[error(
        "row {row} of column `{}` holds the cell of column `{}`: it was moved here",
        shown(column),
        shown(from)
    )]
    #[non_exhaustive]
    CellOfColumn {
        /// The column.
        column: String,
        /// The row.
        row: usize,
        /// Where it belongs.
        from: String,
    },
    /// A cell opens as one of another row: only where the rule names a row key.
    #[error(
        "row {row} of column `{}` holds the cell of row {from}: it was moved here, or the row key was",
        shown(column)
    )]
    #[non_exhaustive]
    CellOfRow {
        /// The column.
        column: String,
        /// The row.
        row: usize,
        /// Where it belongs.
        from: usize,
    },
    /// A cell that is bound to its row does not open.
    #[error(
        "row {row} of column `{}` does not open: it or the row key was changed, or it was moved here from another row, column, table or key",
        shown(column)
    )]
    #[non_exhaustive]
    CellOrRowChanged {
        /// The column.
        column: String,
        /// The row.
        row: usize,
    },
    /// Two rows have one row key: one of them was repeated or put back.
    #[error("row {row} has the row key of row {first}: one of them was repeated or put back")]
    #[non_exhaustive]
    RowRepeated {
        /// The row.
        row: usize,
        /// The first row with this key.
        first: usize,
    },
    /// A sealed row has lost its row key.
    #[error(
        "row {row} has no value in `{}`, which it was bound to when it was sealed",
        shown(column)
    )]
    #[non_exhaustive]
    RowKeyGone {
        /// The column of the row key.
        column: String,
        /// The row.
        row: usize,
    },
    /// A column of the row key is not there.
    #[error(
        "cells are bound to column `{}`, and the batch has none of this name",
        shown(column)
    )]
    #[non_exhaustive]
    RowKeyMissing {
        /// The column of the row key.
        column: String,
    },
    /// A column of the row key is of a type that is not written alike everywhere.
    #[error(
        "cells are bound to column `{}`, which holds {kind}; a row key is text or whole numbers",
        shown(column)
    )]
    #[non_exhaustive]
    RowKeyKind {
        /// The column of the row key.
        column: String,
        /// What it holds.
        kind: String,
    },
    /// A row has no row key.
    #[error(
        "row {row} has no value in `{}`, which its cells are bound to",
        shown(column)
    )]
    #[non_exhaustive]
    RowKeyEmpty {
        /// The column of the row key.
        column: String,
        /// The row.
        row: usize,
    },
    /// Two rows have one row key, so their cells could be exchanged.
    #[error("row {row} has the row key of row {first}: it must identify a row")]
    #[non_exhaustive]
    RowKeyRepeated {
        /// The row.
        row: usize,
        /// The first row with this key.
        first: usize,
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
    /// A cell holds a value of a type that only Arrow has.
    #[error(
        "row {row} of column `{}` holds a value of a type that only Arrow has",
        shown(column)
    )]
    #[non_exhaustive]
    CellOfArrow {
        /// The column.
        column: String,
        /// The row.
        row: usize,
    },
    /// A column is of a type that is not sealed.
    #[error("column `{}` is of type {kind}, which is not sealed", shown(column))]
    #[non_exhaustive]
    ColumnType {
        /// The column.
        column: String,
        /// Its type.
        kind: String,
    },
    /// A column or a cell of it does not fit in its type.
    #[error(
        "column `{}` has more bytes or values than its type can count",
        shown(column)
    )]
    #[non_exhaustive]
    ColumnTooLong {
        /// The column.
        column: String,
    },
    /// AWS-LC or the system's random numbers refused to work.
    #[error("the cryptographic library refused to work")]
    Crypto,
}
