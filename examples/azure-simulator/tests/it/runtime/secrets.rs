//! Secrets of a whole runtime from the simulated Key Vault: over real sockets, through Azure's own SDK, under policy and audit.

mod breaker;
mod commands;
mod contract;
mod crowd;
mod failures;
mod fallback;
mod needles;
mod network;
mod reads;
mod revocations;
mod rotation;
mod tokens;

use std::time::Duration;

use zt_azure_simulator::{Fault, KeyVault};
use zt_core::secrets::Secret;
use zt_core::{Error, ErrorKind, Result, Runtime, Session};

use super::office::{Office, ready};

pub(crate) const VAULT: &str = "kv-brindlewick-prod";
pub(crate) const HOST: &str = "kv-brindlewick-prod.vault.azure.net";
/// The row of Secret_References, and the secret's name.
pub(crate) const KEY: &str = "bureau-api-key";
/// What the simulated vault has under it.
pub(crate) const VALUE: &str = "zt-needle-sample-bureau-api-key";
/// Its row's TTL in these tests, in seconds.
pub(crate) const TTL: u64 = 60;
/// Longer than any pause of a slot or a gate.
pub(crate) const LONG: u64 = 400;

/// The scoring job in stage 2, which may read [`KEY`], and the vault.
pub(crate) struct Scene {
    pub(crate) office: Office,
    pub(crate) zt: Runtime,
    pub(crate) job: Session,
}

impl Scene {
    pub(crate) async fn open() -> Self {
        Self::open_after(|_| ()).await
    }

    /// The same after a change of the folder or of the simulator.
    pub(crate) async fn open_after(prepare: impl FnOnce(&Office)) -> Self {
        let office = Office::new("[vault]\nstore = \"key_vault\"");
        office.edit_tables(
            "ttl_s = 900\nrotate_days = 90",
            &format!("ttl_s = {TTL}\nrotate_days = 90"),
        );
        prepare(&office);
        let builder = office.builder().unwrap();
        let builder = builder.with_credential(office.credential("sp-score-201"));
        let zt = builder.open().await.unwrap();
        ready(&zt).await;
        let job = office.sign_in(&zt, "sp-score-201").await.claiming(201, 2);
        Self { office, zt, job }
    }

    pub(crate) fn vault(&self) -> KeyVault<'_> {
        self.office.sim.vault(VAULT)
    }

    pub(crate) async fn read(&self) -> Result<Secret> {
        self.job.secret(KEY).await
    }

    /// A read that succeeds with this value, and whether it was past its TTL.
    pub(crate) async fn reads(&self, value: &str) -> Option<Duration> {
        let secret = self.read().await.unwrap();
        assert!(secret.reveal() == value.as_bytes());
        secret.stale_for()
    }

    /// A read that fails.
    pub(crate) async fn fails(&self) -> Error {
        let error = self.read().await.unwrap_err();
        self.office.keep(&error);
        error
    }

    /// Reads until the value is this one, and fresh: refreshes run beside.
    pub(crate) async fn reads_at_last(&self, value: &str) {
        let mut comes = false;
        for _ in 0..1200 {
            let secret = self.read().await.unwrap();
            comes = secret.stale_for().is_none() && secret.reveal() == value.as_bytes();
            if comes {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(comes, "the value never came");
    }

    /// Until told otherwise, for every request about a secret of the vault, or every connection to it.
    pub(crate) fn spoil(&self, fault: Fault) {
        let at = if matches!(fault, Fault::Certificate(_)) {
            HOST.to_owned()
        } else {
            format!("{HOST}/secrets")
        };
        self.office.sim.fault(&at, fault, u32::MAX);
    }

    /// Calls of the runtime to vaults.
    pub(crate) fn calls(&self) -> u64 {
        self.zt.status().secrets.counts.fetches
    }

    /// Requests to the vault that the simulator saw, challenges too; and of these, with a token.
    pub(crate) fn requests(&self) -> (usize, usize) {
        let all = self.office.sim.requests();
        let here = all.iter().filter(|one| one.host == HOST);
        let with_token = here.clone().filter(|one| one.shows_token);
        (here.count(), with_token.count())
    }
}

/// The seconds after which an error says to come back.
pub(crate) fn retry_in(error: &Error) -> Option<Duration> {
    let ErrorKind::Unavailable { retry_in, .. } = error.kind() else {
        return None;
    };
    retry_in
}
