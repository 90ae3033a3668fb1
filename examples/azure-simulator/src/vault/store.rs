//! The vaults that exist, and what is in each. Everything is data that a test may change while the simulator runs.

use std::collections::BTreeMap;

use serde_json::Value;

use super::crypto::KeyKind;
use super::key::Key;
use super::network::NetworkInfo;
use super::refusal::Refusal;
use super::right::Grants;
use super::secret::{Secret, SecretOptions};
use crate::cloud::{Cloud, cloud_of_vault};
use crate::error::Error;

/// A value may have so many bytes ("Azure Key Vault secrets", Microsoft Learn: 25 KB).
const MOST_BYTES: usize = 25_600;

/// All vaults, by their host in lowercase.
#[derive(Default)]
pub(crate) struct Vaults(BTreeMap<String, Vault>);

/// One vault. Holds values: there is no `Debug`.
pub(crate) struct Vault {
    pub(crate) host: String,
    pub(crate) tenant: String,
    pub(crate) region: String,
    pub(crate) network: NetworkInfo,
    pub(crate) grants: Grants,
    /// By their name in lowercase, as everything here.
    secrets: BTreeMap<String, Secret>,
    pub(super) deleted: BTreeMap<String, Deleted>,
    keys: BTreeMap<String, Key>,
    pub(super) deleted_keys: BTreeMap<String, DeletedKey>,
}

/// A secret that can be recovered.
pub(crate) struct Deleted {
    pub(super) secret: Secret,
    pub(super) at: i64,
}

/// A key that can be recovered.
pub(crate) struct DeletedKey {
    pub(super) key: Key,
    pub(super) at: i64,
}

/// The host of a vault's short name in the public cloud; a host stays as it is.
pub(crate) fn host_of(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    if name.contains('.') {
        name
    } else {
        format!("{name}.{}", Cloud::Public.vault_suffix())
    }
}

impl Vaults {
    /// Makes an empty vault, or leaves the one that is there.
    pub(crate) fn make(&mut self, name: &str, tenant: &str) -> Result<&mut Vault, Error> {
        let host = host_of(name);
        let short = host.split('.').next().unwrap_or_default();
        if cloud_of_vault(&host).is_none() || !is_name(short) {
            return Err(Error::new(format!("`{name}` cannot be a vault's name")));
        }
        let endpoint = format!("pe-{short}");
        Ok(self.0.entry(host.clone()).or_insert_with(|| Vault {
            host,
            tenant: tenant.to_owned(),
            region: "westeurope".to_owned(),
            network: NetworkInfo::private_endpoint(&endpoint),
            grants: Grants::default(),
            secrets: BTreeMap::new(),
            deleted: BTreeMap::new(),
            keys: BTreeMap::new(),
            deleted_keys: BTreeMap::new(),
        }))
    }

    /// The vault of this host or short name.
    pub(crate) fn find_mut(&mut self, name: &str) -> Option<&mut Vault> {
        self.0.get_mut(&host_of(name))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Vault> {
        self.0.values()
    }
}

impl Vault {
    /// The short name.
    pub(crate) fn name(&self) -> &str {
        self.host.split('.').next().unwrap_or_default()
    }

    /// As refusals name it.
    pub(super) fn resource_id(&self) -> String {
        format!(
            "/subscriptions/22222222-2222-4222-8222-222222222222/resourcegroups/rg-brindlewick/providers/microsoft.keyvault/vaults/{}",
            self.name()
        )
    }

    /// The id of an object, or of a version of it.
    pub(super) fn id(&self, kind: &str, name: &str, version: Option<&str>) -> String {
        let base = format!("https://{}/{kind}/{name}", self.host);
        match version {
            Some(version) => format!("{base}/{version}"),
            None => base,
        }
    }

    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.secrets.values()
    }

    pub(super) fn secret(&self, name: &str) -> Option<&Secret> {
        self.secrets.get(&name.to_ascii_lowercase())
    }

    pub(super) fn secret_mut(&mut self, name: &str) -> Option<&mut Secret> {
        self.secrets.get_mut(&name.to_ascii_lowercase())
    }

