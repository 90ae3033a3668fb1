//! The clouds with an Entra of their own: hosts, issuers, and the names that keep their keys apart.
//!
//! Sources: Microsoft Learn, "National clouds"; the authority metadata that Microsoft's MSAL libraries are built with (v2.0
//! issuers); the constants of Microsoft's Azure SDKs (v1.0 issuers).

use std::fmt;
use std::str::FromStr;

use crate::id::Guid;

/// A cloud with an Entra of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cloud {
    /// Azure: `login.microsoftonline.com`.
    Public,
    /// Azure Government (US): `login.microsoftonline.us`.
    UsGov,
    /// Azure operated by 21Vianet: `login.partner.microsoftonline.cn`.
    China,
    /// The sovereign cloud of France: `login.sovcloud-identity.fr`.
    SovereignFr,
    /// The sovereign cloud of Germany: `login.sovcloud-identity.de`.
    SovereignDe,
    /// The sovereign cloud of Singapore: `login.sovcloud-identity.sg`.
    SovereignSg,
    /// The development issuer of zt, never in production. Its host is in a top-level domain that cannot exist (RFC 2606), and
    /// its keys carry its issuer, so no other cloud's key set takes them in.
    Development,
}

impl Cloud {
    /// Every cloud, with its name in settings.
    pub const WORDS: &'static [(&'static str, Self)] = &[
        ("public", Self::Public),
        ("us_gov", Self::UsGov),
        ("china", Self::China),
        ("sovereign_fr", Self::SovereignFr),
        ("sovereign_de", Self::SovereignDe),
        ("sovereign_sg", Self::SovereignSg),
        ("development", Self::Development),
    ];

    /// The host that signs people in, publishes keys and issues tokens.
    #[must_use]
    pub const fn login_host(self) -> &'static str {
        match self {
            Self::Public => "login.microsoftonline.com",
            Self::UsGov => "login.microsoftonline.us",
            Self::China => "login.partner.microsoftonline.cn",
            Self::SovereignFr => "login.sovcloud-identity.fr",
            Self::SovereignDe => "login.sovcloud-identity.de",
            Self::SovereignSg => "login.sovcloud-identity.sg",
            Self::Development => "zt-development-issuer.invalid",
        }
    }

    /// Every name of that host; old settings and documents hold the others.
    pub(crate) fn login_hosts(self) -> impl Iterator<Item = &'static str> {
        let aliases: &[&str] = match self {
            Self::Public => &[
                "login.windows.net",
                "login.microsoft.com",
                "sts.windows.net",
            ],
            Self::UsGov => &["login.usgovcloudapi.net"],
            Self::China => &["login.chinacloudapi.cn"],
            Self::SovereignFr | Self::SovereignDe | Self::SovereignSg | Self::Development => &[],
        };
        [self.login_host()]
            .into_iter()
            .chain(aliases.iter().copied())
    }

    /// Whether it is one of those names.
    #[must_use]
    pub fn is_login_host(self, host: &str) -> bool {
        self.login_hosts().any(|own| own == host)
    }

    /// The host of Microsoft Graph; `None` where none is documented.
    #[must_use]
    pub const fn graph_host(self) -> Option<&'static str> {
        match self {
            Self::Public => Some("graph.microsoft.com"),
            Self::UsGov => Some("graph.microsoft.us"),
            Self::China => Some("microsoftgraph.chinacloudapi.cn"),
            Self::SovereignFr | Self::SovereignDe | Self::SovereignSg | Self::Development => None,
        }
    }

    /// The application that tokens for Azure Monitor are for, a host name; `None` where none is documented. What follows
    /// `ingest.` in the names of its endpoints, too (Microsoft Learn, "Logs Ingestion API in Azure Monitor").
    #[must_use]
    pub const fn monitor_host(self) -> Option<&'static str> {
        match self {
            Self::Public => Some("monitor.azure.com"),
            Self::UsGov => Some("monitor.azure.us"),
            Self::China => Some("monitor.azure.cn"),
            Self::SovereignFr | Self::SovereignDe | Self::SovereignSg | Self::Development => None,
        }
    }

    /// Whether it is a host of this cloud that takes in logs.
    pub(crate) fn takes_in_logs(self, host: &str) -> bool {
        self.monitor_host().is_some_and(|zone| {
            let name = host.strip_suffix(zone);
            let name = name.and_then(|name| name.strip_suffix(".ingest."));
            name.is_some_and(|name| !name.is_empty())
        })
    }

    /// Whether it is a host of any cloud that takes in logs.
    pub(crate) fn is_ingestion_host(host: &str) -> bool {
        Self::WORDS
            .iter()
            .any(|(_, cloud)| cloud.takes_in_logs(host))
    }

    /// `cloud_instance_name` of this cloud's keys. The public cloud's own key set lists keys of Azure Government under the
    /// public issuer: only this name tells them apart. `None` where it is not documented; the key's issuer binds it then.
    pub(crate) const fn instance_name(self) -> Option<&'static str> {
        match self {
            Self::Public => Some("microsoftonline.com"),
            Self::UsGov => Some("microsoftonline.us"),
            Self::China => Some("partner.microsoftonline.cn"),
            Self::Development => Some("zt-development-issuer.invalid"),
            Self::SovereignFr | Self::SovereignDe | Self::SovereignSg => None,
        }
    }

    /// The `issuer` of keys that may sign for every tenant of this cloud.
    pub(crate) fn key_issuer_template(self) -> String {
        format!("https://{}/{TENANT_PLACEHOLDER}/v2.0", self.login_host())
    }

    /// The issuer of v2.0 tokens of a tenant.
    pub(crate) fn issuer_of(self, tenant: Guid) -> String {
        format!("https://{}/{tenant}/v2.0", self.login_host())
    }

    /// The issuer of v1.0 tokens of a tenant, where it is documented beyond doubt.
    pub(super) fn v1_issuer_of(self, tenant: Guid) -> Option<String> {
        let host = match self {
            Self::Public => "sts.windows.net",
            Self::China => "sts.chinacloudapi.cn",
            Self::UsGov
            | Self::SovereignFr
            | Self::SovereignDe
            | Self::SovereignSg
            | Self::Development => return None,
        };
        Some(format!("https://{host}/{tenant}/"))
    }

    /// Whether tokens of format 1.0 can be told at all: by a documented issuer, or by the one that the cloud's own discovery
    /// document states.
    pub(super) const fn has_v1(self) -> bool {
        !matches!(self, Self::Development)
    }

    /// Whether a v1.0 discovery document of this cloud may state this issuer for a tenant, where no documentation does.
    /// Azure Government shares its v1.0 issuer with the public cloud, or has one of its own: which, its document says.
    pub(super) fn may_state_v1_issuer(self, tenant: Guid, issuer: &str) -> bool {
        match self.v1_issuer_of(tenant) {
            Some(known) => issuer == known,
            None => {
                let own = format!("https://{}/{tenant}/", self.login_host());
                let shared = format!("https://sts.windows.net/{tenant}/");
                self.has_v1() && (issuer == own || (self == Self::UsGov && issuer == shared))
            }
        }
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = Self::WORDS.iter().find(|(_, cloud)| cloud == self);
        f.write_str(word.map_or("", |(word, _)| word))
    }
}

