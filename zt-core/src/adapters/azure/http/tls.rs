//! TLS 1.2 and 1.3 with aws-lc-rs, named explicitly: the process-wide provider of `rustls` is the embedder's, not ours.

use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};
use rustls_platform_verifier::BuilderVerifierExt;

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
    config
}

fn wrong(reason: &str) -> HttpError {
    HttpError::Tls {
        host: "any host".to_owned(),
        reason: reason.to_owned(),
    }
}
