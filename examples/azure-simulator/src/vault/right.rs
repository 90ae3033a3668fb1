//! Who may do what in a vault: role assignments, cut down to single rights.
//!
//! Source: Microsoft Learn, "Azure built-in roles", data actions of `Microsoft.KeyVault`.

use crate::random;

/// One thing that a principal may do in a vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Right {
    /// Read values of secrets.
    SecretsGet,
    /// List secrets and their versions, deleted ones too.
    SecretsList,
    /// Set secrets and change their attributes.
    SecretsSet,
    /// Delete secrets.
    SecretsDelete,
    /// Recover deleted secrets.
    SecretsRecover,
    /// Purge deleted secrets.
    SecretsPurge,
    /// Read and list keys: public parts alone.
    KeysGet,
    /// Create keys.
    KeysCreate,
    /// Change attributes of keys.
    KeysUpdate,
    /// Delete keys.
    KeysDelete,
    /// Recover deleted keys.
    KeysRecover,
    /// Purge deleted keys.
    KeysPurge,
    /// Wrap with a key.
    KeysWrap,
    /// Unwrap with a key.
    KeysUnwrap,
    /// Sign with a key.
    KeysSign,
    /// Verify with a key.
    KeysVerify,
    /// Encrypt with a key.
    KeysEncrypt,
    /// Decrypt with a key.
    KeysDecrypt,
}

/// Every right, its name in the control interface, and its data action below `Microsoft.KeyVault/vaults/`.
const ALL: &[(Right, &str, &str)] = &[
    (Right::SecretsGet, "secrets/get", "secrets/getSecret/action"),
    (
        Right::SecretsList,
        "secrets/list",
        "secrets/readMetadata/action",
    ),
    (Right::SecretsSet, "secrets/set", "secrets/setSecret/action"),
    (Right::SecretsDelete, "secrets/delete", "secrets/delete"),
    (
        Right::SecretsRecover,
        "secrets/recover",
        "secrets/recover/action",
    ),
    (Right::SecretsPurge, "secrets/purge", "secrets/purge/action"),
    (Right::KeysGet, "keys/get", "keys/read"),
    (Right::KeysCreate, "keys/create", "keys/create/action"),
    (Right::KeysUpdate, "keys/update", "keys/update/action"),
    (Right::KeysDelete, "keys/delete", "keys/delete"),
    (Right::KeysRecover, "keys/recover", "keys/recover/action"),
    (Right::KeysPurge, "keys/purge", "keys/purge/action"),
    (Right::KeysWrap, "keys/wrap", "keys/wrap/action"),
    (Right::KeysUnwrap, "keys/unwrap", "keys/unwrap/action"),
    (Right::KeysSign, "keys/sign", "keys/sign/action"),
    (Right::KeysVerify, "keys/verify", "keys/verify/action"),
    (Right::KeysEncrypt, "keys/encrypt", "keys/encrypt/action"),
    (Right::KeysDecrypt, "keys/decrypt", "keys/decrypt/action"),
];

impl Right {
    /// Every right.
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.iter().map(|&(right, ..)| right)
    }

    /// Its name in the control interface, as `secrets/get`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().map_or("", |&(_, name, _)| name)
    }

    /// The right of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let row = ALL.iter().find(|(_, own, _)| *own == name);
        row.map(|&(right, ..)| right)
    }

    /// As refusals name it.
    pub(super) fn action(self) -> String {
        let action = self.row().map_or("", |&(.., action)| action);
        format!("Microsoft.KeyVault/vaults/{action}")
    }

    fn row(self) -> Option<&'static (Self, &'static str, &'static str)> {
        ALL.iter().find(|&&(right, ..)| right == self)
    }
}

/// The role assignments of one vault.
#[derive(Debug, Default)]
pub(crate) struct Grants(Vec<Grant>);

/// A right of a principal, on the whole vault or on objects of one name.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) principal: String,
    pub(crate) right: Right,
    pub(crate) on: Option<String>,
    id: String,
}

impl Grants {
    pub(crate) fn add(&mut self, principal: &str, right: Right, on: Option<&str>) {
        self.0.push(Grant {
            principal: principal.to_owned(),
            right,
            on: on.map(str::to_owned),
            id: random::hex(),
        });
    }

    /// Takes every assignment of this right away; with a name, those on that name alone.
    pub(crate) fn remove(&mut self, principal: &str, right: Right, on: Option<&str>) {
        self.0.retain(|grant| {
            let is_on = on.is_none_or(|name| {
                let own = grant.on.as_deref();
                own.is_some_and(|own| own.eq_ignore_ascii_case(name))
            });
            !(grant.principal == principal && grant.right == right && is_on)
        });
    }

    pub(crate) fn all(&self) -> &[Grant] {
        &self.0
    }

    /// The id of the assignment that allows this, if one does.
    pub(super) fn assignment(&self, principal: &str, right: Right, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|grant| {
            let covers = |on: &String| on.eq_ignore_ascii_case(name);
            grant.principal == principal
                && grant.right == right
                && grant.on.as_ref().is_none_or(covers)
        })?;
        Some(&found.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_right_is_found_by_its_name() {
        for right in Right::all() {
            assert_eq!(Right::named(right.name()), Some(right));
        }
        assert_eq!(Right::named("secrets/everything"), None);
    }

    #[test]
    fn a_grant_on_a_name_is_for_that_name() {
        let mut grants = Grants::default();
        grants.add("p", Right::SecretsGet, Some("One"));
        assert!(grants.assignment("p", Right::SecretsGet, "one").is_some());
        assert!(grants.assignment("p", Right::SecretsGet, "two").is_none());
        assert!(grants.assignment("q", Right::SecretsGet, "one").is_none());
        grants.add("p", Right::SecretsGet, None);
        grants.remove("p", Right::SecretsGet, Some("one"));
        assert!(grants.assignment("p", Right::SecretsGet, "one").is_some());
        grants.remove("p", Right::SecretsGet, None);
        assert!(grants.assignment("p", Right::SecretsGet, "one").is_none());
    }
}
