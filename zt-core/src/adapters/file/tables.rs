//! Metadata tables from TOML: one file, or a folder with a file per table.
//!
//! A row is one `[[Table_Name]]`. Every syntax error of every file is reported, with its line. In a folder every `*.toml`
//! but `zt.toml` is read, in order of name. Files that change while they are read are read again; an empty file is taken
//! for one that is just being written. Whoever changes several files should still rename a finished folder into place:
//! between two of their changes the folder is whole, and is what it is.

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use crate::metadata::{Cell, Lines, MetadataSource, Place, Problem, RawRow, RawTables, Report};
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
        for _ in 0..TRIES {
            let before = self.versions()?;
            let tables = self.read_files(&before);
            if self.versions()? == before {
                return tables;
            }
        }
        let name = self.path.display().to_string();
        Err(one(
            Problem::new("the files change while they are read").text(&name)
        ))
    }

    fn read_files(&self, files: &[Version]) -> Result<RawTables, Report> {
        let mut report = Report::new();
        let mut raw = RawTables::new(self.path.display().to_string());
        for (file, ..) in files {
            match read_file(file) {
                Ok(text) if text.is_empty() => report.push(empty(file)),
                Ok(text) => parse(&text, &file_name(file), &mut raw, &mut report),
                Err(why) => report.push(unreadable(file, &why)),
            }
        }
        if report.is_empty() {
            Ok(raw)
        } else {
            Err(report)
        }
    }

    /// The files with what tells their versions apart, in order of name.
    fn versions(&self) -> Result<Vec<Version>, Report> {
        let of = |path: PathBuf| match std::fs::metadata(&path) {
            Ok(data) => Ok((path, data.len(), data.modified().ok())),
            Err(why) => Err(one(unreadable(&path, &why))),
        };
        if !self.path.is_dir() {
            return Ok(vec![of(self.path.clone())?]);
        }
        let failed = |why: &std::io::Error| one(unreadable(&self.path, why));
        let mut versions = Vec::new();
        for entry in std::fs::read_dir(&self.path).map_err(|why| failed(&why))? {
            let path = entry.map_err(|why| failed(&why))?.path();
            if path.extension() == Some(OsStr::new("toml"))
                && path.file_name() != Some(OsStr::new("zt.toml"))
            {
                versions.push(of(path)?);
            }
        }
        if versions.is_empty() {
            let name = self.path.display().to_string();
            return Err(one(
                Problem::new("the folder holds no tables, `*.toml`").text(&name)
            ));
        }
        versions.sort();
        Ok(versions)
    }
}

/// A file, its length and when it was changed.
type Version = (PathBuf, u64, Option<std::time::SystemTime>);

/// So often files that change under the reader are read again.
const TRIES: usize = 5;

fn one(problem: Problem) -> Report {
    let mut report = Report::new();
    report.push(problem);
    report
}

fn empty(path: &Path) -> Problem {
    let reason = "the file is empty: it is being written, or it does not belong here";
    Problem::new(reason).text(&path.display().to_string())
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
    // Before it is opened: a pipe would keep the reader waiting for a writer.
    if !std::fs::metadata(path)?.is_file() {
        let why = "it is not a regular file";
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, why));
    }
    let mut text = String::new();
    std::fs::File::open(path)?
        .take(MOST_BYTES + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > MOST_BYTES {
        let why = format!("it has more than {MOST_BYTES} bytes");
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, why));
    }
    Ok(text)
}

fn parse(text: &str, file: &Arc<str>, raw: &mut RawTables, report: &mut Report) {
    let lines = Lines::of(Arc::clone(file), text);
    let place = |offset: usize| lines.place(offset);
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
                .map_err(|_| "the number is too large")?,
        ),
        DeValue::Float(number) => Cell::Float(number.as_str().parse().map_err(|_| "not a number")?),
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
