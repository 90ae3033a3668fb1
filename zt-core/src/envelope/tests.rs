//! Sealing and unsealing without a vault: round trips, the vectors, and everything that somebody may do to sealed rows.

mod damage;
mod differential;
mod files;
mod forms;
pub(super) mod vectors;

use std::collections::BTreeSet;

use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrap as _};
use proptest::prelude::*;

use super::*;
use crate::batch::{Batch, Cells, Column};
use crate::error::{Code, Error, Result};
use crate::id::SecretRef;
use crate::policy::{Columns, Mask, Masks, View};
use crate::secrets::SecretVersion;

pub(super) const KEK: [u8; 32] = [7; 32];

fn kek(key: &[u8]) -> AesKek {
    AesKek::new(&AES_256, key).unwrap()
}

pub(super) fn wrap(key: &[u8], version: u128, dek: &DataKey) -> WrappedKey {
    let mut bytes = vec![0; 40];
    kek(key).wrap(dek.reveal(), &mut bytes).unwrap();
    let version = SecretVersion::from_u128(version);
    WrappedKey::new(WrapAlgorithm::Aes256Kw, version, bytes)
}

pub(super) fn unwrap(key: &[u8], wrapped: &WrappedKey) -> Option<DataKey> {
    let mut bytes = [0; 64];
    DataKey::copy_of(kek(key).unwrap(&wrapped.bytes, &mut bytes).ok()?)
}

pub(super) fn binding() -> Binding {
    Binding::new("ER-01", "gold.loan_scores", SecretRef::new("scores-kek"))
}

fn sealer_for(binding: &Binding, columns: &[&str]) -> Sealer {
    let dek = DataKey::generate().unwrap();
    Sealer::new(&scope(binding, columns), &dek, wrap(&KEK, 1, &dek), None).unwrap()
}

pub(super) fn names(columns: &[&str]) -> Vec<String> {
    columns.iter().map(|name| (*name).to_owned()).collect()
}

fn scope(binding: &Binding, columns: &[&str]) -> Scope {
    Scope {
        binding: binding.clone(),
        columns: names(columns),
        form: Form::default(),
    }
}

fn sealer(columns: &[&str]) -> Sealer {
    sealer_for(&binding(), columns)
}

fn opener_showing(
    columns: &[&str],
    batch: &Batch,
    visible: Columns,
    masks: Masks,
) -> Result<Opener, SealError> {
    let columns = names(columns);
    let mut held = Vec::new();
    for found in key_texts(batch, &binding())? {
        let row = found.row;
        let dek = unwrap(&KEK, &found.key.wrapped).ok_or(SealError::WrongKey { row })?;
        let other = found.key.deterministic.as_ref();
        let other =
            other.map(|sealed| unwrap(&KEK, &sealed.wrapped).ok_or(SealError::WrongKey { row }));
        held.push(Held::new(
            &found,
            &dek,
            other.transpose()?.as_ref(),
            &columns,
        )?);
    }
    let view = View {
        columns: visible,
        masks,
        ..View::default()
    };
    Ok(Opener::new(columns, held, view))
}

fn opener(columns: &[&str], batch: &Batch) -> Result<Opener, SealError> {
    opener_showing(columns, batch, Columns::All, Masks::default())
}

fn open(columns: &[&str], batch: &Batch) -> Result<Batch> {
    opener(columns, batch)?.unseal(batch)
}

fn text(name: &str, cells: &[Option<&str>]) -> Column {
    let cells = cells.iter().map(|cell| cell.map(str::to_owned)).collect();
    Column::new(name, Cells::Text(cells))
}

fn texts<'a>(batch: &'a Batch, name: &str) -> &'a [Option<String>] {
    let Cells::Text(cells) = batch.require(name).unwrap().cells() else {
        panic!("{name} is not text");
    };
    cells
}

/// The batch with the cells of one column of text put through `change`.
fn with(batch: &Batch, name: &str, change: impl FnOnce(&mut Vec<Option<String>>)) -> Batch {
    let mut cells = texts(batch, name).to_vec();
    change(&mut cells);
    let column = |column: &Column| {
        if column.is_called(name) {
            Column::new(column.name(), Cells::Text(cells.clone()))
        } else {
            column.clone()
        }
    };
    Batch::new(batch.columns().iter().map(column).collect()).unwrap()
}

/// The rows of both, where all columns are text.
fn appended(one: &Batch, other: &Batch) -> Batch {
    let column = |name: &str| {
        let cells = [texts(one, name), texts(other, name)].concat();
        Column::new(name, Cells::Text(cells))
    };
    Batch::new(one.names().map(column).collect()).unwrap()
}

fn applicants() -> Batch {
    Batch::new(vec![
        text("id", &[Some("70000"), Some("70001"), Some("70002")]),
        text("salary", &[Some("zt-needle-30k"), None, Some("")]),
        text(
            "debt",
            &[Some("zt-needle-0.4"), Some("zt-needle-0.1"), None],
        ),
    ])
    .unwrap()
}

