//! The contract that every vault of zt keeps, on Key Vault's adapter over the guarded client and real sockets.

use std::sync::Arc;

use zt_azure_simulator::{Options, Right, SecretOptions, Simulator};
use zt_core::adapters::azure::{GuardedHttp, KeyVaultSecrets};
use zt_core::clock::SystemClock;
use zt_core::identity::Cloud;
use zt_core::network::{Destination, Guard};
use zt_core::port::BoxFuture;
use zt_core::secrets::{
    Attempt, Fetched, SecretId, SecretVault, SecretVersion, Validity, VaultError,
};
use zt_core::testing::vault_contract::{self, Seed};

use crate::own::Own;

/// The two vaults of the suite.
const VAULTS: [&str; 2] = ["kv-contract", "kv-other"];

#[derive(Debug)]
struct Simulated {
    sim: Arc<Simulator>,
    inner: KeyVaultSecrets,
}

impl Simulated {
    fn new() -> Self {
        let sim = Arc::new(Simulator::start(Options::new()).unwrap());
        let mut guard = Guard::new();
        for name in VAULTS {
            let vault = sim.make_vault(name).unwrap();
            vault.grant("sp-score-201", &[Right::SecretsGet]).unwrap();
            let host = vault.host();
            guard = guard
                .with(Destination::public("test", host))
                .dialling(host, sim.https_addr());
        }
        let http = GuardedHttp::trusting_only(guard, sim.ca_pem().as_bytes()).unwrap();
        let own = Own {
            sim: Arc::clone(&sim),
            name: "sp-score-201",
        };
        let clock = Arc::new(SystemClock::new());
        let inner = KeyVaultSecrets::new(Arc::new(http), Arc::new(own), Cloud::Public, clock);
        Self { sim, inner }
    }
}

impl SecretVault for Simulated {
    fn fetch<'a>(
        &'a self,
        id: &'a SecretId,
        attempt: &'a Attempt,
    ) -> BoxFuture<'a, Result<Fetched, VaultError>> {
        self.inner.fetch(id, attempt)
    }
}

impl Seed for Simulated {
    fn put(&self, id: &SecretId, value: &[u8], validity: Validity) -> SecretVersion {
        let mut options = SecretOptions::new();
        if !validity.enabled {
            options = options.disabled();
        }
        if let Some(begins) = validity.not_before {
            options = options.not_before(begins.as_secs());
        }
        if let Some(ends) = validity.expires {
            options = options.expires(ends.as_secs());
        }
        let vault = self.sim.vault(id.vault().host());
        let value = std::str::from_utf8(value).unwrap();
        let version = vault.set_secret_with(id.name().as_str(), value, options);
        version.unwrap().parse().unwrap()
    }

    fn takes_bytes(&self) -> bool {
        false
    }
}

#[tokio::test]
async fn key_vault_keeps_the_contract() {
    vault_contract::run(&Simulated::new()).await;
}