/// The text names no cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected `public`, `us_gov`, `china`, `sovereign_fr`, `sovereign_de`, `sovereign_sg` or `development`"
)]
#[non_exhaustive]
pub struct NotACloud;

impl FromStr for Cloud {
    type Err = NotACloud;

    fn from_str(text: &str) -> Result<Self, NotACloud> {
        let known = Self::WORDS.iter().find(|(word, _)| *word == text);
        known.map(|(_, cloud)| *cloud).ok_or(NotACloud)
    }
}

/// What stands for the tenant in documents that serve all of them.
pub(super) const TENANT_PLACEHOLDER: &str = "{tenantid}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cloud_reads_back_what_it_prints() {
        for (word, cloud) in Cloud::WORDS {
            assert_eq!(word.parse(), Ok(*cloud));
            assert_eq!(cloud.to_string(), *word);
        }
        assert_eq!("Public".parse::<Cloud>(), Err(NotACloud));
    }

    #[test]
    fn no_two_clouds_share_a_host_or_an_issuer_of_v2() {
        let tenant = Guid::from_u128(7);
        for (word, cloud) in Cloud::WORDS {
            for (other, second) in Cloud::WORDS.iter().filter(|(other, _)| other != word) {
                assert!(!second.is_login_host(cloud.login_host()), "{word} {other}");
                assert_ne!(cloud.issuer_of(tenant), second.issuer_of(tenant));
                assert_ne!(cloud.key_issuer_template(), second.key_issuer_template());
            }
        }
    }

    #[test]
    fn a_v1_issuer_is_the_documented_one_or_the_clouds_own() {
        let tenant = Guid::from_u128(7);
        let shared = format!("https://sts.windows.net/{tenant}/");
        assert!(Cloud::Public.may_state_v1_issuer(tenant, &shared));
        assert!(Cloud::UsGov.may_state_v1_issuer(tenant, &shared));
        assert!(!Cloud::China.may_state_v1_issuer(tenant, &shared));
        assert!(!Cloud::SovereignDe.may_state_v1_issuer(tenant, &shared));
        assert!(!Cloud::Development.may_state_v1_issuer(tenant, &shared));
        let other = format!("https://sts.windows.net/{}/", Guid::from_u128(8));
        assert!(!Cloud::UsGov.may_state_v1_issuer(tenant, &other));
    }
}
