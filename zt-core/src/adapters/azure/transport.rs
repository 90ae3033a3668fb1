//! The transport of the Azure SDK: each of its requests goes through our [`HttpClient`], once.
//!
//! In: a request of `azure_core`. Out: its answer, or an error whose source is our own. The SDK's retries are off (they add
//! up to 82 s and repeat what the guard refuses), and so is its default transport, which no guard would see.
//! Never: a stream as a body; what zt sends fits into memory.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use azure_core::Error as SdkError;
use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::TokenRequestOptions;
use azure_core::error::ErrorKind;
use azure_core::http::headers::{AUTHORIZATION, HeaderName, HeaderValue, Headers};
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{
    AsyncRawResponse, Body, ClientOptions, Context, HttpClient as SdkHttpClient, Method, Request,
    RetryOptions, Transport,
};
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};
use crate::identity::Cloud;
use crate::network::{HttpClient, HttpError, HttpMethod, HttpRequest, HttpResponse};

/// Looks at an answer before the SDK does: refuses it in our own words, or says what the SDK gets to see of it.
type Judge = dyn Fn(&Asked<'_>, HttpResponse) -> azure_core::Result<HttpResponse> + Send + Sync;

/// What an answer is the answer to.
pub(super) struct Asked<'a> {
    /// What the caller of the SDK put beside the request.
    pub(super) context: &'a Context<'a>,
    /// Whether the request showed a token.
    pub(super) with_token: bool,
}

/// How long one request may take; in the SDK's context it goes before the transport's own limit.
pub(super) struct Within(pub(super) Duration);

/// A transport over one of our clients.
#[derive(Clone)]
pub struct GuardedTransport {
    http: Arc<dyn HttpClient>,
    judge: Option<Arc<Judge>>,
    /// The only host that is asked, where there is one.
    host: Option<Arc<str>>,
    deadline: Duration,
    most_bytes: Option<usize>,
}

impl GuardedTransport {
    /// Sends with this client, each request within 10 s.
    #[must_use]
    pub fn new(http: Arc<dyn HttpClient>) -> Self {
        Self {
            http,
            judge: None,
            host: None,
            deadline: Duration::from_secs(10),
            most_bytes: None,
        }
    }

    /// Each request within this time.
    #[must_use]
    pub const fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Reads at most this many bytes of an answer.
    #[must_use]
    pub const fn reading_at_most(mut self, bytes: usize) -> Self {
        self.most_bytes = Some(bytes);
        self
    }

    /// Asks this host and no other, so that no token of the SDK goes anywhere else.
    #[must_use]
    pub fn only_to(mut self, host: &str) -> Self {
        self.host = Some(host.into());
        self
    }

    /// Shows each answer to `judge` first; its error is found again with [`own_error`]. The SDK's own reading of a refusal
    /// loses the code where the text holds an escape, and puts the whole body into its message.
    pub(super) fn judged_by<E: StdError + Send + Sync + 'static>(
        self,
        judge: impl Fn(&HttpResponse) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        self.filtered_by(move |_, answer| judge(&answer).map(|()| answer))
    }

    /// The same for a judge that knows what was asked, and keeps to itself what the SDK need not see.
    pub(super) fn filtered_by<E: StdError + Send + Sync + 'static>(
        mut self,
        judge: impl Fn(&Asked<'_>, HttpResponse) -> Result<HttpResponse, E> + Send + Sync + 'static,
    ) -> Self {
        self.judge = Some(Arc::new(move |asked, answer| {
            judge(asked, answer).map_err(|refused| SdkError::new(ErrorKind::Other, refused))
        }));
        self
    }

    /// Options for a client of the SDK: this transport, no retries, this cloud's authority.
    #[must_use]
    pub fn client_options(self, cloud: Cloud) -> ClientOptions {
        let mut own = CustomConfiguration::default();
        own.authority_host = format!("https://{}", cloud.login_host());
        ClientOptions {
            transport: Some(Transport::with_policy(Arc::new(self))),
            retry: RetryOptions::none(),
            cloud: Some(Arc::new(CloudConfiguration::from(own))),
            ..ClientOptions::default()
        }
    }
}

/// As a client, which the SDK tells nothing but the request.
#[async_trait::async_trait]
impl SdkHttpClient for GuardedTransport {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        self.exchange(&Context::new(), request).await
    }
}

/// As the last policy of a pipeline, which sees what the caller put beside the request.
#[expect(
    elided_lifetimes_in_paths,
    reason = "`async_trait` makes two things of the two spellings, and the trait has this one"
)]
#[async_trait::async_trait]
impl Policy for GuardedTransport {
    async fn send(
        &self,
        context: &Context,
        request: &mut Request,
        _next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        self.exchange(context, request).await
    }
}

impl GuardedTransport {
    async fn exchange(
        &self,
        context: &Context<'_>,
        request: &Request,
    ) -> azure_core::Result<AsyncRawResponse> {
        let prepared = self.prepare(context, request)?;
        let mut answer = self.http.send(prepared).await.map_err(sdk_error)?;
        if let Some(judge) = &self.judge {
            let with_token = request.headers().get_optional_str(&AUTHORIZATION).is_some();
            let asked = Asked {
                context,
                with_token,
            };
            answer = judge(&asked, answer)?;
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

    fn prepare(&self, context: &Context<'_>, request: &Request) -> azure_core::Result<HttpRequest> {
        let malformed = |reason: &str| {
            let reason = reason.to_owned();
            sdk_error(HttpError::Malformed { reason })
        };
        let is_other = |host: &str| request.url().host_str() != Some(host);
        if self.host.as_deref().is_some_and(is_other) {
            return Err(malformed("it goes to another host than the client's"));
        }
        let within = context.value::<Within>();
        let deadline = within.map_or(self.deadline, |within| within.0);
        let mut prepared = HttpRequest::get(request.url().as_str()).within(deadline);
        prepared.most_bytes = self.most_bytes.unwrap_or(prepared.most_bytes);
        prepared.method = match request.method() {
            Method::Get => HttpMethod::Get,
            Method::Post => HttpMethod::Post,
            Method::Put => HttpMethod::Put,
            Method::Patch => HttpMethod::Patch,
            Method::Delete => HttpMethod::Delete,
            Method::Head | _ => {
                return Err(malformed("zt sends GET, POST, PUT, PATCH and DELETE alone"));
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

/// The first error of ours in the chain of one of the SDK's, whose texts hold bodies of answers and are not repeated.
pub(super) fn own_error<E: StdError + 'static>(error: &SdkError) -> Option<&E> {
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(known) = error.downcast_ref::<E>() {
            return Some(known);
        }
        next = error.source();
    }
    None
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
