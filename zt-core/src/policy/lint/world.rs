//! What lints ask of the tables again and again, found once.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::{PrincipalId, RoleName};
use crate::metadata::{Snapshot, Tables};
use crate::policy::{PrincipalPattern, Resource, ResourceKind, ResourcePattern};

#[derive(Debug)]
pub(super) struct World<'a> {
    holders: BTreeMap<&'a RoleName, BTreeSet<&'a PrincipalId>>,
    /// Those who hold it everywhere and always.
    always: BTreeMap<&'a RoleName, BTreeSet<&'a PrincipalId>>,
    /// What each principal holds everywhere and always.
    roles: BTreeMap<&'a PrincipalId, Vec<&'a RoleName>>,
    /// What the tables declare, of the kinds whose members they declare.
    declared: BTreeMap<ResourceKind, BTreeSet<Resource>>,
}

impl<'a> World<'a> {
    pub(super) fn of(snapshot: &'a Snapshot) -> Self {
        let tables = snapshot.tables();
        let mut holders: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        let mut always: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        let mut roles: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for row in &tables.role_bindings {
            holders.entry(&row.role).or_default().insert(&row.principal);
            if row.extent.is_unlimited() {
                always.entry(&row.role).or_default().insert(&row.principal);
                roles.entry(&row.principal).or_default().push(&row.role);
            }
        }
        let declared = ResourceKind::ALL.iter().filter_map(|kind| {
            let names = names(tables, *kind)?;
            let resources = names.iter().map(|name| format!("{kind}:{name}").parse());
            Some((*kind, resources.filter_map(Result::ok).collect()))
        });
        Self {
            holders,
            always,
            roles,
            declared: declared.collect(),
        }
    }

    /// The principals of the tables that hold a role everywhere and always.
    pub(super) fn always(&self, role: &RoleName) -> Option<&BTreeSet<&'a PrincipalId>> {
        self.always.get(role)
    }

    /// The principals of the tables that hold a role somewhere or at some time.
    pub(super) fn holders(&self, role: &RoleName) -> Option<&BTreeSet<&'a PrincipalId>> {
        self.holders.get(role)
    }

    /// Whether the tables say that nobody is this.
    pub(super) fn is_nobody(&self, pattern: &PrincipalPattern) -> bool {
        match pattern {
            PrincipalPattern::Any | PrincipalPattern::One(_) => false,
            PrincipalPattern::Role(role) => !self.holders.contains_key(role),
        }
    }

    /// Patterns of which one must be there in a row that covers all that this one is.
    pub(super) fn wider(&self, pattern: &PrincipalPattern) -> Vec<PrincipalPattern> {
        let held = match pattern {
            PrincipalPattern::Any => None,
            PrincipalPattern::One(id) => Some(id),
            PrincipalPattern::Role(role) => self
                .holders
                .get(role)
                .and_then(|holders| holders.first().copied()),
        };
        let roles = held.and_then(|id| self.roles.get(id)).into_iter().flatten();
        let roles = roles.map(|role| PrincipalPattern::Role((*role).clone()));
        let mut wider = vec![PrincipalPattern::Any, pattern.clone()];
        wider.extend(roles);
        wider
    }

    /// Whether the tables declare what such a pattern speaks of, and it matches none of it.
    pub(super) fn matches_nothing(&self, pattern: &ResourcePattern) -> bool {
        let Some(declared) = pattern.kind().and_then(|kind| self.declared.get(&kind)) else {
            return false;
        };
        match pattern.exact() {
            Some(exact) => !declared.contains(&exact),
            None => !declared.iter().any(|resource| pattern.matches(resource)),
        }
    }
}

fn names(tables: &Tables, kind: ResourceKind) -> Option<Vec<String>> {
    fn of<T>(rows: &[T], name: impl Fn(&T) -> String) -> Option<Vec<String>> {
        Some(rows.iter().map(name).collect())
    }
    match kind {
        ResourceKind::Secret => of(&tables.secret_references, |row| row.id.to_string()),
        ResourceKind::Model => of(&tables.ml_models, |row| row.name.clone()),
        ResourceKind::Output => of(&tables.output_storage, |row| row.name.clone()),
        ResourceKind::Job => of(&tables.jobs, |row| row.job_id.to_string()),
        ResourceKind::Catalog
        | ResourceKind::Schema
        | ResourceKind::Table
        | ResourceKind::View
        | ResourceKind::Volume
        | ResourceKind::Function
        | ResourceKind::Metadata
        | ResourceKind::Audit => None,
    }
}
