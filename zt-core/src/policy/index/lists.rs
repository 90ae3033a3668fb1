//! The rows of each bundle: four lists, short ones to walk and long ones to probe.

use std::ops::ControlFlow;

use rustc_hash::FxHashMap;

use super::principals::Who;
use super::{at, principals};
use crate::policy::Action;

/// Which of a bundle's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

    /// Every class, in the order of a bundle's lists.
    pub(super) const ALL: [Self; Self::COUNT] = [
        Self::WholeDenies,
        Self::ColumnDenies,
        Self::WholeAllows,
        Self::ColumnAllows,
    ];

    /// Whether it is one of denies.
    pub(super) const fn is_deny(self) -> bool {
        matches!(self, Self::WholeDenies | Self::ColumnDenies)
    }
}

/// Bit of an entry: a caller of whom not all groups are known may hold its principal.
pub(super) const MAYBE: u32 = 1 << 31;

/// Bit of a list's marks: it is probed.
pub(super) const LONG: u32 = 1 << 30;

/// One row, as a list holds it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) row: u32,
    pub(super) principal: u32,
    /// The bits of its actions, and [`MAYBE`].
    pub(super) marks: u32,
    /// The first row with the same condition, [`NONE`] without one. So many rows ask few conditions, which stay in the
    /// processor's caches.
    pub(super) condition: u32,
}

/// What is known of a bundle's lists without reading them: one line of the processor's cache.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
pub(super) struct Bundle {
    /// Where the first list begins.
    pub(super) start: u32,
    /// Where each list ends and the next begins.
    pub(super) ends: [u32; Class::COUNT],
    /// The marks of all entries of each list, and [`LONG`].
    pub(super) marks: [u32; Class::COUNT],
    /// For denies and for allows: a bit for each principal, by its number modulo 64.
    pub(super) filters: [u64; 2],
}

/// What a long list is probed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Probe {
    pub(super) bundle: u32,
    pub(super) class: Class,
    pub(super) principal: u32,
    pub(super) action: u32,
}

/// All lists. Entries of a short list, and of each probe of a long one, are in the order of the table.
pub(super) struct Lists {
    pub(super) bundles: Box<[Bundle]>,
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
        let (is_deny, place) = (class.is_deny(), class as usize);
        let Some(known) = self.bundles.get(at(bundle)) else {
            return;
        };
        let marks = known.marks.get(place).copied().unwrap_or_default();
        let filter = known.filters.get(usize::from(!is_deny));
        let guesses = is_deny && !who.groups_are_complete;
        let may_fit =
            filter.is_some_and(|filter| filter & who.filter != 0) || guesses && marks & MAYBE != 0;
        if marks & action.bit() == 0 || !may_fit {
            return;
        }
        if marks & LONG == 0 {
            let start = place.checked_sub(1).and_then(|last| known.ends.get(last));
            let start = start.copied().unwrap_or(known.start);
            let end = known.ends.get(place).copied().unwrap_or(start);
            let fits = |entry: &&Entry| {
                entry.marks & action.bit() != 0
                    && (who.holds(entry.principal) || guesses && entry.marks & MAYBE != 0)
            };
            let mut fitting = self.run((start, end)).iter().filter(fits);
            let _ = fitting.try_for_each(|entry| visit(*entry));
            return;
        }
        let guessed = guesses.then_some(principals::GUESSED);
        for principal in who.ids.iter().copied().chain(guessed) {
            let probe = Probe {
                bundle,
                class,
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
