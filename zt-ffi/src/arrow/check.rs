//! What can be seen of foreign Arrow structs is looked at before Arrow's own code relies on it.
//!
//! In: pointers of the program. Out: nothing, or what is wrong and in which column. Lengths, pointers, numbers of buffers and
//! children are held against the type; what the buffers hold is validated after the import. What a pointer points to and how
//! long a buffer really is nobody can see.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Arrow has many types, and most of them need nothing but what their layout says"
)]

use std::ffi::CStr;

use arrow_data::layout;
use arrow_schema::{DataType, Fields};
use zt_core::text::shown;
use zt_core::{Code, Error};

use super::raw::{ArrowArray, ArrowSchema};
use crate::boundary::Failure;

/// Types deeper than this are refused.
const DEEPEST: usize = 64;
/// More children than this have no type.
const MOST_CHILDREN: i64 = 1 << 20;
/// So many rows fit in memory whatever the type: 32 bytes is the widest.
const MOST_ROWS: i64 = i64::MAX / 512;

/// An argument that is no Arrow data.
#[cold]
pub(super) fn wrong(name: &str, why: &str) -> Failure {
    let message = format!("`{name}` is not as the Arrow C data interface wants it: {why}");
    Error::new(Code::InvalidArgument, message).into()
}

/// A struct that is there.
///
/// # Safety
/// `node` is NULL or points to a `T` that nobody changes during `'a`.
pub(super) unsafe fn there<'a, T>(node: *const T, name: &str) -> Result<&'a T, Failure> {
    if !node.is_aligned() {
        return Err(wrong(name, "a pointer is not aligned"));
    }
    // SAFETY: it is aligned; the caller of this function promises the rest.
    unsafe { node.as_ref() }.ok_or_else(|| wrong(name, "a pointer is NULL"))
}

/// The pointers to the children.
///
/// # Safety
/// `children` is NULL or points to `count` pointers that nobody changes during `'a`.
unsafe fn pointers<'a, T>(
    children: *mut *mut T,
    count: i64,
    name: &str,
) -> Result<&'a [*mut T], Failure> {
    if !(0..=MOST_CHILDREN).contains(&count) {
        return Err(wrong(name, &format!("it has {count} children")));
    }
    if count == 0 {
        return Ok(&[]);
    }
    if children.is_null() || !children.is_aligned() {
        return Err(wrong(name, "the pointer to its children is bad"));
    }
    let count = usize::try_from(count).unwrap_or_default();
    // SAFETY: not NULL, aligned and of a length that an object can have; the caller of this function promises the rest.
    Ok(unsafe { std::slice::from_raw_parts(children, count) })
}

/// Whether a schema and everything below it is there, is not released, and says a type.
///
/// # Safety
/// `node` is NULL or points to a schema whose pointers are as the interface wants them, during the call.
pub(super) unsafe fn schema(node: *const ArrowSchema, depth: usize) -> Result<(), Failure> {
    const NAME: &str = "schema";
    // SAFETY: the caller of this function promises it.
    let node = unsafe { there(node, NAME) }?;
    if node.release.is_none() {
        return Err(wrong(NAME, "it was released or moved"));
    }
    if depth > DEEPEST {
        return Err(wrong(NAME, &format!("it is deeper than {DEEPEST}")));
    }
    if node.format.is_null() {
        return Err(wrong(NAME, "it has no format"));
    }
    // SAFETY: not NULL; the caller of this function promises a string.
    let format = unsafe { CStr::from_ptr(node.format) };
    let format = format
        .to_str()
        .map_err(|_| wrong(NAME, "a format is not UTF-8"))?;
    if !node.name.is_null() {
        // SAFETY: not NULL; the caller of this function promises a string.
        let name = unsafe { CStr::from_ptr(node.name) };
        name.to_str()
            .map_err(|_| wrong(NAME, "a name is not UTF-8"))?;
    }
    // SAFETY: the caller of this function promises it.
    let children = unsafe { pointers(node.children, node.n_children, NAME) }?;
    let needs = match format.as_bytes() {
        [b'+', b's' | b'u', ..] => None,
        [b'+', b'r', ..] => Some(2),
        [b'+', ..] => Some(1),
        _ => Some(0),
    };
    if needs.is_some_and(|needs| children.len() != needs) {
        let count = children.len();
        return Err(wrong(
            NAME,
            &format!("format `{format}` with {count} children"),
        ));
    }
    for child in children {
        // SAFETY: the caller of this function promises it of everything below.
        unsafe { schema(*child, depth + 1) }?;
        // SAFETY: it was looked at.
        let child = unsafe { there(*child, NAME) }?;
        if format == "+m" && child.n_children != 2 {
            return Err(wrong(NAME, "the pairs of a map are not of two columns"));
        }
    }
    if !node.dictionary.is_null() {
        // SAFETY: as above.
        unsafe { schema(node.dictionary, depth + 1) }?;
    }
    Ok(())
}

