//! Tokens without a protocol: a test says who, and what is special, and gets the token that Entra would have issued.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::cloud::Cloud;
use crate::directory::{Resource, Tenant, resource_of, sample};
use crate::error::Error;
use crate::issue::{ClientAuth, GroupIds, Issue, Who};
use crate::jwt;
use crate::state::State;

/// What is special about a token; by default nothing: it is for the sample world's API, from the public cloud, signed with the
/// current key, with the directory's groups and roles.
#[derive(Debug, Clone, Default)]
pub struct TokenOptions {
    audience: Option<String>,
    scopes: Option<Vec<String>>,
    client_id: Option<String>,
    cloud: Cloud,
    is_v1: Option<bool>,
    has_overage: bool,
    contexts: Option<Vec<String>>,
    is_capable: bool,
    issued_at: Option<i64>,
    lifetime: Option<Duration>,
    claims: Map<String, Value>,
    kid: Option<String>,
}

impl TokenOptions {
    /// Nothing special.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// For this application: its client id or App ID URI.
    #[must_use]
    pub fn for_audience(mut self, audience: &str) -> Self {
        self.audience = Some(audience.to_owned());
        self
    }

    /// With these scopes, in place of all that the application defines.
    #[must_use]
    pub fn with_scopes(mut self, scopes: &[&str]) -> Self {
        self.scopes = Some(scopes.iter().map(|&scope| scope.to_owned()).collect());
        self
    }

    /// Asked for by this client.
    #[must_use]
    pub fn by_client(mut self, client_id: &str) -> Self {
        self.client_id = Some(client_id.to_owned());
        self
    }

    /// From this cloud's issuer.
    #[must_use]
    pub const fn with_cloud(mut self, cloud: Cloud) -> Self {
        self.cloud = cloud;
        self
    }

    /// In v1.0 form (or in v2.0 form), whatever the application asks for.
    #[must_use]
    pub const fn in_v1_form(mut self, is_v1: bool) -> Self {
        self.is_v1 = Some(is_v1);
        self
    }

    /// With the overage claim in place of the groups, however few they are.
    #[must_use]
    pub const fn with_groups_overage(mut self) -> Self {
        self.has_overage = true;
        self
    }

    /// With these authentication contexts (`acrs`), in place of the person's.
    #[must_use]
    pub fn with_contexts(mut self, contexts: &[&str]) -> Self {
        self.contexts = Some(contexts.iter().map(|&one| one.to_owned()).collect());
        self
    }

    /// From a client that can answer claims challenges (`xms_cc`: `cp1`).
    #[must_use]
    pub const fn with_capable_client(mut self) -> Self {
        self.is_capable = true;
        self
    }

    /// Issued at this moment, in seconds since the Unix epoch; `iat` is five minutes earlier, as Entra's is.
    #[must_use]
    pub const fn issued_at(mut self, unix: i64) -> Self {
        self.issued_at = Some(unix);
        self
    }

    /// Valid for this long after it is issued, in whole seconds.
    #[must_use]
    pub const fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// With this claim in place of what would stand there; `null` takes the claim away.
    #[must_use]
    pub fn with_claim(mut self, name: &str, value: Value) -> Self {
        self.claims.insert(name.to_owned(), value);
        self
    }

    /// Signed with this key: published, retired or foreign.
    #[must_use]
    pub fn signed_with(mut self, kid: &str) -> Self {
        self.kid = Some(kid.to_owned());
        self
    }
}

