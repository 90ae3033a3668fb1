//! How an application proves to Entra that it is itself: with a secret, or with an assertion that somebody else signed
//! (RFC 7523 §2.2; Microsoft Learn, "Microsoft identity platform application authentication certificate credentials").

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::CredentialError;
use crate::port::BoxFuture;

/// The port to client assertions: a token file of Kubernetes, a managed identity, a certificate's key.
pub trait ClientAssertion: Send + Sync + fmt::Debug {
    /// A fresh assertion. Asked for at every token request; nothing is kept.
    fn assertion(&self) -> BoxFuture<'_, Result<Zeroizing<String>, CredentialError>>;
}

/// The proof of an application. `Debug` shows its kind alone.
#[derive(Clone)]
#[non_exhaustive]
pub enum ClientProof {
    /// A client secret.
    Secret(Zeroizing<String>),
    /// A signed assertion.
    Assertion(Arc<dyn ClientAssertion>),
}

impl ClientProof {
    /// The fields of the form that carry it.
    pub(crate) async fn fields(&self) -> Result<Fields, CredentialError> {
        Ok(match self {
            Self::Secret(secret) => Fields::Secret(secret.clone()),
            Self::Assertion(source) => Fields::Assertion(source.assertion().await?),
        })
    }
}

/// The proof of one request.
pub(crate) enum Fields {
    Secret(Zeroizing<String>),
    Assertion(Zeroizing<String>),
}

impl Fields {
    pub(crate) fn pairs(&self) -> Vec<(&str, &str)> {
        match self {
            Self::Secret(secret) => vec![("client_secret", secret)],
            Self::Assertion(assertion) => vec![
                ("client_assertion_type", ASSERTION_TYPE),
                ("client_assertion", assertion),
            ],
        }
    }
}

impl fmt::Debug for ClientProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret(_) => "Secret",
            Self::Assertion(_) => "Assertion",
        })
    }
}

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
