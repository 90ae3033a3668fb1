//! Metadata tables from TOML: one file, or a folder with a file per table.
//!
//! A row is one `[[Table_Name]]`. Every syntax error of every file is reported, with its line. In a folder every `*.toml`
//! but `zt.toml` is read, in order of name; a file that two programs write at once is never half read as two versions,
//! since each file is read by one call.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use crate::metadata::{Cell, MetadataSource, Place, Problem, RawRow, RawTables, Report};
use crate::port::BoxFuture;

/// A file or folder of tables.
#[derive(Debug, Clone)]
pub struct FileTables {
    path: PathBuf,
}

/// More than this is not a set of tables that people wrote, in bytes.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

impl FileTables {
    /// The tables at this path; nothing is read yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn read(&self) -> Result<RawTables, Report> {
        let mut report = Report::new();
        let mut raw = RawTables::new(self.path.display().to_string());
        for file in self.files(&mut report) {
            match read_file(&file) {
                Ok(text) => parse(&text, &file_name(&file), &mut raw, &mut report),
                Err(why) => report.push(unreadable(&file, &why)),
            }
        }
        if report.is_empty() {
            Ok(raw)
        } else {
            Err(report)
        }
    }

    fn files(&self, report: &mut Report) -> Vec<PathBuf> {
        if !self.path.is_dir() {
            return vec![self.path.clone()];
        }
        let entries = match std::fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(why) => {
                report.push(unreadable(&self.path, &why));
                return Vec::new();
            }
        };
        let is_table = |path: &PathBuf| {
            path.extension().is_some_and(|end| end == "toml")
                && path.file_name().is_some_and(|name| name != "zt.toml")
        };
        let mut files: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(is_table)
            .collect();
        files.sort();
        if files.is_empty() {
            let name = self.path.display().to_string();
            report.push(Problem::new("the folder holds no tables, `*.toml`").text(&name));
        }
        files
    }
}

impl MetadataSource for FileTables {
    fn load(&self) -> BoxFuture<'_, Result<RawTables, Report>> {
        Box::pin(async { self.read() })
    }
}

fn file_name(path: &Path) -> Arc<str> {
    let name = path.file_name().unwrap_or(path.as_os_str());
    Arc::from(name.to_string_lossy().as_ref())
}

fn unreadable(path: &Path, why: &std::io::Error) -> Problem {
    Problem::new(format!("cannot be read: {why}")).text(&path.display().to_string())
}

fn read_file(path: &Path) -> Result<String, std::io::Error> {
    let length = std::fs::metadata(path)?.len();
    if length > MOST_BYTES {
        let why = format!("{length} bytes are more than {MOST_BYTES}");
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, why));
    }
    std::fs::read_to_string(path)
}

fn parse(text: &str, file: &Arc<str>, raw: &mut RawTables, report: &mut Report) {
    let place = |offset: usize| {
        let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
        Place::new(
            Arc::clone(file),
            before.iter().filter(|byte| **byte == b'\n').count() + 1,
        )
    };
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let at = error.span().map(|span| place(span.start));
        report.push(Problem::new(format!("not TOML: {}", error.message())).at(at));
    }
    if !errors.is_empty() {
        return;
    }
    for (name, value) in document.get_ref() {
        let rows = value
            .get_ref()
            .as_array()
            .map_or_else(|| vec![value], |rows| rows.iter().collect());
        for row in rows {
            let at = place(row.span().start);
            if let DeValue::Table(cells) = row.get_ref() {
                let row = read_row(cells, at, report);
                raw.push(name.get_ref(), row);
            } else {
                report.push(not_a_row(name.get_ref(), row.get_ref(), at));
            }
        }
    }
}

fn not_a_row(name: &str, value: &DeValue<'_>, place: Place) -> Problem {
    let reason = format!("expected rows, `[[{name}]]`, not {}", value.type_str());
    Problem::new(reason).text(name).at(Some(place))
}

fn read_row(cells: &DeTable<'_>, place: Place, report: &mut Report) -> RawRow {
    let mut row = Vec::with_capacity(cells.len());
    for (name, value) in cells {
        match read_cell(value.get_ref()) {
            Ok(cell) => row.push((name.get_ref().to_string(), cell)),
            Err(why) => {
                let problem = Problem::new(why)
                    .text(name.get_ref())
                    .at(Some(place.clone()));
                report.push(problem);
            }
        }
    }
    RawRow::new(Some(place), row)
}

fn read_cell(value: &DeValue<'_>) -> Result<Cell, String> {
    Ok(match value {
        DeValue::String(text) => Cell::Text(text.to_string()),
        DeValue::Integer(number) => Cell::Integer(
            i64::from_str_radix(number.as_str(), number.radix())
                .map_err(|_| format!("`{number}` is too large a number"))?,
        ),
        DeValue::Float(number) => Cell::Float(
            number
                .as_str()
                .parse()
                .map_err(|_| format!("`{number}` is not a number"))?,
        ),
        DeValue::Boolean(value) => Cell::Bool(*value),
        // A moment keeps its text; the tables that have one read it as RFC 3339.
        DeValue::Datetime(moment) => Cell::Text(moment.to_string()),
        DeValue::Array(values) => Cell::List(
            values
                .iter()
                .map(|value| read_cell(value.get_ref()))
                .collect::<Result<_, _>>()?,
        ),
        DeValue::Table(cells) => Cell::Map(
            cells
                .iter()
                .map(|(name, value)| Ok((name.get_ref().to_string(), read_cell(value.get_ref())?)))
                .collect::<Result<_, String>>()?,
        ),
    })
}
