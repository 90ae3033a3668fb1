//! Files that lie in memory: each segment is sealed or opened where it will stay.

use zeroize::Zeroizing;

use super::segments::LEAST;
use super::{FileError, FileHeader, PlainBytes, TAG_LEN};
use crate::envelope::{Opener, SealError, Sealer, workers};
use crate::error::Result;

/// One segment of a file in memory.
#[derive(Clone, Copy)]
struct Piece<'a> {
    number: u32,
    is_last: bool,
    bytes: &'a [u8],
}

/// The segments of these bytes, each of so many but the last. Of nothing there is one, which is empty.
fn pieces(
    bytes: &[u8],
    size: usize,
) -> Result<impl ExactSizeIterator<Item = Piece<'_>>, FileError> {
    let count = bytes.len().div_ceil(size).max(1);
    let last = u32::try_from(count - 1).map_err(|_| FileError::TooLong)?;
    let piece = move |at: usize| {
        let number = u32::try_from(at).unwrap_or(last);
        let start = at * size;
        let end = bytes.len().min(start + size);
        Piece {
            number,
            is_last: number == last,
            bytes: bytes.get(start..end).unwrap_or_default(),
        }
    };
    Ok((0..count).map(piece))
}

impl Sealer {
    /// As [`seal_stream`](Self::seal_stream), for bytes in memory.
    ///
    /// # Errors
    /// `Invalid` for a name that is empty, longer than 1,024 bytes or has control characters.
    pub fn seal_bytes(&self, name: &str, bytes: &[u8]) -> Result<Vec<u8>> {
        let header = FileHeader::new(self.key_text(), name, self.files())?;
        let (key, head) = (self.files().file(&header)?, header.bytes());
        let pieces = pieces(bytes, 1 << header.segment_bits)?;
        let length = head.len() + bytes.len() + pieces.len() * TAG_LEN;
        let threads = workers::threads(pieces.len() / LEAST);
        if threads < 2 {
            // Wiped unless every segment of it is sealed.
            let mut sealed = Zeroizing::new(Vec::with_capacity(length));
            sealed.extend_from_slice(&head);
            for piece in pieces {
                let start = sealed.len();
                sealed.extend_from_slice(piece.bytes);
                let place = sealed.get_mut(start..).unwrap_or_default();
                let tag = key.seal(piece.number, piece.is_last, place)?;
                sealed.extend_from_slice(&tag);
            }
            return Ok(std::mem::take(&mut *sealed));
        }
        let mut sealed = Zeroizing::new(vec![0; length]);
        let (first, mut rest) = sealed
            .split_at_mut_checked(head.len())
            .ok_or(SealError::Crypto)?;
        first.copy_from_slice(&head);
        let mut tasks = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let place = rest.split_off_mut(..piece.bytes.len() + TAG_LEN);
            tasks.push((piece, place.ok_or(SealError::Crypto)?));
        }
        let done = workers::each(tasks, threads, |(piece, place)| {
            let (text, tag) = place.split_last_chunk_mut().ok_or(SealError::Crypto)?;
            text.copy_from_slice(piece.bytes);
            *tag = key.seal(piece.number, piece.is_last, text)?;
            Ok(())
        });
        done.into_iter().collect::<Result<(), SealError>>()?;
        Ok(std::mem::take(&mut *sealed))
    }
}

impl Opener {
    /// As [`unseal_stream`](Self::unseal_stream), for bytes in memory; nothing is given out after an error.
    ///
    /// # Errors
    /// As [`unseal_stream`](Self::unseal_stream).
    pub fn unseal_bytes(&self, name: &str, sealed: &[u8]) -> Result<PlainBytes> {
        let mut rest = sealed;
        let header = FileHeader::read(&mut rest)?;
        let key = self.file_key(name, &header)?;
        let pieces = pieces(rest, (1 << header.segment_bits) + TAG_LEN)?;
        let threads = workers::threads(pieces.len() / LEAST);
        if threads < 2 {
            let mut plain = PlainBytes::from(Vec::with_capacity(rest.len()));
            for piece in pieces {
                let (number, is_last) = (piece.number, piece.is_last);
                if !key.append(number, is_last, piece.bytes, plain.bytes_mut()) {
                    return Err(key
                        .explain(piece.number, piece.is_last, piece.bytes, &header)
                        .into());
                }
            }
            return Ok(plain);
        }
        let pieces: Vec<Piece<'_>> = pieces.collect();
        // Without room even for a tag there is nothing to open.
        let length = |piece: &Piece<'_>| piece.bytes.len().saturating_sub(TAG_LEN);
        let mut plain = PlainBytes::from(vec![0; pieces.iter().map(length).sum()]);
        let (mut places, mut tasks) = (
            plain.bytes_mut().as_mut_slice(),
            Vec::with_capacity(pieces.len()),
        );
        for piece in pieces {
            let place = places.split_off_mut(..length(&piece));
            tasks.push((piece, place.unwrap_or_default()));
        }
        let done = workers::each(tasks, threads, |(piece, place)| {
            let is_whole = key.open_apart(piece.number, piece.is_last, piece.bytes, place);
            if is_whole { Ok(()) } else { Err(piece) }
        });
        let done = done.into_iter().collect::<Result<(), Piece<'_>>>();
        done.map_err(|piece| key.explain(piece.number, piece.is_last, piece.bytes, &header))?;
        Ok(plain)
    }
}
