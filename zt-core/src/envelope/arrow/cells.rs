//! The cells of a column as the bytes that are sealed.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Arrow has many types, and gains more"
)]

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

    /// Appends the value of a cell that is there; `None` if it is too long.
    pub(super) fn write(&self, row: usize, to: &mut Vec<u8>) -> Option<()> {
        match &self.source {
            Source::Flags(flags) => to.push(u8::from(flags.value(row))),
            Source::Fixed { .. } | Source::Bytes { .. } | Source::Texts(_) | Source::Views(_) => {
                to.extend_from_slice(self.bytes(row)?);
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

    /// Appends a cell inside another: whether it is there, and where it has no length of its own, how long it is.
    fn write_nested(&self, row: usize, to: &mut Vec<u8>) -> Option<()> {
        if !self.is_there(row) {
            to.push(0);
            return Some(());
        }
        to.push(1);
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

fn count(number: usize, to: &mut Vec<u8>) -> Option<()> {
    to.extend(u32::try_from(number).ok()?.to_le_bytes());
    Some(())
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
