//! What a runtime and all its sessions share.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use zt_memory::fork::Local;

use super::background::Background;
use super::budget::Budget;
use super::merged::Merges;
use super::outside::Outside;
use super::samples::Samples;
use super::shadow::Shadows;
use super::{Config, Runtime, housekeeping};
use crate::audit::{AuditLog, Pseudonyms};
use crate::clock::Clock;
use crate::envelope::DataKeys;
use crate::error::{Code, Error, Result};
use crate::grant::Authority;
use crate::identity::{Authenticator, EntraProfile, GroupDirectory, KeyCache};
use crate::metadata::{SecretKind, SecretReference, Snapshot, SnapshotStore};
use crate::monitor::{AlertSink, References};
use crate::numbered::Numbered;
use crate::policy::{DecisionId, nothing_of};
use crate::secrets::{SecretId, Secrets, VaultError};

/// The parts, each safe to use from any thread.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) snapshots: SnapshotStore,
    pub(crate) shadows: Shadows,
    pub(crate) max_staleness: Option<Duration>,
    pub(crate) profile: EntraProfile,
    pub(crate) authenticator: Numbered<Option<Arc<Authenticator>>>,
    /// The keys that Entra publishes; none where keys are pinned.
    pub(crate) published: Option<Arc<KeyCache>>,
    pub(crate) outside: Outside,
    pub(crate) groups: Option<GroupDirectory>,
    pub(crate) background: Arc<Background>,
    /// Whether secrets come over the network, where the rows of Network_Rules say which vaults.
    pub(super) is_key_vault: bool,
    pub(crate) secrets: Secrets,
    pub(crate) keys: DataKeys,
    pub(crate) grants: Authority,
    pub(crate) merged: Merges,
    pub(crate) alerts: Arc<dyn AlertSink>,
    pub(crate) references: References,
    pub(crate) audit: AuditLog,
    /// What secret values are called in the log; none leaves nothing of them.
    pub(crate) pseudonyms: Option<Pseudonyms>,
    pub(crate) audit_folder: PathBuf,
    pub(crate) budget: Budget,
    pub(crate) refusals: Samples,
    /// Drawn at random, so that decision ids of several processes do not collide in one log folder.
    pub(crate) process: u32,
    pub(super) own_process: Local<u32>,
    pub(crate) decisions: AtomicU64,
    pub(crate) is_closed: AtomicBool,
    /// Whether the runtime looks at the tables by itself where the settings say how often.
    pub(super) watches: bool,
    /// Whether the threads of this process are started: those of the parent are not a child's.
    pub(super) threads: Local<()>,
}

impl Shared {
    /// After close nothing is asked of the vault any more: what came back would lie in a cache that nobody clears. In a
    /// forked child the first call starts the threads anew; where the system gives none, values still end when they are
    /// read, and tables that nobody confirms end by `metadata.max_staleness_s`.
    pub(crate) fn refuse_closed(self: &Arc<Self>) -> Result<()> {
        if self.is_closed.load(Ordering::Acquire) {
            let message = "the runtime has been closed";
            return Err(Error::new(Code::Closed, message).with_help("open a new one"));
        }
        self.threads.get_or_init(|| {
            let _is_told = housekeeping::start_all(&Runtime(Arc::clone(self)));
        });
        Ok(())
    }

    /// Makes the slots those of a snapshot. What lies in a vault that no row of Network_Rules names any more is wiped.
    pub(super) fn declare(&self, snapshot: &Snapshot) {
        let of_kind = |kind: SecretKind| {
            let rows = snapshot.tables().secret_references.iter();
            let rows = rows.filter(move |row| row.kind == kind);
            rows.map(SecretReference::request)
        };
        let by_rule = |id: &SecretId| {
            let refusal = self.outside.refuses(id.vault().as_str())?;
            Some(VaultError::network_refused(&refusal.to_string()))
        };
        let refused = |id: &SecretId| by_rule(id).filter(|_| self.is_key_vault);
        self.secrets
            .declare_where(of_kind(SecretKind::Secret), refused);
        self.keys.declare_where(of_kind(SecretKind::Key), by_rule);
    }

    /// What stands in the audit log for the value of a secret attribute.
    pub(crate) fn veil(&self) -> impl Fn(&str, &str) -> String {
        |name, value| match &self.pseudonyms {
            Some(pseudonyms) => pseudonyms.of(name, value),
            None => nothing_of(name, value),
        }
    }

    pub(crate) fn next_decision(&self) -> DecisionId {
        // A forked child inherits seed and count.
        let own = || self.process ^ std::process::id().wrapping_mul(0x9e37_79b1);
        DecisionId::new(
            *self.own_process.get_or_init(own),
            self.decisions.fetch_add(1, Ordering::Relaxed),
        )
    }
}
