//! Every type of Arrow through a sealer and back, beside batches without Arrow, and every kind of damage.

mod beside;
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    trivial_numeric_casts,
    reason = "any value of a type will do"
)]
mod columns;
mod damage;
mod vectors;
mod views;

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::builder::{BinaryViewBuilder, StringViewBuilder};
use arrow_array::types::Int8Type;
use arrow_array::{
    Array as _, ArrayRef, BinaryArray, DictionaryArray, Int8Array, Int32Array, Int64Array,
    LargeStringArray, RecordBatch, StringArray, StringViewArray, StructArray, UInt64Array,
    new_null_array,
};
use arrow_schema::{DataType, Field, TimeUnit};
use proptest::prelude::*;

use super::super::tests::{KEK, binding, is_same, names, unwrap, wrap};
use super::*;
use crate::batch::{Batch, Cells, Column};
use crate::envelope::{DataKey, Form, Held, KEY_COLUMN, Opener, Scope, SealError, Sealer};
use crate::error::{Code, Error, Result};
use crate::policy::{Columns, Mask, Masks, View};

fn sealer(columns: &[&str], row_key: &[&str]) -> Sealer {
    let dek = DataKey::generate().unwrap();
    let scope = Scope {
        binding: binding(),
        columns: names(columns),
        form: Form::new(&names(row_key), &[]),
    };
    Sealer::new(&scope, &dek, wrap(&KEK, 1, &dek), None).unwrap()
}

fn opener_showing(columns: &[&str], sealed: &RecordBatch, view: View) -> Result<Opener> {
    let columns = names(columns);
    let mut held = Vec::new();
    for found in key_texts(sealed, &binding())? {
        let row = found.row;
        let dek = unwrap(&KEK, &found.key.wrapped).ok_or(SealError::WrongKey { row })?;
        held.push(Held::new(&found, &dek, None, &columns)?);
    }
    Ok(Opener::new(columns, held, view))
}

fn open(columns: &[&str], sealed: &RecordBatch) -> Result<RecordBatch> {
    opener_showing(columns, sealed, View::default())?.unseal_arrow(sealed)
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn text(cells: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(cells.to_vec()))
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> &'a ArrayRef {
    batch.column_by_name(name).unwrap()
}

/// The batch with other columns in the place of some.
fn with(whole: &RecordBatch, changed: &[(&str, ArrayRef)]) -> RecordBatch {
    let schema = whole.schema();
    let columns = schema.fields().iter().map(|field| {
        let own = changed.iter().find(|(name, _)| name == field.name());
        let array = own.map_or_else(|| column(whole, field.name()), |(_, array)| array);
        (field.name().as_str(), Arc::clone(array))
    });
    batch(columns.collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_type_comes_back_exactly(
        numbers in prop::collection::vec(prop::option::of(any::<i64>()), 5),
        texts in prop::collection::vec(prop::option::of("\\PC{0,12}"), 5),
        cut in 0..3usize,
        store in prop::sample::select(vec![Store::Text, Store::Bytes]),
    ) {
        let all = columns::all(&numbers, &texts);
        let columns = all.iter().enumerate().map(|(at, array)| (format!("c{at}"), array.slice(cut, 5 - cut), true));
        let plain = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
        let schema = plain.schema();
        let sealed_names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let sealed = sealer(&sealed_names, &[]).seal_arrow(&plain, store).unwrap();
        let kind = if store == Store::Text { DataType::Utf8 } else { DataType::Binary };
        prop_assert!(sealed.columns()[..all.len()].iter().all(|column| *column.data_type() == kind));
        let opened = open(&sealed_names, &sealed).unwrap();
        for (one, other) in opened.columns().iter().zip(plain.columns()) {
            prop_assert_eq!(one.data_type(), other.data_type());
            prop_assert_eq!(one, other);
        }
    }

    #[test]
    fn types_are_read_as_they_were_written_and_no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        for array in columns::all(&[None; 5], &vec![None; 5]) {
            let mut written = Vec::new();
            types::write(array.data_type(), &mut written).unwrap();
            let mut rest = written.as_slice();
            prop_assert_eq!(types::read(&mut rest), Some(array.data_type().clone()));
            prop_assert!(rest.is_empty());
            for end in 0..written.len() {
                prop_assert_eq!(types::read(&mut &written[..end]), None);
            }
            if let Some(mut column) = build::Column::new(array.data_type()) {
                // Wrong bytes are refused, or are a value of the type; neither panics.
                column.push(&bytes);
            }
        }
        types::read(&mut bytes.as_slice());
    }
}

