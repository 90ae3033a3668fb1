//! Opens a sealed file, and finds what was changed, cut, added, moved or exchanged. No byte of a segment is released before
//! the segment is verified.

use std::io::{Read, Write};

use zeroize::Zeroizing;

use super::segments::{Segment, Segments, each};
use super::{FileError, FileHeader, FileKey, TAG_LEN};
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
        let key = key.file(header)?;
        let mut segments = Segments::new(segments, (1 << header.segment_bits) + TAG_LEN, 0)?;
        let mut length = 0;
        loop {
            let group = segments.read()?;
            if group.is_empty() {
                break;
            }
            let outcome = each(group, |one| {
                match key.open(one.number, one.is_last, &one.from, &mut one.to) {
                    true => Ok(()),
                    false => Err(one.number),
                }
            });
            let failed = outcome.err();
            for one in group {
                if failed == Some(one.number) {
                    return Err(key.explain(one, header).into());
                }
                to.write_all(&one.to).map_err(FileError::Write)?;
                length += one.to.len() as u64;
            }
        }
        to.flush().map_err(FileError::Write)?;
        Ok(length)
    }

    /// The same for bytes in memory; nothing is given out after an error.
    ///
    /// # Errors
    /// As [`unseal_stream`](Self::unseal_stream).
    pub fn unseal_bytes(&self, name: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let mut rest = sealed;
        let header = FileHeader::read(&mut rest)?;
        let mut plain = Zeroizing::new(Vec::with_capacity(rest.len()));
        self.unseal_stream(name, &header, rest, &mut *plain)?;
        Ok(plain)
    }
}

impl FileKey {
    /// Why a segment does not open in its place: it is tried where else it may belong.
    fn explain(&self, one: &Segment, header: &FileHeader) -> FileError {
        let (sealed, number) = (&one.from, one.number);
        let segment = u64::from(number) + 1;
        let mut plain = Zeroizing::new(Vec::new());
        let mut opens = |number, is_last| self.open(number, is_last, sealed, &mut plain);
        if opens(number, !one.is_last) {
            return match one.is_last {
                true => FileError::Cut { segments: segment },
                false => FileError::Longer { segment },
            };
        }
        let whole = (1 << header.segment_bits) + TAG_LEN;
        if one.is_last && sealed.len() < TAG_LEN {
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
        match one.is_last && sealed.len() < whole {
            true => FileError::CutOrChanged { segment },
            false => FileError::Changed { segment },
        }
    }
}
