//! Where the audit log is copied to, by the configuration.

use std::sync::Arc;
use std::time::Duration;

use super::super::outside::Outside;
use super::super::{Config, ConfigKey};
use super::wrong;
use crate::adapters::file::FileAuditSink;
use crate::audit::{AuditOptions, AuditSink};
use crate::error::Result;

/// The options with the sinks that the configuration names, beside those of the builder's own options.
pub(super) fn configured(
    mut options: AuditOptions,
    config: &Config,
    outside: &Outside,
) -> Result<AuditOptions> {
    let remote = config.value(ConfigKey::AuditRemoteSink);
    let mut is_remote_there = remote.is_none();
    for (name, sink) in sinks(config, outside)? {
        if remote == Some(name) {
            is_remote_there = true;
            options = options.with_remote_sink(name, sink);
        } else {
            options = options.with_sink(name, sink);
        }
    }
    if !is_remote_there {
        let reason = "must be `file`, `sqlite` or `monitor`, and that sink must be set";
        return Err(wrong(ConfigKey::AuditRemoteSink, reason));
    }
    let seconds = |key| -> Option<Duration> { config.seconds(key) };
    if let Some(within) = seconds(ConfigKey::AuditRemoteWithin) {
        options = options.with_remote_deadline(within);
    }
    if let Some(most) = seconds(ConfigKey::AuditMaxLag) {
        options = options.with_most_lag(most);
    }
    Ok(options)
}

type Named = (&'static str, Arc<dyn AuditSink>);

fn sinks(config: &Config, outside: &Outside) -> Result<Vec<Named>> {
    let mut sinks: Vec<Named> = Vec::new();
    if let Some(folder) = config.value(ConfigKey::AuditFileSink) {
        let folder = config.folder().join(folder);
        if folder == config.audit_folder() {
            return Err(wrong(ConfigKey::AuditFileSink, "is the folder of the log"));
        }
        sinks.push(("file", Arc::new(FileAuditSink::new(folder))));
    }
    if let Some(file) = config.value(ConfigKey::AuditSqliteSink) {
        sinks.push(("sqlite", sqlite(config, file)?));
    }
    let monitor = [
        ConfigKey::AuditMonitorEndpoint,
        ConfigKey::AuditMonitorRule,
        ConfigKey::AuditMonitorStream,
    ];
    if monitor.into_iter().any(|key| config.value(key).is_some()) {
        sinks.push(("monitor", outside.monitor()?));
    }
    Ok(sinks)
}

#[cfg(feature = "sqlite")]
#[expect(clippy::unnecessary_wraps, reason = "the other build has no such sink")]
fn sqlite(config: &Config, file: &str) -> Result<Arc<dyn AuditSink>> {
    let file = config.folder().join(file);
    Ok(Arc::new(crate::adapters::sqlite::SqliteAuditSink::new(
        file,
    )))
}

#[cfg(not(feature = "sqlite"))]
fn sqlite(_config: &Config, _file: &str) -> Result<Arc<dyn AuditSink>> {
    let reason = "is set, and this build has no SQLite: build zt with the feature `sqlite`";
    Err(wrong(ConfigKey::AuditSqliteSink, reason))
}
