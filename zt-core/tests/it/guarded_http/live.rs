//! Rows that come and go under a client that is in use, and what people try to get past the rows that are there.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use zt_core::adapters::azure::GuardedHttp;
use zt_core::network::{
    Destination, Guard, HttpClient, HttpError, HttpRequest, HttpResponse, LiveGuard, NameResolver,
};
use zt_core::port::BoxFuture;

use super::server::Server;
use super::{Says, port};

const VAULT: &str = "kv.example";

/// A client of the server whose rows a test changes.
struct Bench {
    server: Server,
    live: LiveGuard,
    client: GuardedHttp,
}

impl Bench {
    /// With a row for the vault in these ranges.
    async fn new(ranges: &[&str]) -> Self {
        Self::resolving(ranges, Arc::new(Says(&["127.0.0.1"]))).await
    }

    async fn resolving(ranges: &[&str], names: Arc<dyn NameResolver>) -> Self {
        let server = Server::start().await;
        let live = LiveGuard::new(guard(server.at, ranges));
        let pem = server.authority.as_bytes();
        let client = GuardedHttp::trusting_only(live.clone(), pem).unwrap();
        let client = client.resolving_with(names);
        Self {
            server,
            live,
            client,
        }
    }

    fn put_in_force(&self, ranges: &[&str]) {
        self.live.replace(guard(self.server.at, ranges));
    }

    async fn get(&self, path: &str) -> Result<HttpResponse, HttpError> {
        let url = format!("https://{VAULT}:{}{path}", self.server.at.port());
        let request = HttpRequest::get(url).with_bearer("zt-needle-token");
        self.client.send(request).await
    }

    /// What the server has seen: connections, requests.
    fn seen(&self) -> (usize, usize) {
        let (connections, requests) = (&self.server.connections, &self.server.requests);
        (
            connections.load(Ordering::SeqCst),
            requests.load(Ordering::SeqCst),
        )
    }
}

fn guard(at: SocketAddr, ranges: &[&str]) -> Guard {
    let ranges = ranges.iter().map(|range| range.parse().unwrap()).collect();
    let row = Destination::within("the row", VAULT, ranges);
    Guard::new().with(row.at_ports(vec![port(at.port())]))
}

fn is_refused(outcome: &Result<HttpResponse, HttpError>) -> bool {
    matches!(outcome, Err(HttpError::Refused { .. }))
}

#[tokio::test]
async fn an_open_connection_does_not_outlive_its_row() {
    let bench = Bench::new(&["127.0.0.0/8"]).await;
    for _ in 0..2 {
        assert_eq!(bench.get("/kept").await.unwrap().status, 200);
    }
    assert_eq!(bench.seen(), (1, 2), "the connection is kept open");

    bench.live.replace(Guard::new());
    assert!(is_refused(&bench.get("/kept").await));
    assert_eq!(bench.seen(), (1, 2), "nothing reached the server");

    bench.put_in_force(&["10.0.0.0/8"]);
    assert!(is_refused(&bench.get("/kept").await));
    assert_eq!(bench.seen(), (1, 2), "the row excludes its address");

    bench.put_in_force(&["127.0.0.0/8"]);
    assert_eq!(bench.get("/kept").await.unwrap().status, 200);
    assert_eq!(bench.seen(), (2, 3), "the old connection is not used again");
}

#[tokio::test]
async fn other_ranges_are_another_connection_and_the_same_ones_are_not() {
    let bench = Bench::new(&["127.0.0.0/8"]).await;
    bench.get("/kept").await.unwrap();
    bench.put_in_force(&["127.0.0.0/8"]);
    bench.get("/kept").await.unwrap();
    assert_eq!(
        bench.seen(),
        (1, 2),
        "a reload without a change costs nothing"
    );
    bench.put_in_force(&["127.0.0.0/16"]);
    bench.get("/kept").await.unwrap();
    assert_eq!(bench.seen(), (2, 3));
}

#[tokio::test]
async fn a_row_that_is_added_opens_its_host() {
    let bench = Bench::new(&["127.0.0.0/8"]).await;
    bench.live.replace(Guard::new());
    assert!(is_refused(&bench.get("/echo").await));
    bench.put_in_force(&["127.0.0.0/8"]);
    assert_eq!(bench.get("/echo").await.unwrap().status, 200);
}

#[tokio::test]
async fn an_answer_that_comes_after_its_row_is_gone_does_not_come_in() {
    for ranges in [&[][..], &["10.0.0.0/8"]] {
        let bench = Bench::new(&["127.0.0.0/8"]).await;
        let (arrived, open) = (&bench.server.gate.arrived, &bench.server.gate.open);
        let close = async {
            arrived.notified().await;
            bench.put_in_force(ranges);
            open.notify_one();
        };
        let (outcome, ()) = tokio::join!(bench.get("/gated"), close);
        assert!(is_refused(&outcome));
    }
}

