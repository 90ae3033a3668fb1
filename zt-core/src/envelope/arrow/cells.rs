//! The cells of a column as the bytes that are sealed.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Arrow has many types, and gains more"
)]

use std::io::Write;
use std::ops::Range;

use arrow_array::cast::AsArray as _;
use arrow_array::{Array, ArrayRef, BinaryViewArray, StringViewArray, make_array};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow_schema::DataType;

use super::types::width;

/// A column whose cells can be written, or read as bytes.
pub(super) struct Cells {
    nulls: Option<NullBuffer>,
    source: Source,
}

enum Source {
    /// Every cell is missing.
    Nothing,
    /// Values of one width.
    Fixed {
        bytes: Buffer,
        width: usize,
    },
    /// Flags, one byte each when they are written.
    Flags(BooleanBuffer),
    /// Text or bytes of any length.
    Bytes {
        bytes: Buffer,
        ends: Ends,
    },
    /// The same, as views.
    Texts(StringViewArray),
    Views(BinaryViewArray),
    /// As many elements as the ends say.
    List {
        ends: Ends,
        elements: Box<Cells>,
    },
    /// As many elements in each list, behind the first.
    Lists {
        length: usize,
        first: usize,
        elements: Box<Cells>,
    },
    /// A value of each.
    Struct(Vec<Cells>),
    /// The values that the keys stand for.
    Dictionary {
        keys: Vec<usize>,
        values: Box<Cells>,
    },
}

/// Where each value ends, behind where the first begins.
enum Ends {
    Small(arrow_buffer::OffsetBuffer<i32>),
    Large(arrow_buffer::OffsetBuffer<i64>),
}

impl Ends {
    fn of(&self, row: usize) -> Option<(usize, usize)> {
        let at = |row: usize| match self {
            Self::Small(ends) => usize::try_from(*ends.get(row)?).ok(),
            Self::Large(ends) => usize::try_from(*ends.get(row)?).ok(),
        };
        Some((at(row)?, at(row + 1)?))
    }
}

impl Cells {
    /// `None` for a type that cannot be sealed.
    pub(super) fn of(array: &dyn Array) -> Option<Self> {
        let source = match array.data_type() {
            DataType::Null => Source::Nothing,
            DataType::Boolean => Source::Flags(array.as_boolean_opt()?.values().clone()),
            DataType::Utf8 => {
                let array = array.as_string_opt::<i32>()?;
                let ends = Ends::Small(array.offsets().clone());
                let bytes = array.values().clone();
                Source::Bytes { bytes, ends }
            }
            DataType::LargeUtf8 => {
                let array = array.as_string_opt::<i64>()?;
                let ends = Ends::Large(array.offsets().clone());
                let bytes = array.values().clone();
                Source::Bytes { bytes, ends }
            }
            DataType::Binary => {
                let array = array.as_binary_opt::<i32>()?;
                let ends = Ends::Small(array.offsets().clone());
                let bytes = array.values().clone();
                Source::Bytes { bytes, ends }
            }
            DataType::LargeBinary => {
                let array = array.as_binary_opt::<i64>()?;
                let ends = Ends::Large(array.offsets().clone());
                let bytes = array.values().clone();
                Source::Bytes { bytes, ends }
            }
            DataType::Utf8View => Source::Texts(array.as_string_view_opt()?.clone()),
            DataType::BinaryView => Source::Views(array.as_binary_view_opt()?.clone()),
            _ => nested(array)?,
        };
        let nulls = array.nulls().cloned();
        Some(Self { nulls, source })
    }

