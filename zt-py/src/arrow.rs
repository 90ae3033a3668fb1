//! Tables and columns of Arrow between Python and the core, through the PyCapsule interface.
//!
//! In: whatever has `__arrow_c_stream__` or `__arrow_c_array__`, read without the interpreter's lock, as one batch whose
//! every value was looked at: libraries hand on what a file said, and that may be no text. Out: a capsule that any library of
//! Arrow reads. Never: a cell in a message. The only file of zt-py with unsafe code.

#![expect(
    unsafe_code,
    reason = "a capsule of Arrow holds a structure of C, which its name alone tells"
)]

mod values;

use std::ffi::{CStr, c_void};
use std::ptr::NonNull;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrow_array::ffi_stream::{ArrayStreamReader, FFI_ArrowArrayStream};
use arrow_array::{
    Array, ArrayReader as _, ArrayRef, RecordBatch, RecordBatchIterator, RecordBatchOptions,
    make_array, new_empty_array, new_null_array,
};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use arrow_select::concat::concat;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::critical_section::{with_critical_section, with_critical_section2};
use pyo3::types::PyCapsule;
use zt_core::batch::bare_type;
use zt_core::{Code, Error, Result};

use crate::error::Failure;
use crate::reading::{self, Between};

const STREAM: &CStr = c"arrow_array_stream";
const SCHEMA: &CStr = c"arrow_schema";
const ARRAY: &CStr = c"arrow_array";

/// What Python handed over, not read yet.
#[derive(Debug)]
pub(crate) enum Offer {
    Stream(FFI_ArrowArrayStream),
    One(FFI_ArrowArray, FFI_ArrowSchema),
}

/// What the object offers of Arrow; `None` for one that does not know Arrow.
pub(crate) fn offer(data: &Bound<'_, PyAny>) -> PyResult<Option<Offer>> {
    if data.hasattr("__arrow_c_stream__")? {
        let capsule = data.call_method0("__arrow_c_stream__")?;
        // Some objects give the same capsule twice; without a GIL two threads may be here with it.
        let stream = with_critical_section(&capsule, || {
            let pointer = pointer(&capsule, STREAM)?.cast();
            // SAFETY: a capsule of this name points to an aligned stream of Arrow's C interface while it lives, and `capsule`
            // is alive. What is left behind is a released stream, as the interface wants it; no other thread is here with
            // this capsule.
            PyResult::Ok(unsafe { FFI_ArrowArrayStream::from_raw(pointer.as_ptr()) })
        })?;
        return Ok(Some(Offer::Stream(stream)));
    }
    if !data.hasattr("__arrow_c_array__")? {
        return Ok(None);
    }
    let capsules = data.call_method0("__arrow_c_array__")?;
    let (schema, array): (Bound<'_, PyAny>, Bound<'_, PyAny>) = capsules.extract()?;
    with_critical_section2(&schema, &array, || {
        let kind = pointer(&schema, SCHEMA)?.cast();
        let values = pointer(&array, ARRAY)?.cast();
        // SAFETY: as above, for a schema; `schema` is alive.
        let kind = unsafe { FFI_ArrowSchema::from_raw(kind.as_ptr()) };
        // SAFETY: as above, for an array; `array` is alive.
        let values = unsafe { FFI_ArrowArray::from_raw(values.as_ptr()) };
        Ok(Some(Offer::One(values, kind)))
    })
}

fn pointer(capsule: &Bound<'_, PyAny>, name: &'static CStr) -> PyResult<NonNull<c_void>> {
    let capsule = capsule
        .cast::<PyCapsule>()
        .map_err(|_| PyTypeError::new_err("the object hands over no capsule of Arrow"))?;
    capsule.pointer_checked(Some(name))
}

impl Offer {
    /// Every row as one batch. Needs no interpreter; a producer in Python takes it by itself.
    fn read(self, between: Between<'_>) -> Result<RecordBatch> {
        let (field, chunks) = match self {
            Self::Stream(stream) => chunks(stream, between)?,
            Self::One(array, kind) => one(array, &kind)?,
        };
        let DataType::Struct(fields) = field.data_type() else {
            return Err(invalid(
                "a table of Arrow was expected, and this is a single column",
            ));
        };
        let schema = Schema::new_with_metadata(fields.clone(), field.metadata().clone());
        let schema = Arc::new(schema);
        let batches = chunks.iter().map(|chunk| checked(&schema, chunk));
        whole(&schema, &batches.collect::<Result<Vec<_>>>()?)
    }
}

impl Offer {
    /// Every cell of a single column, or of the only column of a table. Needs no interpreter.
    fn read_column(self, between: Between<'_>) -> Result<ArrayRef> {
        let (field, chunks) = match self {
            Self::Stream(stream) => chunks(stream, between)?,
            Self::One(array, kind) => one(array, &kind)?,
        };
        let (kind, chunks) = only_column(field.data_type(), chunks)?;
        for chunk in &chunks {
            // The reason may repeat a value.
            values::validate(chunk)
                .map_err(|_| invalid("the column holds something that its type is not"))?;
        }
        if kind == DataType::Null {
            // Nothing is said of the type of a column in which nothing stands.
            let rows = chunks.iter().map(Array::len).sum();
            return Ok(new_null_array(&DataType::Utf8, rows));
        }
        if chunks.is_empty() {
            return Ok(new_empty_array(&kind));
        }
        let parts: Vec<&dyn Array> = chunks.iter().map(AsRef::as_ref).collect();
        concat(&parts).map_err(|why| {
            let error = invalid("the column does not fit in one piece");
            error.with_help("ask about a part of it").with_source(why)
        })
    }
}

