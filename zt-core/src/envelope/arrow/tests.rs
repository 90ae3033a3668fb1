//! Every type of Arrow through a sealer and back, beside batches without Arrow, and every kind of damage.

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    trivial_numeric_casts,
    reason = "any value of a type will do"
)]
mod columns;
mod damage;
mod vectors;

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::builder::{BinaryViewBuilder, StringViewBuilder};
use arrow_array::types::Int8Type;
use arrow_array::{
    Array as _, ArrayRef, BinaryArray, DictionaryArray, Int8Array, Int32Array, Int64Array,
    LargeStringArray, RecordBatch, StringArray, StringViewArray, UInt64Array, new_null_array,
};
use arrow_schema::{DataType, TimeUnit};
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
        held.push(Held::new(found, &dek, None, &columns)?);
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
        let array = own.map_or(column(whole, field.name()), |(_, array)| array);
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
fn what_one_seals_the_other_opens() {
    let arrow = batch(vec![
        ("id", Arc::new(Int64Array::from(vec![1, 2, 3]))),
        ("t", text(&[Some("a"), None, Some("")])),
        (
            "n",
            Arc::new(Int32Array::from(vec![Some(-7), None, Some(i32::MAX)])),
        ),
        (
            "b",
            Arc::new(BinaryArray::from_opt_vec(vec![
                Some(b"\0"),
                None,
                Some(b""),
            ])),
        ),
        (
            "l",
            Arc::new(LargeStringArray::from(vec![Some("é"), Some("x"), None])),
        ),
        ("gone", new_null_array(&DataType::Float32, 3)),
    ]);
    let columns = &["t", "n", "b", "l", "gone"];
    let sealed = sealer(columns, &["id"])
        .seal_arrow(&arrow, Store::Text)
        .unwrap();
    // As a store without Arrow gives it back.
    let texts = |name: &str| {
        let array = columns::as_texts(column(&sealed, name));
        Column::new(name, Cells::Text(array))
    };
    let ids = Cells::Integer(vec![Some(1), Some(2), Some(3)]);
    let mut rows = vec![Column::new("id", ids)];
    rows.extend(columns.iter().chain(&[KEY_COLUMN]).map(|name| texts(name)));
    let rows = Batch::new(rows).unwrap();
    let opener = opener_showing(columns, &sealed, View::default()).unwrap();
    let plain = opener.unseal(&rows).unwrap();
    let some = |text: &str| Some(text.to_owned());
    let expected = [
        Cells::Text(vec![some("a"), None, some("")]),
        Cells::Integer(vec![Some(-7), None, Some(i64::from(i32::MAX))]),
        Cells::Bytes(vec![Some(vec![0]), None, Some(vec![])]),
        Cells::Text(vec![some("é"), some("x"), None]),
        Cells::Text(vec![None, None, None]),
    ];
    for (name, cells) in columns.iter().zip(&expected) {
        assert!(
            is_same(plain.require(name).unwrap().cells(), cells),
            "{name}"
        );
    }
    // And the other way around.
    let plain = plain.select(&["t", "n", "gone"]).unwrap();
    let sealer = sealer(&["t", "n", "gone"], &[]);
    let sealed = sealer.seal(&plain).unwrap();
    let columns = sealed.names().map(|name| {
        let Cells::Text(cells) = sealed.require(name).unwrap().cells() else {
            panic!("{name}");
        };
        (name, Arc::new(StringArray::from(cells.clone())) as ArrayRef)
    });
    let sealed = batch(columns.collect());
    let opened = open(&["t", "n", "gone"], &sealed).unwrap();
    let wide = Int64Array::from(vec![Some(-7), None, Some(i64::from(i32::MAX))]);
    assert_eq!(
        column(&opened, "n").as_ref(),
        &wide as &dyn arrow_array::Array
    );
    assert_eq!(column(&opened, "t"), &text(&[Some("a"), None, Some("")]));
    assert_eq!(*column(&opened, "gone").data_type(), DataType::Utf8);
}