    /// Whether there is a value.
    pub(super) fn is_there(&self, row: usize) -> bool {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return false;
        }
        match &self.source {
            Source::Nothing => false,
            Source::Dictionary { keys, values } => {
                keys.get(row).is_some_and(|key| values.is_there(*key))
            }
            Source::Fixed { .. }
            | Source::Flags(_)
            | Source::Bytes { .. }
            | Source::Texts(_)
            | Source::Views(_)
            | Source::List { .. }
            | Source::Lists { .. }
            | Source::Struct(_) => true,
        }
    }

    /// A cell of text or bytes that is there.
    pub(super) fn bytes(&self, row: usize) -> Option<&[u8]> {
        if !self.is_there(row) {
            return None;
        }
        match &self.source {
            Source::Fixed { bytes, width } => bytes.get(row * width..(row + 1) * width),
            Source::Bytes { bytes, ends } => {
                let (start, end) = ends.of(row)?;
                bytes.get(start..end)
            }
            Source::Texts(views) => Some(views.value(row).as_bytes()),
            Source::Views(views) => Some(views.value(row)),
            Source::Dictionary { keys, values } => values.bytes(*keys.get(row)?),
            Source::Nothing
            | Source::Flags(_)
            | Source::List { .. }
            | Source::Lists { .. }
            | Source::Struct(_) => None,
        }
    }

    /// How many bytes [`write`](Self::write) writes of a cell that is there.
    pub(super) fn length(&self, row: usize) -> Option<usize> {
        Some(match &self.source {
            Source::Nothing => 0,
            Source::Flags(_) => 1,
            Source::Fixed { width, .. } => *width,
            Source::Bytes { ends, .. } => {
                let (start, end) = ends.of(row)?;
                end.checked_sub(start)?
            }
            Source::Texts(views) => views.value(row).len(),
            Source::Views(views) => views.value(row).len(),
            Source::Dictionary { keys, values } => values.length(*keys.get(row)?)?,
            Source::List { ends, elements } => {
                let (start, end) = ends.of(row)?;
                elements.nested_length(start..end)?.checked_add(4)?
            }
            Source::Lists {
                length,
                first,
                elements,
            } => {
                let start = first + row * length;
                elements.nested_length(start..start + length)?
            }
            Source::Struct(fields) => {
                let mut each = fields.iter().map(|field| field.nested_length(row..row + 1));
                each.try_fold(0_usize, |sum, bytes| sum.checked_add(bytes?))?
            }
        })
    }

    /// How many bytes these cells inside another take.
    fn nested_length(&self, rows: Range<usize>) -> Option<usize> {
        if let (Source::Fixed { width, .. }, None) = (&self.source, &self.nulls) {
            return rows.len().checked_mul(1 + width);
        }
        let of_length = if self.has_any_length() { 4 } else { 0 };
        let mut rows = rows;
        rows.try_fold(0_usize, |sum, row| match self.is_there(row) {
            true => sum.checked_add(self.length(row)?.checked_add(1 + of_length)?),
            false => sum.checked_add(1),
        })
    }

    /// Writes the value of a cell that is there; `None` if it is too long, or longer than there is room.
    pub(super) fn write(&self, row: usize, to: &mut impl Write) -> Option<()> {
        match &self.source {
            Source::Flags(flags) => put(&[u8::from(flags.value(row))], to)?,
            Source::Fixed { .. } | Source::Bytes { .. } | Source::Texts(_) | Source::Views(_) => {
                put(self.bytes(row)?, to)?;
            }
            Source::Dictionary { keys, values } => values.write(*keys.get(row)?, to)?,
            Source::List { ends, elements } => {
                let (start, end) = ends.of(row)?;
                count(end.checked_sub(start)?, to)?;
                (start..end).try_for_each(|at| elements.write_nested(at, to))?;
            }
            Source::Lists {
                length,
                first,
                elements,
            } => {
                let start = first + row * length;
                (start..start + length).try_for_each(|at| elements.write_nested(at, to))?;
            }
            Source::Struct(fields) => {
                fields
                    .iter()
                    .try_for_each(|field| field.write_nested(row, to))?;
            }
            Source::Nothing => {}
        }
        Some(())
    }

    /// Writes a cell inside another: whether it is there, and where it has no length of its own, how long it is.
    fn write_nested(&self, row: usize, to: &mut impl Write) -> Option<()> {
        if !self.is_there(row) {
            return put(&[0], to);
        }
        put(&[1], to)?;
        if self.has_any_length() {
            count(self.bytes(row)?.len(), to)?;
        }
        self.write(row, to)
    }

    fn has_any_length(&self) -> bool {
        match &self.source {
            Source::Bytes { .. } | Source::Texts(_) | Source::Views(_) => true,
            Source::Dictionary { values, .. } => values.has_any_length(),
            Source::Nothing
            | Source::Fixed { .. }
            | Source::Flags(_)
            | Source::List { .. }
            | Source::Lists { .. }
            | Source::Struct(_) => false,
        }
    }
}

fn count(number: usize, to: &mut impl Write) -> Option<()> {
    put(&u32::try_from(number).ok()?.to_le_bytes(), to)
}

fn put(bytes: &[u8], to: &mut impl Write) -> Option<()> {
    to.write_all(bytes).ok()
}

fn boxed(array: &ArrayRef) -> Option<Box<Cells>> {
    Cells::of(&**array).map(Box::new)
}

fn nested(array: &dyn Array) -> Option<Source> {
    Some(match array.data_type() {
        DataType::List(_) => {
            let list = array.as_list_opt::<i32>()?;
            Source::List {
                ends: Ends::Small(list.offsets().clone()),
                elements: boxed(list.values())?,
            }
        }
        DataType::LargeList(_) => {
            let list = array.as_list_opt::<i64>()?;
            Source::List {
                ends: Ends::Large(list.offsets().clone()),
                elements: boxed(list.values())?,
            }
        }
        DataType::Map(..) => {
            let map = array.as_map_opt()?;
            Source::List {
                ends: Ends::Small(map.offsets().clone()),
                elements: Box::new(Cells::of(map.entries())?),
            }
        }
        DataType::FixedSizeList(..) => {
            let list = array.as_fixed_size_list_opt()?;
            Source::Lists {
                length: usize::try_from(list.value_length()).ok()?,
                first: list.value_offset_at(0),
                elements: boxed(list.values())?,
            }
        }
        DataType::Struct(_) => {
            let fields = array.as_struct_opt()?.columns().iter();
            let fields = fields.map(|field| Cells::of(&**field));
            Source::Struct(fields.collect::<Option<_>>()?)
        }
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary_opt()?;
            let keys = match dictionary.values().is_empty() {
                true => Vec::new(),
                false => dictionary.normalized_keys(),
            };
            Source::Dictionary {
                keys,
                values: boxed(dictionary.values())?,
            }
        }
        kind => {
            let width = width(kind)?;
            // What is cut out of a longer column begins somewhere in its buffer.
            let data = make_array(array.to_data()).to_data();
            let bytes = data.buffers().first()?;
            let start = data.offset() * width;
            let length = array.len() * width;
            let bytes = bytes.slice_with_length(start, length);
            Source::Fixed { bytes, width }
        }
    })
}
