//! How a configuration says that the audit log is written: where, under which key, for how long.

use std::sync::Arc;

use super::wrong;
use crate::adapters::file::FileAuditKey;
use crate::audit::{AuditOptions, CheckpointSigner, PublicKey, SignError};
use crate::error::{Code, Error, Result};
use crate::runtime::{Config, ConfigKey};

/// The options of the log that a runtime of this configuration writes, for tools that write beside it.
///
/// # Errors
/// `Config` if the audit key cannot be read or made.
pub fn audit_options(config: &Config) -> Result<AuditOptions> {
    complete(AuditOptions::new(config.audit_folder()), config)
}

/// The options that the builder was given, which may name no other folder than the configuration.
pub(super) fn given(options: Option<AuditOptions>, config: &Config) -> Result<AuditOptions> {
    let configured = config.audit_folder();
    let options = options.unwrap_or_else(|| AuditOptions::new(&configured));
    if config.value(ConfigKey::AuditFolder).is_some() && options.folder() != configured {
        let reason = "is set, and the builder names another folder";
        return Err(wrong(ConfigKey::AuditFolder, reason));
    }
    Ok(options)
}

/// What was given, and what the configuration says beside it.
pub(super) fn complete(options: AuditOptions, config: &Config) -> Result<AuditOptions> {
    let options = match config.audit_retention() {
        Some(retention) if !options.has_retention() => options.with_retention(retention),
        Some(_) | None => options,
    };
    if options.is_signed() {
        return Ok(options);
    }
    let key = FileAuditKey::open(config.audit_key_file()).map_err(unusable)?;
    Ok(options.with_signer(Arc::new(key)))
}

/// The public part of the audit key of a configuration, if there is one already.
///
/// # Errors
/// `Config` if it cannot be read.
pub fn audit_key(config: &Config) -> Result<Option<PublicKey>> {
    let file = config.audit_key_file();
    if !file.exists() {
        return Ok(None);
    }
    let key = FileAuditKey::read(file).and_then(|key| key.public_key());
    key.map(Some).map_err(unusable)
}

fn unusable(why: SignError) -> Error {
    Error::new(Code::Config, why.to_string())
        .with_help("name another file with `audit.checkpoint_key`, or give the builder a signer")
        .with_source(why)
}
