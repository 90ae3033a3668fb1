//! Everything that somebody may do to a sealed batch of Arrow, and how it is named.

use super::*;

const COLUMNS: &[&str] = &["a", "b"];

fn plain() -> RecordBatch {
    batch(vec![
        ("id", text(&[Some("1"), Some("2"), Some("3")])),
        ("a", text(&[Some("zt-needle"), None, Some("")])),
        ("b", text(&[Some("x"), Some("y"), None])),
    ])
}

fn sealed(store: Store, row_key: &[&str]) -> RecordBatch {
    sealer(COLUMNS, row_key)
        .seal_arrow(&plain(), store)
        .unwrap()
}

fn refused(batch: &RecordBatch) -> Error {
    let why = open(COLUMNS, batch).unwrap_err();
    assert!(!format!("{why} {why:?}").contains("needle"));
    why
}

fn bytes(cells: Vec<Vec<u8>>) -> ArrayRef {
    Arc::new(BinaryArray::from_iter_values(cells))
}

#[test]
fn every_changed_bit_of_bytes_is_found_and_of_text_too() {
    let sealed_bytes = sealed(Store::Bytes, &["id"]);
    let cells = columns::as_bytes(column(&sealed_bytes, "a"));
    let opener = opener_showing(COLUMNS, &sealed_bytes, View::default()).unwrap();
    for at in 0..cells[1].len() * 8 {
        let mut changed = cells.clone();
        changed[1][at / 8] ^= 1 << (at % 8);
        let why = opener
            .unseal_arrow(&with(&sealed_bytes, &[("a", bytes(changed))]))
            .unwrap_err();
        assert_eq!(why.code(), Code::SealIntegrity);
        assert!(why.message().starts_with("row 2 of column `a` "), "{why}");
    }
    for length in 0..cells[1].len() {
        let mut changed = cells.clone();
        changed[1].truncate(length);
        let why = opener
            .unseal_arrow(&with(&sealed_bytes, &[("a", bytes(changed))]))
            .unwrap_err();
        assert!(why.message().starts_with("row 2 of column `a` "), "{why}");
    }
    let sealed_text = sealed(Store::Text, &[]);
    let cells = columns::as_texts(column(&sealed_text, "a"));
    let opener = opener_showing(COLUMNS, &sealed_text, View::default()).unwrap();
    for at in 0..cells[0].as_ref().unwrap().len() {
        let mut changed = cells.clone();
        let mut flipped = cells[0].clone().unwrap().into_bytes();
        flipped[at] ^= 1;
        changed[0] = Some(String::from_utf8(flipped).unwrap());
        let changed: ArrayRef = Arc::new(StringArray::from(changed));
        let why = opener
            .unseal_arrow(&with(&sealed_text, &[("a", changed)]))
            .unwrap_err();
        assert_eq!(why.code(), Code::SealIntegrity);
    }
}

#[test]
fn moved_cells_and_repeated_rows_are_named() {
    let sealed = sealed(Store::Text, &["id"]);
    let [a, b] = ["a", "b"].map(|name| Arc::clone(column(&sealed, name)));
    assert_eq!(
        refused(&with(&sealed, &[("a", b), ("b", Arc::clone(&a))])).message(),
        "row 1 of column `a` holds the cell of column `b`: it was moved here"
    );
    let mut cells = columns::as_texts(&a);
    cells.swap(0, 1);
    let moved: ArrayRef = Arc::new(StringArray::from(cells));
    assert_eq!(
        refused(&with(&sealed, &[("a", moved)])).message(),
        "row 1 of column `a` holds the cell of row 2: it was moved here, or the row key was"
    );
    let twice: Vec<(&str, ArrayRef)> = ["id", "a", "b", KEY_COLUMN]
        .iter()
        .map(|name| {
            let mut cells = columns::as_texts(column(&sealed, name));
            cells[2] = cells[0].clone();
            (*name, Arc::new(StringArray::from(cells)) as ArrayRef)
        })
        .collect();
    assert_eq!(
        refused(&with(&sealed, &twice)).message(),
        "row 3 has the row key of row 1: one of them was repeated or put back"
    );
}

