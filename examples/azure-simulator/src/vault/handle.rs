//! What a test, or the control interface, may do to one vault without asking over the network.

use std::fmt;

use serde_json::Value;

use super::attributes::Attributes;
use super::crypto::KeyKind;
use super::network::NetworkInfo;
use super::refusal::Refusal;
use super::right::Right;
use super::secret::{Secret, SecretOptions};
use super::store::{Vault, host_of};
use crate::error::Error;
use crate::state::State;

/// A vault of a running simulator: [`Simulator::vault`](crate::Simulator::vault). It holds nothing itself.
///
/// ```
/// use zt_azure_simulator::{Options, Right, Simulator};
///
/// let sim = Simulator::start(Options::new())?;
/// let vault = sim.make_vault("kv-other")?;
/// let version = vault.set_secret("db-password", "not-a-real-one")?;
/// assert_eq!(version.len(), 32);
/// vault.grant("sp-score-201", &[Right::SecretsGet])?;
/// # Ok::<(), zt_azure_simulator::Error>(())
/// ```
#[derive(Clone)]
pub struct KeyVault<'s> {
    state: &'s State,
    host: String,
}

impl<'s> KeyVault<'s> {
    pub(crate) fn new(state: &'s State, name: &str) -> Self {
        let host = host_of(name);
        Self { state, host }
    }

    pub(crate) fn make(&self) -> Result<(), Error> {
        let directory = self.state.directory();
        let tenant = directory.tenants.first();
        let tenant = tenant.ok_or_else(|| Error::new("there is no tenant"))?;
        self.state.vaults().make(&self.host, &tenant.id)?;
        Ok(())
    }