#[test]
fn what_only_arrow_holds_says_so_elsewhere() {
    let list = columns::all(&[Some(1); 5], &vec![None; 5]);
    let list = list
        .iter()
        .find(|array| matches!(array.data_type(), DataType::List(_)));
    let large: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX; 5]));
    for array in [
        list.unwrap(),
        &large,
        &new_null_array(&DataType::Timestamp(TimeUnit::Second, None), 5),
    ] {
        let plain = batch(vec![("a", Arc::clone(array))]);
        let sealed = sealer(&["a"], &[]).seal_arrow(&plain, Store::Text).unwrap();
        let texts =
            |name: &str| Column::new(name, Cells::Text(columns::as_texts(column(&sealed, name))));
        let rows = Batch::new(vec![texts("a"), texts(KEY_COLUMN)]).unwrap();
        let opener = opener_showing(&["a"], &sealed, View::default()).unwrap();
        let why = opener.unseal(&rows).unwrap_err();
        assert_eq!(
            why.to_string(),
            "[ZT-5001] row 1 of column `a` holds a value of a type that only Arrow has; \
             open it as a batch of Arrow: `Opener::unseal_arrow`"
        );
    }
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

#[test]
fn hidden_columns_stay_closed_and_masked_ones_keep_their_type() {
    let mut views = StringViewBuilder::new();
    [Some("NL91ABNA0417164300"), Some("short"), None]
        .iter()
        .for_each(|cell| views.append_option(*cell));
    let iban: DictionaryArray<Int8Type> = [Some("NL91ABNA0417164300"), None, Some("x")]
        .into_iter()
        .collect();
    let plain = batch(vec![
        ("id", Arc::new(Int64Array::from(vec![1, 2, 3]))),
        ("a", Arc::new(views.finish())),
        ("iban", Arc::new(iban)),
        ("n", Arc::new(Int32Array::from(vec![1, 2, 3]))),
        ("secret", text(&[Some("zt-needle"), None, None])),
    ]);
    let columns = &["a", "iban", "n", "secret"];
    let sealed = sealer(columns, &["id"])
        .seal_arrow(&plain, Store::Text)
        .unwrap();
    // The hidden column is damaged, and nobody looks at it.
    let sealed = with(&sealed, &[("secret", new_null_array(&DataType::Utf8, 3))]);
    let mut masks = Masks::default();
    masks.cover("A", Mask::Last4);
    masks.cover("iban", Mask::Redact);
    masks.cover("n", Mask::Redact);
    let but = Columns::AllBut(BTreeSet::from(["Secret".to_owned(), "id".to_owned()]));
    let view = View {
        columns: but,
        masks,
        ..View::default()
    };
    let seen = opener_showing(columns, &sealed, view)
        .unwrap()
        .unseal_arrow(&sealed)
        .unwrap();
    let schema = seen.schema();
    let shown: Vec<_> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    assert_eq!(shown, ["a", "iban", "n"]);
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        columns::as_texts(column(&seen, "a")),
        [some("****4300"), some("****"), None]
    );
    assert_eq!(*column(&seen, "a").data_type(), DataType::Utf8View);
    assert_eq!(
        columns::as_texts(column(&seen, "iban")),
        [some("[redacted]"), None, some("[redacted]")]
    );
    assert_eq!(column(&seen, "n"), &new_null_array(&DataType::Int32, 3));

    let view = View {
        max_rows: Some(2),
        ..View::default()
    };
    let why = opener_showing(columns, &sealed, view)
        .unwrap()
        .unseal_arrow(&sealed.slice(0, 0));
    assert!(why.is_ok());
    let whole = with(&sealed, &[("secret", Arc::clone(column(&sealed, "a")))]);
    let view = View {
        max_rows: Some(2),
        columns: Columns::Only(vec!["n".to_owned()]),
        ..View::default()
    };
    let why = opener_showing(columns, &whole, view)
        .unwrap()
        .unseal_arrow(&whole)
        .unwrap_err();
    assert_eq!(why.code(), Code::ObligationUnmet);
}
