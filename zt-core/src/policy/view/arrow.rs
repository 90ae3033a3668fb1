//! What a view shows of a batch of Arrow. Columns keep their types, but for masked dictionaries of text, which become text.
//!
//! Never: the notes of a schema beside a part of the rows or columns; libraries write there what stands in hidden cells, such as
//! all words of an enumeration. Nor are they in a message.

mod notes;

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::{
    Array, ArrayRef, BooleanArray, LargeStringArray, RecordBatch, RecordBatchOptions, StringArray,
    StringViewArray, make_array, new_null_array,
};
use arrow_data::transform::MutableArrayData;
use arrow_schema::{DataType, Field, Metadata, Schema};

use super::{CellRule, NotShown, View};
use crate::batch::{Cells, bare_type};
use crate::envelope;
use crate::error::{Code, Error, Result};
use crate::policy::Mask;

impl View {
    /// The visible part of these rows.
    pub(crate) fn apply_arrow(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let filtered;
        let mut is_whole = self.seen.rows.is_all();
        let batch = if is_whole {
            batch
        } else {
            filtered = filter(batch, &self.seen.rows.mask(batch)?)?;
            &filtered
        };
        if let Some(most) = self.max_rows
            && u64::try_from(batch.num_rows()).is_ok_and(|rows| rows > u64::from(most))
        {
            let rows = batch.num_rows();
            return Err(NotShown::Crowd { rows, most }.into());
        }
        let fields = batch.schema_ref().fields();
        let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
        let visible = self.columns.visible(&names);
        is_whole &= visible.len() == names.len();
        let mut shown = Vec::with_capacity(names.len());
        for name in visible {
            let at = names.iter().position(|own| *own == name);
            let found = at.and_then(|at| fields.get(at).zip(batch.columns().get(at)));
            let Some((field, array)) = found else {
                continue;
            };
            let rule = self.seen.rule_of(name);
            let seen = match (rule, self.masks.of(name)) {
                (Some(rule), _) => rule.array_of(array, batch)?,
                (None, Some(mask)) => masked(array, mask),
                (None, None) => {
                    shown.push((Arc::clone(field), Arc::clone(array)));
                    continue;
                }
            };
            is_whole = false;
            let seen = notes::without(&seen)?;
            let field = Field::new(name, seen.data_type().clone(), true);
            shown.push((Arc::new(field), seen));
        }
        let (fields, columns): (Vec<_>, Vec<_>) = shown.into_iter().unzip();
        let told = match is_whole {
            true => batch.schema_ref().metadata().clone(),
            false => Metadata::default(),
        };
        of(
            Schema::new_with_metadata(fields, told),
            columns,
            batch.num_rows(),
        )
    }
}

fn of(schema: Schema, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(schema), columns, &options).map_err(|why| {
        Error::new(Code::Internal, "the visible columns do not make a batch").with_source(why)
    })
}

impl CellRule {
    /// The cells of a column that are shown, masked where they are not shown clear.
    fn array_of(&self, array: &ArrayRef, batch: &RecordBatch) -> Result<ArrayRef> {
        let array = flat(array);
        let (shown, clear) = (self.shown.mask(batch)?, self.clear.mask(batch)?);
        let mut sources = vec![array.to_data()];
        let mut rows = Vec::with_capacity(self.masks.len());
        for (mask, of) in &self.masks {
            let mask = self.restricted.map_or(*mask, |least| least.max(*mask));
            sources.push(masked(&array, mask).to_data());
            rows.push(of.mask(batch)?);
        }
        if let Some(mask) = self.restricted {
            sources.push(masked(&array, mask).to_data());
        }
        let last = sources.len() - 1;
        let is = |list: &BooleanArray, row: usize| row < list.len() && list.value(row);
        let mut cells = MutableArrayData::new(sources.iter().collect(), true, array.len());
        for row in 0..array.len() {
            let from = if !is(&shown, row) {
                None
            } else if is(&clear, row) {
                Some(self.restricted.map_or(0, |_| last))
            } else {
                rows.iter()
                    .position(|rows| is(rows, row))
                    .map(|first| first + 1)
            };
            match from {
                Some(from) => cells.try_extend(from, row, row + 1),
                None => cells.try_extend_nulls(1),
            }
            .map_err(too_long)?;
        }
        compact(make_array(cells.freeze()))
    }
}

