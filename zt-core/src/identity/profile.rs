//! Whose tokens are accepted: one cloud, one tenant, one application. Wrong settings fail here, before any token comes.
//!
//! Sources: Microsoft Learn, "National clouds", "Access tokens in the Microsoft identity platform", "Optional claims
//! reference" (`aud` of v1.0 tokens).

use std::time::Duration;

use crate::error::{Code, Error};
use crate::id::Guid;

use super::caller::TokenVersion;

/// A cloud with an Entra of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cloud {
    /// Azure: `login.microsoftonline.com`.
    Public,
    /// Azure Government (US): `login.microsoftonline.us`.
    UsGov,
    /// Azure operated by 21Vianet: `login.partner.microsoftonline.cn`.
    China,
    /// The development issuer of zt, never in production. Its host is in a top-level domain that cannot exist (RFC 2606), and
    /// its keys carry its issuer, so no other cloud's key set takes them in.
    Development,
}

impl Cloud {
    /// The issuer of v2.0 tokens before and after the tenant.
    const fn v2_issuer(self) -> (&'static str, &'static str) {
        match self {
            Self::Public => ("https://login.microsoftonline.com/", "/v2.0"),
            Self::UsGov => ("https://login.microsoftonline.us/", "/v2.0"),
            Self::China => ("https://login.partner.microsoftonline.cn/", "/v2.0"),
            Self::Development => ("https://zt-development-issuer.invalid/", "/v2.0"),
        }
    }

    /// The host of v1.0 issuers, where it is documented beyond doubt.
    const fn v1_issuer(self) -> Option<&'static str> {
        match self {
            Self::Public => Some("https://sts.windows.net/"),
            Self::China => Some("https://sts.chinacloudapi.cn/"),
            Self::UsGov | Self::Development => None,
        }
    }

    /// `cloud_instance_name` of this cloud's keys. The public cloud's own key set lists keys of Azure Government under the
    /// public issuer: only this name tells them apart.
    pub(crate) const fn instance_name(self) -> &'static str {
        match self {
            Self::Public => "microsoftonline.com",
            Self::UsGov => "microsoftonline.us",
            Self::China => "partner.microsoftonline.cn",
            Self::Development => "zt-development-issuer.invalid",
        }
    }

    /// The `issuer` of keys that may sign for every tenant of this cloud.
    pub(crate) fn key_issuer_template(self) -> String {
        let (before, after) = self.v2_issuer();
        format!("{before}{TENANT_PLACEHOLDER}{after}")
    }

    /// The issuer of v2.0 tokens of a tenant.
    pub(crate) fn issuer_of(self, tenant: Guid) -> String {
        let (before, after) = self.v2_issuer();
        format!("{before}{tenant}{after}")
    }
}

/// Whose tokens are accepted, and how strictly. Immutable; every setter checks what it is given.
#[derive(Debug, Clone)]
pub struct EntraProfile {
    cloud: Cloud,
    tenant: Guid,
    client_id: Guid,
    audience: String,
    v2_issuer: String,
    v1: Option<V1>,
    skew: Duration,
    allow_acl: bool,
}

/// What v1.0 tokens of the same application look like.
#[derive(Debug, Clone)]
struct V1 {
    issuer: String,
    /// Without trailing slash.
    app_id_uris: Vec<String>,
}

/// Which tokens a key's own `issuer` allows it to sign, once it is known to be of this cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyIssuer {
    /// Of every tenant.
    Template,
    /// Of the profile's tenant.
    Tenant,
}

/// Why a profile is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// The audience is one of Microsoft's own services.
    #[error("audience `{audience}` is {service}, not an application of yours")]
    MicrosoftAudience {
        /// The audience.
        audience: String,
        /// Whose it is.
        service: &'static str,
    },
    /// The tenant of personal Microsoft accounts: anybody can have one.
    #[error("tenant `{CONSUMERS_TENANT}` is that of personal Microsoft accounts")]
    ConsumersTenant,
    /// A GUID of zeros.
    #[error("the {what} is a GUID of zeros")]
    Nil {
        /// Which setting.
        what: &'static str,
    },
    /// More than 300 s of clock skew.
    #[error("a clock skew of {skew_s} s is too much")]
    Skew {
        /// The skew asked for.
        skew_s: u64,
    },
    /// v1.0 tokens of a cloud whose v1.0 issuer is not known.
    #[error("v1.0 tokens of this cloud are not supported")]
    NoV1 {
        /// The cloud.
        cloud: Cloud,
    },
    /// An App ID URI that Entra would not accept.
    #[error("`{uri}` is not an App ID URI")]
    AppIdUri {
        /// The URI.
        uri: String,
    },
    /// The key set was read for another cloud or tenant.
    #[error("the key set was read for another cloud or tenant")]
    ForeignKeys,
}