#[test]
fn missing_values_take_no_more_room_together_than_anybody_needs() {
    let kind = DataType::FixedSizeBinary(100);
    let mut column = build::Column::with_room(&kind, 6499).unwrap();
    let taken = (0..100)
        .take_while(|_| column.push_null().is_some())
        .count();
    assert_eq!(taken, 64);
    // Those inside of others count too.
    let list = DataType::List(Arc::new(Field::new("item", kind, true)));
    let missing = |items: u8| [&[items, 0, 0, 0][..], &vec![0; items.into()]].concat();
    let mut column = build::Column::with_room(&list, 6499).unwrap();
    assert!(column.push(&missing(60)).is_some());
    assert!(column.push(&missing(60)).is_none());
}

#[test]
fn a_value_of_a_dictionary_takes_the_room_of_what_is_missing_in_it_once() {
    let list = |kind| DataType::List(Arc::new(Field::new("item", kind, true)));
    let missing = |items: u8| [&[items, 0, 0, 0][..], &vec![0; items.into()]].concat();
    let values = list(DataType::FixedSizeBinary(100));
    let kind = DataType::Dictionary(Box::new(DataType::Int32), Box::new(values));
    let mut column = build::Column::with_room(&kind, 6499).unwrap();
    for _ in 0..3 {
        assert!(column.push(&missing(60)).is_some());
    }
    assert!(column.push(&missing(4)).is_some());
    assert!(
        column.push(&missing(5)).is_none(),
        "the room is for all values"
    );
    // So it is inside of a list.
    let mut column = build::Column::with_room(&list(kind), 6499).unwrap();
    let inside = [&[1][..], &missing(30)].concat();
    let twice = [&[2, 0, 0, 0][..], &inside, &inside].concat();
    assert!(column.push(&twice).is_some() && column.push(&twice).is_some());
    assert_eq!(column.finish().unwrap().len(), 2);
}

#[test]
fn missing_values_keep_their_type_and_a_batch_of_nothing_opens() {
    for kind in columns::all(&[None; 5], &vec![None; 5]) {
        let plain = batch(vec![("a", new_null_array(kind.data_type(), 3))]);
        let sealed = sealer(&["a"], &[]).seal_arrow(&plain, Store::Text).unwrap();
        assert_eq!(
            column(&open(&["a"], &sealed).unwrap(), "a"),
            column(&plain, "a")
        );
    }
    let none = batch(vec![("a", new_null_array(&DataType::Int8, 0))]);
    let sealed = sealer(&["a"], &[]).seal_arrow(&none, Store::Text).unwrap();
    assert_eq!(sealed.num_rows(), 0);
    assert_eq!(open(&["a"], &sealed).unwrap().num_rows(), 0);
}

