//! One cell as text, by the type of its column.
//!
//! - Text: as it is.
//! - Numbers: bare decimals. What is no number stays text, which the table's reader refuses.
//! - Tables: a JSON object (RFC 8259), its keys in their order.
//! - Lists: a JSON array; a word that is not JSON stands for one text. A bare comma or semicolon is refused: `a,b` as one
//!   text would be a column that nobody has, and a deny of it would deny nothing.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::metadata::{Cell, ColumnType};

/// Reads a cell that is not empty.
pub(super) fn read(kind: ColumnType, text: &str) -> Result<Cell, String> {
    match kind {
        ColumnType::Text => Ok(Cell::Text(text.to_owned())),
        ColumnType::Number => Ok(whole(text).unwrap_or_else(|| Cell::Text(text.to_owned()))),
        ColumnType::Float => Ok(number(text).unwrap_or_else(|| Cell::Text(text.to_owned()))),
        ColumnType::Map => match json(text)? {
            map @ Cell::Map(_) => Ok(map),
            Cell::Text(_) | Cell::Integer(_) | Cell::Float(_) | Cell::Bool(_) | Cell::List(_) => {
                Err("expected a JSON object, such as {\"job\":201}".to_owned())
            }
        },
        ColumnType::Texts => read_list(text, |_| None),
        ColumnType::Mixed => read_list(text, number),
    }
}

fn read_list(text: &str, bare: impl Fn(&str) -> Option<Cell>) -> Result<Cell, String> {
    if text.trim_start().starts_with(['[', '"', '{']) {
        return match json(text)? {
            Cell::Map(_) => Err("expected a list, not a table".to_owned()),
            cell @ (Cell::Text(_)
            | Cell::Integer(_)
            | Cell::Float(_)
            | Cell::Bool(_)
            | Cell::List(_)) => Ok(cell),
        };
    }
    if text.contains([',', ';']) {
        return Err("a list is written as JSON, [\"a\",\"b\"]".to_owned());
    }
    Ok(bare(text).unwrap_or_else(|| Cell::Text(text.to_owned())))
}

/// The text of a cell that reads back as the same cell; `None` where the column cannot hold it.
pub(super) fn write(kind: ColumnType, cell: &Cell) -> Option<String> {
    let is_list = matches!(kind, ColumnType::Texts | ColumnType::Mixed);
    let text = match cell {
        Cell::Text(text) if is_list && read(kind, text).as_ref() != Ok(cell) => to_json(cell),
        Cell::Text(text) => text.clone(),
        Cell::Integer(_) | Cell::Float(_) | Cell::Bool(_) | Cell::List(_) | Cell::Map(_) => {
            to_json(cell)
        }
    };
    let is_same = !text.is_empty() && read(kind, &text).as_ref() == Ok(cell);
    // Text in a column of numbers reads back as text, and is no number all the same.
    let fits = is_list || !matches!(cell, Cell::Text(_)) || kind == ColumnType::Text;
    (is_same && fits).then_some(text)
}

/// A whole number in its one form: no sign but a minus, no leading zero.
fn whole(text: &str) -> Option<Cell> {
    let number: i64 = text.parse().ok()?;
    (number.to_string() == text).then_some(Cell::Integer(number))
}

/// A whole number, or a finite one with a point or an exponent.
fn number(text: &str) -> Option<Cell> {
    let is_decimal = text
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
    whole(text).or_else(|| {
        let has_fraction = is_decimal && text.contains(['.', 'e', 'E']);
        let number: f64 = text.parse().ok().filter(|_| has_fraction)?;
        number.is_finite().then_some(Cell::Float(number))
    })
}

fn json(text: &str) -> Result<Cell, String> {
    // The parser's messages name what it expected and where, never what stands there.
    serde_json::from_str::<Json>(text)
        .map(|json| json.0)
        .map_err(|why| format!("not JSON: {why}"))
}

