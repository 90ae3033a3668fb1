//! Principals as numbers, and what one caller holds of them.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::at;
use super::lists::MAYBE;
use crate::clock::Timestamp;
use crate::id::PrincipalId;
use crate::metadata::Snapshot;
use crate::policy::facts::Stated;
use crate::policy::oracle::suffices;
use crate::policy::{Effect, Extent, Provenance, Request, ResourceKind, Truth, Value};

/// The number of `*`, which everybody holds.
pub(super) const ANYBODY: u32 = 0;
/// The number under which long lists keep the denies that a caller of unknown groups may be meant by.
pub(super) const GUESSED: u32 = 1;
/// The first number of a row's principal.
pub(super) const FIRST: usize = 2;

/// The principals that rows name.
pub(super) struct Principals {
    /// What a caller holds by being this principal or by being in this group: itself, its groups and its roles, as far as
    /// rows name them.
    pub(super) gives: FxHashMap<PrincipalId, Gives>,
    /// Where and when memberships count that do not count everywhere and always.
    pub(super) extents: Box<[Extent]>,
    /// The roles that groups hold within limits only: one of these extents must hold where a caller of unknown groups may
    /// hold the role.
    pub(super) guesses: FxHashMap<u32, Box<[u32]>>,
}

/// What one principal gives.
#[derive(Debug, Clone, Default)]
pub(super) struct Gives {
    /// Everywhere and always.
    pub(super) always: Box<[u32]>,
    /// Where and while all of these extents hold.
    pub(super) limited: Box<[Limited]>,
}

/// A principal that is held where and while all of these extents hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Limited {
    pub(super) principal: u32,
    /// In ascending order.
    pub(super) extents: Box<[u32]>,
}

/// What one caller holds, in the numbers of one snapshot's index: made once, used for every decision of this caller. On
/// another snapshot it is made anew for each decision, so an old one is slower but never wrong.
///
/// ```
/// # use zt_core::clock::Timestamp;
/// # use zt_core::metadata::{RawTables, Snapshot};
/// use zt_core::policy::{Action, Context, Located, Projection};
/// # let snapshot = Snapshot::compile(&RawTables::new("none".to_owned()), 1, Timestamp::from_millis(0))?;
///
/// let maya = Projection::new(&snapshot, Some("user:maya".parse()?), [].into());
/// let scores = Located::new(&snapshot, "table:gold.loan_scores".parse()?);
/// let verdict = maya.verdict(&snapshot, Action::TableRead, &scores, &Context::new(), None);
/// assert!(!verdict.is_allowed()); // no row says so
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Projection {
    index: u64,
    caller: Option<PrincipalId>,
    groups: Arc<[PrincipalId]>,
    groups_are_complete: bool,
    proven: Arc<[Stated]>,
    ids: Box<[u32]>,
    /// In ascending order; none of them is one of the ids.
    limited: Box<[Limited]>,
    filter: u64,
}

impl Projection {
    /// What a caller with these groups holds on a snapshot; without a caller, what somebody holds whom no row of
    /// Principals names.
    #[must_use]
    pub fn new(
        snapshot: &Snapshot,
        caller: Option<PrincipalId>,
        groups: Arc<[PrincipalId]>,
    ) -> Self {
        let index = snapshot.index();
        let gives = |id: &PrincipalId| index.principals.gives.get(id);
        let given = || caller.iter().chain(groups.iter()).filter_map(gives);
        let always = given().flat_map(|given| given.always.iter().copied());
        let mut ids: Vec<u32> = always.chain([ANYBODY]).collect();
        ids.sort_unstable();
        ids.dedup();
        let limited = given().flat_map(|given| given.limited.iter());
        let is_new = |limited: &&Limited| ids.binary_search(&limited.principal).is_err();
        let mut limited: Vec<Limited> = limited.filter(is_new).cloned().collect();
        limited.sort_unstable();
        limited.dedup();
        let held = limited.iter().map(|limited| limited.principal);
        let held = held.chain(ids.iter().copied());
        Self {
            index: index.number,
            filter: held.fold(0, |filter, id| filter | bit(id)),
            limited: Box::from(limited),
            ids: Box::from(ids),
            caller,
            groups,
            groups_are_complete: true,
            proven: Arc::from([]),
        }
    }

    /// The same with what the caller's token says of attributes: full name, value, how it is known.
    #[must_use]
    pub fn with_proven(mut self, proven: Arc<[(String, Value, Provenance)]>) -> Self {
        self.proven = proven;
        self
    }

    /// What the caller's token says.
    pub(super) fn proven(&self) -> &[Stated] {
        &self.proven
    }

    /// The same for a caller who may be in more groups than the ones given.
    #[must_use]
    pub const fn with_incomplete_groups(mut self) -> Self {
        self.groups_are_complete = false;
        self
    }

    /// What the caller of a request holds.
    pub(in crate::policy) fn of(snapshot: &Snapshot, request: &Request) -> Self {
        Self {
            groups_are_complete: request.groups_are_complete,
            proven: Arc::clone(&request.proven),
            ..Self::new(
                snapshot,
                request.caller.clone(),
                Arc::clone(&request.groups),
            )
        }
    }

