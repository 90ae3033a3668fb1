//! TLS 1.2 and 1.3 with aws-lc-rs, named explicitly: the process-wide provider of `rustls` is the embedder's, not ours.

use std::sync::Arc;

use rustls::client::{Resumption, WantsClientCert};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use rustls_platform_verifier::BuilderVerifierExt;

use super::sessions::Sessions;
use crate::network::HttpError;

/// Judges certificates as the operating system does.
pub(super) fn trusting_the_system() -> Result<ClientConfig, HttpError> {
    let trusting = start()?.with_platform_verifier();
    let trusting = trusting.map_err(|_| wrong("this system has no certificate authorities"))?;
    Ok(finish(trusting))
}

/// Trusts these certificates alone.
pub(super) fn trusting_only(pem: &[u8]) -> Result<ClientConfig, HttpError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let added = certificate.ok().and_then(|one| roots.add(one).ok());
        added.ok_or_else(|| wrong("a certificate to be trusted cannot be read"))?;
    }
    if roots.is_empty() {
        return Err(wrong("the text holds no certificate to trust"));
    }
    Ok(finish(start()?.with_root_certificates(roots)))
}

fn start() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, HttpError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| wrong("the TLS provider offers no safe version"))
}

fn finish(trusting: ConfigBuilder<ClientConfig, WantsClientCert>) -> ClientConfig {
    let mut config = trusting.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // What one client keeps it keeps alone: see `of_one_client`.
    config.resumption = Resumption::disabled();
    config
}

/// The same with a memory of sessions of its own. One that all clients share has a lock, which a forked child could find
/// held by a thread that it does not have, and tickets that parent and child would both show.
pub(super) fn of_one_client(shared: &ClientConfig) -> ClientConfig {
    let mut own = shared.clone();
    own.resumption = Resumption::store(Arc::new(Sessions::of_one_client()));
    own
}

fn wrong(reason: &str) -> HttpError {
    HttpError::Tls {
        host: "any host".to_owned(),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::pki_types::{PrivateKeyDer, ServerName};
    use rustls::{ClientConnection, Connection, HandshakeKind, ServerConfig, ServerConnection};

    use super::super::progress::{Progress, Stage};
    use super::*;

    /// A server in memory, and what a client needs to trust it.
    fn server() -> (Arc<ServerConfig>, String) {
        let made = rcgen::generate_simple_self_signed(vec!["kv.test".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        (Arc::new(config), made.cert.pem())
    }

    fn pass(from: &mut Connection, to: &mut Connection) {
        let mut wire = Vec::new();
        while from.wants_write() {
            from.write_tls(&mut wire).unwrap();
        }
        let mut wire = &wire[..];
        while !wire.is_empty() {
            to.read_tls(&mut wire).unwrap();
            to.process_new_packets().unwrap();
        }
    }

    fn handshake(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> HandshakeKind {
        let name = ServerName::try_from("kv.test").unwrap();
        let client = ClientConnection::new(Arc::clone(client), name).unwrap();
        let server = ServerConnection::new(Arc::clone(server)).unwrap();
        let (mut client, mut server) = (Connection::from(client), Connection::from(server));
        for _ in 0..4 {
            pass(&mut client, &mut server);
            pass(&mut server, &mut client);
        }
        client.handshake_kind().unwrap()
    }

    #[tokio::test]
    async fn a_handshake_tells_when_it_begins() {
        let (_, pem) = server();
        let client = of_one_client(&trusting_only(pem.as_bytes()).unwrap());
        let (progress, begun) = Progress::watched(async {
            let name = ServerName::try_from("kv.test").unwrap();
            ClientConnection::new(Arc::new(client), name).is_ok()
        });
        assert!(begun.await);
        assert_eq!(progress.stage(), Stage::Handshake);
    }

    #[test]
    fn a_client_resumes_its_own_sessions_and_no_other_ones() {
        let (server, pem) = server();
        let shared = trusting_only(pem.as_bytes()).unwrap();
        let [first, second] = [of_one_client(&shared), of_one_client(&shared)].map(Arc::new);
        assert_eq!(handshake(&first, &server), HandshakeKind::Full);
        assert_eq!(handshake(&first, &server), HandshakeKind::Resumed);
        assert_eq!(handshake(&second, &server), HandshakeKind::Full);
        let shared = Arc::new(shared);
        for _ in 0..2 {
            assert_eq!(handshake(&shared, &server), HandshakeKind::Full);
        }
    }
}
