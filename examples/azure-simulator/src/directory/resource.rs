//! What a token can be for: an application of the tenant, or one of Microsoft's own.

use super::{Application, Tenant};

/// The audience of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resource {
    /// The client id, which is `aud` of v2.0 tokens.
    pub(crate) client_id: String,
    /// `aud` of v1.0 tokens.
    pub(crate) uri: String,
    pub(crate) is_v1: bool,
    pub(crate) wants_groups: bool,
    pub(crate) wants_capabilities: bool,
    pub(crate) needs_context: Option<String>,
    pub(crate) scopes: Vec<String>,
}

/// Microsoft's own: client id, URIs by which a scope names them. Their tokens are v1.0 and nobody else may read them.
const MICROSOFTS: &[(&str, &[&str])] = &[
    (
        GRAPH,
        &[
            "https://graph.microsoft.com",
            "https://graph.microsoft.us",
            "https://microsoftgraph.chinacloudapi.cn",
        ],
    ),
    (
        VAULT,
        &[
            "https://vault.azure.net",
            "https://vault.usgovcloudapi.net",
            "https://vault.azure.cn",
        ],
    ),
    (
        MONITOR,
        &[
            "https://monitor.azure.com",
            "https://monitor.azure.us",
            "https://monitor.azure.cn",
        ],
    ),
    (
        "797f4846-ba00-4fd7-ba43-dac1f8f63013",
        &[
            "https://management.azure.com",
            "https://management.core.windows.net",
        ],
    ),
    (
        "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d",
        &["https://databricks.azure.net"],
    ),
];

/// The client id of Azure Monitor.
pub(crate) const MONITOR: &str = "be14bf7e-8ab4-49b0-9dc6-a0eddd6fa73e";
/// The client id of Key Vault.
pub(crate) const VAULT: &str = "cfa8b339-82a2-471a-a3c9-0fc0be7a4093";
/// The client id of Microsoft Graph.
pub(crate) const GRAPH: &str = "00000003-0000-0000-c000-000000000000";

/// What a client id or an App ID URI names, with or without a slash at its end.
pub(crate) fn resource_of(tenant: &Tenant, name: &str) -> Option<Resource> {
    let bare = name.trim_end_matches('/');
    let is_named = |own: &&Application| own.client_id == bare || own.uris.iter().any(|u| u == bare);
    if let Some(own) = tenant.applications.iter().find(is_named) {
        let uri = own.uris.first().unwrap_or(&own.client_id);
        return Some(Resource {
            client_id: own.client_id.clone(),
            uri: uri.clone(),
            is_v1: own.wants_v1,
            wants_groups: own.wants_groups,
            wants_capabilities: own.wants_capabilities,
            needs_context: own.needs_context.clone(),
            scopes: own.scopes.clone(),
        });
    }
    let named = MICROSOFTS
        .iter()
        .find(|(id, uris)| *id == bare || uris.contains(&bare));
    let &(client_id, uris) = named?;
    let uri = uris
        .iter()
        .find(|&&uri| uri == bare)
        .or_else(|| uris.first())?;
    Some(Resource {
        client_id: client_id.to_owned(),
        uri: (*uri).to_owned(),
        is_v1: true,
        wants_groups: false,
        wants_capabilities: false,
        needs_context: None,
        scopes: vec!["user_impersonation".to_owned()],
    })
}

/// Whether `aud` of a token names this resource of Microsoft's.
pub(crate) fn is_for(aud: &str, client_id: &str) -> bool {
    let bare = aud.trim_end_matches('/');
    MICROSOFTS
        .iter()
        .any(|(id, uris)| *id == client_id && (bare == *id || uris.contains(&bare)))
}
