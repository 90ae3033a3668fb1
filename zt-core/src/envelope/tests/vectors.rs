//! The vectors that every implementation of the format reads: fixed keys, expected texts.

use serde_json::Value;

use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.map(byte).collect()
}

fn file() -> Value {
    serde_json::from_str(include_str!("../../../tests/vectors/sealed_v1.json")).unwrap()
}

fn cells_of(column: &Value) -> Cells {
    let list = column["cells"].as_array().unwrap();
    let each = list.iter().map(|cell| (!cell.is_null()).then_some(cell));
    let digits = |cell: &Value| hex(cell.as_str().unwrap());
    let number = |cell: &Value| f64::from_be_bytes(digits(cell).try_into().unwrap());
    match column["type"].as_str().unwrap() {
        "text" => Cells::Text(
            each.map(|cell| cell.map(|cell| cell.as_str().unwrap().to_owned()))
                .collect(),
        ),
        "number" => Cells::Number(each.map(|cell| cell.map(number)).collect()),
        "integer" => Cells::Integer(
            each.map(|cell| cell.map(|cell| cell.as_i64().unwrap()))
                .collect(),
        ),
        "bool" => Cells::Bool(
            each.map(|cell| cell.map(|cell| cell.as_bool().unwrap()))
                .collect(),
        ),
        "bytes" => Cells::Bytes(each.map(|cell| cell.map(digits)).collect()),
        other => panic!("{other}"),
    }
}

#[test]
fn the_vectors_are_sealed_to_the_byte_and_open() {
    let file = file();
    let of = |name: &str| file[name].as_str().unwrap();
    let binding = Binding::new(of("rule"), of("table"), SecretRef::new(of("kid")));
    let dek = DataKey::copy_of(&hex(of("dek"))).unwrap();
    let mut wrapped = wrap(&hex(of("kek")), 0, &dek);
    wrapped.version = of("ver").parse().unwrap();
    let form = Form::default();
    let commitment = binding.commitment(&dek, wrapped.version, &form, None);
    let commitment = commitment.unwrap();
    assert_eq!(commitment.to_vec(), hex(of("commitment")));

    let columns = file["columns"].as_array().unwrap();
    let names: Vec<String> = columns
        .iter()
        .map(|column| column["name"].as_str().unwrap().to_owned())
        .collect();
    let plain = columns
        .iter()
        .zip(&names)
        .map(|(column, name)| Column::new(name.clone(), cells_of(column)));
    let plain = Batch::new(plain.collect()).unwrap();
    let scope = Scope {
        binding: binding.clone(),
        columns: names.clone(),
        form,
    };
    let sealer = Sealer::new(&scope, &dek, wrapped, None).unwrap();
    let prefix = hex(of("nonce_prefix")).try_into().unwrap();
    let sealed = sealer.seal_under(&plain, prefix).unwrap();
    for (column, name) in columns.iter().zip(&names) {
        let expected: Vec<_> = column["sealed"].as_array().unwrap().iter().collect();
        assert_eq!(texts(&sealed, name).len(), expected.len());
        for (cell, expected) in texts(&sealed, name).iter().zip(expected) {
            assert_eq!(cell.as_deref(), expected.as_str(), "{name}");
        }
    }
    let keys = texts(&sealed, KEY_COLUMN);
    assert!(
        keys.iter()
            .all(|key| key.as_deref() == Some(of("key_text")))
    );

    let found = key_texts(&sealed, &binding).unwrap().remove(0);
    let dek = unwrap(&hex(of("kek")), &found.key.wrapped).unwrap();
    let held = Held::new(found, &dek, None, &names).unwrap();
    let opener = Opener::new(names, vec![held], View::default());
    let opened = opener.unseal(&sealed).unwrap();
    for (one, other) in opened.columns().iter().zip(plain.columns()) {
        assert!(is_same(one.cells(), other.cells()), "{}", one.name());
    }
}