const COLUMNS: &[&str] = &["salary", "debt"];

fn cells() -> impl Strategy<Value = Cells> {
    fn of<S: Strategy>(cell: S) -> impl Strategy<Value = Vec<Option<S::Value>>>
    where
        S::Value: Clone,
    {
        proptest::collection::vec(proptest::option::of(cell), 5)
    }
    prop_oneof![
        of(any::<String>()).prop_map(Cells::Text),
        of(any::<u64>().prop_map(f64::from_bits)).prop_map(Cells::Number),
        of(any::<i64>()).prop_map(Cells::Integer),
        of(any::<bool>()).prop_map(Cells::Bool),
        of(proptest::collection::vec(any::<u8>(), 0..40)).prop_map(Cells::Bytes),
    ]
}

/// Equal to the last bit: NaN is not equal to itself, and -0 is to 0.
pub(super) fn is_same(one: &Cells, other: &Cells) -> bool {
    match (one, other) {
        (Cells::Number(one), Cells::Number(other)) => {
            let bits = |cells: &[Option<f64>]| -> Vec<Option<u64>> {
                cells.iter().map(|cell| cell.map(f64::to_bits)).collect()
            };
            bits(one) == bits(other)
        }
        (one, other) => one == other,
    }
}

proptest! {
    #[test]
    fn whatever_is_sealed_comes_back_with_its_type_and_its_missing_values(cells in cells(), plain in cells()) {
        let batch = Batch::new(vec![Column::new("a", cells.clone()), Column::new("b", plain.clone())]).unwrap();
        let sealed = sealer(&["a"]).seal(&batch).unwrap();
        prop_assert_eq!(sealed.names().collect::<Vec<_>>(), ["a", "b", KEY_COLUMN]);
        prop_assert!(texts(&sealed, "a").iter().all(|cell| cell.as_ref().is_some_and(|text| text.starts_with("zt1."))));
        let opened = open(&["a"], &sealed).unwrap();
        let expected = if cells.nulls() == cells.len() { Cells::Text(vec![None; 5]) } else { cells };
        prop_assert!(is_same(opened.columns()[0].cells(), &expected));
        prop_assert!(is_same(opened.columns()[1].cells(), &plain));
        prop_assert_eq!(opened.names().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn no_text_opens_or_panics(cell in any::<String>(), known in "zt1\\.[-_A-Za-z0-9]{0,80}", key in any::<bool>()) {
        let sealed = sealer(COLUMNS).seal(&applicants()).unwrap();
        for text in [cell, known] {
            let name = if key { KEY_COLUMN } else { "debt" };
            let changed = with(&sealed, name, |cells| cells[1] = Some(text));
            prop_assert_eq!(open(COLUMNS, &changed).unwrap_err().code(), Code::SealIntegrity);
        }
    }
}

#[test]
fn rows_open_in_any_order_and_from_any_number_of_sealers() {
    let one = sealer(COLUMNS).seal(&applicants()).unwrap();
    let other = sealer(COLUMNS).seal(&applicants()).unwrap();
    assert_ne!(texts(&one, KEY_COLUMN)[0], texts(&other, KEY_COLUMN)[0]);
    let all = appended(&one, &other);
    let plain = open(COLUMNS, &all).unwrap();
    assert!(plain == appended(&applicants(), &applicants()));

    let opener = opener(COLUMNS, &all).unwrap();
    let reversed = |batch: &Batch| {
        let columns = batch.names().map(|name| {
            let cells = texts(batch, name).iter().rev().cloned().collect();
            Column::new(name, Cells::Text(cells))
        });
        Batch::new(columns.collect()).unwrap()
    };
    assert!(opener.unseal(&reversed(&all)).unwrap() == reversed(&plain));
    for row in 0..all.rows() {
        let part = opener.unseal(&all.slice(row..row + 1)).unwrap();
        assert!(part == plain.slice(row..row + 1));
    }
}

#[test]
fn sealed_rows_open_from_csv() {
    let mixed = applicants()
        .with_column(Column::new(
            "score",
            Cells::Number(vec![Some(0.1), None, Some(f64::NAN)]),
        ))
        .unwrap();
    let columns = &["salary", "debt", "score"];
    let csv = sealer(columns).seal(&mixed).unwrap().to_csv();
    assert!(!csv.contains("needle"));
    let read = Batch::from_csv(csv.as_bytes()).unwrap();
    let opened = open(columns, &read).unwrap();
    for (name, column) in mixed.names().zip(opened.columns()) {
        assert_eq!(column.name(), name);
        assert!(is_same(
            column.cells(),
            mixed.require(name).unwrap().cells()
        ));
    }
}

#[test]
fn two_seals_of_the_same_never_look_the_same() {
    let sealer = sealer(COLUMNS);
    let mut seen = BTreeSet::new();
    for _ in 0..10 {
        let sealed = sealer.seal(&applicants()).unwrap();
        for name in COLUMNS {
            seen.extend(texts(&sealed, name).iter().flatten().cloned());
        }
    }
    assert_eq!(seen.len(), 60);
    let nonces: BTreeSet<_> = seen.iter().map(|cell| cell.get(..20).unwrap()).collect();
    assert_eq!(nonces.len(), 60);
}

#[test]
fn a_column_that_would_be_stored_in_plain_is_refused() {
    let sealer = sealer(&["salery"]);
    let why = sealer.seal(&applicants()).unwrap_err();
    assert_eq!(why.code(), Code::InvalidArgument);
    assert_eq!(
        why.to_string(),
        "[ZT-5001] encryption rule `ER-01` seals column `salery`, and the batch has none of this name; \
         did you mean `salary`? a renamed column would be stored in plain"
    );
}

#[test]
fn what_is_sealed_is_not_sealed_again() {
    let sealer = sealer(COLUMNS);
    let sealed = sealer.seal(&applicants()).unwrap();
    let why = sealer.seal(&sealed).unwrap_err();
    assert_eq!(why.message(), "column `salary` is sealed already");
    let without_key = sealed.select(&["id", "salary", "debt"]).unwrap();
    assert!(sealer.seal(&without_key).is_err());
    let key_alone = applicants()
        .with_column(text("_ZT_Key", &[None; 3]))
        .unwrap();
    let why = sealer.seal(&key_alone).unwrap_err();
    assert_eq!(why.message(), "column `_ZT_Key` is sealed already");
    // One cell that somebody typed is no sealed column: it must not keep the others from being stored.
    let typed = texts(&sealed, "debt")[0].clone();
    let typed = with(&applicants(), "debt", |cells| cells[0] = typed);
    let again = sealer.seal(&typed).unwrap();
    assert!(open(COLUMNS, &again).unwrap() == typed);
}

#[test]
fn names_of_columns_and_tables_ignore_case() {
    let sealed = sealer_for(
        &Binding::new("ER-01", "Gold.Loan_Scores", SecretRef::new("scores-kek")),
        &["SALARY", "Debt"],
    )
    .seal(&applicants())
    .unwrap();
    assert!(open(COLUMNS, &sealed).unwrap() == applicants());
}

#[test]
fn a_batch_without_rows_and_a_part_of_the_columns_open() {
    let sealed = sealer(COLUMNS).seal(&applicants()).unwrap();
    let none = sealed.slice(0..0);
    assert_eq!(open(COLUMNS, &none).unwrap().rows(), 0);
    let part = sealed.select(&["debt", KEY_COLUMN]).unwrap();
    let expected = applicants().select(&["debt"]).unwrap();
    assert!(open(COLUMNS, &part).unwrap() == expected);
}

#[test]
fn hidden_columns_stay_closed_and_masked_ones_are_masked() {
    let sealed = sealer(COLUMNS).seal(&applicants()).unwrap();
    let mut masks = Masks::default();
    masks.cover("salary", Mask::Redact);
    let only = Columns::Only(vec!["salary".to_owned(), "id".to_owned()]);
    // The hidden column is damaged; nobody looks at it.
    let damaged = with(&sealed, "debt", |cells| cells[0] = None);
    let opener = opener_showing(COLUMNS, &damaged, only, masks).unwrap();
    let seen = opener.unseal(&damaged).unwrap();
    assert_eq!(seen.names().collect::<Vec<_>>(), ["salary", "id"]);
    let redacted = Some("[redacted]".to_owned());
    assert_eq!(texts(&seen, "salary"), [redacted.clone(), None, redacted]);

    let but = Columns::AllBut(BTreeSet::from(["Debt".to_owned()]));
    let opener = opener_showing(COLUMNS, &damaged, but, Masks::default()).unwrap();
    let seen = opener.unseal(&damaged).unwrap();
    assert!(seen == applicants().select(&["id", "salary"]).unwrap());
}

#[test]
fn nothing_that_prints_shows_a_cell_or_a_key() {
    let dek = DataKey::copy_of(b"zt-needle-dek-of-32-bytes-in-all").unwrap();
    let scope = scope(&binding(), COLUMNS);
    let sealer = Sealer::new(&scope, &dek, wrap(&KEK, 1, &dek), None).unwrap();
    let sealed = sealer.seal(&applicants()).unwrap();
    let opener = opener(COLUMNS, &sealed).unwrap();
    let key = ColumnKey::deterministic(&dek, "ER-01", "salary").unwrap();
    let mut printed = format!("{dek:?} {sealer:?} {opener:?} {key:?} {sealed:?}");
    for (name, cell) in [
        ("salary", Some("zt-needle-cell")),
        (KEY_COLUMN, Some("zt-needle-key")),
    ] {
        let changed = with(&sealed, name, |cells| cells[0] = cell.map(str::to_owned));
        let why = open(COLUMNS, &changed).unwrap_err();
        printed.push_str(&format!("{why} {why:?}"));
    }
    assert!(!printed.contains("needle"), "{printed}");
    assert!(
        printed.starts_with(
            "[data key] Sealer { rule: \"ER-01\", columns: [\"salary\", \"debt\"], .. }"
        )
    );
}
