//! Which adapters stand behind [`Outside`](crate::runtime::outside::Outside) in this build.

use std::sync::Arc;

use super::super::outside::{Given, Makers, Outside};
use super::profile;
use crate::clock::{Clock, SystemClock};
use crate::error::Result;
use crate::metadata::Snapshot;
use crate::runtime::Config;

#[cfg(not(feature = "azure"))]
pub(super) use without::MAKERS;

#[cfg(feature = "azure")]
pub(super) use azure::MAKERS;

#[cfg(feature = "azure")]
pub use azure::{key_vault, key_vault_audit_key, key_vault_keys};

/// What a tool reaches, which has no runtime: by the tables of its configuration.
pub(super) fn of_tool(config: &Config, snapshot: &Snapshot) -> Result<Outside> {
    let profile = profile(config, snapshot)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let rules = &snapshot.tables().network_rules;
    let given = Given::new();
    Ok(Outside::new(
        config.clone(),
        profile,
        clock,
        rules,
        given,
        MAKERS,
    ))
}

#[cfg(feature = "azure")]
mod azure {
    use std::sync::Arc;

    use super::Makers;
    use crate::adapters::azure::{
        CredentialChain, FederatedTokenFile, GraphGroups, GuardedHttp, KeyVaultAuditKey,
        KeyVaultKeys, KeyVaultSecrets, MonitorSink,
    };
    use crate::audit::{AuditSink, CheckpointSigner};
    use crate::envelope::{KeyWrapper, RemoteKeys};
    use crate::error::{Code, Error, Result};
    use crate::identity::{ClientProof, GroupSource, OwnIdentity, TokenCredential};
    use crate::metadata::Snapshot;
    use crate::network::{HttpClient, HttpError, LiveGuard};
    use crate::runtime::outside::Outside;
    use crate::runtime::{Config, ConfigKey, Mode};
    use crate::secrets::{SecretId, SecretVault};

    pub(in crate::runtime::builder) const MAKERS: Makers = Makers {
        identity_endpoint: || env("IDENTITY_ENDPOINT"),
        http,
        vault_http,
        credential,
        groups,
        proof,
        vault,
        keys,
        wrapper,
        monitor,
        audit_key,
    };

    fn http(outside: &Outside) -> Result<Arc<dyn HttpClient>> {
        client(outside, outside.identity_guard())
    }

    fn vault_http(outside: &Outside) -> Result<Arc<dyn HttpClient>> {
        client(outside, outside.data_guard())
    }

    fn client(outside: &Outside, guard: &LiveGuard) -> Result<Arc<dyn HttpClient>> {
        let guard = guard.clone();
        let made = match outside.config().simulated_azure_ca() {
            Some(file) => {
                let pem = std::fs::read(&file).map_err(|why| {
                    let message =
                        format!("cannot read `development.azure_ca` `{}`", file.display());
                    Error::new(Code::Config, message).with_source(why)
                })?;
                GuardedHttp::trusting_only(guard, &pem)
            }
            None => GuardedHttp::new(guard),
        };
        Ok(Arc::new(made.map_err(unusable)?))
    }

    fn unusable(why: HttpError) -> Error {
        Error::new(Code::Config, why.to_string())
            .with_help("install the system's certificate authorities, such as the package `ca-certificates`")
            .with_source(why)
    }

    /// In production nobody is to be whoever signed in on the machine.
    fn credential(outside: &Outside) -> Result<Arc<dyn TokenCredential>> {
        credential_over(outside, outside.http()?)
    }

    fn credential_over(
        outside: &Outside,
        http: &Arc<dyn HttpClient>,
    ) -> Result<Arc<dyn TokenCredential>> {
        let (cloud, clock) = (outside.profile().cloud(), outside.clock());
        let chain = match outside.config().mode() {
            Mode::Development => CredentialChain::default_for(cloud, http, clock, &env)?,
            Mode::Production => CredentialChain::without_people(cloud, http, clock, &env)?,
        };
        Ok(Arc::new(chain))
    }

