//! Unseals the columns of a rule, cell by cell, and finds what was changed, moved, cut or taken away.
//!
//! In: a sealed batch and the data keys of its rows. Out: the plain batch without [`KEY_COLUMN`], as far as the decision
//! lets the caller see it. Pure computation: nothing here reaches a vault.

use std::collections::HashMap;
use std::fmt;
use std::ptr;

use zeroize::Zeroizing;

use super::explain;
use super::form::{NoRowKey, RowKeys};
use super::format::{self, NotAValue, NotSealedText, Value};
use super::key_text::NotAKeyText;
use super::stream::FilesKey;
use super::{Binding, ColumnKey, DataKey, KEY_COLUMN, KeyText, SealError};
use crate::batch::{Batch, Cells, Column};
use crate::error::Result;
use crate::policy::View;

/// So many data keys one batch may carry: each is one question to the vault.
const MOST_KEYS: usize = 1024;

/// A key text of a batch, with the first row that carries it, from 1.
pub(crate) struct Found {
    pub(crate) row: usize,
    pub(crate) text: String,
    pub(crate) key: KeyText,
}

/// The distinct keys of a batch, in order of their rows, all of them bound as they must be.
///
/// # Errors
/// Rows without a key, keys that cannot be read, that are bound otherwise, or more than 1,024.
pub(crate) fn key_texts(batch: &Batch, needs: &Binding) -> Result<Vec<Found>, SealError> {
    distinct(keys_of(batch)?.iter().map(Option::as_deref), needs)
}

/// The same for the keys of rows in any form.
#[expect(
    single_use_lifetimes,
    reason = "an iterator of borrowed text has to name one"
)]
pub(super) fn distinct<'a>(
    rows: impl Iterator<Item = Option<&'a str>>,
    needs: &Binding,
) -> Result<Vec<Found>, SealError> {
    let mut found: Vec<Found> = Vec::new();
    let mut known: HashMap<&str, ()> = HashMap::new();
    let mut last = "";
    for (row, text) in (1..).zip(rows) {
        let text = text.ok_or(SealError::KeyMissing { row })?;
        if text == last || known.insert(text, ()).is_some() {
            last = text;
            continue;
        }
        last = text;
        if found.len() == MOST_KEYS {
            return Err(SealError::TooManyKeys { most: MOST_KEYS });
        }
        found.push(self::found(text, row, needs)?);
    }
    Ok(found)
}

/// A key text, bound as it must be; row 0 is a file.
pub(super) fn found(text: &str, row: usize, needs: &Binding) -> Result<Found, SealError> {
    let key = KeyText::read(text).map_err(|why| match why {
        NotAKeyText::Version => SealError::KeyVersion { row },
        NotAKeyText::Malformed(what) => SealError::KeyMalformed { row, what },
    })?;
    is_bound(&key.binding, needs, row)?;
    let text = text.to_owned();
    Ok(Found { row, text, key })
}

fn keys_of(batch: &Batch) -> Result<&[Option<String>], SealError> {
    match batch.column(KEY_COLUMN).map(Column::cells) {
        Some(Cells::Text(keys)) => Ok(keys),
        Some(Cells::Number(_) | Cells::Integer(_) | Cells::Bool(_) | Cells::Bytes(_)) | None => {
            Err(SealError::NoKeys)
        }
    }
}

fn is_bound(is: &Binding, needs: &Binding, row: usize) -> Result<(), SealError> {
    let names = [
        ("rule", is.rule.as_str(), needs.rule.as_str()),
        ("table", &is.table, &needs.table),
        ("key", is.key.as_str(), needs.key.as_str()),
    ];
    match names.into_iter().find(|(_, is, needs)| is != needs) {
        None => Ok(()),
        Some((what, is, needs)) => Err(SealError::SealedFor {
            row,
            what,
            is: is.to_owned(),
            needs: needs.to_owned(),
        }),
    }
}

/// The keys of the columns of a rule under one data key, by the text that rows carry.
pub(crate) struct Held {
    text: String,
    row_key: Vec<String>,
    pub(super) columns: Vec<ColumnKey>,
    files: FilesKey,
}

