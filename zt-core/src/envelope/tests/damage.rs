//! Everything that somebody may do to sealed rows, and how it is named.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;

fn refused(batch: &Batch) -> Error {
    let why = open(COLUMNS, batch).unwrap_err();
    assert_eq!(why.code(), Code::SealIntegrity, "{why}");
    assert!(!format!("{why} {why:?}").contains("needle"));
    why
}

fn sealed() -> Batch {
    sealer(COLUMNS).seal(&applicants()).unwrap()
}

/// Every text that differs from this one in one bit and is still text.
fn flips(text: &str) -> impl Iterator<Item = String> {
    let bytes = text.as_bytes().to_vec();
    (0..bytes.len() * 7).map(move |at| {
        let mut flipped = bytes.clone();
        flipped[at / 7] ^= 1 << (at % 7);
        String::from_utf8(flipped).unwrap()
    })
}

#[test]
fn every_changed_bit_of_a_cell_is_found() {
    let sealed = sealed();
    let opener = opener(COLUMNS, &sealed).unwrap();
    for row in 0..3 {
        let cell = texts(&sealed, "salary")[row].clone().unwrap();
        for flipped in flips(&cell) {
            let changed = with(&sealed, "salary", |cells| cells[row] = Some(flipped));
            let why = opener.unseal(&changed).unwrap_err();
            let names_it = format!("row {} of column `salary` ", row + 1);
            assert!(why.message().starts_with(&names_it), "{why}");
            assert_eq!(why.code(), Code::SealIntegrity);
        }
    }
}

#[test]
fn every_changed_bit_of_a_key_is_found() {
    let sealed = sealed();
    let old_opener = opener(COLUMNS, &sealed).unwrap();
    let key = texts(&sealed, KEY_COLUMN)[1].clone().unwrap();
    for flipped in flips(&key) {
        let changed = with(&sealed, KEY_COLUMN, |cells| cells[1] = Some(flipped));
        let why = refused(&changed);
        assert!(why.message().contains("row 2 "), "{why}");
        let why = old_opener.unseal(&changed).unwrap_err();
        assert_eq!(
            why.message(),
            "the key of row 2 is not one that this opener holds"
        );
    }
}

#[test]
fn a_cell_or_key_cut_at_any_length_is_found() {
    let sealed = sealed();
    for name in ["debt", KEY_COLUMN] {
        let whole = texts(&sealed, name)[2].clone().unwrap();
        for length in 0..whole.len() {
            let cut = whole.get(..length).map(str::to_owned);
            let changed = with(&sealed, name, |cells| cells[2] = cut);
            let why = refused(&changed);
            assert!(why.message().contains("row 3 "), "{why}");
        }
    }
    let cut = with(&sealed, "debt", |cells| {
        cells[2] = Some("zt1.AAAA".to_owned());
    });
    assert_eq!(
        refused(&cut).message(),
        "row 3 of column `debt` is not sealed text: it is cut, or was never sealed"
    );
}

#[test]
fn columns_that_are_exchanged_do_not_open() {
    let sealed = sealed();
    let [salary, debt] = ["salary", "debt"].map(|name| texts(&sealed, name).to_vec());
    let changed = with(&sealed, "salary", |cells| *cells = debt);
    let changed = with(&changed, "debt", |cells| *cells = salary);
    assert_eq!(
        refused(&changed).message(),
        "row 1 of column `salary` holds the cell of column `debt`: it was moved here"
    );
}

#[test]
fn cells_of_another_table_or_sealer_do_not_open() {
    let sealed = sealed();
    let other = Binding::new("ER-01", "gold.other", SecretRef::new("scores-kek"));
    let dek = DataKey::generate().unwrap();
    // The very same data key, for two tables of one rule.
    let make = |binding: &Binding| {
        Sealer::new(&scope(binding, COLUMNS), &dek, wrap(&KEK, 1, &dek), None)
            .unwrap()
            .seal(&applicants())
            .unwrap()
    };
    let (here, there) = (make(&binding()), make(&other));
    for other in [&there, &sealed] {
        let moved = texts(other, "salary")[0].clone();
        let changed = with(&here, "salary", |cells| cells[0] = moved);
        assert!(
            refused(&changed)
                .message()
                .contains("row 1 of column `salary` does not open")
        );
    }
}

