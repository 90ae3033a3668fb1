//! Whose tokens are accepted: one cloud, the tenants of a list, one application. Wrong settings fail here, before any token
//! comes.
//!
//! Sources: Microsoft Learn, "Access tokens in the Microsoft identity platform", "Optional claims reference" (`aud` of v1.0
//! tokens), "Secure applications and APIs by validating claims".

mod error;

use std::time::Duration;

use crate::id::Guid;

use super::caller::TokenVersion;
use super::cloud::Cloud;
use super::jws::HeaderRules;
pub use error::ProfileError;

/// Whose tokens are accepted, and how strictly. Immutable; every setter checks what it is given.
#[derive(Debug, Clone)]
pub struct EntraProfile {
    cloud: Cloud,
    /// The home tenant first, then the others that are let in.
    tenants: Vec<Tenant>,
    client_id: Guid,
    audience: String,
    /// App ID URIs without trailing slash, where tokens of format 1.0 are accepted.
    v1: Option<Vec<String>>,
    skew: Duration,
    allow_acl: bool,
    header: HeaderRules,
    has_own_signing_keys: bool,
}

/// One tenant and what its tokens name as their issuer.
#[derive(Debug, Clone)]
struct Tenant {
    id: Guid,
    v2_issuer: String,
    v1_issuer: Option<String>,
}

impl Tenant {
    fn new(cloud: Cloud, id: Guid) -> Result<Self, ProfileError> {
        if id == CONSUMERS_TENANT {
            return Err(ProfileError::ConsumersTenant);
        }
        if id.as_u128() == 0 {
            return Err(ProfileError::Nil { what: "tenant" });
        }
        Ok(Self {
            id,
            v2_issuer: cloud.issuer_of(id),
            v1_issuer: cloud.v1_issuer_of(id),
        })
    }
}

/// Which tokens a key's own `issuer` allows it to sign, once it is known to be of this cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyIssuer {
    /// Of every tenant.
    Template,
    /// Of this tenant alone.
    Tenant(Guid),
}

impl EntraProfile {
    /// Accepts v2.0 tokens of one tenant for one application, with a clock skew of 60 s.
    ///
    /// # Errors
    /// [`ProfileError`] for the consumers' tenant, a client id of Microsoft's own, or a GUID of zeros.
    pub fn new(cloud: Cloud, tenant: Guid, client_id: Guid) -> Result<Self, ProfileError> {
        let home = Tenant::new(cloud, tenant)?;
        if client_id.as_u128() == 0 {
            return Err(ProfileError::Nil { what: "client id" });
        }
        let audience = client_id.to_string();
        refuse_microsofts(&audience)?;
        Ok(Self {
            cloud,
            tenants: vec![home],
            client_id,
            audience,
            v1: None,
            skew: DEFAULT_SKEW,
            allow_acl: false,
            header: HeaderRules::default(),
            has_own_signing_keys: false,
        })
    }

    /// Lets callers of these tenants in too: an application for several tenants accepts those that it names, never any. Rows of
    /// Principals name the tenant of a caller from elsewhere.
    ///
    /// # Errors
    /// [`ProfileError`] for the consumers' tenant, a GUID of zeros, or more than 64 tenants.
    pub fn allowing_tenants(mut self, tenants: &[Guid]) -> Result<Self, ProfileError> {
        for &tenant in tenants {
            if !self.lets_in(tenant) {
                self.tenants.push(Tenant::new(self.cloud, tenant)?);
            }
        }
        let tenants = self.tenants.len();
        if tenants > MOST_TENANTS {
            return Err(ProfileError::TooManyTenants { tenants });
        }
        Ok(self)
    }

    /// Accepts v1.0 tokens too, whose audience is the client id or one of these App ID URIs, each with or without a trailing
    /// slash. Setting `requestedAccessTokenVersion` to 2 in the application's manifest makes this unnecessary.
    ///
    /// Where the issuer of a cloud's v1.0 tokens is not documented (all but the public cloud and China), it is read from the
    /// cloud's discovery document; pinned keys alone then verify no v1.0 token.
    ///
    /// # Errors
    /// [`ProfileError`] if the cloud has no v1.0 tokens, or a URI is malformed or Microsoft's own.
    pub fn accepting_v1(mut self, app_id_uris: &[&str]) -> Result<Self, ProfileError> {
        let cloud = self.cloud;
        if !cloud.has_v1() {
            return Err(ProfileError::NoV1 { cloud });
        }
        let uris: Result<Vec<String>, ProfileError> =
            app_id_uris.iter().map(|uri| app_id_uri(uri)).collect();
        self.v1 = Some(uris?);
        Ok(self)
    }