impl Held {
    /// Checks that the rows were sealed under this data key, before any cell is opened. `deterministic` is the key that the
    /// text names for its deterministic columns.
    ///
    /// # Errors
    /// [`SealError::WrongKey`] if they were not.
    pub(crate) fn new(
        found: &Found,
        dek: &DataKey,
        deterministic: Option<&DataKey>,
        columns: &[String],
    ) -> Result<Self, SealError> {
        let Found { row, text, key } = found;
        let row = *row;
        if !key.binding.is_committed(dek, key)? {
            return Err(SealError::WrongKey { row });
        }
        let (rule, names) = (&key.binding.rule, &key.binding.key);
        if let Some(sealed) = &key.deterministic {
            let other = deterministic.ok_or(SealError::WrongKey { row })?;
            if !sealed.is_committed(other, rule, names)? {
                return Err(SealError::WrongKey { row });
            }
        }
        let version = key.version();
        let key_of = |name: &String| match deterministic {
            Some(other) if key.form.is_deterministic(name) => {
                ColumnKey::deterministic(other, rule, name)
            }
            Some(_) | None => ColumnKey::new(dek, &key.binding, version, name, &key.commitment),
        };
        Ok(Self {
            columns: columns.iter().map(key_of).collect::<Result<_, _>>()?,
            files: FilesKey::new(dek, &key.binding)?,
            row_key: key.form.row_key.clone(),
            text: text.clone(),
        })
    }
}

#[cfg(feature = "arrow")]
impl Held {
    pub(super) fn row_key(&self) -> &[String] {
        &self.row_key
    }
}

/// Unseals the rows that it was made for, in any order and in any parts. Safe across threads.
pub struct Opener {
    columns: Vec<String>,
    keys: Vec<Held>,
    by_text: HashMap<String, usize>,
    view: View,
}

impl Opener {
    /// An opener of these columns; `keys` have theirs in the same order.
    pub(crate) fn new(columns: Vec<String>, keys: Vec<Held>, view: View) -> Self {
        let texts = keys.iter().enumerate();
        Self {
            by_text: texts.map(|(at, held)| (held.text.clone(), at)).collect(),
            columns,
            keys,
            view,
        }
    }

    /// The batch with the rule's columns in plain, with the types and missing values that were sealed, and without
    /// `_zt_key`; a column of missing values alone is text. Columns that the decision does not show are left out, unopened;
    /// masked ones are masked. A column of the rule that the batch does not have is left out too.
    ///
    /// # Errors
    /// `Integrity`, with row and column, for what was not sealed, was changed, moved, cut or taken away, or is sealed under
    /// another key than those of the batch that the opener was made for; `Denied` with
    /// [`Code::ObligationUnmet`](crate::Code::ObligationUnmet) for more rows than the policy shows at once. Then nothing is
    /// given out.
    pub fn unseal(&self, batch: &Batch) -> Result<Batch> {
        let held = self.keys_of_rows(batch)?;
        let names: Vec<&[String]> = held.iter().map(|held| held.row_key.as_slice()).collect();
        let rows = Rows {
            keys: RowKeys::read(batch, &names).map_err(NoRowKey::opening)?,
            held: &held,
            names: &self.columns,
        };
        let mut columns = Vec::with_capacity(batch.columns().len());
        for column in batch.columns() {
            if column.is_called(KEY_COLUMN) || !self.view.needs(column.name()) {
                continue;
            }
            let at = self.columns.iter().position(|name| column.is_called(name));
            columns.push(match at {
                Some(at) => unseal_column(column, at, &rows)?,
                None => column.clone(),
            });
        }
        let plain = Batch::new(columns)?;
        Ok(self.view.apply(&plain)?)
    }

    /// The key of the files whose header has this key text.
    pub(super) fn files(&self, key_text: &str) -> Option<&FilesKey> {
        let held = self.keys.get(*self.by_text.get(key_text)?)?;
        Some(&held.files)
    }

    #[cfg(feature = "arrow")]
    pub(super) fn names(&self) -> &[String] {
        &self.columns
    }

    #[cfg(feature = "arrow")]
    pub(super) const fn view(&self) -> &View {
        &self.view
    }

    /// Which of the columns of the rule this is.
    #[cfg(feature = "arrow")]
    pub(super) fn place_of(&self, column: &str) -> Option<usize> {
        let column = column.to_lowercase();
        self.columns
            .iter()
            .position(|name| name.to_lowercase() == column)
    }

    /// Whether the decision shows every column and row, clear.
    pub(super) fn shows_everything(&self) -> bool {
        self.view.is_everything()
    }

    /// For each row which key is its own.
    fn keys_of_rows(&self, batch: &Batch) -> Result<Vec<&Held>, SealError> {
        self.keys_of_texts(keys_of(batch)?.iter().map(Option::as_deref))
    }

