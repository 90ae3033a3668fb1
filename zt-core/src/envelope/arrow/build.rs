//! Columns built anew from the bytes that were sealed.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Arrow has many types, and gains more"
)]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow_array::{
    Array as _, ArrayRef, BinaryArray, BinaryViewArray, StringArray, StringViewArray, make_array,
};
use arrow_buffer::{BooleanBufferBuilder, Buffer, MutableBuffer, NullBufferBuilder};
use arrow_data::{ArrayData, ArrayDataBuilder};
use arrow_schema::{DataType, FieldRef};

use super::types::{byte, count, flag, of_null, take, width};

/// A missing value of some bytes asks for so many at most: a list of four million numbers.
const LARGEST_NULL: usize = 16 << 20;

/// And all missing values of a part together: 32,768 vectors of 16,000 numbers. What is written costs its own bytes to write,
/// what is missing costs none.
const MOST_NULLS: usize = if usize::BITS > 32 { 4 << 30 } else { 1 << 30 };

/// A column that grows cell by cell.
pub(super) struct Column {
    kind: DataType,
    /// How many bytes a missing value takes.
    of_null: usize,
    /// How many more all of them may, those inside of others counted in.
    room: Arc<AtomicUsize>,
    nulls: NullBufferBuilder,
    rows: usize,
    values: Values,
}

enum Values {
    Nothing,
    Fixed {
        width: usize,
        bytes: MutableBuffer,
    },
    Flags(BooleanBufferBuilder),
    Bytes {
        bytes: MutableBuffer,
        ends: Vec<usize>,
    },
    List {
        ends: Vec<usize>,
        elements: Box<Column>,
    },
    Lists {
        length: usize,
        elements: Box<Column>,
    },
    Struct(Vec<Column>),
    Dictionary(Box<Dictionary>),
}

struct Dictionary {
    known: HashMap<Box<[u8]>, usize>,
    keys: Vec<usize>,
    key: DataType,
    values: Column,
}

/// Whether a column of the type can be built again: its missing values take no more room than anybody needs.
pub(super) fn is_sized(kind: &DataType) -> bool {
    of_null(kind).is_some_and(|bytes| bytes <= LARGEST_NULL)
}

impl Column {
    /// `None` for a type that is never sealed, and for one whose missing values take more room than anybody needs.
    pub(super) fn new(kind: &DataType) -> Option<Self> {
        Self::within(kind, &Arc::new(AtomicUsize::new(MOST_NULLS)))
    }

    /// One whose missing values may take so many bytes.
    pub(super) fn with_room(kind: &DataType, bytes: usize) -> Option<Self> {
        Self::within(kind, &Arc::new(AtomicUsize::new(bytes)))
    }

    fn within(kind: &DataType, room: &Arc<AtomicUsize>) -> Option<Self> {
        let of_null = of_null(kind).filter(|bytes| *bytes <= LARGEST_NULL)?;
        let boxed = |field: &FieldRef| Self::within(field.data_type(), room).map(Box::new);
        let values = match kind {
            DataType::Null => Values::Nothing,
            DataType::Boolean => Values::Flags(BooleanBufferBuilder::new(0)),
            DataType::Utf8
            | DataType::LargeUtf8
            | DataType::Utf8View
            | DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView => Values::Bytes {
                bytes: MutableBuffer::new(0),
                ends: vec![0],
            },
            DataType::List(field) | DataType::LargeList(field) | DataType::Map(field, _) => {
                Values::List {
                    ends: vec![0],
                    elements: boxed(field)?,
                }
            }
            DataType::FixedSizeList(field, length) => Values::Lists {
                length: usize::try_from(*length).ok()?,
                elements: boxed(field)?,
            },
            DataType::Struct(fields) => {
                let fields = fields
                    .iter()
                    .map(|field| Self::within(field.data_type(), room));
                Values::Struct(fields.collect::<Option<_>>()?)
            }
            DataType::Dictionary(key, values) => Values::Dictionary(Box::new(Dictionary {
                known: HashMap::new(),
                keys: Vec::new(),
                key: (**key).clone(),
                values: Self::within(values, room)?,
            })),
            kind => Values::Fixed {
                width: width(kind)?,
                bytes: MutableBuffer::new(0),
            },
        };
        Some(Self {
            kind: kind.clone(),
            of_null,
            room: Arc::clone(room),
            nulls: NullBufferBuilder::new(0),
            rows: 0,
            values,
        })
    }

