//! Batches from and to CSV (RFC 4180): a header, then rows; quotes, newlines in cells and a byte order mark are understood.
//!
//! CSV has no types, so every column that is read is text, and an empty cell is a missing one: CSV cannot tell it from an
//! empty text. What is written reads back as the same text.

use std::io::Read;

use ::csv::{ErrorKind, ReaderBuilder, WriterBuilder};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Batch, Cells, Column, NotABatch};
use crate::text::shown;

impl Batch {
    /// Reads CSV: UTF-8, comma, a header of distinct names. Every column is text; an empty cell is a missing one.
    ///
    /// # Errors
    /// [`NotABatch::NotCsv`] with the line; an unnamed or repeated column. No message repeats a cell.
    pub fn from_csv(mut source: impl Read) -> Result<Self, NotABatch> {
        let mut bytes = Vec::new();
        source
            .read_to_end(&mut bytes)
            .map_err(|why| not_csv(&why.into()))?;
        if bytes.iter().filter(|byte| **byte == b'"').count() % 2 == 1 {
            // The library would take the rest of a cut file for one long cell, and the rows in it would be gone.
            let what = "a quote is not closed: the text is cut, or a quote is missing".to_owned();
            return Err(NotABatch::NotCsv { what });
        }
        let mut reader = ReaderBuilder::new()
            .has_headers(true)
            .from_reader(bytes.as_slice());
        let header = reader.headers().map_err(|why| not_csv(&why))?.clone();
        if header.is_empty() {
            let what = "there is no header".to_owned();
            return Err(NotABatch::NotCsv { what });
        }
        let mut columns: Vec<Vec<Option<String>>> = vec![Vec::new(); header.len()];
        let mut row = ::csv::StringRecord::new();
        while reader.read_record(&mut row).map_err(|why| not_csv(&why))? {
            for (column, cell) in columns.iter_mut().zip(row.iter()) {
                column.push((!cell.is_empty()).then(|| cell.to_owned()));
            }
        }
        let columns = header.iter().zip(columns);
        Self::new(
            columns
                .map(|(name, cells)| Column::new(name, Cells::Text(cells)))
                .collect(),
        )
    }

    /// As CSV: a header, then rows, lines ended by `\n`; a missing cell is empty, bytes are base64, numbers are written so
    /// that they read back as the same number.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut writer = WriterBuilder::new().from_writer(Vec::new());
        // Nothing of this can fail: it is written to memory, and every row has as many cells as the header.
        let mut written = writer.write_record(self.names()).is_ok();
        for row in 0..self.rows() {
            let cells = self
                .columns()
                .iter()
                .map(|column| cell(column.cells(), row));
            written &= writer.write_record(cells).is_ok();
        }
        let bytes = writer.into_inner().unwrap_or_default();
        debug_assert!(written, "writing to memory does not fail");
        String::from_utf8(bytes).unwrap_or_default()
    }
}

fn cell(cells: &Cells, row: usize) -> String {
    fn at<T>(list: &[Option<T>], row: usize) -> Option<&T> {
        list.get(row).and_then(Option::as_ref)
    }
    let text = match cells {
        Cells::Text(list) => at(list, row).cloned(),
        Cells::Number(list) => at(list, row).map(ToString::to_string),
        Cells::Integer(list) => at(list, row).map(ToString::to_string),
        Cells::Bool(list) => at(list, row).map(ToString::to_string),
        Cells::Bytes(list) => at(list, row).map(|bytes| STANDARD.encode(bytes)),
    };
    text.unwrap_or_default()
}

/// The library's own words may repeat a cell; these do not.
fn not_csv(why: &::csv::Error) -> NotABatch {
    let line = why.position().map(::csv::Position::line);
    let at = line
        .map(|line| format!("line {line}: "))
        .unwrap_or_default();
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library may add kinds")]
    let what = match why.kind() {
        ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("{len} cells, the header has {expected_len}"),
        ErrorKind::Utf8 { .. } => "not UTF-8".to_owned(),
        ErrorKind::Io(why) => format!("cannot be read: {}", shown(&why.to_string())),
        _ => "malformed".to_owned(),
    };
    NotABatch::NotCsv {
        what: format!("{at}{what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_newlines_and_a_byte_order_mark_are_understood() {
        let batch = Batch::from_csv("\u{feff}a,b\r\n\"x, \"\"y\"\"\nz\",\r\n".as_bytes()).unwrap();
        assert_eq!(batch.names().collect::<Vec<_>>(), ["a", "b"]);
        let cells = batch.columns()[0].cells();
        assert!(*cells == Cells::Text(vec![Some("x, \"y\"\nz".to_owned())]));
        assert_eq!(batch.columns()[1].cells().nulls(), 1);
    }

    #[test]
    fn what_is_written_reads_back_and_is_written_the_same() {
        let batch = Batch::new(vec![
            Column::new("t", Cells::Text(vec![Some("a,\"b\"\n".to_owned()), None])),
            Column::new("n", Cells::Number(vec![Some(0.1), Some(-1e300)])),
            Column::new("i", Cells::Integer(vec![Some(i64::MIN), None])),
            Column::new("b", Cells::Bool(vec![Some(true), Some(false)])),
            Column::new("y", Cells::Bytes(vec![Some(vec![0, 255]), None])),
        ])
        .unwrap();
        let csv = batch.to_csv();
        let again = Batch::from_csv(csv.as_bytes()).unwrap();
        assert_eq!(again.to_csv(), csv);
        assert_eq!(
            *again.columns()[1].numbers().unwrap(),
            [Some(0.1), Some(-1e300)]
        );
    }

    #[test]
    fn one_column_of_missing_cells_keeps_its_rows() {
        let batch = Batch::new(vec![Column::new("a", Cells::Text(vec![None, None]))]).unwrap();
        assert_eq!(
            Batch::from_csv(batch.to_csv().as_bytes()).unwrap().rows(),
            2
        );
    }

    #[test]
    fn bad_csv_is_named_by_its_line_and_never_repeated() {
        for (text, expected) in [
            ("", "there is no header"),
            ("a,b\nzt-needle-cell\n", "line 2: 1 cells, the header has 2"),
            (
                "a,b\n1,\"zt-needle-cell\n3,4\n",
                "a quote is not closed: the text is cut, or a quote is missing",
            ),
            (
                "a,b\n1,2,zt-needle-cell\n",
                "line 2: 3 cells, the header has 2",
            ),
        ] {
            let why = Batch::from_csv(text.as_bytes()).unwrap_err().to_string();
            assert_eq!(why, format!("not CSV: {expected}"));
        }
        let why = Batch::from_csv(&b"a\n\xff\xfe\n"[..])
            .unwrap_err()
            .to_string();
        assert_eq!(why, "not CSV: line 2: not UTF-8");
        assert!(Batch::from_csv("a,A\n1,2\n".as_bytes()).is_err());
        assert!(Batch::from_csv("a,\n1,2\n".as_bytes()).is_err());
    }
}
