//! The groups that policy hangs on: the only ids that a directory is ever asked about.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Tables;
use crate::id::{Guid, PrincipalId, PrincipalKind};
use crate::identity::Home;
use crate::policy::PrincipalPattern;

/// By the tenant that Principals gives them; none for the home tenant.
#[derive(Debug, Default)]
pub(super) struct NamedGroups {
    by_tenant: BTreeMap<Option<Guid>, Arc<[Guid]>>,
    none: Arc<[Guid]>,
    /// The home tenant, where the tables say which that is.
    home: Option<Guid>,
}

impl NamedGroups {
    /// Those that a row of Access_Policies, Role_Bindings, Memberships or Policy_Activations names.
    pub(super) fn of(tables: &Tables) -> Self {
        let policies = tables
            .access_policies
            .iter()
            .flat_map(|row| &row.principals);
        let policies = policies.filter_map(|pattern| match pattern {
            PrincipalPattern::One(id) => Some(id),
            PrincipalPattern::Any | PrincipalPattern::Role(_) => None,
        });
        let bindings = tables.role_bindings.iter().map(|row| &row.principal);
        let members = tables.memberships.iter().map(|row| &row.member);
        let activations = tables.policy_activations.iter().map(|row| &row.principal);
        let named = policies.chain(bindings).chain(members).chain(activations);
        let named: BTreeSet<&PrincipalId> = named
            .filter(|id| id.kind() == PrincipalKind::Group)
            .collect();
        let home = tables.world.first().map(|world| world.tenant);
        let mut by_tenant: BTreeMap<Option<Guid>, BTreeSet<Guid>> = BTreeMap::new();
        for row in tables
            .principals
            .iter()
            .filter(|row| named.contains(&row.id))
        {
            let tenant = row.tenant.filter(|tenant| Some(*tenant) != home);
            by_tenant.entry(tenant).or_default().insert(row.oid);
        }
        let sorted = by_tenant.into_iter();
        Self {
            by_tenant: sorted
                .map(|(tenant, ids)| (tenant, ids.into_iter().collect()))
                .collect(),
            none: Arc::from([]),
            home,
        }
    }

    pub(super) fn of_tenant(&self, home: Home) -> Arc<[Guid]> {
        let tenant = match home {
            Home::Own(_) => None,
            Home::Foreign(tenant) => Some(tenant).filter(|tenant| Some(*tenant) != self.home),
        };
        Arc::clone(self.by_tenant.get(&tenant).unwrap_or(&self.none))
    }
}
