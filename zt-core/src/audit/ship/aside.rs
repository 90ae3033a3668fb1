//! Records that a sink can never take, with the reason: a file beside its cursors, JSON Lines, appended and synced before the
//! cursor passes them.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use serde::Serialize;

use super::super::SinkRecord;
use crate::durable::sync_folder;

/// The file's name in the sink's folder.
pub(super) const FILE: &str = "refused.jsonl";

#[derive(Serialize)]
struct Line<'a> {
    writer: &'a str,
    seq: u64,
    hash: &'a str,
    reason: &'a str,
    line: &'a str,
}

/// Appends them. A line that a crash left torn stays alone.
pub(super) fn set_aside(
    folder: &Path,
    writer: &str,
    refused: &[(&SinkRecord, &str)],
) -> io::Result<()> {
    let mut bytes = Vec::new();
    for (record, reason) in refused {
        let line = Line {
            writer,
            seq: record.seq,
            hash: &record.hash,
            reason,
            line: &record.line,
        };
        serde_json::to_writer(&mut bytes, &line)?;
        bytes.push(b'\n');
    }
    let path = folder.join(FILE);
    let is_new = !path.exists();
    let mut file = open(&path)?;
    if !ends_a_line(&mut file)? {
        bytes.insert(0, b'\n');
    }
    file.write_all(&bytes)?;
    file.sync_data()?;
    if is_new {
        // Else a power cut could lose the name, and keep the cursor that relies on it.
        sync_folder(folder)?;
    }
    Ok(())
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn ends_a_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut byte = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut byte)?;
    Ok(byte == [b'\n'])
}
