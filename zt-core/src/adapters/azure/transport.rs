//! The transport of the Azure SDK: each of its requests goes through our [`HttpClient`], once.
//!
//! In: a request of `azure_core`. Out: its answer, or an error whose source is our own. The SDK's retries are off (they add
//! up to 82 s and repeat what the guard refuses), and so is its default transport, which no guard would see.
//! Never: a stream as a body; what zt sends fits into memory.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use azure_core::Error as SdkError;
use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::TokenRequestOptions;
use azure_core::error::ErrorKind;
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::{
    AsyncRawResponse, Body, ClientOptions, HttpClient as SdkHttpClient, Method, Request,
    RetryOptions, Transport,
};
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};
use crate::identity::{Cloud, CredentialError};
use crate::network::{HttpClient, HttpError, HttpMethod, HttpRequest, HttpResponse};

/// Looks at an answer before the SDK does, and may refuse it in our own words.
type Judge = dyn Fn(&HttpResponse) -> Result<(), CredentialError> + Send + Sync;

/// A transport over one of our clients.
#[derive(Clone)]
pub struct GuardedTransport {
    http: Arc<dyn HttpClient>,
    judge: Option<Arc<Judge>>,
    deadline: Duration,
}

impl GuardedTransport {
    /// Sends with this client, each request within 10 s.
    #[must_use]
    pub fn new(http: Arc<dyn HttpClient>) -> Self {
        Self {
            http,
            judge: None,
            deadline: Duration::from_secs(10),
        }
    }

    /// Each request within this time.
    #[must_use]
    pub const fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Shows each answer to `judge` first. The SDK's own reading of a refusal loses the code where the text holds an escape,
    /// and puts the whole body into its message.
    pub(super) fn judged_by(
        mut self,
        judge: impl Fn(&HttpResponse) -> Result<(), CredentialError> + Send + Sync + 'static,
    ) -> Self {
        self.judge = Some(Arc::new(judge));
        self
    }

    /// Options for a client of the SDK: this transport, no retries, this cloud's authority.
    #[must_use]
    pub fn client_options(self, cloud: Cloud) -> ClientOptions {
        let mut own = CustomConfiguration::default();
        own.authority_host = format!("https://{}", cloud.login_host());
        ClientOptions {
            transport: Some(Transport::new(Arc::new(self))),
            retry: RetryOptions::none(),
            cloud: Some(Arc::new(CloudConfiguration::from(own))),
            ..ClientOptions::default()
        }
    }
}

#[async_trait::async_trait]
impl SdkHttpClient for GuardedTransport {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let prepared = self.prepare(request)?;
        let answer = self.http.send(prepared).await.map_err(sdk_error)?;
        if let Some(judge) = &self.judge {
            judge(&answer).map_err(|refused| SdkError::new(ErrorKind::Credential, refused))?;
        }
        let mut headers = Headers::new();
        for (name, value) in &answer.headers {
            headers.insert(
                HeaderName::from(name.clone()),
                HeaderValue::from(value.clone()),
            );
        }
        let body = answer.body.to_vec();
        Ok(AsyncRawResponse::from_bytes(
            answer.status.into(),
            headers,
            body,
        ))
    }
}

impl GuardedTransport {
    fn prepare(&self, request: &Request) -> azure_core::Result<HttpRequest> {
        let malformed = |reason: &str| {
            let reason = reason.to_owned();
            sdk_error(HttpError::Malformed { reason })
        };
        let mut prepared = HttpRequest::get(request.url().as_str()).within(self.deadline);
        prepared.method = match request.method() {
            Method::Get => HttpMethod::Get,
            Method::Post => HttpMethod::Post,
            Method::Put => HttpMethod::Put,
            Method::Delete | Method::Head | Method::Patch | _ => {
                return Err(malformed("zt sends GET, POST and PUT alone"));
            }
        };
        prepared.body = match request.body() {
            Body::Bytes(bytes) => Zeroizing::new(bytes.to_vec()),
            Body::SeekableStream(_) => return Err(malformed("a body of zt is not a stream")),
        };
        for (name, value) in request.headers().iter() {
            // The length is counted anew from the body.
            if name.as_str() != "content-length" {
                prepared = prepared.with_header(name.as_str(), value.as_str());
            }
        }
        Ok(prepared)
    }
}

impl fmt::Debug for GuardedTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardedTransport")
            .field("http", &self.http)
            .finish_non_exhaustive()
    }
}

fn sdk_error(error: HttpError) -> SdkError {
    // `Connection` says "never sent", which the SDK takes for "safe to repeat". We repeat outside, or not at all.
    SdkError::new(ErrorKind::Io, error)
}

/// Refuses a build in which the SDK prints what it must not: one dependent that turns on the feature `debug` of `azure_core`
/// takes the redaction off for everybody. Called before any credential is made.
///
/// # Errors
/// [`Code::Config`] with the feature's name.
pub fn redaction_is_armed() -> Result<()> {
    let shown = format!("{:?}", TokenRequestOptions::default());
    if shown.contains("method_options") {
        let message = "the feature `debug` of `azure_core` is on: the Azure SDK would print tokens and secrets";
        return Err(Error::new(Code::Config, message)
            .with_help("find who turns it on: cargo tree -e features -i azure_core"));
    }
    Ok(())
}