/// JSON in one form: no spaces, a fraction only where the number has its type.
fn to_json(cell: &Cell) -> String {
    let joined = |parts: Vec<String>| parts.join(",");
    match cell {
        Cell::Text(text) => quoted(text),
        Cell::Integer(number) => number.to_string(),
        Cell::Float(number) => format!("{number:?}"),
        Cell::Bool(value) => value.to_string(),
        Cell::List(cells) => format!("[{}]", joined(cells.iter().map(to_json).collect())),
        Cell::Map(cells) => {
            let pairs = cells.iter();
            let pairs = pairs.map(|(name, cell)| format!("{}:{}", quoted(name), to_json(cell)));
            format!("{{{}}}", joined(pairs.collect()))
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

struct Json(Cell);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor).map(Self)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Cell;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Cell, E> {
        Err(E::custom(
            "null is no value: leave it out, or write \"null\"",
        ))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Cell, E> {
        Ok(Cell::Bool(value))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Cell, E> {
        Ok(Cell::Integer(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Cell, E> {
        let number = i64::try_from(number).map_err(|_| E::custom("the number is too large"))?;
        Ok(Cell::Integer(number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Cell, E> {
        Ok(Cell::Float(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Cell, E> {
        Ok(Cell::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Cell, A::Error> {
        let mut cells = Vec::new();
        while let Some(Json(cell)) = list.next_element()? {
            cells.push(cell);
        }
        Ok(Cell::List(cells))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cell, A::Error> {
        let (mut cells, mut names) = (Vec::new(), BTreeSet::new());
        while let Some((name, Json(cell))) = map.next_entry::<String, Json>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom("a name stands twice"));
            }
            cells.push((name, cell));
        }
        Ok(Cell::Map(cells))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    #[test]
    fn numbers_are_bare_and_keep_their_type() {
        assert_eq!(read(ColumnType::Number, "201"), Ok(Cell::Integer(201)));
        assert_eq!(read(ColumnType::Float, "250"), Ok(Cell::Integer(250)));
        assert_eq!(read(ColumnType::Float, "250.0"), Ok(Cell::Float(250.0)));
        assert_eq!(read(ColumnType::Float, "-1e-7"), Ok(Cell::Float(-1e-7)));
        for kind in [ColumnType::Number, ColumnType::Float] {
            for wrong in ["+1", "007", "1,5", " 1", "inf", "NaN", "0x1", "1e", "-"] {
                assert_eq!(
                    read(kind, wrong),
                    Ok(text(wrong)),
                    "stays text, is refused later"
                );
            }
        }
        assert_eq!(read(ColumnType::Float, "1e999"), Ok(text("1e999")));
    }

    #[test]
    fn a_bare_word_is_one_text_and_a_bare_list_is_refused() {
        let list = Cell::List(vec![text("id"), text("y_pred")]);
        assert_eq!(read(ColumnType::Texts, "[\"id\", \"y_pred\"]"), Ok(list));
        assert_eq!(read(ColumnType::Texts, "id"), Ok(text("id")));
        assert_eq!(read(ColumnType::Texts, "42"), Ok(text("42")));
        assert_eq!(read(ColumnType::Texts, "\"a,b\""), Ok(text("a,b")));
        assert_eq!(read(ColumnType::Mixed, "443"), Ok(Cell::Integer(443)));
        assert_eq!(read(ColumnType::Mixed, "\"443\""), Ok(text("443")));
        assert_eq!(read(ColumnType::Mixed, "1-9"), Ok(text("1-9")));
        for wrong in [
            "id,y_pred",
            "a;b",
            "[\"a\"",
            "{\"a\":1}",
            "\"a",
            "[null]",
            "[1] 2",
        ] {
            assert!(read(ColumnType::Texts, wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_table_is_an_object_whose_names_keep_their_order() {
        let map = Cell::Map(vec![
            ("stage".to_owned(), Cell::Integer(2)),
            ("job".to_owned(), Cell::Integer(201)),
        ]);
        let written = write(ColumnType::Map, &map).unwrap();
        assert_eq!(written, "{\"stage\":2,\"job\":201}");
        assert_eq!(read(ColumnType::Map, &written), Ok(map));
        for wrong in [
            "job=201",
            "[1]",
            "{\"a\":1,\"a\":2}",
            "{\"a\":null}",
            "{a:1}",
        ] {
            let why = read(ColumnType::Map, wrong).unwrap_err();
            assert!(!why.is_empty(), "{wrong}");
        }
        let deep = "[".repeat(100_000);
        assert!(
            read(ColumnType::Texts, &deep).is_err(),
            "and the stack holds"
        );
    }

    #[test]
    fn what_does_not_fit_is_not_written() {
        for (kind, cell) in [
            (ColumnType::Text, Cell::Integer(1)),
            (ColumnType::Text, text("")),
            (ColumnType::Number, text("1")),
            (ColumnType::Number, text("x")),
            (ColumnType::Float, Cell::Float(f64::NAN)),
            (ColumnType::Float, Cell::Float(f64::INFINITY)),
            (ColumnType::Map, text("{}")),
            (ColumnType::Texts, Cell::Integer(1)),
            (ColumnType::Mixed, Cell::Bool(true)),
        ] {
            assert_eq!(write(kind, &cell), None, "{kind:?} {cell:?}");
        }
    }
}
