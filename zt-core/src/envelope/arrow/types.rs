//! The type of a column as bytes that end by themselves: a code, then what it needs. Lengths are 4 bytes, little-endian.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Arrow has many types, and gains more"
)]

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Fields, IntervalUnit, TimeUnit};

/// So deep a type may be nested.
const DEEPEST: usize = 32;

/// Appends the type; `None` for one that cannot be sealed.
pub(super) fn write(kind: &DataType, to: &mut Vec<u8>) -> Option<()> {
    if let Some(code) = simple(kind) {
        to.push(code);
        return Some(());
    }
    match kind {
        DataType::Time32(unit) => to.extend([17, of_unit(*unit)]),
        DataType::Time64(unit) => to.extend([18, of_unit(*unit)]),
        DataType::Timestamp(unit, zone) => {
            to.extend([19, of_unit(*unit), u8::from(zone.is_some())]);
            if let Some(zone) = zone {
                text(zone, to)?;
            }
        }
        DataType::Duration(unit) => to.extend([20, of_unit(*unit)]),
        DataType::Interval(unit) => to.extend([
            21,
            match unit {
                IntervalUnit::YearMonth => 0,
                IntervalUnit::DayTime => 1,
                IntervalUnit::MonthDayNano => 2,
            },
        ]),
        DataType::Decimal32(digits, scale) => to.extend([22, *digits, scale.cast_unsigned()]),
        DataType::Decimal64(digits, scale) => to.extend([23, *digits, scale.cast_unsigned()]),
        DataType::Decimal128(digits, scale) => to.extend([24, *digits, scale.cast_unsigned()]),
        DataType::Decimal256(digits, scale) => to.extend([25, *digits, scale.cast_unsigned()]),
        DataType::FixedSizeBinary(width) => {
            to.push(30);
            number(usize::try_from(*width).ok()?, to)?;
        }
        DataType::List(field) => {
            to.push(31);
            write_field(field, to)?;
        }
        DataType::LargeList(field) => {
            to.push(32);
            write_field(field, to)?;
        }
        DataType::FixedSizeList(field, length) => {
            to.push(33);
            number(usize::try_from(*length).ok()?, to)?;
            write_field(field, to)?;
        }
        DataType::Struct(fields) => {
            to.push(34);
            number(fields.len(), to)?;
            fields.iter().try_for_each(|field| write_field(field, to))?;
        }
        DataType::Map(entries, is_sorted) => {
            to.extend([35, u8::from(*is_sorted)]);
            write_field(entries, to)?;
        }
        DataType::Dictionary(keys, values) => {
            to.extend([36, simple(keys)?]);
            write(values, to)?;
        }
        _ => return None,
    }
    Some(())
}

/// The types of one byte. The first five are those of a batch without Arrow.
const SIMPLE: [(DataType, u8); 21] = [
    (DataType::Utf8, 1),
    (DataType::Float64, 2),
    (DataType::Int64, 3),
    (DataType::Boolean, 4),
    (DataType::Binary, 5),
    (DataType::Int8, 6),
    (DataType::Int16, 7),
    (DataType::Int32, 8),
    (DataType::UInt8, 9),
    (DataType::UInt16, 10),
    (DataType::UInt32, 11),
    (DataType::UInt64, 12),
    (DataType::Float16, 13),
    (DataType::Float32, 14),
    (DataType::Date32, 15),
    (DataType::Date64, 16),
    (DataType::LargeUtf8, 26),
    (DataType::Utf8View, 27),
    (DataType::LargeBinary, 28),
    (DataType::BinaryView, 29),
    (DataType::Null, 37),
];

fn simple(kind: &DataType) -> Option<u8> {
    let found = SIMPLE.iter().find(|(own, _)| own == kind);
    found.map(|(_, code)| *code)
}

const fn of_unit(unit: TimeUnit) -> u8 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 1,
        TimeUnit::Microsecond => 2,
        TimeUnit::Nanosecond => 3,
    }
}

fn number(number: usize, to: &mut Vec<u8>) -> Option<()> {
    to.extend(u32::try_from(number).ok()?.to_le_bytes());
    Some(())
}

fn text(text: &str, to: &mut Vec<u8>) -> Option<()> {
    number(text.len(), to)?;
    to.extend_from_slice(text.as_bytes());
    Some(())
}

/// Name, whether it may be missing, metadata in order of their names, type.
fn write_field(field: &Field, to: &mut Vec<u8>) -> Option<()> {
    text(field.name(), to)?;
    to.push(u8::from(field.is_nullable()));
    let mut metadata: Vec<_> = field.metadata().iter().collect();
    metadata.sort();
    number(metadata.len(), to)?;
    for (name, value) in metadata {
        text(name, to)?;
        text(value, to)?;
    }
    write(field.data_type(), to)
}

/// Reads what [`write`] wrote and leaves the rest; `None` if it wrote nothing like this.
pub(super) fn read(from: &mut &[u8]) -> Option<DataType> {
    read_nested(from, 0)
}