/// Whether an array of these columns is one, as [`schema`] asks it of a schema.
///
/// # Safety
/// As [`array`].
pub(super) unsafe fn batch(node: *const ArrowArray, fields: &Fields) -> Result<(), Failure> {
    let kind = DataType::Struct(fields.clone());
    // SAFETY: the caller of this function promises it.
    let children = unsafe { array_itself(node, &kind, "the batch") }?;
    for (child, field) in children.iter().zip(fields) {
        let name = format!("column `{}`", shown(field.name()));
        // SAFETY: the caller of this function promises it of everything below.
        unsafe { array(*child, field.data_type(), &name) }?;
    }
    Ok(())
}

/// Whether an array and everything below it is there, is not released, and has what its type needs.
///
/// # Safety
/// `node` is NULL or points to an array whose pointers are as the interface wants them for `kind`, during the call.
unsafe fn array(node: *const ArrowArray, kind: &DataType, column: &str) -> Result<(), Failure> {
    // SAFETY: the caller of this function promises it.
    let children = unsafe { array_itself(node, kind, column) }?;
    for (child, kind) in children.iter().zip(below(kind)) {
        // SAFETY: the caller of this function promises it of everything below.
        unsafe { array(*child, kind, column) }?;
    }
    if let DataType::Dictionary(_, values) = kind {
        // SAFETY: as above; it was looked at itself.
        let dictionary = unsafe { there(node, "array") }?.dictionary;
        // SAFETY: as above.
        unsafe { array(dictionary, values, column) }?;
    }
    Ok(())
}

/// The same of the array alone; its children.
///
/// # Safety
/// As [`array`].
unsafe fn array_itself<'a>(
    node: *const ArrowArray,
    kind: &DataType,
    column: &str,
) -> Result<&'a [*mut ArrowArray], Failure> {
    let wrong = |why: &str| wrong("array", &format!("{column}: {why}"));
    // SAFETY: the caller of this function promises it.
    let node = unsafe { there(node, "array") }?;
    if node.release.is_none() {
        return Err(wrong("it was released or moved"));
    }
    let rows = rows(node, kind).ok_or_else(|| wrong("its length or offset does not fit"))?;
    // SAFETY: the caller of this function promises it.
    unsafe { buffers(node, kind, rows) }.map_err(|why| wrong(&why))?;
    // SAFETY: the caller of this function promises it.
    let children = unsafe { pointers(node.children, node.n_children, "array") }?;
    let (is, needs) = (children.len(), below(kind).len());
    if is != needs {
        return Err(wrong(&format!("it has {is} children, its type {needs}")));
    }
    if node.dictionary.is_null() == matches!(kind, DataType::Dictionary(..)) {
        return Err(wrong(
            "it has a dictionary and its type has none, or it lacks one",
        ));
    }
    Ok(children)
}

