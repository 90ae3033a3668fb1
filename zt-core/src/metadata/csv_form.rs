//! A table as CSV (RFC 4180): one file a table, a header of its columns, UTF-8, commas.
//!
//! In: text, or the rows of a table. Out: rows, or text; no file is touched. An empty cell means that the row has none. Text
//! stands as it is; numbers are bare; lists and tables are JSON (`cell.rs`). What [`RawTable::to_csv`] writes,
//! [`RawTable::from_csv`] reads as the same cells, so the content hash and the next export are the same.

mod cell;
mod records;

use std::collections::BTreeSet;
use std::sync::Arc;

use records::{Record, Records};

use super::schema::key_of;
use super::{Cell, Column, Place, Problem, RawRow, RawTable, Report, TableSchema, Tables};

impl RawTable {
    /// Reads the CSV of the table of this name; `file` is what places name. Columns may come in any order and may be missing
    /// where the table does not need them; a byte order mark and line ends `\r\n` are understood. What a number column holds
    /// that is no number stays text, which [`Snapshot::compile`](super::Snapshot::compile) refuses with all other cells that
    /// do not fit.
    ///
    /// # Errors
    /// Every unknown or repeated column, row of another length, stray or unclosed quote and cell that is not JSON.
    pub fn from_csv(table: &str, text: &str, file: &str) -> Result<Self, Report> {
        let mut report = Report::new();
        let file: Arc<str> = Arc::from(file);
        let rows = match TableSchema::of(table) {
            Some(schema) => read(schema, text, &file, &mut report),
            None => {
                let problem =
                    Problem::new("not a metadata table, and CSV files are named after one");
                let at = Some(Place::new(file, 1));
                report.push(problem.text(table).nearest(Tables::NAMES).at(at));
                Vec::new()
            }
        };
        if report.is_empty() {
            Ok(Self::new(table.to_owned(), rows))
        } else {
            Err(report)
        }
    }

    /// Writes the table as CSV: all its columns in the order of the [schema](super::schema()), lines ended by `\n`.
    ///
    /// # Errors
    /// Every cell that does not fit its column, and every column that the table does not have.
    pub fn to_csv(&self) -> Result<String, Report> {
        let mut report = Report::new();
        let Some(schema) = TableSchema::of(&self.name) else {
            let problem = Problem::new("not a metadata table").text(&self.name);
            report.push(problem.nearest(Tables::NAMES));
            return Err(report);
        };
        let mut csv = String::new();
        records::write(&mut csv, &schema.names());
        for (at, row) in self.rows.iter().enumerate() {
            let cells = in_order(schema, row, at, &mut report);
            let texts = cells.into_iter().map(|(column, found)| {
                let text = found.map(|found| cell::write(column.kind, found));
                if text == Some(None) {
                    report.push(unfit(schema, row, at).column(column.name));
                }
                text.flatten().unwrap_or_default()
            });
            let texts: Vec<String> = texts.collect();
            records::write(&mut csv, &texts);
        }
        if report.is_empty() {
            Ok(csv)
        } else {
            Err(report)
        }
    }
}

/// The cells of a row in the order of the schema; what the schema does not have, or what stands twice, is reported.
pub(super) fn in_order<'a>(
    schema: &'static TableSchema,
    row: &'a RawRow,
    at: usize,
    report: &mut Report,
) -> Vec<(&'static Column, Option<&'a Cell>)> {
    let mut seen = BTreeSet::new();
    for (name, _) in &row.cells {
        let reason = match schema.column(name) {
            Some(_) if seen.insert(name) => continue,
            Some(_) => "the column stands twice",
            None => "not a column of this table",
        };
        let problem = Problem::new(reason).text(name).nearest(&schema.names());
        report.push(
            problem
                .at(row.place.clone())
                .row(schema.name, &key_of(schema.key, row, at).0),
        );
    }
    let columns = schema.columns.iter();
    columns
        .map(|column| (column, row.cell(column.name)))
        .collect()
}

