//! Records for other tools: JSON Lines, CSV, OCSF and OpenTelemetry.
//!
//! In: the records of a folder that a [`Filter`] keeps. Out: one line for each, log after log, each in its order. Does not
//! verify: an export is a copy, and the log is what can be proven. The mapping is a table of `docs/src/audit-log.md`.

mod csv;
mod ocsf;
mod otel;

use std::io::{self, Write};
use std::path::Path;

use super::{AuditError, Entry, Filter, each_forward};

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExportFormat {
    /// A record a line, as an [`Entry`].
    JsonLines,
    /// A header and a row for each record; lists are JSON. A cell that a spreadsheet would compute starts with `'`.
    Csv,
    /// OCSF 1.3, class API Activity (6003), an event a line.
    Ocsf,
    /// OTLP/JSON, a log record a line, as file exporters write it.
    OpenTelemetry,
}

/// Writes the records that `filter` keeps; returns how many.
///
/// # Errors
/// [`AuditError::Unavailable`] if the folder cannot be read or `out` not be written.
pub fn export(
    folder: impl AsRef<Path>,
    filter: &Filter,
    format: ExportFormat,
    out: &mut dyn Write,
) -> Result<u64, AuditError> {
    let folder = folder.as_ref();
    let failed = |error| AuditError::unavailable("export the records of", folder, error);
    if format == ExportFormat::Csv {
        csv::header(out).map_err(failed)?;
    }
    let (mut written, mut result) = (0, Ok(()));
    each_forward(folder, |entry| {
        if result.is_ok() && filter.keeps(&entry) {
            written += 1;
            result = line(&entry, format, out);
        }
    })?;
    result.and_then(|()| out.flush()).map_err(failed)?;
    Ok(written)
}

fn line(entry: &Entry, format: ExportFormat, out: &mut dyn Write) -> io::Result<()> {
    match format {
        ExportFormat::Csv => return csv::row(entry, out),
        ExportFormat::JsonLines => serde_json::to_writer(&mut *out, entry)?,
        ExportFormat::Ocsf => serde_json::to_writer(&mut *out, &ocsf::event(entry))?,
        ExportFormat::OpenTelemetry => serde_json::to_writer(&mut *out, &otel::logs(entry))?,
    }
    out.write_all(b"\n")
}

/// Whether what was asked was refused, or failed.
fn is_refusal(entry: &Entry) -> bool {
    matches!(
        entry.outcome.as_str(),
        "explicit_deny" | "default_deny" | "refused" | "failed"
    )
}

/// What the record is about: of a counted one, what it stands for.
fn kind(entry: &Entry) -> &str {
    entry.of.as_deref().unwrap_or(&entry.kind)
}

fn millis(text: Option<&str>) -> Option<i64> {
    text.and_then(super::entry::timestamp)
        .map(crate::clock::Timestamp::as_millis)
}