/// The types below this one.
fn below(kind: &DataType) -> Vec<&DataType> {
    match kind {
        DataType::Struct(fields) => fields.iter().map(|field| field.data_type()).collect(),
        DataType::Union(fields, _) => fields.iter().map(|(_, field)| field.data_type()).collect(),
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _) => vec![field.data_type()],
        DataType::RunEndEncoded(ends, values) => vec![ends.data_type(), values.data_type()],
        _ => Vec::new(),
    }
}

/// How many values the buffers hold; `None` when no memory could.
fn rows(node: &ArrowArray, kind: &DataType) -> Option<usize> {
    let (length, offset) = (node.length, node.offset);
    if length < 0 || offset < 0 {
        return None;
    }
    let rows = length
        .checked_add(offset)
        .filter(|rows| *rows < MOST_ROWS)?;
    let rows = usize::try_from(rows).ok()?;
    let each = match kind {
        DataType::FixedSizeBinary(width) => usize::try_from(*width).ok()?.checked_mul(8)?,
        DataType::FixedSizeList(_, width) => usize::try_from(*width).ok()?,
        _ => 1,
    };
    let all = rows.checked_mul(each)?;
    isize::try_from(all).ok().map(|_| rows)
}

/// # Safety
/// As [`array`].
unsafe fn buffers(node: &ArrowArray, kind: &DataType, rows: usize) -> Result<(), String> {
    let layout = layout(kind);
    let own = layout.buffers.len() + usize::from(layout.can_contain_null_mask);
    let count = usize::try_from(node.n_buffers).map_err(|_| "its buffers are fewer than none")?;
    let fits = match layout.variadic {
        // Behind the views stand the buffers of long values, and their lengths.
        true => (own + 1..=own + 1 + (1 << 20)).contains(&count),
        false => count == own,
    };
    if !fits {
        return Err(format!("it has {count} buffers, its type {own}"));
    }
    if count > 0 && (node.buffers.is_null() || !node.buffers.is_aligned()) {
        return Err("the pointer to its buffers is bad".to_owned());
    }
    let buffer = |at: usize| {
        // SAFETY: the caller promises `n_buffers` pointers, and `at` is less.
        let place = unsafe { node.buffers.add(at) };
        // SAFETY: as above.
        unsafe { *place }
    };
    match kind {
        DataType::Utf8 | DataType::Binary if rows > 0 => {
            let ends = buffer(1).cast::<i32>();
            // SAFETY: the caller promises one end more than rows.
            let end = unsafe { end_of(ends, rows) }?;
            usize::try_from(end).map_err(|_| "its values end before they begin")?;
        }
        DataType::LargeUtf8 | DataType::LargeBinary if rows > 0 => {
            let ends = buffer(1).cast::<i64>();
            // SAFETY: the caller promises one end more than rows.
            let end = unsafe { end_of(ends, rows) }?;
            isize::try_from(end)
                .ok()
                .filter(|end| *end >= 0)
                .ok_or("its values end before they begin, or beyond all memory")?;
        }
        _ if layout.variadic => {
            let lengths = buffer(count - 1).cast::<i64>();
            for at in 0..count - own - 1 {
                // SAFETY: the caller promises a length for each buffer of long values.
                let length = unsafe { end_of(lengths, at) }?;
                let length = isize::try_from(length).ok().filter(|length| *length >= 0);
                length.ok_or("one of its buffers has no length that memory could")?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// The number at this place of a buffer.
///
/// # Safety
/// `numbers` is NULL or points to more than `at` of them.
unsafe fn end_of<T: Copy>(numbers: *const T, at: usize) -> Result<T, String> {
    if numbers.is_null() || !numbers.is_aligned() {
        return Err("the pointer to its ends or lengths is bad".to_owned());
    }
    // SAFETY: the caller of this function promises it.
    let place = unsafe { numbers.add(at) };
    // SAFETY: as above; it is aligned.
    Ok(unsafe { *place })
}
