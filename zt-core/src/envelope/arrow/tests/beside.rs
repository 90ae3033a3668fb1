//! What is sealed with Arrow and opened without it, and the other way around.

use super::*;

#[test]
fn what_arrow_seals_opens_without_it() {
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
}

#[test]
fn what_was_sealed_without_arrow_opens_with_it() {
    let plain = Batch::new(vec![
        Column::new(
            "t",
            Cells::Text(vec![Some("a".to_owned()), None, Some(String::new())]),
        ),
        Column::new("n", Cells::Integer(vec![Some(-7), None, Some(7)])),
        Column::new("gone", Cells::Bool(vec![None; 3])),
    ])
    .unwrap();
    let sealed = sealer(&["t", "n", "gone"], &[]).seal(&plain).unwrap();
    let columns = sealed.names().map(|name| {
        let Cells::Text(cells) = sealed.require(name).unwrap().cells() else {
            panic!("{name}");
        };
        (name, Arc::new(StringArray::from(cells.clone())) as ArrayRef)
    });
    let sealed = batch(columns.collect());
    let opened = open(&["t", "n", "gone"], &sealed).unwrap();
    let wide = Int64Array::from(vec![Some(-7), None, Some(7)]);
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
