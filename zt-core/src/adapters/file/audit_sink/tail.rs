//! The end of a copied log: which file is the newest, and which record its last.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::audit::{Entry, SinkRecord};
use crate::durable::{create_folder, sync_folder};

/// Longer than any record.
const LONGEST: u64 = 2 << 20;

/// See the module.
#[derive(Debug)]
pub(super) struct Tail {
    folder: PathBuf,
    writer: String,
    path: PathBuf,
    /// None before the log's first segment is copied.
    file: Option<File>,
    bytes: u64,
    seq: u64,
    hash: String,
    /// Lines that are not written yet.
    pending: Vec<u8>,
}

impl Tail {
    /// Looks at the files; cuts what is torn.
    pub(super) fn find(folder: &Path, writer: &str) -> io::Result<Self> {
        create_folder(folder)?;
        let mut tail = Self {
            folder: folder.to_path_buf(),
            writer: writer.to_owned(),
            path: folder.to_path_buf(),
            file: None,
            bytes: 0,
            seq: 0,
            hash: String::new(),
            pending: Vec::new(),
        };
        let mut numbers = numbers(folder, writer)?;
        while let Some(number) = numbers.pop() {
            tail.path = folder.join(name(writer, number));
            let file = open(&tail.path, false)?;
            if let Some((entry, bytes)) = last(&file)? {
                (tail.seq, tail.hash, tail.bytes) = (entry.seq, entry.hash, bytes);
                if file.metadata()?.len() != bytes {
                    file.set_len(bytes)?;
                }
                // Who wrote it may have been killed before it was on the disk.
                file.sync_all()?;
                sync_folder(folder)?;
                tail.file = Some(file);
                return Ok(tail);
            }
            // Not even its header was whole.
            fs::remove_file(&tail.path)?;
        }
        Ok(tail)
    }

    pub(super) fn is_of(&self, writer: &str) -> bool {
        self.writer == writer
    }

    /// Whether the file is where it was and nobody else wrote to it.
    pub(super) fn is_current(&self) -> bool {
        let is_as_long = fs::metadata(&self.path).is_ok_and(|file| file.len() == self.bytes);
        self.file.is_some() && is_as_long
    }

    pub(super) const fn seq(&self) -> u64 {
        self.seq
    }

    pub(super) fn hash(&self) -> &str {
        &self.hash
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn push(&mut self, record: &SinkRecord) {
        self.pending.extend_from_slice(record.line.as_bytes());
        self.pending.push(b'\n');
        self.seq = record.seq;
        self.hash.clone_from(&record.hash);
    }

    /// Goes on in a new file.
    pub(super) fn start(&mut self, number: u32) -> io::Result<()> {
        self.path = self.folder.join(name(&self.writer, number));
        self.file = Some(open(&self.path, true)?);
        self.bytes = 0;
        sync_folder(&self.folder)
    }

    /// Brings what was pushed to the disk.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let Some(file) = &mut self.file else {
            return Err(io::Error::other("the log has no first segment"));
        };
        file.seek(SeekFrom::End(0))?;
        let written = file.write_all(&self.pending);
        if let Err(why) = written.and_then(|()| file.sync_data()) {
            // After a failed sync the system may show what no disk has: a next look must not find it.
            file.set_len(self.bytes)?;
            return Err(why);
        }
        self.bytes += u64::try_from(self.pending.len()).unwrap_or(0);
        self.pending.clear();
        Ok(())
    }
}

#[derive(Deserialize)]
struct Header {
    kind: String,
    segment: u32,
}

/// The segment that a record is the first of.
pub(super) fn segment_of(line: &str) -> Option<u32> {
    let header: Header = serde_json::from_str(line).ok()?;
    (header.kind == "segment").then_some(header.segment)
}

/// The name of a segment, as the log has it.
fn name(writer: &str, number: u32) -> String {
    format!("{writer}-{number:06}.jsonl")
}

/// The segments of a log, in order.
fn numbers(folder: &Path, writer: &str) -> io::Result<Vec<u32>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let found = entry?.file_name();
        let digits = found.to_str().and_then(|text| {
            let rest = text.strip_prefix(writer)?.strip_prefix('-')?;
            rest.strip_suffix(".jsonl")
        });
        let number = digits.and_then(|digits| digits.parse().ok());
        numbers.extend(number.filter(|number| name(writer, *number).as_str() == found));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn open(path: &Path, is_new: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(is_new);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The last whole line, and where it ends.
fn last(mut file: &File) -> io::Result<Option<(Entry, u64)>> {
    let start = file.metadata()?.len().saturating_sub(LONGEST);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes)?;
    let Some(newline) = bytes.iter().rposition(|byte| *byte == b'\n') else {
        return Ok(None);
    };
    let lines = bytes.get(..newline).unwrap_or_default();
    let line = lines.rsplit(|byte| *byte == b'\n').next();
    let entry = line.and_then(|line| serde_json::from_slice(line).ok());
    let entry = entry.ok_or_else(|| io::Error::other("the last line of the copy is no record"))?;
    let end = start.saturating_add(u64::try_from(newline).unwrap_or(u64::MAX));
    Ok(Some((entry, end.saturating_add(1))))
}
