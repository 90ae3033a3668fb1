//! A certificate authority of the simulator's own, and one certificate for every host that it plays.
//!
//! Out: the authority's certificate, which a client must be told to trust, and the server's configuration. The authority's key
//! is dropped at once: nobody can have it sign anything else.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::cloud::{CLOUDS, HOSTS};
use crate::error::Error;

/// What a client needs and what the server needs.
#[derive(Debug)]
pub(crate) struct Tls {
    pub(crate) ca: CertificateDer<'static>,
    pub(crate) ca_pem: String,
    pub(crate) server: Arc<ServerConfig>,
}

impl Tls {
    pub(crate) fn new() -> Result<Self, Error> {
        let (ca, ca_pem, leaf, key) =
            certificates().map_err(|why| Error::new(format!("no certificates: {why}")))?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|config| {
                config
                    .with_no_client_auth()
                    .with_single_cert(vec![leaf], key)
            })
            .map_err(|why| Error::new(format!("no TLS: {why}")))?;
        Ok(Self {
            ca,
            ca_pem,
            server: Arc::new(server),
        })
    }
}

type Certificates = (
    CertificateDer<'static>,
    String,
    CertificateDer<'static>,
    KeyPair,
);

fn certificates() -> Result<Certificates, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
        .distinguished_name
        .push(DnType::CommonName, "zt Azure simulator, of this run only");
    let ca_key = KeyPair::generate()?;
    let ca = params.self_signed(&ca_key)?;
    let issuer = Issuer::new(params, ca_key);

    let vaults = CLOUDS.map(|cloud| format!("*.{}", cloud.vault_suffix()));
    let hosts = HOSTS.iter().map(|&(name, ..)| name.to_owned());
    let names: Vec<String> = hosts.chain(vaults).collect();
    let mut params = CertificateParams::new(names)?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
        .distinguished_name
        .push(DnType::CommonName, "zt Azure simulator");
    let key = KeyPair::generate()?;
    let leaf = params.signed_by(&key, &issuer)?;
    Ok((ca.der().clone(), ca.pem(), leaf.der().clone(), key))
}
