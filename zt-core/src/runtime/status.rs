//! How a live process is: as a value, and as a file that `zt status` reads.
//!
//! In: the parts of a runtime. Out: names, ages, counts and last errors. Never a value of a secret, a token or a claim.

mod network;

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::shared::Shared;
use super::{Mode, Runtime};
use crate::audit;
use crate::envelope::DataKeysHealth;
use crate::identity::KeyHealth;
use crate::secrets::SecretsHealth;
pub use network::{DeclaredPath, HostStatus, LastPath, Resolved};

/// How often the file is written. A file that is older than three times this is of a process that is gone or stuck.
pub(super) const WRITTEN_EVERY: Duration = Duration::from_secs(5);

/// How a runtime is at one moment.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// The process.
    pub process: u32,
    /// When this was looked at, RFC 3339.
    pub at: String,
    /// `production` or `development`.
    pub mode: &'static str,
    /// Whether callers can be verified and the tables are young enough; else why not.
    pub ready: Option<String>,
    /// The metadata tables in force.
    pub snapshot: SnapshotStatus,
    /// The issuer's keys, one line for each tenant and token format.
    pub keys: Vec<String>,
    /// Slots, gates, counts.
    pub secrets: SecretsHealth,
    /// The keys of sealed data.
    pub data_keys: DataKeysHealth,
    /// The ways to the vaults of the tables: what is declared, and what was seen last.
    pub network: Vec<HostStatus>,
    /// Where secret bytes lie.
    pub memory: MemoryStatus,
    /// The audit log.
    pub audit: audit::Health,
}

/// The snapshot in force.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct SnapshotStatus {
    /// Its version in this process.
    pub version: u64,
    /// Its content hash.
    pub hash: String,
    /// How many seconds ago the tables were last seen to be like this.
    pub confirmed_s: u64,
}

/// Where secret bytes lie.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct MemoryStatus {
    /// `secret memory`, `locked memory` or `heap`.
    pub protection: &'static str,
    /// Bytes that are mapped for secrets.
    pub mapped_bytes: usize,
    /// Values that found no room there and lie on the heap, so far.
    pub heap_fallbacks: u64,
    /// Values that lie in them.
    pub in_use: usize,
    /// Values that somebody wrote past the end of: a defect.
    pub broken: u64,
    /// Why the last of them did.
    pub last_fallback: Option<String>,
}

impl Runtime {
    /// How this process is: for `/readyz`, dashboards and the engineer on call. Cheap; asks nobody.
    #[must_use]
    pub fn status(&self) -> Status {
        let shared = &self.0;
        let snapshot = self.snapshot();
        Status {
            process: std::process::id(),
            at: shared.clock.now().to_string(),
            mode: match shared.config.mode() {
                Mode::Production => "production",
                Mode::Development => "development",
            },
            ready: self.ready().err().map(|why| why.message().to_owned()),
            snapshot: SnapshotStatus {
                version: snapshot.version(),
                hash: snapshot.hash().to_string(),
                confirmed_s: self.snapshot_age().as_secs(),
            },
            keys: self.key_health().iter().map(key_line).collect(),
            secrets: shared.secrets.health(),
            data_keys: shared.keys.health(),
            network: network::hosts(&snapshot, shared.outside.data_guard(), shared.is_key_vault),
            memory: memory(),
            audit: shared.audit.health(),
        }
    }
}

fn key_line(keys: &KeyHealth) -> String {
    let mut line = format!(
        "{} keys of tenant {} ({:?}): {}",
        keys.keys, keys.tenant, keys.version, keys.state
    );
    if let Some(age) = keys.age {
        line.push_str(&format!(", fetched {} s ago", age.as_secs()));
    }
    if let Some(error) = &keys.error {
        line.push_str(&format!(", last fetch failed: {error}"));
    }
    line
}

fn memory() -> MemoryStatus {
    let status = zt_memory::status();
    MemoryStatus {
        protection: status.protection.as_str(),
        mapped_bytes: status.bytes_mapped,
        in_use: status.slots_in_use,
        broken: status.broken_canaries,
        heap_fallbacks: status.heap_fallbacks,
        last_fallback: status.last_fallback,
    }
}

/// Writes the file of this process, whole or not at all. What cannot be written is not: a full disk must not stop anything
/// that works.
pub(super) fn write(runtime: &Runtime, folder: &Path) -> io::Result<()> {
    let text = serde_json::to_vec_pretty(&runtime.status())?;
    let mut making = fs::DirBuilder::new();
    making.recursive(true);
    let mut opening = fs::OpenOptions::new();
    // Never through a link that somebody laid there.
    opening.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
        making.mode(0o700);
        opening.mode(0o600);
    }
    making.create(folder)?;
    let name = format!("{}.json", std::process::id());
    let draft = folder.join(format!(".{name}"));
    let _left_by_one_that_was_killed = fs::remove_file(&draft);
    opening.open(&draft)?.write_all(&text)?;
    fs::rename(draft, folder.join(name))
}

/// Takes the file away when the runtime ends.
pub(super) fn remove(folder: &Path) {
    let _may_be_gone = fs::remove_file(folder.join(format!("{}.json", std::process::id())));
}

/// When the next file is due, on the tick.
#[derive(Debug, Default)]
pub(super) struct Due(Option<Duration>);

impl Due {
    pub(super) fn is_due(&mut self, shared: &Shared) -> bool {
        let now = shared.clock.elapsed();
        let due = self.0.is_none_or(|at| now >= at);
        if due {
            self.0 = Some(now.saturating_add(WRITTEN_EVERY));
        }
        due
    }
}
