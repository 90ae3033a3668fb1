//! `Encryption_Rules`: which columns of an output are sealed, under which key, bound to what.

use crate::batch::is_plain;
use crate::envelope::{DeterministicKey, KEY_COLUMN, NotADeterministicKey};
use crate::id::SecretRef;
use crate::metadata::reader::{Row, RowReader};
use crate::metadata::{Column, Problem};
use crate::text::shown;

/// One encryption rule.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EncryptionRule {
    /// The row's id.
    pub id: String,
    /// The key encryption key: a Secret_Reference of kind `key`.
    pub key: SecretRef,
    /// The columns that are sealed, distinct where case does not count.
    pub columns: Vec<String>,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The columns that identify a row: cells open in their own row alone. None of them is sealed.
    pub row_key: Vec<String>,
    /// Those of the columns whose equal values are equal when sealed.
    pub deterministic: Vec<String>,
    /// Their key; there exactly if there are some.
    pub deterministic_key: Option<DeterministicKey>,
}

/// An algorithm for data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// AES-256 in Galois/Counter Mode (NIST SP 800-38D).
    Aes256Gcm,
}

impl Row for EncryptionRule {
    const TABLE: &'static str = "Encryption_Rules";
    const KEY: &'static [&'static str] = &["id"];
    const COLUMNS: &'static [Column] = &[
        Column::text("id"),
        Column::text("key"),
        Column::texts("columns"),
        Column::text("algorithm"),
        Column::texts("row_key"),
        Column::texts("deterministic"),
        Column::text("deterministic_key"),
    ];

    fn read(cells: &mut RowReader<'_>) -> Option<Self> {
        let (id, key) = (cells.required_text("id"), cells.required_text("key"));
        let columns = cells.texts("columns").unwrap_or_default();
        if columns.is_empty() {
            cells.problem("columns", "[]", "name at least one column to seal");
        }
        check_names(cells, "columns", &columns);
        let row_key = cells.texts("row_key").unwrap_or_default();
        check_names(cells, "row_key", &row_key);
        for column in &row_key {
            if has(&columns, column) {
                let reason = "is sealed: a row is identified by columns that are not";
                cells.problem("row_key", column, reason);
            }
        }
        let deterministic = cells.texts("deterministic").unwrap_or_default();
        check_names(cells, "deterministic", &deterministic);
        for column in &deterministic {
            if !has(&columns, column) {
                cells.problem("deterministic", column, "is not one of `columns`");
            }
        }
        let key_of_rule = Parent {
            rule: id.as_deref(),
            key: key.as_deref(),
        };
        let deterministic_key = read_key(cells, &key_of_rule, !deterministic.is_empty());
        let algorithms = [("AES-256-GCM", Algorithm::Aes256Gcm)];
        let algorithm = cells
            .one_of("algorithm", &algorithms)
            .unwrap_or(Algorithm::Aes256Gcm);
        Some(Self {
            id: id?,
            key: SecretRef::new(&key?),
            columns,
            algorithm,
            row_key,
            deterministic,
            deterministic_key,
        })
    }
}

fn has(list: &[String], column: &str) -> bool {
    list.iter()
        .any(|own| own.to_lowercase() == column.to_lowercase())
}

/// Reports what cannot be the names of different columns.
fn check_names(cells: &mut RowReader<'_>, list: &'static str, columns: &[String]) {
    for (at, column) in columns.iter().enumerate() {
        if column.to_lowercase() == KEY_COLUMN {
            cells.problem(list, column, "is where sealed rows keep their key");
        } else if column.trim().is_empty() {
            cells.problem(list, column, "a column has a name");
        } else if !is_plain(column) {
            cells.problem(list, column, "no column has a blank at its edge");
        } else if has(columns.get(..at).unwrap_or_default(), column) {
            let reason = "stands here already; case does not tell columns apart";
            cells.problem(list, column, reason);
        }
    }
}

/// The rule that a deterministic key must have been made for.
struct Parent<'a> {
    rule: Option<&'a str>,
    key: Option<&'a str>,
}

/// Reads the deterministic key, which must be there exactly if it is needed, and made for this rule and key.
fn read_key(
    cells: &mut RowReader<'_>,
    parent: &Parent<'_>,
    is_needed: bool,
) -> Option<DeterministicKey> {
    const COLUMN: &str = "deterministic_key";
    let Some(text) = cells.optional_text(COLUMN) else {
        if is_needed {
            let rule = parent.rule.unwrap_or_default();
            let reason = format!(
                "deterministic columns need one: `zt vault create-deterministic-key {rule}`"
            );
            cells.push(COLUMN, Problem::new(reason));
        }
        return None;
    };
    let key: DeterministicKey = match text.parse() {
        Ok(key) => key,
        Err(why) => {
            let why: NotADeterministicKey = why;
            cells.push(COLUMN, Problem::new(why.to_string()));
            return None;
        }
    };
    if !is_needed {
        let reason = "there is a key and no column in `deterministic`";
        cells.push(COLUMN, Problem::new(reason));
    }
    let made_for = [
        ("rule", key.rule(), parent.rule),
        ("key", key.key().as_str(), parent.key),
    ];
    for (what, is, needs) in made_for {
        if needs.is_some_and(|needs| needs != is) {
            let reason = format!("was made for {what} `{}`", shown(is));
            cells.push(COLUMN, Problem::new(reason));
        }
    }
    Some(key)
}