    /// The same for the keys of rows in any form.
    #[expect(
        single_use_lifetimes,
        reason = "an iterator of borrowed text has to name one"
    )]
    pub(super) fn keys_of_texts<'a>(
        &self,
        keys: impl Iterator<Item = Option<&'a str>>,
    ) -> Result<Vec<&Held>, SealError> {
        let mut rows: Vec<&Held> = Vec::with_capacity(keys.size_hint().0);
        let mut before = "";
        for (row, text) in (1..).zip(keys) {
            let text = text.ok_or(SealError::KeyMissing { row })?;
            // Most rows have the very text of the row before; the rest is not compared then.
            let is_same = |held: &&Held| ptr::eq(before, text) || held.text == text;
            let same = rows.last().copied().filter(is_same);
            before = text;
            let held = same.or_else(|| self.keys.get(*self.by_text.get(text)?));
            rows.push(held.ok_or(SealError::KeyNotHeld { row })?);
        }
        Ok(rows)
    }
}

/// What the rows of a batch are sealed under.
pub(super) struct Rows<'a> {
    pub(super) held: &'a [&'a Held],
    pub(super) keys: RowKeys,
    /// The columns of the rule, as those of each [`Held`].
    pub(super) names: &'a [String],
}

fn unseal_column(column: &Column, at: usize, rows: &Rows<'_>) -> Result<Column, SealError> {
    let name = || column.name().to_owned();
    let Cells::Text(sealed) = column.cells() else {
        return Err(SealError::NotSealed {
            column: name(),
            kind: column.cells().kind(),
        });
    };
    let mut plain = Building::Nulls(0);
    let (mut buffer, mut scratch) = (Zeroizing::new(Vec::new()), Vec::new());
    for (at_row, (cell, held)) in sealed.iter().zip(rows.held).enumerate() {
        let (column, row) = (name, at_row + 1);
        let key = held.columns.get(at).ok_or(SealError::Crypto)?;
        let Some(cell) = cell else {
            return Err(SealError::CellMissing {
                column: column(),
                row,
            });
        };
        let version = format::decode(cell, &mut buffer);
        let version = version.map_err(|why| unreadable(why, column(), row))?;
        let opened = (version == key.version())
            .then(|| key.open(&mut buffer, rows.keys.of(at_row), &mut scratch));
        let Some(opened) = opened.flatten() else {
            let decode = |to: &mut _| format::decode(cell, to);
            return Err(explain::cell(&decode, &column(), at, at_row, rows));
        };
        let value = Value::read(opened).map_err(|why| match why {
            NotAValue::Unknown => SealError::CellUnknown {
                column: column(),
                row,
            },
            NotAValue::Arrow => SealError::CellOfArrow {
                column: column(),
                row,
            },
        })?;
        if !plain.push(value) {
            return Err(SealError::MixedTypes {
                column: column(),
                row,
            });
        }
    }
    Ok(Column::new(column.name(), plain.cells()))
}

/// Why a cell cannot even be tried.
pub(super) fn unreadable(why: NotSealedText, column: String, row: usize) -> SealError {
    match why {
        NotSealedText::Version => SealError::CellVersion { column, row },
        NotSealedText::Malformed => SealError::CellMalformed { column, row },
    }
}

/// A column whose type shows with its first value.
enum Building {
    Nulls(usize),
    Cells(Cells),
}

/// Appends a value of one type; `false` if the column has another.
macro_rules! put {
    ($column:ident, $kind:ident, $value:expr) => {{
        if let Building::Nulls(rows) = $column {
            *$column = Building::Cells(Cells::$kind(vec![None; *rows]));
        }
        if let Building::Cells(Cells::$kind(list)) = $column {
            list.push(Some($value));
            true
        } else {
            false
        }
    }};
}

impl Building {
    fn push(&mut self, value: Value<'_>) -> bool {
        match value {
            Value::Null => self.push_null(),
            Value::Text(text) => put!(self, Text, text.to_owned()),
            Value::Number(number) => put!(self, Number, number),
            Value::Integer(number) => put!(self, Integer, number),
            Value::Bool(value) => put!(self, Bool, value),
            Value::Bytes(bytes) => put!(self, Bytes, bytes.to_vec()),
        }
    }

    fn push_null(&mut self) -> bool {
        match self {
            Self::Nulls(rows) => *rows += 1,
            Self::Cells(Cells::Text(list)) => list.push(None),
            Self::Cells(Cells::Number(list)) => list.push(None),
            Self::Cells(Cells::Integer(list)) => list.push(None),
            Self::Cells(Cells::Bool(list)) => list.push(None),
            Self::Cells(Cells::Bytes(list)) => list.push(None),
        }
        true
    }

    fn cells(self) -> Cells {
        match self {
            Self::Nulls(rows) => Cells::Text(vec![None; rows]),
            Self::Cells(cells) => cells,
        }
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opener")
            .field("columns", &self.columns)
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}
