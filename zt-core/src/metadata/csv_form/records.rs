//! The records of a CSV text, strictly by RFC 4180: a lost quote is an error with its line, never a shorter table.
//!
//! In: text. Out: records with the line where each begins. Readers that forgive an unclosed quote would take a half-written
//! file for a whole one, which for a table of policies means rows that are silently gone; hence a reader of our own.

use std::str::Chars;

/// One record.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// The line where it begins, counted from 1.
    pub(super) line: usize,
    pub(super) cells: Vec<String>,
}

/// A line and what is wrong there.
pub(super) type Malformed = (usize, &'static str);

const UNCLOSED: &str =
    "a quoted cell begins here and never ends: the file is cut, or a quote is missing";
const BEHIND: &str = "text stands behind a closing quote; a quote inside a cell is written twice";
const INSIDE: &str =
    "a quote inside a cell without quotes; quote the cell and write the quote twice";

/// The records of a text. Lines of nothing are left out.
#[derive(Debug)]
pub(super) struct Records<'a> {
    rest: Chars<'a>,
    line: usize,
}

impl<'a> Records<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self {
            rest: text.chars(),
            line: 1,
        }
    }

    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    /// Takes an end of line, if one is here.
    fn end_of_line(&mut self) -> bool {
        let text = self.rest.as_str();
        let Some(rest) = text
            .strip_prefix("\r\n")
            .or_else(|| text.strip_prefix('\n'))
        else {
            return false;
        };
        self.rest = rest.chars();
        self.line += 1;
        true
    }

    /// Goes on after the line that cannot be read.
    fn skip_line(&mut self) {
        while self.peek().is_some() && !self.end_of_line() {
            self.rest.next();
        }
    }

    fn record(&mut self) -> Result<Record, Malformed> {
        let line = self.line;
        let mut cells = Vec::new();
        loop {
            let cell = match self.peek() {
                Some('"') => self.quoted()?,
                Some(_) | None => self.bare()?,
            };
            cells.push(cell);
            if self.peek() == Some(',') {
                self.rest.next();
            } else if self.peek().is_none() || self.end_of_line() {
                return Ok(Record { line, cells });
            } else {
                return Err((self.line, BEHIND));
            }
        }
    }

    fn quoted(&mut self) -> Result<String, Malformed> {
        let began = self.line;
        self.rest.next();
        let mut cell = String::new();
        loop {
            match self.rest.next() {
                None => return Err((began, UNCLOSED)),
                Some('"') if self.peek() != Some('"') => return Ok(cell),
                Some('"') => {
                    self.rest.next();
                    cell.push('"');
                }
                Some(c) => {
                    self.line += usize::from(c == '\n');
                    cell.push(c);
                }
            }
        }
    }

    fn bare(&mut self) -> Result<String, Malformed> {
        let mut cell = String::new();
        loop {
            match self.peek() {
                None | Some(',' | '\n') => return Ok(cell),
                Some('"') => return Err((self.line, INSIDE)),
                Some('\r') if self.rest.as_str().starts_with("\r\n") => return Ok(cell),
                Some(c) => {
                    self.rest.next();
                    cell.push(c);
                }
            }
        }
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.end_of_line() {}
        self.peek()?;
        let record = self.record();
        if record.is_err() {
            self.skip_line();
        }
        Some(record)
    }
}

/// Adds one record and its line end. Cells are quoted only where they must be, or where a space at their edge could be lost.
pub(super) fn write(csv: &mut String, cells: &[impl AsRef<str>]) {
    for (at, cell) in cells.iter().map(AsRef::as_ref).enumerate() {
        if at > 0 {
            csv.push(',');
        }
        if cell.contains([',', '"', '\n', '\r']) || cell.trim() != cell {
            csv.push('"');
            csv.push_str(&cell.replace('"', "\"\""));
            csv.push('"');
        } else {
            csv.push_str(cell);
        }
    }
    csv.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Result<(usize, Vec<String>), Malformed>> {
        let records = Records::of(text);
        records
            .map(|record| record.map(|record| (record.line, record.cells)))
            .collect()
    }

    fn good(line: usize, cells: &[&str]) -> Result<(usize, Vec<String>), Malformed> {
        Ok((line, cells.iter().map(|cell| (*cell).to_owned()).collect()))
    }

    #[test]
    fn quotes_newlines_in_cells_and_both_line_ends_are_understood() {
        assert_eq!(
            read("a,b\r\n\"x,\n\"\"y\"\"\",\n\n\r\n,z"),
            [
                good(1, &["a", "b"]),
                good(2, &["x,\n\"y\"", ""]),
                good(6, &["", "z"])
            ]
        );
        assert_eq!(read(""), []);
        assert_eq!(read("\n\r\n"), []);
        assert_eq!(read("\"\"\n"), [good(1, &[""])]);
    }

    #[test]
    fn a_lost_quote_is_named_by_its_line_and_the_next_lines_are_read() {
        assert_eq!(
            read("a\nb\"c,1\n\"d\"e\nf\n\"g\nh"),
            [
                good(1, &["a"]),
                Err((2, INSIDE)),
                Err((3, BEHIND)),
                good(4, &["f"]),
                Err((5, UNCLOSED)),
            ]
        );
    }

    #[test]
    fn what_is_written_is_read_back() {
        let cells = ["", " a ", "b,c", "\"d\"", "e\nf\r", "=1+1", "\u{e9}"];
        let mut csv = String::new();
        write(&mut csv, &cells);
        assert_eq!(read(&csv), [good(1, &cells)]);
    }
}
