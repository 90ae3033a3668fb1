//! Reads a segment line by line in bounded memory, whatever the file holds.

use std::io::{self, BufRead};

/// The longest line that is read, in bytes, its newline included; our own are far shorter.
pub(super) const LONGEST: usize = 1 << 20;

/// The lines of one file.
#[derive(Debug)]
pub(super) struct Lines<R> {
    reader: R,
    /// A line that does not stand in the reader's memory as a whole.
    line: Vec<u8>,
    /// How much of the reader's memory the line before takes, if it was read there.
    used: usize,
    number: u64,
    offset: u64,
}

/// One line and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// Without the newline; empty if it is too long.
    pub(super) bytes: &'a [u8],
    /// From 1.
    pub(super) number: u64,
    /// Of its first byte in the file.
    pub(super) offset: u64,
    /// Of the first byte behind it.
    pub(super) end: u64,
    /// Whether a newline ends it.
    pub(super) is_whole: bool,
    /// Whether it is longer than [`LONGEST`].
    pub(super) is_too_long: bool,
    hid_zero: bool,
}

impl Line<'_> {
    /// Whether a zero is among its bytes, which no record has.
    pub(super) fn has_zero(&self) -> bool {
        self.hid_zero || memchr::memchr(0, self.bytes).is_some()
    }
}

impl<R: BufRead> Lines<R> {
    pub(super) const fn new(reader: R) -> Self {
        Self {
            reader,
            line: Vec::new(),
            used: 0,
            number: 0,
            offset: 0,
        }
    }

    /// The next line, or `None` at the end of the file.
    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.reader.consume(std::mem::take(&mut self.used));
        match memchr::memchr(b'\n', self.reader.fill_buf()?) {
            Some(at) if at < LONGEST => self.in_place(at),
            Some(_) | None => self.gathered(),
        }
    }

    /// The line whose newline stands in the reader's memory: nothing is copied.
    fn in_place(&mut self, newline: usize) -> io::Result<Option<Line<'_>>> {
        let start = self.offset;
        self.used = newline + 1;
        self.offset += u64::try_from(self.used).unwrap_or(u64::MAX);
        self.number += 1;
        let bytes = self.reader.fill_buf()?.get(..newline);
        Ok(Some(Line {
            bytes: bytes.unwrap_or_default(),
            number: self.number,
            offset: start,
            end: self.offset,
            is_whole: true,
            is_too_long: false,
            hid_zero: false,
        }))
    }

    fn gathered(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        let start = self.offset;
        let mut is_whole = false;
        let mut is_too_long = false;
        let mut hid_zero = false;
        while !is_whole {
            let chunk = self.reader.fill_buf()?;
            if chunk.is_empty() {
                break;
            }
            let newline = memchr::memchr(b'\n', chunk);
            is_whole = newline.is_some();
            let text = newline.map_or(chunk, |at| chunk.get(..at).unwrap_or_default());
            if self.line.len() + text.len() < LONGEST && !is_too_long {
                self.line.extend_from_slice(text);
            } else {
                hid_zero |= [self.line.as_slice(), text]
                    .iter()
                    .any(|part| memchr::memchr(0, part).is_some());
                self.line.clear();
                is_too_long = true;
            }
            let used = text.len() + usize::from(is_whole);
            self.reader.consume(used);
            self.offset += u64::try_from(used).unwrap_or(u64::MAX);
        }
        if self.offset == start {
            return Ok(None);
        }
        self.number += 1;
        Ok(Some(Line {
            bytes: &self.line,
            number: self.number,
            offset: start,
            end: self.offset,
            is_whole,
            is_too_long,
            hid_zero,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_know_where_they_stand() {
        let mut lines = Lines::new(&b"one\n\nthree"[..]);
        let mut seen = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            let text = String::from_utf8_lossy(line.bytes).into_owned();
            seen.push((text, line.number, line.offset, line.end, line.is_whole));
        }
        assert_eq!(
            seen,
            [
                ("one".to_owned(), 1, 0, 4, true),
                (String::new(), 2, 4, 5, true),
                ("three".to_owned(), 3, 5, 10, false),
            ]
        );
    }

    #[test]
    fn a_line_is_the_same_however_much_of_it_the_reader_holds() {
        let text = b"one\n\nthree and more\nfour\n\nsix";
        let all = |capacity| {
            let mut lines = Lines::new(io::BufReader::with_capacity(capacity, &text[..]));
            let mut seen = Vec::new();
            while let Some(line) = lines.next().unwrap() {
                let bytes = line.bytes.to_vec();
                seen.push((bytes, line.number, line.offset, line.end, line.is_whole));
            }
            seen
        };
        let whole = all(text.len());
        assert_eq!(whole.len(), 6);
        for capacity in 1..=text.len() {
            assert_eq!(all(capacity), whole, "{capacity}");
        }
    }

    #[test]
    fn a_giant_line_is_passed_over_without_being_held() {
        let mut text = vec![b'x'; 3 * LONGEST];
        text.extend_from_slice(b"\nnext\n");
        let mut lines = Lines::new(io::BufReader::with_capacity(1 << 14, &text[..]));
        assert!(lines.next().unwrap().unwrap().is_too_long);
        assert!(lines.line.capacity() <= 2 * LONGEST);
        assert_eq!(lines.next().unwrap().unwrap().bytes, b"next");
    }
}
