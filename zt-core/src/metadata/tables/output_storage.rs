//! `Output_Storage`: where outputs go and how they are encrypted.

use super::words::words;
use crate::metadata::reader::{Row, RowReader};
use crate::metadata::{Column, Problem};

/// One output.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutputStorage {
    /// The name that policies use: `output:loan_scores_delta`.
    pub name: String,
    /// The table written.
    pub table: String,
    /// Its format.
    pub format: OutputFormat,
    /// Where it lies.
    pub location: String,
    /// The row of Encryption_Rules; none means plain.
    pub encryption: Option<String>,
}

/// The format of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutputFormat {
    /// A Delta table.
    Delta,
    /// A table of Azure SQL.
    AzureSql,
    /// Parquet files.
    Parquet,
    /// CSV files.
    Csv,
}

words!(OutputFormat {
    Delta = "delta",
    AzureSql = "azure_sql",
    Parquet = "parquet",
    Csv = "csv",
});

impl Row for OutputStorage {
    const TABLE: &'static str = "Output_Storage";
    const KEY: &'static [&'static str] = &["name"];
    const COLUMNS: &'static [Column] = &[
        Column::text("name"),
        Column::text("table"),
        Column::text("format"),
        Column::text("location"),
        Column::text("encryption"),
    ];

    fn read(cells: &mut RowReader<'_>) -> Option<Self> {
        let (name, table) = (cells.required_text("name"), cells.required_text("table"));
        let format = cells.required_one_of("format", OutputFormat::WORDS);
        let location = cells
            .required_text("location")
            .and_then(|location| check_location(cells, location));
        let encryption = cells.optional_text("encryption");
        Some(Self {
            name: name?,
            table: table?,
            format: format?,
            location: location?,
            encryption,
        })
    }
}

/// What carries a credential in connection strings and shared access signatures.
const CREDENTIALS: &[&str] = &["sig", "password", "pwd", "accountkey", "sharedaccesskey"];

/// A location goes into plans, which people and tools read, so it holds no credential. What is refused is not repeated.
fn check_location(cells: &mut RowReader<'_>, location: String) -> Option<String> {
    let authority = location
        .split_once("://")
        .and_then(|(_, rest)| rest.split('/').next());
    let user = authority
        .and_then(|authority| authority.rsplit_once('@'))
        .map(|(user, _)| user);
    let names_one = |part: &str| {
        let name = part.split_once('=').map(|(name, _)| name.trim());
        name.is_some_and(|name| CREDENTIALS.iter().any(|one| name.eq_ignore_ascii_case(one)))
    };
    let holds_one = location.split(['?', '&', ';']).any(names_one);
    if holds_one || user.is_some_and(|user| user.contains(':')) {
        let reason = "a password, key or signature does not belong in a table";
        cells.push("location", Problem::new(reason));
        return None;
    }
    Some(location)
}
