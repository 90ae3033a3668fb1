//! The rows of each bundle: four lists, short ones to walk and long ones to probe.

use std::ops::ControlFlow;

use rustc_hash::FxHashMap;

use super::principals::Who;
use super::{at, principals};
use crate::metadata::AccessPolicy;
use crate::policy::oracle::suffices;
use crate::policy::{Action, Effect};

/// Which of a bundle's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Class {
    /// Denies of the whole resource.
    WholeDenies,
    /// Denies of columns.
    ColumnDenies,
    /// Allows of the whole resource, or of some rows of it.
    WholeAllows,
    /// Allows of columns.
    ColumnAllows,
    /// Restrictions that demand a stronger sign-in; they stand in [`Restricts`](Self::Restricts) too.
    Gates,
    /// Restrictions.
    Restricts,
    /// Denies of rows. They never change how a request is decided, only what is seen.
    RowDenies,
}

impl Class {
    /// How many lists a bundle has at its own place.
    pub(super) const COUNT: usize = 4;
    /// How many more it may have aside: most bundles have none.
    pub(super) const ASIDE: usize = 3;

    /// The lists in which a row stands.
    pub(super) fn of(policy: &AccessPolicy) -> &'static [Self] {
        let has_columns = policy.columns.is_some();
        match policy.effect {
            Effect::Deny if policy.rows.is_some() => &[Self::RowDenies],
            Effect::Deny if has_columns => &[Self::ColumnDenies],
            Effect::Deny => &[Self::WholeDenies],
            Effect::Allow if has_columns => &[Self::ColumnAllows],
            Effect::Allow => &[Self::WholeAllows],
            Effect::Restrict if policy.obligations.step_up.is_some() => {
                &[Self::Gates, Self::Restricts]
            }
            Effect::Restrict => &[Self::Restricts],
        }
    }

    /// Every class: those of a bundle's own place in their order, then those aside in theirs.
    pub(super) const ALL: [Self; Self::COUNT + Self::ASIDE] = [
        Self::WholeDenies,
        Self::ColumnDenies,
        Self::WholeAllows,
        Self::ColumnAllows,
        Self::Gates,
        Self::Restricts,
        Self::RowDenies,
    ];

    /// Whether its lists lie aside, and its place there or at the bundle's own place.
    pub(super) const fn place(self) -> (bool, usize) {
        let place = self as usize;
        match place.checked_sub(Self::COUNT) {
            Some(aside) => (true, aside),
            None => (false, place),
        }
    }

    /// What its rows do when a fact is unknown: an allow does not apply, all others do.
    pub(super) const fn effect(self) -> Effect {
        match self {
            Self::WholeDenies | Self::ColumnDenies | Self::RowDenies => Effect::Deny,
            Self::WholeAllows | Self::ColumnAllows => Effect::Allow,
            Self::Gates | Self::Restricts => Effect::Restrict,
        }
    }

    /// Whether its rows apply only when everything is known to hold.
    pub(super) const fn is_allow(self) -> bool {
        matches!(self, Self::WholeAllows | Self::ColumnAllows)
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
    /// For allows and for all others: a bit for each principal, by its number modulo 64.
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
    /// The lists that lie aside, by the number of their bundle.
    pub(super) aside: FxHashMap<u32, Bundle>,
    pub(super) entries: Box<[Entry]>,
    pub(super) probes: FxHashMap<Probe, (u32, u32)>,
}

impl Lists {
    /// Visits the entries of a bundle's list whose action is asked for and whose principal the caller holds (but for
    /// allows: may hold). A visitor that breaks is spared later rows of the same run, not other runs. A row can be met
    /// more than once.
    pub(super) fn each(
        &self,
        (bundle, class): (u32, Class),
        who: &Who<'_>,
        action: Action,
        visit: &mut impl FnMut(Entry) -> ControlFlow<()>,
    ) {
        let Some((known, place)) = self.bundle((bundle, class)) else {
            return;
        };
        let is_allow = class.is_allow();
        let marks = known.marks.get(place).copied().unwrap_or_default();
        let filter = known.filters.get(usize::from(!is_allow));
        let guesses = !is_allow && who.guesses();
        let may_fit =
            filter.is_some_and(|filter| filter & who.filter != 0) || guesses && marks & MAYBE != 0;
        if marks & action.bit() == 0 || !may_fit {
            return;
        }
        if marks & LONG == 0 {
            let fits = |entry: &&Entry| {
                entry.marks & action.bit() != 0
                    && (suffices(who.holds(entry.principal), class.effect())
                        || guesses && who.may_hold(entry.principal, entry.marks))
            };
            let mut fitting = self.all((bundle, class)).iter().filter(fits);
            let _ = fitting.try_for_each(|entry| visit(*entry));
            return;
        }
        let guessed = guesses.then_some(principals::GUESSED);
        let limited = who.limited(class.effect());
        for principal in who.ids.iter().copied().chain(limited).chain(guessed) {
            let probe = Probe {
                bundle,
                class,
                principal,
                action: action as u32,
            };
            if let Some(run) = self.probes.get(&probe) {
                let is_meant = |entry: &&Entry| {
                    principal != principals::GUESSED || who.may_hold(entry.principal, entry.marks)
                };
                let mut run = self.run(*run).iter().filter(is_meant);
                let _ = run.try_for_each(|entry| visit(*entry));
            }
        }
    }

    /// Every entry of a list, whoever is asking and whatever is asked. One row can come more than once.
    pub(super) fn all(&self, (bundle, class): (u32, Class)) -> &[Entry] {
        let Some((known, place)) = self.bundle((bundle, class)) else {
            return &[];
        };
        let start = place.checked_sub(1).and_then(|last| known.ends.get(last));
        let start = start.copied().unwrap_or(known.start);
        let end = known.ends.get(place).copied().unwrap_or(start);
        self.run((start, end))
    }

    /// The bits of the principals in a bundle's lists of this sort, and the marks of this list.
    pub(super) fn summary(&self, list: (u32, Class)) -> (u64, u32) {
        let Some((known, place)) = self.bundle(list) else {
            return (0, 0);
        };
        let filter = known.filters.get(usize::from(!list.1.is_allow()));
        let marks = known.marks.get(place);
        (
            filter.copied().unwrap_or_default(),
            marks.copied().unwrap_or_default(),
        )
    }

    /// The entries of a list among which all those of a principal and an action are: that run of a long list, all of a
    /// short one.
    pub(super) fn run_of(&self, list: (u32, Class), principal: u32, action: Action) -> &[Entry] {
        if self.summary(list).1 & LONG == 0 {
            return self.all(list);
        }
        let probe = Probe {
            bundle: list.0,
            class: list.1,
            principal,
            action: action as u32,
        };
        self.probes.get(&probe).map_or(&[], |run| self.run(*run))
    }

    /// Where a list lies, and its place there.
    fn bundle(&self, (bundle, class): (u32, Class)) -> Option<(&Bundle, usize)> {
        let (is_aside, place) = class.place();
        let known = if is_aside {
            self.aside.get(&bundle)
        } else {
            self.bundles.get(at(bundle))
        };
        Some((known?, place))
    }

    fn run(&self, (start, end): (u32, u32)) -> &[Entry] {
        self.entries.get(at(start)..at(end)).unwrap_or_default()
    }
}
