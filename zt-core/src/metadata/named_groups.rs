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
        }
    }

    /// Where the tables do not say which tenant is home, rows may name it and rows may leave it out.
    pub(super) fn of_tenant(&self, home: Home) -> Arc<[Guid]> {
        let of = |tenant| self.by_tenant.get(&tenant);
        let (one, other) = match home {
            Home::Own(tenant) => (of(None), of(Some(tenant))),
            Home::Foreign(tenant) => (of(Some(tenant)), None),
        };
        match (one, other) {
            (Some(one), Some(other)) => {
                let both: BTreeSet<Guid> = one.iter().chain(&**other).copied().collect();
                both.into_iter().collect()
            }
            (Some(one), None) | (None, Some(one)) => Arc::clone(one),
            (None, None) => Arc::clone(&self.none),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::identity::Directory as _;
    use crate::metadata::{Cell, RawRow, RawTables, Snapshot};

    fn row(cells: &[(&str, &str)]) -> RawRow {
        let cell =
            |(name, text): &(&str, &str)| ((*name).to_owned(), Cell::Text((*text).to_owned()));
        RawRow::new(None, cells.iter().map(cell).collect())
    }

    #[test]
    fn a_group_of_home_is_asked_about_however_its_row_says_so() {
        let home = Guid::from_u128(0x1111_1111_1111_4111_8111_1111_1111_1111);
        let foreign = Guid::from_u128(2);
        let mut raw = RawTables::new("x".to_owned());
        for (name, oid, tenant) in [
            (
                "group:named",
                "bbbbbbbb-0000-4000-8000-000000000001",
                home.to_string(),
            ),
            (
                "group:plain",
                "bbbbbbbb-0000-4000-8000-000000000002",
                String::new(),
            ),
            (
                "group:foreign",
                "bbbbbbbb-0000-4000-8000-000000000003",
                foreign.to_string(),
            ),
            (
                "group:unused",
                "bbbbbbbb-0000-4000-8000-000000000004",
                String::new(),
            ),
        ] {
            let mut cells = vec![("id", name), ("oid", oid)];
            if !tenant.is_empty() {
                cells.push(("tenant", &tenant));
            }
            raw.push("Principals", row(&cells));
            if name != "group:unused" {
                raw.push(
                    "Access_Policies",
                    row(&[
                        ("id", name),
                        ("effect", "deny"),
                        ("principal", name),
                        ("action", "table.read"),
                        ("resource", "table:gold.x"),
                    ]),
                );
            }
        }
        let snapshot = Snapshot::compile(&raw, 1, Timestamp::from_millis(0)).unwrap();
        let asked = snapshot.groups_of(Home::Own(home));
        let names = asked
            .iter()
            .filter_map(|oid| snapshot.principal(Home::Own(home), *oid));
        let names: Vec<String> = names.map(|id| id.to_string()).collect();
        assert_eq!(names, ["group:named", "group:plain"]);
        assert_eq!(snapshot.groups_of(Home::Foreign(foreign)).len(), 1);
        assert!(
            snapshot
                .groups_of(Home::Foreign(Guid::from_u128(9)))
                .is_empty()
        );
    }
}