#[test]
fn missing_plain_and_mixed_cells_are_named() {
    let sealed = sealed(Store::Text, &[]);
    let gone = with(&sealed, &[("a", new_null_array(&DataType::Utf8, 3))]);
    assert_eq!(
        refused(&gone).message(),
        "row 1 of column `a` is empty; a missing value is sealed too"
    );
    let numbers: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3]));
    let why = refused(&with(&sealed, &[("a", numbers)]));
    assert_eq!(
        why.message(),
        "column `a` is not sealed: it holds another type and not sealed text"
    );
    let why = refused(&with(&sealed, &[("a", text(&[Some("p"), None, None]))]));
    assert!(
        why.message()
            .starts_with("row 1 of column `a` is not sealed text")
    );
    let no_key = with(&sealed, &[(KEY_COLUMN, new_null_array(&DataType::Utf8, 3))]);
    assert_eq!(refused(&no_key).message(), "row 1 has no key in `_zt_key`");
    assert!(refused(&plain()).message().contains("no column `_zt_key`"));

    let sealer = sealer(&["a"], &[]);
    let seal = |array: ArrayRef| {
        sealer
            .seal_arrow(&batch(vec![("a", array)]), Store::Text)
            .unwrap()
    };
    let one = seal(Arc::new(Int32Array::from(vec![Some(1), None])));
    let other = seal(Arc::new(Int64Array::from(vec![None, Some(1)])));
    let both = ["a", KEY_COLUMN].map(|name| {
        let cells = [&one, &other].map(|sealed| columns::as_texts(column(sealed, name)));
        (
            name,
            Arc::new(StringArray::from(cells.concat())) as ArrayRef,
        )
    });
    let why = open(&["a"], &batch(both.to_vec())).unwrap_err();
    assert_eq!(
        why.message(),
        "row 3 of column `a` has another type than the rows before it"
    );
}

#[test]
fn what_cannot_be_sealed_is_refused() {
    let seal = |columns: Vec<(&str, ArrayRef)>, row_key: &[&str]| {
        let why = sealer(&["a"], row_key)
            .seal_arrow(&batch(columns), Store::Text)
            .unwrap_err();
        assert_eq!(why.code(), Code::InvalidArgument);
        why.message().to_owned()
    };
    let a = || text(&[Some("x"), Some("y")]);
    assert!(seal(vec![("aa", a())], &[]).contains("the batch has none of this name"));
    assert!(seal(vec![("a", a()), ("A", a())], &[]).contains("two columns are called `A`"));
    let item = Arc::new(Field::new("item", DataType::Int8, true));
    let views = new_null_array(&DataType::ListView(item), 2);
    assert!(seal(vec![("a", views)], &[]).starts_with("column `a` is of type ListView"));
    let floats = new_null_array(&DataType::Float64, 2);
    assert_eq!(
        seal(vec![("a", a()), ("id", floats)], &["id"]),
        "cells are bound to column `id`, which holds Float64; a row key is text or whole numbers"
    );
    assert_eq!(
        seal(
            vec![("a", a()), ("id", text(&[Some("1"), Some("1")]))],
            &["id"]
        ),
        "row 2 has the row key of row 1: it must identify a row"
    );
    let sealed = sealer(&["a"], &[])
        .seal_arrow(&batch(vec![("a", a())]), Store::Text)
        .unwrap();
    let again = sealer(&["a"], &[]);
    let why = again.seal_arrow(&sealed, Store::Text).unwrap_err();
    assert_eq!(why.message(), "column `a` is sealed already");
    let bytes = again
        .seal_arrow(&batch(vec![("a", a())]), Store::Bytes)
        .unwrap();
    let why = again.seal_arrow(&bytes, Store::Text).unwrap_err();
    assert_eq!(why.message(), "column `_zt_key` is sealed already");
}
