//! A column of every type of Arrow, made of some numbers and texts.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::builder::{
    FixedSizeBinaryBuilder, Int32Builder, ListBuilder, MapBuilder, StringBuilder,
};
use arrow_array::cast::AsArray as _;
use arrow_array::types::*;
use arrow_array::{
    ArrayRef, BinaryArray, BinaryViewArray, BooleanArray, DictionaryArray, FixedSizeListArray,
    LargeBinaryArray, LargeListArray, LargeStringArray, ListArray, NullArray, PrimitiveArray,
    StringArray, StringViewArray, StructArray,
};
use arrow_buffer::{IntervalDayTime, IntervalMonthDayNano, i256};
use arrow_schema::{DataType, Field, Fields};

type Numbers<'a> = &'a [Option<i64>];

fn primitive<T: ArrowPrimitiveType>(
    numbers: Numbers<'_>,
    of: impl Fn(i64) -> T::Native,
) -> ArrayRef {
    let cells = numbers.iter().map(|number| number.map(&of));
    Arc::new(cells.collect::<PrimitiveArray<T>>())
}

/// Truncates as a cast does.
macro_rules! cast {
    ($numbers:ident, $($kind:ident as $native:ty),+) => {
        vec![$(primitive::<$kind>($numbers, |number| number as $native)),+]
    };
}

pub(super) fn all(numbers: Numbers<'_>, texts: &[Option<String>]) -> Vec<ArrayRef> {
    let mut all = cast!(
        numbers,
        Int8Type as i8,
        Int16Type as i16,
        Int32Type as i32,
        Int64Type as i64,
        UInt8Type as u8,
        UInt16Type as u16,
        UInt32Type as u32,
        UInt64Type as u64,
        Date32Type as i32,
        Date64Type as i64,
        Time32SecondType as i32,
        Time32MillisecondType as i32,
        Time64MicrosecondType as i64,
        Time64NanosecondType as i64,
        TimestampSecondType as i64,
        TimestampMillisecondType as i64,
        TimestampMicrosecondType as i64,
        TimestampNanosecondType as i64,
        DurationSecondType as i64,
        DurationMillisecondType as i64,
        DurationMicrosecondType as i64,
        DurationNanosecondType as i64,
        IntervalYearMonthType as i32
    );
    all.push(primitive::<Float16Type>(numbers, |number| {
        <Float16Type as ArrowPrimitiveType>::Native::from_bits(number as u16)
    }));
    all.push(primitive::<Float32Type>(numbers, |number| {
        f32::from_bits(number as u32)
    }));
    all.push(primitive::<Float64Type>(numbers, |number| {
        f64::from_bits(number as u64)
    }));
    all.push(primitive::<IntervalDayTimeType>(numbers, |number| {
        IntervalDayTime::new(number as i32, (number >> 32) as i32)
    }));
    all.push(primitive::<IntervalMonthDayNanoType>(numbers, |number| {
        IntervalMonthDayNano::new(number as i32, 7, number)
    }));
    let zone = numbers
        .iter()
        .copied()
        .collect::<PrimitiveArray<TimestampMicrosecondType>>();
    all.push(Arc::new(zone.with_timezone("Europe/Amsterdam")));
    all.extend(decimals(numbers));
    all.extend(texts_and_bytes(numbers, texts));
    all.extend(nested(numbers, texts));
    all.push(Arc::new(NullArray::new(numbers.len())));
    all
}

fn decimals(numbers: Numbers<'_>) -> [ArrayRef; 4] {
    let small = |number: i64| number % 1_000_000;
    let of32: PrimitiveArray<Decimal32Type> =
        numbers.iter().map(|n| n.map(|n| small(n) as i32)).collect();
    let of64: PrimitiveArray<Decimal64Type> = numbers.iter().map(|n| n.map(small)).collect();
    let of128: PrimitiveArray<Decimal128Type> = numbers.iter().map(|n| n.map(i128::from)).collect();
    let of256: PrimitiveArray<Decimal256Type> = numbers
        .iter()
        .map(|n| n.map(|n| i256::from_i128(i128::from(n))))
        .collect();
    [
        Arc::new(of32.with_precision_and_scale(7, 2).unwrap()),
        Arc::new(of64.with_precision_and_scale(12, -3).unwrap()),
        Arc::new(of128.with_precision_and_scale(30, 6).unwrap()),
        Arc::new(of256.with_precision_and_scale(60, 0).unwrap()),
    ]
}