#[test]
fn rows_of_another_rule_table_or_key_are_named_as_such() {
    let cases = [
        (
            Binding::new("ER-02", "gold.loan_scores", SecretRef::new("scores-kek")),
            "rule `ER-02`, the tables say `ER-01`",
        ),
        (
            Binding::new("ER-01", "gold.other", SecretRef::new("scores-kek")),
            "table `gold.other`, the tables say `gold.loan_scores`",
        ),
        (
            Binding::new("ER-01", "gold.loan_scores", SecretRef::new("other-kek")),
            "key `other-kek`, the tables say `scores-kek`",
        ),
    ];
    for (other, says) in cases {
        let moved = sealer_for(&other, COLUMNS).seal(&applicants()).unwrap();
        let why = refused(&appended(&sealed(), &moved));
        assert_eq!(why.message(), format!("row 4 was sealed for {says}"));
    }
}

#[test]
fn another_key_does_not_open_and_is_found_before_the_first_cell() {
    let (sealed, dek) = (sealed(), DataKey::generate().unwrap());
    let found = key_texts(&sealed, &binding()).unwrap().remove(0);
    // A vault that unwraps something else than what was wrapped.
    let why = Held::new(&found, &dek, None, &names(&["salary"])).err();
    assert_eq!(why, Some(SealError::WrongKey { row: 1 }));

    let other = sealer(COLUMNS).seal(&applicants()).unwrap();
    let exchanged = texts(&other, KEY_COLUMN)[0].clone();
    let changed = with(&sealed, KEY_COLUMN, |cells| cells[0] = exchanged);
    assert!(
        refused(&changed)
            .message()
            .contains("row 1 of column `salary` does not open")
    );
}

#[test]
fn missing_cells_and_keys_are_found() {
    let changed = with(&sealed(), "debt", |cells| cells[1] = None);
    assert_eq!(
        refused(&changed).message(),
        "row 2 of column `debt` is empty; a missing value is sealed too"
    );
    let changed = with(&sealed(), KEY_COLUMN, |cells| cells[1] = None);
    assert_eq!(refused(&changed).message(), "row 2 has no key in `_zt_key`");
    let gone = sealed().select(&["id", "salary", "debt"]).unwrap();
    assert!(refused(&gone).message().contains("no column `_zt_key`"));
    let numbers = gone
        .with_column(Column::new(KEY_COLUMN, Cells::Integer(vec![Some(1); 3])))
        .unwrap();
    assert!(refused(&numbers).message().contains("no column `_zt_key`"));
}

#[test]
fn a_plain_column_in_sealed_rows_is_found() {
    let plain = with(&sealed(), "debt", |cells| {
        cells[0] = Some("zt-needle-plain".to_owned());
    });
    assert!(
        refused(&plain)
            .message()
            .contains("row 1 of column `debt` is not sealed text")
    );
    let numbers = sealed().select(&["id", "salary", KEY_COLUMN]).unwrap();
    let numbers = numbers
        .with_column(Column::new("debt", Cells::Number(vec![None; 3])))
        .unwrap();
    assert_eq!(
        refused(&numbers).message(),
        "column `debt` is not sealed: it holds number and not sealed text"
    );
}

#[test]
fn a_column_of_two_types_is_damage() {
    let sealer = sealer(&["a"]);
    let make = |cells| {
        sealer
            .seal(&Batch::new(vec![Column::new("a", cells)]).unwrap())
            .unwrap()
    };
    let numbers = make(Cells::Number(vec![None, Some(1.0)]));
    let integers = make(Cells::Integer(vec![None, Some(1)]));
    let why = open(&["a"], &appended(&numbers, &integers)).unwrap_err();
    assert_eq!(why.code(), Code::SealIntegrity);
    assert_eq!(
        why.message(),
        "row 4 of column `a` has another type than the rows before it"
    );
}

