//! Rows that are bound to their row key, and columns whose equal values are equal.

use super::*;

fn form(row_key: &[&str], deterministic: &[&str]) -> Form {
    Form::new(&names(row_key), &names(deterministic))
}

/// The deterministic key of every sealer here.
fn shared() -> (DataKey, Sealed) {
    let dek = DataKey::copy_of(&[9; 32]).unwrap();
    let key = SecretRef::new("scores-kek");
    let key = DeterministicKey::of(&dek, "ER-01", &key, wrap(&KEK, 2, &dek)).unwrap();
    (dek, key.sealed().clone())
}

fn sealer_of(table: &str, form: Form) -> Sealer {
    let dek = DataKey::generate().unwrap();
    let scope = Scope {
        binding: Binding::new("ER-01", table, SecretRef::new("scores-kek")),
        columns: names(COLUMNS),
        form,
    };
    let (key, sealed) = shared();
    let needs = !scope.form.deterministic.is_empty();
    let other = needs.then_some((&key, &sealed));
    Sealer::new(&scope, &dek, wrap(&KEK, 1, &dek), other).unwrap()
}

fn sealed(row_key: &[&str], deterministic: &[&str]) -> Batch {
    let form = form(row_key, deterministic);
    sealer_of("gold.loan_scores", form)
        .seal(&applicants())
        .unwrap()
}

fn refused(batch: &Batch) -> Error {
    let why = open(COLUMNS, batch).unwrap_err();
    assert!(!format!("{why} {why:?}").contains("needle"));
    why
}

/// The batch with two cells of one column exchanged.
fn exchanged(batch: &Batch, name: &str, one: usize, other: usize) -> Batch {
    with(batch, name, |cells| cells.swap(one, other))
}

#[test]
fn bound_rows_open_in_any_order_and_from_csv() {
    let sealed = sealed(&["ID"], &[]);
    for name in COLUMNS {
        let cells = texts(&sealed, name).iter().flatten();
        assert!(cells.into_iter().all(|cell| cell.starts_with("zt2.")));
    }
    assert!(open(COLUMNS, &sealed).unwrap() == applicants());
    let csv = sealed.to_csv();
    let lines: Vec<&str> = csv.lines().collect();
    let moved = [lines[0], lines[3], lines[1]].join("\n");
    let read = Batch::from_csv(moved.as_bytes()).unwrap();
    let opened = open(COLUMNS, &read).unwrap();
    assert_eq!(opened.to_csv().lines().nth(1), Some("70002,,"));
    assert_eq!(opened.rows(), 2);
}

#[test]
fn a_whole_number_binds_as_its_digits_do() {
    let numbers = Column::new(
        "id",
        Cells::Integer(vec![Some(-7), Some(0), Some(i64::MAX)]),
    );
    let digits = text("id", &[Some("-7"), Some("0"), Some("9223372036854775807")]);
    let rest = applicants().select(COLUMNS).unwrap();
    let sealer = sealer_of("gold.loan_scores", form(&["id"], &[]));
    let sealed = sealer.seal(&rest.with_column(numbers).unwrap()).unwrap();
    let as_text = sealed.select(&["salary", "debt", KEY_COLUMN]).unwrap();
    let as_text = as_text.with_column(digits).unwrap();
    assert!(open(COLUMNS, &as_text).is_ok());
}

#[test]
fn a_cell_in_another_row_is_named_by_the_row_it_came_from() {
    let changed = exchanged(&sealed(&["id"], &[]), "salary", 0, 2);
    let why = refused(&changed);
    assert_eq!(why.code(), Code::SealIntegrity);
    assert_eq!(
        why.message(),
        "row 1 of column `salary` holds the cell of row 3: it was moved here, or the row key was"
    );
    // The row that it came from is not there any more.
    let part = changed.slice(0..2);
    assert!(
        refused(&part)
            .message()
            .starts_with("row 1 of column `salary` does not open: it or the row key was changed")
    );
    let renamed = with(&sealed(&["id"], &[]), "id", |cells| {
        cells[1] = Some("70009".to_owned());
    });
    assert!(
        refused(&renamed)
            .message()
            .starts_with("row 2 of column `salary` does not open: it or the row key was changed")
    );
    // Without a row key nobody finds it.
    assert!(open(COLUMNS, &exchanged(&sealed(&[], &[]), "salary", 0, 2)).is_ok());
}

