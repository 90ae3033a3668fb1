//! Where the sealed cells of a column lie: measured first, then filled in their places.
//!
//! In: the cells of a column and its key. Out: the bytes of the sealed column and where each cell ends. Lengths are known
//! before anything is sealed, so nothing moves, and no plaintext stays behind in memory that was given back.

use std::ops::Range;

use zeroize::Zeroizing;

use super::Store;
use super::cells::Cells;
use crate::envelope::form::RowKeys;
use crate::envelope::format::{self, Version};
use crate::envelope::seal::{Nonces, Prefix};
use crate::envelope::{ColumnKey, SealError};

/// So many bytes are sealed before they are written as text: enough for wide instructions, and within the nearest cache.
const BLOCK: usize = 6 << 10;

/// One column that is sealed.
pub(super) struct Job<'a> {
    pub(super) name: &'a str,
    pub(super) key: &'a ColumnKey,
    pub(super) cells: Cells,
    /// Its type, written.
    pub(super) kind: Vec<u8>,
    /// The counter of its first nonce.
    pub(super) first: usize,
    pub(super) store: Store,
}

/// The sealed cells of a column: one after the other, and where each ends, behind a zero. Wiped unless it is taken whole.
pub(super) struct Place {
    pub(super) ends: Vec<i32>,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

/// Some rows of a column, and their part of its place.
pub(super) struct Task<'a> {
    job: &'a Job<'a>,
    rows: Range<usize>,
    /// Where they end, behind where the first begins.
    ends: &'a [i32],
    bytes: &'a mut [u8],
}

impl Place {
    /// The place in the parts that these rows have in it.
    pub(super) fn tasks<'a>(
        &'a mut self,
        job: &'a Job<'a>,
        parts: impl Iterator<Item = Range<usize>>,
    ) -> Option<Vec<Task<'a>>> {
        let mut rest = self.bytes.as_mut_slice();
        let task = |rows: Range<usize>| {
            let ends = self.ends.get(rows.start..=rows.end)?;
            let bytes = rest.split_off_mut(..length(ends)?)?;
            Some(Task {
                job,
                rows,
                ends,
                bytes,
            })
        };
        parts.map(task).collect()
    }
}

impl Job<'_> {
    /// Room for the sealed cells of so many rows; `None` beyond 2 GiB.
    pub(super) fn place(&self, rows: usize) -> Option<Place> {
        let mut ends = Vec::with_capacity(rows + 1);
        let mut end = 0_i32;
        ends.push(end);
        for row in 0..rows {
            let value = match self.cells.is_there(row) {
                true => self.cells.length(row)?,
                // The code of a missing value.
                false => 1,
            };
            let sealed = self.key.sealed_len(self.kind.len().checked_add(value)?)?;
            let stored = match self.store {
                Store::Text => format::text_len(sealed)?,
                Store::Bytes => sealed.checked_add(1)?,
            };
            end = end.checked_add(i32::try_from(stored).ok()?)?;
            ends.push(end);
        }
        let bytes = Zeroizing::new(vec![0; usize::try_from(end).ok()?]);
        Some(Place { ends, bytes })
    }

    /// Seals a cell in its place: `nonce | plaintext | tag`.
    fn seal(
        &self,
        row: usize,
        nonces: &mut Nonces,
        (bound, scratch): (&RowKeys, &mut Vec<u8>),
        cell: &mut [u8],
    ) -> Result<(), SealError> {
        let plain = self.key.plain_of(cell, || nonces.next())?;
        let (mut to, is_there) = (plain, self.cells.is_there(row));
        if !is_there {
            let first = to.split_off_first_mut().ok_or(SealError::Crypto)?;
            *first = 0;
        }
        let kind = to.split_off_mut(..self.kind.len());
        kind.ok_or(SealError::Crypto)?.copy_from_slice(&self.kind);
        if is_there {
            let written = self.cells.write(row, &mut to);
            written.ok_or_else(|| self.too_long())?;
        }
        if !to.is_empty() {
            return Err(SealError::Crypto);
        }
        self.key.seal(cell, bound.of(row), scratch)
    }

    pub(super) fn too_long(&self) -> SealError {
        SealError::ColumnTooLong {
            column: self.name.to_owned(),
        }
    }
}