    /// The same on the snapshot in force.
    pub(super) fn again(&self, snapshot: &Snapshot) -> Self {
        Self {
            groups_are_complete: self.groups_are_complete,
            proven: Arc::clone(&self.proven),
            ..Self::new(snapshot, self.caller.clone(), Arc::clone(&self.groups))
        }
    }

    /// Whether it is in the numbers of this snapshot.
    pub(super) fn is_of(&self, snapshot: &Snapshot) -> bool {
        self.index == snapshot.index().number
    }

    /// Whether it is what the caller of this request holds.
    pub(super) fn is_about(&self, request: &Request) -> bool {
        self.groups_are_complete == request.groups_are_complete
            && self.caller == request.caller
            && (Arc::ptr_eq(&self.groups, &request.groups) || self.groups == request.groups)
    }

    /// The caller's readable id.
    #[must_use]
    pub const fn caller(&self) -> Option<&PrincipalId> {
        self.caller.as_ref()
    }

    /// What lists ask of the caller about this resource at this moment.
    pub(super) fn who<'a>(
        &'a self,
        snapshot: &'a Snapshot,
        place: (ResourceKind, &'a str),
        now: Option<Timestamp>,
    ) -> Who<'a> {
        Who {
            ids: &self.ids,
            limited: &self.limited,
            principals: &snapshot.index().principals,
            filter: self.filter,
            groups_are_complete: self.groups_are_complete,
            place,
            now,
        }
    }
}

/// What lists ask of a caller.
pub(super) struct Who<'a> {
    /// In ascending order.
    pub(super) ids: &'a [u32],
    limited: &'a [Limited],
    principals: &'a Principals,
    pub(super) filter: u64,
    groups_are_complete: bool,
    place: (ResourceKind, &'a str),
    now: Option<Timestamp>,
}

impl Who<'_> {
    /// Whether the caller holds the principal, as far as its groups are known.
    pub(super) fn holds(&self, principal: u32) -> Truth {
        if self.filter & bit(principal) == 0 {
            return Truth::False;
        }
        if self.ids.binary_search(&principal).is_ok() {
            return Truth::True;
        }
        let first = self
            .limited
            .partition_point(|limited| limited.principal < principal);
        let after = self.limited.get(first..).unwrap_or_default().iter();
        after
            .take_while(|limited| limited.principal == principal)
            .fold(Truth::False, |truth, limited| {
                truth.or(self.is_live(limited))
            })
    }

    /// Whether the caller may be in groups that it did not name.
    pub(super) const fn guesses(&self) -> bool {
        !self.groups_are_complete
    }

    /// Whether the caller may hold the principal of an entry by a group that it did not name.
    pub(super) fn may_hold(&self, principal: u32, marks: u32) -> bool {
        let limits = || self.principals.guesses.get(&principal);
        self.guesses()
            && marks & MAYBE != 0
            && limits().is_none_or(|extents| {
                let mut extents = extents.iter();
                extents.any(|extent| self.extent(*extent) != Truth::False)
            })
    }

    /// The principals that are held here and now within limits, as far as that is enough for rows of this effect. One can
    /// come more than once.
    pub(super) fn limited(&self, effect: Effect) -> impl Iterator<Item = u32> {
        let live = self.limited.iter();
        live.filter(move |limited| suffices(self.is_live(limited), effect))
            .map(|limited| limited.principal)
    }

    /// The principals that the caller holds, and those that it may hold at some time on some resource.
    pub(super) fn ever(&self) -> impl Iterator<Item = u32> {
        let limited = self.limited.iter().map(|limited| limited.principal);
        self.ids.iter().copied().chain(limited)
    }

    /// Whether the caller holds the principal, or may at some time on some resource.
    pub(super) fn may_ever_hold(&self, principal: u32) -> bool {
        self.filter & bit(principal) != 0
            && (self.ids.binary_search(&principal).is_ok()
                || self
                    .limited
                    .iter()
                    .any(|limited| limited.principal == principal))
    }

    /// The first moment after `now` at which a membership begins or ends to count here.
    pub(super) fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let numbers = self.limited.iter().flat_map(|limited| &limited.extents);
        let guessed = self.principals.guesses.values();
        let guessed = guessed.flatten().filter(|_| self.guesses());
        let numbers = numbers.chain(guessed);
        let extents = numbers.filter_map(|extent| self.principals.extents.get(at(*extent)));
        extents
            .filter_map(|extent| extent.window.next_change(now))
            .min()
    }

    fn is_live(&self, limited: &Limited) -> Truth {
        let extents = limited.extents.iter().map(|extent| self.extent(*extent));
        extents.fold(Truth::True, Truth::and)
    }

    /// An extent that is not there is no grant, and no reason to lift a deny.
    fn extent(&self, number: u32) -> Truth {
        let (kind, path) = self.place;
        let extent = self.principals.extents.get(at(number));
        extent.map_or(Truth::Unknown, |extent| extent.holds(kind, path, self.now))
    }
}

/// A principal's bit in filters.
pub(super) const fn bit(principal: u32) -> u64 {
    1 << (principal % 64)
}
