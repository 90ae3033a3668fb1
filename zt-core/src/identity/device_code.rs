//! Signs a person in from a program without a browser: the device authorization grant.
//!
//! In: a tenant, a public client, a scope. Out: a code to show, then the person's token once they have typed it elsewhere.
//! Never: the device code in a log, an address to open that is not `https`, text of the server that a terminal would obey.
//! Sources: RFC 8628; Microsoft Learn, "Microsoft identity platform and the OAuth 2.0 device authorization grant flow".

mod answer;
mod error;
mod sign_in;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use crate::clock::Clock;
use crate::id::Guid;
use crate::network::{HttpClient, HttpRequest};

use super::cloud::Cloud;
use super::form;
use answer::{Offer, Problem};
pub use error::DeviceCodeError;
pub use sign_in::DeviceSignIn;

/// The longest answer that is read, in bytes.
const MOST_BYTES: usize = 64 * 1024;

/// What is asked for: by which client, in which tenant, for which scope.
///
/// ```no_run
/// use std::sync::Arc;
/// use zt_core::clock::SystemClock;
/// use zt_core::identity::{Cloud, DeviceCode};
/// # use zt_core::network::HttpClient;
///
/// # async fn sign_in(http: Arc<dyn HttpClient>) -> Result<(), Box<dyn std::error::Error>> {
/// let tenant = "11111111-1111-4111-8111-111111111111".parse()?;
/// let client = "d0000000-0000-4000-8000-0000000000c1".parse()?;
/// let scope = "api://d0000000-0000-4000-8000-000000000001/.default";
///
/// let clock = Arc::new(SystemClock::new());
/// let sign_in = DeviceCode::new(http, clock, Cloud::Public, tenant, client, scope)?
///     .start()
///     .await?;
/// eprintln!("{}", sign_in.message());
/// let token = sign_in.wait().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct DeviceCode {
    http: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    /// `https://login.microsoftonline.com/{tenant}`
    authority: String,
    client_id: String,
    scope: String,
    claims: Option<String>,
}

impl DeviceCode {
    /// A sign-in at this cloud's Entra. `scope` is as in `api://<client id>/.default`; the client is registered as public
    /// ("Allow public client flows").
    ///
    /// # Errors
    /// [`DeviceCodeError::NoAuthority`]: the cloud is [`Cloud::Development`], where `zt dev-token` signs in.
    pub fn new(
        http: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
        cloud: Cloud,
        tenant: Guid,
        client_id: Guid,
        scope: impl Into<String>,
    ) -> Result<Self, DeviceCodeError> {
        if cloud == Cloud::Development {
            return Err(DeviceCodeError::NoAuthority);
        }
        let issuer = cloud.issuer_of(tenant);
        let authority = issuer.strip_suffix("/v2.0").unwrap_or(&issuer);
        Ok(Self {
            http,
            clock,
            authority: authority.to_owned(),
            client_id: client_id.to_string(),
            scope: scope.into(),
            claims: None,
        })
    }

    /// Asks for these claims besides: the JSON of a claims challenge, or the client's capabilities.
    #[must_use]
    pub fn with_claims(mut self, claims: impl Into<String>) -> Self {
        self.claims = Some(claims.into());
        self
    }

    /// Asks Entra for a code. The person has to be shown it; [`DeviceSignIn::wait`] waits for them.
    ///
    /// # Errors
    /// Entra refuses the client, the tenant or the scope, or cannot be reached, or answers something else.
    pub async fn start(&self) -> Result<DeviceSignIn, DeviceCodeError> {
        let mut form = vec![
            ("client_id", self.client_id.as_str()),
            ("scope", self.scope.as_str()),
        ];
        form.extend(self.claims.as_deref().map(|claims| ("claims", claims)));
        let request = self.post("devicecode", &form);
        let response = self.http.send(request).await?;
        if response.status != 200 {
            return Err(Problem::read(&response).into_error());
        }
        let offer = Offer::read(&response.body)?;
        Ok(DeviceSignIn::new(self.clone(), offer))
    }

    fn post(&self, endpoint: &str, form: &[(&str, &str)]) -> HttpRequest {
        let url = format!("{}/oauth2/v2.0/{endpoint}", self.authority);
        HttpRequest::post(url, form::MEDIA_TYPE, form::encode(form))
            .with_header("accept", "application/json")
            .reading_at_most(MOST_BYTES)
    }
}

impl fmt::Debug for DeviceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceCode")
            .field("authority", &self.authority)
            .field("client_id", &self.client_id)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