#[test]
fn a_row_that_is_repeated_or_put_back_is_found() {
    let (old, new) = (sealed(&["id"], &[]), sealed(&["id"], &[]));
    for twice in [
        appended(&old, &old.slice(1..2)),
        appended(&new, &old.slice(1..2)),
    ] {
        let why = refused(&twice);
        assert_eq!(why.code(), Code::SealIntegrity);
        assert_eq!(
            why.message(),
            "row 4 has the row key of row 2: one of them was repeated or put back"
        );
    }
    let gone = with(&old, "id", |cells| cells[2] = None);
    assert_eq!(
        refused(&gone).message(),
        "row 3 has no value in `id`, which it was bound to when it was sealed"
    );
}

#[test]
fn rows_without_a_key_of_their_own_are_not_sealed() {
    let sealer = sealer_of("gold.loan_scores", form(&["id", "part"], &[]));
    let with_part = |part: Column| sealer.seal(&applicants().with_column(part).unwrap());
    let why = sealer.seal(&applicants()).unwrap_err();
    assert_eq!(
        why.message(),
        "cells are bound to column `part`, and the batch has none of this name"
    );
    let numbers = Column::new("part", Cells::Number(vec![Some(1.0); 3]));
    assert_eq!(
        with_part(numbers).unwrap_err().message(),
        "cells are bound to column `part`, which holds number; a row key is text or whole numbers"
    );
    for missing in [None, Some("")] {
        let why = with_part(text("part", &[Some("a"), missing, Some("b")])).unwrap_err();
        assert_eq!(
            why.message(),
            "row 2 has no value in `part`, which its cells are bound to"
        );
    }
    let same = applicants()
        .with_column(text("part", &[Some("a"); 3]))
        .unwrap();
    let same = with(&same, "id", |cells| cells[2] = cells[0].clone());
    let why = sealer.seal(&same).unwrap_err();
    assert_eq!(why.code(), Code::InvalidArgument);
    assert_eq!(
        why.message(),
        "row 3 has the row key of row 1: it must identify a row"
    );
}

#[test]
fn rows_of_several_forms_open_together() {
    let all = [
        sealed(&[], &[]),
        sealed(&["id"], &[]),
        sealed(&[], &["debt"]),
    ];
    let all = all.into_iter().reduce(|one, other| appended(&one, &other));
    let opened = open(COLUMNS, &all.unwrap()).unwrap();
    let twice = appended(&applicants(), &applicants());
    assert!(opened == appended(&twice, &applicants()));
}

#[test]
fn equal_values_of_a_deterministic_column_are_equal_in_every_batch_and_table() {
    let seal = |table: &str| {
        let sealer = sealer_of(table, form(&["id"], &["Debt"]));
        sealer.seal(&applicants()).unwrap()
    };
    let (one, other) = (seal("gold.loan_scores"), seal("gold.others"));
    assert_eq!(texts(&one, "debt"), texts(&other, "debt"));
    let different: BTreeSet<_> = texts(&one, "debt").iter().collect();
    assert_eq!(different.len(), 3, "different values look different");
    assert_ne!(texts(&one, "salary"), texts(&other, "salary"));
    assert!(open(COLUMNS, &one).unwrap() == applicants());
}

