//! The claims of an access token, as Entra writes them.
//!
//! Source: Microsoft Learn, "Access token claims reference" and "Optional claims reference". Entra dates a token five minutes
//! back and gives it 60 to 90 minutes; the order of claims means nothing.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::cloud::Cloud;
use crate::directory::Resource;
use crate::random;

/// Everything that a token says.
#[derive(Debug)]
pub(crate) struct Issue {
    pub(crate) cloud: Cloud,
    pub(crate) tenant: String,
    pub(crate) resource: Resource,
    pub(crate) object_id: String,
    pub(crate) who: Who,
    pub(crate) client_id: String,
    pub(crate) client_auth: ClientAuth,
    /// App roles, of the person or of the workload.
    pub(crate) roles: Vec<String>,
    pub(crate) groups: GroupIds,
    /// Authentication contexts (`acrs`).
    pub(crate) contexts: Vec<String>,
    /// Whether the client can answer claims challenges (`xms_cc` with `cp1`).
    pub(crate) is_capable: bool,
    pub(crate) now: i64,
    pub(crate) lifetime: Option<i64>,
}

/// For whom.
#[derive(Debug)]
pub(crate) enum Who {
    Person {
        scopes: Vec<String>,
        methods: Vec<String>,
        upn: String,
        display_name: String,
        further: Map<String, Value>,
    },
    Workload {
        resource_id: Option<String>,
    },
}

/// How the client proved itself (`azpacr`, `appidacr`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientAuth {
    Public,
    Secret,
    Certificate,
}

/// The groups of a token.
#[derive(Debug)]
pub(crate) enum GroupIds {
    /// The application does not ask for them.
    Unwanted,
    Listed(Vec<String>),
    /// More than fit.
    Overage,
}

/// More groups than this are not listed in a JWT ("Groups overage claim").
const MOST_GROUPS: usize = 200;
const BACKDATED_S: i64 = 300;

impl GroupIds {
    pub(crate) fn of(ids: Vec<String>) -> Self {
        if ids.len() > MOST_GROUPS {
            Self::Overage
        } else {
            Self::Listed(ids)
        }
    }
}

impl ClientAuth {
    const fn digit(self) -> &'static str {
        match self {
            Self::Public => "0",
            Self::Secret => "1",
            Self::Certificate => "2",
        }
    }
}

impl Issue {
    pub(crate) fn claims(&self) -> Value {
        let iat = self.now - BACKDATED_S;
        let lifetime = self
            .lifetime
            .unwrap_or_else(|| 3600 + i64::from(random::below(1800)));
        let mut claims = Map::new();
        let mut add = |more: Value| {
            if let Value::Object(more) = more {
                claims.extend(more);
            }
        };
        add(json!({
            "iat": iat,
            "nbf": iat,
            "exp": self.now + lifetime,
            "aio": random::text(),
            "oid": self.object_id,
            "rh": format!("1.{}.", random::text()),
            "tid": self.tenant,
            "uti": random::text(),
        }));
        add(if self.resource.is_v1 {
            self.v1_form()
        } else {
            self.v2_form()
        });
        add(self.who_claims());
        add(self.rights());
        add(self.context());
        Value::Object(claims)
    }

    fn v2_form(&self) -> Value {
        json!({
            "aud": self.resource.client_id,
            "iss": self.cloud.v2_issuer(&self.tenant),
            "azp": self.client_id,
            "azpacr": self.client_auth.digit(),
            "ver": "2.0",
        })
    }

    fn v1_form(&self) -> Value {
        let issuer = self.cloud.v1_issuer(&self.tenant);
        json!({
            "aud": self.resource.uri,
            "iss": issuer,
            "idp": issuer,
            "appid": self.client_id,
            "appidacr": self.client_auth.digit(),
            "ver": "1.0",
        })
    }

    fn who_claims(&self) -> Value {
        match &self.who {
            Who::Person {
                scopes,
                methods,
                upn,
                display_name,
                further,
            } => {
                let mut claims = json!({
                    "idtyp": "user",
                    "scp": scopes.join(" "),
                    "sub": pairwise(&self.object_id, &self.resource.client_id),
                    "name": display_name,
                });
                if let Value::Object(claims) = &mut claims {
                    if self.resource.is_v1 {
                        claims.insert("acr".to_owned(), "1".into());
                        claims.insert("amr".to_owned(), methods.clone().into());
                        claims.insert("unique_name".to_owned(), upn.as_str().into());
                        claims.insert("upn".to_owned(), upn.as_str().into());
                    } else {
                        claims.insert("preferred_username".to_owned(), upn.as_str().into());
                    }
                    claims.extend(further.clone());
                }
                claims
            }
            Who::Workload { resource_id } => {
                let mut claims = json!({ "idtyp": "app", "sub": self.object_id });
                if let (Value::Object(claims), Some(id)) = (&mut claims, resource_id) {
                    claims.insert("xms_mirid".to_owned(), id.as_str().into());
                }
                claims
            }
        }
    }

    /// Roles and groups. An empty list is not written.
    fn rights(&self) -> Value {
        let mut claims = Map::new();
        if !self.roles.is_empty() {
            claims.insert("roles".to_owned(), self.roles.clone().into());
        }
        match &self.groups {
            GroupIds::Listed(ids) if !ids.is_empty() => {
                claims.insert("groups".to_owned(), ids.clone().into());
            }
            GroupIds::Listed(_) | GroupIds::Unwanted => {}
            GroupIds::Overage => {
                // Microsoft warns that this URL is of a service that is gone; nobody should follow it.
                let endpoint = format!(
                    "https://graph.windows.net/{}/users/{}/getMemberObjects",
                    self.tenant, self.object_id
                );
                claims.insert("_claim_names".to_owned(), json!({ "groups": "src1" }));
                let sources = json!({ "src1": { "endpoint": endpoint } });
                claims.insert("_claim_sources".to_owned(), sources);
            }
        }
        Value::Object(claims)
    }

    fn context(&self) -> Value {
        let mut claims = Map::new();
        if !self.contexts.is_empty() {
            claims.insert("acrs".to_owned(), self.contexts.clone().into());
        }
        if self.is_capable && self.resource.wants_capabilities {
            claims.insert("xms_cc".to_owned(), json!(["cp1"]));
        }
        Value::Object(claims)
    }
}

/// `sub` differs between applications and tells nothing about the person.
pub(crate) fn pairwise(object_id: &str, audience: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(
        &SHA256,
        format!("{object_id}|{audience}").as_bytes(),
    ))
}
