//! Rows that are not asked by a decision and still matter for people: allows that nearly applied, and rows that may apply
//! at another time. Bounded, and off the hot path.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::lists::{Class, Entry, LONG, MAYBE};
use super::principals::GUESSED;
use super::{Projection, at};
use crate::clock::Timestamp;
use crate::metadata::Snapshot;
use crate::policy::Request;

/// The places of the allow rows of each principal, one principal after the other.
#[derive(Debug, Default)]
pub(super) struct AllowsOf {
    starts: Box<[u32]>,
    rows: Box<[u32]>,
}

impl AllowsOf {
    /// From pairs of a principal and a row.
    pub(super) fn new(mut pairs: Vec<(u32, u32)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        let mut starts = Vec::new();
        for (place, (principal, _)) in (0_u32..).zip(&pairs) {
            while starts.len() <= at(*principal) {
                starts.push(place);
            }
        }
        Self {
            starts: Box::from(starts),
            rows: pairs.iter().map(|(_, row)| *row).collect(),
        }
    }

    fn of(&self, principal: u32) -> &[u32] {
        let Some(start) = self.starts.get(at(principal)) else {
            return &[];
        };
        let end = self.starts.get(at(principal).saturating_add(1));
        let end = end.map_or(self.rows.len(), |end| at(*end));
        self.rows.get(at(*start)..end).unwrap_or_default()
    }
}

impl Projection {
    /// Adds allow rows whose action and resource match, at most `most`, those first whose principal the caller holds;
    /// whether there may be more.
    pub(in crate::policy) fn allows_on(
        &self,
        snapshot: &Snapshot,
        request: &Request,
        most: usize,
        rows: &mut BTreeSet<usize>,
    ) -> bool {
        let (kind, path) = (request.resource.kind(), request.resource.path());
        let who = self.who(snapshot, (kind, path), request.now);
        let index = snapshot.index();
        let mut is_cut = false;
        let mut add = |row: u32| {
            if rows.len() >= most && !rows.contains(&at(row)) {
                is_cut = true;
                return ControlFlow::Break(());
            }
            rows.insert(at(row));
            ControlFlow::Continue(())
        };
        for is_held in [true, false] {
            index.trie.walk(kind, path, &mut |bundle| {
                for class in [Class::WholeAllows, Class::ColumnAllows] {
                    let list = (bundle, class);
                    if is_held {
                        let action = request.action;
                        index
                            .lists
                            .each(list, &who, action, &mut |entry| add(entry.row));
                    } else {
                        let entries = index.lists.all(list).iter();
                        let asked = entries.filter(|entry| entry.marks & request.action.bit() != 0);
                        let _ = asked.map(|entry| entry.row).try_for_each(&mut add);
                    }
                }
            });
        }
        is_cut
    }

    /// Adds allow rows of principals that the caller holds, on whatever resource, at most `most`; whether there may be more.
    pub(in crate::policy) fn allows_elsewhere(
        &self,
        snapshot: &Snapshot,
        request: &Request,
        most: usize,
        rows: &mut BTreeSet<usize>,
    ) -> bool {
        let place = (request.resource.kind(), request.resource.path());
        let who = self.who(snapshot, place, request.now);
        let limited = who.limited(crate::policy::Effect::Allow);
        let held = who.ids.iter().copied().chain(limited);
        let allows = &snapshot.index().allows_of;
        let mut theirs = held.flat_map(|principal| allows.of(principal));
        rows.extend(theirs.by_ref().take(most).map(|row| at(*row)));
        theirs.next().is_some()
    }

    /// Visits every row, of whatever effect, whose action and resource match and whose principal the caller may hold at
    /// some time; a row can come more than once. Then the moments after `now` at which a membership of the caller begins
    /// or ends to count.
    pub(in crate::policy) fn at_any_time(
        &self,
        snapshot: &Snapshot,
        request: &Request,
        now: Timestamp,
        visit: &mut impl FnMut(usize),
    ) -> Option<Timestamp> {
        let (kind, path) = (request.resource.kind(), request.resource.path());
        let who = self.who(snapshot, (kind, path), request.now);
        let index = snapshot.index();
        let guesses = |marks: u32| who.guesses() && marks & MAYBE != 0;
        index.trie.walk(kind, path, &mut |bundle| {
            for class in Class::ALL {
                let (filter, marks) = index.lists.summary((bundle, class));
                if marks & request.action.bit() == 0 || filter & who.filter == 0 && !guesses(marks)
                {
                    continue;
                }
                let asked = |entry: &&Entry| entry.marks & request.action.bit() != 0;
                if marks & LONG == 0 {
                    // One pass over a short list, however much the caller holds.
                    let entries = index.lists.all((bundle, class)).iter().filter(asked);
                    let theirs = entries
                        .filter(|entry| who.may_ever_hold(entry.principal) || guesses(entry.marks));
                    theirs.for_each(|entry| visit(at(entry.row)));
                    continue;
                }
                for principal in who.ever().chain([GUESSED]) {
                    let list = (bundle, class);
                    let run = index.lists.run_of(list, principal, request.action).iter();
                    let theirs = run.filter(asked).filter(|entry| {
                        entry.principal == principal || principal == GUESSED && guesses(entry.marks)
                    });
                    theirs.for_each(|entry| visit(at(entry.row)));
                }
            }
        });
        who.next_change(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_principal_finds_its_own_rows() {
        let allows = AllowsOf::new(vec![(5, 2), (0, 7), (5, 1), (2, 9), (5, 2)]);
        let rows: Vec<&[u32]> = (0..7).map(|principal| allows.of(principal)).collect();
        let none: &[u32] = &[];
        assert_eq!(rows, [&[7][..], none, &[9], none, none, &[1, 2], none]);
        assert_eq!(AllowsOf::default().of(3), none);
    }
}
