//! The runtime: one per process, cheap to clone, safe across threads. Everything starts here.
//!
//! In: a [`Config`]. Out: a [`Session`] for each authenticated caller. It owns the snapshot, the
//! slots of the secrets and the audit log; it never decides anything itself.

pub(crate) mod background;
mod budget;
mod builder;
mod config;
mod guards;
mod housekeeping;
mod http_on;
mod key_log;
pub(crate) mod merged;
mod metrics;
mod outside;
mod own_identity;
mod samples;
pub(crate) mod shadow;
pub(crate) mod shared;
mod status;
mod vault_events;
mod watch;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

pub(crate) use builder::profile;
pub use builder::{
    RuntimeBuilder, audit_key, audit_options, key_wrapper, local_vault, pseudonyms, read_tables,
    rotate_pseudonyms, tables, write_tables,
};
use builder::{authenticator, maybe_authenticator};
#[cfg(feature = "azure")]
pub use builder::{key_vault, key_vault_audit_key, key_vault_keys};
pub use config::{Config, ConfigKey, DevelopmentGroups, Mode};
pub use shadow::{Shadow, ShadowCounts, ShadowEnd, ShadowFlip};
use shared::Shared;
pub use status::{
    DeclaredPath, HostStatus, LastPath, MemoryStatus, Resolved, SnapshotStatus, Status,
};

use crate::audit::{self, Durability, Entry, Kind, Outcome, Record};
use crate::error::{Code, Error, Result};
use crate::identity::{Authenticator, KeyHealth};
use crate::metadata::{Looked, Snapshot};
use crate::session::Session;

/// The zero-trust runtime of this process.
///
/// ```
/// # use zt_core::runtime::Runtime;
/// # let folder = tempfile::tempdir()?;
/// # std::fs::copy("../examples/world/brindlewick.toml", folder.path().join("brindlewick.toml"))?;
/// # std::fs::copy("../examples/world/zt.toml", folder.path().join("zt.toml"))?;
/// # let folder = folder.path();
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let zt = Runtime::open(folder).await?;
/// assert_eq!(zt.snapshot().version(), 1);
/// zt.close(std::time::Duration::from_secs(5)).await
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Runtime(Arc<Shared>);

impl Runtime {
    /// Opens the folder that holds `zt.toml`.
    ///
    /// # Errors
    /// `Config` for a wrong configuration, `Invalid` for wrong tables ([`Error::report`] has every problem), `Integrity` for a damaged vault or
    /// audit log, `Unavailable` when the audit log cannot be written.
    pub async fn open(folder: impl AsRef<Path>) -> Result<Self> {
        RuntimeBuilder::new(Config::load(folder)?).open().await
    }

    /// Verifies a caller's Entra access token, with or without the prefix `Bearer `. The session ends with the token.
    ///
    /// # Errors
    /// `Unauthenticated`: the message holds the exact reason for the log of this process; a remote caller may see
    /// [`Error::public_message`] alone. `Unavailable` when the issuer's keys are not known or the audit log cannot be
    /// written.
    pub async fn authenticate(&self, token: &str) -> Result<Session> {
        self.0.refuse_closed()?;
        let outcome = self.verify(token).await;
        let record = |outcome| {
            Record::new(
                Kind::Authentication,
                self.0.clock.now(),
                "authenticate",
                "identity",
                outcome,
            )
        };
        match outcome {
            Ok((session, is_remembered)) => {
                let durability = match is_remembered {
                    true => Durability::Counted,
                    false => Durability::Ordered,
                };
                let record = session.identify(record(Outcome::Ok));
                let record = match session.unknown_groups() {
                    Some(reason) => record.with_detail("groups", reason),
                    None => record,
                };
                self.0.audit.append(record, durability)?;
                Ok(session)
            }
            Err(error) => {
                let in_full = self.0.refusals.takes(self.0.clock.elapsed());
                let record = record(Outcome::Refused);
                if !in_full {
                    let record = record.with_detail("reason", error.code().as_str());
                    self.0.audit.append(record, Durability::Counted)?;
                    return Err(error);
                }
                let id = self.0.next_decision();
                let record = record.with_decision(id.to_string());
                let record = record.with_detail("reason", error.message());
                self.0.audit.append(record, Durability::Ordered)?;
                Err(error.recorded_as(id))
            }
        }
    }

