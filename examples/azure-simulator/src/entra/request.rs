//! What every grant has in common: the tenant, the client, the scope, the claims asked for, the answer.

use serde_json::{Value, json};

use super::error::Refusal;
use super::id_token;
use super::metadata::no_such_tenant;
use crate::answer::Answer;
use crate::asked::Pairs;
use crate::cloud::Cloud;
use crate::directory::{Application, Directory, Resource, Tenant, resource_of};
use crate::issue::Issue;
use crate::state::State;
use crate::token;

/// A request to the token endpoint.
pub(crate) struct TokenRequest<'r> {
    pub(crate) state: &'r State,
    pub(crate) cloud: Cloud,
    pub(crate) tenant: &'r Tenant,
    pub(crate) client: &'r Application,
    pub(crate) form: &'r Pairs,
}

/// What a client asked for, after its scope was read.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) resource: Resource,
    /// Delegated permissions by name; empty for `.default`.
    pub(crate) names: Vec<String>,
}

/// What the parameter `claims` asks for.
#[derive(Debug, Default)]
pub(crate) struct AskedClaims {
    pub(crate) contexts: Vec<String>,
    pub(crate) is_capable: bool,
}

impl<'r> TokenRequest<'r> {
    /// Finds tenant and client.
    pub(crate) fn read(
        state: &'r State,
        directory: &'r Directory,
        cloud: Cloud,
        tenant: &str,
        form: &'r Pairs,
    ) -> Result<Self, Refusal> {
        let found = match tenant {
            "organizations" | "common" => directory.tenants.first(),
            name => directory.tenant(name),
        };
        let found = found.ok_or_else(|| no_such_tenant(tenant))?;
        let client_id = form
            .get("client_id")
            .ok_or_else(|| Refusal::missing("client_id"))?;
        let client = found.application(client_id).ok_or_else(|| {
            let message = format!(
                "Application with identifier '{client_id}' was not found in the directory '{}'.",
                found.id
            );
            Refusal::new("unauthorized_client", 700_016, message)
        })?;
        Ok(Self {
            state,
            cloud,
            tenant: found,
            client,
            form,
        })
    }

    pub(crate) fn required(&self, name: &str) -> Result<&'r str, Refusal> {
        self.form.get(name).ok_or_else(|| Refusal::missing(name))
    }

    /// `<resource>/.default` or `<resource>/<permission> …`, besides the scopes of OpenID Connect.
    pub(crate) fn scope(&self, text: &str) -> Result<Scope, Refusal> {
        const OPENID: [&str; 4] = ["openid", "profile", "email", "offline_access"];
        let mut resource: Option<&str> = None;
        let mut names = Vec::new();
        for one in text.split_whitespace().filter(|one| !OPENID.contains(one)) {
            let (of, name) = one
                .rsplit_once('/')
                .unwrap_or(("https://graph.microsoft.com", one));
            if resource.is_some_and(|already| already != of) {
                return Err(Refusal::new(
                    "invalid_scope",
                    28000,
                    "Provided value for the input parameter scope is not valid because it contains more than one resource.",
                ));
            }
            resource = Some(of);
            if name != ".default" {
                names.push(name.to_owned());
            }
        }
        let name = resource.ok_or_else(|| {
            let message = "The provided value for the input parameter 'scope' is not valid.";
            Refusal::new("invalid_scope", 70011, message)
        })?;
        let resource = resource_of(self.tenant, name).ok_or_else(|| {
            let message = format!(
                "The resource principal named {name} was not found in the tenant named {}.",
                self.tenant.domain
            );
            Refusal::new("invalid_resource", 500_011, message)
        })?;
        Ok(Scope { resource, names })
    }

    /// The parameter `claims`: authentication contexts and the client's capabilities ("Claims challenges", Microsoft Learn).
    pub(crate) fn asked_claims(&self) -> Result<AskedClaims, Refusal> {
        let Some(text) = self.form.get("claims") else {
            return Ok(AskedClaims::default());
        };
        let claims: Value = serde_json::from_str(text).map_err(|_| {
            let message = "The provided value for the input parameter 'claims' is not valid.";
            Refusal::new("invalid_request", 9_002_332, message)
        })?;
        let texts = |claim: &Value| -> Vec<String> {
            let one = claim.get("value").into_iter();
            let list = claim.get("values").and_then(Value::as_array);
            one.chain(list.into_iter().flatten())
                .filter_map(|value| value.as_str().map(str::to_ascii_lowercase))
                .collect()
        };
        let of = |name: &str| claims.get("access_token").and_then(|all| all.get(name));
        Ok(AskedClaims {
            contexts: of("acrs").map(texts).unwrap_or_default(),
            is_capable: of("xms_cc")
                .map(texts)
                .is_some_and(|all| all.contains(&"cp1".to_owned())),
        })
    }

    /// Signs and answers.
    pub(crate) fn issue(&self, mut issue: Issue, scope: &str) -> Result<Answer, Refusal> {
        issue.cloud = self.cloud;
        issue.now = self.state.clock.now();
        issue.client_id.clone_from(&self.client.client_id);
        let claims = issue.claims();
        let token = token::sign(self.state, None, issue.resource.is_v1, &claims)
            .map_err(|why| Refusal::new("server_error", 50001, why.to_string()))?;
        let expires = claims.get("exp").and_then(Value::as_i64).unwrap_or(0);
        let left = expires - issue.now - 1;
        let mut body = json!({
            "token_type": "Bearer",
            "scope": scope,
            "expires_in": left,
            "ext_expires_in": left,
            "access_token": token,
        });
        let more = id_token::members(self, &issue, scope);
        if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
            body.extend(more);
        }
        Ok(Answer::json(200, &body))
    }
}
