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
    fn push(&mut self, value: &[u8]) {
        field(&mut self.bytes, value);
    }

    fn end(&mut self) {
        self.ends.push(self.bytes.len());
    }

    /// The rows of a batch, each with its own list of names.
    pub(super) fn read(batch: &Batch, names: &[&[String]]) -> Result<Self, NoRowKey> {
        Self::collect(names, |name| {
            let column = name.to_owned();
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
        })
    }

    /// The same for columns of any kind. Rows of one list of names follow each other, so its columns are looked up once.
    pub(super) fn collect<C: RowColumn>(
        names: &[&[String]],
        column: impl Fn(&str) -> Result<C, NoRowKey>,
    ) -> Result<Self, NoRowKey> {
        let mut keys = Self::default();
        if names.iter().all(|names| names.is_empty()) {
            keys.ends = vec![0; names.len()];
            return Ok(keys);
        }
        let mut columns: Vec<C> = Vec::new();
        let (mut last, mut digits) = (&[] as &[String], [0; 40]);
        for (row, names) in names.iter().copied().enumerate() {
            if last != names {
                let found = names.iter().map(|name| column(name));
                columns = found.collect::<Result<_, _>>()?;
                last = names;
            }
            for (column, name) in columns.iter().zip(names) {
                let value = column.value(row, &mut digits);
                let value = value.filter(|value| !value.is_empty());
                keys.push(value.ok_or_else(|| NoRowKey::Cell {
                    column: name.clone(),
                    row: row + 1,
                })?);
            }
            keys.end();
        }
        keys.each_once(names)?;
        Ok(keys)
    }

    /// Refuses two rows with one key: their cells could be exchanged, or one of them is the other, repeated.
    fn each_once(&self, names: &[&[String]]) -> Result<(), NoRowKey> {
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

/// A column of a row key.
pub(super) trait RowColumn {
    /// What a row is bound to; `None` if it has no value.
    fn value<'a>(&'a self, row: usize, digits: &'a mut [u8; 40]) -> Option<&'a [u8]>;
}

impl RowColumn for &Cells {
    fn value<'a>(&'a self, row: usize, digits: &'a mut [u8; 40]) -> Option<&'a [u8]> {
        match self {
            Cells::Text(list) => list.get(row)?.as_deref().map(str::as_bytes),
            Cells::Integer(list) => Some(decimal(i128::from((*list.get(row)?)?), digits)),
            Cells::Number(_) | Cells::Bool(_) | Cells::Bytes(_) => None,
        }
    }
}

/// A whole number in decimal digits, without allocating.
pub(super) fn decimal(number: i128, buffer: &mut [u8; 40]) -> &[u8] {
    use std::io::Write as _;
    let room = buffer.len();
    let mut rest = buffer.as_mut_slice();
    let written = write!(rest, "{number}").map_or(0, |()| room - rest.len());
    buffer.get(..written).unwrap_or_default()
}