    pub(super) const fn kind(&self) -> &DataType {
        &self.kind
    }

    /// One missing cell more; `None` if all of them would take more room than anybody needs.
    pub(super) fn push_null(&mut self) -> Option<()> {
        let (room, take) = (&self.room, |room: usize| room.checked_sub(self.of_null));
        room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
            .ok()?;
        self.add_null();
        Some(())
    }

    fn add_null(&mut self) {
        self.rows += 1;
        self.nulls.append_null();
        match &mut self.values {
            Values::Nothing => {}
            Values::Fixed { width, bytes } => bytes.extend_zeros(*width),
            Values::Flags(flags) => flags.append(false),
            Values::Bytes { ends, .. } | Values::List { ends, .. } => {
                ends.push(ends.last().copied().unwrap_or_default());
            }
            Values::Lists { length, elements } => {
                (0..*length).for_each(|_| elements.add_null());
            }
            Values::Struct(fields) => fields.iter_mut().for_each(Self::add_null),
            Values::Dictionary(dictionary) => dictionary.keys.push(0),
        }
    }

    /// One cell more, whose bytes are all of these; `None` if they are none of its type.
    pub(super) fn push(&mut self, mut value: &[u8]) -> Option<()> {
        self.push_from(&mut value, None)?;
        value.is_empty().then_some(())
    }

    /// One cell inside another.
    fn push_nested(&mut self, from: &mut &[u8]) -> Option<()> {
        if !flag(from)? {
            return self.push_null();
        }
        let length = match self.has_any_length() {
            true => Some(count(from)?),
            false => None,
        };
        self.push_from(from, length)
    }

    /// The value at the beginning of `from`. Text and bytes are as long as `length` says, or all of it.
    fn push_from(&mut self, from: &mut &[u8], length: Option<usize>) -> Option<()> {
        match &mut self.values {
            Values::Nothing => return None,
            Values::Fixed { width, bytes } => bytes.extend_from_slice(take(from, *width)?),
            Values::Flags(flags) => flags.append(match byte(from)? {
                0 => false,
                1 => true,
                _ => return None,
            }),
            Values::Bytes { bytes, ends } => {
                bytes.extend_from_slice(take(from, length.unwrap_or(from.len()))?);
                ends.push(bytes.len());
            }
            Values::List { ends, elements } => {
                for _ in 0..count(from)? {
                    elements.push_nested(from)?;
                }
                ends.push(elements.rows);
            }
            Values::Lists { length, elements } => {
                for _ in 0..*length {
                    elements.push_nested(from)?;
                }
            }
            Values::Struct(fields) => {
                for field in fields {
                    field.push_nested(from)?;
                }
            }
            Values::Dictionary(dictionary) => dictionary.push(from, length)?,
        }
        self.rows += 1;
        self.nulls.append_non_null();
        Some(())
    }

    /// Passes over the value at the beginning of `from`, which [`push_from`](Self::push_from) would read.
    fn pass(&self, from: &mut &[u8], length: Option<usize>) -> Option<()> {
        match &self.values {
            Values::Nothing => return None,
            Values::Fixed { width, .. } => drop(take(from, *width)?),
            Values::Flags(_) => drop(byte(from)?),
            Values::Bytes { .. } => drop(take(from, length.unwrap_or(from.len()))?),
            Values::List { elements, .. } => {
                for _ in 0..count(from)? {
                    elements.pass_nested(from)?;
                }
            }
            Values::Lists { length, elements } => {
                for _ in 0..*length {
                    elements.pass_nested(from)?;
                }
            }
            Values::Struct(fields) => {
                for field in fields {
                    field.pass_nested(from)?;
                }
            }
            Values::Dictionary(dictionary) => dictionary.values.pass(from, length)?,
        }
        Some(())
    }

    fn pass_nested(&self, from: &mut &[u8]) -> Option<()> {
        if !flag(from)? {
            return Some(());
        }
        let length = match self.has_any_length() {
            true => Some(count(from)?),
            false => None,
        };
        self.pass(from, length)
    }

    fn has_any_length(&self) -> bool {
        match &self.values {
            Values::Bytes { .. } => true,
            Values::Dictionary(dictionary) => dictionary.values.has_any_length(),
            Values::Nothing
            | Values::Fixed { .. }
            | Values::Flags(_)
            | Values::List { .. }
            | Values::Lists { .. }
            | Values::Struct(_) => false,
        }
    }

