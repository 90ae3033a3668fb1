//! The vectors that every implementation of the format reads: fixed keys, expected texts.

use serde_json::Value;

use super::*;

pub(in crate::envelope) fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.map(byte).collect()
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
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
    let file = read(include_str!("../../../tests/vectors/sealed_v1.json"));
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
    let held = Held::new(&found, &dek, None, &names).unwrap();
    let opener = Opener::new(names, vec![held], View::default());
    let opened = opener.unseal(&sealed).unwrap();
    for (one, other) in opened.columns().iter().zip(plain.columns()) {
        assert!(is_same(one.cells(), other.cells()), "{}", one.name());
    }
}

fn list(value: &Value) -> Vec<String> {
    let list = value.as_array().unwrap().iter();
    list.map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// The rows of the vectors with a row key, before they were sealed.
fn plain_rows(file: &Value) -> Batch {
    let ids = file["row"]["id"].as_array().unwrap().iter();
    let parts = list(&file["row"]["part"]).into_iter().map(Some).collect();
    let mut plain = vec![
        Column::new("id", Cells::Integer(ids.map(Value::as_i64).collect())),
        Column::new("part", Cells::Text(parts)),
    ];
    let columns = file["columns"].as_array().unwrap().iter();
    plain.extend(
        columns.map(|column| Column::new(column["name"].as_str().unwrap(), cells_of(column))),
    );
    Batch::new(plain).unwrap()
}

#[test]
fn the_vectors_of_bound_rows_and_deterministic_columns_are_sealed_to_the_byte_and_open() {
    let file = read(include_str!("../../../tests/vectors/sealed_v2.json"));
    let of = |name: &str| file[name].as_str().unwrap();
    let binding = Binding::new(of("rule"), of("table"), SecretRef::new(of("kid")));
    let [dek, other] =
        ["dek", "deterministic_dek"].map(|name| DataKey::copy_of(&hex(of(name))).unwrap());
    let key: DeterministicKey = of("deterministic_key").parse().unwrap();
    let (rule, kid) = (binding.rule.as_str(), &binding.key);
    assert!((key.rule(), key.key()) == (rule, kid) && key.to_string() == of("deterministic_key"));
    assert_eq!(key.sealed().is_committed(&other, rule, kid), Ok(true));
    assert_eq!(key.sealed().is_committed(&dek, rule, kid), Ok(false));
    let mut wrapped = wrap(&hex(of("kek")), 0, &dek);
    wrapped.version = of("ver").parse().unwrap();

    let columns = file["columns"].as_array().unwrap();
    let names = columns
        .iter()
        .map(|column| column["name"].as_str().unwrap().to_owned());
    let names: Vec<String> = names.collect();
    let row_key = ["id".to_owned(), "part".to_owned()];
    let scope = Scope {
        binding: binding.clone(),
        columns: names.clone(),
        form: Form::new(&row_key, &list(&file["deterministic"])),
    };
    let sealer = Sealer::new(&scope, &dek, wrapped, Some((&other, key.sealed()))).unwrap();
    let plain = plain_rows(&file);
    let prefix = hex(of("nonce_prefix")).try_into().unwrap();
    let sealed = sealer.seal_under(&plain, prefix).unwrap();
    for (column, name) in columns.iter().zip(&names) {
        let expected: Vec<_> = list(&column["sealed"]).into_iter().map(Some).collect();
        assert_eq!(texts(&sealed, name), expected, "{name}");
    }
    assert_eq!(
        texts(&sealed, KEY_COLUMN)[0].as_deref(),
        Some(of("key_text"))
    );

    let found = key_texts(&sealed, &binding).unwrap().remove(0);
    let opened = found.key.deterministic.as_ref().unwrap();
    let other = unwrap(&hex(of("kek")), &opened.wrapped).unwrap();
    let held = Held::new(&found, &dek, Some(&other), &names).unwrap();
    let opener = Opener::new(names, vec![held], View::default());
    let opened = opener.unseal(&sealed).unwrap();
    for (one, other) in opened.columns().iter().zip(plain.columns()) {
        assert!(is_same(one.cells(), other.cells()), "{}", one.name());
    }
}

#[test]
fn the_vectors_of_files_are_sealed_to_the_byte_and_open() {
    let file = read(include_str!("../../../tests/vectors/sealed_files.json"));
    let of = |name: &str| file[name].as_str().unwrap();
    let binding = Binding::new(of("rule"), of("table"), SecretRef::new(of("kid")));
    let dek = DataKey::copy_of(&hex(of("dek"))).unwrap();
    let mut wrapped = wrap(&hex(of("kek")), 0, &dek);
    wrapped.version = of("ver").parse().unwrap();
    let sealer = Sealer::new(&scope(&binding, COLUMNS), &dek, wrapped, None).unwrap();
    for case in file["files"].as_array().unwrap() {
        let (name, text) = (case["name"].as_str().unwrap(), |name: &str| {
            case[name].as_str()
        });
        let length = usize::try_from(case["length"].as_u64().unwrap()).unwrap();
        let plain: Vec<u8> = (0..=250).cycle().take(length).collect();
        let salt = hex(text("salt").unwrap()).try_into().unwrap();
        let header = FileHeader::with_salt(sealer.key_text(), name, sealer.files(), salt).unwrap();
        let mut sealed = Vec::new();
        sealer
            .seal_under_header(&header, plain.as_slice(), &mut sealed)
            .unwrap();
        match text("sealed") {
            Some(expected) => assert_eq!(sealed, hex(expected), "{name}"),
            None => {
                let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &sealed);
                assert_eq!(
                    digest.as_ref(),
                    hex(text("sealed_sha256").unwrap()),
                    "{name}"
                );
            }
        }
        let found = FileHeader::read(sealed.as_slice())
            .unwrap()
            .found(&binding)
            .unwrap();
        let held = Held::new(&found, &dek, None, &names(COLUMNS)).unwrap();
        let opener = Opener::new(names(COLUMNS), vec![held], View::default());
        assert!(*opener.unseal_bytes(name, &sealed).unwrap() == plain);
    }
}