    /// Accepts signatures with PS256 too (RFC 7518 §3.5). Entra signs with RS256; no page of its documentation promises
    /// another algorithm for access tokens.
    #[must_use]
    pub const fn accepting_ps256(mut self) -> Self {
        self.header.ps256 = true;
        self
    }

    /// Accepts the header `typ` `at+jwt` (RFC 9068 §2.1) beside `JWT`.
    #[must_use]
    pub const fn accepting_at_jwt(mut self) -> Self {
        self.header.at_jwt = true;
        self
    }

    /// Asks for the keys that sign tokens of this application alone, as Entra has them for applications with claims mapping
    /// (Microsoft Learn, "Access tokens in the Microsoft identity platform": `?appid=`).
    #[must_use]
    pub const fn with_own_signing_keys(mut self) -> Self {
        self.has_own_signing_keys = true;
        self
    }

    /// Forgives this difference between our clock and Entra's, in whole seconds, 300 s at most.
    ///
    /// # Errors
    /// [`ProfileError::Skew`] above that.
    pub fn with_skew(mut self, skew: Duration) -> Result<Self, ProfileError> {
        if skew > MAX_SKEW {
            let skew_s = skew.as_secs();
            return Err(ProfileError::Skew { skew_s });
        }
        self.skew = skew;
        Ok(self)
    }

    /// Accepts tokens without scope and app role: every client of the tenant then gets in, and policies alone decide.
    #[must_use]
    pub fn danger_allow_acl(mut self) -> Self {
        self.allow_acl = true;
        self
    }

    /// The cloud.
    #[must_use]
    pub fn cloud(&self) -> Cloud {
        self.cloud
    }

    /// The home tenant.
    #[must_use]
    pub fn tenant(&self) -> Guid {
        self.tenants
            .first()
            .map_or(Guid::from_u128(0), |home| home.id)
    }

    /// Every tenant that is let in, the home tenant first.
    pub fn tenants(&self) -> impl Iterator<Item = Guid> {
        self.tenants.iter().map(|tenant| tenant.id)
    }

    /// Whether callers of this tenant are let in.
    #[must_use]
    pub fn lets_in(&self, tenant: Guid) -> bool {
        self.tenants().any(|own| own == tenant)
    }

    /// The application's client id, which is the audience.
    #[must_use]
    pub fn client_id(&self) -> Guid {
        self.client_id
    }

    /// How far the clocks of issuer and caller may differ.
    #[must_use]
    pub const fn skew(&self) -> Duration {
        self.skew
    }

    /// The clock skew in whole seconds.
    pub(super) fn skew_s(&self) -> i64 {
        i64::try_from(self.skew.as_secs()).unwrap_or(0)
    }

    pub(super) fn allows_acl(&self) -> bool {
        self.allow_acl
    }

    pub(super) const fn header_rules(&self) -> HeaderRules {
        self.header
    }

