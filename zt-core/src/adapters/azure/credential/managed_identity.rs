//! Managed identities: App Service and Container Apps by `IDENTITY_ENDPOINT`, virtual machines and AKS by the metadata
//! endpoint (Microsoft Learn, "How to use managed identities for App Service and Azure Functions", "How to use managed
//! identities for Azure resources on an Azure VM to acquire an access token").
//!
//! Our own lines, because the SDK reads the process's environment and repeats for 72 s where there is no metadata endpoint:
//! here a probe without the header `Metadata` must be answered within a second, as only Azure's endpoint answers it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::identity::{
    AccessToken, CredentialError, ONE_REQUEST, TokenCredential, encode, read_token, refusal,
    unreachable,
};
use crate::network::{HttpClient, HttpError, HttpRequest, HttpResponse};
use crate::port::BoxFuture;

/// The identity that Azure gives to the machine or the app.
pub struct ManagedIdentity {
    http: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    source: Source,
    /// Which of several user-assigned identities; a machine with several has none by default.
    client_id: Option<String>,
}

enum Source {
    /// App Service, Functions, Container Apps.
    App {
        endpoint: String,
        header: Zeroizing<String>,
    },
    /// The metadata endpoint, and whether it has answered.
    Machine { found: AtomicBool },
}

impl ManagedIdentity {
    /// The identity of the machine.
    #[must_use]
    pub const fn of_machine(http: Arc<dyn HttpClient>, clock: Arc<dyn Clock>) -> Self {
        let source = Source::Machine {
            found: AtomicBool::new(false),
        };
        Self {
            http,
            clock,
            source,
            client_id: None,
        }
    }

    /// The user-assigned identity of this client id.
    #[must_use]
    pub fn with_client_id(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    /// By the variables that Azure sets: `IDENTITY_ENDPOINT` with `IDENTITY_HEADER`, else the machine's; the client id by
    /// `AZURE_CLIENT_ID`.
    ///
    /// # Errors
    /// The reason, where the variables are those of a kind of identity that is not supported.
    pub fn from_env(
        http: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let unsupported = |what: &str| Err(format!("that of {what} is not supported"));
        let mut identity = Self::of_machine(http, clock);
        identity.client_id = env("AZURE_CLIENT_ID");
        match (env("IDENTITY_ENDPOINT"), env("IDENTITY_HEADER")) {
            (Some(_), Some(_)) if env("IDENTITY_SERVER_THUMBPRINT").is_some() => {
                return unsupported("Service Fabric");
            }
            (Some(endpoint), Some(header)) => {
                let header = Zeroizing::new(header);
                identity.source = Source::App { endpoint, header };
            }
            (Some(_), None) => return unsupported("Azure Arc"),
            (None, _) if env("MSI_ENDPOINT").is_some() => {
                return unsupported("Azure ML and Cloud Shell");
            }
            (None, _) => {}
        }
        Ok(identity)
    }

    async fn ask(&self, scope: &str) -> Result<AccessToken, CredentialError> {
        let request = match &self.source {
            Source::App { endpoint, header } => {
                let url = self.url(endpoint, "2019-08-01", scope);
                HttpRequest::get(url).with_header("x-identity-header", header.as_str())
            }
            Source::Machine { found } => {
                self.find(found).await?;
                let url = self.url(MACHINE, MACHINE_VERSION, scope);
                HttpRequest::get(url).with_header("metadata", "true")
            }
        };
        let answer = self.http.send(request.within(ONE_REQUEST)).await;
        let answer = answer.map_err(|error| unreachable(NAME, &error))?;
        if answer.status == 200 {
            return read_token(NAME, &answer, self.clock.now());
        }
        Err(self.refused(&answer))
    }

    /// Both endpoints take a resource, which is the scope without its last part.
    fn url(&self, endpoint: &str, version: &str, scope: &str) -> String {
        let resource = scope.strip_suffix("/.default").unwrap_or(scope);
        let mut pairs = vec![("resource", resource)];
        pairs.extend(self.client_id.as_deref().map(|id| ("client_id", id)));
        let mut query = format!("{endpoint}?api-version={version}").into_bytes();
        for (name, value) in pairs {
            query.push(b'&');
            encode(&mut query, name);
            query.push(b'=');
            encode(&mut query, value);
        }
        String::from_utf8(query).unwrap_or_default()
    }

    /// Whether there is a metadata endpoint of Azure. Other clouds have one at the same address, which answers otherwise.
    async fn find(&self, found: &AtomicBool) -> Result<(), CredentialError> {
        if found.load(Ordering::Acquire) {
            return Ok(());
        }
        let url = format!("{MACHINE}?api-version={MACHINE_VERSION}");
        let reason = match self.http.send(HttpRequest::get(url).within(PROBE)).await {
            Ok(answer) if matches!(answer.status, 400 | 410 | 429 | 500..) => {
                found.store(true, Ordering::Release);
                return Ok(());
            }
            Ok(answer) => format!(
                "what answers at the metadata address is not Azure's (status {})",
                answer.status
            ),
            // Somebody said that there is an identity: a slow endpoint is then no reason to be somebody else.
            Err(error @ HttpError::Timeout { .. }) if self.client_id.is_some() => {
                return Err(unreachable(NAME, &error));
            }
            Err(error) => format!("there is no metadata endpoint: {error}"),
        };
        Err(not_set_up(reason))
    }

    fn refused(&self, answer: &HttpResponse) -> CredentialError {
        let on_machine = matches!(self.source, Source::Machine { .. });
        match answer.status {
            // "Identity not found": the machine has none, and nobody said that it should.
            400 if on_machine && self.client_id.is_none() => {
                not_set_up("no identity is assigned to this machine, or more than one: then set AZURE_CLIENT_ID".to_owned())
            }
            // While the endpoint is updated (70 s at most), by its documentation.
            404 | 410 if on_machine => CredentialError::Unavailable {
                credential: NAME.to_owned(),
                reason: format!("the metadata endpoint is being updated (status {})", answer.status),
                retry_in: answer.retry_after(),
            },
            _ => refusal(NAME, answer),
        }
    }
}

impl TokenCredential for ManagedIdentity {
    fn get_token<'a>(
        &'a self,
        scope: &'a str,
    ) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        Box::pin(self.ask(scope))
    }

    fn name(&self) -> &str {
        NAME
    }
}

impl fmt::Debug for ManagedIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = match &self.source {
            Source::App { .. } => "app",
            Source::Machine { .. } => "machine",
        };
        f.debug_struct("ManagedIdentity")
            .field("source", &source)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

fn not_set_up(reason: String) -> CredentialError {
    CredentialError::NotSetUp {
        credential: NAME.to_owned(),
        reason,
    }
}

const NAME: &str = "managed identity";
const MACHINE: &str = "http://169.254.169.254/metadata/identity/oauth2/token";
const MACHINE_VERSION: &str = "2018-02-01";
const PROBE: Duration = Duration::from_secs(1);
