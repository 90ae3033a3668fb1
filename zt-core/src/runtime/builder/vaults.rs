//! Where secrets and keys come from, and on which threads they are asked for.

use std::sync::Arc;

use aws_lc_rs::rand;

use super::super::background::Background;
use super::super::outside::Outside;
use super::super::{Config, ConfigKey};
use super::local_vault;
use super::threads::Threads;
use crate::adapters::file::LocalVault;
use crate::clock::Clock;
use crate::envelope::{DataKeys, KeyWrapper, Public, RemoteKeys, Source};
use crate::error::{Code, Error, Result};
use crate::secrets::{GateLimits, SecretVault, Secrets, Timing};

/// Where secrets and keys live, and how long they are kept.
pub(super) struct Vaults {
    vault: Arc<dyn SecretVault>,
    timing: Timing,
    keys: Keys,
}

impl Vaults {
    const fn new(vault: Arc<dyn SecretVault>, timing: Timing, keys: Keys) -> Self {
        Self {
            vault,
            timing,
            keys,
        }
    }

    /// The slots of secrets, and the keys of sealed data.
    pub(super) fn open(
        self,
        config: &Config,
        clock: &Arc<dyn Clock>,
        timer: &Arc<Background>,
    ) -> Result<(Secrets, DataKeys)> {
        let threads = Threads::with(timer);
        let secrets = secrets(config, clock, self.vault, self.timing, &threads)?;
        let keys = data_keys(config, clock, self.keys, self.timing, &threads)?;
        Ok((secrets, keys))
    }
}

enum Keys {
    Local(Arc<dyn KeyWrapper>),
    Remote(Arc<dyn RemoteKeys>),
}

/// Where secrets and keys live: what was passed, else what `vault.store` names.
pub(super) fn vaults(
    config: &Config,
    outside: &Outside,
    vault: Option<Arc<dyn SecretVault>>,
    keys: Option<Arc<dyn KeyWrapper>>,
) -> Result<Vaults> {
    let keys = keys.map(Keys::Local);
    if vault.is_none() && config.one_of(ConfigKey::VaultStore, ["local", "key_vault"])? {
        let keys = match keys {
            Some(given) => given,
            None => Keys::Remote(outside.keys()?),
        };
        return Ok(Vaults::new(outside.vault()?, Timing::default(), keys));
    }
    Ok(match (vault, keys) {
        (Some(vault), Some(keys)) => Vaults::new(vault, Timing::default(), keys),
        (Some(vault), None) => {
            let local = Arc::new(local_vault(config)?);
            Vaults::new(vault, Timing::default(), Keys::Local(local))
        }
        (None, Some(keys)) => {
            let local = Arc::new(local_vault(config)?);
            Vaults::new(local, Timing::local(), keys)
        }
        (None, None) => {
            let local = Arc::new(local_vault(config)?);
            let vault = Arc::<LocalVault>::clone(&local);
            Vaults::new(vault, Timing::local(), Keys::Local(local))
        }
    })
}

/// The slots, whose fetches run on a thread of their own: one that overwrites what it frees, where the process has that
/// allocator.
fn secrets(
    config: &Config,
    clock: &Arc<dyn Clock>,
    vault: Arc<dyn SecretVault>,
    timing: Timing,
    threads: &Threads,
) -> Result<Secrets> {
    let mut timing = timing;
    timing.must_be_locked = config.must_lock_secrets()?;
    let mut limits = GateLimits::default();
    if let Some(calls) = config.calls_per_second() {
        limits.calls_per_second = calls;
        limits.burst = calls.saturating_mul(5);
    }
    let salt = u64::from(random()?) << 32 | u64::from(random()?);
    Ok(Secrets::new(vault, Arc::clone(clock))
        .with_timing(timing.salted(salt))
        .with_limits(limits)
        .on(Arc::<Background>::clone(&threads.work))
        .timed_on(Arc::<Background>::clone(&threads.timer)))
}

/// The keys of sealed data, on the same thread. A local vault answers at once, or not at all: no "no" of it is remembered.
fn data_keys(
    config: &Config,
    clock: &Arc<dyn Clock>,
    keys: Keys,
    timing: Timing,
    threads: &Threads,
) -> Result<DataKeys> {
    let mut own = timing;
    own.must_be_locked = config.must_lock_secrets()?;
    let source = match keys {
        Keys::Local(keys) => Source::Local(keys),
        Keys::Remote(keys) => {
            let vault = Arc::new(Public::new(Arc::clone(&keys)));
            let public = secrets(config, clock, vault, timing, threads)?;
            Source::Remote { keys, public }
        }
    };
    let (spawn, timer) = (Arc::clone(&threads.work), Arc::clone(&threads.timer));
    let clock = Arc::clone(clock);
    Ok(DataKeys::new(source, clock, own, spawn, timer))
}

pub(super) fn random() -> Result<u32> {
    let mut bytes = [0; 4];
    rand::fill(&mut bytes)
        .map_err(|_| Error::new(Code::Internal, "the operating system gives no random bytes"))?;
    Ok(u32::from_ne_bytes(bytes))
}
