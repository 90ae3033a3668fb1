//! An application with a secret or an assertion: the client credentials grant (RFC 6749 §4.4), by `azure_identity`.

use std::sync::Arc;

use azure_core::Error as SdkError;
use azure_core::credentials::{Secret, TokenCredential as SdkCredential};
use azure_core::error::ErrorKind;
use azure_core::http::{ClientMethodOptions, ClientOptions};
use azure_identity::{
    ClientAssertion as SdkAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions,
    ClientSecretCredential, ClientSecretCredentialOptions,
};
use zeroize::Zeroizing;

use crate::adapters::azure::transport::{GuardedTransport, own_error};
use crate::clock::{Clock, Timestamp};
use crate::identity::{
    AccessToken, ClientAssertion, ClientProof, Cloud, CredentialError, TokenCredential, read_token,
    unreachable,
};
use crate::network::{HttpClient, HttpError};
use crate::port::BoxFuture;

/// A service principal.
#[derive(Debug)]
pub struct ClientCredential {
    name: &'static str,
    cloud: Cloud,
    tenant: String,
    client_id: String,
    proof: ClientProof,
    http: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
}

impl ClientCredential {
    /// The application `client_id` of a tenant, which is a GUID or one of its domains. Nothing is sent yet.
    #[must_use]
    pub fn new(
        cloud: Cloud,
        tenant: &str,
        client_id: &str,
        proof: ClientProof,
        http: &Arc<dyn HttpClient>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        Self {
            name: "service principal",
            cloud,
            tenant: tenant.to_owned(),
            client_id: client_id.to_owned(),
            proof,
            http: Arc::clone(http),
            clock: Arc::clone(clock),
        }
    }

    /// Under another name in errors and in the log.
    #[must_use]
    pub const fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// A credential of the SDK for one token; its cache dies with it.
    fn made(&self) -> azure_core::Result<Arc<dyn SdkCredential>> {
        let (client_id, client_options) = (self.client_id.clone(), self.options());
        Ok(match &self.proof {
            ClientProof::Secret(secret) => {
                let secret = Secret::new(secret.as_str().to_owned());
                let options = ClientSecretCredentialOptions { client_options };
                ClientSecretCredential::new(&self.tenant, client_id, secret, Some(options))?
            }
            ClientProof::Assertion(assertion) => {
                let assertion = Bridge(Arc::clone(assertion));
                let options = ClientAssertionCredentialOptions { client_options };
                let tenant = self.tenant.clone();
                ClientAssertionCredential::new(tenant, client_id, assertion, Some(options))?
            }
        })
    }

    fn options(&self) -> ClientOptions {
        let (name, clock) = (self.name, Arc::clone(&self.clock));
        GuardedTransport::new(Arc::clone(&self.http))
            .judged_by(move |answer| read_token(name, answer, clock.now()).map(drop))
            .client_options(self.cloud)
    }

    async fn ask(&self, scope: &str) -> Result<AccessToken, CredentialError> {
        let made = self.made().map_err(|_| CredentialError::NotSetUp {
            credential: self.name.to_owned(),
            reason: "the tenant, the client id or the secret is empty or malformed".to_owned(),
        })?;
        let token = made.get_token(&[scope], None).await;
        token
            .map(|token| own(&token))
            .map_err(|error| explain(self.name, &error))
    }
}

impl TokenCredential for ClientCredential {
    fn get_token<'a>(
        &'a self,
        scope: &'a str,
    ) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        Box::pin(self.ask(scope))
    }

    fn name(&self) -> &str {
        self.name
    }
}

/// A token of the SDK as one of ours.
pub(super) fn own(token: &azure_core::credentials::AccessToken) -> AccessToken {
    let text = Zeroizing::new(token.token.secret().to_owned());
    AccessToken::new(
        text,
        Timestamp::from_secs(token.expires_on.unix_timestamp()),
    )
}

/// Our own error inside the SDK's: its texts hold bodies of answers, and are not repeated.
fn explain(name: &str, error: &SdkError) -> CredentialError {
    if let Some(known) = own_error::<CredentialError>(error) {
        return known.clone();
    }
    if let Some(http) = own_error::<HttpError>(error) {
        return unreachable(name, http);
    }
    CredentialError::Unavailable {
        credential: name.to_owned(),
        reason: "the Azure SDK cannot read what it was sent".to_owned(),
        retry_in: None,
    }
}

/// Our source of assertions as one of the SDK's.
#[derive(Debug)]
struct Bridge(Arc<dyn ClientAssertion>);

#[async_trait::async_trait]
impl SdkAssertion for Bridge {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let assertion = self.0.assertion().await;
        let assertion = assertion.map_err(|error| SdkError::new(ErrorKind::Credential, error))?;
        Ok(assertion.as_str().to_owned())
    }
}
