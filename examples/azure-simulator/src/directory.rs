//! Who and what exists: tenants with their people, groups, applications and service principals.
//!
//! Names are short (`maya`) so that tests read well; object ids are what tokens and Graph carry. Everything is data that a test
//! may change while the simulator runs.

mod application;
mod principal;
mod resource;
pub(crate) mod sample;

use std::collections::BTreeSet;

pub use application::Application;
pub use principal::{Group, ManagedIdentity, ServicePrincipal, User};
pub(crate) use resource::{GRAPH, MONITOR, Resource, VAULT, is_for, resource_of};

/// All tenants.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Directory {
    /// In any order; the first is the one that `organizations` and `common` sign into.
    pub tenants: Vec<Tenant>,
}

/// One tenant of Entra.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Tenant {
    /// Its id, a GUID in lowercase.
    pub id: String,
    /// A verified domain, which stands for the id in URLs.
    pub domain: String,
    /// People.
    pub users: Vec<User>,
    /// Security groups.
    pub groups: Vec<Group>,
    /// Registered applications: APIs and clients.
    pub applications: Vec<Application>,
    /// Workloads: applications that sign in by themselves, and managed identities.
    pub service_principals: Vec<ServicePrincipal>,
}

impl Tenant {
    /// An empty tenant.
    #[must_use]
    pub fn new(id: &str, domain: &str) -> Self {
        Self {
            id: id.to_owned(),
            domain: domain.to_owned(),
            ..Self::default()
        }
    }

    /// The person of this name or object id.
    #[must_use]
    pub fn user(&self, name: &str) -> Option<&User> {
        let is_asked = |user: &&User| user.name == name || user.object_id == name;
        self.users.iter().find(is_asked)
    }

    /// The workload of this name or object id.
    #[must_use]
    pub fn service_principal(&self, name: &str) -> Option<&ServicePrincipal> {
        let is_asked = |sp: &&ServicePrincipal| sp.name == name || sp.object_id == name;
        self.service_principals.iter().find(is_asked)
    }

    /// The workload that an application is in this tenant.
    pub(crate) fn principal_of(&self, client_id: &str) -> Option<&ServicePrincipal> {
        let mut all = self.service_principals.iter();
        all.find(|sp| sp.client_id == client_id)
    }

    pub(crate) fn application(&self, client_id: &str) -> Option<&Application> {
        let mut all = self.applications.iter();
        all.find(|application| application.client_id == client_id)
    }

    /// Every group that an object is in, directly or through other groups.
    #[must_use]
    pub fn groups_of(&self, object_id: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut open = vec![object_id.to_owned()];
        while let Some(member) = open.pop() {
            for group in &self.groups {
                if group.members.contains(&member) && found.insert(group.object_id.clone()) {
                    open.push(group.object_id.clone());
                }
            }
        }
        found
    }
}

impl Directory {
    /// The tenant of this id or domain.
    #[must_use]
    pub fn tenant(&self, name: &str) -> Option<&Tenant> {
        let is_asked = |tenant: &&Tenant| tenant.id == name || tenant.domain == name;
        self.tenants.iter().find(is_asked)
    }

    /// The person of this name or object id, to change.
    pub fn user_mut(&mut self, name: &str) -> Option<&mut User> {
        let mut all = self.tenants.iter_mut().flat_map(|tenant| &mut tenant.users);
        all.find(|user| user.name == name || user.object_id == name)
    }

    /// The workload of this name or object id, to change.
    pub fn service_principal_mut(&mut self, name: &str) -> Option<&mut ServicePrincipal> {
        let mut all = self
            .tenants
            .iter_mut()
            .flat_map(|tenant| &mut tenant.service_principals);
        all.find(|sp| sp.name == name || sp.object_id == name)
    }

    /// The application of this client id, to change.
    pub fn application_mut(&mut self, client_id: &str) -> Option<&mut Application> {
        let mut all = self
            .tenants
            .iter_mut()
            .flat_map(|tenant| &mut tenant.applications);
        all.find(|application| application.client_id == client_id)
    }

    /// The group of this name or object id, to change.
    pub fn group_mut(&mut self, name: &str) -> Option<&mut Group> {
        let mut all = self
            .tenants
            .iter_mut()
            .flat_map(|tenant| &mut tenant.groups);
        all.find(|group| group.name == name || group.object_id == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_transitive_and_a_cycle_ends() {
        let mut tenant = Tenant::new("t", "t.example");
        tenant.groups = vec![
            Group::new("inner", "g1").with_member("maya"),
            Group::new("outer", "g2").with_member("g1"),
            Group::new("cycle", "g3")
                .with_member("g2")
                .with_member("g3"),
            Group::new("other", "g4").with_member("jonas"),
        ];
        let groups = tenant.groups_of("maya");
        assert_eq!(groups.into_iter().collect::<Vec<_>>(), ["g1", "g2", "g3"]);
    }
}