#[test]
fn a_deterministic_cell_in_another_column_or_rule_does_not_open() {
    let both = sealed(&[], &["salary", "debt"]);
    let [salary, debt] = ["salary", "debt"].map(|name| texts(&both, name).to_vec());
    let changed = with(&both, "salary", |cells| *cells = debt);
    let changed = with(&changed, "debt", |cells| *cells = salary);
    assert_eq!(
        refused(&changed).message(),
        "row 1 of column `salary` holds the cell of column `debt`: it was moved here"
    );
    let cell = texts(&both, "debt")[0].clone().unwrap();
    for at in 4..cell.len() {
        let mut flipped = cell.clone().into_bytes();
        flipped[at] ^= 1;
        let flipped = String::from_utf8(flipped).unwrap();
        let changed = with(&both, "debt", |cells| cells[0] = Some(flipped));
        assert_eq!(refused(&changed).code(), Code::SealIntegrity);
    }
}

#[test]
fn the_form_of_rows_cannot_be_changed() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let sealed = sealed(&["id"], &["debt"]);
    let text = texts(&sealed, KEY_COLUMN)[0].clone().unwrap();
    let json = URL_SAFE_NO_PAD.decode(text.get(4..).unwrap()).unwrap();
    let json = String::from_utf8(json).unwrap();
    assert!(json.contains("\"row\":[\"id\"],\"det\":{\"columns\":[\"debt\"],\"ver\":\""));
    let reads = |version: &str, json: &str| {
        let text = format!("{version}.{}", URL_SAFE_NO_PAD.encode(json));
        let changed = with(&sealed, KEY_COLUMN, |cells| cells.fill(Some(text.clone())));
        open(COLUMNS, &changed).map_err(|why| why.message().to_owned())
    };
    assert!(reads("zt2", &json).is_ok());
    for (from, to) in [
        ("\"row\":[\"id\"]", "\"row\":[]"),
        ("\"row\":[\"id\"]", "\"row\":[\"part\"]"),
        ("[\"debt\"]", "[\"salary\"]"),
    ] {
        let why = reads("zt2", &json.replacen(from, to, 1)).unwrap_err();
        assert!(
            why.starts_with("the key of row 1 in `_zt_key` is not the one"),
            "{why}"
        );
    }
    let det = json.find(",\"det\"").unwrap();
    let end = json.find('}').unwrap() + 1;
    let without = format!("{}{}", json.get(..det).unwrap(), json.get(end..).unwrap());
    let null = without.replacen(",\"ek\"", ",\"det\":null,\"ek\"", 1);
    assert!(reads("zt2", &null).unwrap_err().contains("is not the one"));
    for wrong in [
        &without,
        &null.replacen("[\"id\"]", "[]", 1),
        &json.replacen("[\"debt\"]", "[]", 1),
    ] {
        let why = reads("zt2", wrong).unwrap_err();
        assert!(why.contains("cannot be read"), "{why}");
    }
    let why = reads("zt1", &json).unwrap_err();
    assert!(why.contains("a version or an algorithm"), "{why}");
}

#[test]
fn a_deterministic_key_has_one_text_and_shows_nothing() {
    let (dek, _) = shared();
    let key = SecretRef::new("scores-kek");
    let key = DeterministicKey::of(&dek, "ER-01", &key, wrap(&KEK, 2, &dek)).unwrap();
    let text = key.to_string();
    assert_eq!(text.parse(), Ok(key));
    for at in 0..text.len() {
        let mut flipped = text.clone().into_bytes();
        flipped[at] ^= 1;
        // A wrapped key, version, commitment or name may still be well formed: then it is another key.
        let read = str::from_utf8(&flipped)
            .unwrap()
            .parse::<DeterministicKey>();
        assert_ne!(read.map(|key| key.to_string()), Ok(text.clone()));
    }
    assert!("zt2.".parse::<DeterministicKey>().is_err());
    assert!(
        text.replacen("zt2", "zt1", 1)
            .parse::<DeterministicKey>()
            .is_err()
    );
}
