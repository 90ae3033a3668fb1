//! Gives numbers to the principals that rows name, and compiles memberships and roles away.
//!
//! In: the rows of Memberships and Role_Bindings. Out: [`Principals`]: for each principal everything that it holds, directly
//! and through groups of groups, as numbers; and for what it holds in some places or for some time, all the extents on the
//! way there.

use rustc_hash::{FxHashMap, FxHashSet};

use super::principals::{ANYBODY, FIRST, Gives, Limited, Principals};
use super::{TooMany, small};
use crate::id::{PrincipalId, PrincipalKind, RoleName};
use crate::metadata::Tables;
use crate::policy::{Extent, PrincipalPattern};

/// So many ways from one principal to what it holds are followed: groups of groups with limits of their own can make
/// exponentially many.
const MOST_WAYS: usize = 65_536;

/// Gives numbers while the index is built.
pub(super) struct Numbers<'a> {
    ids: FxHashMap<&'a PrincipalId, u32>,
    roles: FxHashMap<&'a RoleName, u32>,
    /// How many numbers are given.
    count: usize,
    /// The roles that some group holds.
    roles_of_groups: FxHashSet<&'a RoleName>,
}

impl<'a> Numbers<'a> {
    pub(super) fn new(tables: &'a Tables) -> Self {
        let bindings = tables.role_bindings.iter();
        let of_groups = bindings.filter(|row| row.principal.kind() == PrincipalKind::Group);
        Self {
            ids: FxHashMap::default(),
            roles: FxHashMap::default(),
            count: 0,
            roles_of_groups: of_groups.map(|row| &row.role).collect(),
        }
    }

    /// The number of a row's principal, and whether a caller of unknown groups may hold it.
    pub(super) fn of(&mut self, pattern: &'a PrincipalPattern) -> Result<(u32, bool), TooMany> {
        match pattern {
            PrincipalPattern::Any => Ok((ANYBODY, false)),
            PrincipalPattern::One(id) => self.of_id(id),
            PrincipalPattern::Role(role) => {
                let next = self.next()?;
                let number = *self.roles.entry(role).or_insert(next);
                self.count += usize::from(number == next);
                Ok((number, self.roles_of_groups.contains(role)))
            }
        }
    }

    /// The same for a principal.
    pub(super) fn of_id(&mut self, id: &'a PrincipalId) -> Result<(u32, bool), TooMany> {
        let next = self.next()?;
        let number = *self.ids.entry(id).or_insert(next);
        self.count += usize::from(number == next);
        Ok((number, id.kind() == PrincipalKind::Group))
    }

    fn next(&self) -> Result<u32, TooMany> {
        small(FIRST + self.count)
    }

    /// What each principal of rows, memberships and role bindings gives.
    pub(super) fn finish(self, tables: &'a Tables) -> Result<Principals, TooMany> {
        let mut graph = Graph {
            numbers: &self,
            groups: FxHashMap::default(),
            roles: FxHashMap::default(),
            extents: Vec::new(),
        };
        for row in &tables.memberships {
            let extent = graph.extent(&row.extent)?;
            let groups = graph.groups.entry(&row.member).or_default();
            groups.push((&row.group, extent));
        }
        for row in &tables.role_bindings {
            if let Some(number) = self.roles.get(&row.role) {
                let extent = graph.extent(&row.extent)?;
                let roles = graph.roles.entry(&row.principal).or_default();
                roles.push((*number, extent));
            }
        }
        let guesses = graph.guesses();
        let starts: FxHashSet<&PrincipalId> = self
            .ids
            .keys()
            .chain(graph.groups.keys())
            .chain(graph.roles.keys())
            .copied()
            .collect();
        let gives = starts
            .into_iter()
            .map(|start| Ok((start.clone(), graph.gives(start)?)));
        Ok(Principals {
            gives: gives.collect::<Result<_, TooMany>>()?,
            guesses,
            extents: Box::from(graph.extents),
        })
    }
}

/// Who is in which groups and holds which roles, and where the extent of that lies; none where it is unlimited.
struct Graph<'a, 'n> {
    numbers: &'n Numbers<'a>,
    groups: FxHashMap<&'a PrincipalId, Vec<(&'a PrincipalId, Option<u32>)>>,
    roles: FxHashMap<&'a PrincipalId, Vec<(u32, Option<u32>)>>,
    extents: Vec<Extent>,
}

impl<'a> Graph<'a, '_> {
    fn extent(&mut self, extent: &Extent) -> Result<Option<u32>, TooMany> {
        if extent.is_unlimited() {
            return Ok(None);
        }
        let number = small(self.extents.len())?;
        self.extents.push(extent.clone());
        Ok(Some(number))
    }

    /// The roles that groups hold, but none of them everywhere and always.
    fn guesses(&self) -> FxHashMap<u32, Box<[u32]>> {
        let is_group = |(id, _): &(&&PrincipalId, _)| id.kind() == PrincipalKind::Group;
        let roles = self.roles.iter().filter(is_group);
        let mut limits: FxHashMap<u32, Option<Vec<u32>>> = FxHashMap::default();
        for (role, extent) in roles.flat_map(|(_, roles)| roles) {
            let known = limits.entry(*role).or_insert_with(|| Some(Vec::new()));
            match (extent, known.as_mut()) {
                (Some(extent), Some(known)) => known.push(*extent),
                (None, _) => *known = None,
                (Some(_), None) => {}
            }
        }
        let limits = limits.into_iter();
        limits
            .filter_map(|(role, extents)| Some((role, Box::from(extents?))))
            .collect()
    }

    fn gives(&self, start: &'a PrincipalId) -> Result<Gives, TooMany> {
        let mut ways: FxHashSet<(&PrincipalId, Vec<u32>)> = FxHashSet::default();
        let mut always = Vec::new();
        let mut limited = Vec::new();
        let mut open = vec![(start, Vec::new())];
        while let Some((id, extents)) = open.pop() {
            // A way that says no more than one already known, or less, leads nowhere new.
            if ways.contains(&(id, Vec::new())) || !ways.insert((id, extents.clone())) {
                continue;
            }
            if ways.len() > MOST_WAYS {
                return Err(TooMany);
            }
            let own = self.numbers.ids.get(id).map(|number| (*number, None));
            let roles = self.roles.get(id).into_iter().flatten().copied();
            for (number, extent) in own.into_iter().chain(roles) {
                let extents = with(&extents, extent);
                if extents.is_empty() {
                    always.push(number);
                } else {
                    limited.push(Limited {
                        principal: number,
                        extents: Box::from(extents),
                    });
                }
            }
            let groups = self.groups.get(id).into_iter().flatten();
            open.extend(groups.map(|(group, extent)| (*group, with(&extents, *extent))));
        }
        always.sort_unstable();
        always.dedup();
        limited.retain(|limited| always.binary_search(&limited.principal).is_err());
        limited.sort_unstable();
        limited.dedup();
        Ok(Gives {
            always: Box::from(always),
            limited: Box::from(limited),
        })
    }
}

/// One more extent on a way.
fn with(extents: &[u32], one: Option<u32>) -> Vec<u32> {
    let mut all = extents.to_vec();
    if let Some(one) = one
        && let Err(place) = all.binary_search(&one)
    {
        all.insert(place, one);
    }
    all
}