/// A cell that has no form in the file that is written; its text is not repeated.
pub(super) fn unfit(schema: &TableSchema, row: &RawRow, at: usize) -> Problem {
    let (key, _) = key_of(schema.key, row, at);
    let problem = Problem::new("the value does not fit the column");
    problem.at(row.place.clone()).row(schema.name, &key)
}

fn read(
    schema: &'static TableSchema,
    text: &str,
    file: &Arc<str>,
    report: &mut Report,
) -> Vec<RawRow> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let place = |line| Place::new(Arc::clone(file), line);
    let malformed = |(line, why): (usize, &'static str)| {
        let mut problem = Problem::new(why).at(Some(place(line)));
        problem.table = Some(schema.name.to_owned());
        problem
    };
    let mut records = Records::of(text);
    let none = "there is no header: a table without rows is a line with its columns";
    let header = match records.next().unwrap_or(Err((1, none))) {
        Ok(header) => read_header(schema, &header, &place(header.line), report),
        Err(why) => {
            report.push(malformed(why));
            return Vec::new();
        }
    };
    let mut rows = Vec::new();
    for (at, record) in records.enumerate() {
        match record {
            Ok(record) if record.cells.len() == header.len() => {
                let place = place(record.line);
                rows.push(read_row(schema, &header, record, at, place, report));
            }
            Ok(record) => {
                let (found, expected) = (record.cells.len(), header.len());
                let reason = format!("{found} cells, the header has {expected}");
                let problem = Problem::new(reason).at(Some(place(record.line)));
                report.push(problem.row(schema.name, &format!("#{}", at + 1)));
            }
            Err(why) => report.push(malformed(why)),
        }
    }
    rows
}

/// The column of each cell; none for a cell whose column was refused.
fn read_header(
    schema: &'static TableSchema,
    header: &Record,
    place: &Place,
    report: &mut Report,
) -> Vec<Option<&'static Column>> {
    let mut refuse = |problem: Problem| {
        let mut problem = problem.veiled(schema.name).at(Some(place.clone()));
        problem.table = Some(schema.name.to_owned());
        report.push(problem);
    };
    let other = |text: &&String| text.contains([';', '\t']);
    if header.cells.len() == 1 && header.cells.first().as_ref().is_some_and(other) {
        refuse(Problem::new(
            "cells are separated by commas, not by semicolons or tabs",
        ));
        return vec![None];
    }
    let mut columns = Vec::with_capacity(header.cells.len());
    for (at, name) in header.cells.iter().enumerate() {
        let column = schema.column(name);
        if column.is_some() && columns.contains(&column) {
            refuse(Problem::new("the column stands twice").text(name));
        } else if column.is_none() {
            let reason = format!(
                "not a column of this table, in cell {} of the header",
                at + 1
            );
            refuse(Problem::new(reason).text(name).nearest(&schema.names()));
        }
        columns.push(column);
    }
    for key in schema.key {
        if columns.iter().flatten().all(|column| column.name != *key) {
            refuse(Problem::new("missing: it belongs to the key of the table").column(key));
        }
    }
    columns
}

fn read_row(
    schema: &'static TableSchema,
    header: &[Option<&'static Column>],
    record: Record,
    at: usize,
    place: Place,
    report: &mut Report,
) -> RawRow {
    let mut row = RawRow::new(Some(place), Vec::with_capacity(header.len()));
    let mut wrong = Vec::new();
    for (column, text) in header.iter().zip(record.cells) {
        let Some(column) = column.filter(|_| !text.is_empty()) else {
            continue;
        };
        match cell::read(column.kind, &text) {
            Ok(cell) => row.cells.push((column.name.to_owned(), cell)),
            Err(why) => wrong.push((column.name, Problem::new(why).text(&text))),
        }
    }
    for (column, problem) in wrong {
        let (key, _) = key_of(schema.key, &row, at);
        let problem = problem.veiled(schema.name).at(row.place.clone());
        report.push(problem.row(schema.name, &key).column(column));
    }
    row
}

#[cfg(test)]
mod tests;
