//! What a decision shows of a batch of Arrow.

use super::*;

const COLUMNS: &[&str] = &["a", "iban", "n", "secret"];

/// Sealed rows with text in two forms, numbers, and a column for nobody.
fn people() -> RecordBatch {
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
    sealer(COLUMNS, &["id"])
        .seal_arrow(&plain, Store::Text)
        .unwrap()
}

#[test]
fn hidden_columns_stay_closed_and_masked_ones_keep_their_type() {
    let sealed = people();
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
    let seen = opener_showing(COLUMNS, &sealed, view)
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
}

#[test]
fn more_rows_than_the_policy_shows_at_once_are_refused() {
    let sealed = people();
    let view = View {
        max_rows: Some(2),
        ..View::default()
    };
    let why = opener_showing(COLUMNS, &sealed, view)
        .unwrap()
        .unseal_arrow(&sealed.slice(0, 0));
    assert!(why.is_ok());
    let view = View {
        max_rows: Some(2),
        columns: Columns::Only(vec!["n".to_owned()]),
        ..View::default()
    };
    let why = opener_showing(COLUMNS, &sealed, view)
        .unwrap()
        .unseal_arrow(&sealed)
        .unwrap_err();
    assert_eq!(why.code(), Code::ObligationUnmet);
}
