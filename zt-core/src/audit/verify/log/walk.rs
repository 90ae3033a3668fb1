//! The lines of one segment, four at a time where they can be, and the tree over them.

use std::io::{self, BufRead};

use super::super::super::chain::{Hash, Link};
use super::super::super::lines::{Line, Lines};
use super::super::super::scan::{Checker, Fault, Hashed};
use super::Reader;

/// How many records come into the tree at once.
const MOST_LEAVES: usize = 256;

/// How far one segment was read.
#[derive(Default)]
pub(super) struct Walk {
    /// How much of it counts, if its writer gave it up.
    pub(super) good_bytes: Option<u64>,
    pub(super) fault: Option<Fault>,
    pub(super) good_end: u64,
    pub(super) has_more: bool,
}

impl Reader<'_> {
    /// Goes on by one line, or by four; whether there was one.
    pub(super) fn lines(
        &mut self,
        lines: &mut Lines<impl BufRead>,
        checker: &mut Checker<'_>,
        walk: &mut Walk,
    ) -> io::Result<bool> {
        if let Some(four) = lines.next_four()? {
            let hashed = checker.hash_four(&four);
            let hashed = hashed.map_or([const { None }; 4], |hashed| hashed.map(Some));
            for (line, hashed) in four.iter().zip(hashed) {
                self.line(line, hashed, checker, walk);
            }
            return Ok(true);
        }
        let Some(line) = lines.next()? else {
            return Ok(false);
        };
        self.line(&line, None, checker, walk);
        Ok(true)
    }

    fn line<'l>(
        &mut self,
        line: &Line<'l>,
        hashed: Option<Hashed<'l>>,
        checker: &mut Checker<'_>,
        walk: &mut Walk,
    ) {
        let is_given_up = walk.good_bytes.is_some_and(|good| line.offset >= good);
        if is_given_up || walk.fault.is_some() {
            // Not part of the chain, or no longer known to be; what a link saw there was there all the same.
            walk.has_more |= is_given_up;
            self.report.links.satisfy_unchecked(line);
            return;
        }
        let checked = match hashed {
            Some(hashed) => checker.check_hashed(line, hashed),
            None => checker.check(line),
        };
        match checked {
            Ok(stamp) => {
                walk.good_end = line.end;
                self.record(line, &stamp, checker.link());
            }
            Err(found) => {
                walk.fault = Some(found);
                self.report.links.satisfy_unchecked(line);
            }
        }
    }

    /// Brings the tree to the newest record.
    pub(super) fn grow(&mut self, head: &Hash) {
        self.tree.extend(&self.leaves);
        self.leaves.clear();
        self.marks.reach(&self.tree, head);
    }

    /// Adds a record to the tree, together with the next ones where no checkpoint asks for it now.
    pub(super) fn add_leaf(&mut self, link: Link) {
        self.leaves.push(link.hash);
        if self.leaves.len() >= MOST_LEAVES || self.marks.is_due(link.seq) {
            self.grow(&link.hash);
        }
    }
}
