//! One exchange: send, compare the peer, prove the path, read the body to its limit, all before the deadline.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Instant;

use reqwest::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Request, Response, Url};
use zeroize::Zeroizing;

use super::failure::explain;
use crate::network::private_link::TESTIMONY;
use crate::network::seen::Path;
use crate::network::{HttpError, HttpMethod, HttpRequest, HttpResponse, LiveGuard, Refusal, Route};

/// Runs it.
pub(super) async fn run(
    client: &Client,
    guard: &LiveGuard,
    route: &Route,
    request: &HttpRequest,
) -> Result<HttpResponse, HttpError> {
    let (deadline, most_bytes) = (request.deadline, request.most_bytes);
    let prepared = prepare(route, request)?;
    let exchange = async {
        let sent = client.execute(prepared).await;
        let response = sent.map_err(|error| explain(&error, route.host()))?;
        // The rows may have changed meanwhile: the answer comes in by those that are in force now, or not at all.
        let now = guard.current().route(&request.url)?;
        receive(guard, &now, response, most_bytes).await
    };
    let host = || route.host().to_owned();
    // A tokio runtime without its I/O or time driver panics at the first use of it, and there is no way to ask.
    match unwound(async { tokio::time::timeout(deadline, exchange).await }).await {
        Some(Ok(outcome)) => outcome,
        Some(Err(_)) => Err(HttpError::Timeout {
            host: host(),
            deadline,
        }),
        None => Err(HttpError::Broken { host: host() }),
    }
}

/// The request as `reqwest` sends it. Whoever fills in headers cannot change where the message ends or whom it is for.
fn prepare(route: &Route, request: &HttpRequest) -> Result<Request, HttpError> {
    let url = Url::parse(&request.url).map_err(|_| malformed("the URL cannot be read"))?;
    let same = url.host_str() == Some(route.host())
        && url.port_or_known_default() == Some(route.port())
        && url.scheme() == route.scheme().as_str();
    if !same {
        // The guard's reading and the client's differ: a defect, and never a connection.
        return Err(malformed("the URL can be read in two ways"));
    }
    let method = match request.method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Delete => Method::DELETE,
    };
    let mut headers = HeaderMap::with_capacity(request.headers.len() + 1);
    for (name, value) in &request.headers {
        if FRAMING.contains(&name.as_str()) || name.starts_with("proxy-") {
            return Err(malformed(&format!(
                "the header `{name}` is set by zt alone"
            )));
        }
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| malformed("a header's name holds something else than a token"))?;
        let mut value = HeaderValue::from_str(value)
            .map_err(|_| malformed("a header's value holds something else than visible ASCII"))?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    let url = lead_to_simulator(route, url, &mut headers)?;
    let mut prepared = Request::new(method, url);
    *prepared.headers_mut() = headers;
    if !request.body.is_empty() || request.method != HttpMethod::Get {
        *prepared.body_mut() = Some(request.body.to_vec().into());
    }
    Ok(prepared)
}

/// A port in the URL wins over the resolver's, and an address in place of a name is never resolved: both are taken out of the
/// URL for a simulator, and stand in `Host` as they would in production.
fn lead_to_simulator(
    route: &Route,
    mut url: Url,
    headers: &mut HeaderMap,
) -> Result<Url, HttpError> {
    let Some(simulator) = route.dialled() else {
        return Ok(url);
    };
    let authority = url.authority().to_owned();
    let host = HeaderValue::from_str(&authority).map_err(|_| malformed("the host is not text"))?;
    headers.insert(HOST, host);
    let rewritten = if route.literal().is_some() {
        url.set_ip_host(simulator.ip())
            .and_then(|()| url.set_port(Some(simulator.port())))
    } else {
        url.set_port(None)
    };
    rewritten.map_err(|()| malformed("the simulator's address does not fit into the URL"))?;
    Ok(url)
}

async fn receive(
    guard: &LiveGuard,
    route: &Route,
    mut response: Response,
    most_bytes: usize,
) -> Result<HttpResponse, HttpError> {
    let host = || route.host().to_owned();
    let Some(peer) = response.remote_addr() else {
        return Err(HttpError::Broken { host: host() });
    };
    // Before the body, and of a challenge as of any answer: no token follows on a path that is not proven.
    let path = match route.is_peer(peer) {
        true => route.prove(peer, testimony(&response)),
        false => Err(Refusal::Peer { host: host(), peer }),
    };
    let seen = Path {
        at: Instant::now(),
        peer,
        proof: path.clone().map_err(|why| why.to_string()),
    };
    guard.seen().answered(route.host(), seen);
    let path = path?;
    let too_long = || HttpError::TooLong {
        host: host(),
        most_bytes,
    };
    let announced = response.content_length().unwrap_or(0);
    let announced = usize::try_from(announced)
        .ok()
        .filter(|bytes| *bytes <= most_bytes);
    let announced = announced.ok_or_else(too_long)?;
    let mut answer = HttpResponse::new(response.status().as_u16(), Vec::new());
    answer.peer = Some(peer);
    answer.path = Some(path);
    for (name, value) in response.headers() {
        if let Ok(value) = value.to_str() {
            answer = answer.with_header(name.as_str(), value);
        }
    }
    // A buffer that grows leaves pieces behind that nobody wipes.
    let room = match announced {
        0 => most_bytes.min(64 * 1024),
        bytes => bytes,
    };
    let mut body = Zeroizing::new(Vec::with_capacity(room));
    loop {
        let chunk = response.chunk().await;
        let Some(chunk) = chunk.map_err(|error| explain(&error, route.host()))? else {
            break;
        };
        if chunk.len() > most_bytes.saturating_sub(body.len()) {
            return Err(too_long());
        }
        body.extend_from_slice(&chunk);
    }
    answer.body = body;
    Ok(answer)
}

/// What the server says of the path. Two of them are none: which one counts is not for us to choose.
fn testimony(response: &Response) -> Option<&str> {
    let mut found = response.headers().get_all(TESTIMONY).iter();
    let only = found.next()?;
    match found.next() {
        None => only.to_str().ok(),
        Some(_) => None,
    }
}

/// What a future gives, or `None` if it panics.
async fn unwound<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    std::future::poll_fn(move |context| {
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Ready(outcome)) => Poll::Ready(Some(outcome)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(_) => Poll::Ready(None),
        }
    })
    .await
}

fn malformed(reason: &str) -> HttpError {
    HttpError::Malformed {
        reason: reason.to_owned(),
    }
}

/// Headers that say where a message ends, whom it is for, or what becomes of the connection.
const FRAMING: [&str; 8] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
];
