//! The client behind the guard, against a server on loopback that behaves badly.

mod doctor;
mod live;
mod proof;
pub(crate) mod server;

use std::io;
use std::net::IpAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use server::{HOST, Server, certificates};
use tokio::net::TcpListener;
use zeroize::Zeroizing;
use zt_core::adapters::azure::GuardedHttp;
use zt_core::identity::Cloud;
use zt_core::metadata::PortRange;
use zt_core::network::{
    Destination, Guard, HttpClient, HttpError, HttpRequest, HttpResponse, NameResolver,
};
use zt_core::port::BoxFuture;

fn get(path: &str) -> HttpRequest {
    let request = HttpRequest::get(format!("https://{HOST}{path}"));
    request
        .within(Duration::from_millis(700))
        .reading_at_most(10_000)
}

async fn answer_of(server: &Server, path: &str) -> Result<HttpResponse, HttpError> {
    server.client().send(get(path)).await
}

/// A resolver that says what a test wants to hear.
#[derive(Debug)]
struct Says(&'static [&'static str]);

impl NameResolver for Says {
    fn resolve<'a>(&'a self, _host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async { Ok(self.0.iter().map(|ip| ip.parse().unwrap()).collect()) })
    }
}

#[tokio::test]
async fn an_answer_comes_whole_with_the_address_that_gave_it() {
    let server = Server::start().await;
    let body = Zeroizing::new(b"a=b".to_vec());
    let request = HttpRequest::post(format!("https://{HOST}/echo"), "text/plain", body);
    let answer = server
        .client()
        .send(request.with_bearer("token"))
        .await
        .unwrap();
    assert_eq!((answer.status, answer.peer), (200, Some(server.at)));
    assert_eq!(answer.header("x-mark"), Some("here"));
    let seen = String::from_utf8(answer.body.to_vec())
        .unwrap()
        .to_lowercase();
    assert!(seen.starts_with("post /echo http/1.1\r\n"), "{seen}");
    for line in [
        "host: login.microsoftonline.com\r\n",
        "authorization: bearer token\r\n",
        "content-type: text/plain\r\n",
        "content-length: 3\r\n",
    ] {
        assert!(seen.contains(line), "{line} in {seen}");
    }
    assert!(!seen.contains("accept-encoding"), "{seen}");
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let server = Server::start().await;
    let answer = answer_of(&server, "/redirect").await.unwrap();
    assert_eq!(answer.status, 302);
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_body_is_cut_at_its_limit_whatever_was_announced() {
    let server = Server::start().await;
    for path in ["/announced", "/endless", "/chunks"] {
        let host = HOST.to_owned();
        let too_long = HttpError::TooLong {
            host,
            most_bytes: 10_000,
        };
        assert_eq!(
            answer_of(&server, path).await.unwrap_err(),
            too_long,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_slow_server_ends_at_the_deadline() {
    let server = Server::start().await;
    for path in ["/drip", "/stuck", "/silent"] {
        let start = Instant::now();
        let refused = answer_of(&server, path).await.unwrap_err();
        assert!(
            matches!(refused, HttpError::Timeout { .. }),
            "{path}: {refused}"
        );
        assert!(start.elapsed() < Duration::from_secs(3), "{path}");
    }
}

#[tokio::test]
async fn half_an_answer_is_none() {
    let server = Server::start().await;
    for path in ["/broken", "/not-http"] {
        let refused = answer_of(&server, path).await.unwrap_err();
        let host = HOST.to_owned();
        assert_eq!(refused, HttpError::Broken { host }, "{path}");
    }
}

#[tokio::test]
async fn only_the_named_authority_is_trusted() {
    let (server, other) = (Server::start().await, Server::start().await);
    let guard = Guard::for_identity(Cloud::Public).dialling(HOST, server.at);
    let client = other.client_of(guard.clone());
    let refused = client.send(get("/echo")).await.unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("no authority that is trusted here"),
        "{refused:?}"
    );

    let graph = guard.dialling("graph.microsoft.com", server.at);
    let request = HttpRequest::get("https://graph.microsoft.com/echo");
    let refused = server.client_of(graph).send(request).await.unwrap_err();
    assert!(
        refused.to_string().contains("for another name"),
        "{refused:?}"
    );

    for text in [
        "",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let made = GuardedHttp::trusting_only(Guard::new(), text.as_bytes());
        assert!(matches!(made, Err(HttpError::Tls { .. })), "{text}");
    }
}

#[tokio::test]
async fn the_systems_authorities_do_not_know_a_test_server() {
    let server = Server::start().await;
    let guard = Guard::for_identity(Cloud::Public).dialling(HOST, server.at);
    // A machine without any authority refuses earlier, which is right as well.
    if let Ok(client) = GuardedHttp::new(guard) {
        let refused = client.send(get("/echo")).await.unwrap_err();
        assert!(matches!(refused, HttpError::Tls { .. }), "{refused:?}");
    }
}

#[tokio::test]
async fn a_public_name_at_a_private_address_is_not_dialled() {
    let server = Server::start().await;
    let answers: [&[&str]; 5] = [
        &["127.0.0.1"],
        &["20.190.160.1", "127.0.0.1"],
        &["::ffff:127.0.0.1"],
        &["169.254.169.254"],
        &[],
    ];
    for addresses in answers {
        let row = Destination::public("test", HOST).at_ports(vec![port(server.at.port())]);
        let client = server.client_of(Guard::new().with(row));
        let client = client.resolving_with(Arc::new(Says(addresses)));
        let url = format!("https://{HOST}:{}/echo", server.at.port());
        let refused = client.send(HttpRequest::get(url)).await.unwrap_err();
        assert!(matches!(refused, HttpError::Refused { .. }), "{refused:?}");
    }
    assert_eq!(
        server.connections.load(Ordering::SeqCst),
        0,
        "nobody was dialled"
    );
}

#[tokio::test]
async fn a_private_name_is_dialled_inside_its_ranges() {
    let server = Server::start().await;
    let ranges = vec!["127.0.0.0/8".parse().unwrap()];
    let row = Destination::within("test", "kv.example", ranges);
    let row = row.at_ports(vec![port(server.at.port())]);
    let client = server.client_of(Guard::new().with(row));
    let client = client.resolving_with(Arc::new(Says(&["127.0.0.1"])));
    let url = format!("https://kv.example:{}/echo", server.at.port());
    let answer = client.send(HttpRequest::get(url)).await.unwrap();
    assert_eq!(answer.peer, Some(server.at));
}

fn port(port: u16) -> PortRange {
    port.to_string().parse().unwrap()
}

#[tokio::test]
async fn what_is_not_a_name_with_a_row_is_refused_before_anything_is_sent() {
    let server = Server::start().await;
    let client = server.client();
    for url in [
        format!("https://127.0.0.1:{}/echo", server.at.port()),
        "https://20.190.160.1/echo".to_owned(),
        "https://[::1]/echo".to_owned(),
        "http://login.microsoftonline.com/echo".to_owned(),
        "https://example.com/echo".to_owned(),
    ] {
        let refused = client.send(HttpRequest::get(url)).await.unwrap_err();
        assert!(matches!(refused, HttpError::Refused { .. }), "{refused:?}");
    }
    for request in [
        get("/echo#x"),
        HttpRequest::get(format!("https://user@{HOST}/echo")),
        get("/echo").with_header("host", "evil.example"),
        get("/echo").with_header("transfer-encoding", "chunked"),
        get("/echo").with_header("x", "a\r\nb: c"),
        get("/echo").with_header("x y", "a"),
    ] {
        let refused = client.send(request).await.unwrap_err();
        assert!(
            matches!(refused, HttpError::Malformed { .. }),
            "{refused:?}"
        );
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn nobody_there_is_no_connection() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let server = Server::start().await;
    let guard = Guard::for_identity(Cloud::Public).dialling(HOST, closed);
    let refused = server
        .client_of(guard)
        .send(get("/echo"))
        .await
        .unwrap_err();
    let host = HOST.to_owned();
    assert_eq!(refused, HttpError::Connect { host });
}

#[test]
fn without_a_runtime_there_is_an_error_and_no_panic() {
    let guard = Guard::for_identity(Cloud::Public).dialling(HOST, "127.0.0.1:1".parse().unwrap());
    let (authority, _) = certificates();
    let client = GuardedHttp::trusting_only(guard, authority.as_bytes()).unwrap();
    let mut context = Context::from_waker(Waker::noop());
    let answer = client.send(get("/echo")).as_mut().poll(&mut context);
    let malformed = matches!(answer, Poll::Ready(Err(HttpError::Malformed { .. })));
    assert!(malformed, "{answer:?}");

    let bare = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let answer = bare.block_on(client.send(get("/echo")));
    assert!(
        matches!(answer, Err(HttpError::Broken { .. })),
        "{answer:?}"
    );
}

#[test]
fn a_proxy_of_the_environment_is_ignored() {
    let mut child = Command::new(std::env::current_exe().unwrap());
    let name = "guarded_http::an_answer_comes_whole_with_the_address_that_gave_it";
    child.args(["--exact", name]);
    for variable in [
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "HTTP_PROXY",
        "http_proxy",
    ] {
        child.env(variable, "http://127.0.0.1:9");
    }
    let output = child.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_host_that_never_finishes_the_handshake_is_given_up_long_before_the_deadline() {
    // Connections are made by the kernel, and nobody speaks on them.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (authority, _) = certificates();
    let guard = Guard::for_identity(Cloud::Public).dialling(HOST, silent.local_addr().unwrap());
    let http = GuardedHttp::trusting_only(guard, authority.as_bytes()).unwrap();
    let patient = HttpRequest::get(format!("https://{HOST}/")).within(Duration::from_secs(60));
    let refused = http.send(patient).await.unwrap_err();
    let host = HOST.to_owned();
    assert_eq!(refused, HttpError::Connect { host });
}

/// A resolver whose first server is dead.
#[derive(Debug)]
struct Slow;

impl NameResolver for Slow {
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_secs(5)).await;
            Says(&["127.0.0.1"]).resolve(host).await
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_takes_long_to_look_up_is_waited_for_as_long_as_the_request_may_take() {
    let server = Server::start().await;
    let ranges = vec!["127.0.0.0/8".parse().unwrap()];
    let row = Destination::within("test", "kv.example", ranges);
    let row = row.at_ports(vec![port(server.at.port())]);
    let client = server.client_of(Guard::new().with(row));
    let client = client.resolving_with(Arc::new(Slow));
    let url = format!("https://kv.example:{}/echo", server.at.port());
    let request = HttpRequest::get(url).within(Duration::from_secs(10));
    assert_eq!(client.send(request).await.unwrap().peer, Some(server.at));
}
