//! The cells of a column of Arrow as values of an attribute. A cell that is none is nothing, like one that is missing.

use std::collections::BTreeSet;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use super::super::matches::number;
use crate::envelope::looks_sealed;
use crate::policy::value::{Datum, Decimal, Value, ValueType};

/// A float of 16 bits.
type Half = <Float16Type as ArrowPrimitiveType>::Native;
/// The value of each row.
pub(super) type Cells<'a> = Box<dyn Fn(usize) -> Option<Datum<'a>> + 'a>;
/// The moment of each row, in nanoseconds since 1970.
pub(super) type Moments<'a> = Box<dyn Fn(usize) -> Option<i128> + 'a>;

/// The sets of a column.
pub(super) struct Sets(Vec<Option<Set>>);

pub(super) struct Set {
    pub(super) texts: BTreeSet<String>,
    /// Whether a member is missing.
    pub(super) lacks: bool,
}

impl Sets {
    pub(super) fn get(&self, row: usize) -> Option<&Set> {
        self.0.get(row)?.as_ref()
    }
}

/// The row of a dictionary's values that each row stands for.
fn looked_up<'a, T: 'a>(
    array: &'a dyn Array,
    of: impl FnOnce(&'a dyn Array) -> Option<Box<dyn Fn(usize) -> Option<T> + 'a>>,
) -> Option<Box<dyn Fn(usize) -> Option<T> + 'a>> {
    let dictionary = array.as_any_dictionary_opt()?;
    let values: &'a ArrayRef = dictionary.values();
    let cells = of(&**values)?;
    // Without values every key is null, and there is nothing to normalize.
    if values.is_empty() {
        return Some(Box::new(|_| None));
    }
    let keys = dictionary.normalized_keys();
    Some(Box::new(move |row| {
        if !is_there(dictionary.keys(), row) {
            return None;
        }
        keys.get(row).and_then(|key| cells(*key))
    }))
}

fn is_there(array: &dyn Array, row: usize) -> bool {
    row < array.len() && array.is_valid(row)
}

/// Each cell that is there.
fn each<'a, T, A: Array>(
    array: &'a A,
    of: impl Fn(&'a A, usize) -> Option<T> + 'a,
) -> Box<dyn Fn(usize) -> Option<T> + 'a> {
    Box::new(move |row| is_there(array, row).then(|| of(array, row))?)
}

/// The cells of a column as values of this type; none where its own type has none of them.
pub(super) fn cells(array: &dyn Array, kind: ValueType) -> Option<Cells<'_>> {
    if array.as_any_dictionary_opt().is_some() {
        return looked_up(array, |values| cells(values, kind));
    }
    if *array.data_type() == DataType::Null {
        return Some(Box::new(|_| None));
    }
    match kind {
        ValueType::Bool => {
            let flags = array.as_boolean_opt()?;
            Some(each(flags, |flags, row| {
                Some(Datum::Bool(flags.value(row)))
            }))
        }
        ValueType::Int | ValueType::Decimal => numbers(array, kind),
        ValueType::Text | ValueType::Enum => {
            let texts = texts(array)?;
            let plain = |text: &&str| !looks_sealed(text);
            Some(Box::new(move |row| {
                texts(row).filter(plain).map(Datum::Text)
            }))
        }
        ValueType::Ip => {
            let texts = texts(array)?;
            Some(Box::new(move |row| match Value::read(kind, texts(row)?)? {
                Value::Ip(address) => Some(Datum::Ip(address)),
                Value::Bool(_)
                | Value::Int(_)
                | Value::Decimal(_)
                | Value::Text(_)
                | Value::Set(_)
                | Value::Datetime(_) => None,
            }))
        }
        ValueType::Set | ValueType::Datetime => None,
    }
}

fn texts<'a>(array: &'a dyn Array) -> Option<Box<dyn Fn(usize) -> Option<&'a str> + 'a>> {
    if array.as_any_dictionary_opt().is_some() {
        return looked_up(array, texts);
    }
    if let Some(list) = array.as_string_opt::<i32>() {
        return Some(each(list, |list, row| Some(list.value(row))));
    }
    if let Some(list) = array.as_string_opt::<i64>() {
        return Some(each(list, |list, row| Some(list.value(row))));
    }
    let list = array.as_string_view_opt()?;
    Some(each(list, |list, row| Some(list.value(row))))
}

fn numbers(array: &dyn Array, kind: ValueType) -> Option<Cells<'_>> {
    let whole = whole::<Int64Type>(array)
        .or_else(|| whole::<Int32Type>(array))
        .or_else(|| whole::<Int16Type>(array))
        .or_else(|| whole::<Int8Type>(array))
        .or_else(|| whole::<UInt64Type>(array))
        .or_else(|| whole::<UInt32Type>(array))
        .or_else(|| whole::<UInt16Type>(array))
        .or_else(|| whole::<UInt8Type>(array));
    if whole.is_some() {
        return whole;
    }
    let binary = binary::<Float64Type>(array, kind, |value| value)
        .or_else(|| binary::<Float32Type>(array, kind, f64::from))
        .or_else(|| binary::<Float16Type>(array, kind, Half::to_f64));
    if binary.is_some() {
        return binary;
    }
    exact::<Decimal128Type>(array, kind)
        .or_else(|| exact::<Decimal64Type>(array, kind))
        .or_else(|| exact::<Decimal32Type>(array, kind))
}