    fn groups(outside: &Outside) -> Result<Arc<dyn GroupSource>> {
        let profile = outside.profile();
        let (http, identity) = (Arc::clone(outside.http()?), outside.identity()?.clone());
        let identity: Arc<dyn TokenCredential> = Arc::new(identity);
        let (cloud, tenant) = (profile.cloud(), profile.tenant());
        Ok(Arc::new(GraphGroups::new(http, identity, cloud, tenant)))
    }

    /// The client of Key Vault that a runtime of this configuration would have, for tools: no slots, no policy, no audit.
    /// It reaches the vaults that have a row of Network_Rules.
    ///
    /// # Errors
    /// `Config` for a configuration without an identity or certificate authorities.
    pub fn key_vault(config: &Config, snapshot: &Snapshot) -> Result<KeyVaultSecrets> {
        client_of_key_vault(&super::of_tool(config, snapshot)?)
    }

    /// The same for keys.
    ///
    /// # Errors
    /// As [`key_vault`].
    pub fn key_vault_keys(config: &Config, snapshot: &Snapshot) -> Result<KeyVaultKeys> {
        keys_of_key_vault(&super::of_tool(config, snapshot)?)
    }

    /// The audit key `key` of Key Vault, as a runtime of this configuration would have it.
    ///
    /// # Errors
    /// As [`key_vault`].
    pub fn key_vault_audit_key(
        config: &Config,
        snapshot: &Snapshot,
        key: SecretId,
    ) -> Result<Arc<dyn CheckpointSigner>> {
        audit_key(&super::of_tool(config, snapshot)?, key)
    }

    /// Key Vault, as whoever the process is.
    fn vault(outside: &Outside) -> Result<Arc<dyn SecretVault>> {
        Ok(Arc::new(client_of_key_vault(outside)?))
    }

    /// Keys of Key Vault, as whoever the process is.
    fn keys(outside: &Outside) -> Result<Arc<dyn RemoteKeys>> {
        Ok(Arc::new(keys_of_key_vault(outside)?))
    }

    /// The same, asked at each use.
    fn wrapper(outside: &Outside) -> Result<Arc<dyn KeyWrapper>> {
        Ok(Arc::new(keys_of_key_vault(outside)?))
    }

    fn keys_of_key_vault(outside: &Outside) -> Result<KeyVaultKeys> {
        let (http, identity) = (outside.vault_http()?, outside.identity()?.clone());
        let (cloud, clock) = (outside.profile().cloud(), Arc::clone(outside.clock()));
        let keys = KeyVaultKeys::new(Arc::clone(http), Arc::new(identity), cloud, clock);
        Ok(match outside.config().value(ConfigKey::VaultApiVersion) {
            Some(version) => keys.with_api_version(version),
            None => keys,
        })
    }

    /// Azure Monitor, as whoever the process is. It is called on a thread of its own, whose executor nobody else's requests
    /// may depend on: its clients and its tokens are its own.
    fn monitor(outside: &Outside) -> Result<Arc<dyn AuditSink>> {
        let identity = OwnIdentity::new(apart(outside)?, Arc::clone(outside.clock()));
        let (config, cloud) = (outside.config(), outside.profile().cloud());
        let set = |key| {
            config
                .value(key)
                .ok_or_else(|| super::super::wrong(key, "is not set"))
        };
        let sink = MonitorSink::new(
            client(outside, outside.data_guard())?,
            Arc::new(identity),
            cloud,
            set(ConfigKey::AuditMonitorEndpoint)?,
            set(ConfigKey::AuditMonitorRule)?,
        )?;
        Ok(match config.value(ConfigKey::AuditMonitorStream) {
            Some(stream) => Arc::new(sink.with_stream(stream)?),
            None => Arc::new(sink),
        })
    }