#[test]
fn a_later_version_is_told_from_damage() {
    let later = |name: &str| {
        let next = |cell: &mut Option<String>| {
            *cell = cell.as_ref().map(|text| text.replacen("zt1.", "zt3.", 1));
        };
        let changed = with(&sealed(), name, |cells| next(&mut cells[0]));
        refused(&changed)
    };
    assert_eq!(
        later("debt").message(),
        "row 1 of column `debt` is sealed in a version that this zt does not know"
    );
    let why = later(KEY_COLUMN);
    assert!(
        why.message()
            .ends_with("has a version or an algorithm that this zt does not know")
    );
    assert_eq!(why.help(), Some("use a newer zt"));
}

#[test]
fn a_key_has_one_text() {
    let sealed = sealed();
    let text = texts(&sealed, KEY_COLUMN)[0].clone().unwrap();
    let json = URL_SAFE_NO_PAD.decode(text.get(4..).unwrap()).unwrap();
    let json = String::from_utf8(json).unwrap();
    assert!(json.starts_with("{\"v\":1,\"rule\":\"ER-01\",\"table\":\"gold.loan_scores\",\"kid\":\"scores-kek\",\"ver\":\""));
    let reads = |json: &str| {
        let text = format!("zt1.{}", URL_SAFE_NO_PAD.encode(json));
        let changed = with(&sealed, KEY_COLUMN, |cells| cells[0] = Some(text));
        open(COLUMNS, &changed).map_err(|why| why.message().to_owned())
    };
    assert!(reads(&json).is_ok());
    let unknown = json.replacen("\"v\":1", "\"v\":1,\"x\":1", 1);
    let twice = json.replacen("\"v\":1", "\"v\":1,\"v\":1", 1);
    let spaced = json.replacen(':', ": ", 1);
    let escaped = json.replacen("ER-01", "ER\\u002d01", 1);
    let moved = json
        .replacen("{\"v\":1,", "{", 1)
        .replacen('}', ",\"v\":1}", 1);
    for wrong in [
        &unknown, &twice, &spaced, &escaped, &moved, "{}", "", "[]", "null",
    ] {
        let why = reads(wrong).unwrap_err();
        assert!(
            why.starts_with("the key of row 1 in `_zt_key` cannot be read"),
            "{why}"
        );
    }
    for (from, to) in [
        ("\"v\":1", "\"v\":2"),
        ("A256KW", "RSA-OAEP"),
        ("A256GCM", "A128GCM"),
    ] {
        let why = reads(&json.replacen(from, to, 1)).unwrap_err();
        assert!(
            why.ends_with("has a version or an algorithm that this zt does not know"),
            "{why}"
        );
    }
    let long = "x".repeat(2100);
    assert!(
        reads(&long)
            .unwrap_err()
            .contains("it has more than 2048 bytes")
    );
}

#[test]
fn names_that_leave_no_room_are_refused_when_the_sealer_is_made() {
    let dek = DataKey::generate().unwrap();
    let make = |length: usize| {
        let binding = Binding::new(&"r".repeat(length), "t", SecretRef::new("k"));
        Sealer::new(&scope(&binding, &["a"]), &dek, wrap(&KEK, 1, &dek), None).err()
    };
    assert_eq!(make(1000), None);
    assert_eq!(make(1600), Some(SealError::NamesTooLong { most: 2048 }));
}

#[test]
fn an_opener_takes_so_many_keys_and_no_more() {
    let one = Batch::new(vec![text("a", &[None])]).unwrap();
    let keys: Vec<_> = (0..1025)
        .map(|_| texts(&sealer(&["a"]).seal(&one).unwrap(), KEY_COLUMN)[0].clone())
        .collect();
    let batch = Batch::new(vec![Column::new(KEY_COLUMN, Cells::Text(keys))]).unwrap();
    assert_eq!(
        key_texts(&batch.slice(0..1024), &binding()).unwrap().len(),
        1024
    );
    let why = Error::from(key_texts(&batch, &binding()).err().unwrap());
    assert_eq!(
        why.to_string(),
        "[ZT-5001] the batch has more than 1024 data keys; open the rows in parts"
    );
}

#[test]
fn rows_of_another_batch_need_another_opener() {
    let opener = opener(COLUMNS, &sealed()).unwrap();
    let why = opener.unseal(&sealed()).unwrap_err();
    assert_eq!(
        why.message(),
        "the key of row 1 is not one that this opener holds"
    );
    assert_eq!(why.help(), Some("make an opener for these rows"));
}
