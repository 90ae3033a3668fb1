//! The names in an audit folder: which files are segments, of which writer, in which order.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand;

use super::AuditError;
use super::chain::hex;
use super::cursor::SINKS;
use crate::clock::Timestamp;

/// The segments of every writer, oldest writer first, and what else lies in the folder.
#[derive(Debug, Default)]
pub(super) struct Folder {
    pub(super) writers: BTreeMap<String, Vec<u32>>,
    /// The writers that have a file of checkpoints.
    pub(super) signed: BTreeSet<String>,
    pub(super) foreign: Vec<String>,
}

impl Folder {
    /// Reads the names; never opens a file. Links and folders are foreign, whatever their name.
    pub(super) fn read(folder: &Path) -> Result<Self, AuditError> {
        let failed = |error| AuditError::unavailable("read the audit folder", folder, error);
        let mut found = Self::default();
        for entry in fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            if name == SINKS && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            let writer = parse_checkpoints_name(&name).filter(|_| is_file);
            match (parse_name(&name).filter(|_| is_file), writer) {
                (Some((writer, number)), _) => {
                    found.writers.entry(writer).or_default().push(number);
                }
                (None, Some(writer)) => drop(found.signed.insert(writer)),
                (None, None) => found.foreign.push(name),
            }
        }
        found.foreign.sort_unstable();
        for numbers in found.writers.values_mut() {
            numbers.sort_unstable();
        }
        Ok(found)
    }

    /// Files of checkpoints that do not have their names yet.
    pub(super) fn unpublished(&self, folder: &Path) -> Vec<PathBuf> {
        let names = self.foreign.iter();
        let unpublished = names.filter(|name| unpublished_of(name).is_some());
        unpublished.map(|name| folder.join(name)).collect()
    }
}

/// The file name of a segment.
pub(super) fn segment_name(writer: &str, number: u32) -> String {
    format!("{writer}-{number:06}.jsonl")
}

/// The file name of a writer's checkpoints.
pub(super) fn checkpoints_name(writer: &str) -> String {
    format!("{writer}.checkpoints")
}

/// A new writer's name: when it started, then 64 random bits.
pub(super) fn writer_name(now: Timestamp) -> Result<String, AuditError> {
    let mut random = [0_u8; 8];
    rand::fill(&mut random).map_err(|_| AuditError::Unavailable {
        what: "draw a random name for the log in",
        path: PathBuf::from("the operating system"),
        source: io::Error::other("no randomness").into(),
    })?;
    let digits: String = now
        .to_string()
        .chars()
        .filter(|c| c.is_ascii_digit() || *c == 'T')
        .take(15)
        .collect();
    // A clock beyond the calendar must not stop the log: the random part alone keeps names apart.
    let stamp = if is_stamp(digits.as_bytes()) {
        digits.as_str()
    } else {
        "00000000T000000"
    };
    Ok(format!("{stamp}Z-{}", hex(&random)))
}

fn is_stamp(text: &[u8]) -> bool {
    text.len() == 15
        && text.iter().enumerate().all(|(at, byte)| {
            if at == 8 {
                *byte == b'T'
            } else {
                byte.is_ascii_digit()
            }
        })
}

fn parse_name(name: &str) -> Option<(String, u32)> {
    let (writer, digits) = name.strip_suffix(".jsonl")?.rsplit_once('-')?;
    let number: u32 = digits.parse().ok()?;
    let is_ours = is_writer(writer) && segment_name(writer, number) == name;
    is_ours.then(|| (writer.to_owned(), number))
}

fn parse_checkpoints_name(name: &str) -> Option<String> {
    let writer = name.strip_suffix(".checkpoints")?;
    is_writer(writer).then(|| writer.to_owned())
}

/// Whose checkpoints wait in a file of this name.
pub(super) fn unpublished_of(name: &str) -> Option<String> {
    parse_checkpoints_name(name.strip_suffix(".new")?)
}

/// Whether a text has the form of a writer's name.
pub(super) fn is_writer(text: &str) -> bool {
    text.split_once("Z-").is_some_and(|(stamp, random)| {
        is_stamp(stamp.as_bytes())
            && random.len() == 16
            && random
                .bytes()
                .all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back() {
        let writer = writer_name(Timestamp::from_secs(1_790_000_000)).unwrap();
        assert!(writer.starts_with("20260921T141320Z-"), "{writer}");
        let name = segment_name(&writer, 12);
        assert_eq!(parse_name(&name), Some((writer, 12)));
    }

    #[test]
    fn a_clock_beyond_the_calendar_still_names_a_log() {
        let writer = writer_name(Timestamp::from_millis(i64::MAX)).unwrap();
        assert!(parse_name(&segment_name(&writer, 1)).is_some());
    }

    #[test]
    fn what_only_looks_like_a_segment_is_foreign() {
        for name in [
            "20260921T141320Z-0123456789abcdef-1.jsonl",
            "20260921T141320Z-0123456789ABCDEF-000001.jsonl",
            "20260921T141320Z-0123456789abcdef-000001.jsonl.torn-1",
            "2026-0921T141320Z-0123456789abcdef-000001.jsonl",
            "-000001.jsonl",
        ] {
            assert_eq!(parse_name(name), None, "{name}");
        }
    }
}
