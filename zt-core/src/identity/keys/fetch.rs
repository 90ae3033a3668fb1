//! One fetch of a tenant's keys: the discovery document when it is a day old, then the set, if it changed.

use std::sync::Arc;
use std::time::Duration;

use crate::id::Guid;
use crate::network::{HttpClient, HttpError, HttpRequest, HttpResponse};

use super::super::caller::TokenVersion;
use super::super::profile::EntraProfile;
use super::key::Origin;
use super::life::Life;
use super::metadata::{MAX_METADATA_BYTES, Metadata, address};
use super::set::{KeyError, KeySet, MAX_SET_BYTES};

/// What to fetch, and what is known already.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) tenant: Guid,
    pub(super) version: TokenVersion,
    /// A document that is young enough.
    pub(super) metadata: Option<Metadata>,
    pub(super) etag: Option<String>,
    pub(super) life: Arc<Life>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Fetched {
    /// The document, if it was fetched too.
    pub(super) metadata: Option<Metadata>,
    /// The set; `None` if it has not changed.
    pub(super) keys: Option<FetchedKeys>,
}

#[derive(Debug)]
pub(super) struct FetchedKeys {
    pub(super) set: KeySet,
    pub(super) jwks: Vec<u8>,
    pub(super) etag: Option<String>,
}

/// Why there are no new keys. No text of an answer is in it.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("{0}")]
    Http(#[from] HttpError),
    #[error("the {what} answers with status {status}")]
    Status {
        what: &'static str,
        status: u16,
        retry_in: Option<Duration>,
    },
    #[error("the discovery document is refused: {0}")]
    Metadata(&'static str),
    #[error("the key set is refused: {0}")]
    Keys(#[from] KeyError),
    #[error("the fetch was lost before it had an answer")]
    Lost,
}

impl FetchError {
    /// When the server wants to be asked again.
    pub(super) const fn retry_in(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_in, .. } => *retry_in,
            Self::Http(_) | Self::Metadata(_) | Self::Keys(_) | Self::Lost => None,
        }
    }
}

pub(super) async fn fetch(
    http: &dyn HttpClient,
    profile: &EntraProfile,
    order: Order,
) -> Result<Fetched, FetchError> {
    let (metadata, is_new) = match order.metadata.clone() {
        Some(known) => (known, false),
        None => (document(http, profile, &order).await?, true),
    };
    let request = HttpRequest::get(&metadata.jwks_uri).reading_at_most(MAX_SET_BYTES);
    // A set of other keys cannot be told to be unchanged by the tag of the one before.
    let request = match order.etag.as_deref().filter(|_| !is_new) {
        Some(etag) => request.with_header("if-none-match", etag),
        None => request,
    };
    let is_conditional = request
        .headers
        .iter()
        .any(|(name, _)| name == "if-none-match");
    let answer = http.send(request).await?;
    let keys = match answer.status {
        304 if is_conditional => None,
        200 => Some(keys(&answer, profile, &order, &metadata)?),
        _ => return Err(status("key set", &answer)),
    };
    Ok(Fetched {
        metadata: is_new.then_some(metadata),
        keys,
    })
}

async fn document(
    http: &dyn HttpClient,
    profile: &EntraProfile,
    order: &Order,
) -> Result<Metadata, FetchError> {
    let asked = HttpRequest::get(address(profile, order.tenant, order.version));
    let answer = http.send(asked.reading_at_most(MAX_METADATA_BYTES)).await?;
    if answer.status != 200 {
        return Err(status("discovery document", &answer));
    }
    Metadata::read(&answer.body, profile, order.tenant, order.version).map_err(FetchError::Metadata)
}

fn keys(
    answer: &HttpResponse,
    profile: &EntraProfile,
    order: &Order,
    metadata: &Metadata,
) -> Result<FetchedKeys, FetchError> {
    let origin = Origin {
        ring: Some((order.tenant, order.version)),
        instance: metadata.instance.as_deref().map(Box::from),
        issuer: Some(Arc::from(metadata.issuer.as_str())),
        life: Some(Arc::clone(&order.life)),
    };
    let etag = answer.header("etag").filter(|etag| etag.len() <= 256);
    Ok(FetchedKeys {
        set: KeySet::read(&answer.body, profile, origin)?,
        jwks: answer.body.to_vec(),
        etag: etag.map(str::to_owned),
    })
}

fn status(what: &'static str, answer: &HttpResponse) -> FetchError {
    FetchError::Status {
        what,
        status: answer.status,
        retry_in: answer.retry_after(),
    }
}