fn texts_and_bytes(numbers: Numbers<'_>, texts: &[Option<String>]) -> Vec<ArrayRef> {
    let text = || texts.iter().map(Option::as_deref);
    let bytes = || text().map(|text| text.map(str::as_bytes));
    let flags = numbers
        .iter()
        .map(|number| number.map(|number| number % 2 == 0));
    let mut fixed = FixedSizeBinaryBuilder::new(8);
    for number in numbers {
        match number {
            Some(number) => fixed.append_value(number.to_be_bytes()).unwrap(),
            None => fixed.append_null(),
        }
    }
    vec![
        Arc::new(flags.collect::<BooleanArray>()),
        Arc::new(text().collect::<StringArray>()),
        Arc::new(text().collect::<LargeStringArray>()),
        Arc::new(text().collect::<StringViewArray>()),
        Arc::new(bytes().collect::<BinaryArray>()),
        Arc::new(bytes().collect::<LargeBinaryArray>()),
        Arc::new(bytes().collect::<BinaryViewArray>()),
        Arc::new(fixed.finish()),
        Arc::new(text().collect::<DictionaryArray<Int8Type>>()),
        Arc::new(text().collect::<DictionaryArray<UInt32Type>>()),
    ]
}

fn nested(numbers: Numbers<'_>, texts: &[Option<String>]) -> Vec<ArrayRef> {
    let rows = numbers.len();
    // Row 0 has none, row 1 is missing, the others have some.
    let lists = |row: usize| match row {
        0 => Some(Vec::new()),
        1 => None,
        row => Some(numbers[..row].to_vec()),
    };
    let mut words = ListBuilder::new(ListBuilder::new(StringBuilder::new()));
    let mut maps = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    for row in 0..rows {
        for (at, text) in texts.iter().enumerate().take(row) {
            words.values().values().append_option(text.as_deref());
            words.values().append(at % 2 == 0);
            maps.keys().append_value(format!("{at}"));
            maps.values()
                .append_option(numbers[at].map(|number| number as i32));
        }
        words.append(row != 3);
        maps.append(row != 2).unwrap();
    }
    let pairs = (0..rows).map(|row| (row != 2).then(|| vec![numbers[row], Some(1)]));
    vec![
        Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(
            (0..rows).map(lists),
        )),
        Arc::new(LargeListArray::from_iter_primitive::<Int64Type, _, _>(
            (0..rows).map(lists),
        )),
        Arc::new(FixedSizeListArray::from_iter_primitive::<Int64Type, _, _>(
            pairs, 2,
        )),
        Arc::new(words.finish()),
        Arc::new(maps.finish()),
        structs(numbers, texts),
    ]
}

fn structs(numbers: Numbers<'_>, texts: &[Option<String>]) -> ArrayRef {
    let with_note = [
        ("note".to_owned(), "kept".to_owned()),
        ("a".to_owned(), String::new()),
    ];
    let fields = Fields::from(vec![
        Field::new("n", DataType::Int64, true).with_metadata(HashMap::from(with_note)),
        Field::new("t", DataType::Utf8, true),
        Field::new(
            "d",
            DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8)),
            true,
        ),
    ]);
    let text = || texts.iter().map(Option::as_deref);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(
            numbers
                .iter()
                .copied()
                .collect::<PrimitiveArray<Int64Type>>(),
        ),
        Arc::new(text().collect::<StringArray>()),
        Arc::new(text().collect::<DictionaryArray<Int8Type>>()),
    ];
    let nulls = Some(
        numbers
            .iter()
            .map(|number| number.is_none_or(|n| n % 3 != 0))
            .collect(),
    );
    Arc::new(StructArray::new(fields, columns, nulls))
}

/// The texts of a column of text in any form.
pub(super) fn as_texts(array: &ArrayRef) -> Vec<Option<String>> {
    let own = |text: Option<&str>| text.map(str::to_owned);
    if let Some(dictionary) = array.as_any_dictionary_opt() {
        let (values, keys) = (as_texts(dictionary.values()), dictionary.normalized_keys());
        return keys.into_iter().map(|key| values[key].clone()).collect();
    }
    if let Some(views) = array.as_string_view_opt() {
        return views.iter().map(own).collect();
    }
    array.as_string::<i32>().iter().map(own).collect()
}

pub(super) fn as_bytes(array: &ArrayRef) -> Vec<Vec<u8>> {
    array
        .as_binary::<i32>()
        .iter()
        .map(|cell| cell.unwrap().to_vec())
        .collect()
}
