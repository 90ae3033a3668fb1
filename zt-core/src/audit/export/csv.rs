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
    write(cells.into_iter().map(harmless), out)
}

fn write(cells: impl Iterator<Item = String>, out: &mut dyn Write) -> io::Result<()> {
    let mut row = csv::WriterBuilder::new().from_writer(Vec::new());
    row.write_record(cells).map_err(io::Error::other)?;
    let bytes = row
        .into_inner()
        .map_err(|error| io::Error::other(error.to_string()))?;
    out.write_all(&bytes)
}

/// Callers choose some of the text: no spreadsheet shall take it for a formula.
fn harmless(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell
    }
}
