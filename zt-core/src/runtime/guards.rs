//! What a runtime may reach, by the tables in force: one guard for identity, one for data.
//!
//! In: the rows of Network_Rules, at open and whenever a snapshot comes into force. Out: two [`LiveGuard`]s that clients
//! follow. Identity reaches its own hosts alone, where rows make it stricter; data reaches the hosts of rows alone, so a token
//! for a vault never goes to a host without a row.
//! Never: a host of the one opened to the other by the code; a simulator outside of development.

use std::net::SocketAddr;

use super::Config;
use crate::identity::{Cloud, EntraProfile};
use crate::metadata::NetworkRule;
use crate::network::{Guard, LiveGuard, Refusal};

/// See the module.
#[derive(Debug)]
pub(super) struct Guards {
    lasting: Lasting,
    identity: LiveGuard,
    data: LiveGuard,
}

/// What no table changes.
#[derive(Debug)]
struct Lasting {
    cloud: Cloud,
    /// The URL of `IDENTITY_ENDPOINT`, as it was when the runtime was opened.
    identity_endpoint: Option<String>,
    /// Where simulators listen; only a development file can say so.
    azure: Option<SocketAddr>,
    metadata_endpoint: Option<SocketAddr>,
}

impl Guards {
    pub(super) fn new(
        config: &Config,
        profile: &EntraProfile,
        identity_endpoint: Option<String>,
        rules: &[NetworkRule],
    ) -> Self {
        let lasting = Lasting {
            cloud: profile.cloud(),
            identity_endpoint: identity_endpoint.filter(|endpoint| !endpoint.is_empty()),
            azure: config.simulated_azure(),
            metadata_endpoint: config.simulated_metadata_endpoint(),
        };
        Self {
            identity: LiveGuard::new(lasting.identity(rules)),
            data: LiveGuard::new(lasting.data(rules)),
            lasting,
        }
    }

    /// Puts these rows in force.
    pub(super) fn follow(&self, rules: &[NetworkRule]) {
        self.identity.replace(self.lasting.identity(rules));
        self.data.replace(self.lasting.data(rules));
    }

    pub(super) const fn identity(&self) -> &LiveGuard {
        &self.identity
    }

    pub(super) const fn data(&self) -> &LiveGuard {
        &self.data
    }

    /// Why data may not be asked for at a URL; `None` if a row opens it.
    pub(super) fn refuses(&self, url: &str) -> Option<Refusal> {
        self.data.current().route(url).err()
    }
}

impl Lasting {
    fn identity(&self, rules: &[NetworkRule]) -> Guard {
        // A row for one of these hosts is stricter or is meant to be; rows for others open nothing here.
        let is_ours = |rule: &&NetworkRule| {
            self.cloud.is_login_host(&rule.host)
                || self.cloud.graph_host() == Some(rule.host.as_str())
        };
        let rules: Vec<&NetworkRule> = rules.iter().filter(is_ours).collect();
        let mut guard = Guard::for_identity(self.cloud).with_rules(&rules);
        if let Some(endpoint) = &self.identity_endpoint {
            // One that is not on this machine gets no row; the credential that needs it says so.
            let without = guard.clone();
            guard = guard.with_identity_endpoint(endpoint).unwrap_or(without);
        }
        if let Some(at) = self.azure {
            let hosts = self.cloud.login_hosts().chain(self.cloud.graph_host());
            guard = hosts.fold(guard, |guard, host| guard.dialling(host, at));
        }
        match self.metadata_endpoint {
            Some(at) => guard.dialling("169.254.169.254", at),
            None => guard,
        }
    }

    fn data(&self, rules: &[NetworkRule]) -> Guard {
        let all: Vec<&NetworkRule> = rules.iter().collect();
        let guard = Guard::new().with_rules(&all);
        let Some(at) = self.azure else {
            return guard;
        };
        let hosts = all.into_iter().map(|rule| rule.host.as_str());
        let played = hosts.filter(|host| is_vault(host) || Cloud::is_ingestion_host(host));
        played.fold(guard, |guard, host| guard.dialling(host, at))
    }
}

/// Whether it is a host of Key Vault (Microsoft Learn, "Azure Key Vault keys, secrets, and certificates overview").
fn is_vault(host: &str) -> bool {
    VAULT_ZONES.into_iter().any(|zone| {
        let name = host.strip_suffix(zone);
        name.is_some_and(|name| name.len() > 1 && name.ends_with('.'))
    })
}

