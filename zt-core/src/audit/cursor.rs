//! How far a sink has a log: one small file for each, written whole or not at all.
//!
//! In: the newest record that the sink acknowledged, and where it stands. Out: the same, if the log still holds it. A cursor
//! that the log does not bear out is never followed: the log is delivered from its start, which doubles and loses nothing.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::chain::{from_hex, hex};
use super::disk::owner_only;
use super::follow::Position;

/// The folder inside an audit folder with a folder for each sink.
pub(super) const SINKS: &str = "sinks";

/// A cursor as it stands in its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    format: u32,
    writer: String,
    seq: u64,
    hash: String,
    segment: u32,
    offset: u64,
}

/// What a cursor's file holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// There is no file: nothing was acknowledged.
    Nothing,
    /// A cursor of this log.
    Cursor(Cursor),
    /// No cursor of this log.
    Damaged,
}

const FORMAT: u32 = 1;

impl Cursor {
    pub(super) fn new(writer: &str, at: &Position) -> Self {
        Self {
            format: FORMAT,
            writer: writer.to_owned(),
            seq: at.link.seq,
            hash: hex(&at.link.hash),
            segment: at.segment,
            offset: at.start,
        }
    }

    /// The position that it claims; `None` if it names no hash.
    pub(super) fn claim(&self) -> Option<Position> {
        let hash = from_hex(self.hash.as_bytes())?;
        Some(Position::claimed(self.segment, self.offset, self.seq, hash))
    }

    /// The last record of a log that each of these sinks has acknowledged: 0 where one says nothing that can be read.
    pub(super) fn acknowledged_by_all(sinks: &[PathBuf], writer: &str) -> u64 {
        let by_one = |folder: &PathBuf| Self::acknowledged_by(folder, writer);
        sinks.iter().map(by_one).min().unwrap_or(u64::MAX)
    }

    /// The last record of a log that this sink has acknowledged: 0 where it says nothing that can be read.
    pub(super) fn acknowledged_by(sink: &Path, writer: &str) -> u64 {
        match Self::read(sink, writer) {
            Ok(Found::Cursor(cursor)) => cursor.seq,
            Ok(Found::Nothing | Found::Damaged) | Err(_) => 0,
        }
    }

    pub(super) fn read(folder: &Path, writer: &str) -> io::Result<Found> {
        let text = match fs::read(path(folder, writer)) {
            Ok(text) => text,
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(why) => return Err(why),
        };
        let read: Option<Self> = serde_json::from_slice(&text).ok();
        let read = read.filter(|cursor| cursor.format == FORMAT && cursor.writer == writer);
        Ok(read.map_or(Found::Damaged, Found::Cursor))
    }

    /// Replaces the file. A power cut leaves the old one or the new one.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let path = path(folder, &self.writer);
        let draft = path.with_extension("cursor.new");
        let mut text = serde_json::to_vec(self)?;
        text.push(b'\n');
        let written = (|| {
            let mut file = owner_only().create(true).truncate(true).open(&draft)?;
            file.write_all(&text)?;
            file.sync_data()?;
            fs::rename(&draft, &path)
        })();
        if written.is_err() {
            let _may_not_be_there = fs::remove_file(&draft);
        }
        written
    }
}

/// Where a log's cursor lies in a sink's folder.
pub(super) fn path(folder: &Path, writer: &str) -> PathBuf {
    folder.join(format!("{writer}.cursor"))
}

/// A sink's folder in an audit folder.
pub(super) fn folder_of(audit: &Path, sink: &str) -> PathBuf {
    audit.join(SINKS).join(sink)
}
