//! What a rule asks for beside its columns: that cells are bound to their rows, that columns are sealed deterministically.
//!
//! In: the names of columns, a batch. Out: for each row the bytes that its cells are bound to: the values of the row key,
//! written so that they are the same from every store. Text stands for itself and a whole number for its decimal digits,
//! because CSV has no types.

use std::collections::HashMap;

use super::SealError;
use super::format::field;
use crate::batch::{Batch, Cells};

/// How the columns of a rule are sealed. Names are in lowercase.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Form {
    /// The columns that identify a row; none means that cells are not bound to their rows.
    pub(crate) row_key: Vec<String>,
    /// The columns whose equal values are equal when sealed.
    pub(crate) deterministic: Vec<String>,
}

impl Form {
    pub(crate) fn new(row_key: &[String], deterministic: &[String]) -> Self {
        let lower = |names: &[String]| names.iter().map(|name| name.to_lowercase()).collect();
        Self {
            row_key: lower(row_key),
            deterministic: lower(deterministic),
        }
    }

    /// Whether it asks for nothing, as every rule before there were forms.
    pub(super) const fn is_plain(&self) -> bool {
        self.row_key.is_empty() && self.deterministic.is_empty()
    }

    pub(super) fn is_deterministic(&self, column: &str) -> bool {
        let column = column.to_lowercase();
        self.deterministic.contains(&column)
    }
}

/// Why a row has no key of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoRowKey {
    /// The column is not there.
    Column { column: String },
    /// The column holds something that is not the same from every store.
    Kind { column: String, kind: String },
    /// The cell is missing or empty.
    Cell { column: String, row: usize },
    /// Another row has the same.
    Repeated { row: usize, first: usize },
}

impl NoRowKey {
    /// While sealing: the batch is not what the rule is for.
    pub(super) fn sealing(self) -> SealError {
        match self {
            Self::Column { column } => SealError::RowKeyMissing { column },
            Self::Kind { column, kind } => SealError::RowKeyKind { column, kind },
            Self::Cell { column, row } => SealError::RowKeyEmpty { column, row },
            Self::Repeated { row, first } => SealError::RowKeyRepeated { row, first },
        }
    }

    /// While opening: what was there when the rows were sealed is gone or comes twice.
    pub(super) fn opening(self) -> SealError {
        match self {
            Self::Cell { column, row } => SealError::RowKeyGone { column, row },
            Self::Repeated { row, first } => SealError::RowRepeated { row, first },
            Self::Column { .. } | Self::Kind { .. } => self.sealing(),
        }
    }
}

/// What the cells of each row are bound to, in one buffer.
#[derive(Default)]
pub(super) struct RowKeys {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl RowKeys {
    /// The key of a row, from 0. Nothing where rows are not bound.
    pub(super) fn of(&self, row: usize) -> &[u8] {
        let end = self.ends.get(row).copied().unwrap_or_default();
        let start = row.checked_sub(1).and_then(|before| self.ends.get(before));
        self.bytes
            .get(start.copied().unwrap_or_default()..end)
            .unwrap_or_default()
    }

    pub(super) const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Appends the value of one column of the row key; [`end`](Self::end) closes the row.
    pub(super) fn push(&mut self, value: &[u8]) {
        field(&mut self.bytes, value);
    }

    pub(super) fn end(&mut self) {
        self.ends.push(self.bytes.len());
    }

    /// The rows of a batch, each with its own list of names.
    pub(super) fn read<'a>(
        batch: &'a Batch,
        names: impl Iterator<Item = &'a [String]>,
    ) -> Result<Self, NoRowKey> {
        let (mut keys, mut known) = (Self::default(), Found::default());
        let mut lists = Vec::new();
        for (row, names) in names.enumerate() {
            lists.push(names);
            for (cells, name) in known.columns(batch, names)?.iter().zip(names) {
                keys.push_cell(cells, name, row)?;
            }
            keys.end();
        }
        keys.each_once(&lists)?;
        Ok(keys)
    }

    fn push_cell(&mut self, cells: &Cells, name: &str, row: usize) -> Result<(), NoRowKey> {
        let mut digits = itoa_buffer();
        let value = match cells {
            Cells::Text(list) => list.get(row).and_then(Option::as_deref).map(str::as_bytes),
            Cells::Integer(list) => {
                let number = list.get(row).copied().flatten();
                number.map(|number| decimal(i128::from(number), &mut digits))
            }
            Cells::Number(_) | Cells::Bool(_) | Cells::Bytes(_) => None,
        };
        match value.filter(|value| !value.is_empty()) {
            Some(value) => self.push(value),
            None => {
                return Err(NoRowKey::Cell {
                    column: name.to_owned(),
                    row: row + 1,
                });
            }
        }
        Ok(())
    }

    /// Refuses two rows with one key: their cells could be exchanged, or one of them is the other, repeated.
    pub(super) fn each_once(&self, names: &[&[String]]) -> Result<(), NoRowKey> {
        let mut known = HashMap::new();
        for (row, names) in names.iter().enumerate() {
            if names.is_empty() {
                continue;
            }
            if let Some(first) = known.insert((*names, self.of(row)), row + 1) {
                return Err(NoRowKey::Repeated {
                    row: row + 1,
                    first,
                });
            }
        }
        Ok(())
    }
}

/// The columns of the last list of names: rows of one data key follow each other.
#[derive(Default)]
struct Found<'a> {
    names: Option<&'a [String]>,
    columns: Vec<&'a Cells>,
}

impl<'a> Found<'a> {
    fn columns(&mut self, batch: &'a Batch, names: &'a [String]) -> Result<&[&'a Cells], NoRowKey> {
        if self.names != Some(names) {
            let column = |name: &String| {
                let column = name.clone();
                let Some(found) = batch.column(name) else {
                    return Err(NoRowKey::Column { column });
                };
                match found.cells() {
                    cells @ (Cells::Text(_) | Cells::Integer(_)) => Ok(cells),
                    cells @ (Cells::Number(_) | Cells::Bool(_) | Cells::Bytes(_)) => {
                        let kind = cells.kind().to_owned();
                        Err(NoRowKey::Kind { column, kind })
                    }
                }
            };
            self.columns = names.iter().map(column).collect::<Result<_, _>>()?;
            self.names = Some(names);
        }
        Ok(&self.columns)
    }
}

/// Room for the digits of a whole number.
pub(super) const fn itoa_buffer() -> [u8; 40] {
    [0; 40]
}

/// A whole number in decimal digits, without allocating.
pub(super) fn decimal(number: i128, buffer: &mut [u8; 40]) -> &[u8] {
    use std::io::Write as _;
    let room = buffer.len();
    let mut rest = buffer.as_mut_slice();
    let written = write!(rest, "{number}").map_or(0, |()| room - rest.len());
    buffer.get(..written).unwrap_or_default()
}
