//! Batches across the border: taken from the program with their release callbacks, borrowed from it, or given to it.

use std::ptr;
use std::sync::Arc;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi_and_data_type};
use arrow_array::{Array as _, RecordBatch, RecordBatchOptions, StructArray};
use arrow_data::ArrayData;
use arrow_schema::{ArrowError, DataType, Schema};
use zt_core::text::shown;
use zt_core::{Code, Error};

use super::check::{self, there, wrong};
use super::raw::{ArrowArray, ArrowSchema};
use crate::boundary::Failure;

/// Structs that were moved out of the program's places. Dropped, they call their release callbacks.
pub(super) struct Incoming {
    schema: FFI_ArrowSchema,
    array: FFI_ArrowArray,
}

impl Incoming {
    /// Takes both, or each that is there when the other is not; in their places stay released structs.
    ///
    /// # Safety
    /// Each is NULL or points to a struct of the interface, which nobody else uses meanwhile.
    pub(super) unsafe fn take(
        schema: *mut ArrowSchema,
        array: *mut ArrowArray,
    ) -> Result<Self, Failure> {
        // SAFETY: the caller of this function promises it.
        let is_schema = unsafe { there(schema, "schema") }.map(|schema| schema.release.is_some());
        // SAFETY: as above.
        let is_array = unsafe { there(array, "array") }.map(|array| array.release.is_some());
        let schema = is_schema.map(|is_there| {
            // SAFETY: it is there and aligned, and laid out as Arrow's own.
            is_there.then(|| unsafe { FFI_ArrowSchema::from_raw(schema.cast()) })
        });
        let array = is_array.map(|is_there| {
            // SAFETY: as above.
            is_there.then(|| unsafe { FFI_ArrowArray::from_raw(array.cast()) })
        });
        let released = |name| wrong(name, "it was released or moved");
        let (schema, array) = (schema?, array?);
        Ok(Self {
            schema: schema.ok_or_else(|| released("schema"))?,
            array: array.ok_or_else(|| released("array"))?,
        })
    }

    /// The batch; the schema is released.
    pub(super) fn batch(self) -> Result<RecordBatch, Failure> {
        // SAFETY: whoever made this promised that the structs keep to the interface.
        unsafe { batch(&self.schema, self.array) }
    }
}

/// Shows a batch of the program, which keeps it.
///
/// # Safety
/// Each is NULL or points to a struct of the interface, which nobody changes or releases meanwhile. What `body` gives back
/// holds nothing of the batch.
pub(super) unsafe fn look<T>(
    schema: *const ArrowSchema,
    array: *const ArrowArray,
    body: impl FnOnce(&RecordBatch) -> Result<T, Failure>,
) -> Result<T, Failure> {
    unsafe extern "C" fn keep(array: *mut FFI_ArrowArray) {
        // SAFETY: Arrow gives the struct that it drops, which is the copy below.
        if let Some(array) = unsafe { array.as_mut() } {
            // SAFETY: what is released has no callback.
            unsafe { array.set_release(None) };
        }
    }
    // SAFETY: the caller of this function promises it.
    let borrowed = unsafe { there(schema, "schema") }?;
    // SAFETY: as above.
    if unsafe { there(array, "array") }?.release.is_none() {
        return Err(wrong("array", "it was released or moved"));
    }
    // SAFETY: it is there and laid out as Arrow's own.
    let mut copy = unsafe { ptr::read(array.cast::<FFI_ArrowArray>()) };
    // SAFETY: the copy owns nothing, so that releasing it is doing nothing.
    unsafe { copy.set_release(Some(keep)) };
    // SAFETY: it is there and laid out as Arrow's own.
    let schema = unsafe { &*ptr::from_ref(borrowed).cast::<FFI_ArrowSchema>() };
    // SAFETY: the caller of this function promises it.
    let batch = unsafe { batch(schema, copy) }?;
    body(&batch)
}

/// # Safety
/// The structs keep to the interface.
unsafe fn batch(schema: &FFI_ArrowSchema, array: FFI_ArrowArray) -> Result<RecordBatch, Failure> {
    // SAFETY: the caller of this function promises it.
    unsafe { check::schema(ptr::from_ref(schema).cast(), 0) }?;
    let schema = Schema::try_from(schema).map_err(|why| {
        let error = Error::new(Code::InvalidArgument, "`schema` says no type that zt knows");
        Failure::from(error.with_source(why))
    })?;
    // SAFETY: as above.
    unsafe { check::batch(ptr::from_ref(&array).cast(), schema.fields()) }?;
    let kind = DataType::Struct(schema.fields().clone());
    // SAFETY: as above, and what can be seen was looked at.
    let data = unsafe { from_ffi_and_data_type(array, kind) };
    let data = data.map_err(|_| wrong("array", "a buffer that must be there is NULL"))?;
    validate(&data, &schema)?;
    if data.nulls().is_some() {
        return Err(wrong("array", "rows of a batch cannot be missing"));
    }
    let rows = data.len();
    let (_, columns, _) = StructArray::from(data).into_parts();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let made = RecordBatch::try_new_with_options(Arc::new(schema), columns, &options);
    made.map_err(|_| wrong("array", "a column that cannot have missing values has some"))
}

/// Holds every value against its type. Arrow's own words may quote one, so that they stay here.
fn validate(data: &ArrayData, schema: &Schema) -> Result<(), Failure> {
    for (column, field) in data.child_data().iter().zip(schema.fields()) {
        column.validate_full().map_err(|_| {
            let name = shown(field.name());
            wrong(
                "array",
                &format!("column `{name}`: its values are not of its type"),
            )
        })?;
    }
    data.validate()
        .map_err(|_| wrong("array", "a column has fewer rows than the batch"))
}

/// Places of the program for a schema and an array.
pub(super) struct Outgoing {
    schema: *mut FFI_ArrowSchema,
    array: *mut FFI_ArrowArray,
}

impl Outgoing {
    /// # Safety
    /// Each is NULL or a place that may be written.
    pub(super) unsafe fn new(
        schema: *mut ArrowSchema,
        array: *mut ArrowArray,
    ) -> Result<Self, Failure> {
        let is_bad = |is_null: bool, is_aligned: bool| is_null || !is_aligned;
        if is_bad(schema.is_null(), schema.is_aligned())
            || is_bad(array.is_null(), array.is_aligned())
        {
            let message =
                "a place for the schema or the array of the answer is NULL or not aligned";
            return Err(Error::new(Code::InvalidArgument, message).into());
        }
        Ok(Self {
            schema: schema.cast(),
            array: array.cast(),
        })
    }

    pub(super) fn write(self, batch: RecordBatch) -> Result<(), Failure> {
        let schema = FFI_ArrowSchema::try_from(batch.schema_ref().as_ref()).map_err(internal)?;
        let array = FFI_ArrowArray::new(&StructArray::from(batch).into_data());
        // SAFETY: whoever made this promised a place; it is not NULL and aligned, and holds nothing to release.
        unsafe { self.schema.write(schema) };
        // SAFETY: as above.
        unsafe { self.array.write(array) };
        Ok(())
    }
}

fn internal(why: ArrowError) -> Failure {
    let error = Error::new(
        Code::Internal,
        "a batch cannot be written for the Arrow C data interface",
    );
    error.with_source(why).into()
}