#[test]
fn long_columns_are_sealed_in_parts_and_no_nonce_comes_twice() {
    let rows = 70_000;
    let ids: Vec<i64> = (0..rows).collect();
    let texts: Vec<Option<String>> = (0..rows)
        .map(|row| (row % 7 != 0).then(|| format!("{row}")))
        .collect();
    let plain = batch(vec![
        ("id", Arc::new(Int64Array::from(ids))),
        ("a", Arc::new(StringArray::from(texts.clone()))),
        (
            "b",
            Arc::new(
                texts
                    .iter()
                    .map(Option::as_deref)
                    .collect::<DictionaryArray<arrow_array::types::Int32Type>>(),
            ),
        ),
    ]);
    let sealed = sealer(&["a", "b"], &["id"])
        .seal_arrow(&plain, Store::Bytes)
        .unwrap();
    let mut nonces = BTreeSet::new();
    for name in ["a", "b"] {
        let cells = columns::as_bytes(column(&sealed, name));
        nonces.extend(cells.iter().map(|cell| cell[1..13].to_vec()));
    }
    assert_eq!(nonces.len(), 140_000);
    assert!(open(&["a", "b"], &sealed).unwrap() == plain);
    let part = sealed.slice(40_000, 20_000);
    assert!(open(&["a", "b"], &part).unwrap() == plain.slice(40_000, 20_000));
}

#[test]
fn short_keys_of_a_long_dictionary_still_count_its_values() {
    // As many values as a key of 8 bits counts, in several parts, each of which meets all of them.
    let words: Vec<String> = (0..100).map(|word| format!("word {word}")).collect();
    let cells = (0..140_000).map(|row| words.get(row % 100).map(String::as_str));
    let short: DictionaryArray<Int8Type> = cells.collect();
    let plain = batch(vec![("a", Arc::new(short))]);
    let sealed = sealer(&["a"], &[])
        .seal_arrow(&plain, Store::Bytes)
        .unwrap();
    assert!(open(&["a"], &sealed).unwrap() == plain);
}

#[test]
fn what_is_compacted_holds_nothing_but_its_own_cells() {
    let long = |word: &str| format!("{word}, longer than what fits into a view");
    let words: Vec<String> = ["shown", "hidden", "hidden too"].map(long).to_vec();
    let texts = || words.iter().map(|word| Some(word.as_str()));
    let short: DictionaryArray<Int8Type> = texts().collect();
    let columns: [ArrayRef; 2] = [
        Arc::new(short),
        Arc::new(texts().collect::<StringViewArray>()),
    ];
    for column in columns {
        let nested: ArrayRef = Arc::new(StructArray::from(vec![(
            Arc::new(Field::new("a", column.data_type().clone(), true)),
            Arc::clone(&column),
        )]));
        for whole in [column, nested] {
            let part = whole.slice(0, 1);
            let compact = compacted(&part).unwrap();
            assert!(*compact == *part);
            assert!(!holds(&compact.to_data(), "hidden"), "{}", part.data_type());
            assert!(holds(&part.to_data(), "hidden"), "the test looks");
        }
    }
    let plain = text(&[Some("x")]);
    assert!(compacted(&plain).is_some_and(|same| *same == *plain));
}

/// Whether a text stands in any buffer of the column.
fn holds(data: &arrow_data::ArrayData, text: &str) -> bool {
    let text = text.as_bytes();
    let has = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    data.buffers().iter().any(|buffer| has(buffer.as_slice()))
        || data.child_data().iter().any(|child| holds(child, "hidden"))
}

