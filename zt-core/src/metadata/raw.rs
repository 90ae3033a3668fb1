//! Cells as a source delivers them, before anything is believed about them.

use std::fmt;

use super::Place;

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Cell {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
    /// A list of values.
    List(Vec<Self>),
    /// Named values, such as `when = { job = 201 }`.
    Map(Vec<(String, Self)>),
}

impl Cell {
    /// What kind of value it is, for messages.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::Bool(_) => "true or false",
            Self::List(_) => "a list",
            Self::Map(_) => "a table",
        }
    }
}

/// Prints text bare and everything else as JSON would. The content hash is taken over a form of its own.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Float(number) => write!(f, "{number}"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::List(cells) => {
                f.write_str("[")?;
                for (at, cell) in cells.iter().enumerate() {
                    write!(f, "{}{cell}", if at == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Self::Map(cells) => {
                f.write_str("{")?;
                for (at, (name, cell)) in cells.iter().enumerate() {
                    write!(f, "{}{name} = {cell}", if at == 0 { " " } else { ", " })?;
                }
                f.write_str(" }")
            }
        }
    }
}

/// One row: its cells in the order of the source.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct RawRow {
    /// Where the row begins, if the source knows.
    pub place: Option<Place>,
    /// Column name and value.
    pub cells: Vec<(String, Cell)>,
}

impl RawRow {
    /// A row of these cells.
    #[must_use]
    pub const fn new(place: Option<Place>, cells: Vec<(String, Cell)>) -> Self {
        Self { place, cells }
    }

    /// The value of a column.
    #[must_use]
    pub fn cell(&self, column: &str) -> Option<&Cell> {
        self.cells
            .iter()
            .find(|(name, _)| name == column)
            .map(|(_, cell)| cell)
    }
}

/// One table.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct RawTable {
    /// Its name as the source writes it.
    pub name: String,
    /// Its rows in the order of the source.
    pub rows: Vec<RawRow>,
}

impl RawTable {
    /// A table of these rows.
    #[must_use]
    pub const fn new(name: String, rows: Vec<RawRow>) -> Self {
        Self { name, rows }
    }
}

/// All tables of a source.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct RawTables {
    /// Where they come from, for people: a path, a connection without credentials.
    pub source: String,
    /// The tables.
    pub tables: Vec<RawTable>,
}

impl RawTables {
    /// No tables yet.
    #[must_use]
    pub const fn new(source: String) -> Self {
        Self {
            source,
            tables: Vec::new(),
        }
    }

    /// Adds rows to the table of this name, which need not exist yet.
    pub fn push(&mut self, table: &str, row: RawRow) {
        match self.tables.iter_mut().find(|known| known.name == table) {
            Some(known) => known.rows.push(row),
            None => self.tables.push(RawTable::new(table.to_owned(), vec![row])),
        }
    }
}

/// The form in which tables are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TableFormat {
    /// A folder with a CSV file for each table.
    Csv,
    /// One TOML file.
    Toml,
}
