//! A row for each record.

use std::io::{self, Write};

use super::super::Entry;

const COLUMNS: [&str; 24] = [
    "writer",
    "seq",
    "at",
    "kind",
    "of",
    "count",
    "first",
    "last",
    "outcome",
    "caller",
    "tenant",
    "oid",
    "action",
    "resource",
    "decision",
    "policies",
    "snapshot",
    "content",
    "facts",
    "detail",
    "near_misses",
    "omitted",
    "hash",
    "id",
];

pub(super) fn header(out: &mut dyn Write) -> io::Result<()> {
    write(COLUMNS.iter().map(|name| (*name).to_owned()), out)
}

pub(super) fn row(entry: &Entry, out: &mut dyn Write) -> io::Result<()> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let snapshot = entry.snapshot.as_ref();
    let cells = [
        entry.writer.clone(),
        entry.seq.to_string(),
        entry.at.clone(),
        entry.kind.clone(),
        text(&entry.of),
        entry
            .count
            .map(|count| count.to_string())
            .unwrap_or_default(),
        text(&entry.first),
        text(&entry.last),
        entry.outcome.clone(),
        text(&entry.caller),
        text(&entry.tenant),
        text(&entry.oid),
        entry.action.clone(),
        entry.resource.clone(),
        text(&entry.decision),
        serde_json::to_string(&entry.policies)?,
        snapshot
            .map(|snapshot| snapshot.version.to_string())
            .unwrap_or_default(),
        snapshot
            .map(|snapshot| snapshot.content.clone())
            .unwrap_or_default(),
        serde_json::to_string(&entry.facts)?,
        serde_json::to_string(&entry.detail)?,
        serde_json::to_string(&entry.near_misses)?,
        entry.omitted.to_string(),
        entry.hash.clone(),
        format!("{}:{}", entry.writer, entry.seq),
    ];
    write(cells.iter().map(|cell| harmless(cell)), out)
}

fn write(cells: impl Iterator<Item = String>, out: &mut dyn Write) -> io::Result<()> {
    let mut row = csv::WriterBuilder::new().from_writer(Vec::new());
    row.write_record(cells).map_err(io::Error::other)?;
    let bytes = row
        .into_inner()
        .map_err(|error| io::Error::other(error.to_string()))?;
    out.write_all(&bytes)
}

/// What a spreadsheet begins a formula with, in both widths.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// Callers choose some of the text: no spreadsheet shall take it for a formula. Also not one whose list separator is `;` or a
/// tab, for which a cell ends in the middle of ours.
fn harmless(cell: &str) -> String {
    let mut safe = String::with_capacity(cell.len());
    let mut before = None;
    for c in cell.chars() {
        let begins = before.is_none_or(|before| matches!(before, ';' | '\t' | '\r' | '\n'));
        let is_control = before.is_none() && matches!(c, '\t' | '\r');
        if is_control || (begins && FORMULA.contains(&c)) {
            safe.push('\'');
        }
        safe.push(c);
        before = Some(c);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_piece_of_a_cell_is_a_formula_whatever_the_separator() {
        for cell in [
            "=1+1",
            "＝1+1",
            "\t=1",
            ";=cmd|' /C calc'!A0;",
            "a;+1;b\t-2\n@SUM(A1)\r＋3",
            "table:x;;=1",
        ] {
            let safe = harmless(cell);
            assert_eq!(safe.replace('\'', ""), cell.replace('\'', ""));
            for piece in safe.split([';', '\t', '\r', '\n', ',']) {
                assert!(!piece.starts_with(FORMULA), "{piece:?} of {safe:?}");
            }
        }
        for plain in ["", "a=1", "x-y;z", "2026-11-28T00:00:00Z"] {
            assert_eq!(harmless(plain), plain);
        }
    }
}
