//! A small HTTP client that shares no code with the server.

use std::io;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use zt_azure_simulator::{Options, Simulator};

pub(crate) const TENANT: &str = "11111111-1111-4111-8111-111111111111";
pub(crate) const API: &str = "d0000000-0000-4000-8000-000000000001";
pub(crate) const PROGRAM: &str = "d0000000-0000-4000-8000-0000000000c1";
pub(crate) const SCORING: &str = "e0000000-0000-4000-8000-000000000002";
pub(crate) const SECRET: &str = "sample-secret-of-the-simulator";
pub(crate) const LOGIN: &str = "login.microsoftonline.com";
pub(crate) const GRAPH: &str = "graph.microsoft.com";

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let fields = self
            .head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "));
        let mut found = fields.filter(|(own, _)| own.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value)
    }
}

pub(crate) fn start() -> Simulator {
    Simulator::start(Options::new()).unwrap()
}

/// Over TLS, for this host.
pub(crate) async fn secure(
    sim: &Simulator,
    host: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> io::Result<Response> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from(sim.ca_der().to_vec()))
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let stream = TcpStream::connect(sim.https_addr()).await?;
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await?;
    exchange(stream, host, method, path, headers, body).await
}

/// On the plain port.
pub(crate) async fn plain(
    sim: &Simulator,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> io::Result<Response> {
    let stream = TcpStream::connect(sim.http_addr()).await?;
    exchange(stream, "127.0.0.1", method, path, headers, body).await
}

pub(crate) async fn get(sim: &Simulator, host: &str, path: &str) -> Response {
    secure(sim, host, "GET", path, &[], "").await.unwrap()
}

/// A form for the token endpoint of the sample tenant.
pub(crate) async fn token(sim: &Simulator, form: &[(&str, &str)]) -> Response {
    post_form(sim, &format!("/{TENANT}/oauth2/v2.0/token"), form).await
}

pub(crate) async fn post_form(sim: &Simulator, path: &str, form: &[(&str, &str)]) -> Response {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    secure(sim, LOGIN, "POST", path, &kind, &body)
        .await
        .unwrap()
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    host: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> io::Result<Response> {
    let fields: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n{fields}\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.flush().await?;
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer).await {
        Ok(_) => {}
        // A server that closes without TLS's farewell.
        Err(why) if why.kind() == io::ErrorKind::UnexpectedEof => {}
        Err(why) => return Err(why),
    }
    parse(&answer).ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))
}

fn parse(answer: &[u8]) -> Option<Response> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8(answer[..end].to_vec()).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let mut response = Response {
        status,
        head,
        body: answer[end + 4..].to_vec(),
    };
    if response.header("transfer-encoding") == Some("chunked") {
        response.body = dechunk(&response.body)?;
    }
    if let Some(length) = response.header("content-length") {
        let promised: usize = length.parse().ok()?;
        if promised != response.body.len() {
            return None;
        }
    }
    Some(response)
}

fn dechunk(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let end = body.windows(2).position(|two| two == b"\r\n")?;
        let length = usize::from_str_radix(std::str::from_utf8(&body[..end]).ok()?, 16).ok()?;
        if length == 0 {
            return Some(whole);
        }
        whole.extend_from_slice(body.get(end + 2..end + 2 + length)?);
        body = body.get(end + 2 + length + 2..)?;
    }
}
