//! Writes tables into files: one TOML file, or a folder with a CSV file a table.
//!
//! A file is written beside its place, synced and renamed, so that a reader finds the old one or the new one. A folder that
//! does not exist yet comes into place as a whole; files of one that exists take their places one after the other, once all
//! are written. Nothing is replaced unless the caller says so.

use std::ffi::OsStr;
use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::rand;

use super::format_of;
use crate::durable;
use crate::error::{Code, Error, Result};
use crate::metadata::{RawTable, RawTables, TableFormat, TableSchema, schema};

/// Writes all tables that have rows to `to` and answers the files. With `replace`, existing files give way; in an existing
/// folder of CSV files the file of a table that has no rows is left with its header alone, so that the folder then holds
/// these tables and no others.
///
/// # Errors
/// [`Code::InvalidMetadata`] with every cell that has no place in the form; [`Code::InvalidArgument`] for what exists
/// already or cannot be written.
pub fn write_tables(
    tables: &RawTables,
    to: &Path,
    format: TableFormat,
    replace: bool,
) -> Result<Vec<PathBuf>> {
    match format {
        TableFormat::Toml => {
            let text = tables.to_toml()?;
            if to.is_dir() {
                let message = format!("`{}` is a folder", to.display());
                return Err(Error::new(Code::InvalidArgument, message)
                    .with_help("name a file that ends in `.toml`"));
            }
            if to.file_name() == Some(OsStr::new("zt.toml")) {
                let message = "`zt.toml` is the name of the configuration, not of tables";
                return Err(
                    Error::new(Code::InvalidArgument, message).with_help("choose another name")
                );
            }
            if is_there(to) && !replace {
                return Err(exists(to));
            }
            make_folder(parent(to))?;
            put(to, &text)?;
            sync_folder(parent(to))?;
            Ok(vec![to.to_owned()])
        }
        TableFormat::Csv => write_folder(&in_csv(tables)?, to, replace),
    }
}

/// The text of each table that has rows.
fn in_csv(tables: &RawTables) -> Result<Vec<(&'static TableSchema, String)>> {
    for table in &tables.tables {
        if TableSchema::of(&table.name).is_none() {
            // Nothing else happens to a table that does not exist: the report says so.
            let _refused = table.to_csv()?;
        }
    }
    let mut texts = Vec::new();
    for schema in schema() {
        let of_name = tables
            .tables
            .iter()
            .filter(|table| table.name == schema.name);
        let rows: Vec<_> = of_name.flat_map(|table| table.rows.clone()).collect();
        if !rows.is_empty() {
            texts.push((
                schema,
                RawTable::new(schema.name.to_owned(), rows).to_csv()?,
            ));
        }
    }
    Ok(texts)
}

fn write_folder(
    texts: &[(&'static TableSchema, String)],
    to: &Path,
    replace: bool,
) -> Result<Vec<PathBuf>> {
    if !is_there(to) {
        make_folder(parent(to))?;
        let new = beside(to)?;
        let written = fill(texts, &new).and_then(|()| {
            fs::rename(&new, to).map_err(|why| failed(to, why))?;
            sync_folder(parent(to))
        });
        if let Err(error) = written {
            // Best effort: what is left has a name that nobody reads.
            drop(fs::remove_dir_all(&new));
            return Err(error);
        }
        return Ok(texts.iter().map(|(schema, _)| file(to, schema)).collect());
    }
    let there = tables_in(to)?;
    if let Some(other) = there.iter().find(|path| !is_ours(path)) {
        let message = format!("the folder holds other tables, `{}`", other.display());
        return Err(Error::new(Code::InvalidArgument, message)
            .with_help("name a new folder: both would be read together"));
    }
    if let Some(first) = there.first().filter(|_| !replace) {
        return Err(exists(first));
    }
    let mut all = Vec::new();
    for schema in schema() {
        let path = file(to, schema);
        let text = texts.iter().find(|(of, _)| *of == schema);
        match text {
            Some((_, text)) => all.push((path, text.clone())),
            None if there.contains(&path) => {
                let header = RawTable::new(schema.name.to_owned(), vec![]).to_csv()?;
                all.push((path, header));
            }
            None => {}
        }
    }
    put_all(&all)?;
    sync_folder(to)?;
    Ok(all.into_iter().map(|(path, _)| path).collect())
}

fn fill(texts: &[(&'static TableSchema, String)], folder: &Path) -> Result<()> {
    fs::create_dir(folder).map_err(|why| failed(folder, why))?;
    for (schema, text) in texts {
        put(&file(folder, schema), text)?;
    }
    sync_folder(folder)
}

/// The files of a folder that would be read as tables, in order.
fn tables_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|why| failed(folder, why))? {
        let path = entry.map_err(|why| failed(folder, why))?.path();
        if format_of(&path).is_some() && path.file_name() != Some("zt.toml".as_ref()) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a file has exactly the name that a table's CSV file gets.
fn is_ours(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    schema()
        .iter()
        .any(|schema| name == format!("{}.csv", schema.name).as_str())
}

fn file(folder: &Path, schema: &TableSchema) -> PathBuf {
    folder.join(format!("{}.csv", schema.name))
}

/// Whether the name is taken, by a link that leads nowhere as well.
fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn put(path: &Path, text: &str) -> Result<()> {
    put_all(&[(path.to_owned(), text.to_owned())])
}

/// Writes and syncs every file beside its place before the first one takes its place, so that a full disk changes nothing and
/// the moment in which old and new files stand side by side is short.
fn put_all(all: &[(PathBuf, String)]) -> Result<()> {
    let mut ready = Vec::with_capacity(all.len());
    let put = all
        .iter()
        .try_for_each(|(path, text)| {
            let new = beside(path)?;
            ready.push(new.clone());
            write_new(path, &new, text).map_err(|why| failed(path, why))
        })
        .and_then(|()| {
            let mut pairs = ready.iter().zip(all);
            pairs.try_for_each(|(new, (path, _))| {
                fs::rename(new, path).map_err(|why| failed(path, why))
            })
        });
    if put.is_err() {
        // Best effort: what is left has a name that nobody reads.
        ready.iter().for_each(|new| drop(fs::remove_file(new)));
    }
    put
}

/// Writes and syncs what will stand at `path`. Whoever may not read the old file may not read the new one.
fn write_new(path: &Path, new: &Path, text: &str) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(new)?;
    if let Some(old) = fs::metadata(path).ok().filter(Metadata::is_file) {
        file.set_permissions(old.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// A name that no reader takes for a table, and that no other writer uses: not another thread, nor a process of the same
/// number in another container.
fn beside(path: &Path) -> Result<PathBuf> {
    let mut drawn = [0; 8];
    rand::fill(&mut drawn)
        .map_err(|_| Error::new(Code::Internal, "the operating system gives no random bytes"))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let drawn = u64::from_ne_bytes(drawn);
    Ok(path.with_file_name(format!(".{name}.{drawn:016x}.new")))
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    }
}

fn make_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|why| failed(folder, why))
}

/// Without it, a power cut could bring the old names back.
fn sync_folder(folder: &Path) -> Result<()> {
    durable::sync_folder(folder).map_err(|why| failed(folder, why))
}

fn exists(path: &Path) -> Error {
    let message = format!("`{}` exists already", path.display());
    Error::new(Code::InvalidArgument, message)
        .with_help("name another place, or replace it with `--force`")
}

fn failed(path: &Path, why: io::Error) -> Error {
    let message = format!("cannot write `{}`", path.display());
    Error::new(Code::InvalidArgument, message).with_source(why)
}
