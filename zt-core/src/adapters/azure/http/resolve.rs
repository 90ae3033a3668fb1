//! Names to addresses: the system answers, the guard decides, the client dials exactly that.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::look_ups::LookUps;
use super::progress::{self, Stage};
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
/// when the client was made. A look-up goes on when who asked gives up, and answers who asks next.
#[derive(Debug)]
pub(super) struct Admitting {
    guard: LiveGuard,
    route: Arc<Route>,
    look_ups: Arc<LookUps>,
    /// How often no address accepted in time.
    silences: Arc<AtomicUsize>,
}

impl Admitting {
    pub(super) fn new(
        guard: LiveGuard,
        route: Route,
        names: Arc<dyn NameResolver>,
        silences: Arc<AtomicUsize>,
    ) -> Self {
        Self {
            guard,
            route: Arc::new(route),
            look_ups: Arc::new(LookUps::new(names)),
            silences,
        }
    }
}

impl Resolve for Admitting {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, route) = (self.guard.clone(), Arc::clone(&self.route));
        let look_ups = Arc::clone(&self.look_ups);
        let silences = self.silences.load(Ordering::Relaxed);
        Box::pin(async move {
            // The client was made for one host; whoever asks it for another is a defect, and not served.
            if name.as_str() != route.host() {
                return Err(Refusal::UnknownHost(name.as_str().to_owned()).into());
            }
            if let Some(simulator) = route.dialled() {
                progress::reached(Stage::Accept);
                return Ok(Box::new(std::iter::once(simulator)) as Addrs);
            }
            let mut addresses = look_ups.of(&route).await?;
            guard.current().route(&route.origin())?.admit(&addresses)?;
            if let Some(turns) = silences.checked_rem(addresses.len()) {
                addresses.rotate_left(turns);
            }
            progress::reached(Stage::Accept);
            let port = route.port();
            let addresses = addresses.into_iter();
            Ok(Box::new(addresses.map(move |ip| SocketAddr::new(ip, port))) as Addrs)
        })
    }
}
