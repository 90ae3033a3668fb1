//! The least of an HTTP client: one request, one connection.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// Longer than the service takes for anything; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: HashMap<String, String>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|why| panic!("{why}: {self:?}"))
    }
}

pub(crate) fn get(at: SocketAddr, path: &str) -> Answer {
    send(
        at,
        &format!("GET {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n"),
    )
}

pub(crate) fn post(at: SocketAddr, path: &str, token: Option<&str>, body: &str) -> Answer {
    let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n"));
    post_with(at, path, &authorization.unwrap_or_default(), body)
}

pub(crate) fn post_with(at: SocketAddr, path: &str, headers: &str, body: &str) -> Answer {
    let length = body.len();
    send(
        at,
        &format!(
            "POST {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n{headers}\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        ),
    )
}

/// A connection with part of a request on it: one that is under way.
pub(crate) fn begin(at: SocketAddr, head: &str) -> TcpStream {
    let mut connection = TcpStream::connect(at).unwrap();
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    connection.write_all(head.as_bytes()).unwrap();
    connection
}

pub(crate) fn finish(mut connection: TcpStream, rest: &str) -> Answer {
    connection.write_all(rest.as_bytes()).unwrap();
    let mut said = Vec::new();
    connection.read_to_end(&mut said).unwrap();
    parse(&String::from_utf8(said).unwrap())
}

fn send(at: SocketAddr, request: &str) -> Answer {
    finish(begin(at, request), "")
}

fn parse(said: &str) -> Answer {
    let (head, body) = said.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let headers = lines.filter_map(|line| line.split_once(": "));
    Answer {
        status: status.parse().unwrap(),
        headers: headers
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect(),
        body: body.to_owned(),
    }
}
