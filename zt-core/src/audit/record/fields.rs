//! The fields behind a record's outcome as the text of its line, written where the record is built: whoever chains it has
//! only to copy.
//!
//! In: fields in any order. Out: their JSON in the one order that lines have. One piece of memory for all of them, so that
//! the thread that frees it, which is not the one that asked for it, frees one.

use std::ops::Range;

use crate::audit::json::{push_text, text_length};

/// How much memory a record starts with, in bytes: most need no more.
const USUAL: usize = 256;

/// A part of the text, in the order in which they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Caller,
    Ids,
    Names,
    Decision,
    Policies,
    Snapshot,
    Facts,
    Detail,
    NearMisses,
}

const PARTS: usize = Part::NearMisses as usize + 1;

impl Part {
    /// What opens a list or an object, and what closes it.
    const fn frame(self) -> (&'static [u8], u8) {
        match self {
            Self::Policies => (b",\"policies\":[", b']'),
            Self::Facts => (b",\"facts\":[", b']'),
            Self::Detail => (b",\"detail\":{", b'}'),
            Self::NearMisses => (b",\"near_misses\":[", b']'),
            Self::Caller | Self::Ids | Self::Names | Self::Decision | Self::Snapshot => (b"", b'}'),
        }
    }
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Fields {
    /// Each field with a comma before it.
    text: Vec<u8>,
    /// Where each part ends.
    ends: [u32; PARTS],
    /// How many elements each has.
    elements: [u8; PARTS],
}

impl Fields {
    pub(super) fn new() -> Self {
        Self {
            text: Vec::with_capacity(USUAL),
            ends: [0; PARTS],
            elements: [0; PARTS],
        }
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Memory that it takes beside its own size, in bytes.
    pub(super) const fn memory(&self) -> usize {
        self.text.capacity()
    }

    /// Two pieces: caller, action and resource; policies, snapshot, facts and details.
    pub(super) fn repeated(&self) -> [&[u8]; 2] {
        let caller = 0..self.end(Part::Names);
        let rows = self.end(Part::Decision)..self.end(Part::Detail);
        [caller, rows].map(|range| self.text.get(range).unwrap_or_default())
    }

    /// Writes a part, in the place of what it says so far.
    pub(super) fn set(&mut self, part: Part, write: impl FnOnce(&mut Vec<u8>)) {
        let old = self.range(part);
        self.replace(part, old, write);
    }

    /// Adds an element to a list or an object; whether there was room for it.
    pub(super) fn add(&mut self, part: Part, most: u8, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        let Some(elements) = self.elements.get_mut(part as usize) else {
            return false;
        };
        if *elements >= most {
            return false;
        }
        *elements += 1;
        let (opening, closing) = part.frame();
        let range = self.range(part);
        if range.is_empty() {
            self.replace(part, range, |text| {
                text.extend_from_slice(opening);
                write(text);
                text.push(closing);
            });
            return true;
        }
        let last = range.end.saturating_sub(1)..range.end;
        self.replace(part, last, |text| {
            text.push(b',');
            write(text);
            text.push(closing);
        });
        true
    }

    /// Gives a name of an object this value; false if it has no such name.
    pub(super) fn update(&mut self, part: Part, name: &str, value: &str) -> bool {
        let place = self.place(part, name);
        let is_known = place.is_some();
        if let Some(place) = place {
            self.replace(part, place, |text| push_text(value, text));
        }
        is_known
    }

    /// Where the value of a name stands in an object of texts.
    fn place(&mut self, part: Part, name: &str) -> Option<Range<usize>> {
        let range = self.range(part);
        if range.is_empty() {
            return None;
        }
        // For as long as it is looked for, it stands behind the others.
        let behind = self.text.len();
        push_text(name, &mut self.text);
        let (opening, _) = part.frame();
        let found = find(&self.text, range.start + opening.len()..range.end, behind);
        self.text.truncate(behind);
        found
    }

    /// Writes something in the place of what stands there, within one part.
    fn replace(&mut self, part: Part, old: Range<usize>, write: impl FnOnce(&mut Vec<u8>)) {
        let gone = old.len();
        let at = old.start;
        if old.end == self.text.len() {
            self.text.truncate(at);
        } else if gone > 0 {
            drop(self.text.drain(old));
        }
        let before = self.text.len();
        write(&mut self.text);
        let added = self.text.len() - before;
        if at < before
            && let Some(behind) = self.text.get_mut(at..)
        {
            behind.rotate_right(added);
        }
        for end in self.ends.iter_mut().skip(part as usize) {
            let moved = (*end as usize + added).saturating_sub(gone);
            *end = u32::try_from(moved).unwrap_or(u32::MAX);
        }
    }

    fn range(&self, part: Part) -> Range<usize> {
        let before = (part as usize).checked_sub(1);
        let start = before.and_then(|before| self.ends.get(before));
        start.map_or(0, |start| *start as usize)..self.end(part)
    }

    fn end(&self, part: Part) -> usize {
        self.ends.get(part as usize).map_or(0, |end| *end as usize)
    }
}

/// The value of the name that stands at `name`, among the names and values in `range`.
fn find(text: &[u8], range: Range<usize>, name: usize) -> Option<Range<usize>> {
    let name = text.get(name..)?;
    let mut at = range.start;
    while at < range.end {
        let end = at + text_length(text.get(at..)?);
        let value = end + 1;
        let value = value..value + text_length(text.get(value..)?);
        if text.get(at..end) == Some(name) {
            return Some(value);
        }
        at = value.end + 1;
    }
    None
}
