//! The sample world's tenant: Brindlewick Motor Finance, an invented company (`examples/world`).

use super::{Application, Directory, Group, ServicePrincipal, Tenant, User, resource::GRAPH};

/// The sample tenant.
pub(crate) const TENANT: &str = "11111111-1111-4111-8111-111111111111";
/// The application that callers of zt ask tokens for.
pub(crate) const API: &str = "d0000000-0000-4000-8000-000000000001";
/// The program that people sign in with.
pub(crate) const PROGRAM: &str = "d0000000-0000-4000-8000-0000000000c1";
/// Not a secret of anybody's.
pub(crate) const SECRET: &str = "sample-secret-of-the-simulator";

/// Person, number in the object id, name to show, number of the group.
const PEOPLE: &[(&str, u8, &str, u8)] = &[
    ("jonas", 1, "Jonas Adeyemi", 1),
    ("maya", 2, "Maya Lindqvist", 2),
    ("elin", 3, "Elin Varga", 3),
    ("priya", 4, "Priya Castellano", 4),
    ("tomasz", 5, "Tomasz Okafor", 4),
    ("ines", 6, "Ines Moreau", 5),
];

const GROUPS: &[(&str, u8)] = &[
    ("grp-data-engineering", 1),
    ("grp-data-science", 2),
    ("grp-credit-analysts", 3),
    ("grp-security", 4),
    ("grp-credit-risk", 5),
];

const WORKLOADS: &[(&str, u8)] = &[
    ("mi-adf-brindlewick", 1),
    ("sp-score-201", 2),
    ("sp-train-202", 3),
];

impl Directory {
    /// The sample world's people, groups and workloads, and zt itself as the API `api://d0000000-…-000000000001` and as the
    /// workload `zt`, which may read groups.
    #[must_use]
    pub fn sample() -> Self {
        let mut tenant = Tenant::new(TENANT, "brindlewick.example");
        for &(name, number) in GROUPS {
            let mut group = Group::new(name, &id('a', number));
            let members = PEOPLE.iter().filter(|(.., group)| *group == number);
            group.members = members.map(|&(_, person, ..)| id('b', person)).collect();
            tenant.groups.push(group);
        }
        for &(name, number, display_name, _) in PEOPLE {
            let user = User::new(name, &id('b', number), display_name);
            tenant.users.push(user);
        }
        for &(name, number) in WORKLOADS {
            let client_id = id('e', number);
            let workload = ServicePrincipal::new(name, &id('c', number), &client_id)
                .with_role(API, "zt.workload");
            let is_managed = name.starts_with("mi-");
            if is_managed {
                let workload = workload.managed(false, MANAGED_RESOURCE);
                tenant.service_principals.push(workload);
                continue;
            }
            tenant.service_principals.push(workload);
            let subject = format!("system:serviceaccount:brindlewick:{name}");
            let application = Application::client(&client_id, name)
                .with_secret(SECRET)
                .with_federated_subject(&subject);
            tenant.applications.push(application);
        }
        tenant
            .applications
            .push(Application::api(API, "zt", &["zt.access"]).with_secret(SECRET));
        tenant
            .applications
            .push(Application::public(PROGRAM, "zt sign-in"));
        let zt = ServicePrincipal::new("zt", &id('c', 9), API)
            .with_role(GRAPH, "GroupMember.Read.All")
            .with_role(GRAPH, "User.Read.All");
        tenant.service_principals.push(zt);
        Self {
            tenants: vec![tenant],
        }
    }
}

fn id(kind: char, number: u8) -> String {
    format!("{kind}0000000-0000-4000-8000-{number:012x}")
}

const MANAGED_RESOURCE: &str = "/subscriptions/22222222-2222-4222-8222-222222222222/resourcegroups/rg-brindlewick/providers/Microsoft.ManagedIdentity/userAssignedIdentities/mi-adf-brindlewick";
