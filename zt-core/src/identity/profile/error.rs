//! Why a profile is refused, and what to do about it.

use super::super::cloud::Cloud;
use super::{CONSUMERS_TENANT, MOST_TENANTS};
use crate::error::{Code, Error};

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
    /// v1.0 tokens of a cloud that has none.
    #[error("the cloud `{cloud}` has no v1.0 tokens")]
    NoV1 {
        /// The cloud.
        cloud: Cloud,
    },
    /// More tenants than are looked at for a token.
    #[error("{tenants} tenants are let in, at most {MOST_TENANTS} can be")]
    TooManyTenants {
        /// How many.
        tenants: usize,
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
            ProfileError::TooManyTenants { .. } => {
                "run one runtime for each group of tenants, or invite their people as guests of one"
            }
            ProfileError::AppIdUri { .. } => "write it as in \"Expose an API\": `api://CLIENT_ID`",
            ProfileError::ForeignKeys => "read the key set with the profile that verifies with it",
        };
        Self::new(Code::Config, reason.to_string())
            .with_help(help)
            .with_source(reason)
    }
}
