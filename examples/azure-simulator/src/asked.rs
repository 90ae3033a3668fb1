//! A request as the services see it: read whole, decoded once.

use std::pin::Pin;

use hyper::body::{Body as _, Incoming};
use hyper::{HeaderMap, Request};

/// The largest body that is read, in bytes.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// What somebody asked. Header fields, form and body can hold secrets: there is no `Debug`.
pub(crate) struct Asked {
    pub(crate) method: String,
    /// As the `Host` header names it, without the port.
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) raw_query: String,
    pub(crate) query: Pairs,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// Over TLS.
    pub(crate) is_secure: bool,
}

/// Decoded names and values of a query or a form.
#[derive(Default)]
pub(crate) struct Pairs(Vec<(String, String)>);

impl Pairs {
    pub(crate) fn read(encoded: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// The first value of a name, if it is not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(own, _)| own == name)?;
        Some(found.1.as_str()).filter(|value| !value.is_empty())
    }
}

impl Asked {
    /// Reads a request; nothing if its body breaks off or is too long.
    pub(crate) async fn read(request: Request<Incoming>, is_secure: bool) -> Option<Self> {
        let (parts, mut incoming) = request.into_parts();
        let mut body = Vec::new();
        loop {
            let next = std::future::poll_fn(|cx| Pin::new(&mut incoming).poll_frame(cx));
            let Some(frame) = next.await else { break };
            if let Ok(bytes) = frame.ok()?.into_data() {
                body.extend_from_slice(&bytes);
            }
            if body.len() > MOST_BYTES {
                return None;
            }
        }
        let host = parts
            .headers
            .get("host")
            .and_then(|host| host.to_str().ok());
        let host = host.unwrap_or_default();
        let raw_query = parts.uri.query().unwrap_or_default().to_owned();
        Some(Self {
            method: parts.method.as_str().to_owned(),
            host: host
                .rsplit_once(':')
                .map_or(host, |(name, _)| name)
                .to_ascii_lowercase(),
            path: parts.uri.path().to_owned(),
            query: Pairs::read(raw_query.as_bytes()),
            raw_query,
            headers: parts.headers,
            body,
            is_secure,
        })
    }

    /// The path, cut at its slashes.
    pub(crate) fn segments(&self) -> Vec<&str> {
        self.path.trim_matches('/').split('/').collect()
    }

    pub(crate) fn form(&self) -> Pairs {
        Pairs::read(&self.body)
    }

    /// The token of `Authorization: Bearer`.
    pub(crate) fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| token.trim())
            .filter(|token| !token.is_empty())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
