//! Our identity as the SDK asks for it, for one vault.

use std::fmt;
use std::sync::Arc;

use azure_core::Error as SdkError;
use azure_core::credentials::{
    AccessToken as SdkToken, TokenCredential as SdkCredential, TokenRequestOptions,
};
use azure_core::error::ErrorKind;
use azure_core::time::OffsetDateTime;

use super::own_time::OwnTime;
use crate::identity::TokenCredential;
use crate::secrets::{VaultError, VaultUrl};

/// Gives tokens for the resource of one vault.
pub(in crate::adapters::azure) struct VaultToken {
    pub(super) credential: Arc<dyn TokenCredential>,
    pub(super) vault: VaultUrl,
    /// Whether the scope must be that of the vault's own resource.
    pub(super) checks_scope: bool,
    pub(super) own: Arc<OwnTime>,
}

impl VaultToken {
    /// The scope to ask for, which the vault named in its challenge.
    ///
    /// It must be that of the domain in which the vault is, `https://vault.azure.net/.default` for
    /// `https://kv.vault.azure.net`: a server that asks for a token of another service gets none. The SDK's own check lets
    /// every suffix pass, and any path.
    fn admit<'a>(&self, scopes: &[&'a str]) -> Result<&'a str, VaultError> {
        let [scope] = scopes else {
            return Err(self.foreign());
        };
        let resource = scope
            .strip_prefix("https://")
            .and_then(|rest| rest.strip_suffix("/.default"));
        let domain = self.vault.host().split_once('.').map(|(_, domain)| domain);
        let is_own = domain.is_some() && resource == domain;
        if is_own || !self.checks_scope {
            Ok(*scope)
        } else {
            Err(self.foreign())
        }
    }

    fn foreign(&self) -> VaultError {
        VaultError::integrity(self.vault.as_str(), FOREIGN)
    }
}

/// Whatever else the challenge says is not repeated.
pub(super) const FOREIGN: &str = "its challenge names no resource that it may ask a token for";

#[async_trait::async_trait]
impl SdkCredential for VaultToken {
    async fn get_token(
        &self,
        scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<SdkToken> {
        let scope = self.admit(scopes).map_err(own)?;
        let token = {
            let _asking = self.own.ask();
            self.credential.get_token(scope).await.map_err(own)?
        };
        let ends = OffsetDateTime::from_unix_timestamp(token.expires_at().as_secs());
        let ends = ends.map_err(|_| {
            let reason = "the token of our identity ends outside of the calendar";
            own(VaultError::unauthenticated(reason))
        })?;
        Ok(SdkToken::new(token.reveal().to_owned(), ends))
    }
}

fn own(error: impl std::error::Error + Send + Sync + 'static) -> SdkError {
    SdkError::new(ErrorKind::Credential, error)
}

impl fmt::Debug for VaultToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultToken")
            .field("vault", &self.vault)
            .field("credential", &self.credential.name())
            .finish_non_exhaustive()
    }
}
