//! A thousand secrets: their names, the order in which they are read, and where zt keeps them.

use std::fmt::Write as _;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use zt_core::adapters::memory::MemoryVault;
use zt_core::clock::SystemClock;
use zt_core::runtime::{Config, RuntimeBuilder};
use zt_core::secrets::{
    GateLimits, SecretBytes, SecretId, SecretRequest, Secrets, Validity, VaultUrl,
};
use zt_core::{Runtime, Session};

use crate::Outcome;
use crate::world::World;

pub const SECRETS: usize = 1_000;
/// A power of two, so that going round costs a mask.
const READS: usize = 1 << 16;
/// Of every value.
pub const BYTES: usize = 24;
pub const TTL: Duration = Duration::from_secs(3600);
const VAULT: &str = "https://kv-brindlewick-prod.vault.azure.net";

/// See the module.
pub struct Shelf {
    /// Of 60 bytes each.
    pub names: Vec<String>,
    vault: Arc<MemoryVault>,
}

impl Shelf {
    pub fn new() -> Outcome<Self> {
        let name = |at| format!("measured-connection-string-of-the-loan-scoring-service-{at:05}");
        let shelf = Self {
            names: (0..SECRETS).map(name).collect(),
            vault: Arc::default(),
        };
        for name in &shelf.names {
            let value = SecretBytes::copy_of(&[b'x'; BYTES]);
            shelf.vault.set(&id(name)?, value, Validity::ALWAYS)?;
        }
        Ok(shelf)
    }

    /// Places on the shelf, at random.
    pub fn order() -> Vec<usize> {
        (0..READS).map(|_| fastrand::usize(..SECRETS)).collect()
    }

    /// The first place alone.
    pub fn one() -> Vec<usize> {
        vec![0; READS]
    }

    /// Slots without a session before them, all filled.
    pub fn slots(&self, world: &World) -> Outcome<(Secrets, Vec<SecretRequest>)> {
        let mut limits = GateLimits::new();
        limits.calls_per_second = 10_000;
        limits.burst = 50_000;
        let vault = Arc::<MemoryVault>::clone(&self.vault);
        let slots = Secrets::new(vault, Arc::new(SystemClock::new())).with_limits(limits);
        let request = |name: &String| Ok(SecretRequest::new(id(name)?).with_ttl(TTL));
        let requests: Vec<SecretRequest> =
            self.names.iter().map(request).collect::<Outcome<_>>()?;
        slots.declare(requests.iter().cloned());
        for request in &requests {
            let _held = world.executor.block_on(slots.get(request))?;
        }
        Ok((slots, requests))
    }

    /// A runtime whose tables name all of them, and let the scoring job read them.
    pub fn open(&self, world: &World) -> Outcome<Runtime> {
        let file = world.path().join("brindlewick.toml");
        let mut tables = fs::read_to_string(&file)?;
        tables.push_str(
            "[[Access_Policies]]\nid = \"AP-90\"\nprincipal = \"role:scoring_job\"\naction = \"secret.get\"\n\
             resource = \"secret:*\"\neffect = \"allow\"\nwhen = { job = 201, stage = 2 }\n",
        );
        for name in &self.names {
            let ttl = TTL.as_secs();
            writeln!(
                tables,
                "[[Secret_References]]\nid = \"{name}\"\nvault = \"{VAULT}\"\nname = \"{name}\"\nttl_s = {ttl}"
            )?;
        }
        fs::write(&file, tables)?;
        let file = world.path().join("zt.toml");
        let settings = fs::read_to_string(&file)?;
        fs::write(
            &file,
            settings.replace("[vault]", "[vault]\ncalls_per_s = 400"),
        )?;
        let vault = Arc::<MemoryVault>::clone(&self.vault);
        let builder = RuntimeBuilder::new(Config::load(world.path())?).with_vault(vault);
        Ok(world.executor.block_on(builder.open())?)
    }

    /// A session that has read each of them, so that every further read is a repeat.
    pub fn session(&self, world: &World, zt: &Runtime) -> Outcome<Session> {
        let job = world.sign_in(zt, "sp:sp-score-201")?.claiming(201, 2);
        for name in &self.names {
            let _read = world.executor.block_on(job.secret(name))?;
        }
        Ok(job)
    }
}

fn id(name: &str) -> Outcome<SecretId> {
    let vault: VaultUrl = VAULT.parse()?;
    Ok(SecretId::new(vault, name.parse()?))
}