fn only_column(kind: &DataType, chunks: Vec<ArrayRef>) -> Result<(DataType, Vec<ArrayRef>)> {
    let DataType::Struct(fields) = kind else {
        return Ok((kind.clone(), chunks));
    };
    let [only] = fields.as_ref() else {
        return Err(invalid(format!(
            "one column was expected, and this is a table of {}",
            fields.len()
        )));
    };
    if chunks.iter().any(|chunk| chunk.null_count() > 0) {
        return Err(missing_row());
    }
    let column = |chunk: &ArrayRef| chunk.as_struct().columns().first().cloned();
    let columns = chunks.iter().filter_map(column).collect();
    Ok((only.data_type().clone(), columns))
}

type Chunks = (Arc<Field>, Vec<ArrayRef>);

fn chunks(stream: FFI_ArrowArrayStream, between: Between<'_>) -> Result<Chunks> {
    if stream.release().is_none() || stream.get_next().is_none() {
        return Err(invalid("the stream of Arrow was read already"));
    }
    let reader = ArrayStreamReader::try_new(stream).map_err(|_| broken())?;
    let field = Arc::clone(reader.field());
    let mut chunks = Vec::new();
    for chunk in reader {
        chunks.push(chunk.map_err(|why| ended(&why))?);
        between()?;
    }
    Ok((field, chunks))
}

fn one(array: FFI_ArrowArray, kind: &FFI_ArrowSchema) -> Result<Chunks> {
    if array.is_released() {
        return Err(invalid("the array of Arrow was read already"));
    }
    let field = Arc::new(Field::try_from(kind).map_err(unreadable)?);
    // SAFETY: both came from one call of `__arrow_c_array__`, which promises an array of this schema; the array is not
    // released. Its buffers live as long as the data made of it.
    let data = unsafe { from_ffi(array, kind) }.map_err(unreadable)?;
    Ok((field, vec![make_array(data)]))
}

/// A batch of a chunk, once its values are known to be what their types say.
fn checked(schema: &SchemaRef, chunk: &ArrayRef) -> Result<RecordBatch> {
    let rows = chunk.as_struct();
    if rows.null_count() > 0 {
        return Err(missing_row());
    }
    for (field, column) in schema.fields().iter().zip(rows.columns()) {
        // The reason may repeat a value.
        values::validate(column).map_err(|_| {
            let name = field.name();
            invalid(format!(
                "column `{name}` holds something that is no {}",
                bare_type(field.data_type())
            ))
        })?;
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    let columns = rows.columns().to_vec();
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(unreadable)
}

/// All rows in one batch: limits on rows hold for the table, not for its chunks.
fn whole(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<RecordBatch> {
    if let [only] = batches {
        return Ok(only.clone());
    }
    let rows = batches.iter().map(RecordBatch::num_rows).sum();
    if rows == 0 {
        return Ok(RecordBatch::new_empty(Arc::clone(schema)));
    }
    let mut columns = Vec::with_capacity(schema.fields().len());
    for (at, field) in schema.fields().iter().enumerate() {
        let parts = batches.iter().filter_map(|batch| batch.columns().get(at));
        let parts: Vec<&dyn Array> = parts.map(AsRef::as_ref).collect();
        columns.push(concat(&parts).map_err(|why| {
            let message = format!("column `{}` does not fit in one piece", field.name());
            invalid(message)
                .with_help(
                    "give it a type with room, such as large_string, or seal the table in parts",
                )
                .with_source(why)
        })?);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(unreadable)
}

/// A capsule with these rows, for whoever reads Arrow.
pub(crate) fn capsule(py: Python<'_>, batch: RecordBatch) -> PyResult<Bound<'_, PyCapsule>> {
    let schema = batch.schema();
    let reader = RecordBatchIterator::new([Ok(batch)], schema);
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(reader)), STREAM)
}

/// The two capsules with this column, for whoever reads Arrow.
pub(crate) fn column_capsules<'py>(
    py: Python<'py>,
    array: &dyn Array,
) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
    let (values, kind) = to_ffi(&array.to_data()).map_err(|why| Failure::new(unreadable(why)))?;
    Ok((
        PyCapsule::new_with_value(py, kind, SCHEMA)?,
        PyCapsule::new_with_value(py, values, ARRAY)?,
    ))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(Code::InvalidArgument, message)
}

fn missing_row() -> Error {
    invalid("a row of the table is missing as a whole; its columns have no such thing")
}

/// What the producer says of it may repeat a cell.
/// What a producer in Python was interrupted by comes back as the text of its error alone.
fn ended(why: &ArrowError) -> Error {
    match why.to_string().contains("KeyboardInterrupt") {
        true => reading::interrupted(),
        false => broken(),
    }
}

fn broken() -> Error {
    let error = invalid("what hands over the table of Arrow failed in the midst of it");
    error.with_help("read it to its end without zt: its own error says why")
}

fn unreadable(why: ArrowError) -> Error {
    invalid("the table of Arrow cannot be read").with_source(why)
}

/// Reads what is offered while other Python threads run.
pub(crate) fn read(py: Python<'_>, offer: Offer) -> PyResult<RecordBatch> {
    reading::detached(py, move |between| offer.read(between))
}

/// The same for a single column.
pub(crate) fn read_column(py: Python<'_>, offer: Offer) -> PyResult<ArrayRef> {
    reading::detached(py, move |between| offer.read_column(between))
}
