//! Opens a sealed file, and finds what was changed, cut, added, moved or exchanged. No byte of a segment is released before
//! the segment is verified.

use std::io::{Read, Write};

use super::segments::{Segments, each};
use super::{FileError, FileHeader, FileKey, PlainBytes, TAG_LEN};
use crate::envelope::Opener;
use crate::error::Result;

/// So many bytes are opened again to find where a segment belongs.
const MOST_SOUGHT: usize = 64 << 20;

impl Opener {
    /// Opens a file whose header was read from the same place, and answers how many bytes were written. Segments are
    /// written as soon as they are verified, so after an error something may be there, which is whole as far as it goes and
    /// must not be taken for the file.
    ///
    /// # Errors
    /// `Integrity` if the file was sealed under another name or key, or was changed, cut, extended or put together from
    /// others; `Denied` with [`Code::ObligationUnmet`](crate::Code::ObligationUnmet) where the right covers only some columns
    /// or rows; `Invalid` when it cannot be read or written.
    pub fn unseal_stream(
        &self,
        name: &str,
        header: &FileHeader,
        segments: impl Read,
        mut to: impl Write,
    ) -> Result<u64> {
        let key = self.file_key(name, header)?;
        let mut segments = Segments::new(segments, (1 << header.segment_bits) + TAG_LEN, 0)?;
        let mut length = 0;
        loop {
            let group = segments.read()?;
            if group.is_empty() {
                break;
            }
            let outcome = each(group, |one| {
                let to = one.to.bytes_mut();
                to.clear();
                match key.append(one.number, one.is_last, &one.from, to) {
                    true => Ok(()),
                    false => Err(one.number),
                }
            });
            let failed = outcome.err();
            for one in group {
                if failed == Some(one.number) {
                    let (number, is_last) = (one.number, one.is_last);
                    return Err(key.explain(number, is_last, &one.from, header).into());
                }
                to.write_all(&one.to).map_err(FileError::Write)?;
                length += one.to.len() as u64;
            }
        }
        to.flush().map_err(FileError::Write)?;
        Ok(length)
    }

    /// The key of a file that was sealed as `name`, if its header is whole.
    pub(super) fn file_key(&self, name: &str, header: &FileHeader) -> Result<FileKey> {
        if !self.shows_everything() {
            return Err(FileError::NotWhole.into());
        }
        let key = self.files(&header.key_text).ok_or(FileError::KeyNotHeld)?;
        if !header.is_committed(key)? {
            return Err(FileError::HeaderChanged.into());
        }
        if header.name != name {
            return Err(FileError::SealedAs {
                is: header.name.clone(),
                needs: name.to_owned(),
            }
            .into());
        }
        Ok(key.file(header)?)
    }
}

impl FileKey {
    /// Why a segment does not open in its place: it is tried where else it may belong.
    pub(super) fn explain(
        &self,
        number: u32,
        is_last: bool,
        sealed: &[u8],
        header: &FileHeader,
    ) -> FileError {
        let segment = u64::from(number) + 1;
        let mut plain = PlainBytes::default();
        let mut opens = |number, is_last| {
            let plain = plain.bytes_mut();
            plain.clear();
            self.append(number, is_last, sealed, plain)
        };
        if opens(number, !is_last) {
            return match is_last {
                true => FileError::Cut { segments: segment },
                false => FileError::Longer { segment },
            };
        }
        let whole = (1 << header.segment_bits) + TAG_LEN;
        if is_last && sealed.len() < TAG_LEN {
            let segments = u64::from(number);
            return FileError::Cut { segments };
        }
        let most = u32::try_from(MOST_SOUGHT / whole).unwrap_or_default();
        let nearby = number.saturating_sub(most / 2)..=number.saturating_add(most / 2);
        for other in nearby.filter(|other| *other != number) {
            if opens(other, false) || opens(other, true) {
                let from = u64::from(other) + 1;
                return FileError::Moved { segment, from };
            }
        }
        match is_last && sealed.len() < whole {
            true => FileError::CutOrChanged { segment },
            false => FileError::Changed { segment },
        }
    }
}
