//! The contract that every place of keys keeps, on Key Vault's adapter over the guarded client and real sockets; and
//! signatures on the same client.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use zt_azure_simulator::{KeyKind, Options, Right, Simulator};
use zt_core::adapters::azure::{GuardedHttp, KeyVaultKeys};
use zt_core::clock::SystemClock;
use zt_core::envelope::{DataKey, KeyError, KeyWrapper, WrappedKey};
use zt_core::identity::Cloud;
use zt_core::network::{Destination, Guard};
use zt_core::port::BoxFuture;
use zt_core::secrets::{Attempt, AttemptId, SecretId, SecretVersion};
use zt_core::testing::key_contract::{self, SeedKey};

use crate::own::Own;

/// The two vaults of the suite.
const VAULTS: [&str; 2] = ["kv-contract", "kv-other"];
const WHO: &str = "sp-score-201";

#[derive(Debug)]
struct Simulated {
    sim: Arc<Simulator>,
    inner: KeyVaultKeys,
}

impl Simulated {
    fn new() -> Self {
        let sim = Arc::new(Simulator::start(Options::new()).unwrap());
        let mut guard = Guard::new();
        for name in VAULTS {
            let vault = sim.make_vault(name).unwrap();
            let rights = [Right::KeysGet, Right::KeysUnwrap, Right::KeysSign];
            vault.grant(WHO, &rights).unwrap();
            let host = vault.host();
            guard = guard
                .with(Destination::public("test", host))
                .dialling(host, sim.https_addr());
        }
        let http = GuardedHttp::trusting_only(guard, sim.ca_pem().as_bytes()).unwrap();
        let own = Own {
            sim: Arc::clone(&sim),
            name: WHO,
        };
        let clock = Arc::new(SystemClock::new());
        let inner = KeyVaultKeys::new(Arc::new(http), Arc::new(own), Cloud::Public, clock);
        Self { sim, inner }
    }
}

impl KeyWrapper for Simulated {
    fn wrap<'a>(
        &'a self,
        key: &'a SecretId,
        dek: &'a DataKey,
    ) -> BoxFuture<'a, Result<WrappedKey, KeyError>> {
        self.inner.wrap(key, dek)
    }

    fn unwrap<'a>(
        &'a self,
        key: &'a SecretId,
        wrapped: &'a WrappedKey,
    ) -> BoxFuture<'a, Result<DataKey, KeyError>> {
        self.inner.unwrap(key, wrapped)
    }
}

impl SeedKey for Simulated {
    fn create(&self, id: &SecretId) -> SecretVersion {
        let vault = self.sim.vault(id.vault().host());
        let version = vault.make_key(id.name().as_str(), KeyKind::Rsa2048);
        vault.ready_key(id.name().as_str()).unwrap();
        version.unwrap().parse().unwrap()
    }

    fn disable(&self, id: &SecretId, version: SecretVersion) -> bool {
        let vault = self.sim.vault(id.vault().host());
        let name = id.name().as_str();
        let newest = vault.key_versions(name).unwrap().pop().unwrap();
        assert_eq!(newest, version.to_string());
        vault.enable_key(name, false).unwrap();
        true
    }
}

#[tokio::test]
async fn key_vault_keeps_the_contract() {
    key_contract::run(&Simulated::new()).await;
}

#[tokio::test]
async fn a_larger_key_wraps_too() {
    let keys = Simulated::new();
    let vault = keys.sim.vault(VAULTS[0]);
    vault.make_key("large", KeyKind::Rsa3072).unwrap();
    vault.ready_key("large").unwrap();
    let id = id("large");
    let dek = DataKey::generate().unwrap();
    let wrapped = keys.wrap(&id, &dek).await.unwrap();
    assert_eq!(wrapped.bytes.len(), 384);
    assert!(keys.unwrap(&id, &wrapped).await.unwrap().reveal() == dek.reveal());
}

#[tokio::test]
async fn a_key_signs_es256_and_its_public_part_verifies() {
    let keys = Simulated::new();
    let vault = keys.sim.vault(VAULTS[0]);
    let first = vault.make_key("checkpoints", KeyKind::P256).unwrap();
    let id = id("checkpoints");
    let attempt = Attempt::new(AttemptId::from_u128(7), Duration::from_secs(10));
    let digest = digest(&SHA256, b"what was decided");
    let bytes: [u8; 32] = digest.as_ref().try_into().unwrap();
    let signed = keys.inner.sign(&id, &bytes, &attempt).await.unwrap();
    vault.make_key("checkpoints", KeyKind::P256).unwrap();
    let pinned = id.clone().at(signed.version);
    assert_eq!(signed.version.to_string(), first);
    for (id, verifies) in [(&pinned, true), (&id, false)] {
        let key = keys.inner.signing_key(id, &attempt).await.unwrap();
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.point);
        assert_eq!(key.verify_digest(&digest, &signed.bytes).is_ok(), verifies);
    }
    vault.revoke(WHO, &[Right::KeysSign]).unwrap();
    let error = keys.inner.sign(&id, &bytes, &attempt).await.unwrap_err();
    assert!(matches!(error, KeyError::Denied { .. }), "{error:?}");
    let error = keys.wrap(&id, &DataKey::generate().unwrap()).await;
    assert!(error.unwrap_err().to_string().contains("not of type RSA"));
}

fn id(name: &str) -> SecretId {
    let vault = format!("https://{}.vault.azure.net", VAULTS[0]);
    SecretId::new(vault.parse().unwrap(), name.parse().unwrap())
}
