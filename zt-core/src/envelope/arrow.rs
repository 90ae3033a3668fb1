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
mod place;
mod seal;
mod types;

use std::sync::Arc;

use arrow_array::ArrayRef;

use build::Column;
use cells::Cells;
pub(crate) use keys::key_texts;
pub(crate) use seal::is_sealed_under;

/// The column with nothing but its own cells in it: no value of a dictionary and no text behind a view that none of them
/// names. `None` for what cannot be built again, such as unions and run-end encoding.
pub(crate) fn compacted(array: &ArrayRef) -> Option<ArrayRef> {
    if !types::is_shared(array.data_type()) {
        return Some(Arc::clone(array));
    }
    let cells = Cells::of(array)?;
    // Its missing values took room before.
    let mut column = Column::with_room(array.data_type(), usize::MAX)?;
    let mut value = Vec::new();
    for row in 0..array.len() {
        if cells.is_there(row) {
            value.clear();
            cells.write(row, &mut value)?;
            column.push(&value)?;
        } else {
            column.push_null()?;
        }
    }
    column.finish()
}

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
