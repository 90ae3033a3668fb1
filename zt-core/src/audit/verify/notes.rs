//! Reads notes, one after another, from a file of checkpoints or from a text.
//!
//! In: lines. Out: each note with its place, or what stands there instead. Memory is bounded for whatever the file holds.

use std::io::{self, BufRead};

use super::super::checkpoint::{Checkpoint, DASH, LONGEST_NOTE};
use super::super::lines::Lines;

/// Where a note starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Place {
    pub(in super::super) file: String,
    /// From 1.
    pub(in super::super) line: u64,
    pub(in super::super) byte_offset: u64,
}

/// What stands in a file of checkpoints.
#[derive(Debug)]
pub(in super::super) enum Read {
    /// A note in its one form. Not verified.
    Note(Box<Checkpoint>),
    /// Something else.
    Malformed,
    /// The file ends in the middle of a note.
    Torn,
}

/// Every note of a file, in order.
pub(in super::super) fn read(
    lines: &mut Lines<impl BufRead>,
    file: &str,
) -> io::Result<Vec<(Place, Read)>> {
    let mut all = Vec::new();
    each(lines, file, |place, read| all.push((place, read)))?;
    Ok(all)
}

/// Hands over every note of a file, in order, and holds one at a time.
pub(in super::super) fn each(
    lines: &mut Lines<impl BufRead>,
    file: &str,
    mut visit: impl FnMut(Place, Read),
) -> io::Result<()> {
    let mut note = String::new();
    let mut start = None;
    let (mut is_text, mut is_blank) = (true, false);
    while let Some(line) = lines.next()? {
        let place = start.get_or_insert_with(|| Place {
            file: file.to_owned(),
            line: line.number,
            byte_offset: line.offset,
        });
        if !line.is_whole {
            visit(place.clone(), Read::Torn);
            return Ok(());
        }
        let text = std::str::from_utf8(line.bytes).unwrap_or_default();
        is_text &= text.len() == line.bytes.len() && !line.is_too_long;
        // What is too long is passed over, up to its end.
        if note.len() + text.len() < LONGEST_NOTE {
            note.push_str(text);
            note.push('\n');
        } else {
            is_text = false;
        }
        let is_end = is_blank && text.starts_with(DASH);
        is_blank |= text.is_empty();
        if is_end {
            let read = match Checkpoint::read(&note).filter(|_| is_text) {
                Some(read) => Read::Note(Box::new(read)),
                // No note has zeros: a power cut takes earlier bytes that were not synced and may leave later ones.
                None if note.contains('\0') => Read::Torn,
                None => Read::Malformed,
            };
            visit(place.clone(), read);
            note.clear();
            start = None;
            (is_text, is_blank) = (true, false);
        }
    }
    if let Some(place) = start {
        // Whole lines at the end of a file are no note that was being written, unless its signature is missing.
        let read = if is_text { Read::Torn } else { Read::Malformed };
        visit(place, read);
    }
    Ok(())
}
