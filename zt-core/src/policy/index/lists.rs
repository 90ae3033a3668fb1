//! The rows of each bundle: four lists, short ones to walk and long ones to probe.

use std::ops::ControlFlow;

use rustc_hash::FxHashMap;

use super::principals::Who;
use super::{at, principals};
use crate::policy::Action;

/// Which of a bundle's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Denies of the whole resource.
    WholeDenies,
    /// Denies of columns.
    ColumnDenies,
    /// Allows of the whole resource.
    WholeAllows,
    /// Allows of columns.
    ColumnAllows,
}

impl Class {
    /// How many there are.
    pub(super) const COUNT: usize = 4;

    pub(super) const fn of(is_deny: bool, has_columns: bool) -> Self {
        match (is_deny, has_columns) {
            (true, false) => Self::WholeDenies,
            (true, true) => Self::ColumnDenies,
            (false, false) => Self::WholeAllows,
            (false, true) => Self::ColumnAllows,
        }
    }

    /// Whether the list of this number holds denies.
    pub(super) const fn is_of_denies(list: u32) -> bool {
        at(list) % Self::COUNT < Self::WholeAllows as usize
    }

    const fn is_deny(self) -> bool {
        matches!(self, Self::WholeDenies | Self::ColumnDenies)
    }
}

/// Bit of an entry: a caller of whom not all groups are known may hold its principal.
pub(super) const MAYBE: u32 = 1 << 31;
/// Bit of an entry: its row has a condition.
pub(super) const CONDITIONAL: u32 = 1 << 30;

/// One row, as a list holds it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) row: u32,
    pub(super) principal: u32,
    /// The bits of its actions, [`MAYBE`] and [`CONDITIONAL`].
    pub(super) marks: u32,
}

/// What is known of a list without reading it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct List {
    pub(super) entries: (u32, u32),
    /// A bit for each principal, by its number modulo 64.
    pub(super) filter: u64,
    /// The marks of all entries.
    pub(super) marks: u32,
    pub(super) is_long: bool,
}

/// What a long list is probed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Probe {
    pub(super) list: u32,
    pub(super) principal: u32,
    pub(super) action: u32,
}

/// All lists. Entries of a short list, and of each probe of a long one, are in the order of the table.
pub(super) struct Lists {
    pub(super) lists: Box<[List]>,
    pub(super) entries: Box<[Entry]>,
    pub(super) probes: FxHashMap<Probe, (u32, u32)>,
}

impl Lists {
    /// Visits the entries of a bundle's list whose action is asked for and whose principal the caller holds (for
    /// denies: may hold). A visitor that breaks is spared later rows of the same run, not other runs. A deny that is
    /// held and may be held can be met twice.
    pub(super) fn each(
        &self,
        (bundle, class): (u32, Class),
        who: &Who<'_>,
        action: Action,
        visit: &mut impl FnMut(Entry) -> ControlFlow<()>,
    ) {
        let number = bundle * 4 + class as u32;
        let Some(list) = self.lists.get(at(number)) else {
            return;
        };
        let guesses = class.is_deny() && !who.groups_are_complete;
        let may_fit = list.filter & who.filter != 0 || guesses && list.marks & MAYBE != 0;
        if list.marks & action.bit() == 0 || !may_fit {
            return;
        }
        if !list.is_long {
            let fits = |entry: &&Entry| {
                entry.marks & action.bit() != 0
                    && (who.holds(entry.principal) || guesses && entry.marks & MAYBE != 0)
            };
            let mut fitting = self.run(list.entries).iter().filter(fits);
            let _ = fitting.try_for_each(|entry| visit(*entry));
            return;
        }
        let guessed = guesses.then_some(principals::GUESSED);
        for principal in who.ids.iter().copied().chain(guessed) {
            let probe = Probe {
                list: number,
                principal,
                action: action as u32,
            };
            if let Some(run) = self.probes.get(&probe) {
                let _ = self.run(*run).iter().try_for_each(|entry| visit(*entry));
            }
        }
    }

    fn run(&self, (start, end): (u32, u32)) -> &[Entry] {
        self.entries.get(at(start)..at(end)).unwrap_or_default()
    }
}