/// Whoever is asked for a name takes the row away before the answer.
#[derive(Debug)]
struct Closes(LiveGuard);

impl NameResolver for Closes {
    fn resolve<'a>(&'a self, _host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async {
            self.0.replace(Guard::new());
            Ok(vec![IpAddr::from([127, 0, 0, 1])])
        })
    }
}

#[tokio::test]
async fn a_row_that_goes_while_a_name_is_resolved_lets_nobody_dial() {
    let mut bench = Bench::new(&["127.0.0.0/8"]).await;
    let closes = Arc::new(Closes(bench.live.clone()));
    bench.client = bench.client.resolving_with(closes);
    assert!(is_refused(&bench.get("/echo").await));
    assert_eq!(bench.seen(), (0, 0));
}

/// A name whose address changes between two questions.
#[derive(Debug)]
struct Rebinds(Mutex<VecDeque<&'static str>>);

impl NameResolver for Rebinds {
    fn resolve<'a>(&'a self, _host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        let next = self.0.lock().unwrap().pop_front();
        Box::pin(async move { Ok(next.into_iter().map(|ip| ip.parse().unwrap()).collect()) })
    }
}

#[tokio::test]
async fn a_name_that_moves_out_of_its_ranges_is_not_followed() {
    let answers = [
        "127.0.0.1",
        "169.254.169.254",
        "::ffff:10.0.0.1",
        "127.0.0.1",
    ];
    let names = Arc::new(Rebinds(Mutex::new(answers.into())));
    let bench = Bench::resolving(&["127.0.0.0/8"], names).await;
    assert_eq!(bench.get("/echo").await.unwrap().status, 200);
    for _ in 0..2 {
        assert!(is_refused(&bench.get("/echo").await));
    }
    assert_eq!(bench.get("/echo").await.unwrap().status, 200);
    assert_eq!(bench.seen(), (2, 2));
}

#[tokio::test]
async fn an_answer_of_dns_of_which_a_part_is_outside_is_refused_whole() {
    for answer in [
        &["127.0.0.1", "10.0.0.1"],
        &["10.0.0.1", "127.0.0.1"],
        &["127.0.0.1", "::1"],
        &["::ffff:127.0.0.1", "::ffff:10.0.0.1"],
    ] {
        let bench = Bench::resolving(&["127.0.0.0/8"], Arc::new(Says(answer))).await;
        assert!(is_refused(&bench.get("/echo").await), "{answer:?}");
        assert_eq!(bench.seen(), (0, 0), "{answer:?}");
    }
}

/// A page of a list that names the next one at another host would take the token along.
#[tokio::test]
async fn a_token_goes_to_no_url_but_those_of_a_row() {
    let bench = Bench::new(&["127.0.0.0/8"]).await;
    let (at, other) = (bench.server.at.port(), bench.server.plain_at.port());
    for (url, says_malformed) in [
        (format!("https://evil.example:{at}/echo"), false),
        (format!("https://kv.example.evil.example:{at}/echo"), false),
        (format!("https://127.0.0.1:{at}/echo"), false),
        (format!("https://2130706433:{at}/echo"), false),
        (format!("https://[::ffff:127.0.0.1]:{at}/echo"), false),
        (format!("https://{VAULT}:{other}/echo"), false),
        (format!("https://{VAULT}/echo"), false),
        (format!("http://{VAULT}:{at}/echo"), false),
        ("http://169.254.169.254/echo".to_owned(), false),
        ("https://login.microsoftonline.com/echo".to_owned(), false),
        (format!("https://KV.example:{at}/echo"), true),
        (format!("https://{VAULT}.:{at}/echo"), true),
        (format!("https://{VAULT}@evil.example:{at}/echo"), true),
        (format!("https://user:word@{VAULT}:{at}/echo"), true),
        (format!("https://{VAULT}\\@evil.example:{at}/echo"), true),
    ] {
        let request = HttpRequest::get(&url).with_bearer("zt-needle-token");
        let refused = bench.client.send(request).await.unwrap_err();
        let as_expected = match says_malformed {
            true => matches!(refused, HttpError::Malformed { .. }),
            false => matches!(refused, HttpError::Refused { .. }),
        };
        assert!(as_expected, "{url}: {refused:?}");
        assert!(!refused.to_string().contains("zt-needle"));
    }
    assert_eq!(bench.seen(), (0, 0));
}
