//! Where something stands in a text file.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::text::shown;

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Place {
    /// The file's name.
    pub file: Arc<str>,
    /// The line, counted from 1.
    pub line: usize,
}

impl Place {
    /// A line of a file, counted from 1.
    #[must_use]
    pub const fn new(file: Arc<str>, line: usize) -> Self {
        Self { file, line }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", shown(&self.file), self.line)
    }
}

/// The lines of a file, to find the place of a byte.
#[derive(Debug)]
pub(crate) struct Lines {
    file: Arc<str>,
    ends: Vec<usize>,
}

impl Lines {
    pub(crate) fn of(file: Arc<str>, text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self {
            file,
            ends: ends.map(|(at, _)| at).collect(),
        }
    }

    /// The place of the byte at this offset.
    pub(crate) fn place(&self, offset: usize) -> Place {
        let before = self.ends.partition_point(|end| *end < offset);
        Place::new(Arc::clone(&self.file), before + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_cannot_colour_a_terminal() {
        let place = Place::new(Arc::from("\u{1b}[31m.toml"), 1);
        assert_eq!(place.to_string(), "\\u{1b}[31m.toml:1");
    }

    #[test]
    fn a_line_begins_after_the_line_feed() {
        let lines = Lines::of(Arc::from("f"), "ab\ncd\n");
        let line = |offset| lines.place(offset).line;
        assert_eq!(
            [line(0), line(2), line(3), line(5), line(6), line(99)],
            [1, 1, 2, 2, 3, 3]
        );
    }
}
