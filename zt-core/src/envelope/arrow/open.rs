//! Opens a sealed batch of Arrow, as far as the decision shows it.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{Array as _, ArrayRef, RecordBatch, RecordBatchOptions, make_array};
use arrow_data::transform::MutableArrayData;
use arrow_schema::{DataType, Field, FieldRef, Schema};
use zeroize::Zeroizing;

use super::build::Column;
use super::cells::Cells;
use super::keys::{check_names, is_bytes, is_text, keys_of, row_keys, texts};
use super::seal::internal;
use super::{parts, types};
use crate::envelope::form::NoRowKey;
use crate::envelope::format::{self, NotSealedText, Version};
use crate::envelope::unseal::{Held, Rows, unreadable};
use crate::envelope::{KEY_COLUMN, Opener, SealError, explain};
use crate::error::Result;

impl Opener {
    /// The same as [`unseal`](Self::unseal) for a batch of Arrow: each column with the type that was sealed, whatever the
    /// store made of the sealed text or bytes. A masked column of a dictionary of text is text.
    ///
    /// # Errors
    /// As [`unseal`](Self::unseal); `Invalid` for a column that does not fit in its Arrow type any more, such as a dictionary
    /// with more values than its keys can count.
    pub fn unseal_arrow(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        check_names(batch)?;
        let keys = keys_of(batch)?;
        let held = self.keys_of_texts(texts(&keys, batch.num_rows()))?;
        let names: Vec<&[String]> = held.iter().map(|held| held.row_key()).collect();
        let rows = Rows {
            keys: row_keys(batch, &names).map_err(NoRowKey::opening)?,
            held: &held,
            names: self.names(),
        };
        let fields = batch.schema_ref().fields().iter().zip(batch.columns());
        let fields: Vec<_> = fields
            .filter(|(field, _)| {
                field.name().to_lowercase() != KEY_COLUMN && self.view().needs(field.name())
            })
            .collect();
        let mut jobs = Vec::new();
        for (field, array) in &fields {
            if let Some(at) = self.place_of(field.name()) {
                jobs.push(Job::new(field.name(), array, at, &rows)?);
            }
        }
        let (opened, schema) = (self.open_all(&jobs, batch.num_rows())?, batch.schema_ref());
        let mut opened = opened.into_iter();
        let mut columns: Vec<(FieldRef, ArrayRef)> = Vec::with_capacity(fields.len());
        for (field, array) in fields {
            columns.push(match self.place_of(field.name()) {
                None => (Arc::clone(field), Arc::clone(array)),
                Some(_) => {
                    let array = opened.next().ok_or(SealError::Crypto)?;
                    let field = Field::new(field.name(), array.data_type().clone(), true);
                    (Arc::new(field), array)
                }
            });
        }
        let (fields, columns): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        let schema = Schema::new_with_metadata(fields, schema.metadata().clone());
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let plain = RecordBatch::try_new_with_options(Arc::new(schema), columns, &options);
        self.view().apply_arrow(&plain.map_err(internal)?)
    }

    #[expect(clippy::unused_self, reason = "it reads as what an opener does")]
    fn open_all(&self, jobs: &[Job<'_>], rows: usize) -> Result<Vec<ArrayRef>, SealError> {
        let tasks: Vec<_> = jobs
            .iter()
            .flat_map(|job| parts::of(rows).map(move |rows| (job, rows)))
            .collect();
        let opened = parts::each(tasks, rows * jobs.len(), |(job, rows)| job.open(rows));
        let mut opened = opened.into_iter();
        let pieces = parts::of(rows).count();
        let column = |job: &Job<'_>| {
            let parts: Result<Vec<Part>, SealError> = opened.by_ref().take(pieces).collect();
            job.joined(parts?, rows)
        };
        jobs.iter().map(column).collect()
    }
}

/// One sealed column.
struct Job<'a> {
    name: &'a str,
    cells: Cells,
    is_text: bool,
    at: usize,
    rows: &'a Rows<'a>,
}

/// The opened cells of some rows.
struct Part {
    rows: usize,
    /// The column, once a cell has said its type, with the row, from 1, that said it.
    column: Option<(Column, usize)>,
    /// The type, written.
    kind: Vec<u8>,
}

impl<'a> Job<'a> {
    fn new(
        name: &'a str,
        array: &ArrayRef,
        at: usize,
        rows: &'a Rows<'a>,
    ) -> Result<Self, SealError> {
        let is_text = is_text(array);
        let cells = Cells::of(array).filter(|_| is_text || is_bytes(array));
        let cells = cells.ok_or_else(|| SealError::NotSealed {
            column: name.to_owned(),
            kind: "another type",
        })?;
        Ok(Self {
            name,
            cells,
            is_text,
            at,
            rows,
        })
    }

    fn decode(&self, cell: &[u8], to: &mut Zeroizing<Vec<u8>>) -> Result<Version, NotSealedText> {
        if !self.is_text {
            return format::decode_bytes(cell, to);
        }
        let text = str::from_utf8(cell).map_err(|_| NotSealedText::Malformed)?;
        format::decode(text, to)
    }

