//! Seals the columns of a rule in a batch of Arrow.

use std::mem;
use std::sync::Arc;

use arrow_array::{
    Array as _, ArrayRef, BinaryArray, DictionaryArray, Int32Array, RecordBatch, StringArray,
};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, FieldRef, Schema};
use aws_lc_rs::rand;
use zeroize::Zeroizing;

use super::build::is_sized;
use super::cells::Cells;
use super::keys::{check_names, column, is_bytes, is_text, keys_of, named, row_keys, text_at};
use super::place::{Job, Place};
use super::{Store, parts, types};
use crate::batch::bare_type;
use crate::envelope::form::{NoRowKey, RowKeys};
use crate::envelope::key_text::KeyText;
use crate::envelope::seal::Prefix;
use crate::envelope::{KEY_COLUMN, SealError, Sealer, format};
use crate::error::{Code, Error, Result};
use crate::text::nearest;

impl Sealer {
    /// The same as [`seal`](Self::seal) for a batch of Arrow: the columns of the rule become text or bytes, `_zt_key` is a
    /// dictionary of text. Every type comes back exactly from [`Opener::unseal_arrow`](super::super::Opener::unseal_arrow).
    ///
    /// ```
    /// # use arrow_array::RecordBatch;
    /// # use zt_core::{Result, envelope::{Sealer, Store}};
    /// fn store(sealer: &Sealer, scores: &RecordBatch) -> Result<RecordBatch> {
    ///     sealer.seal_arrow(scores, Store::Text) // for Delta, Parquet, Azure SQL, CSV
    /// }
    /// ```
    ///
    /// # Errors
    /// As [`seal`](Self::seal); `Invalid` too for a column of unions, run-end encoding or list views, and for one whose sealed
    /// cells have more than 2 GiB.
    pub fn seal_arrow(&self, batch: &RecordBatch, store: Store) -> Result<RecordBatch> {
        check_names(batch)?;
        self.refuse_arrow(batch)?;
        self.count_call()?;
        let mut prefix = Prefix::default();
        rand::fill(&mut prefix).map_err(|_| SealError::Crypto)?;
        self.seal_arrow_under(batch, store, prefix)
    }

    /// The same with a given random part, which must never have been used under this key.
    pub(super) fn seal_arrow_under(
        &self,
        batch: &RecordBatch,
        store: Store,
        prefix: Prefix,
    ) -> Result<RecordBatch> {
        let (rows, row_key) = (batch.num_rows(), self.form().row_key.as_slice());
        let names = vec![row_key; if row_key.is_empty() { 0 } else { rows }];
        let bound = row_keys(batch, &names).map_err(NoRowKey::sealing)?;
        let jobs = self.jobs(batch, store)?;
        let mut sealed = filled(&jobs, rows, prefix, &bound)?.into_iter();
        let (mut fields, mut columns): (Vec<FieldRef>, Vec<ArrayRef>) = (Vec::new(), Vec::new());
        for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            if self.key_called(field.name()).is_none() {
                fields.push(Arc::clone(field));
                columns.push(Arc::clone(array));
                continue;
            }
            let array = sealed.next().and_then(|place| array_of(place, store));
            let array = array.ok_or(SealError::Crypto)?;
            let kind = array.data_type().clone();
            fields.push(Arc::new(Field::new(field.name(), kind, false)));
            columns.push(array);
        }
        let keys = key_column(self.key_text(), rows)?;
        fields.push(Arc::new(Field::new(
            KEY_COLUMN,
            keys.data_type().clone(),
            false,
        )));
        columns.push(keys);
        let schema = Schema::new_with_metadata(fields, batch.schema_ref().metadata().clone());
        RecordBatch::try_new(Arc::new(schema), columns).map_err(internal)
    }

    /// The columns that are sealed, in order of the batch.
    fn jobs<'a>(&'a self, batch: &'a RecordBatch, store: Store) -> Result<Vec<Job<'a>>, SealError> {
        let mut jobs = Vec::new();
        let mut first = 0;
        for (name, array) in named(batch) {
            let Some(key) = self.key_called(name) else {
                continue;
            };
            let mut kind = Vec::new();
            // What could not be opened again is not sealed.
            let cells = Cells::of(array).filter(|_| is_sized(array.data_type()));
            let cells = cells.zip(types::write(array.data_type(), &mut kind));
            let (cells, ()) = cells.ok_or_else(|| SealError::ColumnType {
                column: name.to_owned(),
                kind: bare_type(array.data_type()).to_string(),
            })?;
            jobs.push(Job {
                name,
                key,
                cells,
                kind,
                first,
                store,
            });
            first += if key.has_nonce() { array.len() } else { 0 };
        }
        Ok(jobs)
    }

    fn refuse_arrow(&self, batch: &RecordBatch) -> Result<(), SealError> {
        if let Some((name, _)) = named(batch).find(|(name, array)| is_sealed(name, array)) {
            let column = name.to_owned();
            return Err(SealError::AlreadySealed { column });
        }
        match self.names().find(|name| column(batch, name).is_none()) {
            None => Ok(()),
            Some(name) => Err(SealError::ColumnMissing {
                rule: self.rule().to_owned(),
                column: name.to_owned(),
                near: nearest(
                    name,
                    &named(batch).map(|(name, _)| name).collect::<Vec<_>>(),
                ),
            }),
        }
    }
}

