//! Reads a file some segments at a time, and works on them side by side.

use std::io::{self, Read};

use super::{FileError, PlainBytes};
use crate::envelope::workers;

/// So many segments are in memory at once, twice: as they came and as they go.
const MOST: usize = 32;
/// Fewer than these for each thread are not worth one.
pub(super) const LEAST: usize = 4;

/// One segment on its way.
pub(super) struct Segment {
    pub(super) number: u32,
    pub(super) is_last: bool,
    /// As it was read.
    pub(super) from: PlainBytes,
    /// As it is written, where that is another buffer.
    pub(super) to: PlainBytes,
}

/// The segments of a file, each of so many bytes but the last, which has at most as many.
pub(super) struct Segments<R> {
    from: R,
    size: usize,
    /// Room in a segment for the tag.
    room: usize,
    ahead: Option<u8>,
    next: u64,
    is_over: bool,
    group: Vec<Segment>,
}

impl<R: Read> Segments<R> {
    pub(super) fn new(mut from: R, size: usize, room: usize) -> Result<Self, FileError> {
        let ahead = one(&mut from).map_err(FileError::Read)?;
        Ok(Self {
            from,
            size,
            room,
            ahead,
            next: 0,
            is_over: false,
            group: Vec::new(),
        })
    }

    /// The next segments; none at the end. A file of nothing has one segment of nothing.
    pub(super) fn read(&mut self) -> Result<&mut [Segment], FileError> {
        let mut count = 0;
        while count < MOST && !self.is_over {
            if self.group.len() == count {
                self.group.push(Segment {
                    number: 0,
                    is_last: false,
                    from: Vec::with_capacity(self.size + self.room).into(),
                    to: PlainBytes::default(),
                });
            }
            let Some(segment) = self.group.get_mut(count) else {
                break;
            };
            segment.number = u32::try_from(self.next).map_err(|_| FileError::TooLong)?;
            let bytes = segment.from.bytes_mut();
            bytes.clear();
            bytes.extend(self.ahead.take());
            let most = self.size.saturating_sub(bytes.len());
            let most = u64::try_from(most).unwrap_or(u64::MAX);
            let mut part = (&mut self.from).take(most);
            part.read_to_end(bytes).map_err(FileError::Read)?;
            if bytes.len() == self.size {
                self.ahead = one(&mut self.from).map_err(FileError::Read)?;
            }
            segment.is_last = self.ahead.is_none();
            self.is_over = segment.is_last;
            self.next += 1;
            count += 1;
        }
        Ok(self.group.get_mut(..count).unwrap_or_default())
    }
}

/// One byte more, if there is one.
fn one(from: &mut impl Read) -> io::Result<Option<u8>> {
    let mut byte = [0];
    loop {
        return match from.read(&mut byte) {
            Ok(0) => Ok(None),
            Ok(_) => Ok(Some(byte[0])),
            Err(why) if why.kind() == io::ErrorKind::Interrupted => continue,
            Err(why) => Err(why),
        };
    }
}

/// Does the same to each segment, on several threads where that pays; the first error in order of the file.
pub(super) fn each<E: Send>(
    segments: &mut [Segment],
    work: impl Fn(&mut Segment) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let most = segments.len() / LEAST;
    let done = workers::each(segments.iter_mut().collect(), most, work);
    done.into_iter().collect()
}