const VAULT_ZONES: [&str; 3] = [
    "vault.azure.net",
    "vault.usgovcloudapi.net",
    "vault.azure.cn",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::NetworkMode;

    const LOGIN: &str = "https://login.microsoftonline.com/";
    const VAULT: &str = "https://kv.vault.azure.net/";
    const LAKE: &str = "https://lake.dfs.core.windows.net/";

    fn rule(host: &str, cidrs: &[&str]) -> NetworkRule {
        NetworkRule {
            id: "NR".to_owned(),
            host: host.to_owned(),
            mode: NetworkMode::PrivateOnly,
            zone: None,
            group_id: None,
            cidrs: cidrs.iter().map(|range| range.parse().unwrap()).collect(),
            private_endpoint: None,
            ports: Vec::new(),
            runtime: None,
            private_link: crate::metadata::PrivateLink::Record,
        }
    }

    fn guards(azure: Option<SocketAddr>, rules: &[NetworkRule]) -> Guards {
        let lasting = Lasting {
            cloud: Cloud::Public,
            identity_endpoint: Some("http://127.0.0.1:4141/msi/token".to_owned()),
            azure,
            metadata_endpoint: azure,
        };
        Guards {
            identity: LiveGuard::new(lasting.identity(rules)),
            data: LiveGuard::new(lasting.data(rules)),
            lasting,
        }
    }

    #[test]
    fn identity_and_data_reach_nothing_of_each_other() {
        let rules = [rule("kv.vault.azure.net", &["10.0.0.0/8"])];
        let guards = guards(None, &rules);
        assert!(guards.identity.current().route(LOGIN).is_ok());
        assert!(guards.identity.current().route(VAULT).is_err());
        assert!(guards.refuses(VAULT).is_none());
        for url in [
            LOGIN,
            LAKE,
            "https://graph.microsoft.com/",
            "http://169.254.169.254/",
        ] {
            assert!(guards.refuses(url).is_some(), "{url}");
        }
    }

    #[test]
    fn clients_see_the_rows_that_came_and_miss_those_that_went() {
        let vault = rule("kv.vault.azure.net", &["10.0.0.0/8"]);
        let login = rule("login.microsoftonline.com", &["10.9.0.0/16"]);
        let guards = guards(None, &[vault]);
        let (identity, data) = (guards.identity().clone(), guards.data().clone());
        let public = ["20.190.160.1".parse().unwrap()];
        let login_admits = || identity.current().route(LOGIN).unwrap().admit(&public);
        assert!(login_admits().is_ok());

        guards.follow(&[login, rule("lake.dfs.core.windows.net", &["10.0.0.0/8"])]);
        assert!(login_admits().is_err());
        assert!(data.current().route(LAKE).is_ok());
        assert!(matches!(
            guards.refuses(VAULT),
            Some(Refusal::UnknownHost(_))
        ));

        guards.follow(&[]);
        assert!(login_admits().is_ok());
        assert!(data.current().route(LAKE).is_err());
    }

    #[test]
    fn what_no_table_says_stays() {
        let at: SocketAddr = "127.0.0.1:18443".parse().unwrap();
        let rules = [
            rule("kv.vault.azure.net", &["10.0.0.0/8"]),
            rule("lake.dfs.core.windows.net", &["10.0.0.0/8"]),
        ];
        let guards = guards(Some(at), &[]);
        for rules in [&rules[..], &[], &rules[..]] {
            guards.follow(rules);
            let identity = guards.identity.current();
            assert!(identity.route("http://127.0.0.1:4141/msi/token").is_ok());
            for url in [LOGIN, "http://169.254.169.254/metadata"] {
                assert_eq!(identity.route(url).unwrap().dialled(), Some(at), "{url}");
            }
        }
        let data = guards.data.current();
        assert_eq!(data.route(VAULT).unwrap().dialled(), Some(at));
        assert_eq!(data.route(LAKE).unwrap().dialled(), None);
    }

    #[test]
    fn only_hosts_inside_a_zone_of_key_vault_are_vaults() {
        for (host, is) in [
            ("kv.vault.azure.net", true),
            ("kv.vault.usgovcloudapi.net", true),
            ("kv.vault.azure.cn", true),
            ("vault.azure.net", false),
            ("evilvault.azure.net", false),
            ("kv.vault.azure.net.evil.example", false),
        ] {
            assert_eq!(is_vault(host), is, "{host}");
        }
    }
}