fn is_sealed(name: &str, array: &ArrayRef) -> bool {
    name.to_lowercase() == KEY_COLUMN || is_sealed_array(array)
}

/// Whether every cell of a column is sealed text; not so for one without cells.
fn is_sealed_array(array: &ArrayRef) -> bool {
    let Some(cells) = Cells::of(array).filter(|_| is_text(array) && !array.is_empty()) else {
        return false;
    };
    let mut buffer = Zeroizing::new(Vec::new());
    (0..array.len()).all(|row| {
        text_at(&cells, row).is_some_and(|text| format::decode(text, &mut buffer).is_ok())
    })
}

/// Whether every cell of a column is sealed: as text, or as bytes in rows of which each carries a key of the rule. Bytes alone
/// tell too little, since others begin with a 1 too. `batch` has all columns, and `array` some or all of its rows.
pub(crate) fn is_sealed_under(rule: &str, batch: &RecordBatch, array: &ArrayRef) -> bool {
    if is_sealed_array(array) {
        return true;
    }
    let Some(cells) = Cells::of(array).filter(|_| is_bytes(array) && !array.is_empty()) else {
        return false;
    };
    let mut buffer = Zeroizing::new(Vec::new());
    let mut is_sealed = |cell: &[u8]| format::decode_bytes(cell, &mut buffer).is_ok();
    (0..array.len()).all(|row| cells.bytes(row).is_some_and(&mut is_sealed))
        && carries_keys_of(rule, batch)
}

fn carries_keys_of(rule: &str, batch: &RecordBatch) -> bool {
    let Ok(keys) = keys_of(batch) else {
        return false;
    };
    let mut last = None;
    (0..batch.num_rows()).all(|row| {
        let text = text_at(&keys, row);
        let is_known = text.is_some() && text == last;
        last = text;
        let is_of_rule = |text| KeyText::read(text).is_ok_and(|key| key.binding.rule == rule);
        is_known || text.is_some_and(is_of_rule)
    })
}

pub(super) fn internal(why: arrow_schema::ArrowError) -> Error {
    Error::new(Code::Internal, "the columns do not make a batch").with_source(why)
}

/// The sealed cells of each column.
fn filled(
    jobs: &[Job<'_>],
    rows: usize,
    prefix: Prefix,
    bound: &RowKeys,
) -> Result<Vec<Place>, SealError> {
    let cells = rows * jobs.len();
    let places = parts::each(jobs.iter().collect(), cells, |job: &Job<'_>| {
        job.place(rows).ok_or_else(|| job.too_long())
    });
    let mut places: Vec<Place> = places.into_iter().collect::<Result<_, _>>()?;
    let mut tasks = Vec::new();
    for (place, job) in places.iter_mut().zip(jobs) {
        tasks.extend(place.tasks(job, parts::of(rows)).ok_or(SealError::Crypto)?);
    }
    let sealed = parts::each(tasks, cells, |task| task.seal(prefix, bound));
    sealed.into_iter().collect::<Result<(), _>>()?;
    Ok(places)
}

/// A column of sealed cells; `None` if they are none.
fn array_of(mut place: Place, store: Store) -> Option<ArrayRef> {
    let ends = OffsetBuffer::new(ScalarBuffer::from(place.ends));
    let bytes = Buffer::from_vec(mem::take(&mut *place.bytes));
    Some(match store {
        Store::Text => Arc::new(StringArray::try_new(ends, bytes, None).ok()?),
        Store::Bytes => Arc::new(BinaryArray::try_new(ends, bytes, None).ok()?),
    })
}

fn key_column(text: &str, rows: usize) -> Result<ArrayRef> {
    let keys = Int32Array::from(vec![0; rows]);
    let values = Arc::new(StringArray::from(vec![text]));
    let column = DictionaryArray::try_new(keys, values).map_err(internal)?;
    debug_assert!(matches!(column.data_type(), DataType::Dictionary(..)));
    Ok(Arc::new(column))
}
