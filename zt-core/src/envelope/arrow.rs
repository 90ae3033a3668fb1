//! Batches of Arrow, sealed and opened: every type comes back exactly.
//!
//! In: a record batch whose columns are of any type but unions, run-end encoding and list views. Out: the same batch with the
//! columns of the rule as sealed text, which opens from every store, or as sealed bytes, which are a quarter shorter. A cell is
//! its type, written in full, and its value; page "Sealed data" of the book has the bytes. Columns and parts of long ones are
//! worked on side by side. Never: a guess at a type, an allocation for a single cell.

#[cfg(target_endian = "big")]
compile_error!("values are written as they lie in memory, which is little-endian in the format");

mod build;
mod cells;
mod keys;
mod open;
mod parts;
mod seal;
mod types;

pub(crate) use keys::key_texts;

/// How sealed columns are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Store {
    /// As text, which Delta, Parquet, CSV and SQL keep alike.
    #[default]
    Text,
    /// As bytes, for stores that have a type for them.
    Bytes,
}

#[cfg(test)]
mod tests;