    /// A credential for a thread of its own, over a client of its own.
    fn apart(outside: &Outside) -> Result<Arc<dyn TokenCredential>> {
        let http = match outside.given_http() {
            Some(given) => Arc::clone(given),
            None => http(outside)?,
        };
        match outside.given_credential() {
            Some(given) => Ok(Arc::clone(given)),
            None => credential_over(outside, &http),
        }
    }

    /// A key of Key Vault that vouches for checkpoints. The log asks it on a thread of its own.
    fn audit_key(outside: &Outside, key: SecretId) -> Result<Arc<dyn CheckpointSigner>> {
        let (http, credential) = (client(outside, outside.data_guard())?, apart(outside)?);
        let (cloud, clock) = (outside.profile().cloud(), Arc::clone(outside.clock()));
        let signer = KeyVaultAuditKey::new(key, http, credential, cloud, clock);
        Ok(match outside.config().value(ConfigKey::VaultApiVersion) {
            Some(version) => Arc::new(signer.with_api_version(version)),
            None => Arc::new(signer),
        })
    }

    fn client_of_key_vault(outside: &Outside) -> Result<KeyVaultSecrets> {
        let (http, identity) = (outside.vault_http()?, outside.identity()?.clone());
        let (cloud, clock) = (outside.profile().cloud(), Arc::clone(outside.clock()));
        let vault = KeyVaultSecrets::new(Arc::clone(http), Arc::new(identity), cloud, clock);
        Ok(match outside.config().value(ConfigKey::VaultApiVersion) {
            Some(version) => vault.with_api_version(version),
            None => vault,
        })
    }

    /// The environment's proof, if it is of the very application that callers' tokens are for.
    fn proof(outside: &Outside) -> Result<ClientProof> {
        let own = outside.profile().client_id();
        let client = env("AZURE_CLIENT_ID").and_then(|id| id.parse().ok());
        if client != Some(own) {
            let message = format!("the environment has no credential of the application `{own}`");
            return Err(Error::new(Code::NoOwnIdentity, message).with_help(
                "set AZURE_CLIENT_ID to the audience, and AZURE_CLIENT_SECRET or AZURE_FEDERATED_TOKEN_FILE, or give the builder a proof",
            ));
        }
        if let Some(secret) = env("AZURE_CLIENT_SECRET").filter(|secret| !secret.is_empty()) {
            return Ok(ClientProof::Secret(secret.into()));
        }
        match env("AZURE_FEDERATED_TOKEN_FILE") {
            Some(file) => Ok(ClientProof::Assertion(Arc::new(FederatedTokenFile::new(
                file,
            )))),
            None => Err(Error::new(
                Code::NoOwnIdentity,
                "neither AZURE_CLIENT_SECRET nor AZURE_FEDERATED_TOKEN_FILE is set",
            )),
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the variables of Azure's own libraries, which are no settings of zt"
    )]
    fn env(name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

#[cfg(not(feature = "azure"))]
mod without {
    use super::Makers;
    use crate::error::{Code, Error};

    pub(in crate::runtime::builder) const MAKERS: Makers = Makers {
        identity_endpoint: || None,
        http: |_| Err(missing("HTTP")),
        vault_http: |_| Err(missing("HTTP")),
        credential: |_| Err(missing("a credential")),
        groups: |_| Err(missing("a directory of groups")),
        proof: |_| Err(missing("a proof of the application")),
        vault: |_| Err(missing("a client of Key Vault")),
        keys: |_| Err(missing("a client of Key Vault")),
        wrapper: |_| Err(missing("a client of Key Vault")),
        monitor: |_| Err(missing("a client of Azure Monitor")),
        audit_key: |_, _| Err(missing("a client of Key Vault")),
    };

    fn missing(what: &str) -> Error {
        Error::new(Code::Config, format!("this build reaches no Azure: it has no {what}"))
            .with_help("build zt with the feature `azure`, give the builder one of your own, or pin `identity.keys`")
    }
}
