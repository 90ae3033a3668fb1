//! A server on loopback: Entra with a certificate of its own, a metadata endpoint in the clear, and bad manners.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use zt_core::adapters::azure::GuardedHttp;
use zt_core::identity::Cloud;
use zt_core::network::Guard;

/// The name in the server's certificate.
pub(crate) const HOST: &str = "login.microsoftonline.com";

/// A vault's name in it.
pub(crate) const VAULT: &str = "kv-zt.vault.azure.net";

/// A server with an authority of its own and a certificate for [`HOST`].
pub(crate) struct Server {
    /// Over TLS.
    pub(crate) at: SocketAddr,
    /// In the clear.
    pub(crate) plain_at: SocketAddr,
    /// The authority's certificate.
    pub(crate) authority: String,
    /// How many connections were made.
    pub(crate) connections: Arc<AtomicUsize>,
    /// How many requests came over TLS.
    pub(crate) requests: Arc<AtomicUsize>,
    /// Where answers of `/gated` wait.
    pub(crate) gate: Arc<Gate>,
}

/// Holds an answer back until a test lets it go.
#[derive(Default)]
pub(crate) struct Gate {
    /// The request is there.
    pub(crate) arrived: Notify,
    /// It may be answered.
    pub(crate) open: Notify,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let (authority, config) = certificates();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (listener, plain) = (listen().await, listen().await);
        let (at, plain_at) = (listener.local_addr().unwrap(), plain.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let (requests, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Gate::default()));
        let (answered, waits) = (Arc::clone(&requests), Arc::clone(&gate));
        let plain_waits = Arc::clone(&gate);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let acceptor = acceptor.clone();
                let (answered, waits) = (Arc::clone(&answered), Arc::clone(&waits));
                tokio::spawn(async move {
                    let mut stream = acceptor.accept(stream).await?;
                    while answer(&mut stream, &waits, &answered).await? {}
                    stream.shutdown().await
                });
            }
        });
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = plain.accept().await {
                let waits = Arc::clone(&plain_waits);
                let uncounted = AtomicUsize::new(0);
                tokio::spawn(async move { answer(&mut stream, &waits, &uncounted).await });
            }
        });
        Self {
            at,
            plain_at,
            authority,
            connections,
            requests,
            gate,
        }
    }

    /// A client that finds Entra here.
    pub(crate) fn client(&self) -> GuardedHttp {
        let guard = Guard::for_identity(Cloud::Public).dialling(HOST, self.at);
        self.client_of(guard)
    }

    /// A client that trusts this server's authority alone.
    pub(crate) fn client_of(&self, guard: Guard) -> GuardedHttp {
        GuardedHttp::trusting_only(guard, self.authority.as_bytes()).unwrap()
    }
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// An authority, and a server's certificate of it.
pub(crate) fn certificates() -> (String, ServerConfig) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = vec![HOST.to_owned(), VAULT.to_owned(), "kv.example".to_owned()];
    let params = CertificateParams::new(names).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (authority.pem(), config)
}

/// Answers one request by its path, and counts it; whether the connection stays open for the next.
async fn answer<S>(stream: &mut S, gate: &Gate, answered: &AtomicUsize) -> io::Result<bool>
where
    S: AsyncReadExt + AsyncWriteExt + Unpin,
{
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = head.split("content-length: ").nth(1);
    let length = length.and_then(|rest| rest.lines().next()?.parse().ok());
    stream.read_exact(&mut vec![0; length.unwrap_or(0)]).await?;
    let path = head.split(' ').nth(1).unwrap_or_default();
    answered.fetch_add(1, Ordering::SeqCst);
    if path == "/gated" {
        gate.arrived.notify_one();
        gate.open.notified().await;
    }
    let ok = "HTTP/1.1 200 OK\r\nconnection: close\r\n";
    let first = match path {
        "/echo" => format!(
            "{ok}x-mark: here\r\ncontent-length: {}\r\n\r\n{head}",
            head.len()
        ),
        "/redirect" => "HTTP/1.1 302 Found\r\nlocation: https://graph.microsoft.com/stolen\r\ncontent-length: 0\r\n\r\n".to_owned(),
        "/kept" => "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned(),
        "/gated" => format!("{ok}content-length: 0\r\n\r\n"),
        "/announced" => format!("{ok}content-length: 99999999999\r\n\r\n"),
        "/endless" => format!("{ok}\r\n"),
        "/chunks" => format!("{ok}transfer-encoding: chunked\r\n\r\n"),
        "/broken" => format!("{ok}content-length: 100\r\n\r\nhalf"),
        "/drip" => format!("{ok}content-length: 9000\r\n\r\n"),
        path if path.ends_with("/oauth2/v2.0/token") => token("entras"),
        path if path.starts_with("/metadata/identity/oauth2/token?") => {
            let asked = head.contains("metadata: true") && head.contains("host: 169.254.169.254\r\n");
            if asked {
                token("machines")
            } else {
                "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n".to_owned()
            }
        }
        "/stuck" => format!("{ok}content-length: 10\r\n\r\n"),
        "/not-http" => "SSH-2.0-OpenSSH_9.6\r\n".to_owned(),
        _ => String::new(),
    };
    stream.write_all(first.as_bytes()).await?;
    stream.flush().await?;
    let (more, pause) = match path {
        "/endless" => ("x".repeat(4096), Duration::ZERO),
        "/chunks" => (format!("1000\r\n{}\r\n", "x".repeat(4096)), Duration::ZERO),
        "/drip" => ("x".to_owned(), Duration::from_millis(20)),
        "/stuck" | "/silent" => (String::new(), Duration::from_secs(60)),
        _ => return Ok(path == "/kept"),
    };
    loop {
        stream.write_all(more.as_bytes()).await?;
        stream.flush().await?;
        tokio::time::sleep(pause).await;
    }
}

fn token(text: &str) -> String {
    let body = format!(r#"{{"token_type":"Bearer","expires_in":3600,"access_token":"{text}"}}"#);
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}
