//! The runtime: one per process, cheap to clone, safe across threads. Everything starts here.
//!
//! In: a [`Config`]. Out: a [`Session`] for each authenticated caller. It owns the snapshot, the
//! slots of the secrets and the audit log; it never decides anything itself.

mod budget;
mod builder;
mod config;
mod samples;
pub(crate) mod shared;
mod watch;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

pub(crate) use builder::profile;
pub use builder::{RuntimeBuilder, local_vault, read_tables, tables, write_tables};
pub use config::{Config, ConfigKey, DevelopmentGroups, Mode};
use shared::Shared;

use crate::audit::{Durability, Kind, Outcome, Record};
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::identity::{Authenticator, EntraProfile, KeySet};
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
        let outcome = self.authenticator().and_then(|authenticator| {
            let caller = authenticator.authenticate(token)?;
            Session::new(Arc::clone(&self.0), caller)
        });
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
            Ok(session) => {
                let record = session.identify(record(Outcome::Ok));
                self.0.audit.append(record, Durability::Ordered)?;
                Ok(session)
            }
            Err(error) => {
                let in_full = self.0.refusals.takes(self.0.clock.elapsed());
                let (reason, durability) = if in_full {
                    (error.message(), Durability::Ordered)
                } else {
                    (error.code().as_str(), Durability::Counted)
                };
                let record = record(Outcome::Refused).with_detail("reason", reason);
                self.0.audit.append(record, durability)?;
                Err(error)
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
        let outcome = self.0.snapshots.reload(|next| self.take(next)).await;
        if let Err(error) = &outcome {
            self.record_refused(error)?;
        }
        outcome
    }

    /// How long ago the tables were last seen to be what is in force. Where `metadata.max_staleness_s` is set, every decision
    /// is refused once this is longer.
    #[must_use]
    pub fn snapshot_age(&self) -> Duration {
        self.0.snapshots.age()
    }

    /// Looks whether the tables changed, and takes them as [`reload`](Self::reload) does. Only a change is recorded.
    async fn look(&self) -> Looked {
        self.0.snapshots.look(|next| self.take(next)).await
    }

    /// The last step before a snapshot is in force: keys, record, slots.
    fn take(&self, next: &Snapshot) -> Result<()> {
        // Tokens are verified for the tenant that the runtime was opened with; object ids of another mean other people.
        if profile(&self.0.config, next)?.tenant() != self.0.profile.tenant() {
            let message = "the table `world` names another tenant than when the runtime was opened";
            return Err(Error::new(Code::Config, message).with_help("open a new runtime"));
        }
        let keys = maybe_authenticator(&self.0.config, &self.0.profile, &self.0.clock)?;
        let hash = next.hash().to_string();
        let record = self.record_of_reload(Outcome::Ok);
        let record = record.with_snapshot(next.version(), hash);
        self.0.audit.append(record, Durability::Durable)?;
        self.0.authenticator.store(keys);
        self.0.secrets.declare(builder::slots(next));
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
            shared.secrets.clear();
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

/// An authenticator with the pinned keys as they are now; none where development has none yet.
fn maybe_authenticator(
    config: &Config,
    profile: &EntraProfile,
    clock: &Arc<dyn Clock>,
) -> Result<Option<Arc<Authenticator>>> {
    match authenticator(config, profile, clock) {
        Ok(made) => Ok(Some(made)),
        Err(error) if config.mode() == Mode::Development && error.is_transient() => Ok(None),
        Err(error) => Err(error),
    }
}

fn authenticator(
    config: &Config,
    profile: &EntraProfile,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<Authenticator>> {
    let keys = read_keys(config, profile)?;
    Ok(Arc::new(Authenticator::new(
        profile.clone(),
        keys,
        Arc::clone(clock),
    )?))
}

fn read_keys(config: &Config, profile: &EntraProfile) -> Result<KeySet> {
    let Some(file) = config.keys_file() else {
        let message = format!("`{}` is not set", ConfigKey::IdentityKeys);
        return Err(
            Error::new(Code::Config, message).with_help("pin the tenant's JSON Web Key Set")
        );
    };
    let jwks = std::fs::read(&file).map_err(|why| {
        let message = format!("cannot read the pinned keys `{}`", file.display());
        let help = match config.mode() {
            Mode::Development => "`zt dev-token NAME` makes the development issuer's keys",
            Mode::Production => "save the tenant's JSON Web Key Set there",
        };
        Error::new(Code::KeysUnavailable, message)
            .with_help(help)
            .with_source(why)
    })?;
    Ok(KeySet::from_jwks(&jwks, profile)?)
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
