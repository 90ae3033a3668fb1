//! Reads logs forward, line by line as they were written. Does not verify.

use std::io::BufRead;
use std::path::Path;

use super::folder::{Folder, segment_name};
use super::lines::Lines;
use super::scan::Header;
use super::verify::open_listed;
use super::{AuditError, Entry};

/// A line of a log, without its newline.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stored<'a> {
    pub(super) writer: &'a str,
    pub(super) bytes: &'a [u8],
}

/// Hands every line that belongs to a chain to `visit`: of all logs, oldest first, or of one.
pub(super) fn each_stored(
    folder: &Path,
    only: Option<&str>,
    mut visit: impl FnMut(Stored<'_>),
) -> Result<(), AuditError> {
    let found = Folder::read(folder)?;
    let of_interest = |writer: &str| only.is_none_or(|only| only == writer);
    for (writer, numbers) in found.writers.iter().filter(|(name, _)| of_interest(name)) {
        for (at, number) in numbers.iter().enumerate() {
            let file = segment_name(writer, *number);
            let next = numbers.get(at + 1).map(|next| segment_name(writer, *next));
            let good_bytes = match next {
                Some(next) => open_listed(&folder.join(next))?
                    .map_or(u64::MAX, |mut next| good_bytes(&mut next, &file)),
                None => u64::MAX,
            };
            let path = folder.join(&file);
            let failed = |error| AuditError::unavailable("read the audit segment", &path, error);
            let Some(mut lines) = open_listed(&path)? else {
                continue;
            };
            while let Some(line) = lines.next().map_err(failed)? {
                if !line.is_whole || line.end > good_bytes {
                    break;
                }
                visit(Stored {
                    writer,
                    bytes: line.bytes,
                });
            }
        }
    }
    Ok(())
}

/// How much of `file` belongs to the chain, as the header of the segment behind it says.
fn good_bytes(next: &mut Lines<impl BufRead>, file: &str) -> u64 {
    let header = next.next().ok().flatten();
    let header = header.and_then(|line| serde_json::from_slice::<Header>(line.bytes).ok());
    let failure = header.and_then(|header| header.after_failure);
    failure
        .filter(|failure| failure.file == file)
        .map_or(u64::MAX, |failure| failure.good_bytes)
}

/// Hands every record in `folder` to `visit`: log after log, oldest log first, each in its order. Records that start a
/// segment are left out, lines that are no records are passed over.
///
/// # Errors
/// [`AuditError::Unavailable`] if the folder or a segment cannot be read.
pub fn each_forward(
    folder: impl AsRef<Path>,
    mut visit: impl FnMut(Entry),
) -> Result<(), AuditError> {
    each_stored(folder.as_ref(), None, |line| {
        if let Ok(mut entry) = serde_json::from_slice::<Entry>(line.bytes)
            && entry.kind != "segment"
        {
            line.writer.clone_into(&mut entry.writer);
            visit(entry);
        }
    })
}
