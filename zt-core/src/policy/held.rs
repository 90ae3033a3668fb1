//! What a caller holds: itself, its groups, the groups of these, and the roles of all of them.
//!
//! In: the rows of Memberships and Role_Bindings, and a request. Out: whether a row's principal is held, in three values.
//! The obvious way, for the oracle and for explanations; the index compiles the same away when tables are loaded.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Extent, PrincipalPattern, Request, Truth};
use crate::id::{PrincipalId, PrincipalKind, RoleName};
use crate::metadata::{Snapshot, Tables};

/// Which rows of Memberships and Role_Bindings begin at which principal.
#[derive(Debug, Default)]
pub(crate) struct Ties {
    memberships: FxHashMap<PrincipalId, Vec<usize>>,
    bindings: FxHashMap<PrincipalId, Vec<usize>>,
    /// The groups of these rows.
    groups: BTreeSet<PrincipalId>,
}

impl Ties {
    /// The ties of these tables.
    pub(crate) fn of(tables: &Tables) -> Self {
        let mut ties = Self::default();
        let is_group = |id: &&PrincipalId| id.kind() == PrincipalKind::Group;
        for (place, row) in tables.memberships.iter().enumerate() {
            let known = ties.memberships.entry(row.member.clone()).or_default();
            known.push(place);
            let ends = [&row.member, &row.group].into_iter();
            ties.groups.extend(ends.filter(is_group).cloned());
        }
        for (place, row) in tables.role_bindings.iter().enumerate() {
            let known = ties.bindings.entry(row.principal.clone()).or_default();
            known.push(place);
            let end = std::iter::once(&row.principal);
            ties.groups.extend(end.filter(is_group).cloned());
        }
        ties
    }
}

/// What the caller of one request holds on its resource at its moment.
#[derive(Debug, Clone)]
pub(super) struct Held<'a> {
    known: Reached<'a>,
    /// What may be held, where that is more: by memberships whose time is unknown, and by groups that a token did not name.
    possible: Option<Reached<'a>>,
    groups_are_complete: bool,
}

#[derive(Debug, Clone, Default)]
struct Reached<'a> {
    principals: FxHashSet<&'a PrincipalId>,
    roles: FxHashSet<&'a RoleName>,
}

impl<'a> Held<'a> {
    /// What the caller of a request holds.
    pub(super) fn of(snapshot: &'a Snapshot, request: &'a Request) -> Self {
        let named = || request.caller.iter().chain(request.groups.iter());
        let groups = snapshot.ties().groups.iter();
        let others = groups.filter(|_| !request.groups_are_complete);
        let is_unsure = !request.groups_are_complete || request.now.is_none();
        Self {
            known: reach(snapshot, request, named(), |truth| truth == Truth::True),
            possible: is_unsure.then(|| {
                reach(snapshot, request, named().chain(others), |truth| {
                    truth != Truth::False
                })
            }),
            groups_are_complete: request.groups_are_complete,
        }
    }

    /// Whether the caller holds this.
    pub(super) fn matches(&self, pattern: &PrincipalPattern) -> Truth {
        let (holds, may_hold) = match pattern {
            PrincipalPattern::Any => return Truth::True,
            PrincipalPattern::One(id) => {
                let is_group = id.kind() == PrincipalKind::Group;
                let possible = self.possible.as_ref();
                (
                    self.known.principals.contains(id),
                    possible.is_some_and(|possible| possible.principals.contains(id))
                        || is_group && !self.groups_are_complete,
                )
            }
            PrincipalPattern::Role(role) => (
                self.known.roles.contains(role),
                self.possible
                    .as_ref()
                    .is_some_and(|possible| possible.roles.contains(role)),
            ),
        };
        match (holds, may_hold) {
            (true, _) => Truth::True,
            (false, true) => Truth::Unknown,
            (false, false) => Truth::False,
        }
    }

    /// Whether the caller holds one of these.
    pub(super) fn matches_any(&self, patterns: &[PrincipalPattern]) -> Truth {
        let truths = patterns.iter().map(|pattern| self.matches(pattern));
        truths.fold(Truth::False, Truth::or)
    }

    /// The names of principals and roles, each in alphabetical order, for people.
    pub(super) fn names(&self) -> Vec<String> {
        let principals: BTreeSet<_> = self.known.principals.iter().collect();
        let roles: BTreeSet<_> = self.known.roles.iter().collect();
        let unknown = (!self.groups_are_complete).then(|| "other groups, unknown".to_owned());
        let principals = principals.into_iter().map(ToString::to_string);
        let roles = roles.into_iter().map(|role| format!("role:{role}"));
        principals.chain(roles).chain(unknown).collect()
    }
}

/// Follows the rows that count, from member to group and from principal to role, until nothing is new.
fn reach<'a>(
    snapshot: &'a Snapshot,
    request: &Request,
    from: impl Iterator<Item = &'a PrincipalId>,
    counts: fn(Truth) -> bool,
) -> Reached<'a> {
    let (tables, ties) = (snapshot.tables(), snapshot.ties());
    let (kind, path) = (request.resource.kind(), request.resource.path());
    let counts = |extent: &Extent| counts(extent.holds(kind, path, request.now));
    let mut reached = Reached {
        principals: from.collect(),
        roles: FxHashSet::default(),
    };
    let mut open: Vec<&PrincipalId> = reached.principals.iter().copied().collect();
    while let Some(id) = open.pop() {
        let places = ties.memberships.get(id).into_iter().flatten();
        for row in places.filter_map(|place| tables.memberships.get(*place)) {
            if counts(&row.extent) && reached.principals.insert(&row.group) {
                open.push(&row.group);
            }
        }
        let places = ties.bindings.get(id).into_iter().flatten();
        let bound = places.filter_map(|place| tables.role_bindings.get(*place));
        let counting = bound.filter(|row| counts(&row.extent));
        reached.roles.extend(counting.map(|row| &row.role));
    }
    reached
}
