//! Two listeners on loopback: TLS for Entra and Graph, plain HTTP for managed identities and control.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::answer::Answer;
use crate::asked::Asked;
use crate::dispatch;
use crate::fault::ScriptedBody;
use crate::request_log;
use crate::state::State;
use crate::vault;

/// Serves over TLS until the runtime ends.
pub(crate) async fn serve_tls(listener: TcpListener, tls: Arc<ServerConfig>, state: Arc<State>) {
    let acceptor = TlsAcceptor::from(tls);
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, state) = (acceptor.clone(), Arc::clone(&state));
        tokio::spawn(async move {
            // Who does not trust the simulator's authority ends here.
            if let Ok(stream) = acceptor.accept(stream).await {
                connection(stream, state, true).await;
            }
        });
    }
}

/// Serves without TLS until the runtime ends.
pub(crate) async fn serve_plain(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(connection(stream, Arc::clone(&state), false));
    }
}

async fn connection<S>(stream: S, state: Arc<State>, is_secure: bool)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| respond(Arc::clone(&state), request, is_secure));
    let served = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
    // A connection that broke off is one that a fault, or the client, broke off.
    let _ended: Result<(), hyper::Error> = served;
}

/// Why a connection closes without an answer.
#[derive(Debug)]
enum Closed {
    ByFault,
    ByClient,
}

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ByFault => "told to close the connection",
            Self::ByClient => "the request broke off",
        })
    }
}

impl std::error::Error for Closed {}

async fn respond(
    state: Arc<State>,
    request: Request<Incoming>,
    is_secure: bool,
) -> Result<Response<ScriptedBody>, Closed> {
    let asked = Asked::read(request, is_secure).await;
    let asked = asked.ok_or(Closed::ByClient)?;
    if dispatch::is_control(&asked) {
        let answer = crate::control::answer(&state, &asked);
        let body = ScriptedBody::whole(answer.body.clone());
        return Ok(response(answer, body));
    }
    let fault = state.faults().take(&asked);
    let is_faulty = fault.is_some();
    let hides = fault.as_ref().is_some_and(crate::Fault::hides_request);
    let right = if hides {
        Answer::empty(200)
    } else {
        dispatch::answer(&state, &asked)
    };
    // Written down before it is sent, so that who waits for the answer finds its request.
    let mut seen = request_log::Request {
        method: asked.method.clone(),
        host: asked.host.clone(),
        path: asked.path.clone(),
        query: asked.raw_query.clone(),
        group_ids: crate::graph::asked_groups(&asked),
        status: Some(right.status),
        shows_token: asked.bearer().is_some(),
        client_request_id: asked.header("x-ms-client-request-id").map(str::to_owned),
        api_version: asked.query.get("api-version").map(str::to_owned),
        is_faulty,
    };
    let Some(fault) = fault else {
        state.log().push(seen);
        let body = ScriptedBody::whole(right.body.clone());
        return Ok(response(right, body));
    };
    seen.status = fault.status(right.status);
    state.log().push(seen);
    let is_of_service = fault.is_of_service();
    let in_its_words = vault::refuse(&state, &asked, &fault);
    let (mut answer, mut body) = fault.apply(right).await.ok_or(Closed::ByFault)?;
    if let Some(refused) = in_its_words {
        body = ScriptedBody::whole(refused.body.clone());
        answer = refused;
    }
    if is_of_service {
        answer = vault::stamped(&state, &asked, answer);
    }
    Ok(response(answer, body))
}

fn response(answer: Answer, body: ScriptedBody) -> Response<ScriptedBody> {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(body).unwrap_or_else(|_| {
        // A value that cannot stand in a header comes from a scripted redirect alone.
        let mut broken = Response::new(ScriptedBody::whole(Vec::new()));
        *broken.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        broken
    })
}
