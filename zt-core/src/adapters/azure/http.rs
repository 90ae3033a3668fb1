//! HTTP through the guard: `reqwest` over `rustls` with aws-lc-rs, one client for each origin.
//!
//! What is dialled is what was admitted: the client's resolver asks the guard about all addresses and hands on exactly
//! these, and the address that answered is compared once more, with the guard that is in force by then. An origin has a
//! client of its own, because a resolver is asked for a name alone and rows differ by port; and a route has one of its own,
//! so no pooled connection serves another row, or outlives its own.
//! Never: a proxy (also if `HTTPS_PROXY` is set), a redirect, HTTP/2, decompression, a retry of what may have been sent,
//! the process-wide default provider of `rustls`, or a panic where there is no tokio.

mod clients;
mod exchange;
mod failure;
mod look_ups;
mod progress;
mod resolve;
mod sessions;
mod tls;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use resolve::SystemResolver;

use crate::network::{
    HttpClient, HttpError, HttpRequest, HttpResponse, LiveGuard, NameResolver, Route,
};
use crate::port::BoxFuture;
use clients::Clients;
use progress::{Limits, Stage};
use resolve::Admitting;

/// The [`HttpClient`] of a process on Azure. Share it in an `Arc`; connections are kept open for 30 s, and no longer than
/// their row. It follows a [`LiveGuard`]: what replaces the guard counts with the next request.
///
/// It needs a tokio runtime with I/O and time enabled around [`send`](HttpClient::send); without one the answer is
/// [`HttpError::Malformed`], not a panic. Dropping the future of a request gives the request up. After a `fork` the child
/// opens connections of its own: those that are open, and the runtime, belong to the parent.
pub struct GuardedHttp {
    guard: LiveGuard,
    tls: rustls::ClientConfig,
    names: Arc<dyn NameResolver>,
    clients: Clients,
}

impl GuardedHttp {
    /// Trusts the certificate authorities that the operating system trusts.
    ///
    /// # Errors
    /// [`HttpError::Tls`] if the system has no certificate authorities.
    pub fn new(guard: impl Into<LiveGuard>) -> Result<Self, HttpError> {
        Ok(Self::with_tls(guard.into(), tls::trusting_the_system()?))
    }

    /// Trusts these certificates (PEM) and no other: those of simulators, or of a company's own authority.
    ///
    /// # Errors
    /// [`HttpError::Tls`] if the text holds no certificate, or one that cannot be read.
    pub fn trusting_only(guard: impl Into<LiveGuard>, pem: &[u8]) -> Result<Self, HttpError> {
        Ok(Self::with_tls(guard.into(), tls::trusting_only(pem)?))
    }

    fn with_tls(guard: LiveGuard, tls: rustls::ClientConfig) -> Self {
        Self {
            clients: Clients::new(guard.current()),
            guard,
            tls,
            names: Arc::new(SystemResolver),
        }
    }

    /// Asks this resolver for addresses instead of the system's.
    #[must_use]
    pub fn resolving_with(mut self, names: Arc<dyn NameResolver>) -> Self {
        self.names = names;
        self
    }

    fn build(&self, route: &Route) -> Result<reqwest::Client, HttpError> {
        let limits = Limits {
            // An address is not looked up.
            starts_at: route.literal().map_or(Stage::LookUp, |_| Stage::Accept),
            silences: Arc::default(),
        };
        let silences = Arc::clone(&limits.silences);
        let (guard, names) = (self.guard.clone(), Arc::clone(&self.names));
        let resolver = Admitting::new(guard, route.clone(), names, silences);
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::of_one_client(&self.tls))
            .dns_resolver(resolver)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .no_gzip()
            .no_deflate()
            .no_brotli()
            .no_zstd()
            .referer(false)
            .http1_only()
            .connector_layer(limits)
            .pool_idle_timeout(IDLE);
        builder.build().map_err(|error| HttpError::Malformed {
            reason: failure::without_url(error),
        })
    }
}

impl HttpClient for GuardedHttp {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        Box::pin(async move {
            if tokio::runtime::Handle::try_current().is_err() {
                let reason = "there is no tokio runtime to send it from".to_owned();
                return Err(HttpError::Malformed { reason });
            }
            let guard = self.guard.current();
            let route = guard.route(&request.url)?;
            if let Some(address) = route.literal().filter(|_| route.dialled().is_none()) {
                route.admit(&[address])?;
            }
            let make = || self.build(&route);
            let client = self.clients.of(&guard, &route, make)?;
            exchange::run(&client, &self.guard, &route, &request).await
        })
    }
}

impl fmt::Debug for GuardedHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardedHttp")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

/// How long a connection may wait for its next request: shorter than the time in which an operator expects a changed private
/// endpoint to be dialled.
const IDLE: Duration = Duration::from_secs(30);
