//! Principals as numbers, and what one caller holds of them.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{TooMany, small};
use crate::id::{PrincipalId, PrincipalKind, RoleName};
use crate::metadata::{Snapshot, Tables};
use crate::policy::{PrincipalPattern, Request};

/// The number of `*`, which everybody holds.
pub(super) const ANYBODY: u32 = 0;
/// The number under which long lists keep the denies that a caller of unknown groups may be meant by.
pub(super) const GUESSED: u32 = 1;
/// The first number of a row's principal.
const FIRST: usize = 2;

/// The principals that rows name.
pub(super) struct Principals {
    /// What a caller holds by being this principal or by being in this group: itself and its roles, as far as rows name
    /// them.
    gives: FxHashMap<PrincipalId, Box<[u32]>>,
}

/// Gives numbers while the index is built.
pub(super) struct Numbers<'a> {
    ids: FxHashMap<&'a PrincipalId, u32>,
    roles: FxHashMap<&'a RoleName, u32>,
    /// For each number from [`FIRST`] on, whether a caller of unknown groups may hold it.
    maybe: Vec<bool>,
    /// The roles that some group holds.
    roles_of_groups: FxHashMap<&'a RoleName, ()>,
}

impl<'a> Numbers<'a> {
    pub(super) fn new(tables: &'a Tables) -> Self {
        let bindings = tables.role_bindings.iter();
        let of_groups = bindings.filter(|row| row.principal.kind() == PrincipalKind::Group);
        Self {
            ids: FxHashMap::default(),
            roles: FxHashMap::default(),
            maybe: Vec::new(),
            roles_of_groups: of_groups.map(|row| (&row.role, ())).collect(),
        }
    }

    /// The number of a row's principal, and whether a caller of unknown groups may hold it.
    pub(super) fn of(&mut self, pattern: &'a PrincipalPattern) -> Result<(u32, bool), TooMany> {
        let next = small(FIRST + self.maybe.len())?;
        let (number, maybe) = match pattern {
            PrincipalPattern::Any => return Ok((ANYBODY, false)),
            PrincipalPattern::One(id) => {
                let is_group = id.kind() == PrincipalKind::Group;
                (*self.ids.entry(id).or_insert(next), is_group)
            }
            PrincipalPattern::Role(role) => {
                let is_held = self.roles_of_groups.contains_key(role);
                (*self.roles.entry(role).or_insert(next), is_held)
            }
        };
        if number == next {
            self.maybe.push(maybe);
        }
        Ok((number, maybe))
    }

    /// What each principal of rows and role bindings gives.
    pub(super) fn finish(self, tables: &Tables) -> Principals {
        let mut gives: FxHashMap<PrincipalId, Vec<u32>> = FxHashMap::default();
        for (id, number) in &self.ids {
            gives.entry((*id).clone()).or_default().push(*number);
        }
        for row in &tables.role_bindings {
            if let Some(number) = self.roles.get(&row.role) {
                gives
                    .entry(row.principal.clone())
                    .or_default()
                    .push(*number);
            }
        }
        let gives = gives.into_iter();
        Principals {
            gives: gives.map(|(id, given)| (id, Box::from(given))).collect(),
        }
    }
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
    ids: Box<[u32]>,
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
        let given = caller.iter().chain(groups.iter()).filter_map(gives);
        let mut ids: Vec<u32> = given.flatten().copied().chain([ANYBODY]).collect();
        ids.sort_unstable();
        ids.dedup();
        Self {
            index: index.number,
            filter: ids.iter().fold(0, |filter, id| filter | bit(*id)),
            ids: Box::from(ids),
            caller,
            groups,
            groups_are_complete: true,
        }
    }

    /// The same for a caller who may be in more groups than the ones given.
    #[must_use]
    pub const fn with_incomplete_groups(mut self) -> Self {
        self.groups_are_complete = false;
        self
    }

    /// What the caller of a request holds.
    pub(super) fn of(snapshot: &Snapshot, request: &Request) -> Self {
        Self {
            groups_are_complete: request.groups_are_complete,
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

    pub(super) fn who(&self) -> Who<'_> {
        Who {
            ids: &self.ids,
            filter: self.filter,
            groups_are_complete: self.groups_are_complete,
        }
    }
}

/// What lists ask of a caller.
pub(super) struct Who<'a> {
    /// In ascending order.
    pub(super) ids: &'a [u32],
    pub(super) filter: u64,
    pub(super) groups_are_complete: bool,
}

impl Who<'_> {
    /// Whether the caller is known to hold the principal.
    pub(super) fn holds(&self, principal: u32) -> bool {
        self.filter & bit(principal) != 0 && self.ids.binary_search(&principal).is_ok()
    }
}

/// A principal's bit in filters.
pub(super) const fn bit(principal: u32) -> u64 {
    1 << (principal % 64)
}
