//! A registered application: what it offers as an API, and how it proves itself as a client.

use std::fmt;

/// An application's registration.
#[derive(Clone)]
#[non_exhaustive]
pub struct Application {
    /// The client id, a GUID.
    pub client_id: String,
    /// The name to show.
    pub name: String,
    /// App ID URIs, as `api://…`.
    pub uris: Vec<String>,
    /// Delegated permissions that it defines: values of `scp`.
    pub scopes: Vec<String>,
    /// Whether its tokens are v1.0 (`requestedAccessTokenVersion` null or 1).
    pub wants_v1: bool,
    /// Whether its tokens list groups (`groupMembershipClaims`).
    pub wants_groups: bool,
    /// Whether its tokens say which capabilities the client has (`xms_cc` as an optional claim).
    pub wants_capabilities: bool,
    /// An authentication context that conditional access asks of people who call it, as `c1`.
    pub needs_context: Option<String>,
    /// Whether it may sign people in without proving itself: a program on somebody's machine.
    pub is_public: bool,
    /// Client secrets that are accepted.
    pub secrets: Vec<String>,
    /// Subjects of tokens from elsewhere that are accepted in place of a secret (workload identity federation).
    pub federated_subjects: Vec<String>,
}

impl Application {
    /// An API whose tokens are v2.0 and list groups.
    #[must_use]
    pub fn api(client_id: &str, name: &str, scopes: &[&str]) -> Self {
        Self {
            uris: vec![format!("api://{client_id}")],
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            wants_groups: true,
            wants_capabilities: true,
            ..Self::client(client_id, name)
        }
    }

    /// A client that can prove itself once it has a secret or a federated subject.
    #[must_use]
    pub fn client(client_id: &str, name: &str) -> Self {
        Self {
            client_id: client_id.to_owned(),
            name: name.to_owned(),
            uris: Vec::new(),
            scopes: Vec::new(),
            wants_v1: false,
            wants_groups: false,
            wants_capabilities: false,
            needs_context: None,
            is_public: false,
            secrets: Vec::new(),
            federated_subjects: Vec::new(),
        }
    }

    /// A program on somebody's machine: no secret, device code.
    #[must_use]
    pub fn public(client_id: &str, name: &str) -> Self {
        Self {
            is_public: true,
            ..Self::client(client_id, name)
        }
    }

    /// Accepts this secret.
    #[must_use]
    pub fn with_secret(mut self, secret: &str) -> Self {
        self.secrets.push(secret.to_owned());
        self
    }

    /// Accepts the cluster's tokens with this subject, as `system:serviceaccount:scoring:score-201`.
    #[must_use]
    pub fn with_federated_subject(mut self, subject: &str) -> Self {
        self.federated_subjects.push(subject.to_owned());
        self
    }
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application")
            .field("client_id", &self.client_id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
