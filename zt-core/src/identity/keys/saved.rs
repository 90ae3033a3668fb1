//! What outlives the process: the last good set of each ring, so that a start during an outage of the issuer works.
//!
//! Only public keys are in it. Whoever can write it could let anybody in, so the store behind the port keeps it from others and
//! proves that it is its own.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::Guid;

use super::super::caller::TokenVersion;
use super::super::profile::EntraProfile;
use super::key::Origin;
use super::life::Life;
use super::set::KeySet;

/// Keeps bytes by name across processes.
pub trait KeyStore: Send + Sync + fmt::Debug {
    /// What was kept under that name; `None` for nothing, and for what is not provably its own.
    fn load(&self, name: &str) -> Option<Vec<u8>>;

    /// Keeps it, replacing what was there. A failure is not told: the keys in memory serve on.
    fn save(&self, name: &str, bytes: &[u8]);
}

/// A good set and when it was fetched.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Saved {
    cloud: String,
    tenant: String,
    ver: String,
    fetched_at_ms: i64,
    issuer: String,
    cloud_instance_name: Option<String>,
    jwks: String,
}

impl Saved {
    pub(super) fn new(
        profile: &EntraProfile,
        (tenant, version): (Guid, TokenVersion),
        metadata: (&str, Option<&str>),
        jwks: &[u8],
        at: Timestamp,
    ) -> Self {
        let (issuer, instance) = metadata;
        Self {
            cloud: profile.cloud().to_string(),
            tenant: tenant.to_string(),
            ver: version.as_str().to_owned(),
            fetched_at_ms: at.as_millis(),
            issuer: issuer.to_owned(),
            cloud_instance_name: instance.map(str::to_owned),
            jwks: String::from_utf8_lossy(jwks).into_owned(),
        }
    }

    /// The set and when it was fetched, if these bytes are about this ring.
    pub(super) fn read(
        bytes: &[u8],
        profile: &EntraProfile,
        (tenant, version): (Guid, TokenVersion),
        life: &Arc<Life>,
    ) -> Option<(KeySet, Timestamp)> {
        let saved: Self = serde_json::from_slice(bytes).ok()?;
        let is_same = saved.cloud == profile.cloud().to_string()
            && saved.tenant == tenant.to_string()
            && saved.ver == version.as_str();
        if !is_same {
            return None;
        }
        let origin = Origin {
            ring: Some((tenant, version)),
            instance: saved.cloud_instance_name.map(String::into_boxed_str),
            issuer: Some(Arc::from(saved.issuer.as_str())),
            life: Some(Arc::clone(life)),
        };
        let set = KeySet::read(saved.jwks.as_bytes(), profile, origin).ok()?;
        Some((set, Timestamp::from_millis(saved.fetched_at_ms)))
    }
}

/// The name of a ring's bytes.
pub(super) fn name(profile: &EntraProfile, tenant: Guid, version: TokenVersion) -> String {
    let own = profile.own_signing_keys();
    let own = own.map_or_else(String::new, |client| format!("-{client}"));
    format!("{}-{tenant}-{}{own}", profile.cloud(), version.as_str())
}