    /// The column; `None` if it has more values than its type can count, or values that are none of its type.
    pub(super) fn finish(self) -> Option<ArrayRef> {
        Some(make_array(self.data()?))
    }

    fn data(mut self) -> Option<ArrayData> {
        let is_nothing = matches!(self.values, Values::Nothing);
        let nulls = self.nulls.finish().filter(|_| !is_nothing);
        let data = ArrayDataBuilder::new(self.kind.clone())
            .len(self.rows)
            .nulls(nulls);
        let data = match self.values {
            Values::Nothing => data,
            Values::Fixed { bytes, .. } => data.add_buffer(bytes.into()),
            Values::Flags(mut flags) => data.add_buffer(flags.finish().into_inner()),
            Values::Bytes { bytes, ends } => {
                let view = match self.kind {
                    DataType::Utf8View => Some(DataType::Utf8),
                    DataType::BinaryView => Some(DataType::Binary),
                    _ => None,
                };
                let data = match &view {
                    Some(kind) => data.data_type(kind.clone()),
                    None => data,
                };
                let ends = buffer_of(
                    &ends,
                    self.kind == DataType::LargeUtf8 || self.kind == DataType::LargeBinary,
                )?;
                let data = data
                    .add_buffer(ends)
                    .add_buffer(bytes.into())
                    .build()
                    .ok()?;
                return Some(match view {
                    Some(DataType::Utf8) => {
                        StringViewArray::from(&StringArray::from(data)).into_data()
                    }
                    Some(_) => BinaryViewArray::from(&BinaryArray::from(data)).into_data(),
                    None => data,
                });
            }
            Values::List { ends, elements } => {
                let is_large = matches!(self.kind, DataType::LargeList(_));
                data.add_buffer(buffer_of(&ends, is_large)?)
                    .add_child_data(elements.data()?)
            }
            Values::Lists { elements, .. } => data.add_child_data(elements.data()?),
            Values::Struct(fields) => {
                let fields = fields.into_iter().map(Self::data);
                data.child_data(fields.collect::<Option<_>>()?)
            }
            Values::Dictionary(dictionary) => {
                let keys = dictionary.keys()?;
                data.add_buffer(keys)
                    .add_child_data(dictionary.values.data()?)
            }
        };
        data.align_buffers(true).build().ok()
    }
}

impl Dictionary {
    fn push(&mut self, from: &mut &[u8], length: Option<usize>) -> Option<()> {
        let mut rest = *from;
        // The value may be known: then nothing is built, and what is missing inside of it takes no room again.
        self.values.pass(&mut rest, length)?;
        let value = from.get(..from.len() - rest.len())?;
        let next = self.known.len();
        let key = match self.known.get(value) {
            Some(key) => *key,
            None => {
                self.values.push(value)?;
                self.known.insert(Box::from(value), next);
                next
            }
        };
        self.keys.push(key);
        *from = rest;
        Some(())
    }

    /// The keys in their type, which may be too small for so many values.
    fn keys(&self) -> Option<Buffer> {
        fn of<T: TryFrom<usize> + arrow_buffer::ArrowNativeType>(keys: &[usize]) -> Option<Buffer> {
            let keys: Option<Vec<T>> = keys.iter().map(|key| T::try_from(*key).ok()).collect();
            Some(Buffer::from_vec(keys?))
        }
        match self.key {
            DataType::Int8 => of::<i8>(&self.keys),
            DataType::Int16 => of::<i16>(&self.keys),
            DataType::Int32 => of::<i32>(&self.keys),
            DataType::Int64 => of::<i64>(&self.keys),
            DataType::UInt8 => of::<u8>(&self.keys),
            DataType::UInt16 => of::<u16>(&self.keys),
            DataType::UInt32 => of::<u32>(&self.keys),
            DataType::UInt64 => of::<u64>(&self.keys),
            _ => None,
        }
    }
}

/// Where values end, as 4 or 8 bytes each.
fn buffer_of(ends: &[usize], is_large: bool) -> Option<Buffer> {
    if is_large {
        let ends: Option<Vec<i64>> = ends.iter().map(|end| i64::try_from(*end).ok()).collect();
        return Some(Buffer::from_vec(ends?));
    }
    let ends: Option<Vec<i32>> = ends.iter().map(|end| i32::try_from(*end).ok()).collect();
    Some(Buffer::from_vec(ends?))
}
