//! How a configuration says that the audit log is written: where, under which key, for how long.

use std::sync::Arc;

use super::super::outside::Outside;
use super::outside::of_tool;
use super::{tables, wrong};
use crate::adapters::file::{
    FileAuditKey, open_pseudonym_keys, read_pseudonym_keys, rotate_pseudonym_keys,
};
use crate::audit::{AuditOptions, CheckpointSigner, Pseudonyms, PublicKey, SignError};
use crate::error::{Code, Error, Result};
use crate::runtime::{Config, ConfigKey};
use crate::secrets::SecretId;

/// The options of the log that a runtime of this configuration writes, for tools that write beside it.
///
/// # Errors
/// `Config` if the audit key cannot be read or made, or the tables of an audit key in a vault are wrong.
pub async fn audit_options(config: &Config) -> Result<AuditOptions> {
    let options = AuditOptions::new(config.audit_folder());
    match vault_key(config)? {
        Some(key) => Ok(options.with_signer(in_vault(config, key).await?)),
        None => complete(options, config, None),
    }
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
pub(super) fn complete(
    options: AuditOptions,
    config: &Config,
    outside: Option<&Outside>,
) -> Result<AuditOptions> {
    let options = match config.audit_retention() {
        // A tool has no sinks, so that it does not know what they lack: it removes nothing.
        Some(retention) if !options.has_retention() && outside.is_some() => {
            options.with_retention(retention)
        }
        Some(_) | None => options,
    };
    let options = former_keys(config)?
        .into_iter()
        .fold(options, AuditOptions::with_former_key);
    if options.is_signed() {
        return Ok(options);
    }
    if let (Some(key), Some(outside)) = (vault_key(config)?, outside) {
        return Ok(options.with_signer(outside.audit_key(key)?));
    }
    let key = FileAuditKey::open(config.audit_key_file()).map_err(unusable)?;
    Ok(options.with_signer(Arc::new(key)))
}

/// The audit keys that vouched before.
fn former_keys(config: &Config) -> Result<Vec<PublicKey>> {
    let Some(file) = config.audit_former_keys() else {
        return Ok(Vec::new());
    };
    let setting = ConfigKey::AuditFormerKeys;
    let text = std::fs::read_to_string(&file)
        .map_err(|why| wrong(setting, &format!("cannot be read: {why}")).with_source(why))?;
    let expected =
        "must be a file of public keys of the curve P-256 in PEM, as `zt audit key` prints them";
    PublicKey::all_from_pem(&text).ok_or_else(|| wrong(setting, expected))
}

/// The public part of the audit key of a configuration, if there is one already. One in a vault is asked for.
///
/// # Errors
/// `Config` if it cannot be read.
pub async fn audit_key(config: &Config) -> Result<Option<PublicKey>> {
    if let Some(key) = vault_key(config)? {
        let signer = in_vault(config, key).await?;
        return signer.public_key().map(Some).map_err(unusable_in_vault);
    }
    let file = config.audit_key_file();
    if !file.exists() {
        return Ok(None);
    }
    let key = FileAuditKey::read(file).and_then(|key| key.public_key());
    key.map(Some).map_err(unusable)
}

/// What a runtime of this configuration writes for values of secret attributes, for tools that search for one. None where there
/// are no keys yet.
///
/// # Errors
/// `Config` if the keys cannot be read.
pub fn pseudonyms(config: &Config) -> Result<Option<Pseudonyms>> {
    let file = config.pseudonym_keys_file();
    if !file.exists() {
        return Ok(None);
    }
    read_pseudonym_keys(&file).map(Some)
}

/// Adds a key of pseudonyms: a runtime that is opened from now on writes others, and searches try both.
///
/// # Errors
/// `Config` if the keys cannot be read or written.
pub fn rotate_pseudonyms(config: &Config) -> Result<Pseudonyms> {
    let file = config.pseudonym_keys_file();
    let _made_where_there_are_none = open_pseudonym_keys(&file)?;
    rotate_pseudonym_keys(&file)
}

/// Those of a runtime, made at first use where the configuration wants them.
pub(super) fn pseudonyms_of(config: &Config) -> Result<Option<Pseudonyms>> {
    if !config.one_of(ConfigKey::AuditSecretValues, ["drop", "pseudonym"])? {
        return Ok(None);
    }
    open_pseudonym_keys(&config.pseudonym_keys_file()).map(Some)
}

/// A signer for a tool, which has no runtime.
async fn in_vault(config: &Config, key: SecretId) -> Result<Arc<dyn CheckpointSigner>> {
    let snapshot = tables(config).await?.current();
    of_tool(config, &snapshot)?.audit_key(key)
}

/// Which key of which vault vouches for checkpoints, if one does.
fn vault_key(config: &Config) -> Result<Option<SecretId>> {
    let setting = ConfigKey::AuditCheckpointVaultKey;
    let Some(text) = config.value(setting) else {
        return Ok(None);
    };
    if config.value(ConfigKey::AuditCheckpointKey).is_some() {
        let reason = "is set, and `audit.checkpoint_key` too: one key vouches";
        return Err(wrong(setting, reason));
    }
    let expected = "must be `https://VAULT/keys/NAME`, or `https://VAULT/keys/NAME/VERSION`";
    let Some((vault, path)) = text.split_once("/keys/") else {
        return Err(wrong(setting, expected));
    };
    let (name, version) = match path.split_once('/') {
        Some((name, version)) => (name, Some(version)),
        None => (path, None),
    };
    let vault = vault.parse().map_err(|why: crate::secrets::NotAVaultUrl| {
        wrong(setting, &format!("{expected}: {why}"))
    })?;
    let name = name
        .parse()
        .map_err(|why: crate::secrets::NotASecretName| {
            wrong(setting, &format!("{expected}: {why}"))
        })?;
    let id = SecretId::new(vault, name);
    match version {
        None => Ok(Some(id)),
        Some(version) => match version.parse() {
            Ok(version) => Ok(Some(id.at(version))),
            Err(_) => Err(wrong(setting, expected)),
        },
    }
}

fn unusable(why: SignError) -> Error {
    Error::new(Code::Config, why.to_string())
        .with_help("name another file with `audit.checkpoint_key`, or give the builder a signer")
        .with_source(why)
}

fn unusable_in_vault(why: SignError) -> Error {
    let help = "`audit.checkpoint_vault_key` must name an EC key on P-256 that signs; this identity needs `keys/get` and \
                `keys/sign`, which the role `Key Vault Crypto User` has, and the vault a row of Network_Rules";
    Error::new(Code::Config, why.to_string())
        .with_help(help)
        .with_source(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn former_keys_are_read_and_anything_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let text = "[audit]\nformer_keys = \"old.pem\"\n";
        std::fs::write(folder.path().join("zt.toml"), text).unwrap();
        let pem = |name: &str| {
            let key = FileAuditKey::open(folder.path().join(name)).unwrap();
            key.public_key().unwrap().to_pem()
        };
        let (one, other) = (pem("a.key"), pem("b.key"));
        let said = |text: &str| {
            std::fs::write(folder.path().join("old.pem"), text).unwrap();
            former_keys(&Config::load(folder.path()).unwrap())
        };
        let keys = said(&format!("first\n{one}then\n{other}")).unwrap();
        let read: Vec<String> = keys.iter().map(PublicKey::to_pem).collect();
        assert_eq!(read, [one.clone(), other]);
        let part = one.get(..100).unwrap();
        for wrong in ["", "no key", &one.replace("MFkw", "MFkx"), part] {
            assert!(said(wrong).is_err(), "{wrong}");
        }
        let cut = format!("{one}{part}");
        assert!(said(&cut).is_err());
    }

    #[tokio::test]
    async fn a_tool_signs_as_the_runtime_does_and_removes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("zt.toml");
        let text = "[audit]\nretention_days = 1\nfile_sink = \"copy\"\n";
        std::fs::write(file, text).unwrap();
        let config = Config::load(folder.path()).unwrap();
        let options = audit_options(&config).await.unwrap();
        assert!(options.is_signed() && !options.has_retention());
    }
}
