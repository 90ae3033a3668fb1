//! Sealed cells, keys of rows and files, as somebody who may write the storage leaves them.

use serde_json::Value;
use zt_core::batch::{Batch, Cells, Column};
use zt_core::envelope::{DeterministicKey, FileHeader};
use zt_core::testing::BareOpener;
use zt_core::{Code, Error};

use super::check_message;

const ROWS: &str = include_str!("../../tests/vectors/sealed_v2.json");
const OLD_ROWS: &str = include_str!("../../tests/vectors/sealed_v1.json");
const FILES: &str = include_str!("../../tests/vectors/sealed_files.json");

/// A line that says what follows, then it: `cell`, `note`, `old` or `key` text of row 1, a `file`, a `deterministic` key.
///
/// What opens is what was sealed, from the one text that it was sealed to; everything else is refused as damage, with a
/// message of one line. What reads as a key prints as the same text.
pub fn sealed(input: &[u8]) -> bool {
    let end = input.iter().position(|byte| *byte == b'\n');
    let (what, rest) = input.split_at(end.unwrap_or(input.len()));
    let rest = rest.get(1..).unwrap_or_default();
    if what == b"file" {
        return file(rest);
    }
    let Ok(text) = str::from_utf8(rest) else {
        return false;
    };
    match what {
        b"cell" => cell(ROWS, "City", text),
        b"note" => cell(ROWS, "note", text),
        b"key" => cell(ROWS, "_zt_key", text),
        b"old" => cell(OLD_ROWS, "_zt_key", text),
        b"deterministic" => match text.parse::<DeterministicKey>() {
            Ok(key) => {
                assert_eq!(key.to_string(), text);
                true
            }
            Err(why) => {
                check_message(&why.to_string());
                false
            }
        },
        _ => false,
    }
}

fn text<'a>(of: &'a Value, name: &str) -> &'a str {
    of[name].as_str().expect("text")
}

fn bytes(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).expect("digits"), 16);
    pairs.map(|pair| byte(pair).expect("a byte")).collect()
}

fn opener(case: &Value, columns: &[&str]) -> BareOpener {
    let kek = bytes(text(case, "kek")).try_into().expect("32 bytes");
    let [rule, table, kid] = ["rule", "table", "kid"].map(|name| text(case, name));
    BareOpener::new(kek, rule, table, kid, columns)
}

/// Puts a text into one cell of the vectors' first row.
fn cell(vectors: &str, name: &str, changed: &str) -> bool {
    let case: Value = serde_json::from_str(vectors).expect("JSON");
    let listed = case["columns"].as_array().expect("columns");
    let names: Vec<&str> = listed.iter().map(|column| text(column, "name")).collect();
    let texts =
        |name: &str, cell: &str| Column::new(name, Cells::Text(vec![Some(cell.to_owned())]));
    let mut columns = vec![texts("_zt_key", text(&case, "key_text"))];
    if let Some(row) = case["row"].as_object() {
        for (name, values) in row {
            let value = values[0]
                .as_str()
                .map_or_else(|| values[0].to_string(), str::to_owned);
            columns.push(texts(name, &value));
        }
    }
    for column in listed {
        columns.push(texts(
            text(column, "name"),
            column["sealed"][0].as_str().expect("text"),
        ));
    }
    let whole = Batch::new(columns.clone()).expect("a batch");
    let opener = opener(&case, &names);
    let plain = opener.rows(&whole).expect("the vectors open");
    let place = columns.iter_mut().find(|column| column.name() == name);
    let place = place.expect("the column");
    let is_same = *place.cells() == Cells::Text(vec![Some(changed.to_owned())]);
    // A deterministic cell is its value in every row: the only one that may come from another.
    let city = listed
        .iter()
        .find(|column| name == "City" && column["name"] == "City");
    let others = city.and_then(|column| column["sealed"].as_array());
    let is_known = others.is_some_and(|others| others.iter().any(|other| other == changed));
    *place = texts(name, changed);
    let opened = opener.rows(&Batch::new(columns).expect("a batch"));
    match opened {
        Ok(opened) => {
            assert!(is_same || is_known, "a changed text opens");
            assert!(!is_same || is_equal(&opened, &plain));
            true
        }
        Err(why) => {
            assert!(!is_same && !is_known, "a sealed text does not open: {why}");
            refused(&why);
            false
        }
    }
}

/// NaN is not equal to itself, so what is compared is what is written.
fn is_equal(one: &Batch, other: &Batch) -> bool {
    one.to_csv() == other.to_csv()
}

fn file(changed: &[u8]) -> bool {
    let case: Value = serde_json::from_str(FILES).expect("JSON");
    let first = &case["files"][0];
    let (name, sealed) = (text(first, "name"), bytes(text(first, "sealed")));
    if let Ok(header) = FileHeader::read(changed) {
        assert!(!header.name().is_empty());
    }
    match opener(&case, &[]).file(name, changed) {
        Ok(plain) => {
            assert!(changed == sealed, "a changed file opens");
            assert!(plain == (0..40).collect::<Vec<u8>>());
            true
        }
        Err(why) => {
            assert!(changed != sealed);
            refused(&why);
            false
        }
    }
}

fn refused(why: &Error) {
    check_message(why.message());
    assert_eq!(why.code(), Code::SealIntegrity, "{why}");
}