    fn open(&self, rows: Range<usize>) -> Result<Part, SealError> {
        let mut part = Part {
            rows: 0,
            column: None,
            kind: Vec::new(),
        };
        let (mut buffer, mut scratch) = (Zeroizing::new(Vec::new()), Vec::new());
        for at_row in rows {
            let (column, row) = (|| self.name.to_owned(), at_row + 1);
            let held: Option<&&Held> = self.rows.held.get(at_row);
            let key = held.and_then(|held| held.columns.get(self.at));
            let key = key.ok_or(SealError::Crypto)?;
            let Some(cell) = self.cells.bytes(at_row) else {
                return Err(SealError::CellMissing {
                    column: column(),
                    row,
                });
            };
            let version = self.decode(cell, &mut buffer);
            let version = version.map_err(|why| unreadable(why, column(), row))?;
            let bound_to = self.rows.keys.of(at_row);
            let opened = (version == key.version())
                .then(|| key.open(&mut buffer, bound_to, &mut scratch))
                .flatten();
            let Some(plain) = opened else {
                let decode = |to: &mut _| self.decode(cell, to);
                return Err(explain::cell(
                    &decode, self.name, self.at, at_row, self.rows,
                ));
            };
            part.push(plain, row).map_err(|why| match why {
                NotPushed::Unknown => SealError::CellUnknown {
                    column: column(),
                    row,
                },
                NotPushed::Mixed => SealError::MixedTypes {
                    column: column(),
                    row,
                },
            })?;
        }
        Ok(part)
    }

    /// The parts as one column. One of missing values that say no type is text.
    fn joined(&self, parts: Vec<Part>, rows: usize) -> Result<ArrayRef, SealError> {
        let kinds = || parts.iter().filter_map(|part| part.column.as_ref());
        let kind = kinds().next().map(|(column, _)| column.kind().clone());
        let kind = kind.unwrap_or(DataType::Utf8);
        if let Some((_, row)) = kinds().find(|(column, _)| *column.kind() != kind) {
            return Err(SealError::MixedTypes {
                column: self.name.to_owned(),
                row: *row,
            });
        }
        let too_long = || SealError::ColumnTooLong {
            column: self.name.to_owned(),
        };
        let arrays = parts.into_iter().map(|part| match part.column {
            // Not as Arrow makes it: that asks for any room at all.
            None => {
                let mut column = Column::new(&kind)?;
                (0..part.rows).try_for_each(|_| column.push_null())?;
                column.finish()
            }
            Some((column, _)) => column.finish(),
        });
        let mut arrays = arrays
            .collect::<Option<Vec<ArrayRef>>>()
            .ok_or_else(too_long)?;
        if arrays.len() == 1
            && let Some(only) = arrays.pop()
        {
            return Ok(only);
        }
        if let Some(all) = concatenated(&arrays) {
            return Ok(all);
        }
        // Each part has a dictionary of its own, and short keys may not count the values of all of them: one for the whole
        // column has each value once.
        let whole = self.open(0..rows)?.column;
        whole
            .and_then(|(column, _)| column.finish())
            .ok_or_else(too_long)
    }
}

/// The rows of all; `None` if they do not fit in one column.
fn concatenated(arrays: &[ArrayRef]) -> Option<ArrayRef> {
    let data: Vec<_> = arrays.iter().map(arrow_array::Array::to_data).collect();
    let rows = data.iter().map(arrow_data::ArrayData::len).sum();
    let mut all = MutableArrayData::try_new(data.iter().collect(), false, rows).ok()?;
    for (at, part) in data.iter().enumerate() {
        all.try_extend(at, 0, part.len()).ok()?;
    }
    Some(make_array(all.freeze()))
}

enum NotPushed {
    Unknown,
    Mixed,
}

impl Part {
    fn push(&mut self, plain: &[u8], row: usize) -> Result<(), NotPushed> {
        self.rows += 1;
        let (is_there, rest) = match plain.split_first() {
            Some((0, [])) => {
                if let Some((column, _)) = &mut self.column {
                    column.push_null().ok_or(NotPushed::Unknown)?;
                }
                return Ok(());
            }
            Some((0, rest)) => (false, rest),
            Some(_) | None => (true, plain),
        };
        if self.column.is_none() {
            let mut value = rest;
            let kind = types::read(&mut value).ok_or(NotPushed::Unknown)?;
            let mut column = Column::new(&kind).ok_or(NotPushed::Unknown)?;
            for _ in 1..self.rows {
                column.push_null().ok_or(NotPushed::Unknown)?;
            }
            let written = rest.len() - value.len();
            self.kind = rest.get(..written).unwrap_or_default().to_vec();
            self.column = Some((column, row));
        }
        let Some((column, _)) = &mut self.column else {
            return Err(NotPushed::Unknown);
        };
        let value = rest.strip_prefix(self.kind.as_slice());
        match (is_there, value) {
            (true, Some(value)) => column.push(value).ok_or(NotPushed::Unknown),
            (false, Some([])) => column.push_null().ok_or(NotPushed::Unknown),
            (false, Some(_)) => Err(NotPushed::Unknown),
            (_, None) => Err(NotPushed::Mixed),
        }
    }
}
