//! A certificate authority of the simulator's own, one certificate for every host that it plays, and those that are wrong.
//!
//! Out: the authority's certificate, which a client must be told to trust, and the server's configuration. The authority's key
//! is dropped at once: nobody can have it sign anything else.

use std::fmt;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::cloud::{CLOUDS, HOSTS};
use crate::error::Error;
use crate::fault::Misfit;
use crate::state::State;

/// What a client needs and what the server needs.
pub(crate) struct Tls {
    pub(crate) ca: CertificateDer<'static>,
    pub(crate) ca_pem: String,
    shown: Shown,
}

/// What a server can show.
#[derive(Debug, Clone)]
struct Shown {
    right: Arc<CertifiedKey>,
    other_name: Arc<CertifiedKey>,
    expired: Arc<CertifiedKey>,
    stranger: Arc<CertifiedKey>,
}

impl Tls {
    pub(crate) fn new() -> Result<Self, Error> {
        Self::make().map_err(|why| Error::new(format!("no certificates: {why}")))
    }

    fn make() -> Result<Self, Box<dyn std::error::Error>> {
        let (ca, ca_pem, issuer) = authority("zt Azure simulator, of this run only")?;
        let (_, _, stranger) = authority("Nobody that a client trusts")?;
        let vaults = CLOUDS.map(|cloud| format!("*.{}", cloud.vault_suffix()));
        let hosts = HOSTS.iter().map(|&(name, ..)| name.to_owned());
        let endpoints = CLOUDS.map(|cloud| format!("*.{}", cloud.ingestion_suffix()));
        let names: Vec<String> = hosts.chain(vaults).chain(endpoints).collect();
        let elsewhere = vec!["elsewhere.invalid".to_owned()];
        let key = KeyPair::generate()?;
        let shown = Shown {
            right: leaf(&issuer, &key, names.clone(), false)?,
            other_name: leaf(&issuer, &key, elsewhere, false)?,
            expired: leaf(&issuer, &key, names.clone(), true)?,
            stranger: leaf(&stranger, &key, names, false)?,
        };
        Ok(Self { ca, ca_pem, shown })
    }

    /// The server's side; what is shown to whom is a question of faults.
    pub(crate) fn server(&self, state: Arc<State>) -> Result<Arc<ServerConfig>, Error> {
        let shown = self.shown.clone();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|why| Error::new(format!("no TLS: {why}")))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Presenting { shown, state }));
        // A client that resumes a session is shown no certificate.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }
}

/// Shows the right certificate, unless a fault says another.
struct Presenting {
    shown: Shown,
    state: Arc<State>,
}

impl ResolvesServerCert for Presenting {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let misfit = hello
            .server_name()
            .and_then(|host| self.state.faults().take_certificate(host));
        Some(Arc::clone(match misfit {
            None => &self.shown.right,
            Some(Misfit::OtherName) => &self.shown.other_name,
            Some(Misfit::Expired) => &self.shown.expired,
            Some(Misfit::UnknownAuthority) => &self.shown.stranger,
        }))
    }
}

impl fmt::Debug for Presenting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presenting").finish_non_exhaustive()
    }
}

type Authority = (CertificateDer<'static>, String, Issuer<'static, KeyPair>);

fn authority(name: &str) -> Result<Authority, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    let (der, pem) = (certificate.der().clone(), certificate.pem());
    Ok((der, pem, Issuer::new(params, key)))
}

fn leaf(
    issuer: &Issuer<'_, KeyPair>,
    key: &KeyPair,
    names: Vec<String>,
    has_expired: bool,
) -> Result<Arc<CertifiedKey>, Box<dyn std::error::Error>> {
    let mut params = CertificateParams::new(names)?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
        .distinguished_name
        .push(DnType::CommonName, "zt Azure simulator");
    if has_expired {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    }
    let certificate = params.signed_by(key, issuer)?;
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let private = aws_lc_rs::sign::any_supported_type(&private)?;
    let chain = vec![certificate.der().clone()];
    Ok(Arc::new(CertifiedKey::new(chain, private)))
}
