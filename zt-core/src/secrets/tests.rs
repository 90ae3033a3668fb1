//! The slots in front of a vault that counts, fails and waits as told, with a clock that stands still.

mod black_hole;
mod closing;
mod day;
mod declarations;
mod events;
mod failover;
mod faults;
mod flights;
mod herd;
mod hits;
mod laws;
mod model;
mod queue;
mod rules;
mod suspend;
mod validity;
mod versions;
mod warming;

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::adapters::memory::MemoryVault;
use crate::clock::{Clock, Timestamp};
use crate::error::{Code, ErrorKind};
use crate::testing::{FaultyVault, ManualClock};

use super::*;

const START: Timestamp = Timestamp::from_secs(1_790_000_000);
const MINUTE: Duration = Duration::from_secs(60);

struct World {
    memory: Arc<MemoryVault>,
    vault: Arc<FaultyVault>,
    clock: Arc<ManualClock>,
    secrets: Arc<Secrets>,
    request: SecretRequest,
}

impl World {
    /// One declared secret with a TTL of ten minutes; nothing in the vault.
    fn new() -> Self {
        let memory = Arc::new(MemoryVault::new());
        let vault = Arc::new(FaultyVault::new(Arc::clone(&memory) as Arc<dyn SecretVault>));
        let clock = Arc::new(ManualClock::new(START));
        let secrets = Arc::new(Secrets::new(
            Arc::clone(&vault) as Arc<dyn SecretVault>,
            Arc::clone(&clock) as Arc<dyn Clock>,
        ));
        let request = SecretRequest::new(id("bureau-api-key")).with_ttl(10 * MINUTE);
        secrets.declare([request.clone()]);
        Self {
            memory,
            vault,
            clock,
            secrets,
            request,
        }
    }

    fn with(value: &str, validity: Validity) -> Self {
        let world = Self::new();
        world.set(value, validity);
        world
    }

    fn set(&self, value: &str, validity: Validity) -> SecretVersion {
        let id = SecretId::new(
            self.request.key().id().vault().clone(),
            self.request.key().id().name().clone(),
        );
        let value = SecretBytes::copy_of(value.as_bytes());
        self.memory.set(&id, value, validity).unwrap()
    }

    async fn get(&self) -> crate::Result<Secret> {
        self.secrets.get(&self.request).await
    }

    async fn reads(&self, value: &str) -> bool {
        self.get().await.unwrap().reveal() == value.as_bytes()
    }

    /// Until no fetch is under way. Needs tokio's time to be paused where a fetch waits.
    async fn settle(&self) {
        settle(&self.secrets).await;
    }

    /// The state of the one slot.
    fn slot(&self) -> SlotHealth {
        slot_of(&self.secrets, "bureau-api-key")
    }

    fn gate(&self) -> &'static str {
        self.secrets.health().gates[0].state
    }

    async fn code(&self) -> Code {
        self.get().await.unwrap_err().code()
    }
}

fn id(name: &str) -> SecretId {
    let vault = "https://kv-brindlewick-prod.vault.azure.net"
        .parse()
        .unwrap();
    SecretId::new(vault, name.parse().unwrap())
}

fn at(offset: Duration) -> Timestamp {
    START.after(offset)
}

async fn settle(secrets: &Secrets) {
    let is_loading = |declared: Arc<table::Declared>| declared.slot.look(|_, loading| loading);
    while secrets.table().all().any(is_loading) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn slot_of(secrets: &Secrets, name: &str) -> SlotHealth {
    let slots = secrets.health().slots;
    slots.into_iter().find(|slot| slot.name == name).unwrap()
}

/// Where a read leads without waiting: a value, or the code of an error.
fn at_once(secrets: &Secrets, request: &SecretRequest) -> Option<Secret> {
    let mut read = std::pin::pin!(secrets.get(request));
    match read.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(read) => read.ok(),
        Poll::Pending => None,
    }
}
