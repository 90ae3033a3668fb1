//! The guard: may this process connect to that host, at those addresses?
//!
//! In: a URL, then the addresses that its host resolves to, then the address that answered. Out: a [`Route`], or a
//! [`Refusal`] that says which rule refused and what would allow it. Pure and synchronous: whoever connects asks three
//! times and dials exactly what was admitted.
//! Never: a host that no row names, an address in place of a name (but the metadata endpoint of Azure), plain HTTP to
//! anything but this machine's own endpoints, an answer of DNS of which only a part is allowed.

mod address;
mod built_in;
mod destination;
mod proof;
mod refusal;
#[cfg(test)]
mod tests;
mod url;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

pub(crate) use address::is_public;
pub use destination::{Destination, Route, Scheme};
pub use refusal::Refusal;

use crate::identity::Cloud;
use crate::metadata::NetworkRule;
use url::Target;

/// An allow-list of destinations. Immutable once built; when the tables change, the next one is built beside it and put in
/// force by a [`LiveGuard`](super::LiveGuard).
///
/// ```
/// use zt_core::identity::Cloud;
/// use zt_core::network::Guard;
///
/// let guard = Guard::for_identity(Cloud::Public);
/// let route = guard.route("https://graph.microsoft.com/v1.0/me")?;
/// assert!(route.admit(&["20.190.160.1".parse().unwrap()]).is_ok());
/// assert!(route.admit(&["10.0.0.4".parse().unwrap()]).is_err(), "a public host at a private address");
/// assert!(guard.route("https://example.com/").is_err(), "no row");
/// # Ok::<(), zt_core::network::Refusal>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Guard {
    /// By host. The rows of the tables come before the built-in ones.
    destinations: BTreeMap<String, Vec<Arc<Destination>>>,
    /// Where a host is found instead of in DNS.
    dialled: BTreeMap<String, SocketAddr>,
}

impl Guard {
    /// A guard that lets nothing through.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What an identity needs: Entra and Microsoft Graph of a cloud, and Azure's metadata endpoint.
    #[must_use]
    pub fn for_identity(cloud: Cloud) -> Self {
        let rows = built_in::entra(cloud)
            .chain(built_in::graph(cloud))
            .chain([built_in::metadata_endpoint()]);
        rows.fold(Self::new(), Self::with)
    }

    /// What the tables say: what an identity needs, and every row of `Network_Rules`. One client behind it would send a token
    /// for one service to another if it was told so; [`Runtime`](crate::runtime::Runtime) keeps identity and data apart.
    #[must_use]
    pub fn for_tables(cloud: Cloud, rules: &[NetworkRule]) -> Self {
        let rules: Vec<&NetworkRule> = rules.iter().collect();
        Self::for_identity(cloud).with_rules(&rules)
    }

    /// Adds the identity endpoint of App Service or Container Apps, whose URL is in `IDENTITY_ENDPOINT`: plain HTTP, and on
    /// this machine alone (Microsoft Learn, "How to use managed identities for App Service and Azure Functions").
    ///
    /// # Errors
    /// [`Refusal`] if the URL is not one, or names something else than `localhost`, a loopback or a link-local address.
    pub fn with_identity_endpoint(self, url: &str) -> Result<Self, Refusal> {
        Ok(self.with(built_in::identity_endpoint(url)?))
    }

    /// Adds one destination.
    #[must_use]
    pub fn with(mut self, destination: Destination) -> Self {
        let rows = self
            .destinations
            .entry(destination.host().to_owned())
            .or_default();
        rows.push(Arc::new(destination));
        self
    }

    /// Adds the rows of `Network_Rules`. For their hosts they replace the built-in rows, at the ports that they do not open too.
    #[must_use]
    pub fn with_rules(self, rules: &[&NetworkRule]) -> Self {
        let rows = rules.iter().map(|rule| Destination::from(*rule));
        rows.fold(self, Self::with)
    }

    /// Finds an allowed host at this address instead of in DNS. **For development alone**: simulators of Azure listen on
    /// loopback, and the URL, the certificate's name and the headers stay those of production. It allows no host by itself.
    #[must_use]
    pub fn dialling(mut self, host: &str, at: SocketAddr) -> Self {
        self.dialled.insert(host.to_owned(), at);
        self
    }

    /// Whether a request may go to this URL at all.
    ///
    /// # Errors
    /// [`Refusal`] for a URL that is malformed, holds a user or a fragment, or goes where no row allows.
    pub fn route(&self, url: &str) -> Result<Route, Refusal> {
        let target = Target::read(url)?;
        let rows = self.destinations.get(target.host);
        let rows = rows.map(Vec::as_slice).unwrap_or_default();
        if target.is_address() && !rows.iter().any(|row| row.is_built_in()) {
            return Err(Refusal::Address(target.host.to_owned()));
        }
        if rows.is_empty() {
            return Err(Refusal::UnknownHost(target.host.to_owned()));
        }
        let is_ruled = rows.iter().any(|row| !row.is_built_in());
        let counting = rows.iter().filter(|row| !is_ruled || !row.is_built_in());
        let counting: Vec<_> = counting.map(Arc::clone).collect();
        let covering = counting
            .iter()
            .filter(|row| row.covers(target.scheme, target.port));
        let rows_of_port: Vec<_> = covering.map(Arc::clone).collect();
        if rows_of_port.is_empty() {
            return Err(refusal::of_port(&target, &counting));
        }
        let dialled = self.dialled.get(target.host).copied();
        Ok(Route::new(&target, rows_of_port, dialled))
    }
}
