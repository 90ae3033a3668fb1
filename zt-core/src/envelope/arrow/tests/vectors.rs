//! The vectors of types of Arrow: fixed keys, expected texts.

use std::collections::HashMap;

use arrow_array::builder::{Int32Builder, MapBuilder, MapFieldNames, StringBuilder};
use arrow_array::types::{Decimal128Type, TimestampMicrosecondType};
use arrow_array::{
    BooleanArray, Date32Array, FixedSizeBinaryArray, Float32Array, ListArray, NullArray,
    PrimitiveArray, StructArray,
};
use arrow_schema::{Field, Fields};
use serde_json::Value;

use super::super::super::tests::vectors::hex;
use super::*;
use crate::envelope::Binding;
use crate::id::SecretRef;

/// A value and a missing one of each type, in the order of the vectors.
fn arrays() -> Vec<ArrayRef> {
    let moment: PrimitiveArray<TimestampMicrosecondType> =
        [Some(1_790_000_000_000_000), None].into_iter().collect();
    let amount: PrimitiveArray<Decimal128Type> = [Some(-12345), None].into_iter().collect();
    let fixed = [Some([0, 1, 2, 3]), None];
    let cities: DictionaryArray<Int8Type> = [Some("Delft"), None].into_iter().collect();
    let list = [Some(vec![Some(1), None, Some(-1)]), None];
    let notes = HashMap::from([
        ("note".to_owned(), "kept".to_owned()),
        ("unit".to_owned(), "m".to_owned()),
    ]);
    let fields = Fields::from(vec![
        Field::new("a", DataType::Int32, true).with_metadata(notes),
        Field::new("b", DataType::Utf8, false),
    ]);
    let parts: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from(vec![Some(5), None])),
        text(&[Some("x"), Some("")]),
    ];
    let called = MapFieldNames {
        entry: "entries".to_owned(),
        key: "keys".to_owned(),
        value: "values".to_owned(),
    };
    let mut map = MapBuilder::new(Some(called), StringBuilder::new(), Int32Builder::new());
    map.keys().append_value("k");
    map.values().append_value(1);
    map.keys().append_value("l");
    map.values().append_null();
    map.append(true).unwrap();
    map.append(false).unwrap();
    vec![
        Arc::new(Int32Array::from(vec![Some(-7), None])),
        Arc::new(UInt64Array::from(vec![Some(u64::MAX), None])),
        Arc::new(Float32Array::from(vec![Some(1.5), None])),
        Arc::new(BooleanArray::from(vec![Some(true), None])),
        Arc::new(Date32Array::from(vec![Some(20000), None])),
        Arc::new(moment.with_timezone("Europe/Amsterdam")),
        Arc::new(amount.with_precision_and_scale(12, 2).unwrap()),
        Arc::new(StringViewArray::from(vec![Some("Größe"), None])),
        Arc::new(
            FixedSizeBinaryArray::try_from_sparse_iter_with_size(fixed.into_iter(), 4).unwrap(),
        ),
        Arc::new(cities),
        Arc::new(ListArray::from_iter_primitive::<
            arrow_array::types::Int64Type,
            _,
            _,
        >(list)),
        Arc::new(StructArray::new(
            fields,
            parts,
            Some(vec![true, false].into()),
        )),
        Arc::new(map.finish()),
        Arc::new(NullArray::new(2)),
    ]
}

#[test]
fn the_vectors_of_arrow_are_sealed_to_the_byte_and_open() {
    let file = include_str!("../../../../tests/vectors/sealed_arrow.json");
    let file: Value = serde_json::from_str(file).unwrap();
    let of = |name: &str| file[name].as_str().unwrap();
    let columns = file["columns"].as_array().unwrap();
    let names: Vec<&str> = columns
        .iter()
        .map(|column| column["name"].as_str().unwrap())
        .collect();
    let plain = batch(names.iter().copied().zip(arrays()).collect());
    assert_eq!(plain.num_columns(), columns.len());
    let scope = Scope {
        binding: Binding::new(of("rule"), of("table"), SecretRef::new(of("kid"))),
        columns: super::names(&names),
        form: Form::default(),
    };
    let dek = DataKey::copy_of(&hex(of("dek"))).unwrap();
    let mut wrapped = wrap(&hex(of("kek")), 0, &dek);
    wrapped.version = of("ver").parse().unwrap();
    let sealer = Sealer::new(&scope, &dek, wrapped, None).unwrap();
    let prefix = hex(of("nonce_prefix")).try_into().unwrap();
    let sealed = sealer
        .seal_arrow_under(&plain, Store::Text, prefix)
        .unwrap();
    for (vector, name) in columns.iter().zip(&names) {
        let list = vector["sealed"].as_array().unwrap().iter();
        let expected: Vec<_> = list.map(|cell| cell.as_str().map(str::to_owned)).collect();
        assert_eq!(
            columns::as_texts(column(&sealed, name)),
            expected,
            "{}",
            vector["type"]
        );
    }
    assert_eq!(
        columns::as_texts(column(&sealed, KEY_COLUMN))[0].as_deref(),
        Some(of("key_text"))
    );
    let found = key_texts(&sealed, &scope.binding).unwrap().remove(0);
    let held = Held::new(&found, &dek, None, &scope.columns).unwrap();
    let opener = Opener::new(scope.columns, vec![held], View::default());
    assert!(opener.unseal_arrow(&sealed).unwrap() == plain);
}
