//! Puts a runtime together: the only place that names adapters.

mod audit;
mod identity;
mod outside;
mod sinks;
mod threads;
mod vaults;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use zt_memory::fork::Local;

use super::budget::Budget;
use super::merged::Merges;
use super::outside::Given;
use super::samples::Samples;
use super::shadow::Shadows;
use super::shared::Shared;
use super::{Config, ConfigKey, Runtime, housekeeping};
use crate::adapters::file::{self, FileAlerts, FileReference, FileTables, LocalVault, VaultKey};
use crate::audit::{AuditLog, AuditOptions};
use crate::clock::{Clock, SystemClock};
use crate::envelope::KeyWrapper;
use crate::error::Result;
use crate::identity::{ClientProof, GroupSource, TokenCredential};
use crate::metadata::{MetadataSource, RawTables, Snapshot, SnapshotStore, TableFormat};
use crate::monitor::{AlertSink, ReferenceSource, References};
use crate::network::HttpClient;
use crate::numbered::Numbered;
use crate::secrets::SecretVault;
pub use audit::{audit_key, audit_options, pseudonyms, rotate_pseudonyms};
pub(crate) use identity::profile;
use identity::{Identity, wrong};
pub(super) use identity::{authenticator, maybe_authenticator};
#[cfg(feature = "azure")]
pub use outside::{key_vault, key_vault_audit_key, key_vault_keys};

/// Builds a [`Runtime`] from a configuration, with adapters passed by value where the embedded default does not fit.
#[derive(Debug)]
pub struct RuntimeBuilder {
    config: Config,
    clock: Option<Arc<dyn Clock>>,
    tables: Option<Box<dyn MetadataSource>>,
    vault: Option<Arc<dyn SecretVault>>,
    keys: Option<Arc<dyn KeyWrapper>>,
    alerts: Option<Arc<dyn AlertSink>>,
    reference: Option<Arc<dyn ReferenceSource>>,
    audit: Option<AuditOptions>,
    given: Given,
    watches: bool,
}

impl RuntimeBuilder {
    /// A builder with the embedded default: tables and reference data in files, local vault, alerts in a
    /// file, audit log in a folder.
    #[must_use]
    pub const fn new(config: Config) -> Self {
        Self {
            config,
            clock: None,
            tables: None,
            vault: None,
            keys: None,
            alerts: None,
            reference: None,
            audit: None,
            given: Given::new(),
            watches: true,
        }
    }

    /// Takes time from here.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Takes the metadata tables from here.
    #[must_use]
    pub fn with_tables(mut self, tables: Box<dyn MetadataSource>) -> Self {
        self.tables = Some(tables);
        self
    }

    /// Takes secrets from here.
    #[must_use]
    pub fn with_vault(mut self, vault: Arc<dyn SecretVault>) -> Self {
        self.vault = Some(vault);
        self
    }

    /// Wraps data keys with the keys from here.
    #[must_use]
    pub fn with_keys(mut self, keys: Arc<dyn KeyWrapper>) -> Self {
        self.keys = Some(keys);
        self
    }

    /// Delivers fired alerts there.
    #[must_use]
    pub fn with_alert_sink(mut self, sink: Arc<dyn AlertSink>) -> Self {
        self.alerts = Some(sink);
        self
    }

    /// Takes the reference data of models from here.
    #[must_use]
    pub fn with_reference(mut self, source: Arc<dyn ReferenceSource>) -> Self {
        self.reference = Some(source);
        self
    }

    /// Writes the audit log with these options.
    #[must_use]
    pub fn with_audit(mut self, options: AuditOptions) -> Self {
        self.audit = Some(options);
        self
    }

    /// Sends every request of identity through here instead of the guarded client that the feature `azure` brings.
    #[must_use]
    pub fn with_http(mut self, http: Arc<dyn HttpClient>) -> Self {
        self.given.http = Some(http);
        self
    }

    /// Takes the process's own identity from here: a service credential of Databricks, one of a test.
    #[must_use]
    pub fn with_credential(mut self, credential: Arc<dyn TokenCredential>) -> Self {
        self.given.credential = Some(credential);
        self
    }

    /// Asks here for the groups of callers whose token has no room for them.
    #[must_use]
    pub fn with_group_source(mut self, groups: Arc<dyn GroupSource>) -> Self {
        self.given.groups = Some(groups);
        self
    }

    /// Proves to Entra with this that we are the application that callers' tokens are for, to act on their behalf.
    #[must_use]
    pub fn with_client_proof(mut self, proof: ClientProof) -> Self {
        self.given.proof = Some(proof);
        self
    }

    /// Leaves looking at the tables to the program, which calls [`Runtime::shadow`] or [`Runtime::reload`] often enough for
    /// `metadata.max_staleness_s`: a change takes effect only when it is told to.
    #[must_use]
    pub const fn without_watch(mut self) -> Self {
        self.watches = false;
        self
    }

