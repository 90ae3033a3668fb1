//! `zt conformance azure`: the contracts that zt's vaults, keys and audit keys keep, checked against a real vault.
//!
//! In: a scratch vault that has a row of Network_Rules, and whoever this process is. Out: which parts of the contracts hold
//! there. It makes secrets and keys whose names begin with `zt-conformance-` and deletes them at the end; nothing else is
//! changed.

mod keys;
mod scratch;
mod secrets;

use clap::{Args, Subcommand, ValueEnum};
use zt_core::envelope::KeyError;
use zt_core::runtime::{self, Config};
use zt_core::secrets::{NotAVaultUrl, VaultError, VaultUrl};
use zt_core::{Code, Error, Result};

use self::keys::Keys;
use self::scratch::Scratch;
use self::secrets::Secrets;
use crate::Answer;

#[derive(Debug, Subcommand)]
pub(crate) enum Conformance {
    /// Against Azure Key Vault, or an emulator of it.
    Azure(Azure),
}

#[derive(Debug, Args)]
pub(crate) struct Azure {
    /// The scratch vault, such as `https://kv-scratch.vault.azure.net`. It needs a row of Network_Rules, and this identity the
    /// roles `Key Vault Secrets Officer` and `Key Vault Crypto Officer` on it.
    #[arg(long)]
    vault: String,
    /// One part alone, which needs its own role alone.
    #[arg(long)]
    only: Option<Part>,
    /// Remove what was deleted for good too; needs the right to purge.
    #[arg(long)]
    purge: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The vault of secrets.
    Secrets,
    /// Keys that wrap data keys, and the audit key.
    Keys,
}

impl Conformance {
    pub(crate) async fn run(self, config: &Config) -> Result<Answer> {
        let Self::Azure(azure) = self;
        let vault = azure.vault.parse();
        let vault: VaultUrl = vault
            .map_err(|why: NotAVaultUrl| Error::new(Code::InvalidArgument, why.to_string()))?;
        let scratch = Scratch::new(vault)?;
        let outcome = azure.run(config, &scratch).await;
        scratch.end();
        outcome
    }
}

impl Azure {
    async fn run(&self, config: &Config, scratch: &Scratch) -> Result<Answer> {
        let snapshot = runtime::tables(config).await?.current();
        let secrets = Secrets::new(runtime::key_vault(config, &snapshot)?, scratch);
        let keys = Keys::new(runtime::key_vault_keys(config, &snapshot)?, scratch);
        // A vault that is not reached, or that lets us do less than a suite does, breaks no contract.
        let admitted = self.try_out(scratch, &secrets, &keys);
        let checked = admitted.and_then(|()| {
            let is_kept = !self.wants(Part::Secrets) || secrets.check_all();
            if !self.wants(Part::Keys) {
                return Ok(is_kept);
            }
            let wraps = keys.check_all();
            let signs =
                keys.check_audit_key(|key| runtime::key_vault_audit_key(config, &snapshot, key))?;
            Ok(is_kept && wraps && signs)
        });
        let mut is_clean = !self.wants(Part::Secrets) || secrets.clean_up(self.purge).await;
        if self.wants(Part::Keys) {
            is_clean &= keys.clean_up(self.purge).await;
        }
        Ok(if checked? && is_clean {
            Answer::Yes
        } else {
            Answer::No
        })
    }

    fn wants(&self, part: Part) -> bool {
        self.only.is_none_or(|only| only == part)
    }

    fn try_out(&self, scratch: &Scratch, secrets: &Secrets<'_>, keys: &Keys<'_>) -> Result<()> {
        if self.wants(Part::Secrets) {
            scratch.wait(secrets.try_out()).map_err(|why| {
                let is_denied = matches!(why, VaultError::Denied { .. });
                explained(why.into(), is_denied, "Key Vault Secrets Officer")
            })?;
        }
        if self.wants(Part::Keys) {
            scratch.wait(keys.try_out()).map_err(|why| {
                let is_denied = matches!(why, KeyError::Denied { .. });
                explained(why.into(), is_denied, "Key Vault Crypto Officer")
            })?;
        }
        Ok(())
    }
}

/// The role that lets one read does not do here.
fn explained(error: Error, is_denied: bool, role: &str) -> Error {
    if is_denied {
        error.with_help(format!("give this identity the role `{role}` on the vault"))
    } else {
        error
    }
}
