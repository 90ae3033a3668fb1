//! A vault that lies about the path, or says nothing: no token follows, and no body is handed on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use zt_core::adapters::azure::GuardedHttp;
use zt_core::metadata::PrivateLink;
use zt_core::network::{
    Destination, Guard, HttpClient, HttpError, HttpRequest, HttpResponse, PathKind,
};

use super::server::{VAULT, certificates};
use super::{Says, port};

pub(super) const OURS: &str = "x-ms-keyvault-network-info: conn_type=PrivateLink;private_endpoint=/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/privateEndpoints/pe-kv;addr=10.1.1.5;act_addr_fam=InterNetwork;\r\n";
pub(super) const PUBLIC: &str =
    "x-ms-keyvault-network-info: conn_type=Ipv4;addr=72.68.182.20;act_addr_fam=InterNetwork;\r\n";
const LIES: &str = "x-ms-keyvault-network-info: conn_type=PrivateLink;addr=10.1.1.5;\r\n";
const NOTHING: &str = "";

pub(super) fn other() -> String {
    OURS.replace("pe-kv", "pe-other")
}

fn twice() -> String {
    format!("{OURS}{PUBLIC}")
}

/// Answers 401 without a token and 200 with one, with these headers.
pub(super) struct Vault {
    pub(super) at: SocketAddr,
    pub(super) authority: String,
    requests: Arc<AtomicUsize>,
    tokens: Arc<AtomicUsize>,
}

impl Vault {
    pub(super) async fn start(challenge: &str, answer: &str) -> Self {
        let (authority, config) = certificates();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let counts = [Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0))];
        let [requests, tokens] = counts.clone();
        let challenge = format!(
            "HTTP/1.1 401 Unauthorized\r\n{challenge}www-authenticate: Bearer resource=\"x\"\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{{}}"
        );
        let answer =
            format!("HTTP/1.1 200 OK\r\n{answer}connection: close\r\ncontent-length: 2\r\n\r\nok");
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut stream = acceptor.accept(stream).await.unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                counts[0].fetch_add(1, Ordering::SeqCst);
                let head = String::from_utf8(head).unwrap().to_lowercase();
                let shown = head.contains("\r\nauthorization: ");
                counts[1].fetch_add(usize::from(shown), Ordering::SeqCst);
                let said = if shown { &answer } else { &challenge };
                // A client that refuses what it hears may be gone.
                let _sent = stream.write_all(said.as_bytes()).await;
                let _closed = stream.shutdown().await;
            }
        });
        Self {
            at,
            authority,
            requests,
            tokens,
        }
    }

    fn client(&self, demand: PrivateLink, endpoint: Option<&str>, simulated: bool) -> GuardedHttp {
        let row = Destination::within("row `kv`", VAULT, vec!["127.0.0.0/8".parse().unwrap()]);
        let row = row.at_ports(vec![port(self.at.port())]);
        let mut guard = Guard::new().with(row.demanding(demand, endpoint));
        if simulated {
            guard = guard.dialling(VAULT, self.at);
        }
        let client = GuardedHttp::trusting_only(guard, self.authority.as_bytes()).unwrap();
        client.resolving_with(Arc::new(Says(&["127.0.0.1"])))
    }

    /// As clients of a vault do: ask, and once more with a token when challenged.
    async fn ask(&self, client: &GuardedHttp) -> Result<HttpResponse, HttpError> {
        let url = format!("https://{VAULT}:{}/secrets/x", self.at.port());
        let first = client.send(HttpRequest::get(url.as_str())).await?;
        assert_eq!(first.status, 401);
        assert!(first.path.is_some());
        client
            .send(HttpRequest::get(url).with_bearer("token"))
            .await
    }

    pub(super) fn seen(&self) -> (usize, usize) {
        let count = |of: &AtomicUsize| of.load(Ordering::SeqCst);
        (count(&self.requests), count(&self.tokens))
    }
}

#[tokio::test]
async fn a_required_private_link_that_is_not_proven_stops_at_the_challenge() {
    let (other, twice) = (other(), twice());
    for (said, expected) in [
        (NOTHING, "its answer does not"),
        (LIES, "its answer does not"),
        (&twice, "its answer does not"),
        (PUBLIC, "over its public endpoint"),
        (&other, "reached through `pe-other`"),
    ] {
        for simulated in [false, true] {
            let vault = Vault::start(said, OURS).await;
            let client = vault.client(PrivateLink::Require, Some("pe-kv"), simulated);
            let refused = vault.ask(&client).await.unwrap_err();
            assert!(matches!(refused, HttpError::Refused { .. }), "{refused:?}");
            let text = refused.to_string();
            assert!(
                text.contains(expected) && text.contains("row `kv`"),
                "{text}"
            );
            assert_eq!(vault.seen(), (1, 0), "no token follows: {said}");
        }
    }
}

#[tokio::test]
async fn an_answer_is_judged_as_the_challenge_was() {
    let other = other();
    for said in [NOTHING, LIES, PUBLIC, &other] {
        let vault = Vault::start(OURS, said).await;
        let client = vault.client(PrivateLink::Require, Some("pe-kv"), false);
        let refused = vault.ask(&client).await.unwrap_err();
        assert!(matches!(refused, HttpError::Refused { .. }), "{refused:?}");
        assert_eq!(vault.seen(), (2, 1));
    }
}

#[tokio::test]
async fn a_proven_private_link_is_told_with_its_endpoint() {
    for (demand, endpoint) in [
        (PrivateLink::Require, Some("PE-KV")),
        (PrivateLink::Require, None),
        (PrivateLink::Record, Some("pe-kv")),
    ] {
        for simulated in [false, true] {
            let vault = Vault::start(OURS, OURS).await;
            let client = vault.client(demand, endpoint, simulated);
            let answer = vault.ask(&client).await.unwrap();
            assert_eq!(answer.status, 200);
            let path = answer.path.unwrap();
            assert_eq!(path.kind, PathKind::PrivateLink);
            assert!(path.private_endpoint.unwrap().ends_with("/pe-kv"));
            assert_eq!(vault.seen(), (2, 1));
        }
    }
}

#[tokio::test]
async fn what_is_only_recorded_is_recorded_as_what_it_is() {
    let other = other();
    for (said, kind, simulated_kind, endpoint) in [
        (NOTHING, PathKind::Address, PathKind::Unproven, None),
        (LIES, PathKind::Address, PathKind::Unproven, None),
        (PUBLIC, PathKind::Address, PathKind::Public, None),
        (
            &other,
            PathKind::Address,
            PathKind::Unproven,
            Some("pe-other"),
        ),
    ] {
        for (simulated, kind) in [(false, kind), (true, simulated_kind)] {
            let vault = Vault::start(said, said).await;
            let client = vault.client(PrivateLink::Record, Some("pe-kv"), simulated);
            let path = vault.ask(&client).await.unwrap().path.unwrap();
            assert_eq!(path.kind, kind, "{said} {simulated}");
            let named = path.private_endpoint;
            let name = |id: &str| id.rsplit_once('/').map(|(_, name)| name.to_owned());
            assert_eq!(named.as_deref().and_then(name).as_deref(), endpoint);
            assert_eq!(vault.seen(), (2, 1));
        }
    }
}