/// Without what the cells that are left do not name: the values of a dictionary say what hidden rows hold.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the whole column is not used any more"
)]
fn compact(array: ArrayRef) -> Result<ArrayRef> {
    envelope::compacted(&array).ok_or_else(|| {
        let kind = bare_type(array.data_type());
        let message = format!("a column of type {kind} cannot be shown in part");
        Error::new(Code::InvalidArgument, message)
            .with_help("cast it to a type whose cells stand for themselves")
    })
}

fn too_long(why: arrow_schema::ArrowError) -> Error {
    let message = "a column has more bytes than its type can count";
    Error::new(Code::InvalidArgument, message).with_source(why)
}

/// The rows for which `keep` says so.
fn filter(batch: &RecordBatch, keep: &BooleanArray) -> Result<RecordBatch> {
    let runs: Vec<(usize, usize)> = keep.values().set_slices().collect();
    let rows = runs.iter().map(|(start, end)| end - start).sum();
    let column = |array: &ArrayRef| {
        let data = array.to_data();
        let mut kept = MutableArrayData::new(vec![&data], false, rows);
        for (start, end) in &runs {
            kept.try_extend(0, *start, *end).map_err(too_long)?;
        }
        notes::without(&compact(make_array(kept.freeze()))?)
    };
    let columns: Result<Vec<_>> = batch.columns().iter().map(column).collect();
    let columns = columns?;
    let fields = batch.schema_ref().fields().iter().zip(&columns);
    let fields: Vec<_> = fields
        .map(|(field, array)| notes::field(field, array.data_type().clone()))
        .collect();
    of(Schema::new(fields), columns, rows)
}

/// The texts of a column, if it holds text.
fn texts(array: &ArrayRef) -> Option<Vec<Option<String>>> {
    let own = |text: Option<&str>| text.map(str::to_owned);
    if let Some(list) = array.as_string_opt::<i32>() {
        return Some(list.iter().map(own).collect());
    }
    if let Some(list) = array.as_string_opt::<i64>() {
        return Some(list.iter().map(own).collect());
    }
    if let Some(list) = array.as_string_view_opt() {
        return Some(list.iter().map(own).collect());
    }
    let dictionary = array.as_any_dictionary_opt()?;
    let values = texts(dictionary.values())?;
    let keys = match values.is_empty() {
        true => vec![0; array.len()],
        false => dictionary.normalized_keys(),
    };
    let cells = keys.iter().enumerate().map(|(row, key)| {
        let is_there = dictionary.keys().is_valid(row);
        is_there.then(|| values.get(*key).cloned().flatten())?
    });
    Some(cells.collect())
}

/// A dictionary of text as text, because masks are none of its values.
fn flat(array: &ArrayRef) -> ArrayRef {
    let is_dictionary = array.as_any_dictionary_opt().is_some();
    match texts(array).filter(|_| is_dictionary) {
        Some(texts) => Arc::new(StringArray::from(texts)),
        None => Arc::clone(array),
    }
}

/// The cells as they may be seen.
fn masked(array: &ArrayRef, mask: Mask) -> ArrayRef {
    let Some(cells) = texts(array).map(Cells::Text) else {
        return new_null_array(array.data_type(), array.len());
    };
    let Cells::Text(texts) = mask.apply(&cells) else {
        return new_null_array(array.data_type(), array.len());
    };
    if *array.data_type() == DataType::LargeUtf8 {
        return Arc::new(LargeStringArray::from(texts));
    }
    if *array.data_type() == DataType::Utf8View {
        return Arc::new(texts.into_iter().collect::<StringViewArray>());
    }
    Arc::new(StringArray::from(texts))
}
