//! People, workloads and groups.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// A person.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct User {
    /// The short name by which tests and the sign-in page know this person.
    pub name: String,
    /// The object id (`oid`).
    pub object_id: String,
    /// The name to show.
    pub display_name: String,
    /// Whether this person may sign in.
    pub enabled: bool,
    /// `signInSessionsValidFromDateTime`: sign-ins before this moment are revoked. RFC 3339.
    pub sessions_valid_from: String,
    /// App roles by the client id of the application that defines them.
    pub roles: BTreeMap<String, Vec<String>>,
    /// Authentication contexts that this person's session has fulfilled (`acrs`), as `c1`.
    pub contexts: Vec<String>,
    /// How this person signed in (`amr` of v1.0 tokens).
    pub methods: Vec<String>,
    /// Further claims, as optional claims give them.
    pub claims: Map<String, Value>,
    /// While this is set, no token is issued on this person's behalf: Entra answers `interaction_required` with these claims.
    pub interaction: Option<Value>,
}

impl User {
    /// Somebody who may sign in, with a password and a second factor.
    #[must_use]
    pub fn new(name: &str, object_id: &str, display_name: &str) -> Self {
        Self {
            name: name.to_owned(),
            object_id: object_id.to_owned(),
            display_name: display_name.to_owned(),
            enabled: true,
            sessions_valid_from: "2026-01-01T00:00:00Z".to_owned(),
            roles: BTreeMap::new(),
            contexts: Vec::new(),
            methods: vec!["pwd".to_owned(), "mfa".to_owned()],
            claims: Map::new(),
            interaction: None,
        }
    }
}

/// A workload: what an application, or a managed identity, is in a tenant.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServicePrincipal {
    /// The short name.
    pub name: String,
    /// The object id (`oid`).
    pub object_id: String,
    /// The client id of its application (`azp`, `appid`).
    pub client_id: String,
    /// Present if it is a managed identity of the simulated machine.
    pub managed: Option<ManagedIdentity>,
    /// App roles by the client id of the application that defines them.
    pub roles: BTreeMap<String, Vec<String>>,
}

impl ServicePrincipal {
    /// A workload without any role.
    #[must_use]
    pub fn new(name: &str, object_id: &str, client_id: &str) -> Self {
        Self {
            name: name.to_owned(),
            object_id: object_id.to_owned(),
            client_id: client_id.to_owned(),
            managed: None,
            roles: BTreeMap::new(),
        }
    }

    /// With a role that an application defines.
    #[must_use]
    pub fn with_role(mut self, application: &str, role: &str) -> Self {
        let roles = self.roles.entry(application.to_owned()).or_default();
        roles.push(role.to_owned());
        self
    }

    /// A managed identity of the simulated machine; `resource_id` is its Azure resource.
    #[must_use]
    pub fn managed(mut self, is_system_assigned: bool, resource_id: &str) -> Self {
        self.managed = Some(ManagedIdentity {
            is_system_assigned,
            resource_id: resource_id.to_owned(),
        });
        self
    }
}

/// What a managed identity has besides.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ManagedIdentity {
    /// Whether the machine uses it when a request names none.
    pub is_system_assigned: bool,
    /// Its resource id, which tokens carry as `xms_mirid`.
    pub resource_id: String,
}

/// A security group.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Group {
    /// The short name.
    pub name: String,
    /// The object id.
    pub object_id: String,
    /// Object ids of people, workloads and groups.
    pub members: BTreeSet<String>,
}

impl Group {
    /// An empty group.
    #[must_use]
    pub fn new(name: &str, object_id: &str) -> Self {
        Self {
            name: name.to_owned(),
            object_id: object_id.to_owned(),
            members: BTreeSet::new(),
        }
    }

    /// With a member.
    #[must_use]
    pub fn with_member(mut self, object_id: &str) -> Self {
        self.members.insert(object_id.to_owned());
        self
    }
}
