//! The clients of `reqwest`, one for each origin, each with the route that it was made for.
//!
//! In: the guard in force and a route of it. Out: a client whose pool holds no connection of another route. A client that
//! the guard in force would make otherwise is let go with the first request that asks it, and its idle connections with it.
//! Never: a lock; a client of the process that this one was forked from, whose connections belong to the parent: it is
//! not used, and not dropped either, because that would reach into a runtime that has no threads here.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use reqwest::Client;

use crate::network::{Guard, HttpError, Route};
use crate::process;

/// See the module.
pub(super) struct Clients(ArcSwap<Kept>);

#[derive(Clone)]
struct Kept {
    /// The process that the connections belong to.
    process: u64,
    /// The guard that was in force when somebody last asked.
    guard: Arc<Guard>,
    /// By origin; at most [`MOST_CLIENTS`].
    by_origin: BTreeMap<String, (Route, Client)>,
}

impl Clients {
    pub(super) fn new(guard: Arc<Guard>) -> Self {
        Self(ArcSwap::from_pointee(Kept::none(guard)))
    }

    /// The client of a route of this guard. Several may make it at once; one of them is kept.
    pub(super) fn of(
        &self,
        guard: &Arc<Guard>,
        route: &Route,
        make: impl FnOnce() -> Result<Client, HttpError>,
    ) -> Result<Client, HttpError> {
        let origin = route.origin();
        if !self.0.load().is_of(guard) {
            drop(self.0.rcu(|kept| kept.following(guard)));
        }
        if let Some(client) = self.0.load().client(&origin, route) {
            return Ok(client);
        }
        let made = make()?;
        let entry = (route.clone(), made.clone());
        drop(self.0.rcu(|kept| {
            let mut next = kept.following(guard);
            if next.by_origin.len() >= MOST_CLIENTS {
                // A row with a range of ports has many origins: the connections are lost, nothing else.
                next.by_origin.clear();
            }
            next.by_origin.insert(origin.clone(), entry.clone());
            next
        }));
        Ok(made)
    }
}

impl Kept {
    fn none(guard: Arc<Guard>) -> Self {
        Self {
            process: process::generation(),
            guard,
            by_origin: BTreeMap::new(),
        }
    }

    fn is_of(&self, guard: &Arc<Guard>) -> bool {
        self.process == process::generation() && Arc::ptr_eq(&self.guard, guard)
    }

    fn client(&self, origin: &str, route: &Route) -> Option<Client> {
        let (made_for, client) = self.by_origin.get(origin)?;
        (made_for == route).then(|| client.clone())
    }

    /// What of it this guard and this process would make the same.
    fn following(self: &Arc<Self>, guard: &Arc<Guard>) -> Self {
        if self.process != process::generation() {
            self.leak();
            return Self::none(Arc::clone(guard));
        }
        let mut next = Self::clone(self);
        if !Arc::ptr_eq(&next.guard, guard) {
            next.guard = Arc::clone(guard);
            let same = |origin: &String, route: &Route| guard.route(origin).as_ref() == Ok(route);
            next.by_origin
                .retain(|origin, (route, _)| same(origin, route));
        }
        next
    }

    /// Keeps it for as long as the process lives.
    fn leak(self: &Arc<Self>) {
        let _for_good = Box::leak(Box::new(Arc::clone(self)));
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        let kept = self.0.load_full();
        if kept.process != process::generation() {
            kept.leak();
        }
    }
}

/// Origins with a client at a time.
const MOST_CLIENTS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Cloud;

    const GRAPH: &str = "https://graph.microsoft.com/";

    fn no_client() -> Result<Client, HttpError> {
        let reason = "made".to_owned();
        Err(HttpError::Malformed { reason })
    }

    fn kept(process: u64, guard: &Arc<Guard>) -> Arc<Kept> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let builder = Client::builder().tls_backend_preconfigured(tls);
        let route = guard.route(GRAPH).unwrap();
        let entry = (route.clone(), builder.build().unwrap());
        Arc::new(Kept {
            process,
            guard: Arc::clone(guard),
            by_origin: BTreeMap::from([(route.origin(), entry)]),
        })
    }

    #[test]
    fn a_client_of_the_parent_is_neither_used_nor_dropped() {
        let guard = Arc::new(Guard::for_identity(Cloud::Public));
        let route = guard.route(GRAPH).unwrap();
        for asks in [true, false] {
            let of_parent = kept(process::generation().wrapping_add(1), &guard);
            let watched = Arc::downgrade(&of_parent);
            let clients = Clients(ArcSwap::new(of_parent));
            if asks {
                assert!(clients.of(&guard, &route, no_client).is_err());
            }
            drop(clients);
            assert!(watched.upgrade().is_some());
        }
    }

    #[test]
    fn a_client_goes_with_the_first_request_after_its_row() {
        let guard = Arc::new(Guard::for_identity(Cloud::Public));
        let route = guard.route(GRAPH).unwrap();
        let clients = Clients(ArcSwap::new(kept(process::generation(), &guard)));
        assert!(clients.of(&guard, &route, no_client).is_ok());
        let equal = Arc::new(Guard::for_identity(Cloud::Public));
        assert!(clients.of(&equal, &route, no_client).is_ok());

        let login = "https://login.microsoftonline.us/";
        let other = Arc::new(Guard::for_identity(Cloud::UsGov));
        let elsewhere = other.route(login).unwrap();
        assert!(clients.of(&other, &elsewhere, no_client).is_err());
        assert!(clients.0.load().by_origin.is_empty());
    }
}