/// A token for a person or a workload of any tenant.
pub(crate) fn mint(state: &State, name: &str, options: &TokenOptions) -> Result<String, Error> {
    let directory = state.directory();
    let knows =
        |tenant: &&Tenant| tenant.user(name).is_some() || tenant.service_principal(name).is_some();
    let tenant = directory.tenants.iter().find(knows);
    let tenant = tenant.ok_or_else(|| Error::new(format!("nobody is called `{name}`")))?;
    let audience = options.audience.as_deref().unwrap_or(sample::API);
    let mut resource = resource_of(tenant, audience)
        .ok_or_else(|| Error::new(format!("there is no application `{audience}`")))?;
    if let Some(is_v1) = options.is_v1 {
        resource.is_v1 = is_v1;
    }
    let mut issue = match tenant.user(name) {
        Some(_) => person(tenant, name, resource, options.scopes.clone()),
        None => workload(tenant, name, resource),
    }
    .ok_or_else(|| Error::new(format!("nobody is called `{name}`")))?;
    issue.cloud = options.cloud;
    issue.now = options.issued_at.unwrap_or_else(|| state.clock.now());
    issue.lifetime = options
        .lifetime
        .map(|lifetime| i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX));
    issue.is_capable = options.is_capable;
    if let Some(client_id) = &options.client_id {
        issue.client_id.clone_from(client_id);
    }
    if let Some(contexts) = &options.contexts {
        issue.contexts.clone_from(contexts);
    }
    if options.has_overage {
        issue.groups = GroupIds::Overage;
    }
    let mut claims = issue.claims();
    if let Value::Object(claims) = &mut claims {
        for (name, value) in &options.claims {
            if value.is_null() {
                claims.remove(name);
            } else {
                claims.insert(name.clone(), value.clone());
            }
        }
    }
    sign(state, options.kid.as_deref(), issue.resource.is_v1, &claims)
}

/// Signs with a key of the ring.
pub(crate) fn sign(
    state: &State,
    kid: Option<&str>,
    is_v1: bool,
    claims: &Value,
) -> Result<String, Error> {
    let keys = state.keys();
    let key = match kid {
        Some(kid) => keys.find(kid),
        None => Some(keys.current()),
    };
    let key = key.ok_or_else(|| Error::new("no key has this kid"))?;
    jwt::access_token(key, is_v1, claims)
}

/// What Entra would say of a person; with every scope that the application defines if none are given.
pub(crate) fn person(
    tenant: &Tenant,
    name: &str,
    resource: Resource,
    scopes: Option<Vec<String>>,
) -> Option<Issue> {
    let user = tenant.user(name)?;
    let scopes = scopes.unwrap_or_else(|| resource.scopes.clone());
    Some(Issue {
        cloud: Cloud::Public,
        tenant: tenant.id.clone(),
        object_id: user.object_id.clone(),
        who: Who::Person {
            scopes,
            methods: user.methods.clone(),
            upn: format!("{}@{}", user.name, tenant.domain),
            display_name: user.display_name.clone(),
            further: user.claims.clone(),
        },
        client_id: sample::PROGRAM.to_owned(),
        client_auth: ClientAuth::Public,
        roles: roles(&user.roles, &resource),
        groups: groups(tenant, &user.object_id, &resource),
        contexts: user.contexts.clone(),
        is_capable: false,
        now: 0,
        lifetime: None,
        resource,
    })
}

/// What Entra would say of a workload.
pub(crate) fn workload(tenant: &Tenant, name: &str, resource: Resource) -> Option<Issue> {
    let sp = tenant.service_principal(name)?;
    let managed = sp.managed.as_ref();
    Some(Issue {
        cloud: Cloud::Public,
        tenant: tenant.id.clone(),
        object_id: sp.object_id.clone(),
        who: Who::Workload {
            resource_id: managed.map(|managed| managed.resource_id.clone()),
        },
        client_id: sp.client_id.clone(),
        client_auth: ClientAuth::Certificate,
        roles: roles(&sp.roles, &resource),
        groups: groups(tenant, &sp.object_id, &resource),
        contexts: Vec::new(),
        is_capable: false,
        now: 0,
        lifetime: None,
        resource,
    })
}

fn roles(
    held: &std::collections::BTreeMap<String, Vec<String>>,
    resource: &Resource,
) -> Vec<String> {
    held.get(&resource.client_id).cloned().unwrap_or_default()
}

fn groups(tenant: &Tenant, object_id: &str, resource: &Resource) -> GroupIds {
    if resource.wants_groups {
        GroupIds::of(tenant.groups_of(object_id).into_iter().collect())
    } else {
        GroupIds::Unwanted
    }
}