impl Task<'_> {
    /// Fills the part.
    pub(super) fn seal(self, prefix: Prefix, bound: &RowKeys) -> Result<(), SealError> {
        let Self { job, rows, .. } = &self;
        let nonces = Nonces::after(prefix, job.first + rows.start);
        match job.store {
            Store::Text => self.seal_text(nonces, bound),
            Store::Bytes => self.seal_bytes(nonces, bound),
        }
    }

    fn seal_bytes(self, mut nonces: Nonces, bound: &RowKeys) -> Result<(), SealError> {
        let (version, mut rest) = (self.job.key.version().byte(), self.bytes);
        let mut scratch = Vec::new();
        for (row, stored) in self.rows.zip(lengths(self.ends)) {
            let cell = rest.split_off_mut(..stored).ok_or(SealError::Crypto)?;
            let (first, cell) = cell.split_first_mut().ok_or(SealError::Crypto)?;
            *first = version;
            self.job
                .seal(row, &mut nonces, (bound, &mut scratch), cell)?;
        }
        Ok(())
    }

    fn seal_text(self, mut nonces: Nonces, bound: &RowKeys) -> Result<(), SealError> {
        let longest = lengths(self.ends).max().unwrap_or_default();
        let mut block = Block::new(longest, self.job.key.version());
        let (mut rest, mut scratch) = (self.bytes, Vec::new());
        for (row, stored) in self.rows.zip(lengths(self.ends)) {
            if !block.has_room(stored) {
                block.write(&mut rest)?;
            }
            let cell = block.cell(stored).ok_or(SealError::Crypto)?;
            self.job
                .seal(row, &mut nonces, (bound, &mut scratch), cell)?;
        }
        block.write(&mut rest)
    }
}

/// Sealed cells on their way to text. Each is followed by zeros up to three bytes, which are four characters, so that all
/// are written at once; the characters of the zeros are left out.
struct Block {
    version: Version,
    sealed: Zeroizing<Vec<u8>>,
    used: usize,
    text: Vec<u8>,
    /// How long the text of each cell is.
    stored: Vec<usize>,
}

impl Block {
    /// One for cells whose text is at most so long.
    fn new(longest: usize, version: Version) -> Self {
        let room = BLOCK.max(format::sealed_len(longest).next_multiple_of(3));
        Self {
            version,
            sealed: Zeroizing::new(vec![0; room]),
            used: 0,
            text: vec![0; room / 3 * 4],
            stored: Vec::new(),
        }
    }

    fn has_room(&self, stored: usize) -> bool {
        let length = format::sealed_len(stored).next_multiple_of(3);
        self.used + length <= self.sealed.len()
    }

    /// Room for the next cell, whose text is so long.
    fn cell(&mut self, stored: usize) -> Option<&mut [u8]> {
        let length = format::sealed_len(stored);
        let padded = length.next_multiple_of(3);
        let place = self.sealed.get_mut(self.used..self.used + padded)?;
        let (cell, padding) = place.split_at_mut_checked(length)?;
        padding.fill(0);
        self.used += padded;
        self.stored.push(stored);
        Some(cell)
    }

    /// Writes the text of every cell, and is empty.
    fn write(&mut self, to: &mut &mut [u8]) -> Result<(), SealError> {
        let sealed = self.sealed.get(..self.used).unwrap_or_default();
        let written = format::encode_groups(sealed, &mut self.text)?;
        let mut text = self.text.get(..written).unwrap_or_default();
        for stored in self.stored.drain(..) {
            let place = to.split_off_mut(..stored).ok_or(SealError::Crypto)?;
            let own = format::write_text(self.version, text, place);
            text = own.ok_or(SealError::Crypto)?;
        }
        self.used = 0;
        Ok(())
    }
}

/// How many bytes each has.
fn lengths(ends: &[i32]) -> impl Iterator<Item = usize> {
    let length = |pair: &[i32]| length(pair).unwrap_or_default();
    ends.windows(2).map(length)
}

/// From the first of these ends to the last.
fn length(ends: &[i32]) -> Option<usize> {
    usize::try_from(ends.last()?.checked_sub(*ends.first()?)?).ok()
}