fn read_nested(from: &mut &[u8], depth: usize) -> Option<DataType> {
    if depth > DEEPEST {
        return None;
    }
    let code = byte(from)?;
    if let Some((kind, _)) = SIMPLE.iter().find(|(_, own)| *own == code) {
        return Some(kind.clone());
    }
    Some(match code {
        17 => DataType::Time32(unit(from).filter(|unit| !is_fine(*unit))?),
        18 => DataType::Time64(unit(from).filter(|unit| is_fine(*unit))?),
        19 => {
            let unit = unit(from)?;
            let zone = flag(from)?.then(|| read_text(from));
            let zone = match zone {
                Some(zone) => Some(Arc::from(zone?)),
                None => None,
            };
            DataType::Timestamp(unit, zone)
        }
        20 => DataType::Duration(unit(from)?),
        21 => DataType::Interval(match byte(from)? {
            0 => IntervalUnit::YearMonth,
            1 => IntervalUnit::DayTime,
            2 => IntervalUnit::MonthDayNano,
            _ => return None,
        }),
        22 => DataType::Decimal32(byte(from)?, byte(from)?.cast_signed()),
        23 => DataType::Decimal64(byte(from)?, byte(from)?.cast_signed()),
        24 => DataType::Decimal128(byte(from)?, byte(from)?.cast_signed()),
        25 => DataType::Decimal256(byte(from)?, byte(from)?.cast_signed()),
        30 => DataType::FixedSizeBinary(i32::try_from(count(from)?).ok()?),
        31 => DataType::List(field(from, depth)?),
        32 => DataType::LargeList(field(from, depth)?),
        33 => {
            let length = i32::try_from(count(from)?).ok()?;
            DataType::FixedSizeList(field(from, depth)?, length)
        }
        34 => {
            let fields: Option<Vec<FieldRef>> =
                (0..count(from)?).map(|_| field(from, depth)).collect();
            DataType::Struct(Fields::from(fields?))
        }
        35 => {
            let is_sorted = flag(from)?;
            let entries = field(from, depth)?;
            let is_pair = matches!(entries.data_type(), DataType::Struct(two) if two.len() == 2);
            is_pair.then_some(DataType::Map(entries, is_sorted))?
        }
        36 => {
            let keys = read_nested(from, depth + 1).filter(DataType::is_dictionary_key_type)?;
            let values = read_nested(from, depth + 1)?;
            DataType::Dictionary(Box::new(keys), Box::new(values))
        }
        _ => return None,
    })
}

pub(super) fn byte(from: &mut &[u8]) -> Option<u8> {
    let (first, rest) = from.split_first()?;
    *from = rest;
    Some(*first)
}

pub(super) fn take<'a>(from: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = from.split_at_checked(count)?;
    *from = rest;
    Some(taken)
}

/// A length or a number of things.
pub(super) fn count(from: &mut &[u8]) -> Option<usize> {
    let bytes: [u8; 4] = take(from, 4)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(bytes)).ok()
}

pub(super) fn flag(from: &mut &[u8]) -> Option<bool> {
    match byte(from)? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

fn unit(from: &mut &[u8]) -> Option<TimeUnit> {
    Some(match byte(from)? {
        0 => TimeUnit::Second,
        1 => TimeUnit::Millisecond,
        2 => TimeUnit::Microsecond,
        3 => TimeUnit::Nanosecond,
        _ => return None,
    })
}

/// Times of finer units have 64 bits, and those of coarser ones 32.
const fn is_fine(unit: TimeUnit) -> bool {
    match unit {
        TimeUnit::Second | TimeUnit::Millisecond => false,
        TimeUnit::Microsecond | TimeUnit::Nanosecond => true,
    }
}

/// Whether cells of the type name what lies elsewhere in the column: values of a dictionary, texts behind a view.
pub(super) fn is_shared(kind: &DataType) -> bool {
    match kind {
        DataType::Dictionary(..)
        | DataType::Utf8View
        | DataType::BinaryView
        | DataType::ListView(_)
        | DataType::LargeListView(_)
        | DataType::Union(..)
        | DataType::RunEndEncoded(..) => true,
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _) => is_shared(field.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| is_shared(field.data_type())),
        _ => false,
    }
}

/// The bytes that a missing value of the type takes; `None` if they cannot be counted.
pub(super) fn of_null(kind: &DataType) -> Option<usize> {
    match kind {
        DataType::FixedSizeList(field, length) => {
            let each = of_null(field.data_type())?.max(1);
            usize::try_from(*length).ok()?.checked_mul(each)
        }
        DataType::Struct(fields) => {
            let mut each = fields.iter().map(|field| of_null(field.data_type()));
            each.try_fold(0_usize, |sum, bytes| sum.checked_add(bytes?))
        }
        kind => Some(width(kind).unwrap_or(8)),
    }
}

fn read_text<'a>(from: &mut &'a [u8]) -> Option<&'a str> {
    let length = count(from)?;
    str::from_utf8(take(from, length)?).ok()
}

fn field(from: &mut &[u8], depth: usize) -> Option<FieldRef> {
    let name = read_text(from)?;
    let is_nullable = flag(from)?;
    let mut metadata = HashMap::new();
    for _ in 0..count(from)? {
        let name = read_text(from)?.to_owned();
        metadata.insert(name, read_text(from)?.to_owned());
    }
    let kind = read_nested(from, depth + 1)?;
    let field = Field::new(name, kind, is_nullable).with_metadata(metadata);
    Some(Arc::new(field))
}

/// The bytes of each value, for types whose values all have as many and lie in one buffer.
pub(super) fn width(kind: &DataType) -> Option<usize> {
    match kind {
        DataType::FixedSizeBinary(width) => usize::try_from(*width).ok(),
        kind => kind.primitive_width(),
    }
}
