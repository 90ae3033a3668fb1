//! The probe of the network doctor: looks at names, tries the path, and shows no token to anybody.
//!
//! In: a row of Network_Rules. Out: the [`Diagnosis`] of what was seen. It dials what the guard admits and nothing else;
//! what a row requires of the vault's word is judged afterwards, because nothing secret is sent.

mod reach;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::{GuardedHttp, SystemResolver};
use crate::metadata::{NetworkRule, PrivateLink};
use crate::network::doctor::{Diagnosis, Lookup, Observed, Reached, WRONG_VAULT_ZONE, diagnose};
use crate::network::private_link::Service;
use crate::network::{Guard, HttpError, NameResolver};

/// Looks at the paths of rows, one at a time. Needs a tokio runtime with I/O and time.
#[derive(Debug)]
pub struct NetworkDoctor {
    names: Arc<dyn NameResolver>,
    trusted: Option<Vec<u8>>,
    simulator: Option<SocketAddr>,
    proxies: Vec<String>,
}

impl NetworkDoctor {
    /// Asks the system's resolver, trusts the system's authorities, and takes note of the proxy variables that are set.
    #[must_use]
    pub fn new() -> Self {
        Self {
            names: Arc::new(SystemResolver),
            trusted: None,
            simulator: None,
            proxies: proxies(),
        }
    }

    /// Asks this resolver instead.
    #[must_use]
    pub fn resolving_with(mut self, names: Arc<dyn NameResolver>) -> Self {
        self.names = names;
        self
    }

    /// Trusts these certificates (PEM) alone.
    #[must_use]
    pub fn trusting_only(mut self, pem: Vec<u8>) -> Self {
        self.trusted = Some(pem);
        self
    }

    /// Finds the hosts of Azure's services at this address. **For development alone**.
    #[must_use]
    pub const fn dialling(mut self, simulator: SocketAddr) -> Self {
        self.simulator = Some(simulator);
        self
    }

    /// Looks at the path to a host and names what is wrong with it. Takes about 15 s where nobody answers.
    ///
    /// # Errors
    /// [`HttpError::Tls`] if there are no certificate authorities to trust.
    pub async fn examine(
        &self,
        host: &str,
        rule: Option<&NetworkRule>,
    ) -> Result<Diagnosis, HttpError> {
        let seen = match rule {
            None => Observed::new(Lookup::NoSuchName),
            Some(rule) => self.observe(rule).await?,
        };
        Ok(diagnose(host, rule, &seen))
    }

    async fn observe(&self, rule: &NetworkRule) -> Result<Observed, HttpError> {
        let host = rule.host.as_str();
        let service = Service::of(host);
        let mut guard = Guard::new().with_rules(&[&recorded(rule)]);
        let simulator = self.simulator.filter(|_| service.is_some());
        let mut seen = match simulator {
            Some(at) => {
                guard = guard.dialling(host, at);
                Observed::new(Lookup::Simulated)
            }
            None => self.look_up(rule, service).await,
        };
        seen.proxies.clone_from(&self.proxies);
        let port = reach::port_of(rule);
        let url = reach::url_of(host, port);
        let admitted = match (guard.route(&url), simulator) {
            (Ok(_), Some(at)) => vec![at],
            (Ok(route), None) => {
                let found = seen.public_name.addresses();
                let dialled = found.iter().map(|ip| SocketAddr::new(*ip, port));
                let admitted = route.admit(found).is_ok();
                dialled.filter(|_| admitted).collect()
            }
            (Err(_), _) => Vec::new(),
        };
        seen.reached = if admitted.is_empty() {
            Reached::NotTried
        } else if port == reach::HTTPS {
            let http = self.client(guard)?;
            reach::ask(&http, &url, service).await
        } else {
            reach::connect(host, &admitted).await
        };
        Ok(seen)
    }

    fn client(&self, guard: Guard) -> Result<GuardedHttp, HttpError> {
        let client = match &self.trusted {
            Some(pem) => GuardedHttp::trusting_only(guard, pem)?,
            None => GuardedHttp::new(guard)?,
        };
        Ok(client.resolving_with(Arc::clone(&self.names)))
    }

    async fn look_up(&self, rule: &NetworkRule, service: Option<&Service>) -> Observed {
        let host = rule.host.as_str();
        let mut seen = Observed::new(self.resolve(host).await);
        if let Some(name) = private_name(rule, service) {
            seen.private_name = Some(self.resolve(&name).await);
        }
        if let Some(own) = host.strip_suffix(".vault.azure.net") {
            let name = format!("{own}.{WRONG_VAULT_ZONE}");
            seen.wrong_name = Some(self.resolve(&name).await);
        }
        seen
    }

    async fn resolve(&self, name: &str) -> Lookup {
        match tokio::time::timeout(LOOKUP, self.names.resolve(name)).await {
            Ok(Ok(found)) if !found.is_empty() => {
                Lookup::Found(found.iter().map(IpAddr::to_canonical).collect())
            }
            Ok(_) => Lookup::NoSuchName,
            Err(_) => Lookup::TimedOut,
        }
    }
}

impl Default for NetworkDoctor {
    fn default() -> Self {
        Self::new()
    }
}

/// The row with its demand taken down to a record, so that the answer is seen and not only that it was refused.
fn recorded(rule: &NetworkRule) -> NetworkRule {
    let private_link = match rule.private_link {
        PrivateLink::Require => PrivateLink::Record,
        PrivateLink::Off | PrivateLink::Record => rule.private_link,
    };
    NetworkRule {
        private_link,
        ..rule.clone()
    }
}

/// The host's name in its private zone: by the service, else by the row's zone.
fn private_name(rule: &NetworkRule, service: Option<&Service>) -> Option<String> {
    if let Some(service) = service {
        return service.private_name(&rule.host);
    }
    let zone = rule.zone.as_deref()?;
    let suffix = zone.strip_prefix("privatelink.")?;
    let own = rule.host.strip_suffix(suffix)?.strip_suffix('.')?;
    Some(format!("{own}.{zone}"))
}

/// The names of the proxy variables that are set. Their values can hold a password, and nobody here reads them.
fn proxies() -> Vec<String> {
    let is_set = |name: &&&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let set = PROXIES.iter().filter(is_set);
    set.map(|name| (*name).to_owned()).collect()
}

const PROXIES: [&str; 6] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
];

const LOOKUP: Duration = Duration::from_secs(3);
