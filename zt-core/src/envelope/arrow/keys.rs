//! Columns by name, the keys of rows, and what rows are bound to.

use std::ptr;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    ArrowPrimitiveType, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};

use super::cells::Cells;
use crate::batch::{self, Batch, NotABatch};
use crate::envelope::form::{NoRowKey, RowColumn, RowKeys, decimal};
use crate::envelope::unseal::{self, Found};
use crate::envelope::{Binding, KEY_COLUMN, SealError};

/// The names of the columns, with the columns.
pub(super) fn named(batch: &RecordBatch) -> impl Iterator<Item = (&str, &ArrayRef)> {
    let fields = batch.schema_ref().fields().iter();
    fields
        .map(|field| field.name().as_str())
        .zip(batch.columns())
}

/// The column of this name, where case does not count.
pub(super) fn column<'a>(batch: &'a RecordBatch, name: &str) -> Option<&'a ArrayRef> {
    let name = name.to_lowercase();
    let mut found = named(batch).filter(|(own, _)| own.to_lowercase() == name);
    found.next().map(|(_, column)| column)
}

/// Refuses names of columns as every batch does: a right on one must not be a right on another.
pub(super) fn check_names(batch: &RecordBatch) -> Result<(), NotABatch> {
    let empty = |(name, _): (&str, _)| batch::Column::new(name, batch::Cells::Bool(Vec::new()));
    Batch::new(named(batch).map(empty).collect()).map(drop)
}

/// Whether a column holds text, in any of the forms that text has.
pub(super) fn is_text(array: &dyn Array) -> bool {
    let values = array
        .as_any_dictionary_opt()
        .map(|dictionary| dictionary.values().data_type());
    values.unwrap_or_else(|| array.data_type()).is_string()
}

/// Whether it holds bytes.
pub(super) fn is_bytes(array: &dyn Array) -> bool {
    let values = array
        .as_any_dictionary_opt()
        .map(|dictionary| dictionary.values().data_type());
    values.unwrap_or_else(|| array.data_type()).is_binary()
}

/// The column with the keys of rows.
pub(super) fn keys_of(batch: &RecordBatch) -> Result<Cells, SealError> {
    let array = column(batch, KEY_COLUMN).filter(|array| is_text(array));
    array
        .and_then(|array| Cells::of(array))
        .ok_or(SealError::NoKeys)
}

pub(super) fn text_at(cells: &Cells, row: usize) -> Option<&str> {
    str::from_utf8(cells.bytes(row)?).ok()
}

/// The texts of the rows in turn. One that lies where that of the row before lies, as in a dictionary, is not read again.
pub(super) fn texts(cells: &Cells, rows: usize) -> impl Iterator<Item = Option<&str>> {
    let mut last: Option<&str> = None;
    (0..rows).map(move |row| {
        let bytes = cells.bytes(row)?;
        if !last.is_some_and(|last| ptr::eq(last.as_bytes(), bytes)) {
            last = str::from_utf8(bytes).ok();
        }
        last
    })
}

/// The distinct keys of a batch, in order of their rows, all of them bound as they must be.
///
/// # Errors
/// Rows without a key, keys that cannot be read, that are bound otherwise, or more than 1,024.
pub(crate) fn key_texts(batch: &RecordBatch, needs: &Binding) -> Result<Vec<Found>, SealError> {
    let keys = keys_of(batch)?;
    unseal::distinct(texts(&keys, batch.num_rows()), needs)
}

/// What the rows of a batch are bound to, each by its own list of names.
pub(super) fn row_keys(batch: &RecordBatch, names: &[&[String]]) -> Result<RowKeys, NoRowKey> {
    RowKeys::collect(names, |name| {
        let column = name.to_owned();
        let Some(array) = self::column(batch, name) else {
            return Err(NoRowKey::Column { column });
        };
        let kind = batch::bare_type(array.data_type()).to_string();
        Identity::of(array).ok_or(NoRowKey::Kind { column, kind })
    })
}

/// A column of a row key.
enum Identity {
    Text(Cells),
    Number(Box<dyn Fn(usize) -> Option<i128>>),
}

impl Identity {
    fn of(array: &ArrayRef) -> Option<Self> {
        if is_text(array) {
            return Cells::of(array).map(Self::Text);
        }
        let numbers = numbers::<Int64Type>(array)
            .or_else(|| numbers::<Int32Type>(array))
            .or_else(|| numbers::<Int16Type>(array))
            .or_else(|| numbers::<Int8Type>(array))
            .or_else(|| numbers::<UInt64Type>(array))
            .or_else(|| numbers::<UInt32Type>(array))
            .or_else(|| numbers::<UInt16Type>(array))
            .or_else(|| numbers::<UInt8Type>(array))?;
        Some(Self::Number(numbers))
    }
}

fn numbers<T: ArrowPrimitiveType<Native: Into<i128>>>(
    array: &ArrayRef,
) -> Option<Box<dyn Fn(usize) -> Option<i128>>> {
    let list = array.as_primitive_opt::<T>()?.clone();
    Some(Box::new(move |row| {
        list.is_valid(row).then(|| list.value(row).into())
    }))
}

impl RowColumn for Identity {
    fn value<'a>(&'a self, row: usize, digits: &'a mut [u8; 40]) -> Option<&'a [u8]> {
        match self {
            Self::Text(cells) => cells.bytes(row),
            Self::Number(number) => Some(decimal(number(row)?, digits)),
        }
    }
}