impl EntraProfile {
    /// Accepts v2.0 tokens of one tenant for one application, with a clock skew of 60 s.
    ///
    /// # Errors
    /// [`ProfileError`] for the consumers' tenant, a client id of Microsoft's own, or a GUID of zeros.
    pub fn new(cloud: Cloud, tenant: Guid, client_id: Guid) -> Result<Self, ProfileError> {
        if tenant == CONSUMERS_TENANT {
            return Err(ProfileError::ConsumersTenant);
        }
        for (guid, what) in [(tenant, "tenant"), (client_id, "client id")] {
            if guid.as_u128() == 0 {
                return Err(ProfileError::Nil { what });
            }
        }
        let audience = client_id.to_string();
        refuse_microsofts(&audience)?;
        Ok(Self {
            cloud,
            tenant,
            client_id,
            audience,
            v2_issuer: cloud.issuer_of(tenant),
            v1: None,
            skew: DEFAULT_SKEW,
            allow_acl: false,
        })
    }

    /// Accepts v1.0 tokens too, whose audience is the client id or one of these App ID URIs, each with or without a trailing
    /// slash. Setting `requestedAccessTokenVersion` to 2 in the application's manifest makes this unnecessary.
    ///
    /// # Errors
    /// [`ProfileError`] if the cloud's v1.0 issuer is not known, or a URI is malformed or Microsoft's own.
    pub fn accepting_v1(mut self, app_id_uris: &[&str]) -> Result<Self, ProfileError> {
        let cloud = self.cloud;
        let host = cloud.v1_issuer().ok_or(ProfileError::NoV1 { cloud })?;
        let uris: Result<Vec<String>, ProfileError> =
            app_id_uris.iter().map(|uri| app_id_uri(uri)).collect();
        self.v1 = Some(V1 {
            issuer: format!("{host}{}/", self.tenant),
            app_id_uris: uris?,
        });
        Ok(self)
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

    /// The tenant.
    #[must_use]
    pub fn tenant(&self) -> Guid {
        self.tenant
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

    /// The one issuer of this tenant's tokens of that version; `None` if the version is not accepted.
    pub(super) fn issuer(&self, version: TokenVersion) -> Option<&str> {
        match version {
            TokenVersion::V1 => self.v1.as_ref().map(|v1| v1.issuer.as_str()),
            TokenVersion::V2 => Some(&self.v2_issuer),
        }
    }

    /// Whether a token of that version with this `aud` is meant for us. v2.0 tokens carry the client id, always.
    pub(super) fn is_audience(&self, version: TokenVersion, aud: &str) -> bool {
        let uris = match (version, &self.v1) {
            (TokenVersion::V1, Some(v1)) => v1.app_id_uris.as_slice(),
            (TokenVersion::V1, None) | (TokenVersion::V2, _) => &[],
        };
        let bare = aud.strip_suffix('/').unwrap_or(aud);
        aud == self.audience || uris.iter().any(|uri| uri == bare)
    }

    /// What a key's own `issuer` allows; `None` for another cloud or tenant.
    pub(super) fn key_issuer(&self, issuer: &str) -> Option<KeyIssuer> {
        if issuer == self.v2_issuer {
            return Some(KeyIssuer::Tenant);
        }
        (issuer == self.cloud.key_issuer_template()).then_some(KeyIssuer::Template)
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

impl From<ProfileError> for Error {
    fn from(reason: ProfileError) -> Self {
        let help = match &reason {
            ProfileError::MicrosoftAudience { .. } => {
                "register an application of your own in Entra and use its client id; a token for another service proves nothing here"
            }
            ProfileError::ConsumersTenant => "use your organisation's tenant id",
            ProfileError::Nil { .. } => "copy it from the application's overview page in Entra",
            ProfileError::Skew { .. } => "use at most 300 s and let NTP set this machine's clock",
            ProfileError::NoV1 { .. } => {
                "set `requestedAccessTokenVersion` to 2 in the application's manifest"
            }
            ProfileError::AppIdUri { .. } => "write it as in \"Expose an API\": `api://CLIENT_ID`",
            ProfileError::ForeignKeys => "read the key set with the profile that verifies with it",
        };
        Self::new(Code::Config, reason.to_string())
            .with_help(help)
            .with_source(reason)
    }
}

const TENANT_PLACEHOLDER: &str = "{tenantid}";
const DEFAULT_SKEW: Duration = Duration::from_secs(60);
const MAX_SKEW: Duration = Duration::from_secs(300);
const CONSUMERS_TENANT: Guid = Guid::from_u128(0x9188_040d_6c67_4c5b_b112_36a3_04b6_6dad);

/// Services that many clients hold tokens for; accepting one of those would let any of them in.
const MICROSOFTS: [(&str, &str); 8] = [
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
    ("00000003-0000-0000-c000-000000000000", "Microsoft Graph"),
];