    /// Loads, checks and opens everything. The audit log comes last, so that a wrong configuration leaves no log behind, and
    /// before anything can be asked: no audit, no access.
    ///
    /// # Errors
    /// As [`Runtime::open`].
    pub async fn open(self) -> Result<Runtime> {
        let config = self.config;
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock::new()));
        let options = audit::given(self.audit, &config)?;
        let audit_folder = options.folder().to_owned();
        let source = self
            .tables
            .unwrap_or_else(|| Box::new(FileTables::new(config.tables())));
        let snapshots = SnapshotStore::open(source, Arc::clone(&clock)).await?;
        let first = snapshots.current();
        let profile = profile(&config, &first)?;
        let identity = Identity::new(&config, &profile, &clock, &first, self.given)?;
        let is_key_vault =
            self.vault.is_none() && config.one_of(ConfigKey::VaultStore, ["local", "key_vault"])?;
        let vaults = vaults::vaults(&config, &identity.outside, self.vault, self.keys)?;
        let alerts = self.alerts.unwrap_or_else(|| file_alerts(&config));
        let reference = self.reference.unwrap_or_else(|| file_reference(&config));
        let options = audit::complete(options, &config, Some(&identity.outside))?;
        let pseudonyms = audit::pseudonyms_of(&config)?;
        let grants = identity::grants(&config)?;
        let options = sinks::configured(options, &config, &identity.outside)?;
        let audit = AuditLog::open(options, Arc::clone(&clock))?;
        let (secrets, keys) = vaults.open(&config, &clock, &identity.timer)?;
        let runtime = Runtime(Arc::new(Shared {
            max_staleness: config.max_staleness(),
            config,
            clock,
            snapshots,
            shadows: Shadows::default(),
            profile,
            authenticator: Numbered::new(identity.authenticator),
            published: identity.published,
            outside: identity.outside,
            groups: identity.groups,
            background: identity.background,
            is_key_vault,
            secrets,
            keys,
            grants,
            merged: Merges::default(),
            alerts,
            references: References::new(reference),
            audit,
            pseudonyms,
            audit_folder,
            budget: Budget::default(),
            refusals: Samples::default(),
            process: vaults::random()?,
            own_process: Local::new(),
            decisions: AtomicU64::new(1),
            is_closed: AtomicBool::new(false),
            watches: self.watches,
            threads: Local::new(),
        }));
        runtime.0.declare(&runtime.snapshot());
        identity.key_log.is_of(&runtime.0);
        identity::keep_fresh(&runtime);
        started(runtime)
    }
}

fn started(runtime: Runtime) -> Result<Runtime> {
    // First, for the threads ask too.
    runtime.0.threads.get_or_init(|| ());
    housekeeping::start_all(&runtime)?;
    Ok(runtime)
}

fn file_alerts(config: &Config) -> Arc<dyn AlertSink> {
    Arc::new(FileAlerts::new(config.alerts_file()))
}

fn file_reference(config: &Config) -> Arc<dyn ReferenceSource> {
    Arc::new(FileReference::new(config.folder()))
}

/// The tables of a configuration, without opening a runtime.
///
/// # Errors
/// `Invalid` with every problem of the tables.
pub async fn tables(config: &Config) -> Result<SnapshotStore> {
    let source = Box::new(FileTables::new(config.tables()));
    SnapshotStore::open(source, Arc::new(SystemClock::new())).await
}

/// The tables of a file or folder, checked, as the cells that they were read from.
///
/// # Errors
/// `Invalid` with every problem of the tables.
pub async fn read_tables(source: impl AsRef<Path>) -> Result<RawTables> {
    let raw = FileTables::new(source.as_ref()).load().await?;
    let _checked = Snapshot::compile(&raw, 1, SystemClock::new().now())?;
    Ok(raw)
}

/// Writes all tables that have rows: TOML into one file, CSV into a folder with a file a table. Answers the files. Reading
/// them gives the same content hash. With `replace`, existing files give way; without, nothing is changed if one exists.
///
/// # Errors
/// `Invalid` for cells without a place in that form, and for what exists already or cannot be written.
pub fn write_tables(
    tables: &RawTables,
    to: impl AsRef<Path>,
    format: TableFormat,
    replace: bool,
) -> Result<Vec<PathBuf>> {
    file::write_tables(tables, to.as_ref(), format, replace)
}

/// The keys of a configuration, for tools: no cache, no policy, no audit. Those of Key Vault need a row of Network_Rules.
///
/// # Errors
/// As [`local_vault`], or `Config` for a configuration without an identity or certificate authorities.
pub fn key_wrapper(config: &Config, snapshot: &Snapshot) -> Result<Arc<dyn KeyWrapper>> {
    if !config.one_of(ConfigKey::VaultStore, ["local", "key_vault"])? {
        return Ok(Arc::new(local_vault(config)?));
    }
    outside::of_tool(config, snapshot)?.wrapper()
}

/// The local vault of a configuration.
///
/// # Errors
/// `Integrity` for a wrong key or a damaged file, `Config` for a key that others may read.
pub fn local_vault(config: &Config) -> Result<LocalVault> {
    let key = match config.vault_passphrase() {
        Some(passphrase) => VaultKey::passphrase(zeroize::Zeroizing::new(passphrase.to_owned())),
        None => VaultKey::key_file(config.vault_key_file()),
    };
    Ok(LocalVault::open(config.vault_file(), key)?)
}
