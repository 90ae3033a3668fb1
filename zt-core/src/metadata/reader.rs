//! Turns the cells of one row into types and reports every cell that does not fit.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use unicode_normalization::is_nfc;

use super::schema::names;
use super::{Cell, Column, Place, Problem, RawRow, Report};
use crate::text::{has_hidden, nearest};

/// A row of one table: which columns it has and how its cells become a value.
pub(crate) trait Row: Sized {
    /// The table's name.
    const TABLE: &'static str;
    /// The columns that make a row unique; empty if rows may repeat.
    const KEY: &'static [&'static str];
    /// All columns, in the order in which they are written.
    const COLUMNS: &'static [Column];

    /// Reads a row. `None` when a required cell is missing or wrong, which the reader has then reported.
    fn read(cells: &mut RowReader<'_>) -> Option<Self>;
}

/// What is wrong with the text of a cell that a row must have.
const EMPTY: &str = "must not be empty";
/// What is wrong with a name whose letters and accents stand apart.
const NOT_NFC: &str = "must be in Unicode's form NFC, in which equal names are equal bytes";
/// The longest text that a nearest one is looked for, in bytes.
const MOST_BYTES: usize = 1024;

/// Reads the cells of one row.
pub(crate) struct RowReader<'a> {
    table: &'static str,
    key: &'a str,
    row: &'a RawRow,
    report: &'a mut Report,
}

impl<'a> RowReader<'a> {
    pub(crate) fn new(
        table: &'static str,
        key: &'a str,
        row: &'a RawRow,
        report: &'a mut Report,
    ) -> Self {
        Self {
            table,
            key,
            row,
            report,
        }
    }