#[test]
fn a_type_that_no_column_has_is_no_type() {
    let pair =
        |fields: Vec<Field>| Arc::new(Field::new("e", DataType::Struct(fields.into()), false));
    let one = Field::new("k", DataType::Int32, false);
    let large = |length| {
        let item = Arc::new(Field::new("item", DataType::Int8, true));
        DataType::FixedSizeList(item, length)
    };
    let nested = |length| {
        let item = Arc::new(Field::new("item", large(length), true));
        DataType::FixedSizeList(item, length)
    };
    for (kind, is_read, is_built) in [
        (DataType::Time32(TimeUnit::Second), true, true),
        (DataType::Time32(TimeUnit::Nanosecond), false, false),
        (DataType::Time64(TimeUnit::Millisecond), false, false),
        (
            DataType::Map(pair(vec![one.clone(), one.clone()]), false),
            true,
            true,
        ),
        (DataType::Map(pair(vec![one.clone()]), false), false, false),
        (DataType::Map(Arc::new(one), false), false, false),
        (DataType::FixedSizeBinary(1 << 20), true, true),
        (DataType::FixedSizeBinary(i32::MAX), true, false),
        (large(1 << 20), true, true),
        (large(i32::MAX), true, false),
        (nested(1 << 20), true, false),
        (nested(i32::MAX), true, false),
    ] {
        let mut written = Vec::new();
        types::write(&kind, &mut written).unwrap();
        let read = types::read(&mut written.as_slice());
        assert_eq!(read.is_some(), is_read, "{kind}");
        if let Some(read) = read {
            let mut column = build::Column::new(&read);
            assert_eq!(column.is_some(), is_built, "{kind}");
            if let Some(column) = &mut column {
                column.push_null().unwrap();
            }
            assert_eq!(
                column.is_some_and(|column| column.finish().is_some()),
                is_built
            );
        }
    }
}

#[test]
fn sealed_text_opens_in_every_form_that_a_store_gives_it() {
    let plain = batch(vec![("a", text(&[Some("x"), Some("x"), None]))]);
    let sealed = sealer(&["a"], &[]).seal_arrow(&plain, Store::Text).unwrap();
    let of = |change: &dyn Fn(Vec<Option<String>>) -> ArrayRef| {
        let changed =
            ["a", KEY_COLUMN].map(|name| (name, change(columns::as_texts(column(&sealed, name)))));
        with(&sealed, &changed)
    };
    let forms: [&dyn Fn(Vec<Option<String>>) -> ArrayRef; 4] = [
        &|cells| Arc::new(StringArray::from(cells)),
        &|cells| Arc::new(LargeStringArray::from(cells)),
        &|cells| Arc::new(cells.into_iter().collect::<StringViewArray>()),
        &|cells| {
            Arc::new(
                cells
                    .iter()
                    .map(Option::as_deref)
                    .collect::<DictionaryArray<Int8Type>>(),
            )
        },
    ];
    for form in forms {
        assert_eq!(
            column(&open(&["a"], &of(form)).unwrap(), "a"),
            column(&plain, "a")
        );
    }
    let sealed = sealer(&["a"], &[])
        .seal_arrow(&plain, Store::Bytes)
        .unwrap();
    let mut views = BinaryViewBuilder::new();
    columns::as_bytes(column(&sealed, "a"))
        .iter()
        .for_each(|cell| views.append_value(cell));
    let views: ArrayRef = Arc::new(views.finish());
    assert_eq!(
        column(&open(&["a"], &with(&sealed, &[("a", views)])).unwrap(), "a"),
        column(&plain, "a")
    );
}

#[test]
fn a_dictionary_with_more_values_than_its_keys_count_is_refused() {
    let part = |from: i32| {
        let values: Vec<String> = (from..from + 100).map(|at| at.to_string()).collect();
        let keys = Int8Array::from((0..100).collect::<Vec<i8>>());
        let array = DictionaryArray::try_new(keys, Arc::new(StringArray::from(values))).unwrap();
        batch(vec![("a", Arc::new(array) as ArrayRef)])
    };
    let sealer = sealer(&["a"], &[]);
    let [one, other] = [0, 100].map(|from| sealer.seal_arrow(&part(from), Store::Text).unwrap());
    assert!(open(&["a"], &one).unwrap() == part(0));
    let both = ["a", KEY_COLUMN].map(|name| {
        let cells = [&one, &other].map(|sealed| columns::as_texts(column(sealed, name)));
        (
            name,
            Arc::new(StringArray::from(cells.concat())) as ArrayRef,
        )
    });
    let why = open(&["a"], &batch(both.to_vec())).unwrap_err();
    assert_eq!(why.code(), Code::InvalidArgument);
    assert_eq!(
        why.message(),
        "column `a` has more bytes or values than its type can count"
    );
}