    /// The host that answers for it.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// What clients are told: `https://HOST`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{}", self.host)
    }

    /// Adds a version, and returns its 32 digits. A deleted secret of this name is purged first.
    ///
    /// # Errors
    /// There is no such vault, the name is none, or the value has more than 25,600 bytes.
    pub fn set_secret(&self, name: &str, value: &str) -> Result<String, Error> {
        self.set_secret_with(name, value, SecretOptions::new())
    }

    /// The same with attributes, tags and a content type.
    ///
    /// # Errors
    /// As [`Self::set_secret`].
    pub fn set_secret_with(
        &self,
        name: &str,
        value: &str,
        options: SecretOptions,
    ) -> Result<String, Error> {
        let now = self.state.clock.now();
        self.with(|vault| {
            // Nobody waits for a purge here.
            let _purged = vault.purge_secret(name);
            vault.set_secret(name, value, options, now)
        })
    }

    /// Enables or disables the latest version.
    ///
    /// # Errors
    /// There is no such vault or secret.
    pub fn enable_secret(&self, name: &str, is_enabled: bool) -> Result<(), Error> {
        self.change(name, |secret| {
            if let Some(latest) = secret.version_mut(None) {
                latest.attributes.enabled = is_enabled;
            }
        })
    }

    /// Sets `exp` of the latest version, in seconds since the Unix epoch.
    ///
    /// # Errors
    /// There is no such vault or secret.
    pub fn expire_secret(&self, name: &str, unix: Option<i64>) -> Result<(), Error> {
        self.change(name, |secret| {
            if let Some(latest) = secret.version_mut(None) {
                latest.attributes.expires = unix;
            }
        })
    }

    /// Sets `nbf` of the latest version, in seconds since the Unix epoch.
    ///
    /// # Errors
    /// There is no such vault or secret.
    pub fn delay_secret(&self, name: &str, unix: Option<i64>) -> Result<(), Error> {
        self.change(name, |secret| {
            if let Some(latest) = secret.version_mut(None) {
                latest.attributes.not_before = unix;
            }
        })
    }

    /// Deletes a secret so that it can be recovered. Returns the version that was the latest.
    ///
    /// # Errors
    /// There is no such vault or secret.
    pub fn delete_secret(&self, name: &str) -> Result<String, Error> {
        let now = self.state.clock.now();
        self.with(|vault| vault.delete_secret(name, now))
    }

    /// Brings a deleted key back.
    ///
    /// # Errors
    /// There is no such vault or deleted key.
    pub fn recover_key(&self, name: &str) -> Result<(), Error> {
        self.with(|vault| vault.recover_key(name))
    }

    /// Brings a deleted secret back.
    ///
    /// # Errors
    /// There is no such vault or deleted secret.
    pub fn recover_secret(&self, name: &str) -> Result<(), Error> {
        self.with(|vault| vault.recover_secret(name))
    }

    /// Removes a deleted secret for good.
    ///
    /// # Errors
    /// There is no such vault or deleted secret.
    pub fn purge_secret(&self, name: &str) -> Result<(), Error> {
        self.with(|vault| vault.purge_secret(name))
    }

    /// The versions of a secret, oldest first.
    ///
    /// # Errors
    /// There is no such vault or secret.
    pub fn secret_versions(&self, name: &str) -> Result<Vec<String>, Error> {
        self.with(|vault| {
            let secret = vault.secret(name);
            let secret = secret.ok_or_else(|| Refusal::no_secret(name))?;
            let all = secret.version_names().into_iter();
            Ok(all.map(str::to_owned).collect())
        })
    }

    /// Adds a version of a key, made when it is first used, and returns its 32 digits.
    ///
    /// # Errors
    /// There is no such vault, or the name is none.
    pub fn make_key(&self, name: &str, kind: KeyKind) -> Result<String, Error> {
        let now = self.state.clock.now();
        self.with(|vault| vault.make_key(name, kind, &Value::Null, now))
    }

    /// Makes the latest version of a key now: a first use that waits for it may be too late for its client.
    ///
    /// # Errors
    /// There is no such vault or key.
    pub fn ready_key(&self, name: &str) -> Result<(), Error> {
        self.with(|vault| {
            let key = vault.key(name);
            let latest = key.and_then(|key| key.version(None));
            let latest = latest.ok_or_else(|| Refusal::no_key(name))?;
            latest.material().map(drop)
        })
    }

    /// The public point of the latest version of a key on P-256, uncompressed.
    ///
    /// # Errors
    /// There is no such vault or key, or it is of another kind.
    pub fn key_point(&self, name: &str) -> Result<Vec<u8>, Error> {
        self.with(|vault| {
            let key = vault.key(name);
            let latest = key.and_then(|key| key.version(None));
            let latest = latest.ok_or_else(|| Refusal::no_key(name))?;
            let point = latest.material()?.point();
            point.ok_or_else(|| Refusal::no_key(name))
        })
    }

    /// Enables or disables the latest version of a key.
    ///
    /// # Errors
    /// There is no such vault or key.
    pub fn enable_key(&self, name: &str, is_enabled: bool) -> Result<(), Error> {
        self.change_key(name, |attributes| attributes.enabled = is_enabled)
    }

    /// Sets `exp` of the latest version of a key, in seconds since the Unix epoch.
    ///
    /// # Errors
    /// There is no such vault or key.
    pub fn expire_key(&self, name: &str, unix: Option<i64>) -> Result<(), Error> {
        self.change_key(name, |attributes| attributes.expires = unix)
    }

    /// Sets `nbf` of the latest version of a key, in seconds since the Unix epoch.
    ///
    /// # Errors
    /// There is no such vault or key.
    pub fn delay_key(&self, name: &str, unix: Option<i64>) -> Result<(), Error> {
        self.change_key(name, |attributes| attributes.not_before = unix)
    }

    fn change_key(&self, name: &str, change: impl FnOnce(&mut Attributes)) -> Result<(), Error> {
        self.with(|vault| {
            let key = vault.key_mut(name);
            let key = key.ok_or_else(|| Refusal::no_key(name))?;
            if let Some(latest) = key.versions.last_mut() {
                change(&mut latest.attributes);
            }
            Ok(())
        })
    }

    /// The versions of a key, oldest first.
    ///
    /// # Errors
    /// There is no such vault or key.
    pub fn key_versions(&self, name: &str) -> Result<Vec<String>, Error> {
        self.with(|vault| {
            let key = vault.key(name);
            let key = key.ok_or_else(|| Refusal::no_key(name))?;
            let all = key.version_names().into_iter();
            Ok(all.map(str::to_owned).collect())
        })
    }

    /// How often a value of this secret was asked for with a token, since the start or the last
    /// [`Simulator::clear_requests`](crate::Simulator::clear_requests).
    #[must_use]
    pub fn secret_gets(&self, name: &str) -> usize {
        let is_get = |path: &str| {
            let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
            match segments.as_slice() {
                ["secrets", own] => own.eq_ignore_ascii_case(name),
                ["secrets", own, version] => {
                    own.eq_ignore_ascii_case(name) && *version != "versions"
                }
                _ => false,
            }
        };
        let all = self.state.log().all();
        all.iter()
            .filter(|one| one.method == "GET" && one.shows_token && one.host == self.host)
            .filter(|one| is_get(&one.path))
            .count()
    }

    /// Gives rights on the whole vault to a person or a workload, by name or object id.
    ///
    /// # Errors
    /// There is no such vault, or nobody has this name.
    pub fn grant(&self, who: &str, rights: &[Right]) -> Result<(), Error> {
        self.change_grants(who, rights, |vault, oid, right| {
            vault.grants.add(oid, right, None);
        })
    }

    /// Gives rights on the secrets and keys of one name.
    ///
    /// # Errors
    /// As [`Self::grant`].
    pub fn grant_on(&self, name: &str, who: &str, rights: &[Right]) -> Result<(), Error> {
        self.change_grants(who, rights, |vault, oid, right| {
            vault.grants.add(oid, right, Some(name));
        })
    }

    /// Takes rights away, on the whole vault and on every name.
    ///
    /// # Errors
    /// As [`Self::grant`].
    pub fn revoke(&self, who: &str, rights: &[Right]) -> Result<(), Error> {
        self.change_grants(who, rights, |vault, oid, right| {
            vault.grants.remove(oid, right, None);
        })
    }

    /// Takes rights on one name away; one on the whole vault stays.
    ///
    /// # Errors
    /// As [`Self::grant`].
    pub fn revoke_on(&self, name: &str, who: &str, rights: &[Right]) -> Result<(), Error> {
        self.change_grants(who, rights, |vault, oid, right| {
            vault.grants.remove(oid, right, Some(name));
        })
    }

    /// Sets what it says about the way by which requests come in.
    ///
    /// # Errors
    /// There is no such vault.
    pub fn set_network(&self, info: NetworkInfo) -> Result<(), Error> {
        self.with(|vault| {
            vault.network = info;
            Ok(())
        })
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Secret)) -> Result<(), Error> {
        self.with(|vault| {
            let secret = vault.secret_mut(name);
            change(secret.ok_or_else(|| Refusal::no_secret(name))?);
            Ok(())
        })
    }

    fn change_grants(
        &self,
        who: &str,
        rights: &[Right],
        change: impl Fn(&mut Vault, &str, Right),
    ) -> Result<(), Error> {
        let object_id = self.object_id(who)?;
        self.with(|vault| {
            for &right in rights {
                change(vault, &object_id, right);
            }
            Ok(())
        })
    }

    fn object_id(&self, who: &str) -> Result<String, Error> {
        let directory = self.state.directory();
        let found = directory.tenants.iter().find_map(|tenant| {
            let user = tenant.user(who).map(|user| &user.object_id);
            user.or_else(|| tenant.service_principal(who).map(|sp| &sp.object_id))
        });
        let found = found.ok_or_else(|| Error::new(format!("nobody is called `{who}`")))?;
        Ok(found.clone())
    }

    fn with<T>(&self, act: impl FnOnce(&mut Vault) -> Result<T, Refusal>) -> Result<T, Error> {
        let mut vaults = self.state.vaults();
        let vault = vaults
            .find_mut(&self.host)
            .ok_or_else(|| Error::new(format!("there is no vault `{}`", self.host)))?;
        act(vault).map_err(|refusal| Error::new(refusal.into_message()))
    }
}

impl fmt::Debug for KeyVault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyVault").field(&self.host).finish()
    }
}
