//! Acting for a caller: their token becomes one for another service, with their rights and not ours.
//!
//! In: a verified [`Caller`] and the token that proved them. Out: an [`AccessToken`] for a scope. The grant is RFC 7523 §2.1
//! with `requested_token_use=on_behalf_of` (Microsoft Learn, "Microsoft identity platform and OAuth 2.0 On-Behalf-Of flow").
//! Never: a token of an application ("the OBO flow only works for user principals"), and nothing is kept: a token for one
//! person must not be found under a key that another can reach.

use std::fmt;
use std::sync::Arc;

use super::client_proof::ClientProof;
use super::form;
use super::token_endpoint::{read_token, token_url, unreachable};
use super::{AccessToken, Caller, CallerKind, Cloud, CredentialError, Provenance};
use crate::clock::Clock;
use crate::id::Guid;
use crate::network::{HttpClient, HttpRequest};

/// Exchanges callers' tokens as one application.
pub struct OnBehalfOf {
    http: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    cloud: Cloud,
    client_id: Guid,
    proof: ClientProof,
}

impl OnBehalfOf {
    /// As the application `client_id`, which must be the audience of the callers' tokens.
    #[must_use]
    pub fn new(
        cloud: Cloud,
        client_id: Guid,
        proof: ClientProof,
        http: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            http,
            clock,
            cloud,
            client_id,
            proof,
        }
    }

    /// A token for `scope` that names this caller. `token` is the one that the caller was verified with. One request, at
    /// most 10 s; dropping the future gives it up.
    ///
    /// # Errors
    /// [`CredentialError::ClaimsRequired`] if the tenant wants the person to sign in again: its `claims` belong into a
    /// challenge to the caller. [`CredentialError::Refused`] for a caller who is no person or was not verified by a token.
    pub async fn exchange(
        &self,
        caller: &Caller,
        token: &str,
        scope: &str,
    ) -> Result<AccessToken, CredentialError> {
        if caller.kind() != CallerKind::User || caller.provenance() != Provenance::VerifiedToken {
            return Err(CredentialError::Refused {
                credential: NAME.to_owned(),
                reason: "only a person whom a token proved can be acted for".to_owned(),
            });
        }
        let client_id = self.client_id.to_string();
        let proof = self.proof.fields().await?;
        let mut pairs = vec![
            ("grant_type", GRANT),
            ("requested_token_use", "on_behalf_of"),
            ("client_id", client_id.as_str()),
            ("scope", scope),
            ("assertion", token),
        ];
        pairs.extend(proof.pairs());
        let url = token_url(self.cloud, caller.tenant());
        let request = HttpRequest::post(url, form::MEDIA_TYPE, form::encode(&pairs))
            .within(super::own::ONE_REQUEST);
        let answer = self.http.send(request).await;
        let answer = answer.map_err(|error| unreachable(NAME, &error))?;
        read_token(NAME, &answer, self.clock.now())
    }
}

impl fmt::Debug for OnBehalfOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnBehalfOf")
            .field("cloud", &self.cloud)
            .field("client_id", &self.client_id)
            .field("proof", &self.proof)
            .finish_non_exhaustive()
    }
}

const NAME: &str = "on behalf of a caller";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