    /// Adds a version; returns what names it.
    pub(super) fn set_secret(
        &mut self,
        name: &str,
        value: &str,
        options: SecretOptions,
        now: i64,
    ) -> Result<String, Refusal> {
        check_name(name)?;
        if value.len() > MOST_BYTES {
            let message = format!("The secret value exceeds {MOST_BYTES} bytes.");
            return Err(Refusal::bad_parameter(&message));
        }
        let key = name.to_ascii_lowercase();
        if self.deleted.contains_key(&key) {
            let message = format!(
                "Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged."
            );
            let refusal = Refusal::new(409, "Conflict", message);
            return Err(refusal.with_inner("ObjectIsDeletedButRecoverable"));
        }
        let secret = self.secrets.entry(key).or_insert_with(|| Secret::new(name));
        Ok(secret.add(value, options, now))
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.values()
    }

    pub(super) fn key(&self, name: &str) -> Option<&Key> {
        self.keys.get(&name.to_ascii_lowercase())
    }

    pub(super) fn key_mut(&mut self, name: &str) -> Option<&mut Key> {
        self.keys.get_mut(&name.to_ascii_lowercase())
    }

    /// Adds a version of a key, with what a body says of it; returns what names it.
    pub(super) fn make_key(
        &mut self,
        name: &str,
        kind: KeyKind,
        body: &Value,
        now: i64,
    ) -> Result<String, Refusal> {
        check_name(name)?;
        if self.deleted_keys.contains_key(&name.to_ascii_lowercase()) {
            let message = format!(
                "Key {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the key can only be recovered or purged."
            );
            let refusal = Refusal::new(409, "Conflict", message);
            return Err(refusal.with_inner("ObjectIsDeletedButRecoverable"));
        }
        let key = self.keys.entry(name.to_ascii_lowercase());
        let key = key.or_insert_with(|| Key::new(name));
        Ok(key.add(kind, body, now))
    }

    /// Deletes a key so that it can be recovered.
    pub(super) fn delete_key(&mut self, name: &str, now: i64) -> Result<(), Refusal> {
        let place = name.to_ascii_lowercase();
        let key = self.keys.remove(&place);
        let key = key.ok_or_else(|| Refusal::no_key(name))?;
        self.deleted_keys.insert(place, DeletedKey { key, at: now });
        Ok(())
    }

    /// Brings a deleted key back.
    pub(super) fn recover_key(&mut self, name: &str) -> Result<(), Refusal> {
        let place = name.to_ascii_lowercase();
        let deleted = self.deleted_keys.remove(&place);
        let deleted = deleted.ok_or_else(|| Refusal::no_key(name))?;
        self.keys.insert(place, deleted.key);
        Ok(())
    }

    /// Removes a deleted key for good.
    pub(super) fn purge_key(&mut self, name: &str) -> Result<(), Refusal> {
        let purged = self.deleted_keys.remove(&name.to_ascii_lowercase());
        purged.map(|_gone| ()).ok_or_else(|| Refusal::no_key(name))
    }

    /// Deletes a secret so that it can be recovered; returns what names its latest version.
    pub(super) fn delete_secret(&mut self, name: &str, now: i64) -> Result<String, Refusal> {
        let key = name.to_ascii_lowercase();
        let secret = self.secrets.remove(&key);
        let secret = secret.ok_or_else(|| Refusal::no_secret(name))?;
        let latest = secret.version_names().last().map(|&name| name.to_owned());
        self.deleted.insert(key, Deleted { secret, at: now });
        Ok(latest.unwrap_or_default())
    }

    /// Brings a deleted secret back.
    pub(super) fn recover_secret(&mut self, name: &str) -> Result<(), Refusal> {
        let key = name.to_ascii_lowercase();
        let deleted = self.deleted.remove(&key);
        let deleted = deleted.ok_or_else(|| Refusal::no_secret(name))?;
        self.secrets.insert(key, deleted.secret);
        Ok(())
    }

    /// Removes a deleted secret for good.
    pub(super) fn purge_secret(&mut self, name: &str) -> Result<(), Refusal> {
        let purged = self.deleted.remove(&name.to_ascii_lowercase());
        purged
            .map(|_gone| ())
            .ok_or_else(|| Refusal::no_secret(name))
    }
}

/// Names are 1 to 127 letters, digits and hyphens; a list has none.
pub(super) fn check_name(name: &str) -> Result<(), Refusal> {
    if name.is_empty() || is_name(name) {
        return Ok(());
    }
    let message = "The request URI contains an invalid name";
    Err(Refusal::bad_parameter(message))
}

fn is_name(name: &str) -> bool {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || char == '-';
    (1..=127).contains(&name.len()) && name.chars().all(is_plain)
}