    /// The row's key, as messages name it.
    pub(crate) const fn key(&self) -> &'a str {
        self.key
    }

    /// Where the row begins.
    pub(crate) fn place(&self) -> Option<Place> {
        self.row.place.clone()
    }

    /// Reports columns that the table does not have.
    pub(crate) fn refuse_unknown(&mut self, columns: &[Column]) {
        for (name, _) in &self.row.cells {
            if columns.iter().all(|column| column.name != name) {
                let problem = Problem::new("not a column of this table")
                    .text(name)
                    .nearest(&names(columns));
                self.report
                    .push(problem.at(self.place()).row(self.table, self.key));
            }
        }
    }

    /// A cell of text, if the row has it. It is never empty, so that an empty cell of a CSV file can mean none.
    pub(crate) fn text(&mut self, column: &str) -> Option<&'a str> {
        self.filled_text(column, "must not be empty; leave it out")
    }

    fn filled_text(&mut self, column: &str, when_empty: &str) -> Option<&'a str> {
        let cell = self.row.cell(column)?;
        let Cell::Text(text) = cell else {
            return self.wrong(column, cell, "text");
        };
        if text.is_empty() {
            self.problem(column, text, when_empty);
            return None;
        }
        if has_hidden(text) {
            self.problem(
                column,
                text,
                "control and format characters are not allowed",
            );
            return None;
        }
        Some(text)
    }

    /// A cell of text that the row must have and that must not be empty.
    pub(crate) fn required_text(&mut self, column: &str) -> Option<String> {
        let text = self.present_text(column)?;
        if text.trim().is_empty() {
            self.problem(column, text, EMPTY);
            return None;
        }
        self.refuse_decomposed(column, text)?;
        Some(text.to_owned())
    }

    /// A name that looks like another and has other bytes would be passed by by the rows about that other.
    fn refuse_decomposed(&mut self, column: &str, text: &str) -> Option<()> {
        if is_nfc(text) {
            return Some(());
        }
        self.problem(column, text, NOT_NFC);
        None
    }

    /// Text of a cell that may be missing.
    pub(crate) fn optional_text(&mut self, column: &str) -> Option<String> {
        self.text(column).map(str::to_owned)
    }

    /// A cell that reads as `T`; missing is `None`, wrong is reported.
    pub(crate) fn parse<T: FromStr<Err: Display>>(&mut self, column: &str) -> Option<T> {
        let text = self.text(column)?;
        self.parse_text(column, text, &[])
    }

    /// The same for a cell that the row must have.
    pub(crate) fn required<T: FromStr<Err: Display>>(
        &mut self,
        column: &str,
        valid: &[&str],
    ) -> Option<T> {
        let text = self.present_text(column)?;
        self.parse_text(column, text, valid)
    }

    fn parse_text<T: FromStr<Err: Display>>(
        &mut self,
        column: &str,
        text: &str,
        valid: &[&str],
    ) -> Option<T> {
        self.refuse_decomposed(column, text)?;
        self.parse_or_offer(column, text, |text| nearest(text, valid))
    }

    fn parse_or_offer<T: FromStr<Err: Display>>(
        &mut self,
        column: &str,
        text: &str,
        meant: impl Fn(&str) -> Option<String>,
    ) -> Option<T> {
        match text.parse() {
            Ok(value) => Some(value),
            Err(why) => {
                let mut problem = Problem::new(why.to_string()).text(text);
                if text.len() <= MOST_BYTES {
                    problem.nearest = meant(text);
                }
                self.push(column, problem);
                None
            }
        }
    }

    /// One of a few words.
    pub(crate) fn one_of<T: Copy>(&mut self, column: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(column)?;
        self.word(column, text, words)
    }

    fn word<T: Copy>(&mut self, column: &str, text: &str, words: &[(&str, T)]) -> Option<T> {
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let list = words
            .iter()
            .map(|(word, _)| format!("`{word}`"))
            .collect::<Vec<_>>()
            .join(", ");
        let problem = Problem::new(format!("not one of {list}")).text(text);
        let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        self.push(column, problem.nearest(&words));
        None
    }

    /// One of a few words, which the row must have.
    pub(crate) fn required_one_of<T: Copy>(
        &mut self,
        column: &str,
        words: &[(&str, T)],
    ) -> Option<T> {
        let text = self.present_text(column)?;
        self.word(column, text, words)
    }

    /// A whole number from 0 to 4 294 967 295; missing is `None`.
    pub(crate) fn number(&mut self, column: &str) -> Option<u32> {
        let cell = self.row.cell(column)?;
        let Cell::Integer(number) = cell else {
            return self.wrong(column, cell, "a whole number");
        };
        let value = u32::try_from(*number).ok();
        if value.is_none() {
            self.problem(column, &number.to_string(), "must be from 0 to 4294967295");
        }
        value
    }

    /// A whole number that the row must have.
    pub(crate) fn required_number(&mut self, column: &str) -> Option<u32> {
        self.require(column)?;
        self.number(column)
    }

    /// A finite number with or without a fraction.
    pub(crate) fn float(&mut self, column: &str) -> Option<f64> {
        let cell = self.row.cell(column)?;
        let value = if let Cell::Integer(number) = cell {
            // A threshold of 250 is written without a point.
            i32::try_from(*number).ok().map(f64::from)
        } else if let Cell::Float(number) = cell {
            Some(*number).filter(|number| number.is_finite())
        } else {
            None
        };
        value.or_else(|| self.wrong(column, cell, "a number of ordinary size"))
    }

    /// A list of text; a single text stands for a list of one.
    pub(crate) fn texts(&mut self, column: &str) -> Option<Vec<String>> {
        let cell = self.row.cell(column)?;
        let Cell::List(cells) = cell else {
            return self.text(column).map(|text| vec![text.to_owned()]);
        };
        let mut texts = Vec::with_capacity(cells.len());
        for cell in cells {
            if let Cell::Text(text) = cell
                && !has_hidden(text)
            {
                self.refuse_decomposed(column, text);
                texts.push(text.clone());
            } else {
                self.wrong::<()>(column, cell, "a list of text");
            }
        }
        Some(texts)
    }

    /// A list whose every text reads as `T`; wrong ones are reported and left out.
    pub(crate) fn parse_list<T: FromStr<Err: Display>>(&mut self, column: &str) -> Option<Vec<T>> {
        let texts = self.texts(column)?;
        Some(
            texts
                .iter()
                .filter_map(|text| self.parse_or_offer(column, text, |_| None))
                .collect(),
        )
    }

    /// The same for a list that the row must have, with at least one text and none twice. `None` when one is wrong;
    /// `meant` says what to offer instead.
    pub(crate) fn required_list<T: FromStr<Err: Display>>(
        &mut self,
        column: &str,
        meant: impl Fn(&str) -> Option<String>,
    ) -> Option<Vec<T>> {
        self.require(column)?;
        if let Some(Cell::Text(_)) = self.row.cell(column) {
            let text = self.filled_text(column, EMPTY)?;
            self.refuse_decomposed(column, text)?;
            return Some(vec![self.parse_or_offer(column, text, &meant)?]);
        }
        let texts = self.texts(column)?;
        if texts.is_empty() {
            self.push(column, Problem::new("must name at least one"));
            return None;
        }
        let mut seen = BTreeSet::new();
        for text in &texts {
            if !seen.insert(text) {
                self.problem(column, text, "stands twice");
            }
        }
        let read = texts.iter().map(|text| {
            if text.is_empty() {
                self.problem(column, text, EMPTY);
                return None;
            }
            // Reported already.
            if !is_nfc(text) {
                return None;
            }
            self.parse_or_offer(column, text, &meant)
        });
        let read: Vec<Option<T>> = read.collect();
        read.into_iter().collect()
    }

    /// The raw cell.
    pub(crate) fn cell(&self, column: &str) -> Option<&'a Cell> {
        self.row.cell(column)
    }

    /// Reports a wrong text in a column.
    pub(crate) fn problem(&mut self, column: &str, text: &str, reason: impl Into<String>) {
        self.push(column, Problem::new(reason).text(text));
    }

    /// Reports a problem of a column.
    pub(crate) fn push(&mut self, column: &str, problem: Problem) {
        let problem = problem
            .veiled(self.table)
            .at(self.place())
            .row(self.table, self.key)
            .column(column);
        self.report.push(problem);
    }

    fn wrong<T>(&mut self, column: &str, cell: &Cell, expected: &str) -> Option<T> {
        let reason = format!("expected {expected}, not {}", cell.kind());
        self.problem(column, &cell.to_string(), reason);
        None
    }

    fn present_text(&mut self, column: &str) -> Option<&'a str> {
        self.require(column)?;
        self.filled_text(column, EMPTY)
    }

    fn require(&mut self, column: &str) -> Option<()> {
        if self.row.cell(column).is_none() {
            self.push(column, Problem::new("missing"));
            return None;
        }
        Some(())
    }
}
