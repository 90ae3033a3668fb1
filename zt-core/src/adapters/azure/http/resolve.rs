//! Names to addresses: the system answers, the guard decides, the client dials exactly that.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::look_ups::LookUps;
use super::progress::{self, Stage};
use crate::network::seen::LookUp;
use crate::network::{LiveGuard, NameResolver, Refusal, Route};
use crate::port::BoxFuture;

type Failure = Box<dyn std::error::Error + Send + Sync>;

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

/// The addresses of the route's host, if the guard in force admits them all. What was said is noted either way.
async fn admitted(
    guard: &LiveGuard,
    route: &Arc<Route>,
    look_ups: &LookUps,
) -> Result<Vec<IpAddr>, Failure> {
    let note = |addresses: &[IpAddr], error: Option<String>| {
        let look_up = LookUp {
            at: Instant::now(),
            addresses: addresses.to_vec(),
            error,
        };
        guard.seen().looked_up(route.host(), look_up);
    };
    let addresses = match look_ups.of(route).await {
        Ok(addresses) => addresses,
        Err(why) => {
            note(&[], Some(why.to_string()));
            return Err(why.into());
        }
    };
    let now = guard.current().route(&route.origin());
    let judged = now.and_then(|route| route.admit(&addresses));
    note(&addresses, judged.as_ref().err().map(ToString::to_string));
    judged?;
    Ok(addresses)
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
            let mut addresses = admitted(&guard, &route, &look_ups).await?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Cloud;
    use crate::network::Guard;

    /// Answers so, or not at all.
    #[derive(Debug)]
    struct Says(Option<[u8; 4]>);

    impl NameResolver for Says {
        fn resolve<'a>(&'a self, _host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
            let found = self
                .0
                .map(IpAddr::from)
                .ok_or_else(|| io::ErrorKind::NotFound.into());
            Box::pin(async move { found.map(|address| vec![address]) })
        }
    }

    #[tokio::test]
    async fn what_name_resolution_said_last_is_seen_whether_it_is_admitted_or_not() {
        let guard = LiveGuard::new(Guard::for_identity(Cloud::Public));
        let route = guard
            .current()
            .route("https://graph.microsoft.com/")
            .unwrap();
        let route = Arc::new(route);
        assert!(guard.seen().of(route.host()).look_up.is_none());
        for (says, is_admitted) in [
            (Some([20, 190, 160, 1]), true),
            (Some([10, 0, 0, 4]), false),
            (None, false),
        ] {
            let look_ups = LookUps::new(Arc::new(Says(says)));
            let found = admitted(&guard, &route, &look_ups).await;
            assert_eq!(found.is_ok(), is_admitted, "{says:?}");
            let seen = guard.clone().seen().of(route.host()).look_up.unwrap();
            assert_eq!(seen.error.is_none(), is_admitted, "{says:?}");
            let said = says.map(IpAddr::from).into_iter().collect::<Vec<_>>();
            assert_eq!(seen.addresses, said);
        }
    }
}
