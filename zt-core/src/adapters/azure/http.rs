//! HTTP through the guard: `reqwest` over `rustls` with aws-lc-rs, one client for each origin.
//!
//! What is dialled is what was admitted: the client's resolver asks the guard about all addresses and hands on exactly
//! these, and the address that answered is compared once more. An origin has a client of its own, because a resolver is
//! asked for a name alone and rows differ by port; so no pooled connection serves another row either.
//! Never: a proxy (also if `HTTPS_PROXY` is set), a redirect, HTTP/2, decompression, a retry of what may have been sent,
//! the process-wide default provider of `rustls`, or a panic where there is no tokio.

mod exchange;
mod failure;
mod resolve;
mod tls;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use resolve::SystemResolver;

use crate::network::{
    Guard, HttpClient, HttpError, HttpRequest, HttpResponse, NameResolver, Route,
};
use crate::port::BoxFuture;
use resolve::Admitting;

/// The [`HttpClient`] of a process on Azure. Share it in an `Arc`; connections are kept open for 30 s.
///
/// It needs a tokio runtime with I/O and time enabled around [`send`](HttpClient::send); without one the answer is
/// [`HttpError::Malformed`], not a panic. Dropping the future of a request gives the request up. After a `fork` the child
/// makes its own: connections and the runtime belong to the parent.
pub struct GuardedHttp {
    guard: Guard,
    tls: rustls::ClientConfig,
    names: Arc<dyn NameResolver>,
    /// By origin; at most [`MOST_CLIENTS`].
    clients: Mutex<BTreeMap<String, reqwest::Client>>,
}

impl GuardedHttp {
    /// Trusts the certificate authorities that the operating system trusts.
    ///
    /// # Errors
    /// [`HttpError::Tls`] if the system has no certificate authorities.
    pub fn new(guard: Guard) -> Result<Self, HttpError> {
        Ok(Self::with_tls(guard, tls::trusting_the_system()?))
    }

    /// Trusts these certificates (PEM) and no other: those of simulators, or of a company's own authority.
    ///
    /// # Errors
    /// [`HttpError::Tls`] if the text holds no certificate, or one that cannot be read.
    pub fn trusting_only(guard: Guard, pem: &[u8]) -> Result<Self, HttpError> {
        Ok(Self::with_tls(guard, tls::trusting_only(pem)?))
    }

    fn with_tls(guard: Guard, tls: rustls::ClientConfig) -> Self {
        Self {
            guard,
            tls,
            names: Arc::new(SystemResolver),
            clients: Mutex::default(),
        }
    }

    /// Asks this resolver for addresses instead of the system's.
    #[must_use]
    pub fn resolving_with(mut self, names: Arc<dyn NameResolver>) -> Self {
        self.names = names;
        self
    }

    /// The client of a route's origin.
    fn client(&self, route: &Route) -> Result<reqwest::Client, HttpError> {
        let origin = format!(
            "{}://{}:{}",
            route.scheme().as_str(),
            route.host(),
            route.port()
        );
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&origin) {
            return Ok(client.clone());
        }
        let client = self.build(route)?;
        if clients.len() >= MOST_CLIENTS {
            // A row with a range of ports has many origins: the connections are lost, nothing else.
            clients.clear();
        }
        clients.insert(origin, client.clone());
        Ok(client)
    }

    fn build(&self, route: &Route) -> Result<reqwest::Client, HttpError> {
        let resolver = Admitting::new(route.clone(), Arc::clone(&self.names));
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
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
            let route = self.guard.route(&request.url)?;
            if let Some(address) = route.literal().filter(|_| route.dialled().is_none()) {
                route.admit(&[address])?;
            }
            let client = self.client(&route)?;
            exchange::run(&client, &route, &request).await
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

/// Origins with a client at a time.
const MOST_CLIENTS: usize = 256;