    /// The versions of tokens that are accepted.
    pub(super) fn versions(&self) -> &'static [TokenVersion] {
        match self.v1 {
            Some(_) => &[TokenVersion::V2, TokenVersion::V1],
            None => &[TokenVersion::V2],
        }
    }

    /// Whose keys are asked for, if not everybody's.
    pub(super) fn own_signing_keys(&self) -> Option<Guid> {
        self.has_own_signing_keys.then_some(self.client_id)
    }

    /// Whether tokens of that version are accepted at all.
    pub(super) fn accepts(&self, version: TokenVersion) -> bool {
        self.versions().contains(&version)
    }

    /// The one issuer of a tenant's tokens of that version, where it is documented; `None` too for a tenant that is not let in.
    pub(super) fn issuer(&self, tenant: Guid, version: TokenVersion) -> Option<&str> {
        let found = self.tenants.iter().find(|own| own.id == tenant)?;
        match version {
            TokenVersion::V1 => found.v1_issuer.as_deref(),
            TokenVersion::V2 => Some(&found.v2_issuer),
        }
    }

    /// Whether a token of that version with this `aud` is meant for us. v2.0 tokens carry the client id, always.
    pub(super) fn is_audience(&self, version: TokenVersion, aud: &str) -> bool {
        let uris = match (version, &self.v1) {
            (TokenVersion::V1, Some(uris)) => uris.as_slice(),
            (TokenVersion::V1, None) | (TokenVersion::V2, _) => &[],
        };
        let bare = aud.strip_suffix('/').unwrap_or(aud);
        aud == self.audience || uris.iter().any(|uri| uri == bare)
    }

    /// What a key's own `issuer` allows; `None` for another cloud or a tenant that is not let in.
    pub(super) fn key_issuer(&self, issuer: &str) -> Option<KeyIssuer> {
        if issuer == self.cloud.key_issuer_template() {
            return Some(KeyIssuer::Template);
        }
        let own = self.tenants.iter().find(|own| own.v2_issuer == issuer);
        own.map(|own| KeyIssuer::Tenant(own.id))
    }
}

fn app_id_uri(uri: &str) -> Result<String, ProfileError> {
    let bare = uri.strip_suffix('/').unwrap_or(uri);
    refuse_microsofts(bare)?;
    let name = ["api://", "https://"]
        .iter()
        .find_map(|scheme| bare.strip_prefix(scheme));
    let sound = name.is_some_and(|name| {
        !name.is_empty()
            && !name.ends_with('/')
            && bare.len() <= 255
            && name.chars().all(|c| c.is_ascii_graphic())
    });
    if !sound {
        return Err(ProfileError::AppIdUri {
            uri: uri.escape_default().take(255).collect(),
        });
    }
    Ok(bare.to_owned())
}

fn refuse_microsofts(audience: &str) -> Result<(), ProfileError> {
    match MICROSOFTS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(audience))
    {
        None => Ok(()),
        Some((_, service)) => Err(ProfileError::MicrosoftAudience {
            audience: audience.to_owned(),
            service,
        }),
    }
}

/// Each has keys of its own, which are fetched every hour.
const MOST_TENANTS: usize = 64;
const DEFAULT_SKEW: Duration = Duration::from_secs(60);
const MAX_SKEW: Duration = Duration::from_secs(300);
const CONSUMERS_TENANT: Guid = Guid::from_u128(0x9188_040d_6c67_4c5b_b112_36a3_04b6_6dad);

/// Services that many clients hold tokens for; accepting one of those would let any of them in.
const MICROSOFTS: [(&str, &str); 19] = [
    ("2ff814a6-3304-4ab8-85cb-cd0e6f879c1d", "Azure Databricks"),
    ("cfa8b339-82a2-471a-a3c9-0fc0be7a4093", "Azure Key Vault"),
    ("https://vault.azure.net", "Azure Key Vault"),
    ("https://management.azure.com", "Azure Resource Manager"),
    (
        "https://management.core.windows.net",
        "Azure Resource Manager",
    ),
    (
        "797f4846-ba00-4fd7-ba43-dac1f8f63013",
        "Azure Resource Manager",
    ),
    ("https://graph.microsoft.com", "Microsoft Graph"),
    ("https://graph.microsoft.us", "Microsoft Graph"),
    ("https://dod-graph.microsoft.us", "Microsoft Graph"),
    ("https://microsoftgraph.chinacloudapi.cn", "Microsoft Graph"),
    ("https://graph.windows.net", "Azure AD Graph"),
    ("00000002-0000-0000-c000-000000000000", "Azure AD Graph"),
    ("https://vault.usgovcloudapi.net", "Azure Key Vault"),
    ("https://vault.azure.cn", "Azure Key Vault"),
    (
        "https://management.usgovcloudapi.net",
        "Azure Resource Manager",
    ),
    (
        "https://management.chinacloudapi.cn",
        "Azure Resource Manager",
    ),
    ("https://database.windows.net", "Azure SQL Database"),
    ("https://storage.azure.com", "Azure Storage"),
    ("00000003-0000-0000-c000-000000000000", "Microsoft Graph"),
];
