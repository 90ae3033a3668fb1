//! Names and values as SQL that reads back as the same name and value, whatever they hold.
//!
//! Text has to survive what reads it before the parser does, too: Spark puts settings in the place of `${name}`, sqlcmd
//! does so for `$(name)`, Transact-SQL drops a backslash at the end of a line, and what a backslash is in Spark depends on
//! a setting. So only signs that no reader takes for anything but themselves stand as they are. Never: a value that is cut.

use std::fmt::Write as _;

use super::Dialect;
use crate::policy::value::{Decimal, Value};

/// The longest text in Transact-SQL that is not cut where texts are joined, in units of UTF-16, with the mark at its end.
const LONGEST: usize = 4000;
/// As many digits has a binary number of 64 bits for certain.
const EXACT: usize = 15;

/// A column's name in the dialect's own brackets; or why the dialect cannot have it.
pub(super) fn name(dialect: Dialect, name: &str) -> Result<String, &'static str> {
    let is_replaced = match dialect {
        Dialect::Spark => name.contains("${"),
        Dialect::TransactSql => name.contains("$("),
        Dialect::DataFusion => false,
    };
    if is_replaced || name.contains('\0') {
        return Err("readers of SQL would take signs of its name for something else");
    }
    Ok(match dialect {
        Dialect::Spark => format!("`{}`", name.replace('`', "``")),
        Dialect::TransactSql => format!("[{}]", name.replace(']', "]]")),
        Dialect::DataFusion => format!("\"{}\"", name.replace('"', "\"\"")),
    })
}

/// A value that is no text; or why the dialect cannot have it.
pub(super) fn literal(dialect: Dialect, value: &Value) -> Result<String, &'static str> {
    match value {
        Value::Text(value) => text(dialect, value),
        Value::Bool(value) => Ok(match dialect {
            Dialect::TransactSql => u8::from(*value).to_string(),
            Dialect::Spark | Dialect::DataFusion => value.to_string().to_uppercase(),
        }),
        Value::Int(number) => Ok(number.to_string()),
        Value::Decimal(number) => Ok(decimal(dialect, *number)),
        Value::Datetime(moment) => {
            let moment = moment.to_string();
            // `2026-10-01T08:00:00.000Z`; other years have a sign and more digits.
            if moment.len() != 24 || moment.starts_with("0000") {
                return Err("a moment lies outside of the years 1 to 9999");
            }
            Ok(match dialect {
                Dialect::Spark => format!("TIMESTAMP '{moment}'"),
                Dialect::TransactSql => format!("CAST(N'{moment}' AS datetimeoffset(3))"),
                // A literal of its own has no zone: it would be taken as a time of the column's.
                Dialect::DataFusion => {
                    format!("arrow_cast('{moment}', 'Timestamp(Millisecond, Some(\"+00:00\"))')")
                }
            })
        }
        Value::Set(_) => Err("a set is not compared as a whole"),
        Value::Ip(_) => Err("an address may be written in several ways"),
    }
}

/// DataFusion reads a number with a point as binary: with more digits than that has, it would be another number.
fn decimal(dialect: Dialect, number: Decimal) -> String {
    let text = number.to_string();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let fraction = text.split_once('.').map_or(0, |(_, digits)| digits.len());
    match dialect {
        Dialect::DataFusion if digits > EXACT => {
            format!("CAST('{text}' AS DECIMAL({digits}, {fraction}))")
        }
        Dialect::Spark | Dialect::TransactSql | Dialect::DataFusion => text,
    }
}

/// A literal of text.
pub(super) fn text(dialect: Dialect, text: &str) -> Result<String, &'static str> {
    if text.contains('\0') {
        return Err("a value has the character U+0000, where some readers of SQL stop");
    }
    match dialect {
        Dialect::Spark if text.chars().all(is_plain) => Ok(format!("'{text}'")),
        Dialect::Spark => Ok(format!("decode(unhex('{}'), 'UTF-8')", hex(text))),
        Dialect::DataFusion => Ok(format!("'{}'", text.replace('\'', "''"))),
        Dialect::TransactSql if text.encode_utf16().count() > LONGEST => {
            Err("a value is longer than 3999 characters")
        }
        Dialect::TransactSql => Ok(joined(text)),
    }
}

/// The bytes of a text as a literal of Spark, which compares bytes in no collation.
pub(super) fn bytes(text: &str) -> String {
    format!("X'{}'", hex(text))
}

/// Whether no reader of Spark's SQL, whatever its settings, takes a sign for anything but itself.
fn is_plain(sign: char) -> bool {
    sign.is_alphanumeric() || " _-.,:/@+=%!".contains(sign)
}

fn hex(text: &str) -> String {
    let mut hex = String::with_capacity(text.len().saturating_mul(2));
    for byte in text.bytes() {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02X}");
    }
    hex
}

/// Runs of signs that mean themselves, and the numbers of those that may not.
fn joined(text: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut run = String::new();
    for sign in text.chars() {
        if sign.is_control() || sign == '$' {
            if !run.is_empty() {
                parts.push(format!("N'{run}'"));
                run.clear();
            }
            parts.push(format!("NCHAR({})", u32::from(sign)));
        } else {
            run.push(sign);
            if sign == '\'' {
                run.push(sign);
            }
        }
    }
    if !run.is_empty() || parts.is_empty() {
        parts.push(format!("N'{run}'"));
    }
    match parts.as_slice() {
        [only] => only.clone(),
        many => format!("({})", many.join(" + ")),
    }
}

/// The characters of a text that stand for themselves in a pattern. Spark takes no escape before others than the pattern's
/// own signs; DataFusion takes no other escape than a backslash.
pub(super) fn escaped(dialect: Dialect, part: &str) -> String {
    let (sign, special) = match dialect {
        Dialect::Spark => ('!', "%_!"),
        Dialect::TransactSql => ('!', "%_!["),
        Dialect::DataFusion => ('\\', "%_\\"),
    };
    let mut escaped = String::with_capacity(part.len());
    for c in part.chars() {
        if special.contains(c) {
            escaped.push(sign);
        }
        escaped.push(c);
    }
    escaped
}