fn whole<T: ArrowPrimitiveType<Native: TryInto<i64>>>(array: &dyn Array) -> Option<Cells<'_>> {
    let list = array.as_primitive_opt::<T>()?;
    Some(each(list, |list, row| {
        list.value(row).try_into().ok().map(Datum::Int)
    }))
}

fn binary<T: ArrowPrimitiveType>(
    array: &dyn Array,
    kind: ValueType,
    wide: fn(T::Native) -> f64,
) -> Option<Cells<'_>> {
    let list = array.as_primitive_opt::<T>()?;
    Some(each(list, move |list, row| {
        match number(wide(list.value(row)), kind)? {
            Value::Int(number) => Some(Datum::Int(number)),
            Value::Decimal(number) => Some(Datum::Decimal(number)),
            Value::Bool(_) | Value::Text(_) | Value::Set(_) | Value::Ip(_) | Value::Datetime(_) => {
                None
            }
        }
    }))
}

fn exact<T: ArrowPrimitiveType<Native: Into<i128>>>(
    array: &dyn Array,
    kind: ValueType,
) -> Option<Cells<'_>> {
    let list = array.as_primitive_opt::<T>()?;
    let (DataType::Decimal32(_, scale)
    | DataType::Decimal64(_, scale)
    | DataType::Decimal128(_, scale)) = *list.data_type()
    else {
        return None;
    };
    Some(each(list, move |list, row| {
        let number = Decimal::of_units(list.value(row).into(), scale)?;
        match kind {
            ValueType::Int => number.to_whole().map(Datum::Int),
            ValueType::Decimal
            | ValueType::Bool
            | ValueType::Text
            | ValueType::Enum
            | ValueType::Set
            | ValueType::Ip
            | ValueType::Datetime => Some(Datum::Decimal(number)),
        }
    }))
}

/// The moments of a column; none where its type has none.
pub(super) fn moments(array: &dyn Array) -> Option<Moments<'_>> {
    const SECOND: i128 = 1_000_000_000;
    if array.as_any_dictionary_opt().is_some() {
        return looked_up(array, moments);
    }
    if *array.data_type() == DataType::Null {
        return Some(Box::new(|_| None));
    }
    let counted = since::<TimestampMicrosecondType>(array, 1000)
        .or_else(|| since::<TimestampMillisecondType>(array, SECOND / 1000))
        .or_else(|| since::<TimestampNanosecondType>(array, 1))
        .or_else(|| since::<TimestampSecondType>(array, SECOND))
        .or_else(|| since::<Date32Type>(array, 86_400 * SECOND))
        .or_else(|| since::<Date64Type>(array, SECOND / 1000));
    if counted.is_some() {
        return counted;
    }
    let texts = texts(array)?;
    Some(Box::new(move |row| {
        super::nanoseconds(&Value::read(ValueType::Datetime, texts(row)?)?)
    }))
}

fn since<T: ArrowPrimitiveType<Native: Into<i128>>>(
    array: &dyn Array,
    unit: i128,
) -> Option<Moments<'_>> {
    let list = array.as_primitive_opt::<T>()?;
    Some(each(list, move |list, row| {
        let count: i128 = list.value(row).into();
        count.checked_mul(unit)
    }))
}

/// The sets of a column of lists of text; none of another.
pub(super) fn sets(array: &dyn Array) -> Option<Sets> {
    if let Some(dictionary) = array.as_any_dictionary_opt() {
        let values = sets(dictionary.values())?;
        let row_of = looked_up(array, |_| Some(Box::new(Some)))?;
        let rows = (0..array.len()).map(|row| values.get(row_of(row)?).map(Set::copy));
        return Some(Sets(rows.collect()));
    }
    if *array.data_type() == DataType::Null {
        return Some(Sets(Vec::new()));
    }
    let members: Box<dyn Fn(usize) -> ArrayRef> = if let Some(lists) = array.as_list_opt::<i32>() {
        Box::new(|row| lists.value(row))
    } else if let Some(lists) = array.as_list_opt::<i64>() {
        Box::new(|row| lists.value(row))
    } else {
        let lists = array.as_fixed_size_list_opt()?;
        Box::new(|row| lists.value(row))
    };
    let rows = (0..array.len()).map(|row| {
        if !is_there(array, row) {
            return Some(None);
        }
        set(&*members(row)).map(Some)
    });
    // Lists of something else than text are no sets.
    rows.collect::<Option<Vec<_>>>().map(Sets)
}

fn set(members: &dyn Array) -> Option<Set> {
    let text = texts(members)?;
    let texts: Vec<_> = (0..members.len()).map(text).collect();
    Some(Set {
        lacks: texts.iter().any(Option::is_none),
        texts: texts.into_iter().flatten().map(str::to_owned).collect(),
    })
}

impl Set {
    fn copy(&self) -> Self {
        Self {
            texts: self.texts.clone(),
            lacks: self.lacks,
        }
    }
}
