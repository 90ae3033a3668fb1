//! The three clouds that the simulator plays, told apart by the host that a client asked for.
//!
//! Source: Microsoft Learn, "National clouds"; the issuers are those of each cloud's published metadata.

/// A cloud of Azure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Cloud {
    /// Azure: `login.microsoftonline.com`.
    #[default]
    Public,
    /// Azure Government (US): `login.microsoftonline.us`.
    UsGov,
    /// Azure operated by 21Vianet: `login.partner.microsoftonline.cn`.
    China,
}

/// What a host serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// Entra ID.
    Login,
    /// Microsoft Graph.
    Graph,
    /// A vault of Key Vault, whose name is the host's first label.
    Vault,
    /// An endpoint of Azure Monitor that takes in logs.
    Monitor,
    /// This machine's own name: the path says which service is meant.
    Local,
}

impl Cloud {
    /// Where people and applications get tokens.
    #[must_use]
    pub const fn login_host(self) -> &'static str {
        match self {
            Self::Public => "login.microsoftonline.com",
            Self::UsGov => "login.microsoftonline.us",
            Self::China => "login.partner.microsoftonline.cn",
        }
    }

    /// Where Microsoft Graph is.
    #[must_use]
    pub const fn graph_host(self) -> &'static str {
        match self {
            Self::Public => "graph.microsoft.com",
            Self::UsGov => "graph.microsoft.us",
            Self::China => "microsoftgraph.chinacloudapi.cn",
        }
    }

    /// What the hosts of vaults end with, after the vault's name and a dot.
    #[must_use]
    pub const fn vault_suffix(self) -> &'static str {
        match self {
            Self::Public => "vault.azure.net",
            Self::UsGov => "vault.usgovcloudapi.net",
            Self::China => "vault.azure.cn",
        }
    }

    /// What tokens for Azure Monitor are for, a host name.
    #[must_use]
    pub const fn monitor_host(self) -> &'static str {
        match self {
            Self::Public => "monitor.azure.com",
            Self::UsGov => "monitor.azure.us",
            Self::China => "monitor.azure.cn",
        }
    }

    /// What the hosts of its ingestion endpoints end with here, after a name and a dot: those of one region.
    #[must_use]
    pub const fn ingestion_suffix(self) -> &'static str {
        match self {
            Self::Public => "westeurope-1.ingest.monitor.azure.com",
            Self::UsGov => "usgovvirginia-1.ingest.monitor.azure.us",
            Self::China => "chinaeast2-1.ingest.monitor.azure.cn",
        }
    }

    /// `cloud_instance_name` of its keys and metadata.
    #[must_use]
    pub const fn instance_name(self) -> &'static str {
        match self {
            Self::Public => "microsoftonline.com",
            Self::UsGov => "microsoftonline.us",
            Self::China => "partner.microsoftonline.cn",
        }
    }

    /// The issuer of a tenant's v2.0 tokens; with `{tenantid}` for the tenant it is the template.
    #[must_use]
    pub fn v2_issuer(self, tenant: &str) -> String {
        format!("https://{}/{tenant}/v2.0", self.login_host())
    }

    /// The issuer of a tenant's v1.0 tokens. Azure Government uses the public one.
    #[must_use]
    pub fn v1_issuer(self, tenant: &str) -> String {
        match self {
            Self::Public | Self::UsGov => format!("https://sts.windows.net/{tenant}/"),
            Self::China => format!("https://sts.chinacloudapi.cn/{tenant}/"),
        }
    }
}

/// All of them.
pub(crate) const CLOUDS: [Cloud; 3] = [Cloud::Public, Cloud::UsGov, Cloud::China];

/// Every host that the simulator's certificate names, beside those of vaults and of ingestion endpoints.
pub(crate) const HOSTS: &[(&str, Service, Cloud)] = &[
    ("login.microsoftonline.com", Service::Login, Cloud::Public),
    ("login.windows.net", Service::Login, Cloud::Public),
    ("login.microsoft.com", Service::Login, Cloud::Public),
    ("sts.windows.net", Service::Login, Cloud::Public),
    ("login.microsoftonline.us", Service::Login, Cloud::UsGov),
    (
        "login.partner.microsoftonline.cn",
        Service::Login,
        Cloud::China,
    ),
    ("sts.chinacloudapi.cn", Service::Login, Cloud::China),
    ("graph.microsoft.com", Service::Graph, Cloud::Public),
    ("graph.microsoft.us", Service::Graph, Cloud::UsGov),
    (
        "microsoftgraph.chinacloudapi.cn",
        Service::Graph,
        Cloud::China,
    ),
    ("localhost", Service::Local, Cloud::Public),
    ("127.0.0.1", Service::Local, Cloud::Public),
];

/// What a `Host` header asks for, whatever its port.
pub(crate) fn service_of(host: &str) -> Option<(Service, Cloud)> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let known = HOSTS
        .iter()
        .find(|(own, _, _)| own.eq_ignore_ascii_case(name))
        .map(|&(_, service, cloud)| (service, cloud));
    known
        .or_else(|| Some((Service::Vault, cloud_of_vault(name)?)))
        .or_else(|| Some((Service::Monitor, cloud_of_endpoint(name)?)))
}

/// The cloud of a host that can be an ingestion endpoint's.
fn cloud_of_endpoint(host: &str) -> Option<Cloud> {
    let (_, suffix) = host.split_once('.').filter(|(name, _)| !name.is_empty())?;
    let mut clouds = CLOUDS.into_iter();
    clouds.find(|cloud| cloud.ingestion_suffix().eq_ignore_ascii_case(suffix))
}

/// The cloud of a host that can be a vault's: one label before a cloud's suffix.
pub(crate) fn cloud_of_vault(host: &str) -> Option<Cloud> {
    let (_, suffix) = host.split_once('.').filter(|(name, _)| !name.is_empty())?;
    let mut clouds = CLOUDS.into_iter();
    clouds.find(|cloud| cloud.vault_suffix().eq_ignore_ascii_case(suffix))
}
