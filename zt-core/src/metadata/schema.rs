//! The columns of every table: names, types, keys. What adapters, exporters and other languages read instead of repeating it.
//!
//! In: nothing. Out: [`schema`], which never changes while a process runs. Whether a cell is required and what its text must
//! look like is the row's business, not the schema's.

use super::{RawRow, Tables};

/// What the cells of a column hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ColumnType {
    /// Text that is not empty.
    Text,
    /// A whole number from 0 to 4 294 967 295.
    Number,
    /// A finite number with or without a fraction.
    Float,
    /// A list of text; a single text stands for a list of one.
    Texts,
    /// Named values, such as `when = { job = 201 }`.
    Map,
    /// Whole numbers and text: one of them, or a list of them.
    Mixed,
}

/// One column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What its cells hold.
    pub kind: ColumnType,
}

impl Column {
    pub(crate) const fn text(name: &'static str) -> Self {
        Self::of(name, ColumnType::Text)
    }

    pub(crate) const fn number(name: &'static str) -> Self {
        Self::of(name, ColumnType::Number)
    }

    pub(crate) const fn float(name: &'static str) -> Self {
        Self::of(name, ColumnType::Float)
    }

    pub(crate) const fn texts(name: &'static str) -> Self {
        Self::of(name, ColumnType::Texts)
    }

    pub(crate) const fn map(name: &'static str) -> Self {
        Self::of(name, ColumnType::Map)
    }

    pub(crate) const fn mixed(name: &'static str) -> Self {
        Self::of(name, ColumnType::Mixed)
    }

    const fn of(name: &'static str, kind: ColumnType) -> Self {
        Self { name, kind }
    }
}

/// The form of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableSchema {
    /// Its name.
    pub name: &'static str,
    /// Its columns, in the order in which they are written.
    pub columns: &'static [Column],
    /// The columns that make a row unique; empty where the table has at most one row.
    pub key: &'static [&'static str],
}

impl TableSchema {
    /// The schema of a table by its exact name.
    #[must_use]
    pub fn of(table: &str) -> Option<&'static Self> {
        schema().iter().find(|schema| schema.name == table)
    }

    /// A column by its exact name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether a column belongs to the key.
    #[must_use]
    pub fn is_key(&self, column: &str) -> bool {
        self.key.contains(&column)
    }

    /// The names of all columns, in order.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        names(self.columns)
    }
}

/// The schema of every table that is loaded, `world` first.
///
/// ```
/// use zt_core::metadata::{self, ColumnType};
///
/// let policies = metadata::TableSchema::of("Access_Policies").unwrap();
/// assert_eq!(policies.key, ["id"]);
/// assert_eq!(policies.column("when").unwrap().kind, ColumnType::Map);
/// assert_eq!(metadata::schema().len(), metadata::Tables::NAMES.len());
/// ```
#[must_use]
pub const fn schema() -> &'static [TableSchema] {
    Tables::SCHEMA
}

pub(super) fn names(columns: &[Column]) -> Vec<&'static str> {
    columns.iter().map(|column| column.name).collect()
}

/// A row's key for messages, and whether all its columns are there; `#3` for the third row where they are not.
pub(super) fn key_of(key: &[&str], row: &RawRow, at: usize) -> (String, bool) {
    let cells: Vec<String> = key
        .iter()
        .filter_map(|column| row.cell(column))
        .map(ToString::to_string)
        .collect();
    if cells.is_empty() || cells.len() < key.len() {
        return (format!("#{}", at + 1), false);
    }
    (cells.join("/"), true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_a_column_and_no_column_stands_twice() {
        for table in schema() {
            let names = table.names();
            for key in table.key {
                assert!(names.contains(key) && table.is_key(key), "{table:?}");
            }
            let mut distinct = names.clone();
            distinct.sort_unstable();
            distinct.dedup();
            assert_eq!(distinct.len(), names.len(), "{table:?}");
        }
        assert_eq!(TableSchema::of("access_policies"), None);
    }
}
