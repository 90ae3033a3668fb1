//! Metadata tables from files: one file, or a folder with as many as people like.
//!
//! A TOML file holds any tables; a CSV file, `Table_Name.csv`, holds one. In a folder every `*.toml` but `zt.toml` and every
//! `*.csv` is read, in order of name; rows of one table may come from several files. Files that change while they are read
//! are read again; an empty file is taken for one that is just being written. Whoever changes several files should still
//! rename a finished folder into place: between two of their changes the folder is whole, and is what it is.

mod toml;
mod write;

use std::ffi::OsStr;
use std::fs::Metadata;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use write::write_tables;

use crate::metadata::{
    Fingerprint, Lines, MetadataSource, Problem, RawTable, RawTables, Report, TableFormat,
};
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
                Ok(bytes) if bytes.is_empty() => report.push(empty(file)),
                Ok(bytes) => parse(file, &bytes, &mut raw, &mut report),
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
            Ok(data) => {
                let times = (data.modified().ok(), identity(&data));
                Ok((path, data.len(), times))
            }
            Err(why) => Err(one(unreadable(&path, &why))),
        };
        if !self.path.is_dir() {
            return Ok(vec![of(self.path.clone())?]);
        }
        let failed = |why: &std::io::Error| one(unreadable(&self.path, why));
        let mut versions = Vec::new();
        for entry in std::fs::read_dir(&self.path).map_err(|why| failed(&why))? {
            let path = entry.map_err(|why| failed(&why))?.path();
            if format_of(&path).is_some() && is_of_tables(&path) {
                versions.push(of(path)?);
            }
        }
        if versions.is_empty() {
            let name = self.path.display().to_string();
            return Err(one(Problem::new(
                "the folder holds no tables, `*.toml` or `*.csv`",
            )
            .text(&name)));
        }
        versions.sort();
        Ok(versions)
    }
}

/// Not the configuration, and not what editors and file managers leave beside a file they work on: `.#tables.toml`.
fn is_of_tables(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name != OsStr::new("zt.toml") && !name.to_string_lossy().starts_with('.')
}

/// A file, its length, and when it was changed.
type Version = (PathBuf, u64, (Option<std::time::SystemTime>, Identity));

/// Device, inode and when the inode was changed: unlike the date, nobody sets them to what they were.
type Identity = (u64, u64, i64, i64);

#[cfg(unix)]
fn identity(data: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    (data.dev(), data.ino(), data.ctime(), data.ctime_nsec())
}

#[cfg(not(unix))]
const fn identity(_: &Metadata) -> Identity {
    (0, 0, 0, 0)
}

/// What a file holds, by the end of its name. In any case for CSV: a table must not go missing over a capital letter.
pub(super) fn format_of(path: &Path) -> Option<TableFormat> {
    let extension = path.extension()?;
    if extension == "toml" {
        Some(TableFormat::Toml)
    } else if extension.eq_ignore_ascii_case("csv") {
        Some(TableFormat::Csv)
    } else {
        None
    }
}

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

    fn fingerprint(&self) -> BoxFuture<'_, Option<Fingerprint>> {
        Box::pin(async {
            let versions = self.versions().ok()?;
            Some(Fingerprint::new(format!("{versions:?}")))
        })
    }
}

fn file_name(path: &Path) -> Arc<str> {
    let name = path.file_name().unwrap_or(path.as_os_str());
    Arc::from(name.to_string_lossy().as_ref())
}

fn unreadable(path: &Path, why: &std::io::Error) -> Problem {
    Problem::new(format!("cannot be read: {why}")).text(&path.display().to_string())
}

/// Adds the tables of one file to `raw`.
fn parse(path: &Path, bytes: &[u8], raw: &mut RawTables, report: &mut Report) {
    let file = file_name(path);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(why) => {
            let good = bytes.get(..why.valid_up_to()).unwrap_or_default();
            let good = String::from_utf8_lossy(good);
            let at = Lines::of(file, &good).place(good.len());
            return report.push(Problem::new("not UTF-8: save the file as UTF-8").at(Some(at)));
        }
    };
    if format_of(path) != Some(TableFormat::Csv) {
        return toml::parse(text, &file, raw, report);
    }
    let table = path.file_stem().unwrap_or_default().to_string_lossy();
    match RawTable::from_csv(&table, text, &file) {
        Ok(table) => {
            for row in table.rows {
                raw.push(&table.name, row);
            }
        }
        Err(problems) => problems
            .problems()
            .iter()
            .for_each(|problem| report.push(problem.clone())),
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, std::io::Error> {
    // Before it is opened: a pipe would keep the reader waiting for a writer.
    if !std::fs::metadata(path)?.is_file() {
        let why = "it is not a regular file";
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, why));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?
        .take(MOST_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        let why = format!("it has more than {MOST_BYTES} bytes");
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, why));
    }
    Ok(bytes)
}