    /// The snapshot in force.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.0.snapshots.current()
    }

    /// Reads the tables and the pinned keys again and takes them when both are good. Existing sessions decide by the new
    /// snapshot at once; its record is on disk before it is in force.
    ///
    /// # Errors
    /// `Invalid` with every problem, `Config` for unusable keys or another tenant, `Unavailable` for keys that cannot be read or an audit log
    /// that cannot be written: the last good snapshot and keys stay in force, and the refusal stands in the audit log.
    pub async fn reload(&self) -> Result<Arc<Snapshot>> {
        self.0.refuse_closed()?;
        let outcome = self.0.snapshots.reload(|next| self.take_read(next)).await;
        if let Err(error) = &outcome {
            self.record_refused(error)?;
        }
        outcome
    }

    /// How the issuer's keys are: for each tenant and token format their state, age and next refresh, or that they are pinned.
    /// Empty where development has none yet.
    #[must_use]
    pub fn key_health(&self) -> Vec<KeyHealth> {
        let ready = self.0.authenticator.load();
        ready
            .as_ref()
            .map_or_else(Vec::new, |ready| ready.key_health())
    }

    /// Whether tokens of the home tenant can be verified and the tables are young enough to decide by: what a readiness probe
    /// asks. [`key_health`](Self::key_health) tells of the other tenants.
    ///
    /// # Errors
    /// `Unavailable` with what is missing: [`Code::KeysUnavailable`] or [`Code::MetadataStale`]; [`Code::Closed`].
    pub fn ready(&self) -> Result<()> {
        self.0.refuse_closed()?;
        let keys = self.key_health();
        // A partner's tenant that is gone is no reason to turn our own callers away.
        let home = self.0.profile.tenant();
        let mut own = keys.iter().filter(|keys| keys.tenant == home);
        if let Some(bad) = own.find(|keys| !keys.state.is_ready()) {
            let (tenant, state) = (bad.tenant, bad.state);
            let reason = bad.error.as_deref().unwrap_or("nothing was fetched yet");
            let message = format!("the keys of tenant `{tenant}` are {state}: {reason}");
            return Err(Error::new(Code::KeysUnavailable, message));
        }
        if keys.is_empty() {
            return Err(Error::new(Code::KeysUnavailable, "there are no keys yet"));
        }
        let age = self.snapshot_age();
        match self.0.max_staleness {
            Some(limit) if age > limit => {
                let message = format!(
                    "the metadata tables were last confirmed {} s ago",
                    age.as_secs()
                );
                Err(Error::new(Code::MetadataStale, message))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// After an incident at the issuer: drops every key that the newest sets do not list, fetches all sets anew, and keeps of
    /// the old ones no key that the new ones lack. A key that is gone proves nobody any more, neither at the door nor in
    /// sessions that are open. Nothing happens where keys are pinned.
    ///
    /// # Errors
    /// `Unavailable` when the audit log cannot be written; nothing is dropped then.
    pub fn purge_keys(&self) -> Result<()> {
        self.0.refuse_closed()?;
        let now = self.0.clock.now();
        let record = Record::new(Kind::Admin, now, "purge-keys", "identity", Outcome::Ok);
        self.0.audit.append(record, Durability::Durable)?;
        if let Some(published) = &self.0.published {
            published.purge();
        }
        Ok(())
    }

    /// How long ago the tables were last seen to be what is in force. Where `metadata.max_staleness_s` is set, every decision
    /// is refused once this is longer.
    #[must_use]
    pub fn snapshot_age(&self) -> Duration {
        self.0.snapshots.age()
    }

    /// Looks whether the tables changed, and takes them as [`reload`](Self::reload) does. Only a change is recorded.
    async fn look(&self) -> Looked {
        self.0.snapshots.look(|next| self.take_read(next)).await
    }

    /// What was just read takes the place of what was tried in shadow too.
    fn take_read(&self, next: &Snapshot) -> Result<()> {
        // First: after the taking is on the disk nothing may fail any more.
        self.end_shadow("the tables were read again, to be taken")?;
        self.take(next, |record| record)
    }

    /// Tokens are verified for the tenant that the runtime was opened with; object ids of another mean other people.
    fn refuse_other_tenant(&self, next: &Snapshot) -> Result<()> {
        if profile(&self.0.config, next)?.tenant() == self.0.profile.tenant() {
            return Ok(());
        }
        let message = "the table `world` names another tenant than when the runtime was opened";
        Err(Error::new(Code::Config, message).with_help("open a new runtime"))
    }

    /// The last step before a snapshot is in force: keys, record, guards, slots.
    fn take(&self, next: &Snapshot, describe: impl FnOnce(Record) -> Record) -> Result<()> {
        self.refuse_other_tenant(next)?;
        let pinned = match self.0.published {
            Some(_) => None,
            None => maybe_authenticator(&self.0.config, &self.0.profile, &self.0.clock)?,
        };
        let hash = next.hash().to_string();
        let record = self.record_of_reload(Outcome::Ok);
        let record = describe(record.with_snapshot(next.version(), hash));
        self.0.audit.append(record, Durability::Durable)?;
        if self.0.published.is_none() {
            self.0.authenticator.store(pinned);
        }
        // Before a slot of the new snapshot is asked for: its vault is one that the new rows name.
        self.0.outside.follow(&next.tables().network_rules);
        self.0.declare(next);
        Ok(())
    }

    fn record_refused(&self, error: &Error) -> Result<()> {
        let record = self.record_of_reload(Outcome::Refused);
        let record = record.with_detail("reason", error.message());
        Ok(self.0.audit.append(record, Durability::Durable)?)
    }

    fn record_of_reload(&self, outcome: Outcome) -> Record {
        let now = self.0.clock.now();
        Record::new(Kind::Admin, now, "reload", "metadata", outcome)
    }

    /// The configuration that this runtime runs under.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The newest `count` records of the audit log, oldest first, for who runs this process: nobody is asked for a right, so it
    /// must not answer a remote caller. Near misses are left out; [`Session::audit_tail`] has them for those who may see them.
    ///
    /// # Errors
    /// `Unavailable` when the log cannot be written or read; [`Code::Closed`].
    pub fn audit_tail(&self, count: usize) -> Result<Vec<Entry>> {
        self.0.refuse_closed()?;
        self.0.audit.flush()?;
        let mut entries = audit::tail(&self.0.audit_folder, count, |_| true)?;
        entries
            .iter_mut()
            .for_each(|entry| entry.near_misses.clear());
        Ok(entries)
    }

    /// The folder of the audit log.
    #[must_use]
    pub fn audit_folder(&self) -> std::path::PathBuf {
        self.0.audit_folder.clone()
    }

    /// Writes and syncs everything, wipes the cached secrets, and ends. Later calls are refused with
    /// [`Code::Closed`].
    ///
    /// # Errors
    /// `Unavailable` when the audit log could not be written within `timeout`; a destructor cannot say so.
    pub async fn close(self, timeout: Duration) -> Result<()> {
        self.0.is_closed.store(true, Ordering::Release);
        // Waiting for the disk must not hold up the executor.
        let shared = self.0;
        let close = move || {
            let closed = shared.audit.close(timeout);
            // Last, so that a read that was under way leaves nothing behind either.
            shared.secrets.close();
            shared.keys.close();
            if let Some(folder) = shared.config.value(ConfigKey::StatusFolder) {
                status::remove(&shared.config.folder().join(folder));
            }
            closed
        };
        let closed = match tokio::runtime::Handle::try_current() {
            Ok(executor) => executor.spawn_blocking(close).await.map_err(|why| {
                Error::new(Code::Internal, "closing the audit log did not end").with_source(why)
            })?,
            Err(_) => close(),
        };
        Ok(closed?)
    }

    /// The session of a token's caller, and whether that token was verified a moment ago.
    async fn verify(&self, token: &str) -> Result<(Session, bool)> {
        let authenticator = self.authenticator()?;
        let (caller, is_remembered) = authenticator.authenticate_or_fetch(token).await?;
        let session = Session::open(Arc::clone(&self.0), caller).await?;
        Ok((session, is_remembered))
    }

    /// The authenticator. In development its keys appear with the first `zt dev-token`, maybe after this runtime.
    fn authenticator(&self) -> Result<Arc<Authenticator>> {
        if let Some(ready) = self.0.authenticator.load_full() {
            return Ok(ready);
        }
        let made = authenticator(&self.0.config, &self.0.profile, &self.0.clock)?;
        self.0.authenticator.store(Some(Arc::clone(&made)));
        Ok(made)
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let snapshot = self.snapshot();
        f.debug_struct("Runtime")
            .field("folder", &self.0.config.folder())
            .field("mode", &self.0.config.mode())
            .field("snapshot", &snapshot.version())
            .finish_non_exhaustive()
    }
}
