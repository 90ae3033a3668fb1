//! Names to addresses: the system answers, the guard decides, the client dials exactly that.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::network::{LiveGuard, NameResolver, Refusal, Route};
use crate::port::BoxFuture;

/// The resolver of the operating system, on tokio's blocking threads.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct SystemResolver;

impl NameResolver for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            let mut addresses = Vec::new();
            for at in found {
                if !addresses.contains(&at.ip()) {
                    addresses.push(at.ip());
                }
            }
            Ok(addresses)
        })
    }
}

/// The resolver of one route's client. Addresses are admitted by the guard in force when they came, not by the one that was
/// when the client was made.
#[derive(Debug)]
pub(super) struct Admitting {
    guard: LiveGuard,
    route: Arc<Route>,
    names: Arc<dyn NameResolver>,
}

impl Admitting {
    pub(super) fn new(guard: LiveGuard, route: Route, names: Arc<dyn NameResolver>) -> Self {
        Self {
            guard,
            route: Arc::new(route),
            names,
        }
    }
}

impl Resolve for Admitting {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, route) = (self.guard.clone(), Arc::clone(&self.route));
        let names = Arc::clone(&self.names);
        Box::pin(async move {
            // The client was made for one host; whoever asks it for another is a defect, and not served.
            if name.as_str() != route.host() {
                return Err(Refusal::UnknownHost(name.as_str().to_owned()).into());
            }
            if let Some(simulator) = route.dialled() {
                return Ok(Box::new(std::iter::once(simulator)) as Addrs);
            }
            let addresses = names.resolve(route.host()).await?;
            guard.current().route(&route.origin())?.admit(&addresses)?;
            let port = route.port();
            let addresses = addresses.into_iter();
            Ok(Box::new(addresses.map(move |ip| SocketAddr::new(ip, port))) as Addrs)
        })
    }
}
